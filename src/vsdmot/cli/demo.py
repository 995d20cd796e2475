"""``vsdmot demo``: the whole way from a poor video to tracks and a report, without any download.

The clip shows rendered people in a place that no training saw; the model that comes with the package finds and follows
them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vsdmot.cli.arguments import make_parser, parse
from vsdmot.cli.console import Progress, say, show_files
from vsdmot.cli.cores import usable_cores
from vsdmot.cli.eval import EvalSettings, evaluate_files
from vsdmot.cli.report import ReportSettings, report
from vsdmot.cli.stopping import until_stopped
from vsdmot.cli.track import Summary, TrackSettings, track
from vsdmot.detection.writers import DetTextWriter
from vsdmot.io.mot_text import MotTextWriter
from vsdmot.io.outputs import check_output
from vsdmot.io.video_writer import VideoWriter
from vsdmot.structures import FrameQuality, FrameResult
from vsdmot.synthesis.figure_clip import FigureClipConfig, FigureFrame
from vsdmot.synthesis.imitated_detector import noisy_proposals


@dataclass(frozen=True, kw_only=True)
class DemoSettings:
    """Render a short low-quality clip of people, track it, score the tracks, and report on one HTML page.

    The people are rendered, so that nothing is downloaded and their true places are known; the clip gets poor in the
    middle. The tracker is vsdmot-nano, which comes with the package. A demo already in the folder is replaced.

    Attributes:
        output: Folder for the files; made if missing.
        clip: What the clip shows.
    """

    output: Path = Path("vsdmot-demo")
    clip: FigureClipConfig = field(default_factory=FigureClipConfig)


def main(arguments: Sequence[str]) -> None:
    """Run the verb from the words after ``vsdmot demo``."""
    parser = make_parser(DemoSettings, prog="vsdmot demo", short={"output": "-o"})
    demo(parse(parser, DemoSettings, arguments))


def demo(settings: DemoSettings) -> Summary:
    """Make the clip, track it, score the tracks, make the report and say where the files are.

    Raises:
        OutputError: The folder cannot be written.
    """
    clip, truth = (settings.output / name for name in ("clip.mp4", "clip.gt.txt"))
    say("Rendering a low-quality clip of people (the first time, half a minute goes into compiling) ...")
    from vsdmot.synthesis.rendered_clip import render_people

    frames = render_people(settings.clip, threads=usable_cores())
    write_clip(frames, settings.clip, clip, truth)
    say("Tracking it with vsdmot-nano, which comes with the package ...")
    summary = track(
        TrackSettings(
            source=str(clip),
            output=settings.output / "clip.tracked.mp4",
            mot=settings.output / "clip.mot.txt",
            jsonl=settings.output / "clip.jsonl",
            record=settings.output / "clip.run.json",
            overwrite=True,
        )
    )
    say("\nHow well, and how well where the picture is poor:")
    evaluate_files(
        EvalSettings(
            gt=truth,
            pred=(settings.output / "clip.mot.txt",),
            by_quality=str(settings.output / "clip.jsonl"),
            columns=("HOTA", "DetA", "AssA", "MOTA", "IDF1", "IDSW"),
        )
    )
    say("Made for it:")
    show_files([clip, truth])
    say("The report:")
    page = settings.output / "report.html"
    report(
        ReportSettings(
            runs=(settings.output / "clip.jsonl",),
            source=(clip,),
            gt=truth,
            names=("vsdmot-nano",),
            output=page,
            overwrite=True,
        )
    )
    say(f"Open {page} in a browser: it shows where the picture fails, and what the tracker makes of it.")
    return summary


def write_clip(
    frames: Iterable[FigureFrame], config: FigureClipConfig, clip: Path, truth: Path, detections: Path | None = None
) -> None:
    """Write a clip, its true boxes and, where they are asked for, proposals that err as a detector would."""
    for path in (clip, truth, detections):
        if path is not None:
            check_output(path, overwrite=True)
    chance = np.random.default_rng(config.seed)
    with contextlib.ExitStack() as stack:
        progress = stack.enter_context(Progress("rendering", config.num_frames))
        video = stack.enter_context(
            VideoWriter(clip, width=config.width, height=config.height, frame_rate=config.frame_rate)
        )
        boxes = stack.enter_context(MotTextWriter(truth))
        proposals = None if detections is None else stack.enter_context(DetTextWriter(detections))
        for drawn in until_stopped(frames):
            frame = drawn.frame
            video.write(frame.image, frame.time)
            boxes.write(FrameResult(frame.index, frame.time, drawn.truth, _KNOWN, None, 0))
            if proposals is not None:
                proposals.write(frame, noisy_proposals(drawn.truth, frame.image.shape, chance, severity=drawn.severity))
            progress.advance()


_KNOWN = FrameQuality(clarity=1.0, noise=0.0, contrast=1.0, score=1.0)
"""Ground truth does not depend on how the frame looks; the text file does not hold it either."""
