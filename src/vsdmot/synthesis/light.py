"""The light of a scene: one far source and light from all sides, as values that surfaces and people share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Light:
    """Light of a scene; colours are linear factors on a surface's own colour, about 1 in all for a well lit surface.

    Attributes:
        direction: ``(3,)`` unit vector from the scene towards the source; its z is above 0.
        key: ``(3,)`` red, green, blue of the source.
        sky: ``(3,)`` light that comes from above.
        ground: ``(3,)`` light that comes from below.
    """

    direction: NDArray[np.float64]
    key: NDArray[np.float64]
    sky: NDArray[np.float64]
    ground: NDArray[np.float64]

    def on(self, normal: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the light that falls on a surface that nothing shades.

        Args:
            normal: ``(..., 3)`` unit vectors.

        Returns:
            ``(..., 3)`` factors on the surface's colour.
        """
        facing = np.maximum(normal @ self.direction, 0)[..., None]
        upward = (0.5 + 0.5 * normal[..., 2])[..., None]
        lit: NDArray[np.float64] = facing * self.key + upward * self.sky + (1 - upward) * self.ground
        return lit
