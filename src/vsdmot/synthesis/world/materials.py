"""How surfaces look: pictures and how they shine."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[float, float, float]

_MOST_LEVELS = 12


@dataclass(frozen=True, eq=False)
class Texture:
    """A picture for surfaces.

    Attributes:
        pixels: ``(h, w, 4)`` uint8 red, green, blue, and how much of the material's gloss there is; for cut-outs how
            much is covered. Sides are powers of two. The first row is the upper one.
        size: Metres that it is wide and high where it repeats; None is stretched over the surface once.
        cut: What has no coverage is not there.
    """

    pixels: NDArray[np.uint8]
    size: tuple[float, float] | None = None
    cut: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """How a surface looks.

    Attributes:
        texture: Its picture.
        tint: Factors on the picture's colour.
        gloss: Part of light reflected from the sky or the room around, at grazing view; 0 is dull.
        mirror: The same for the true reflection of the place in level ground at z = 0.
        glow: If above 0, it is a lamp: no light falls on it, its colour is taken this often.
        two_sided: Seen from its back, too.
        casts: Keeps light from what is behind it.
        layer: Surfaces in one plane: the higher covers the lower.
        spacing: Metres between samples of the light on it.
        wear: How much it is darker and lighter in broad spots.
    """

    texture: Texture
    tint: Colour = (1.0, 1.0, 1.0)
    gloss: float = 0.0
    mirror: float = 0.0
    glow: float = 0.0
    two_sided: bool = False
    casts: bool = True
    layer: int = 0
    spacing: float = 0.35
    wear: float = 0.0

    def tinted(self, tint: Colour) -> Material:
        """Give the same in another colour."""
        return replace(self, tint=tint)


def pyramids(textures: list[Texture]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Lay out all textures, each in ever smaller versions; of cut-outs only those that still cover as much."""
    levels = np.zeros((len(textures), 4 + _MOST_LEVELS), np.int64)
    parts: list[NDArray[np.uint8]] = []
    first = 0
    for k, texture in enumerate(textures):
        height, width = texture.pixels.shape[:2]
        levels[k, :3] = width.bit_length() - 1, height.bit_length() - 1, texture.size is not None
        picture = texture.pixels
        share = (picture[..., 3] > 127).mean()
        for level in range(max(width, height).bit_length()):
            kept = _with_coverage(picture, share) if texture.cut and level else picture
            if texture.cut and not 0.6 * share <= (kept[..., 3] > 127).mean() <= 1.6 * share:
                break
            levels[k, 3], levels[k, 4 + level] = level, first
            parts.append(kept.reshape(-1, 4))
            first += len(parts[-1])
            smaller = (max(1, picture.shape[1] // 2), max(1, picture.shape[0] // 2))
            picture = cv2.resize(picture, smaller, interpolation=cv2.INTER_AREA)
    texels = np.concatenate(parts)[:, [0, 2, 1, 3]]
    return np.ascontiguousarray(texels).view("<u4")[:, 0].astype(np.uint32), levels


def _with_coverage(picture: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """Shift the alpha so that the test passes as large a share as in the full texture: thin things stay there."""
    cut = float(np.quantile(picture[..., 3], 1 - share)) if 0 < share < 1 else 127.0
    scaled = picture.copy()
    scaled[..., 3] = np.clip(picture[..., 3] * (128.5 / max(cut, 1.0)), 0, 255)
    return scaled
