"""Find what is wrong with the images of a sequence: missing, damaged, or of different sizes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsdmot.errors import SourceError
from vsdmot.io.datasets import image_size
from vsdmot.io.images import read_image
from vsdmot.io.problems import Problem, counted, pixels, some, span


@dataclass(frozen=True, kw_only=True)
class Look:
    """How images are looked at.

    Attributes:
        decode: Decode every picture, which also finds those that are cut off in the middle and costs tens of times as
            much; otherwise only headers are read, at the same cost for an image of any size.
        workers: Images that are read at the same time.
        seen: Called after each image.
    """

    decode: bool = False
    workers: int = 1
    seen: Callable[[], None] = lambda: None


def check_frames(indices: NDArray[np.int64], promised_length: int | None, where: str) -> list[Problem]:
    """Compare the frames that are there with each other and with what ``seqinfo.ini`` promises.

    Args:
        indices: ``(F,)``, frame index of each image, not falling; an index may occur twice.
        promised_length: Frames promised, or None.
        where: The image folder, for messages.

    >>> [problem.message for problem in check_frames(np.array([1, 2, 5]), 5, "img1")]
    ['2 frames missing between 1 and 5: 3-4', 'seqinfo.ini promises 5 frames, 3 are there']
    """
    if not len(indices):
        return [Problem("no images", "expected images named by frame, such as 000001.jpg, found none", where)]
    problems = []
    present, counts = np.unique(indices, return_counts=True)
    first, last = int(present[0]), int(present[-1])
    if (num_missing := last - first + 1 - len(present)) > 0:
        before = np.flatnonzero(np.diff(present) > 1)
        holes = zip((present[before] + 1).tolist(), (present[before + 1] - 1).tolist(), strict=True)
        named = some([span(*hole) for hole in holes])
        message = f"{counted(num_missing, 'frame')} missing between {first} and {last}: {named}"
        problems.append(Problem("frames missing", message, where))
    if (twice := present[counts > 1]).size:
        problems.append(Problem("frame twice", f"more than one image for frame {some(twice.tolist())}", where))
    if promised_length is not None and promised_length != len(present):
        message = f"seqinfo.ini promises {counted(promised_length, 'frame')}, {len(present):,} are there"
        problems.append(Problem("length differs", message, where))
    return problems


def check_images(
    paths: Sequence[Path], promised_size: tuple[int, int] | None, where: str, look: Look | None = None
) -> list[Problem]:
    """Look at every image and compare the sizes.

    Args:
        paths: The images; the first that can be read decides what size the others should have.
        promised_size: Width and height as ``seqinfo.ini`` has them, or None.
        where: The image folder, for messages.
        look: How they are looked at; None reads headers only.
    """
    broken: list[str] = []
    damaged: list[str] = []
    sizes: dict[str, tuple[int, int]] = {}
    for path, size, whole in look_at_images(paths, look or Look()):
        if size is None:
            broken.append(path.name)
        else:
            sizes[path.name] = size
            if not whole:
                damaged.append(path.name)
    problems = []
    of_all = f"of {counted(len(paths), 'image')}"
    if broken:
        problems.append(Problem("unreadable image", f"{len(broken):,} {of_all} cannot be read: {some(broken)}", where))
    if damaged:
        message = f"{len(damaged):,} {of_all} are cut off or damaged after a good header: {some(damaged)}"
        problems.append(Problem("damaged image", message, where))
    if not sizes:
        return problems
    first = next(iter(sizes.values()))
    if others := [f"{name} ({pixels(size)})" for name, size in sizes.items() if size != first]:
        message = (
            f"expected {pixels(first)} as in the first image, {counted(len(others), 'image')} of another size: "
            f"{some(others)}"
        )
        problems.append(Problem("sizes mixed", message, where))
    if promised_size is not None and promised_size != first:
        message = (
            f"seqinfo.ini says {pixels(promised_size)}, the images are {pixels(first)}: "
            "the boxes may be in other pixels"
        )
        problems.append(Problem("size differs", message, where))
    return problems


def look_at_images(paths: Sequence[Path], look: Look) -> Iterator[tuple[Path, tuple[int, int] | None, bool]]:
    """Read images, several at a time, and give them in their order.

    Yields:
        Each path, its upright width and height (None where the header cannot be read), and whether the picture is
        whole, as far as was looked.
    """
    pool = ThreadPoolExecutor(look.workers)  # Pillow decodes without holding the interpreter's lock
    try:
        inspect = functools.partial(_inspect, decode=look.decode)
        for path, (size, whole) in zip(paths, pool.map(inspect, paths), strict=True):
            look.seen()
            yield path, size, whole
    finally:
        pool.shutdown(cancel_futures=True)


def _inspect(path: Path, *, decode: bool) -> tuple[tuple[int, int] | None, bool]:
    try:
        size = image_size(path)
    except SourceError:
        return None, False
    if decode:
        try:
            read_image(path)
        except SourceError:
            return size, False
    return size, True
