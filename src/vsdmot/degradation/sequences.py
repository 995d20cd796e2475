"""Degrade a folder of images or a MOTChallenge sequence into another folder: in parallel, resumable, repeatable.

Images keep their names, formats and sizes, so boxes stay valid; every other file is carried along byte for byte. A file
is there in full or not at all, and a frame depends on nothing but its image, the seed and the name, so a run
that was cut off goes on where it stopped and gives the files that it would have given.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from vsdmot.degradation import manifest
from vsdmot.degradation.frames import spoil, transmit
from vsdmot.degradation.operators import ON_VIDEO
from vsdmot.degradation.schedule import DegradeSettings, FrameParameters, Schedule
from vsdmot.degradation.video_codec import group_of
from vsdmot.degradation.workers import Workers
from vsdmot.errors import OutputError, SourceError
from vsdmot.io.datasets import describe_sequence
from vsdmot.io.image_writer import write_image
from vsdmot.io.images import list_images, number_images, read_image
from vsdmot.io.whole_files import copy_whole, remove_parts
from vsdmot.structures import Image

__all__ = ["DegradeSettings", "degrade_sequence", "find_pictures", "iterate_sequence"]


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """The images of a folder or sequence.

    Attributes:
        folder: The folder or sequence.
        images: Frame number, from 1, and file, by rising number.
    """

    folder: Path
    images: tuple[tuple[int, Path], ...]


def degrade_sequence(
    source_folder: Path,
    output_folder: Path,
    settings: DegradeSettings,
    *,
    name: str,
    workers: int | Workers = 1,
    progress: Callable[[], None] | None = None,
    overwrite: bool = False,
) -> None:
    """Degrade a MOTChallenge sequence, or a folder of images, into another folder.

    Everything in the folder is carried along: the images degraded, all else as it is. ``degradation.json`` is written
    beside it, last. A run that was cut off goes on; a complete one is left as it is.

    Args:
        source_folder: Holds ``img1/`` (or what ``seqinfo.ini`` names) or images.
        output_folder: Made if missing; not inside the source, nor the other way round.
        settings: How to degrade.
        name: Name of the sequence; with the seed it decides everything that is drawn.
        workers: Number of processes, or workers that several sequences share.
        progress: Called once for each frame that is there, also if an earlier run made it.
        overwrite: Begin anew where an output is there, instead of going on or refusing.

    Raises:
        SourceError: There are no images, or one of them cannot be read; the message names it.
        OutputError: The folder holds something else or the output of other settings, or cannot be written.
    """
    for _ in iterate_sequence(source_folder, output_folder, settings, name=name, workers=workers, overwrite=overwrite):
        if progress is not None:
            progress()


def iterate_sequence(
    source_folder: Path,
    output_folder: Path,
    settings: DegradeSettings,
    *,
    name: str,
    workers: int | Workers = 1,
    overwrite: bool = False,
) -> Iterator[int]:
    """Do what `degrade_sequence` does, and yield the number of each frame once it is there.

    The caller may stop between two frames; the next run goes on.
    """
    pictures = find_pictures(source_folder)
    check_apart(source_folder, output_folder)
    record = output_folder / manifest.NAME
    head = manifest.head_of(settings, name=name, source=_fingerprint(pictures))
    targets = {number: output_folder / path.relative_to(source_folder) for number, path in pictures.images}
    if overwrite:
        _clear(record, targets)
    elif not (record.is_file() or manifest.part_of(record).is_file()) and _holds_something(output_folder):
        raise OutputError(f"{output_folder}: exists and holds other files; {manifest.ADVICE}")
    if manifest.is_complete(record, head) and all(target.is_file() for target in targets.values()):
        yield from targets
        return
    manifest.begin(record, head)
    with ExitStack() as stack:
        pool = workers if isinstance(workers, Workers) else stack.enter_context(Workers(workers))
        jobs = []
        for numbers in _batches(settings, list(targets)):
            if all(targets[number].is_file() for number in numbers):
                yield from numbers
            else:
                files = tuple((number, path, targets[number]) for number, path in pictures.images if number in numbers)
                jobs.append(_Job(settings=settings, name=name, files=files))
        for done in pool.map(_work, jobs):
            yield from done
    for folder in {target.parent for target in targets.values()}:
        remove_parts(folder)
    carry_along(source_folder, output_folder, besides=frozenset(path for _, path in pictures.images))
    manifest.finish(record, head, _entries(Schedule(settings, name), list(targets)))


def find_pictures(folder: Path) -> Pictures:
    """Find the images of a sequence or of a plain folder.

    Frames of a sequence take the number in their names, so that they stay aligned with ground truth where a file is
    missing; images of a plain folder are counted 1, 2, 3 in natural order.

    Raises:
        SourceError: There are none, or two are the same frame.
        FormatError: ``seqinfo.ini`` is malformed.
    """
    if not folder.is_dir():
        raise SourceError(f"{folder}: no such folder")
    plain = list_images(folder)
    if not (folder / "seqinfo.ini").is_file() and (plain or not (folder / "img1").is_dir()):
        images = list(enumerate(plain, start=1))
        if not images:
            raise SourceError(f"{folder}: expected images or a MOTChallenge sequence; there are none")
        return Pictures(folder=folder, images=tuple(images))
    image_folder = describe_sequence(folder).image_folder
    images, _ = number_images(image_folder)
    if not images:
        raise SourceError(f"{folder}: expected images named by frame in {image_folder.name}/; there are none")
    for (number, path), (following, other) in itertools.pairwise(images):
        if number == following:
            raise SourceError(f"{image_folder}: {path.name} and {other.name} are the same frame; remove one")
    return Pictures(folder=folder, images=tuple(images))


def check_apart(source: Path, output: Path) -> None:
    """Make sure that source and output do not lie in each other.

    Raises:
        OutputError: They do.
    """
    inner, outer = output.resolve(), source.resolve()
    if inner == outer:
        raise OutputError(f"{output}: this is the source itself; choose another output")
    if inner.is_relative_to(outer):
        raise OutputError(f"{output}: lies inside the source {source}; choose an output elsewhere")
    if outer.is_relative_to(inner):
        raise OutputError(f"{output}: holds the source {source}; choose an output elsewhere")


def carry_along(source: Path, output: Path, besides: frozenset[Path]) -> None:
    """Copy every file of a folder to the same place in another, but those ``besides`` and records of degradation.

    Raises:
        OutputError: One cannot be read or written.
    """
    seen = set()
    for folder, inner, names in os.walk(source, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:  # a link that leads back up
            inner.clear()
            continue
        seen.add(real)
        for name in sorted(names):
            path = Path(folder, name)
            target = output / path.relative_to(source)
            if path not in besides and name != manifest.NAME and not target.is_file():
                copy_whole(path, target)
        for name in inner:
            try:
                (output / Path(folder, name).relative_to(source)).mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise OutputError(f"{output / name}: cannot be made: {error.strerror}") from None


@dataclass(frozen=True, kw_only=True)
class _Job:
    """Some frames of a sequence: number, image and output of each."""

    settings: DegradeSettings
    name: str
    files: tuple[tuple[int, Path, Path], ...]


def _work(job: _Job) -> tuple[int, ...]:
    """Do a job in whatever process: write the outputs that are not there yet."""
    schedule = _schedule(job.settings, job.name)
    targets = {number: target for number, _, target in job.files}

    def pictures() -> Iterator[tuple[FrameParameters, Image]]:
        for number, path, _ in job.files:
            parameters = schedule.at(number)
            yield parameters, spoil(read_image(path), parameters, schedule.noise(number))

    for number, _, image in transmit(pictures(), schedule):
        if not targets[number].is_file():
            write_image(targets[number], image)
    return tuple(targets)


@lru_cache(maxsize=4)
def _schedule(settings: DegradeSettings, name: str) -> Schedule:
    return Schedule(settings, name)


def _batches(settings: DegradeSettings, numbers: list[int]) -> list[list[int]]:
    """Split frames into what one job does: single frames, or whole groups where frames depend on those before them."""
    if not set(ON_VIDEO) & set(settings.only):
        return [[number] for number in numbers]
    return [list(group) for _, group in itertools.groupby(numbers, key=group_of)]


def _entries(schedule: Schedule, numbers: list[int]) -> Iterator[dict[str, object]]:
    shown, group = 0, -1
    for number in numbers:
        parameters = schedule.at(number)
        if group_of(number) != group or not parameters.dropped:
            shown, group = number, group_of(number)
        yield manifest.frame_entry(parameters, shown)


def _fingerprint(pictures: Pictures) -> dict[str, object]:
    """Tell a source from others: its name, and how many images of how many bytes it has."""
    size = sum(path.stat().st_size for _, path in pictures.images)
    return {"name": pictures.folder.resolve().name, "frames": len(pictures.images), "bytes": size}


def _holds_something(folder: Path) -> bool:
    return folder.exists() and (not folder.is_dir() or any(not _is_part(path.name) for path in folder.iterdir()))


def _is_part(name: str) -> bool:
    return name.startswith(".") and name.endswith(".part")


def _clear(record: Path, targets: dict[int, Path]) -> None:
    """Remove the record, then all images where new ones will come, so that none of them is taken for a new one."""
    manifest.forget(record)
    for folder in {target.parent for target in targets.values()}:
        for path in list_images(folder) if folder.is_dir() else []:
            try:
                path.unlink()
            except OSError as error:
                raise OutputError(f"{path}: cannot be replaced: {error.strerror}") from None
