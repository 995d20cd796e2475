"""Degrade a folder of images or a MOTChallenge sequence into another folder: in parallel, resumable, repeatable.

Images keep their names, formats and sizes, so boxes stay valid; every other file is carried along byte for byte. A file
is there in full or not at all, and a frame depends on nothing but its image, the seed and the name, so a run
that was cut off goes on where it stopped and gives the files that it would have given.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

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

__all__ = ["DegradeSettings", "degrade_sequence", "iterate_sequence"]


class FrameFile(NamedTuple):
    """One frame: its number from 1, its image, and where the degraded one goes."""

    number: int
    source: Path
    target: Path


@dataclass(frozen=True, kw_only=True)
class SequencePlan:
    """A sequence that can be degraded: everything was checked, nothing written yet.

    Attributes:
        source: The folder or sequence.
        output: Where its copy goes.
        settings: How to degrade.
        name: With the seed it decides everything that is drawn.
        overwrite: Begin anew where an output is there.
        files: Number, image and output of each frame, by rising number.
        head: Head of the record.
    """

    source: Path
    output: Path
    settings: DegradeSettings
    name: str
    overwrite: bool
    files: tuple[FrameFile, ...]
    head: dict[str, object]

    @property
    def record(self) -> Path:
        """Where the record goes."""
        return self.output / manifest.NAME

    def missing(self) -> list[FrameFile]:
        """List the frames whose output is not there yet, or will be made anew."""
        return [file for file in self.files if self.overwrite or not file.target.is_file()]


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
    plan = plan_sequence(source_folder, output_folder, settings, name=name, overwrite=overwrite)
    missing = {file.number for file in plan.missing()}
    yield from (file.number for file in plan.files if file.number not in missing)
    with ExitStack() as stack:
        yield from carry_out(plan, workers if isinstance(workers, Workers) else stack.enter_context(Workers(workers)))


def plan_sequence(
    source_folder: Path, output_folder: Path, settings: DegradeSettings, *, name: str, overwrite: bool = False
) -> SequencePlan:
    """Check that a sequence can be degraded, before hours of work depend on it; see `degrade_sequence`.

    Raises:
        SourceError: There are no images.
        OutputError: The folder holds something else or the output of other settings.
    """
    images = find_images(source_folder)
    check_apart(source_folder, output_folder)
    files = tuple(
        FrameFile(number=number, source=path, target=output_folder / path.relative_to(source_folder))
        for number, path in images
    )
    source = {"name": folder_name(source_folder), "frames": len(images), "first_image": _digest(images[0][1])}
    plan = SequencePlan(
        source=source_folder,
        output=output_folder,
        settings=settings,
        name=name,
        overwrite=overwrite,
        files=files,
        head=manifest.head_of(settings, name=name, source=source),
    )
    if not overwrite:
        if not manifest.was_begun(plan.record) and holds_something(output_folder):
            raise OutputError(f"{output_folder}: exists and holds other files; {manifest.ADVICE}")
        manifest.is_complete(plan.record, plan.head)
    return plan


def carry_out(plan: SequencePlan, workers: Workers) -> Iterator[int]:
    """Do what a plan says; yields the number of each frame that was missing, once it is there.

    The caller may stop between two frames; a later run goes on.

    Raises:
        SourceError: An image cannot be read.
        OutputError: A file cannot be written.
    """
    if plan.overwrite:
        _clear(plan)
    missing = {file.number for file in plan.missing()}
    if not missing and manifest.is_complete(plan.record, plan.head):
        return
    manifest.begin(plan.record, plan.head)
    batches = [batch for batch in _batches(plan) if any(file.number in missing for file in batch)]
    jobs = [_Job(settings=plan.settings, name=plan.name, files=batch) for batch in batches]
    for written in workers.map(_work, jobs):
        yield from written
    remove_parts(plan.output)
    carry_along(plan.source, plan.output, besides=frozenset(file.source for file in plan.files))
    schedule = Schedule(plan.settings, plan.name)
    manifest.finish(plan.record, plan.head, manifest.entries(schedule, (file.number for file in plan.files)))


def find_images(folder: Path) -> list[tuple[int, Path]]:
    """Find the images of a sequence or of a plain folder, with their numbers, by rising number.

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
        return images
    image_folder = describe_sequence(folder).image_folder
    images, _ = number_images(image_folder)
    if not images:
        raise SourceError(f"{folder}: expected images named by frame in {image_folder.name}/; there are none")
    for (number, path), (following, other) in itertools.pairwise(images):
        if number == following:
            raise SourceError(f"{image_folder}: {path.name} and {other.name} are the same frame; remove one")
    return images


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
    """Copy every file of a folder to the same place in another, but files and folders ``besides`` and our records.

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
        inner[:] = [name for name in inner if Path(folder, name) not in besides]
        for name in inner:
            try:
                (output / Path(folder, name).relative_to(source)).mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise OutputError(f"{output / name}: cannot be made: {error.strerror}") from None


@dataclass(frozen=True, kw_only=True)
class _Job:
    """Some frames of a sequence."""

    settings: DegradeSettings
    name: str
    files: tuple[FrameFile, ...]


def _work(job: _Job) -> tuple[int, ...]:
    """Do a job in whatever process: write the outputs that are not there yet, and give their numbers."""
    schedule = schedule_of(job.settings, job.name)
    targets = {file.number: file.target for file in job.files if not file.target.is_file()}

    def pictures() -> Iterator[tuple[FrameParameters, Image]]:
        for file in job.files:
            parameters = schedule.at(file.number)
            yield parameters, spoil(read_image(file.source), parameters, schedule.noise(file.number))

    for number, _, image in transmit(pictures(), schedule):
        if number in targets:
            write_image(targets[number], image)
    return tuple(targets)


@lru_cache(maxsize=4)
def schedule_of(settings: DegradeSettings, name: str) -> Schedule:
    """Give the schedule of a sequence, the same one to all jobs of a process."""
    return Schedule(settings, name)


def _batches(plan: SequencePlan) -> list[tuple[FrameFile, ...]]:
    """Split frames into what one job does: single frames, or whole groups where frames depend on those before them."""
    if not set(ON_VIDEO) & set(plan.settings.only):
        return [(file,) for file in plan.files]
    return [tuple(group) for _, group in itertools.groupby(plan.files, key=lambda file: group_of(file.number))]


def folder_name(folder: Path) -> str:
    """Give a folder's name as it is seen from outside, also of ``.``; that of a link, not of what it leads to.

    >>> folder_name(Path("a/b/.."))
    'a'
    """
    return os.path.basename(os.path.abspath(folder))


def _digest(path: Path) -> str:
    """Tell an image from others. Only the first of a source is looked at, so that a broken one can be replaced."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise SourceError(f"{path}: not readable: {error.strerror}") from None


def holds_something(folder: Path) -> bool:
    """Whether anything but the leftovers of a killed run is there."""
    if not folder.is_dir():
        return folder.exists()
    return any(not (path.name.startswith(".") and path.name.endswith(".part")) for path in folder.iterdir())


def _clear(plan: SequencePlan) -> None:
    """Remove all images that would be taken for new ones, then the record.

    Images that have no new one in their place go only if this command made them.
    """
    ours = manifest.was_begun(plan.record)
    targets = {file.target for file in plan.files}
    for folder in {target.parent for target in targets}:
        for path in list_images(folder) if folder.is_dir() else []:
            if ours or path in targets:
                try:
                    path.unlink()
                except OSError as error:
                    raise OutputError(f"{path}: cannot be replaced: {error.strerror}") from None
    manifest.forget(plan.record)
