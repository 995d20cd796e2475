"""Degrade a video file, or anything else that is one row of frames, into a video, a sequence of images, or an image.

Frames are read in one process, spoilt in others and written in order, so memory does not grow with their number. A
video is written in segments of `SEGMENT_FRAMES`, joined at the end without coding again: what a run that is cut off has
finished, the next one finds.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from vsdmot.degradation import manifest
from vsdmot.degradation.frames import spoil, transmit
from vsdmot.degradation.operators import ON_VIDEO
from vsdmot.degradation.schedule import DegradeSettings, FrameParameters
from vsdmot.degradation.sequences import holds_something, schedule_of
from vsdmot.degradation.video_codec import GROUP_FRAMES, group_of
from vsdmot.degradation.workers import Workers
from vsdmot.errors import OutputError, SourceError
from vsdmot.io.image_writer import write_image
from vsdmot.io.images import IMAGE_SUFFIXES
from vsdmot.io.outputs import check_output
from vsdmot.io.sources import Source
from vsdmot.io.whole_files import remove_parts, write_whole
from vsdmot.structures import Image

if TYPE_CHECKING:
    from vsdmot.io.video_writer import VideoWriter

SEGMENT_FRAMES = 10 * GROUP_FRAMES
CRF = 14
"""Quality of the video that is written: finer than the eye sees, so that coding hides nothing of the degradation."""


@dataclass(frozen=True, kw_only=True)
class VideoPlan:
    """A video that can be degraded: everything was checked, nothing written yet.

    Attributes:
        source: Its frames.
        output: A video (``.mp4``), an image, or else a folder that becomes a MOTChallenge sequence.
        settings: How to degrade.
        overwrite: Begin anew where an output is there.
        head: Head of the record.
    """

    source: Source
    output: Path
    settings: DegradeSettings
    overwrite: bool
    head: dict[str, object]

    @property
    def kind(self) -> Literal["video", "image", "folder"]:
        """What the output is."""
        suffix = self.output.suffix.lower()
        return "video" if suffix == ".mp4" else "image" if suffix in IMAGE_SUFFIXES else "folder"

    @property
    def name(self) -> str:
        """With the seed it decides everything that is drawn."""
        return self.source.info.name

    @property
    def record(self) -> Path:
        """Where the record goes: into a folder, beside a file."""
        return self.output / manifest.NAME if self.kind == "folder" else self.output.with_suffix(f".{manifest.NAME}")

    def image(self, number: int) -> Path:
        """Give the file of a frame, unless the output is a video."""
        return self.output / "img1" / f"{number:06d}.jpg" if self.kind == "folder" else self.output

    def segment(self, number: int) -> Path:
        """Give the file of the segment that holds a frame, if the output is a video."""
        return self.parts / f"{(number - 1) // SEGMENT_FRAMES:05d}.mp4"

    @property
    def parts(self) -> Path:
        """Give the folder of the segments; a name that begins with a dot, and does not outlast the run."""
        return self.output.with_name(f".{self.output.name}.parts")

    def is_there(self, number: int) -> bool:
        """Whether a frame need not be made, because it and all that depends on it was written."""
        if self.kind == "video":
            return self.segment(number).is_file()
        if not set(ON_VIDEO) & set(self.settings.only):
            return self.image(number).is_file()
        first = group_of(number) * GROUP_FRAMES + 1
        return all(self.image(first + offset).is_file() for offset in range(GROUP_FRAMES))

    def is_complete(self) -> bool:
        """Whether an earlier run made all of it."""
        return not self.overwrite and self.output.exists() and manifest.is_complete(self.record, self.head)

    def num_missing(self) -> int | None:
        """Count the frames that have to be made; None if the source does not say how many it has."""
        promised = self.source.info.num_frames
        if promised is None or self.overwrite:
            return promised
        return sum(not self.is_there(number) for number in range(1, promised + 1))


def plan_video(source: Source, output: Path, settings: DegradeSettings, *, overwrite: bool = False) -> VideoPlan:
    """Check that a video can be degraded.

    Raises:
        SourceError: An image is asked for, and the source has more than one.
        OutputError: Something else is there, or the output of other settings, or it cannot be written there.
    """
    location = Path(source.info.location)
    size = location.stat().st_size if location.is_file() else None
    head = manifest.head_of(settings, name=source.info.name, source={"name": location.resolve().name, "bytes": size})
    plan = VideoPlan(source=source, output=output, settings=settings, overwrite=overwrite, head=head)
    if plan.kind == "image" and source.info.num_frames != 1:
        raise SourceError(f"{location}: expected one image for {output}, got a video; name a folder or an .mp4 file")
    begun = manifest.was_begun(plan.record)
    if plan.kind != "folder":
        check_output(output, overwrite or begun, source=location)
    elif not overwrite and not begun and holds_something(output):
        raise OutputError(f"{output}: exists and holds other files; {manifest.ADVICE}")
    elif not begun and (output / "img1").exists():
        raise OutputError(f"{output}: holds an img1 that this command did not make; choose another output")
    if not overwrite:
        manifest.is_complete(plan.record, plan.head)
    return plan


@dataclass(frozen=True, kw_only=True)
class _Job:
    """A frame to be spoilt."""

    settings: DegradeSettings
    name: str
    number: int
    image: Image


@dataclass
class _Seen:
    """What was read so far: frames by number, and their times in seconds."""

    times: dict[int, float] = field(default_factory=dict)


def carry_out_video(plan: VideoPlan, workers: Workers) -> Iterator[int]:
    """Do what a plan says; yields a frame's number once it is written. A later run goes on where this one stops.

    Raises:
        SourceError: The source cannot be read.
        OutputError: The output cannot be written.
    """
    if plan.is_complete():
        return
    if plan.overwrite:
        _clear(plan)
    manifest.begin(plan.record, plan.head)
    seen = _Seen()
    schedule = schedule_of(plan.settings, plan.name)
    pictures = transmit(workers.map(_work, _jobs(plan, seen)), schedule)
    if plan.kind == "video":
        yield from _write_segments(plan, pictures, seen)
        _join(plan, seen)
    else:
        for number, _, image in pictures:
            if not plan.image(number).is_file() or plan.kind == "image":
                write_image(plan.image(number), image)
            yield number
        if plan.kind == "folder":
            remove_parts(plan.output)
            write_whole(plan.output / "seqinfo.ini", _seqinfo(plan, max(seen.times)).encode())
    manifest.finish(plan.record, plan.head, manifest.entries(schedule, seen.times))


def _jobs(plan: VideoPlan, seen: _Seen) -> Iterator[_Job]:
    for frame in plan.source:
        seen.times[frame.index] = frame.time
        if plan.kind == "image" or not plan.is_there(frame.index):
            yield _Job(settings=plan.settings, name=plan.name, number=frame.index, image=frame.image)
    if not seen.times:
        raise SourceError(f"{plan.source.info.location}: no frames could be decoded")


def _work(job: _Job) -> tuple[FrameParameters, Image]:
    schedule = schedule_of(job.settings, job.name)
    parameters = schedule.at(job.number)
    return parameters, spoil(job.image, parameters, schedule.noise(job.number))


def _write_segments(plan: VideoPlan, pictures: Iterable[tuple[int, int, Image]], seen: _Seen) -> Iterator[int]:
    """Write the segments that are missing; each takes its name when it is complete."""
    remove_parts(plan.parts)
    path: Path | None = None
    with contextlib.ExitStack() as stack:
        writer: VideoWriter | None = None
        for number, _, image in pictures:
            if plan.segment(number) != path:
                _finish(writer, path)
                path = plan.segment(number)
                writer = _writer(plan, path)
                stack.callback(writer.close)
            assert writer is not None
            writer.write(image, seen.times[number])
            yield number
        _finish(writer, path)


def _writer(plan: VideoPlan, path: Path) -> VideoWriter:
    from vsdmot.io.video_writer import VideoWriter

    info = plan.source.info
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path.parent}: cannot be made: {error.strerror}") from None
    part = path.with_name(f".{path.name}.part")
    return VideoWriter(part, width=info.width, height=info.height, frame_rate=info.frame_rate, crf=CRF)


def _finish(writer: VideoWriter | None, path: Path | None) -> None:
    if writer is not None and path is not None:
        writer.close()
        writer.path.replace(path)


def _join(plan: VideoPlan, seen: _Seen) -> None:
    """Put the segments together; the video takes its name when it is complete."""
    from vsdmot.io.video_joining import join_videos

    starts: dict[Path, float] = {}
    for number, time in seen.times.items():
        starts.setdefault(plan.segment(number), time)
    whole = plan.parts / ".whole.part"
    join_videos(list(starts.items()), whole)
    try:
        whole.replace(plan.output)
    except OSError as error:
        raise OutputError(f"{plan.output}: cannot be written: {error.strerror}") from None
    shutil.rmtree(plan.parts, ignore_errors=True)


def _seqinfo(plan: VideoPlan, length: int) -> str:
    info = plan.source.info
    return (
        f"[Sequence]\nname={plan.output.resolve().name}\nimDir=img1\nframeRate={round(info.frame_rate, 3):g}\n"
        f"seqLength={length}\nimWidth={info.width}\nimHeight={info.height}\nimExt=.jpg\n"
    )


def _clear(plan: VideoPlan) -> None:
    """Remove what an earlier run made, so that none of it is taken for new, then its record."""
    shutil.rmtree(plan.parts, ignore_errors=True)
    if plan.kind == "folder":
        shutil.rmtree(plan.output / "img1", ignore_errors=True)
    manifest.forget(plan.record)
