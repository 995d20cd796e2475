"""Find what is wrong with CrowdHuman: annotations that cannot be read, images that are missing or damaged.

The published archives are unpacked in different ways: all images in one ``Images/``, or one folder for each part
(``CrowdHuman_train/Images``, ``train_image``). Images are therefore sought in every folder below the data set.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsdmot.errors import FormatError, SourceError
from vsdmot.io.box_checks import problem_of, wholly_outside, without_area
from vsdmot.io.crowdhuman import CrowdImage, read_crowdhuman_lines
from vsdmot.io.image_checks import Look, look_at_images
from vsdmot.io.images import IMAGE_SUFFIXES
from vsdmot.io.problems import Problem, ProblemKind, counted, some

MAX_DEPTH = 3
"""Folders between the data set and its images."""


@dataclass(frozen=True, kw_only=True)
class CrowdReport:
    """What a file of annotations holds and what is wrong with it and its images.

    Attributes:
        name: The file's name.
        path: The file.
        num_annotated: Images that it names.
        num_images: How many of these are there.
        num_people: Boxes of people.
        num_heads: Heads of these people.
        num_ignored: Regions and people that neither training nor evaluation counts.
        smallest: Width and height of the image with the fewest pixels; None without any.
        largest: Width and height of the image with the most pixels.
        problems: What is likely to be wrong.
    """

    name: str
    path: Path
    num_annotated: int
    num_images: int
    num_people: int
    num_heads: int
    num_ignored: int
    smallest: tuple[int, int] | None
    largest: tuple[int, int] | None
    problems: tuple[Problem, ...]


def find_crowdhuman(root: Path) -> list[Path]:
    """List the files of annotations in a folder and those right below it, or give the one that was named.

    Raises:
        SourceError: The folder may not be read.
    """
    if root.is_file():
        return [root] if root.suffix == ".odgt" else []
    try:
        found = sorted([*root.glob("*.odgt"), *root.glob("*/*.odgt")])
    except OSError as error:
        raise SourceError(f"{root}: not readable: {error}") from None
    return [path for path in found if path.is_file() and not path.name.startswith(".")]


def list_images(root: Path, depth: int = MAX_DEPTH) -> dict[str, Path]:
    """Find the images of a data set: name without ending to path."""
    try:
        return _images_below(root, depth)
    except OSError as error:
        raise SourceError(f"{root}: not readable: {error}") from None


def check_crowdhuman(path: Path, images: dict[str, Path], look: Look | None = None) -> CrowdReport:
    """Check a file of annotations and the images that it names; every fault is a problem, not an error.

    Args:
        path: ``annotation_train.odgt`` or its like.
        images: What `list_images` found.
        look: How images are looked at; None reads headers only.
    """
    faults = _Faults(path)
    entries: dict[str, tuple[int, CrowdImage]] = {}
    try:
        for number, image in read_crowdhuman_lines(path):
            if isinstance(image, str):
                faults.add("unreadable annotations", number, image)
            elif image.image_id in entries:
                faults.add("image twice", number, f"{image.image_id} is also in line {entries[image.image_id][0]}")
            else:
                entries[image.image_id] = (number, image)
    except FormatError as error:
        faults.found.append(problem_of(error, "unreadable annotations"))
    present = [images[name] for name in entries if name in images]
    sizes: list[tuple[int, int]] = []
    for file, size, whole in look_at_images(present, look or Look()):
        number, image = entries[file.stem]
        if size is None:
            faults.add("unreadable image", number, file.name)
            continue
        if not whole:
            faults.add("damaged image", number, file.name)
        sizes.append(size)
        for box in image.people()[wholly_outside(image.people(), size) & ~without_area(image.people())]:
            faults.add("box outside", number, f"{image.image_id} {_shown(box)}")
    for name, (number, image) in entries.items():
        if name not in images:
            faults.add("image missing", number, name)
        for box in image.people()[without_area(image.people())]:
            faults.add("box without area", number, f"{name} {_shown(box)}")
    by_area = sorted(sizes, key=lambda size: size[0] * size[1])
    every = [image for _, image in entries.values()]
    return CrowdReport(
        name=path.name,
        path=path,
        num_annotated=len(entries),
        num_images=len(present),
        num_people=sum(len(image.people()) for image in every),
        num_heads=sum(image.num_heads() for image in every),
        num_ignored=sum(int(image.ignored.sum()) for image in every),
        smallest=by_area[0] if by_area else None,
        largest=by_area[-1] if by_area else None,
        problems=faults.problems(),
    )


_MESSAGES: dict[ProblemKind, str] = {
    "unreadable annotations": "cannot read {count}: {some}",
    "image twice": "images named again in {count}: {some}",
    "image missing": "images that are not there, named in {count}: {some}",
    "unreadable image": "images that cannot be read, named in {count}: {some}",
    "damaged image": "images that are cut off or damaged, named in {count}: {some}",
    "box outside": "boxes wholly outside their image in {count}: {some}",
    "box without area": "boxes whose width or height is not above 0 in {count}: {some}",
}


@dataclass
class _Faults:
    """Faults of the same kind, gathered into one problem."""

    path: Path
    found: list[Problem] = field(default_factory=list)
    lines: dict[ProblemKind, dict[int, str]] = field(default_factory=dict)

    def add(self, kind: ProblemKind, line: int, text: str) -> None:
        self.lines.setdefault(kind, {}).setdefault(line, text)

    def problems(self) -> tuple[Problem, ...]:
        gathered = list(self.found)
        for kind, message in _MESSAGES.items():
            if lines := self.lines.get(kind):
                text = message.format(count=counted(len(lines), "line"), some=some(lines.values()))
                gathered.append(Problem(kind, text, f"{self.path}:{min(lines)}"))
        return tuple(gathered)


def _images_below(folder: Path, depth: int) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file():
            found.setdefault(path.stem, path)
        elif depth and path.is_dir():
            found = _images_below(path, depth - 1) | found
    return found


def _shown(box: NDArray[np.float64]) -> str:
    return "(" + ", ".join(f"{side:g}" for side in box) + ")"
