"""What happens in a scene: who is there, what they do, where the camera is, and how it films; all by one seed."""

from __future__ import annotations

from math import cos, hypot, pi, sin

import numpy as np

from vsdmot.synthesis.camera_picture import Development
from vsdmot.synthesis.motion.body import Place as Spot
from vsdmot.synthesis.motion.carry import Holds
from vsdmot.synthesis.motion.choreography import Choreography
from vsdmot.synthesis.motion.make import Kind, make_motion
from vsdmot.synthesis.motion.motion import Item, Motion
from vsdmot.synthesis.motion.path import Path, heading_towards
from vsdmot.synthesis.people.appearance import Appearance, carrying, draw_appearance, draw_wardrobe
from vsdmot.synthesis.people.body import make_body
from vsdmot.synthesis.scene import Actor, Scene
from vsdmot.synthesis.settings import STYLES, SceneConfig, Style
from vsdmot.synthesis.shots import Move, Shot, aim
from vsdmot.synthesis.skeleton import Skeleton
from vsdmot.synthesis.staging import Stage
from vsdmot.synthesis.world.place import Place
from vsdmot.synthesis.world.places import make_place

_MOVES: dict[Style, dict[Move, float]] = {
    "dance": {"still": 0.40, "handheld": 0.25, "pan": 0.10, "travel": 0.10, "orbit": 0.15},
    "street": {"still": 0.35, "handheld": 0.25, "pan": 0.20, "travel": 0.20},
    "surveillance": {"still": 0.85, "pan": 0.15},
}
_FINEST_CELL, _COARSEST_CELL = 0.014, 0.036
_LONG_SECONDS = 12.0
"""Length of a scene beyond which people walk about in it, instead of through it."""
_HAND_IN_HAND = 0.47
"""Metres between an adult and the child that it leads."""
_CELL_PIXELS = 2.2  # side of a mesh's cell, in pixels where the person is nearest


def make_scene(style: Style, config: SceneConfig, *, seed: int, number: int) -> Scene:
    """Make a scene by chance.

    Args:
        style: What kind of footage.
        config: Size and length.
        seed: Of the whole data set.
        number: Of this scene, from 1; each has chances of its own.
    """
    rng = np.random.default_rng([seed, number, STYLES.index(style)])
    place = make_place(style, rng)
    duration = config.frames / config.frame_rate
    shot = _place_camera(style, place, config, duration, rng)
    stage = Stage(place, shot, duration, rng)
    director = _Director(style, stage, config, rng)
    director.fill()
    return Scene(
        name=f"{style}-{number:04d}",
        place=place,
        actors=tuple(director.actors),
        shot=shot,
        development=_draw_development(rng),
        shutter=float(rng.choice([1 / 30, 1 / 50, 1 / 100, 1 / 200])),
        frame_rate=config.frame_rate,
        num_frames=config.frames,
        seed=(seed, number),
    )


def _place_camera(style: Style, place: Place, config: SceneConfig, duration: float, rng: np.random.Generator) -> Shot:
    weights = dict(_MOVES[style])
    if config.camera == "still":
        weights = {"still": 1.0}
    elif config.camera == "moving":
        weights.pop("still")
    moves = list(weights)
    move = moves[int(rng.choice(len(moves), p=np.array(list(weights.values())) / sum(weights.values())))]
    focal = config.width * float(rng.uniform(0.85, 1.25))
    x0, _, x1, _ = place.walkable
    x = float(np.clip(rng.uniform(-1.5, 1.5), x0 + 0.5, x1 - 0.5))
    if style == "dance":
        height = float(rng.uniform(1.2, 2.2))
        distance = focal * 1.75 / (config.height * rng.uniform(0.36, 0.62))
        target = np.array([x + rng.uniform(-0.5, 0.5), min(distance, place.backdrop - 3.0), 0.95])
    elif style == "street":
        height = float(rng.uniform(1.4, 2.8))
        target = np.array([x + rng.uniform(-2.5, 2.5), 10.0, height - 10 * rng.uniform(0.04, 0.12)])
    else:
        height = float(rng.uniform(3.0, 6.0))
        target = np.array([x + rng.uniform(-3, 3), height * rng.uniform(1.9, 3.0), 0.6])
    position = np.array([x, 0.0, height])
    yaw, pitch = aim(position, target)
    speed = {"pan": 0.12, "travel": 0.7, "orbit": 0.12}.get(move, 0.0) * float(rng.uniform(0.5, 1.5))
    shake = 0.0 if move == "still" or (rng.random() < 0.3 and move != "handheld") else float(rng.uniform(0.003, 0.012))
    return Shot(
        width=config.width,
        height=config.height,
        focal=focal,
        position=position,
        yaw=yaw,
        pitch=pitch,
        move=move,
        speed=speed,
        centre=target[:2],
        shake=shake,
        middle=duration / 2,
        phases=rng.uniform(0, 2 * pi, (4, 6)),
    )


def _draw_development(rng: np.random.Generator) -> Development:
    warmth = float(rng.normal(0, 0.025))
    return Development(
        exposure=float(rng.uniform(0.95, 1.2)),
        white_balance=(1 + warmth, 1.0, 1 - warmth),
        softness=float(rng.uniform(0.3, 0.6)),
        noise=float(rng.uniform(1.0, 4.0)),
        vignette=float(rng.choice([0.0, rng.uniform(0.05, 0.25)])),
    )


class _Director:
    """Casts people and gives everybody something to do."""

    def __init__(self, style: Style, stage: Stage, config: SceneConfig, rng: np.random.Generator) -> None:
        self.actors: list[Actor] = []
        self._style, self._stage, self._config, self._rng = style, stage, config, rng
        alike = rng.random() < {"dance": 0.8, "street": 0.08, "surveillance": 0.12}[style]
        self._wardrobe = draw_wardrobe(rng, alike=bool(alike))
        height = config.height
        self._heights = {
            "dance": (0.30 * height, 0.6 * height),
            "street": (0.13 * height, 0.80 * height),
            "surveillance": (0.15 * height, 0.50 * height),
        }[style]

    def fill(self) -> None:
        """Let people in until there are as many as asked for, or no more find room."""
        if self._style == "dance" and self._config.people:
            self._dance()
        failures = 0
        while len(self.actors) < self._config.people and failures < 12:
            before = len(self.actors)
            self._add_somebody()
            failures += len(self.actors) == before

    def _dance(self) -> None:
        """A group that dances together, or people who each dance for themselves; some only watch."""
        rng = self._rng
        watching = int(rng.integers(0, 3)) if self._config.people > 4 else 0
        size = self._config.people - watching
        group = size if rng.random() < 0.8 else max(1, size // 2)
        freestyle = 1.0 if rng.random() < 0.2 else float(rng.uniform(0.05, 0.25))
        x, y = self._stage.shot.centre.tolist()
        facing = pi + float(rng.normal(0, 0.25))
        looks = [self._draw_looks() for _ in range(group)]
        skeletons = [Skeleton(look.proportions) for look in looks]
        spacing = float(rng.uniform(0.95, 1.35))
        dance = Choreography(rng, group, centre=Spot(x, y, facing), spacing=spacing, freestyle=freestyle)
        for look, motion in zip(looks, dance.dancers(skeletons), strict=True):
            self._stage.try_add(motion, near=0.0)
            self._cast(look, motion)

    def _add_somebody(self) -> None:
        """Let in one person, or a few who belong together."""
        if self._stage.duration > _LONG_SECONDS and self._style != "dance":
            self._sitter() if self._rng.random() < 0.2 else self._stroller()
            return
        draw = self._rng.random()
        left = self._config.people - len(self.actors)
        if self._style == "dance":
            kinds = (0.45, 0.60, 0.80, 0.9)
        elif self._style == "street":
            kinds = (0.60, 0.70, 0.84, 0.92)
        else:
            kinds = (0.58, 0.66, 0.84, 0.94)
        if draw < kinds[0] and self._style != "dance":
            self._walkers(min(left, int(self._rng.choice([1, 1, 1, 2, 2, 3]))))
        elif draw < kinds[1]:
            self._sitter()
        elif draw < kinds[2]:
            self._standing_group(min(left, int(self._rng.choice([1, 1, 2, 2, 3]))))
        elif draw < kinds[3] and self._style != "dance":
            self._walkers(1, running=self._rng.random() < 0.4)
        else:
            self._alone(self._rng.random() < 0.5)

    def _walkers(self, count: int, *, running: bool = False) -> None:
        """Walk side by side along one way, some with a turn or a stop on it."""
        rng = self._rng
        looks = [self._draw_looks(moving=True) for _ in range(count)]
        asides = [(k - (count - 1) / 2) * float(rng.uniform(0.6, 0.8)) for k in range(count)]
        hands: list[Holds | None] = [None] * count
        if count > 1 and not running and rng.random() < 0.3:
            # A child at the right hand of the one beside it.
            looks[-2:] = [carrying(looks[-2], "none"), draw_appearance(rng, self._wardrobe, child=True)]
            asides[-1] = asides[-2] + _HAND_IN_HAND
            hands[-2:] = [("child", None), (None, "guided")]
        speed = float(rng.uniform(2.2, 3.4) if running else rng.uniform(0.8, 1.6))
        for _ in range(40):
            time = float(rng.uniform(0, self._stage.duration))
            point = self._stage.point(time, *self._heights)
            direction = float(rng.choice([pi / 2, -pi / 2, pi / 2, -pi / 2, 0.0, pi])) + float(rng.normal(0, 0.35))
            turn = float(rng.choice([0.0, 0.0, rng.uniform(-0.6, 0.6), rng.uniform(-1.5, 1.5), pi * 0.9]))
            waits = {1: float(rng.uniform(1, 4))} if rng.random() < 0.15 and not running else None
            motions = []
            for k, look in enumerate(looks):
                start = point[0] + cos(direction) * asides[k], point[1] + sin(direction) * asides[k]
                way = self._stage.way_through(time, start, direction, speed, turn if count == 1 else 0.4 * turn)
                path = Path(way, speed=speed, delay=time - hypot(*np.subtract(way[1], way[0])) / speed, waits=waits)
                kind: Kind = "run" if running else "walk"
                skeleton = Skeleton(look.proportions)
                motions.append(make_motion(kind, skeleton, rng, path=path, item=look.item, hands=hands[k]))
            if self._admit(looks, motions, near=0.42):
                return

    def _stroller(self) -> None:
        """Walk from place to place, for scenes so long that one way through the picture is not enough."""
        rng, stage = self._rng, self._stage
        look = self._draw_looks(moving=True)
        speed = float(rng.uniform(0.8, 1.6))
        skeleton = Skeleton(look.proportions)
        ways: list[tuple[float, int, Motion]] = []
        for _ in range(3):
            way = stage.stroll(speed * stage.duration + 2.0, *self._heights)
            motion = make_motion("walk", skeleton, rng, path=Path(way, speed=speed), item=look.item)
            ways.append((stage.room_for(motion), len(ways), motion))
            if ways[-1][0] > 0.5:
                break
        _, _, motion = max(ways)  # in a crowd the best may still brush past somebody
        stage.take(motion)
        self._cast(look, motion)

    def _standing_group(self, count: int) -> None:
        """Stand together and talk, or stand alone."""
        rng = self._rng
        looks = [self._draw_looks(moving=False) for _ in range(count)]
        for _ in range(30):
            x, y = self._stage.point(float(rng.uniform(0, self._stage.duration)), *self._heights)
            turned = float(rng.uniform(0, 2 * pi))
            motions = []
            for k, look in enumerate(looks):
                angle = turned + 2 * pi * k / count
                radius = 0.0 if count == 1 else float(rng.uniform(0.45, 0.65))
                here = x + radius * cos(angle), y + radius * sin(angle)
                facing = turned if count == 1 else heading_towards(x - here[0], y - here[1]) + float(rng.normal(0, 0.3))
                kind: Kind = "turn" if count == 1 and rng.random() < 0.25 else "stand"
                spot = Spot(*here, facing)
                motions.append(make_motion(kind, Skeleton(look.proportions), rng, place=spot, item=look.item))
            if self._admit(looks, motions, near=0.5):
                return

    def _sitter(self) -> None:
        """Sit down on a seat that is in view and free."""
        rng, stage = self._rng, self._stage
        camera = stage.shot.at(stage.duration / 2)
        for k in rng.permutation(len(stage.place.seats)):
            seat = stage.place.seats[int(k)]
            seen = camera.project(np.array([[seat.x, seat.y, seat.height]]))[0]
            if seen[2] <= 0 or not (0 < seen[0] < camera.width and 0 < seen[1] < camera.height):
                continue
            look = self._draw_looks(item="phone" if rng.random() < 0.3 else "none")
            spot = Spot(seat.x, seat.y, seat.facing - pi / 2)
            motion = make_motion("sit", Skeleton(look.proportions), rng, place=spot, seat=seat.height, item=look.item)
            if stage.try_add(motion, near=0.45, on_seat=True):
                self._cast(look, motion)
                return

    def _alone(self, crouching: bool) -> None:
        """Crouch or bend down, or dance alone."""
        rng = self._rng
        look = self._draw_looks()
        kind: Kind = "crouch" if crouching or self._style == "surveillance" else "dance"

        def make() -> Motion:
            x, y = self._stage.point(float(rng.uniform(0, self._stage.duration)), *self._heights)
            return make_motion(kind, Skeleton(look.proportions), rng, place=Spot(x, y, float(rng.uniform(0, 2 * pi))))

        motion = self._stage.add(make, near=0.8)
        if motion is not None:
            self._cast(look, motion)

    def _admit(self, looks: list[Appearance], motions: list[Motion], near: float) -> bool:
        """Let a whole group in, or, where one of them finds no room, nobody."""
        with self._stage.trial() as trial:
            trial.keep = all(self._stage.try_add(motion, near=near) for motion in motions)
        if trial.keep:
            for look, motion in zip(looks, motions, strict=True):
                self._cast(look, motion)
        return trial.keep

    def _draw_looks(self, *, moving: bool | None = None, item: Item = "none") -> Appearance:
        rng = self._rng
        if moving is not None and rng.random() < 0.45:
            items: tuple[Item, ...] = ("backpack", "handbag", "phone", "box", "trolley")
            weights = (0.38, 0.26, 0.20, 0.08, 0.08) if moving else (0.34, 0.22, 0.34, 0.10, 0.0)
            item = items[int(rng.choice(len(items), p=weights))]
        child = moving is not None and item == "none" and rng.random() < 0.05
        return draw_appearance(rng, self._wardrobe, item=item, child=bool(child))

    def _cast(self, look: Appearance, motion: Motion) -> None:
        """Give a person its body, as fine as the camera will see it."""
        stage = self._stage
        nearest = 40.0
        for time in np.linspace(0, stage.duration, 12).tolist():
            spot, camera = motion.footprint(time), stage.shot.at(time)
            offset = np.array([spot.x, spot.y, 1.0]) - camera.position
            nearest = min(nearest, max(float(camera.rotation[2] @ offset), 1.0))
        cell = float(np.clip(_CELL_PIXELS * nearest / stage.shot.focal, _FINEST_CELL, _COARSEST_CELL))
        self.actors.append(Actor(len(self.actors) + 1, make_body(carrying(look, motion.item), cell), motion))
