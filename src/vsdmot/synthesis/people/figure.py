"""The shape of a dressed person in the rest pose, as solids on a skeleton.

Lengths are written for the reference body of 1.755 m (`vsdmot.synthesis.skeleton`) and follow each person's bones:
limbs between the joints, the trunk between hips and neck, the head about its joint.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.people.appearance import Appearance
from vsdmot.synthesis.people.solids import Material, Solids
from vsdmot.synthesis.skeleton import CALVES, FEET, FOREARMS, HANDS, SIDES, THIGHS, UPPER_ARMS, Bone, Skeleton

SKIRT = 17
"""In place of a bone: what hangs from the hips and follows both thighs."""

Point = NDArray[np.float64]
_HIPS, _NECK, _HEAD = 0.92, 1.47, np.array([0.0, 0.005, 1.55])


class Figure:
    """Builds the solids of one person."""

    def __init__(self, appearance: Appearance, skeleton: Skeleton) -> None:
        """Take the person's looks and bones."""
        self._look = appearance
        self._joints = skeleton.joints
        self._skeleton = skeleton
        self._unit = skeleton.scale
        self._thick = skeleton.scale * appearance.bulk
        self._cloth = {"jacket": 0.013, "coat": 0.018, "shirt": 0.005}.get(appearance.top, 0.002)
        self._solids = Solids()

    def solids(self) -> NDArray[np.float64]:
        """Give the person's solids, ``(S, 15)``."""
        self._add_trunk()
        for side in (0, 1):
            self._add_arm(side)
            self._add_leg(side)
        self._add_hanging_cloth()
        self._add_head()
        self._add_hair()
        self._add_item()
        return self._solids.array()

    # Places: from the reference body to this person.

    def _trunk(self, x: float, y: float, z: float) -> Point:
        width = self._look.proportions
        share = np.clip((z - 1.0) / 0.2, 0, 1)
        wide = width.hip_width * (1 - share) + width.shoulder_width * share
        hips, neck = self._joints[Bone.RIGHT_THIGH, 2], self._joints[Bone.NECK, 2]
        return np.array([x * wide * self._unit, y * self._unit, hips + (z - _HIPS) * (neck - hips) / (_NECK - _HIPS)])

    def _skull(self, x: float, y: float, z: float) -> Point:
        head = self._joints[Bone.HEAD] + self._skull_size * (np.array([x, y, z]) - _HEAD)
        return np.asarray(head, np.float64)

    @property
    def _skull_size(self) -> float:
        return self._unit * self._look.proportions.head_size

    def _height_factor(self) -> float:
        hips, neck = self._joints[Bone.RIGHT_THIGH, 2], self._joints[Bone.NECK, 2]
        return float(neck - hips) / (_NECK - _HIPS)

    def _trunk_ellipsoid(
        self, bone: Bone, material: Material, centre: Point, radii: tuple[float, float, float], blend: float
    ) -> None:
        scaled = np.array(radii) * (self._thick, self._thick, self._height_factor())
        self._solids.ellipsoid(bone, material, centre, scaled, blend * self._unit)

    # Parts of the body.

    def _add_trunk(self) -> None:
        look, cloth = self._look, self._cloth
        female = look.female
        lower = Material.TOP if look.top == "dress" else Material.BOTTOM
        self._trunk_ellipsoid(
            Bone.PELVIS, lower, self._trunk(0, -0.012, 0.95), (0.170 if female else 0.160, 0.112, 0.125), 0.05
        )
        seat = Material.TOP if look.hem < 0.9 else lower
        for sign in SIDES:
            self._trunk_ellipsoid(
                Bone.PELVIS, seat, self._trunk(sign * 0.075, -0.06, 0.925), (0.083, 0.07, 0.085), 0.05
            )
        waist = 0.132 if female else 0.146
        self._trunk_ellipsoid(
            Bone.SPINE, Material.TOP, self._trunk(0, 0, 1.09), (waist + cloth, 0.102 + cloth, 0.15), 0.06
        )
        chest = 0.146 if female else 0.166
        self._trunk_ellipsoid(
            Bone.CHEST, Material.TOP, self._trunk(0, 0, 1.27), (chest + cloth, 0.110 + cloth, 0.185), 0.06
        )
        if female:
            for sign in SIDES:
                self._trunk_ellipsoid(
                    Bone.CHEST, Material.TOP, self._trunk(sign * 0.07, 0.083, 1.265), (0.060, 0.052, 0.058), 0.04
                )
        for sign in SIDES:
            for inner, outer, radius in (
                ((0.0, -0.015, 1.385), (0.125, -0.014, 1.385), 0.058),
                ((0.02, -0.02, 1.475), (0.135, -0.014, 1.418), 0.037),
            ):
                start = self._trunk(sign * inner[0], inner[1], inner[2])
                end = self._trunk(sign * outer[0], outer[1], outer[2])
                radii = (radius * self._thick, radius * self._thick)
                self._solids.capsule(Bone.CHEST, Material.TOP, start, end, radii, 0.05 * self._unit)
        if look.top == "dress":
            return
        # The hem of the top, over the waistband.
        hem = max(look.hem, 0.80)
        for reach, radius in ((1.0, 0.150), (1.07, 0.138)):
            self._solids.capsule(
                Bone.PELVIS, Material.TOP, self._trunk(0, -0.008, hem + 0.05), self._trunk(0, -0.006, reach),
                ((0.150 + cloth) * self._thick, (radius + cloth) * self._thick), 0.015 * self._unit, (1.12, 0.80, 0.55),
            )  # fmt: skip

    def _add_arm(self, side: int) -> None:
        look, solids, unit, thick, cloth = self._look, self._solids, self._unit, self._thick, self._cloth
        shoulder, elbow, wrist = (self._joints[bones[side]] for bones in (UPPER_ARMS, FOREARMS, HANDS))
        tip = self._skeleton.hand_tips[side]
        along = (tip - wrist) / np.linalg.norm(tip - wrist)
        upper, lower = Bone(UPPER_ARMS[side]), Bone(FOREARMS[side])
        bare = Material.SKIN if look.short_sleeves else Material.TOP
        solids.capsule(
            upper, bare, shoulder, elbow, ((0.052 + cloth * 0.5) * thick, (0.042 + cloth) * thick), 0.045 * unit
        )
        solids.capsule(lower, bare, elbow, elbow + 0.35 * (wrist - elbow),
                       ((0.042 + cloth) * thick, (0.043 + cloth) * thick), 0.02 * unit)  # fmt: skip
        solids.capsule(lower, bare, elbow + 0.3 * (wrist - elbow), wrist,
                       ((0.042 + cloth) * thick, (0.027 + cloth * 0.9) * thick), 0.02 * unit)  # fmt: skip
        if look.short_sleeves:
            cuff = shoulder + (0.45 + 0.3 * (look.seed % 3) / 2) * (elbow - shoulder)
            solids.capsule(upper, Material.TOP, shoulder, cuff, (0.060 * thick, 0.057 * thick), 0.012 * unit)
        else:
            cuff = elbow + 0.93 * (wrist - elbow)
            solids.capsule(lower, Material.TOP, elbow, cuff,
                           ((0.046 + cloth) * thick, (0.036 + cloth * 0.6) * thick), 0.012 * unit)  # fmt: skip
        hand, palm = Bone(HANDS[side]), wrist + 0.085 * unit * along
        solids.capsule(hand, Material.SKIN, wrist, palm, (0.027 * unit, 0.036 * unit), 0.02 * unit, (1, 0.65, 1))
        solids.capsule(
            hand, Material.SKIN, palm, palm + 0.06 * unit * along, (0.035 * unit, 0.025 * unit), 0.015 * unit,
            (1, 0.6, 1),
        )  # fmt: skip
        thumb = np.array([0.0, 0.024, 0.0]) * unit
        solids.capsule(
            hand, Material.SKIN, wrist + 0.035 * unit * along + thumb, palm + 2 * thumb, (0.015 * unit, 0.011 * unit),
            0.012 * unit,
        )  # fmt: skip

    def _add_leg(self, side: int) -> None:
        look, solids, unit, thick = self._look, self._solids, self._unit, self._thick
        hip, knee, ankle = (self._joints[bones[side]] for bones in (THIGHS, CALVES, FEET))
        thigh, calf, foot = Bone(THIGHS[side]), Bone(CALVES[side]), Bone(FEET[side])
        covers = look.bottom if look.top != "dress" else ("leggings" if look.seed % 3 == 0 else "skirt")
        bare_thigh = Material.SKIN if covers in ("skirt", "shorts") else Material.BOTTOM
        bare_calf = Material.SKIN if covers in ("skirt", "shorts") else Material.BOTTOM
        solids.capsule(thigh, bare_thigh, hip, knee, (0.088 * thick, 0.058 * thick), 0.035 * unit)
        solids.capsule(calf, bare_calf, knee, ankle, (0.055 * thick, 0.038 * thick), 0.03 * unit)
        belly = [knee + share * (ankle - knee) + unit * np.array([0, -0.022, 0]) for share in (0.25, 0.5)]
        solids.capsule(calf, bare_calf, belly[0], belly[1], (0.049 * thick, 0.040 * thick), 0.04 * unit)
        if covers == "shorts":
            solids.capsule(
                thigh, Material.BOTTOM, hip, knee + 0.15 * (hip - knee), (0.096 * thick, 0.086 * thick), 0.015 * unit
            )
        elif covers in ("trousers", "wide"):
            width, end = (0.062, 0.054) if covers == "trousers" else (0.076, 0.082)
            hem = ankle + unit * np.array([0, 0.005, 0.02])
            solids.capsule(thigh, Material.BOTTOM, hip, knee, (0.093 * thick, (width + 0.003) * thick), 0.02 * unit)
            solids.capsule(calf, Material.BOTTOM, knee, hem, (width * thick, end * thick), 0.02 * unit)
        heel, toe = self._skeleton.heels[side], self._skeleton.toes[side]
        solids.capsule(
            foot, Material.SHOE, heel + unit * np.array([0, 0.03, 0.022]), toe + unit * np.array([0, -0.048, 0.016]),
            (0.042 * unit, 0.042 * unit), 0.02 * unit, (1, 1, 0.9),
        )  # fmt: skip
        solids.capsule(
            foot, Material.SHOE, ankle, toe + unit * np.array([0, -0.065, 0.012]), (0.042 * unit, 0.036 * unit),
            0.03 * unit,
        )  # fmt: skip

    def _add_hanging_cloth(self) -> None:
        """Add a skirt, or the part of a coat or dress below the hips."""
        look, thick, unit = self._look, self._thick, self._unit
        legs = self._joints[Bone.RIGHT_THIGH, 2] / _HIPS
        if look.top in ("coat", "dress"):
            material, end, spread = Material.TOP, look.hem, 0.190 if look.top == "coat" else 0.212
        elif look.bottom == "skirt":
            material, end, spread = Material.BOTTOM, 0.45 + 0.17 * (look.seed % 11) / 10, 0.212
        else:
            return
        low = np.array([0.0, 0.0, max(end + 0.07, 0.2) * legs])
        self._solids.capsule(
            SKIRT, material, self._trunk(0, -0.005, 1.0), low,
            ((0.146 + self._cloth) * thick, (spread + self._cloth) * thick), 0.03 * unit, (1, 0.76, 0.4),
        )  # fmt: skip

    def _add_head(self) -> None:
        look, solids, size = self._look, self._solids, self._skull_size
        neck = (0.050 if look.female else 0.056) * size
        solids.capsule(
            Bone.NECK, Material.SKIN, self._trunk(0, -0.02, 1.44), self._skull(0, 0.0, 1.575), (neck, 0.95 * neck),
            0.025 * size,
        )  # fmt: skip

        def part(centre: tuple[float, float, float], radii: tuple[float, float, float], blend: float) -> None:
            solids.ellipsoid(Bone.HEAD, Material.SKIN, self._skull(*centre), np.array(radii) * size, blend * size)

        part((0, -0.008, 1.655), (0.077, 0.096, 0.097), 0.02)
        part((0, 0.030, 1.600), (0.058, 0.066, 0.072), 0.03)
        solids.capsule(
            Bone.HEAD, Material.SKIN, self._skull(0, 0.038, 1.56), self._skull(0, 0.062, 1.556),
            (0.028 * size, 0.020 * size), 0.03 * size,
        )  # fmt: skip
        solids.capsule(
            Bone.HEAD, Material.SKIN, self._skull(0, 0.092, 1.635), self._skull(0, 0.108, 1.608),
            (0.009 * size, 0.014 * size), 0.012 * size,
        )  # fmt: skip
        for sign in SIDES:
            part((sign * 0.077, -0.002, 1.63), (0.012, 0.022, 0.033), 0.006)

    def _add_hair(self) -> None:
        style, size = self._look.hair, self._skull_size

        def lock(
            bone: Bone, centre: tuple[float, float, float], radii: tuple[float, float, float], blend: float
        ) -> None:
            scaled = np.array(radii) * size
            self._solids.ellipsoid(bone, Material.HAIR, self._skull(*centre), scaled, blend * size)

        if style == "buzzed":
            lock(Bone.HEAD, (0, -0.022, 1.672), (0.0795, 0.0925, 0.088), 0.01)
            return
        if style == "cap":
            lock(Bone.HEAD, (0, -0.010, 1.688), (0.087, 0.105, 0.076), 0.008)
            lock(Bone.HEAD, (0, 0.085, 1.688), (0.064, 0.078, 0.012), 0.015)
            return
        if style == "hood":
            lock(Bone.HEAD, (0, -0.026, 1.665), (0.098, 0.110, 0.112), 0.01)
            lock(Bone.NECK, (0, -0.055, 1.53), (0.085, 0.065, 0.09), 0.03)
            return
        full = style in ("bob", "long")
        lock(Bone.HEAD, (0, -0.020, 1.678), (0.086 if full else 0.083, 0.101, 0.090), 0.01)
        if style == "short":
            lock(Bone.HEAD, (0, -0.050, 1.640), (0.078, 0.062, 0.080), 0.02)
            lock(Bone.HEAD, (0.012, 0.030, 1.728), (0.058, 0.062, 0.030), 0.02)
        elif style in ("ponytail", "bun"):
            lock(Bone.HEAD, (0, -0.045, 1.645), (0.080, 0.064, 0.090), 0.02)
            if style == "bun":
                lock(Bone.HEAD, (0, -0.105, 1.715), (0.042, 0.040, 0.042), 0.01)
            else:
                lock(Bone.HEAD, (0, -0.125, 1.630), (0.030, 0.034, 0.075), 0.02)
                lock(Bone.HEAD, (0, -0.128, 1.530), (0.026, 0.026, 0.090), 0.02)
        else:
            lock(Bone.HEAD, (0, -0.045, 1.610), (0.094, 0.070, 0.125), 0.03)
            if style == "long":
                lock(Bone.NECK, (0, -0.072, 1.500), (0.090, 0.045, 0.14), 0.03)

    def _add_item(self) -> None:
        item, unit = self._look.item, self._unit
        if item == "backpack":
            self._solids.block(
                Bone.CHEST, Material.ITEM, self._trunk(0, -0.185, 1.24), np.array([0.10, 0.035, 0.16]) * unit, 0.01
            )
            self._trunk_ellipsoid(Bone.CHEST, Material.ITEM, self._trunk(0, -0.18, 1.22), (0.145, 0.075, 0.21), 0.05)
            for sign in SIDES:
                front, back = self._trunk(sign * 0.105, 0.09, 1.27), self._trunk(sign * 0.10, -0.02, 1.452)
                radius = 0.020 * self._thick
                self._solids.capsule(Bone.CHEST, Material.ITEM, front, back, (radius, radius), 0.006 * unit)
        elif item == "box":
            half_sides = np.array([0.20, 0.15, 0.11]) * unit
            self._solids.block(Bone.CHEST, Material.ITEM, self._trunk(0, 0.37, 1.24), half_sides)
        elif item == "trolley":
            self._add_trolley()
        elif item in ("handbag", "phone"):
            hand = self._joints[Bone.RIGHT_HAND]
            along = np.array([1 / sqrt(2), 0.0, -1 / sqrt(2)])
            if item == "phone":
                self._solids.capsule(
                    Bone.RIGHT_HAND, Material.ITEM, hand + 0.06 * unit * along + (0, 0.03, 0),
                    hand + 0.14 * unit * along + (0, 0.035, 0), (0.03 * unit, 0.03 * unit), 0.004, (1, 0.4, 1),
                )  # fmt: skip
                return
            # A flat bag in the plane of the arm and the way ahead, hung on the fingers.
            ahead = np.array([0.0, 1.0, 0.0]) * unit
            for reach, half in ((0.20, 0.02), (0.27, 0.11), (0.33, 0.13), (0.39, 0.14), (0.45, 0.14)):
                middle = hand + reach * unit * along
                radius = 0.012 if reach < 0.25 else 0.04
                self._solids.capsule(
                    Bone.RIGHT_HAND, Material.ITEM, middle - half * ahead, middle + half * ahead,
                    (radius * unit, radius * unit), 0.03 * unit,
                )  # fmt: skip

    def _add_trolley(self) -> None:
        """Add a case on wheels behind the right hip, with its handle; it follows the pelvis, which hardly tilts."""
        unit = self._unit
        low, high = np.array([0.26, -0.42, 0.34]) * unit, np.array([0.24, -0.20, 0.80]) * unit
        self._solids.block(Bone.PELVIS, Material.ITEM, low, np.array([0.19, 0.11, 0.27]) * unit, 0.01)
        for aside in (-0.08, 0.08):
            shift = np.array([aside, 0.0, 0.0]) * unit
            self._solids.capsule(
                Bone.PELVIS, Material.ITEM, low + shift + (0, 0.05 * unit, 0.2 * unit), high + shift,
                (0.014 * unit, 0.014 * unit), 0.01,
            )  # fmt: skip
