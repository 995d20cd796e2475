"""A rendered scene: a place, people with their motions, a camera, and how its frames are drawn.

A frame is the mean of `_SUBFRAMES` pictures, each at another moment of the exposure and another place within the
pixel. That smooths edges and blurs what moves, by the same sums that a camera's sensor makes.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsdmot.structures import Frame
from vsdmot.synthesis.camera import NEAREST, Camera
from vsdmot.synthesis.camera_picture import Development, develop
from vsdmot.synthesis.motion.motion import Motion
from vsdmot.synthesis.people.body import Body
from vsdmot.synthesis.people.crowd import Crowd
from vsdmot.synthesis.people.drawing import project, rasterise, shade
from vsdmot.synthesis.people.shadows import ground_shade
from vsdmot.synthesis.shots import Shot
from vsdmot.synthesis.skeleton import FEET, Pose, pose_matrices
from vsdmot.synthesis.truth import PersonTruth, extents, majority, visible_extents
from vsdmot.synthesis.world.light_field import light_on
from vsdmot.synthesis.world.place import Place

_SUBFRAMES = ((0.125, -0.375, -0.125), (0.375, 0.125, -0.375), (0.625, 0.375, 0.125), (0.875, -0.125, 0.375))
"""Moment of the exposure from 0 to 1, and place within the pixel from its centre: a grid turned, one in each row."""


@dataclass(frozen=True, eq=False)
class Actor:
    """A person of a scene.

    Attributes:
        track_id: From 1.
        body: What is drawn.
        motion: What it does.
    """

    track_id: int
    body: Body
    motion: Motion


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """Everything that a scene's frames are drawn from.

    Attributes:
        name: Of the sequence.
        place: Where it is.
        actors: Who is there.
        shot: The camera.
        development: How the camera makes pictures.
        shutter: Seconds that a frame is exposed.
        frame_rate: Frames per second.
        num_frames: Length.
        seed: Of the sensor's noise.
    """

    name: str
    place: Place
    actors: tuple[Actor, ...]
    shot: Shot
    development: Development
    shutter: float
    frame_rate: float
    num_frames: int
    seed: tuple[int, ...]

    def time_of(self, index: int) -> float:
        """Give the middle of the exposure of frame ``index``, from 1, in seconds."""
        return (index - 1) / self.frame_rate


@dataclass(frozen=True, slots=True, eq=False)
class SceneFrame:
    """One frame of a scene.

    Attributes:
        frame: The picture.
        people: Everybody whose box touches the image.
        mask: ``(H, W)`` uint16: the track id of the person that a pixel shows, 0 for none.
    """

    frame: Frame
    people: tuple[PersonTruth, ...]
    mask: NDArray[np.uint16]


class Renderer:
    """Draws the frames of a scene, in any order and from several threads at a time."""

    def __init__(self, scene: Scene) -> None:
        """Prepare the scene; a still camera's background is drawn once."""
        self.scene = scene
        self._crowd = Crowd.of([actor.body for actor in scene.actors])
        self._ids = np.array([actor.track_id for actor in scene.actors], np.uint16)
        self._local = threading.local()
        self._still: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
        if scene.shot.is_still:
            self._still = [self._background(scene.shot.at(0.0), x, y) for _, x, y in _SUBFRAMES]

    def draw(self, index: int) -> SceneFrame:
        """Draw frame ``index``, from 1."""
        scene, canvas = self.scene, self._canvas()
        time = scene.time_of(index)
        begin, end = time - scene.shutter / 2, time + scene.shutter / 2
        self._crowd.pose([actor.motion.at(begin) for actor in scene.actors], canvas.opened, canvas.turned)
        self._crowd.pose([actor.motion.at(end) for actor in scene.actors], canvas.closed, canvas.turned)
        poses = [actor.motion.at(time) for actor in scene.actors]
        middle, lights = scene.shot.at(time), self._lights(time)
        canvas.light.fill(0)
        covered = np.zeros(len(scene.actors), np.int64)
        shadow: NDArray[np.float32] | None = None
        for k, (share, x, y) in enumerate(_SUBFRAMES):
            camera = scene.shot.at(begin + share * scene.shutter)
            if self._still:
                background, depth = self._still[k]
            else:
                background, depth = canvas.background, canvas.background_depth
                scene.place.draw(camera, background, depth, offset=(x, y))
            if shadow is None:  # soft enough to do for the whole exposure
                shadow = ground_shade(
                    canvas.closed, self._crowd.triangles, self._feet(poses), scene.place.light, camera, depth
                )
            np.copyto(canvas.depth, depth)
            self._project(canvas, camera, share, (x, y))
            rasterise(
                canvas.projected,
                self._crowd.triangles,
                self._crowd.first_triangle,
                canvas.depth,
                canvas.nearest,
                canvas.stamp,
                covered,
            )
            shade(
                canvas.nearest,
                canvas.projected,
                canvas.turned,
                self._crowd.attributes,
                self._crowd.triangles,
                self._crowd.owners,
                self._crowd.single_material,
                self._crowd.looks,
                scene.place.light.direction,
                lights,
                camera.rotation[2],
                background,
                shadow,
                canvas.light,
                canvas.owners[k],
            )
        self._project(canvas, middle, 0.5, (0.0, 0.0))
        people, mask = self._truth(canvas, covered)
        canvas.light *= np.float32(1 / len(_SUBFRAMES))
        image = develop(canvas.light, scene.development, np.random.default_rng([*scene.seed, index]))
        return SceneFrame(Frame(index, time, image), people, mask)

    def _canvas(self) -> _Canvas:
        if not hasattr(self._local, "canvas"):
            shot = self.scene.shot
            self._local.canvas = _Canvas(shot.height, shot.width, self._crowd.num_vertices)
        canvas: _Canvas = self._local.canvas
        return canvas

    def _background(self, camera: Camera, x: float, y: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        colour = np.empty((camera.height, camera.width, 3), np.float32)
        depth = np.empty((camera.height, camera.width), np.float32)
        self.scene.place.draw(camera, colour, depth, offset=(x, y))
        return colour, depth

    def _project(self, canvas: _Canvas, camera: Camera, share: float, offset: tuple[float, float]) -> None:
        project(
            canvas.opened,
            canvas.closed,
            share,
            camera.rotation,
            camera.position,
            camera.focal,
            camera.width / 2 - offset[0],
            camera.height / 2 - offset[1],
            NEAREST,
            canvas.projected,
        )

    def _lights(self, time: float) -> NDArray[np.float64]:
        """Give the light on each person where it is, ``(K, 3, 3)``: the far source's, from above, from below."""
        place, lights = self.scene.place, np.empty((len(self.scene.actors), 3, 3))
        for k, actor in enumerate(self.scene.actors):
            spot = actor.motion.footprint(time)
            light = light_on(place.light, place.light_field, spot.x, spot.y)
            lights[k] = light.key, light.sky, light.ground
        return lights

    def _feet(self, poses: Sequence[Pose]) -> NDArray[np.float64]:
        """Give the middle of everybody's soles, ``(2 K, 3)``."""
        points = []
        for actor, pose in zip(self.scene.actors, poses, strict=True):
            skeleton = actor.body.skeleton
            matrices = pose_matrices(skeleton, pose)
            for side, foot in enumerate(FEET):
                points.append(matrices[foot] @ np.append(skeleton.soles[side].mean(axis=0), 1.0))
        return np.array(points, np.float64).reshape(-1, 3)

    def _truth(self, canvas: _Canvas, covered: NDArray[np.int64]) -> tuple[tuple[PersonTruth, ...], NDArray[np.uint16]]:
        scene = self.scene
        num_people = len(scene.actors)
        owner, seen = majority(canvas.owners, num_people)
        boxes = extents(canvas.projected, self._crowd.first_vertex)
        visible = visible_extents(owner, num_people)
        people = []
        width, height = scene.shot.width, scene.shot.height
        for k, actor in enumerate(scene.actors):
            x0, y0, x1, y1 = boxes[k]
            if np.isnan(x0) or x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height:
                continue
            inside = (min(x1, width) - max(x0, 0)) * (min(y1, height) - max(y0, 0)) / ((x1 - x0) * (y1 - y0))
            people.append(
                PersonTruth(
                    track_id=actor.track_id,
                    box=(float(x0), float(y0), float(x1), float(y1)),
                    visible_box=None if visible[k, 2] == 0 else tuple(visible[k].tolist()),
                    visibility=float(inside * seen[k] / covered[k]) if covered[k] else 0.0,
                    motion=actor.motion.name,
                )
            )
        mask = np.concatenate([np.zeros(1, np.uint16), self._ids])[owner + 1]
        return tuple(people), mask


class _Canvas:
    """The arrays that a thread draws on."""

    def __init__(self, height: int, width: int, num_vertices: int) -> None:
        self.opened, self.closed, self.turned, self.projected = np.zeros((4, num_vertices, 3), np.float32)
        self.background = np.zeros((height, width, 3), np.float32)
        self.background_depth = np.zeros((height, width), np.float32)
        self.depth = np.zeros((height, width), np.float32)
        self.light = np.zeros((height, width, 3), np.float32)
        self.nearest = np.zeros((height, width), np.int32)
        self.stamp = np.zeros((height, width), np.int16)
        self.owners = np.zeros((len(_SUBFRAMES), height, width), np.int16)
