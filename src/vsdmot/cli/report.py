"""``vsdmot report``: runs of trackers on a video, as one HTML page that shows where they fail."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vsdmot.cli.arguments import make_parser, parse
from vsdmot.cli.console import Progress, say, show_files, warn, warn_about_reading
from vsdmot.cli.stopping import until_stopped
from vsdmot.config import check, to_mapping, within
from vsdmot.errors import OutputError, SourceError
from vsdmot.io.outputs import check_output
from vsdmot.io.problems import counted
from vsdmot.io.sources import Source, open_source
from vsdmot.io.whole_files import write_whole
from vsdmot.report.page.contents import Contents, plan
from vsdmot.report.page.film import Film
from vsdmot.report.page.judging import check_not_live, find_truth_of_videos
from vsdmot.report.page.page import make_page
from vsdmot.report.runs import Run, check_runs, read_runs, videos_of_runs

LARGE_PAGE = 150_000_000


@dataclass(frozen=True, kw_only=True)
class ReportSettings:
    """Make one HTML page of the runs of trackers: their video side by side, and where they fail.

    The page needs no network and no other file: video, tracks, timeline of quality, events, worst moments, life lines
    and, with --gt, the official metrics and a row of pictures for each ID switch and fragment.

    A run is what `vsdmot track` writes: the .jsonl, which holds quality and semantic weight, or the .mot.txt, which
    holds boxes only; the page says what is missing. Other formats that `vsdmot convert` reads will do too.

    Attributes:
        runs: The runs, a file each.
        output: The page to write.
        gt: Ground truth of the video: a gt.txt or a sequence. Where the video is a smaller copy of the annotated one,
            boxes are scaled, if the sequence's folder tells the annotated size.
        source: The video, folder of images or sequence that was tracked: one for all runs, or one for each in the same
            order; null takes the video of the same name beside each run.
        names: What the runs are called on the page, separated by commas; null names them after their files.
        rows: ID switches and fragments that are shown as rows of pictures, for each run at most; more make the page
            larger, and the timeline marks all of them in any case.
        picture_size: Pixels of the longer side of the video in the page; larger shows more and makes a larger page.
        crf: Quality of the video in the page, 18 (looks lossless) to 40 (coarse): 6 less double its size.
        overwrite: Replace a page that exists.
    """

    runs: tuple[Path, ...]
    output: Path
    gt: Path | None = None
    source: tuple[Path, ...] = ()
    names: tuple[str, ...] | None = None
    rows: int = 40
    picture_size: int = 640
    crf: int = 28
    overwrite: bool = False

    def __post_init__(self) -> None:
        check(
            self,
            runs=lambda paths: None if paths else "at least one file",
            rows=within(0, 2000),
            picture_size=within(64, 4096),
            crf=within(10, 45),
        )
        check_runs(self.runs, self.names, self.source)


def main(arguments: Sequence[str]) -> None:
    """Run the verb from the words after ``vsdmot report``."""
    parser = make_parser(ReportSettings, prog="vsdmot report", positional=["runs"], short={"output": "-o"})
    report(parse(parser, ReportSettings, arguments))


def report(settings: ReportSettings) -> Contents:
    """Make the page.

    Returns:
        What it shows.

    Raises:
        VsdmotError: Something is missing, broken, or does not go together; a page that exists stays as it is.
    """
    for path in (*settings.runs, *settings.source, *([settings.gt] if settings.gt else [])):
        check_output(settings.output, settings.overwrite, source=path)
    runs = read_runs(settings.runs, settings.names)
    paths, video_of = videos_of_runs(settings.runs, settings.source)
    with contextlib.ExitStack() as stack:
        sources = [stack.enter_context(open_source(path)) for path in paths]
        contents = _plan(settings, runs, sources, video_of)
        folder = Path(stack.enter_context(_scratch_beside(settings.output)))
        films = [
            _film(source, folder / f"{number}.mp4", contents, number, settings) for number, source in enumerate(sources)
        ]
        page = make_page(contents, films, [source.report for source in sources], to_mapping(settings))
        write_whole(settings.output, page)
    for run, film in ((run, films[number]) for run, number in zip(runs, video_of, strict=True)):
        if run.length > film.indices[-1]:
            warn(f"{run.path}: goes on to frame {run.length}, the video ends at {film.indices[-1]}")
    for run in runs:
        for sentence in run.missing():
            warn(f"{run.path}: {sentence[0].lower()}{sentence[1:].removesuffix('.')}")
    _say_what_it_shows(contents)
    show_files([settings.output])
    if len(page) > LARGE_PAGE:
        warn("the page is large; --picture-size 480 or --crf 34 make it smaller")
    return contents


def _plan(settings: ReportSettings, runs: list[Run], sources: list[Source], video_of: list[int]) -> Contents:
    """Judge the runs, and decide what is shown."""
    infos = [source.info for source in sources]
    check_not_live(infos)
    truth = None if settings.gt is None else find_truth_of_videos(settings.gt, infos)
    return plan(runs, infos, video_of, truth, settings.rows)


def _scratch_beside(output: Path) -> contextlib.AbstractContextManager[str]:
    """Make a folder for the small videos where the page goes: there is room for them, or none for the page either."""
    try:
        return tempfile.TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent)
    except OSError as error:
        raise OutputError(f"{output}: cannot be written: {error.strerror}") from None


def _film(source: Source, path: Path, contents: Contents, number: int, settings: ReportSettings) -> Film:
    """Read a video once, for its small copy and all thumbnails."""
    film = Film(
        path,
        source.info,
        longest_side=settings.picture_size,
        crf=settings.crf,
        thumbnails=contents.thumbnails(number),
    )
    try:
        with film, Progress(f"reading {source.info.name}", source.info.num_frames) as progress:
            for frame in until_stopped(source):
                film.add(frame)
                progress.advance()
    finally:
        warn_about_reading(source)
    if not film.indices:
        raise SourceError(f"{source.info.location}: no frame could be read")
    return film


def _say_what_it_shows(contents: Contents) -> None:
    for number, run in enumerate(contents.runs):
        line = f"{run.name}: {counted(len(run.lives), 'track')} in {counted(run.length, 'frame')}"
        if contents.judged:
            judged = contents.judged[number]
            scores = judged.scores
            line += (
                f", HOTA {100 * scores['HOTA']:.1f}, {counted(int(scores['IDSW']), 'ID switch', 'ID switches')}, "
                f"{counted(int(scores['Frag']), 'fragment')}"
            )
            left_out = len(judged.breaks) - len(contents.rows[number])
            if left_out:
                line += f"; {left_out} of these are marked on the timeline without pictures (--rows)"
        say(line)
