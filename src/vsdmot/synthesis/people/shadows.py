"""The shade that people cast on the ground, in the picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.camera import NEAREST, Camera
from vsdmot.synthesis.compiled import compiled
from vsdmot.synthesis.light import Light
from vsdmot.synthesis.people.drawing import project

_CONTACT_RADIUS = 0.18
"""Metres around a foot that it darkens by standing in the way of light from all sides."""
_CONTACT_SHADE = 0.5


def ground_shade(
    vertices: NDArray[np.float32],
    triangles: NDArray[np.int32],
    feet: NDArray[np.float64],
    light: Light,
    camera: Camera,
    depth: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Give the factor by which people darken each pixel of the ground.

    It is worked out at half the resolution: shadows have soft edges.

    Args:
        vertices: ``(V, 3)`` in the world.
        triangles: ``(T, 3)``.
        feet: ``(F, 3)`` points of the feet, in the world.
        light: The scene's.
        camera: The frame's.
        depth: ``(H, W)``, inverse depth of the background; what is not the ground stays as it is.

    Returns:
        ``(H, W)``, 1 where nothing is darkened.
    """
    height, width = depth.shape
    mask = np.zeros(((height + 1) // 2, (width + 1) // 2), np.float32)
    shadow = _cast(vertices, light.direction)
    seen = np.empty_like(shadow)
    centre = camera.width / 4, camera.height / 4
    project(shadow, shadow, 0.0, camera.rotation, camera.position, camera.focal / 2, *centre, NEAREST, seen)
    _cover(seen, triangles, mask)
    mask = cv2.blur(mask, (3, 3))
    around = float(light.sky.mean())
    direct = float(light.key.mean() * light.direction[2])
    shade = 1 - mask * np.float32(direct / (direct + around + 1e-9))
    _darken_contacts(shade, feet, camera)
    full: NDArray[np.float32] = cv2.resize(shade, (width, height), interpolation=cv2.INTER_LINEAR)
    _keep_ground(full, depth, camera.rotation, camera.position[2], camera.focal)
    return full


def _cast(vertices: NDArray[np.float32], direction: NDArray[np.float64]) -> NDArray[np.float32]:
    """Move points along the light onto the ground."""
    slope = (direction / direction[2]).astype(np.float32)
    cast: NDArray[np.float32] = vertices - vertices[:, 2:3] * slope
    return cast


def _darken_contacts(shade: NDArray[np.float32], feet: NDArray[np.float64], camera: Camera) -> None:
    """Multiply a soft spot under every foot that is near the ground."""
    below = feet * (1, 1, 0)
    middle = camera.project(below)
    across = camera.project(below + _CONTACT_RADIUS * camera.rotation[0])
    away = camera.rotation[2] * (1, 1, 0)
    along = camera.project(below + _CONTACT_RADIUS * away / np.linalg.norm(away))
    for k in range(len(feet)):
        strength = _CONTACT_SHADE * np.exp(-8 * max(0.0, feet[k, 2]))
        if middle[k, 2] <= 0 or along[k, 2] <= 0 or strength < 0.02:
            continue
        x, y = middle[k, :2] / 2
        radius_x, radius_y = abs(across[k, 0] - middle[k, 0]) / 2, max(abs(along[k, 1] - middle[k, 1]) / 2, 0.7)
        left, top = max(0, int(x - 3 * radius_x)), max(0, int(y - 3 * radius_y))
        spot = shade[top : int(y + 3 * radius_y) + 1, left : int(x + 3 * radius_x) + 1]
        if not spot.size:
            continue
        columns = np.arange(left, left + spot.shape[1], dtype=np.float32) + 0.5
        rows = np.arange(top, top + spot.shape[0], dtype=np.float32) + 0.5
        fall = np.exp(-(((rows - y) / radius_y) ** 2))[:, None] * np.exp(-(((columns - x) / radius_x) ** 2))
        spot *= (1 - strength * fall).astype(np.float32)


@compiled
def _cover(seen: NDArray[np.float32], triangles: NDArray[np.int32], mask: NDArray[np.float32]) -> None:
    """Set the pixels to 1 that triangles cover, given their projected corners."""
    rows, columns = mask.shape
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        if seen[a, 2] < 0 or seen[b, 2] < 0 or seen[c, 2] < 0:
            continue
        ax, ay, bx, by, cx, cy = seen[a, 0], seen[a, 1], seen[b, 0], seen[b, 1], seen[c, 0], seen[c, 1]
        twice_area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if twice_area > -1e-9:  # half of the triangles are enough: the body is closed
            continue
        top = max(0, int(np.ceil(min(ay, min(by, cy)) - 0.5)))
        bottom = min(rows - 1, int(np.floor(max(ay, max(by, cy)) - 0.5)))
        left = max(0, int(np.ceil(min(ax, min(bx, cx)) - 0.5)))
        right = min(columns - 1, int(np.floor(max(ax, max(bx, cx)) - 0.5)))
        for row in range(top, bottom + 1):
            y = row + 0.5
            for column in range(left, right + 1):
                x = column + 0.5
                u = ((bx - x) * (cy - y) - (by - y) * (cx - x)) / twice_area
                v = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) / twice_area
                if u >= -1e-6 and v >= -1e-6 and u + v <= 1.000001:
                    mask[row, column] = 1.0


@compiled
def _keep_ground(
    shade: NDArray[np.float32],
    depth: NDArray[np.float32],
    rotation: NDArray[np.float64],
    eye: float,
    focal: float,
) -> None:
    """Set the factor to 1 wherever the background is not the plane z = 0."""
    height, width = shade.shape
    for row in range(height):
        y = (row + 0.5 - height / 2) / focal
        for column in range(width):
            if shade[row, column] > 0.999:
                continue
            x = (column + 0.5 - width / 2) / focal
            falling = -(rotation[0, 2] * x + rotation[1, 2] * y + rotation[2, 2])
            expected = falling / eye
            if expected <= 0 or abs(depth[row, column] - expected) > 0.03 * expected:
                shade[row, column] = 1.0
