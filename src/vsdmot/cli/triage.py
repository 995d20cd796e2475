"""``vsdmot triage``: how good footage is, and what spoils it, without tracking."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vsdmot.cli.arguments import make_parser, parse
from vsdmot.cli.console import Progress, say, show_files, warn
from vsdmot.cli.stopping import until_stopped
from vsdmot.cli.tables import show_table
from vsdmot.config import above, at_least, check, to_mapping, within
from vsdmot.errors import ConfigError, SourceError
from vsdmot.io.glances import Glance, skim
from vsdmot.io.outputs import check_output
from vsdmot.io.problems import counted, some
from vsdmot.io.sources import Source, open_source
from vsdmot.io.video import VideoFile
from vsdmot.io.whole_files import write_whole
from vsdmot.report.triage_tables import (
    FIRST_TO_GO,
    overview_table,
    samples_to_csv,
    sampling,
    stretch_table,
    to_csv,
    to_json,
)
from vsdmot.triage.findings import Finding
from vsdmot.triage.recordings import find_recordings
from vsdmot.triage.scanning import Record, Scanner
from vsdmot.triage.stretches import find_stretches

MOST_ROWS = 60
"""Stretches of a recording that are printed; files hold all of them."""


@dataclass(frozen=True, kw_only=True)
class TriageSettings:
    """Find out which parts of hours of footage can be used, and what spoils the rest, without tracking.

    Prints the stretches of each recording: usable or not, its quality Q, and the main defect with how far it goes (1 is
    where it begins, 2 is twice as far): dark, low contrast, noise, blur, motion blur, enlarged, compression, small
    picture, repeated frames. Every frame is decoded and looked at for repeats; one in each half second is measured.
    Ctrl-C ends with what was seen so far.

    Attributes:
        source: Video file, folder of images, pattern in quotes, sequence, camera number or rtsp:// or http:// address;
            or many: a folder of them, a pattern, or a .txt file with one in each line.
        every: Seconds between measured pictures; fewer sees shorter changes and takes longer, 0 measures every frame.
        key_frames: Decode only the key frames of a video file: 10 and more times as fast. Repeated frames go unseen,
            and key frames may look better than the frames between them.
        usable: Q from which on a picture can be used (0 to 1). Raising it is stricter.
        shortest: Seconds that a change must last to make a stretch of its own.
        duration: Stop after so many seconds of each recording; null goes on to its end.
        csv: Also write the stretches to this file.
        json: Also write stretches, every defect's strength and the settings to this file.
        samples: Also write all that was measured on each picture to this file (CSV).
        plot: Also draw quality and defects over time into this file (PNG).
        overwrite: Replace files that exist.
        fps: Frames per second of a folder of images that does not say; overrides what any source says.
    """

    source: str
    every: float = 0.5
    key_frames: bool = False
    usable: float = 0.4
    shortest: float = 2.0
    duration: float | None = None
    csv: Path | None = None
    json: Path | None = None
    samples: Path | None = None
    plot: Path | None = None
    overwrite: bool = False
    fps: float | None = None

    def __post_init__(self) -> None:
        check(
            self,
            every=at_least(0),
            usable=within(0, 1),
            shortest=at_least(0),
            duration=above(0),
            fps=above(0),
            plot=lambda path: None if path.suffix.lower() == ".png" else "a file that ends in .png",
        )


def main(arguments: Sequence[str]) -> None:
    """Run the verb from the words after ``vsdmot triage``."""
    parser = make_parser(TriageSettings, prog="vsdmot triage", positional=["source"])
    triage(parse(parser, TriageSettings, arguments))


def triage(settings: TriageSettings) -> list[Finding]:
    """Look through what the settings name, print tables and write files.

    A recording that cannot be read does not stop the others; it is told at once, and again as an error at the end.

    Raises:
        VsdmotError: A recording or all of them cannot be read, or an output cannot be written.
    """
    outputs = [path for path in (settings.csv, settings.json, settings.samples, settings.plot) if path is not None]
    if len({path.resolve() for path in outputs}) < len(outputs):
        raise ConfigError(f"--csv, --json, --samples and --plot must name different files, got {some(outputs, 4)}")
    for path in outputs:
        check_output(path, settings.overwrite, source=settings.source)
    findings: list[Finding] = []
    failed: list[str] = []
    recordings = find_recordings(settings.source)
    try:
        for location in recordings:
            try:
                for finding in _look_through(location, settings):
                    findings.append(finding)
                    _show(finding)
            except SourceError as error:
                if len(recordings) == 1:
                    raise
                failed.append(location)
                warn(f"{error}; left out")
    finally:  # also after Ctrl-C: what was seen is worth having
        if findings:
            if len(findings) > 1:
                show_table(overview_table(findings))
            _write(findings, settings)
            show_files(outputs)
    if failed:
        raise SourceError(f"{settings.source}: {len(failed)} of {counted(len(recordings), 'recording')} cannot be read")
    return findings


def _look_through(location: str, settings: TriageSettings) -> Iterator[Finding]:
    """Give what is found in a recording; where Ctrl-C ends it, what was found until then, and then the interruption."""
    with open_source(location, frame_rate=settings.fps) as source:
        scanner, record = Scanner(settings.every, frame_rate=source.info.frame_rate), Record()
        if settings.key_frames and not isinstance(source, VideoFile):
            raise ConfigError(f"--key-frames is for video files, which {location} is not")
        last, num_frames, complete, stopped = 0.0, 0, False, None
        try:
            with Progress("looking through", _total(source, settings)) as progress:
                shown = 0
                for glance in until_stopped(_until(skim(source, key_frames_only=settings.key_frames), settings)):
                    if (sample := scanner.see(glance)) is not None:
                        record.add(sample)
                    last, num_frames = glance.time, num_frames + 1
                    for _ in range(glance.index - shown):
                        progress.advance()
                    shown = glance.index
            complete = settings.duration is None
        except KeyboardInterrupt as interruption:
            stopped = interruption
        if len(record):
            end = last + 1 / source.info.frame_rate
            yield _finding(source, record, settings, num_frames=num_frames, end=end, complete=complete)
        elif stopped is None:
            raise SourceError(f"{location}: no frames could be decoded")
        if stopped is not None:
            raise stopped


def _until(glances: Iterator[Glance], settings: TriageSettings) -> Iterator[Glance]:
    for glance in glances:
        if settings.duration is not None and glance.time >= settings.duration:
            return
        yield glance


def _total(source: Source, settings: TriageSettings) -> int | None:
    total = source.info.num_frames
    if settings.duration is None:
        return total
    wanted = round(settings.duration * source.info.frame_rate)
    return wanted if total is None else min(total, wanted)


def _finding(
    source: Source, record: Record, settings: TriageSettings, *, num_frames: int, end: float, complete: bool
) -> Finding:
    info, report = source.info, source.report
    notes = list(report.notes)
    if report.num_broken:
        notes.append(f"{counted(report.num_broken, 'frame')} broken and skipped")
    return Finding(
        location=info.location,
        width=info.width,
        height=info.height,
        frame_rate=info.frame_rate,
        num_frames=num_frames,
        key_frames_only=settings.key_frames,
        seconds=end,
        complete=complete,
        record=record,
        stretches=find_stretches(record, end=end, least_quality=settings.usable, shortest=settings.shortest),
        notes=notes,
    )


def _show(finding: Finding) -> None:
    for note in finding.notes:
        warn(f"{finding.location}: {note}")
    show_table(stretch_table(finding, most=MOST_ROWS), first_to_go=FIRST_TO_GO, styles={"usable": "bold", "Q": "bold"})
    say(f"{sampling(finding)}\n")


def _write(findings: Sequence[Finding], settings: TriageSettings) -> None:
    if settings.csv is not None:
        write_whole(settings.csv, to_csv(findings).encode())
    if settings.json is not None:
        used = {name: value for name, value in to_mapping(settings).items() if name in _TOLD}
        write_whole(settings.json, to_json(findings, used).encode())
    if settings.samples is not None:
        write_whole(settings.samples, samples_to_csv(findings).encode())
    if settings.plot is not None:
        from vsdmot.report.triage_plot import draw_plot

        write_whole(settings.plot, draw_plot(findings, settings.usable))


_TOLD = ("source", "every", "key_frames", "usable", "shortest", "duration", "fps")
"""Settings that decide what is found."""
