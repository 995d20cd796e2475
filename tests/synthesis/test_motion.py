"""What holds for every motion: smooth, the same twice, within what joints do, outside the trunk, on the ground."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path as FilePath

import numpy as np
import pytest
from numpy.typing import NDArray

from vsdmot.synthesis.motion.body import Place, assemble, reach
from vsdmot.synthesis.motion.channels import Channel, channels, mirrored, stepped
from vsdmot.synthesis.motion.choreography import Choreography
from vsdmot.synthesis.motion.make import Kind, make_motion
from vsdmot.synthesis.motion.motion import Item, Motion
from vsdmot.synthesis.motion.path import Path
from vsdmot.synthesis.motion.timing import Holds, Wander, ease
from vsdmot.synthesis.skeleton import FOREARMS, HANDS, UPPER_ARMS, Proportions, Skeleton, pose_matrices

_SPEC = importlib.util.spec_from_file_location("anatomy", FilePath(__file__).with_name("anatomy.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
anatomy = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(anatomy)

WAY = [(0.0, 0.0), (0.0, 8.0), (5.0, 12.0), (4.0, 20.0), (10.0, 20.0)]
ITEMS: tuple[Item, ...] = ("none", "backpack", "handbag", "box", "phone", "trolley")


def body(seed: int) -> Skeleton:
    rng = np.random.default_rng(seed)
    if seed % 3 == 2:
        return Skeleton(Proportions.child(rng))
    return Skeleton(Proportions.adult(rng, female=seed % 3 == 1))


def walker(skeleton: Skeleton, seed: int, item: Item = "none") -> Motion:
    path = Path(WAY, speed=1.3, stop=True, waits={2: 3.0})
    return make_motion("walk", skeleton, np.random.default_rng(seed), path=path, item=item)


def runner(skeleton: Skeleton, seed: int) -> Motion:
    path = Path([(0, 0), (0, 20), (10, 30), (8, 60)], speed=2.8)
    return make_motion("run", skeleton, np.random.default_rng(seed), path=path)


def placed(kind: Kind, item: Item = "none") -> Callable[[Skeleton, int], Motion]:
    place = Place(1.0, 2.0, 0.5)
    return lambda skeleton, seed: make_motion(kind, skeleton, np.random.default_rng(seed), place=place, item=item)


def member(skeleton: Skeleton, seed: int) -> Motion:
    group = Choreography(np.random.default_rng(seed), 3, centre=Place(0.0, 0.0, 0.0))
    return group.dancers([skeleton] * 3)[seed % 3]


MOTIONS: dict[str, Callable[[Skeleton, int], Motion]] = {
    "walk": walker,
    **{f"walk with {item}": (lambda s, seed, item=item: walker(s, seed, item)) for item in ITEMS[1:]},
    "run": runner,
    "stand": placed("stand"),
    "stand with phone": placed("stand", "phone"),
    "turn": placed("turn"),
    "sit": placed("sit"),
    "sit with phone": placed("sit", "phone"),
    "crouch": placed("crouch"),
    "dance": placed("dance"),
    "dance in a group": member,
}
CASES = [pytest.param(name, seed, id=f"{name}-{seed}") for i, name in enumerate(MOTIONS) for seed in (i, i + 2)]


@pytest.mark.parametrize(("name", "seed"), CASES)
def test_joints_stay_within_their_range_and_arms_outside_the_trunk(name: str, seed: int):
    skeleton = body(seed)
    motion = MOTIONS[name](skeleton, seed)
    matrices = anatomy.matrices_of(skeleton, motion, np.arange(-1.0, 60.0, 0.15))
    angles = anatomy.angles_of(skeleton, matrices)
    assert angles["knee"].min() > 0, "a knee never bends backwards"
    assert angles["knee"].max() < 150
    assert angles["elbow"].min() > 0, "nor an elbow"
    assert angles["elbow"].max() < 156
    assert angles["knee_off"].max() < 3, "a knee is a hinge"
    assert angles["elbow_off"].max() < 0.1
    assert angles["hip"].min() > -25
    assert angles["hip"].max() < 125
    assert angles["ankle"].min() > -65
    assert angles["ankle"].max() < 56
    assert angles["shoulder"].min() > -62, "an arm goes back only so far"
    assert anatomy.arms_in_trunk(skeleton, matrices).max() < 0.035


@pytest.mark.parametrize(("name", "seed"), CASES)
def test_motion_has_no_jumps_in_place_or_speed(name: str, seed: int):
    skeleton = body(seed)
    motion = MOTIONS[name](skeleton, seed)
    step = 1e-3
    times = np.random.default_rng(seed).uniform(-1, 60, 100)
    before, now, after = (
        anatomy.joints_of(skeleton, anatomy.matrices_of(skeleton, motion, times + shift)) for shift in (-step, 0, step)
    )
    assert (np.linalg.norm(after - before, axis=-1) / (2 * step)).max() < 12, "m/s"
    assert (np.linalg.norm(after - 2 * now + before, axis=-1) / step).max() < 0.7, "m/s within a millisecond"


@pytest.mark.parametrize("name", MOTIONS)
def test_pose_depends_on_the_seed_and_the_time_only(name: str):
    skeleton = body(0)
    first, second, other = (MOTIONS[name](skeleton, seed) for seed in (5, 5, 6))
    times = [1000.0, -1.0, 3.3, 999.9, 17.0, 3.3]
    poses = [pose_matrices(skeleton, first.at(t)) for t in times]
    for time_, matrices in reversed(list(zip(times, poses, strict=True))):
        np.testing.assert_array_equal(pose_matrices(skeleton, second.at(time_)), matrices)
        assert np.isfinite(matrices).all()
    assert any((pose_matrices(skeleton, other.at(t)) != m).any() for t, m in zip(times, poses, strict=True))


@pytest.mark.parametrize("name", MOTIONS)
def test_feet_are_never_under_the_ground_and_only_sitting_and_jumping_people_lift_both(name: str):
    skeleton = body(3)
    motion = MOTIONS[name](skeleton, 4)
    soles = anatomy.soles_of(skeleton, anatomy.matrices_of(skeleton, motion, np.arange(0, 30, 0.07)))
    assert soles[..., 2].min() > -0.012
    if not name.startswith(("run", "dance", "sit")):
        assert soles[..., 2].min(axis=(1, 2)).max() < 0.01


@pytest.mark.parametrize("name", MOTIONS)
def test_feet_do_not_slide(name: str):
    skeleton = body(4)
    motion = MOTIONS[name](skeleton, 7)
    soles = anatomy.soles_of(skeleton, anatomy.matrices_of(skeleton, motion, np.arange(-1, 18, 1 / 40)))
    assert anatomy.longest_drift(soles) < (0.09 if name.startswith("dance") else 0.03)


@pytest.mark.parametrize("name", ["walk", "stand", "sit", "dance"])
def test_footprint_is_where_the_pelvis_is(name: str):
    skeleton = body(0)
    motion = MOTIONS[name](skeleton, 1)
    for moment in (-1.0, 0.0, 12.3, 40.0):
        print_, pose = motion.footprint(moment), motion.at(moment)
        assert np.hypot(print_.x - pose.root_position[0], print_.y - pose.root_position[1]) < 0.6
        assert 0.2 < print_.radius < 0.7


@pytest.mark.parametrize("kind", ["walk", "run"])
def test_walkers_without_a_path_are_refused(kind: Kind):
    with pytest.raises(ValueError, match="needs a path"):
        make_motion(kind, body(0), np.random.default_rng(0), place=Place(0, 0, 0))


def test_people_without_a_place_are_refused():
    with pytest.raises(ValueError, match="'sit' needs a place"):
        make_motion("sit", body(0), np.random.default_rng(0))


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize(
    "target", [(0.1, 0.3, 1.2), (0.3, 0.1, 1.6), (0.22, 0.0, 1.0), (-0.08, 0.2, 1.2), (0.1, -0.2, 1.0)]
)
def test_wrist_is_where_it_was_reached_for(side: int, target: tuple[float, float, float]):
    skeleton = Skeleton()
    arm = reach(skeleton, side, np.array(target), swivel=0.5)
    values = channels()
    values[Channel.RIGHT_FLEX + 6 * side : Channel.RIGHT_FLEX + 6 * side + 6] = arm
    feet = np.array([[*skeleton.joints[13 + 3 * s], 0.0, 0.0] for s in (0, 1)])
    pose = assemble(skeleton, values, Place(0, 0, 0), feet, float(skeleton.joints[0, 2]), sink=0.0)
    matrices = pose_matrices(skeleton, pose)[None]
    wrist = anatomy.at_rest(matrices, HANDS[side], skeleton.joints[HANDS[side]])[0]
    lift = pose.height - skeleton.joints[0, 2]  # hips may not be lower than a folded leg
    expected = np.array(target) * (1 if side == 0 else -1, 1, 1) + (0, 0, lift)
    np.testing.assert_allclose(wrist, expected, atol=0.006)
    elbow = anatomy.at_rest(matrices, FOREARMS[side], skeleton.joints[FOREARMS[side]])[0]
    shoulder = anatomy.at_rest(matrices, UPPER_ARMS[side], skeleton.joints[UPPER_ARMS[side]])[0]
    assert elbow[2] < max(shoulder[2], wrist[2]) + 1e-6, "the elbow hangs"


def test_mirrored_twice_is_the_same_and_once_swaps_sides():
    values = np.random.default_rng(0).normal(size=35)
    swapped = mirrored(values)
    np.testing.assert_array_equal(mirrored(swapped), values)
    assert swapped[Channel.RIGHT_ELBOW] == values[Channel.LEFT_ELBOW]
    assert swapped[Channel.TORSION] == -values[Channel.TORSION]
    assert swapped[Channel.BEND] == values[Channel.BEND]


def test_a_foot_that_goes_elsewhere_is_lifted_half_way_and_not_at_the_ends():
    old, new = channels(), channels(right_foot_out=0.3)
    lifts = [float(stepped(old, new, gone)[Channel.RIGHT_FOOT_UP]) for gone in (0.0, 0.5, 1.0)]
    assert lifts == [0.0, pytest.approx(0.06), 0.0]
    assert stepped(old, new, 0.5)[Channel.LEFT_FOOT_UP] == 0


def test_values_are_held_and_handed_over():
    holds = Holds([0.0, 10.0, 11.0], [np.array([1.0]), np.array([3.0]), np.array([5.0])], [1.0, 4.0, 2.0])
    expected = {-5.0: 1.0, 9.9: 1.0, 10.5: 2.0, 11.0: 3.0, 12.0: 4.0, 13.0: 5.0, 1e6: 5.0}
    assert {t: float(holds.at(t)[0]) for t in expected} == expected


def test_wandering_values_spread_about_one():
    values = np.array([Wander(np.random.default_rng(0), 4, period=2.0).at(t) for t in np.arange(0, 200, 0.1)])
    spread: NDArray[np.float64] = values.std(0)
    assert (abs(values.mean(0)) < 0.1).all()
    assert (abs(spread - 1) < 0.15).all()
    assert ease(0.25) < 0.25 < 0.75 < ease(0.75)
