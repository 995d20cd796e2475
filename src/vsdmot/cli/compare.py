"""``vsdmot compare``: runs side by side on video, and strips of the moments in which they differ."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vsdmot.cli.arguments import make_parser, parse
from vsdmot.cli.console import Progress, say, show_files, warn, warn_about_reading
from vsdmot.cli.stopping import until_stopped
from vsdmot.config import at_least, check, within
from vsdmot.errors import ConfigError, SourceError
from vsdmot.io.image_writer import write_image
from vsdmot.io.images import IMAGE_SUFFIXES
from vsdmot.io.outputs import check_output
from vsdmot.io.problems import counted, some
from vsdmot.io.sources import Source, open_source
from vsdmot.io.video_writer import VideoWriter
from vsdmot.io.whole_files import write_whole
from vsdmot.report.compare.disagreement import choose_moments
from vsdmot.report.compare.lockstep import in_lockstep
from vsdmot.report.compare.panels import SideBySide, choose_layout
from vsdmot.report.compare.plan import Comparison, plan_comparison
from vsdmot.report.compare.strips import Strip
from vsdmot.report.page.judging import check_not_live, find_truth_of_videos
from vsdmot.report.runs import check_runs, read_runs, videos_of_runs


@dataclass(frozen=True, kw_only=True)
class CompareSettings:
    """Show runs of trackers side by side: as a video, and as a strip of frames like Fig. 6 and 7 of the paper.

    A person has the same number and colour in all runs, as far as the runs can be matched: that of the ground truth
    with --gt, else that of the first run. With --gt ID switches are marked. The strip's moments are those in which the
    runs differ most, or those that --frames names.

    A run is what `vsdmot track` writes (.jsonl or .mot.txt); other formats that `vsdmot convert` reads will do too.

    Attributes:
        runs: The runs, a file each; the first is at the top, and left.
        output: The video to write (mp4).
        strip: The strip to write, an image (.png, .jpg): a row for each run, a column for each moment.
        ids: Also write which id of each run became which common number, to this file (CSV).
        gt: Ground truth of the video: a gt.txt or a sequence. Where a video is a smaller copy of the annotated one,
            boxes are scaled, if the sequence's folder tells the annotated size.
        source: The video, folder of images or sequence that was tracked: one for all runs, or one for each in the same
            order, such as a clean and a low-quality copy; null takes the video of the same name beside each run.
        names: What the runs are called, separated by commas; null names them after their files.
        frames: Frames of the strip, separated by commas; null finds those in which the runs differ most.
        columns: How many frames are found for the strip.
        cell_width: Width of a frame in the strip, pixels; larger shows more.
        panel_height: Height of each run's picture in the video, pixels; null takes the video's own, or less where the
            whole would be wider than 1920 pixels.
        crf: Quality of the video, 18 (looks lossless) to 40 (coarse): 6 less double its size.
        overwrite: Replace files that exist.
    """

    runs: tuple[Path, ...]
    output: Path | None = None
    strip: Path | None = None
    ids: Path | None = None
    gt: Path | None = None
    source: tuple[Path, ...] = ()
    names: tuple[str, ...] | None = None
    frames: tuple[int, ...] | None = None
    columns: int = 5
    cell_width: int = 320
    panel_height: int | None = None
    crf: int = 23
    overwrite: bool = False

    def __post_init__(self) -> None:
        check(
            self,
            runs=lambda paths: None if len(paths) > 1 else "at least two files",
            strip=lambda path: None if path.suffix.lower() in IMAGE_SUFFIXES else "an image, such as strip.png",
            frames=lambda frames: None if frames and min(frames) >= 1 else "frames, from 1 on",
            columns=within(1, 100),
            cell_width=within(48, 4096),
            panel_height=at_least(48),
            crf=within(10, 45),
        )
        check_runs(self.runs, self.names, self.source)


def main(arguments: Sequence[str]) -> None:
    """Run the verb from the words after ``vsdmot compare``."""
    parser = make_parser(CompareSettings, prog="vsdmot compare", positional=["runs"], short={"output": "-o"})
    compare(parse(parser, CompareSettings, arguments))


def compare(settings: CompareSettings) -> Comparison:
    """Write what the settings name.

    Raises:
        VsdmotError: Something is missing, broken, or does not go together.
    """
    outputs = _check_outputs(settings)
    runs = read_runs(settings.runs, settings.names)
    paths, video_of = videos_of_runs(settings.runs, settings.source)
    with contextlib.ExitStack() as stack:
        sources = [stack.enter_context(open_source(path)) for path in paths]
        infos = [source.info for source in sources]
        check_not_live(infos)
        truth = None if settings.gt is None else find_truth_of_videos(settings.gt, infos)
        comparison = plan_comparison(runs, infos, video_of, truth)
        if settings.ids is not None:
            write_whole(settings.ids, _ids_as_csv(comparison).encode())
        # The first run's video leads, and decides which frames there are.
        order = sorted(range(len(sources)), key=lambda number: number != video_of[0])
        strip = _plan_strip(comparison, settings)
        _read(comparison, settings, [sources[number] for number in order], order, strip)
        if strip is not None and settings.strip is not None:
            _write_strip(strip, settings.strip)
    _say_what_it_shows(comparison)
    show_files(outputs)
    return comparison


def _check_outputs(settings: CompareSettings) -> list[Path]:
    outputs = [path for path in (settings.output, settings.strip, settings.ids) if path is not None]
    if settings.output is None and settings.strip is None:
        raise ConfigError("give -o (a video), --strip (an image), or both: nothing else is written")
    if len({path.resolve() for path in outputs}) < len(outputs):
        raise ConfigError(f"-o, --strip and --ids must name different files, got {some(outputs, 3)}")
    if settings.strip is None and settings.frames is not None:
        raise ConfigError("--frames is for the strip, which is not written; name it with --strip")
    for output in outputs:
        for path in (*settings.runs, *settings.source, *([settings.gt] if settings.gt else [])):
            check_output(output, settings.overwrite, source=path)
    return outputs


def _plan_strip(comparison: Comparison, settings: CompareSettings) -> Strip | None:
    """Choose the moments."""
    if settings.strip is None:
        return None
    if settings.frames is not None:
        return Strip(comparison, sorted(set(settings.frames)), cell_width=settings.cell_width)
    rate = comparison.videos[comparison.runs[0].video].frame_rate
    course = comparison.course()
    if not course.any():
        warn("the runs do not differ; the strip shows moments at even distances")
    return Strip(comparison, choose_moments(course, settings.columns, frame_rate=rate), cell_width=settings.cell_width)


def _read(
    comparison: Comparison,
    settings: CompareSettings,
    sources: Sequence[Source],
    order: Sequence[int],
    strip: Strip | None,
) -> None:
    """Go through the videos once, the leading one first, and write the video as it goes."""
    rate = sources[0].info.frame_rate
    last = strip.frames[-1] if strip is not None and settings.output is None else None
    total = sources[0].info.num_frames
    with contextlib.ExitStack() as stack:
        progress = stack.enter_context(Progress("comparing", total if last is None else min(last, total or last)))
        side, writer = None, None
        if settings.output is not None:
            layout = choose_layout(comparison.size, len(comparison.runs), panel_height=settings.panel_height)
            side = SideBySide(comparison, layout)
            writer = stack.enter_context(
                VideoWriter(settings.output, width=side.width, height=side.height, frame_rate=rate, crf=settings.crf)
            )
        num_frames = 0
        for frame, found in until_stopped(in_lockstep(sources)):
            if last is not None and frame.index > last:
                break
            own = [found[order.index(number)] for number in range(len(sources))]
            if side is not None and writer is not None:
                writer.write(side.draw(frame, own), frame.time)
            if strip is not None:
                strip.add(frame, own)
            num_frames += 1
            progress.advance()
    for source in sources:
        warn_about_reading(source)
    if not num_frames:
        raise SourceError(f"{sources[0].info.location}: no frame could be read")


def _write_strip(strip: Strip, path: Path) -> None:
    if len(strip.missing) == len(strip.frames):
        raise ConfigError(f"--frames: none of {some(strip.frames)} is in the video")
    if strip.missing:
        warn(f"{counted(len(strip.missing), 'moment')} of the strip not in the video: {some(strip.missing)}")
    shown = [frame for frame in strip.frames if frame not in strip.missing]
    say(f"the strip shows frames {_listed(shown)}")
    write_image(path, strip.draw())


def _listed(frames: Iterable[int]) -> str:
    return ", ".join(map(str, frames))


def _ids_as_csv(comparison: Comparison) -> str:
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(["run", "id", "number"])
    for one in comparison.runs:
        for own, shared in sorted(one.shared.items()):
            writer.writerow([one.run.name, own, shared])
    return written.getvalue()


def _say_what_it_shows(comparison: Comparison) -> None:
    first = set(comparison.runs[0].shared.values())
    for number, one in enumerate(comparison.runs):
        line = f"{one.run.name}: {counted(len(one.shared), 'track')}"
        if comparison.truth is None and number:
            line += f", {len(first & set(one.shared.values()))} of them as in {comparison.runs[0].run.name}"
        if one.judged is not None:
            scores = one.judged.scores
            switches = counted(int(scores["IDSW"]), "ID switch", "ID switches")
            line += f", HOTA {100 * scores['HOTA']:.1f}, {switches}"
        say(line)
