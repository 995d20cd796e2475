"""What a check of data finds: one `Problem` for each kind of fault, with how often it occurs and where first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

ProblemKind = Literal[
    "unreadable seqinfo",
    "no images",
    "frames missing",
    "frame twice",
    "image without number",
    "length differs",
    "unreadable image",
    "damaged image",
    "sizes mixed",
    "size differs",
    "no ground truth",
    "unreadable ground truth",
    "nobody",
    "boxes without image",
    "box outside",
    "box without area",
    "id twice",
    "unreadable detections",
    "detections without image",
    "unreadable annotations",
    "image missing",
    "image twice",
    "unfinished build",
    "unreadable split file",
    "ground truth differs",
]
"""In the order in which they are told: what is wrong with the images first, then with what is said about them."""


@dataclass(frozen=True)
class Problem:
    """Something that is likely to be a mistake.

    Attributes:
        kind: What is wrong, in a few words that programs can compare.
        message: What was expected and what was found, with numbers.
        where: The file or folder, with the line where there is one.
    """

    kind: ProblemKind
    message: str
    where: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


def some(items: Iterable[object], most: int = 3) -> str:
    """List the first few items and say how many more there are.

    >>> some([4, 5, 6, 7, 8])
    '4, 5, 6 and 2 more'
    """
    texts = [str(item) for item in items]
    return ", ".join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")


def counted(count: int, what: str, many: str | None = None) -> str:
    """Write a number of things.

    >>> counted(1, "box", "boxes"), counted(1200, "frame")
    ('1 box', '1,200 frames')
    """
    return f"{count:,} {what if count == 1 else many or what + 's'}"


def spans(numbers: NDArray[np.int64]) -> list[str]:
    """Write rising numbers as spans of neighbours.

    >>> spans(np.array([1, 2, 3, 7]))
    ['1-3', '7']
    """
    groups = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
    return [span(int(group[0]), int(group[-1])) for group in groups if len(group)]


def span(first: int, last: int) -> str:
    """Write the numbers from the first to the last."""
    return str(first) if first == last else f"{first}-{last}"


def pixels(size: tuple[int, int]) -> str:
    """Write width and height."""
    return f"{size[0]}x{size[1]}"
