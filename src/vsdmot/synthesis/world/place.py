"""A place: surfaces and light, where people can stand, sit and not walk, and the way to draw it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.camera import NEAREST, Camera
from vsdmot.synthesis.light import Light
from vsdmot.synthesis.world.draw import draw
from vsdmot.synthesis.world.light_field import LightField
from vsdmot.synthesis.world.mesh import Mesh


@dataclass(frozen=True, kw_only=True)
class Seat:
    """Where somebody can sit.

    Attributes:
        x: Middle of the seat in metres.
        y: The same, away from the viewer.
        height: Of the seat above the ground in metres.
        facing: Direction in which the knees point, radians counter-clockwise from +x as seen from above.
    """

    x: float
    y: float
    height: float
    facing: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Place:
    """A place without people.

    Attributes:
        name: Kind of place.
        mesh: Its surfaces.
        light: The light in it, for people as for surfaces.
        walkable: x0, y0, x1, y1 in metres; there the ground is at z = 0.
        obstacles: ``(K, 4)`` x0, y0, x1, y1 of what stands on it.
        seats: Where somebody can sit.
        backdrop: Distance in metres of what closes the view.
        light_field: How the light on people differs over the walkable ground; None if it does not.
    """

    name: str
    mesh: Mesh
    light: Light
    walkable: tuple[float, float, float, float]
    obstacles: NDArray[np.float64]
    seats: tuple[Seat, ...]
    backdrop: float
    light_field: LightField | None = None

    def draw(
        self,
        camera: Camera,
        colour: NDArray[np.float32],
        inverse_depth: NDArray[np.float32],
        *,
        offset: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        """Draw the place with one sample a pixel; threads may draw at the same time.

        Args:
            camera: Where from.
            colour: ``(H, W, 3)`` is filled with red, green and blue, about 0 to 1, lamps and sky up to 1.5.
            inverse_depth: ``(H, W)`` is filled, 1/m along the camera's axis as `Camera.project` gives; 0 for the sky.
            offset: Right and down in pixels from the pixels' centres to where the samples lie.
        """
        right, down, forward = camera.rotation
        x, y = 0.5 + offset[0] - camera.width / 2, 0.5 + offset[1] - camera.height / 2
        rays = np.stack([right / camera.focal, down / camera.focal, forward + (right * x + down * y) / camera.focal])
        mirrors = bool((self.mesh.skin[:, 8] > 0).any())
        dither = 0.5 + 0.5 * ((offset[1] + 0.5) % 1.0)
        eye, by_pixel = camera.position, np.ascontiguousarray(rays.T)
        draw(self.mesh, eye, by_pixel, NEAREST, mirrors, dither, colour, inverse_depth)
