"""Traces of grids in a picture: of the blocks that a codec cut it into, and of the pixels it was enlarged from.

Along a row of an enlarged picture some pixels stand where the small picture had one and others lie between two, so how
strongly neighbours differ goes up and down with the enlargement (after Gallagher, CRV 2005). The blocks of JPEG and
H.264 leave such a period too, of 8 pixels, with all its overtones.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

LOWEST = 0.15  # periods per pixel: slower ones are the scene's own
NEAR = 0.05  # periods per pixel: a peak is held against its neighbourhood, this far to both sides
BLOCK_TONES = (1 / 8, 3 / 8)  # periods per pixel: only blocks have these
SHARED_TONES = (2 / 8, 4 / 8)  # of blocks, and of enlargement by 4 and by 2
TONE_WIDTH = 0.006
FEWEST = 64  # px: shorter sides show no period
LIMIT = 20.0  # grey levels: strong edges would drown all else


@dataclass(frozen=True, slots=True, kw_only=True)
class Grids:
    """How far the period of a grid stands out of its neighbourhood in the spectrum; about 2 to 4 where there is none.

    Attributes:
        blocks: Of a codec's blocks, in the direction where they show less.
        enlargement: Of the pixels before an enlargement by other factors than 2 and 4, likewise.
        doubling: Of those before an enlargement by 2 or 4, whose periods blocks have too.
    """

    blocks: float
    enlargement: float
    doubling: float


def measure_grids(grey: NDArray[np.uint8]) -> Grids:
    """Look for grids in an ``(H, W)`` uint8 picture."""
    if min(grey.shape) < FEWEST:
        return Grids(blocks=0.0, enlargement=0.0, doubling=0.0)
    rows, columns = (_along_rows(plane) for plane in (grey, np.ascontiguousarray(grey.T)))
    return Grids(
        blocks=min(rows.blocks, columns.blocks),
        enlargement=min(rows.enlargement, columns.enlargement),
        doubling=min(rows.doubling, columns.doubling),
    )


def _along_rows(grey: NDArray[np.uint8]) -> Grids:
    """Look for periods along the rows: first differences show even enlargements, second differences all others."""
    plane = grey.astype(np.int16)
    first = np.abs(plane[:, 1:] - plane[:, :-1])
    second = np.abs(2 * plane[:, 1:-1] - plane[:, :-2] - plane[:, 2:])
    blocks = enlargement = doubling = 0.0
    for prominence in (_prominence(first), _prominence(second)):
        frequencies = np.linspace(0, 0.5, len(prominence))

        def near(tone: float, frequencies: NDArray[np.float64] = frequencies) -> NDArray[np.bool_]:
            return np.abs(frequencies - tone) < TONE_WIDTH

        rest = frequencies > LOWEST
        for tone in (*BLOCK_TONES, *SHARED_TONES):
            rest &= ~near(tone)
        blocks = max(blocks, min(float(prominence[near(tone)].max()) for tone in BLOCK_TONES))
        doubling = max(doubling, *(float(prominence[near(tone)].max()) for tone in SHARED_TONES))
        enlargement = max(enlargement, float(prominence[rest].max()))
    return Grids(blocks=blocks, enlargement=enlargement, doubling=doubling)


def _prominence(differences: NDArray[np.int16]) -> NDArray[np.float64]:
    """Spectrum of the mean difference at each place along a row, relative to the median around each frequency."""
    along = np.log(np.minimum(differences, LIMIT).mean(axis=0) + 0.05)
    along = along - cv2.blur(along[None], (31, 1), borderType=cv2.BORDER_REFLECT)[0]
    length = len(along) // 2 * 2  # so that the last frequency is that of every other pixel
    spectrum = np.abs(np.fft.rfft(along[:length] * np.hanning(length)))
    reach = max(3, round(NEAR * length))
    padded = np.pad(spectrum, reach, mode="reflect")
    around = np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1), axis=1)
    prominence: NDArray[np.float64] = spectrum / np.maximum(around, 1e-6)
    return prominence
