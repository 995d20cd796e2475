"""How the light differs over the ground of a place: who steps out of a house's shadow becomes bright."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from vsdmot.synthesis.light import Light

_STEP = 0.5  # metres between the points of the field
_LEAST_KEY, _MOST_KEY = 0.15, 1.15  # skin neither drowns nor bleaches
_LEAST_AROUND, _MOST_AROUND = 0.6, 1.25


@dataclass(frozen=True, kw_only=True, eq=False)
class LightField:
    """Light over the ground, as factors on the place's own light.

    Attributes:
        corner: ``(2,)``, x and y of the first point in metres.
        key: ``(R, C)``, factors on the far source, a row for each y.
        around: ``(R, C)``, factors on the light from all sides.
    """

    corner: NDArray[np.float64]
    key: NDArray[np.float64]
    around: NDArray[np.float64]

    @classmethod
    def over(
        cls, area: tuple[float, float, float, float], places: NDArray[np.float64], key: NDArray[np.float64],
        around: NDArray[np.float64],
    ) -> LightField:  # fmt: skip
        """Average samples over the cells of a grid.

        Args:
            area: x0, y0, x1, y1 in metres.
            places: ``(N, 2)``, where the samples lie.
            key: ``(N,)``, factors on the far source there.
            around: ``(N,)``, factors on the rest.
        """
        corner = np.array(area[:2])
        columns, rows = (max(2, int(np.ceil((area[2 + i] - area[i]) / _STEP)) + 1) for i in (0, 1))
        nearest = np.rint((places - corner) / _STEP).astype(np.int64)
        inside = ((nearest >= 0) & (nearest < (columns, rows))).all(axis=1)
        cell = nearest[inside, 1] * columns + nearest[inside, 0]
        counts = np.bincount(cell, minlength=rows * columns).reshape(rows, columns)
        if not counts.any():
            return cls(corner=corner, key=np.ones((rows, columns)), around=np.ones((rows, columns)))
        # Where there is no sample, under a car or a bench, the nearest one tells.
        filled = tuple(distance_transform_edt(counts == 0, return_distances=False, return_indices=True))

        def grid(values: NDArray[np.float64], least: float, most: float) -> NDArray[np.float64]:
            total = np.bincount(cell, weights=values[inside], minlength=rows * columns).reshape(rows, columns)
            mean = (total / np.maximum(counts, 1))[filled]
            bounded: NDArray[np.float64] = np.clip(mean, least, most)
            return bounded

        return cls(
            corner=corner,
            key=grid(key, _LEAST_KEY, _MOST_KEY),
            around=grid(around, _LEAST_AROUND, _MOST_AROUND),
        )

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Give the two factors at a point of the ground, smoothly between the field's own points."""
        rows, columns = self.key.shape
        column = float(np.clip((x - self.corner[0]) / _STEP, 0, columns - 1.001))
        row = float(np.clip((y - self.corner[1]) / _STEP, 0, rows - 1.001))
        i, j = int(row), int(column)
        down, along = row - i, column - j
        weights = np.array([[(1 - down) * (1 - along), (1 - down) * along], [down * (1 - along), down * along]])
        here = slice(i, i + 2), slice(j, j + 2)
        return float((weights * self.key[here]).sum()), float((weights * self.around[here]).sum())


def light_on(light: Light, field: LightField | None, x: float, y: float, height: float = 1.0) -> Light:
    """Give the light that falls on somebody.

    Args:
        light: The place's.
        field: How it differs over the ground; None if it does not.
        x: Where the person stands, metres.
        y: The same.
        height: Of the chest above the ground: its ray of the far source meets the ground farther on.
    """
    if field is None:
        return light
    beyond = height / light.direction[2]
    key, _ = field.at(x - beyond * light.direction[0], y - beyond * light.direction[1])
    _, around = field.at(x, y)
    return Light(direction=light.direction, key=light.key * key, sky=light.sky * around, ground=light.ground * around)
