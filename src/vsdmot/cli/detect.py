"""``vsdmot detect``: the proposals of a detector, as a file that can be used again."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vsdmot.cli.arguments import make_parser, parse
from vsdmot.cli.console import Progress, say, show_files, warn, warn_about_reading
from vsdmot.cli.stopping import until_stopped
from vsdmot.cli.track import make_detector
from vsdmot.config import above, check, within
from vsdmot.detection.writers import DetDbWriter, DetTextWriter
from vsdmot.detection.yolox.detector import DetectorConfig
from vsdmot.errors import ConfigError
from vsdmot.io.outputs import check_output
from vsdmot.io.sources import open_source


@dataclass(frozen=True, kw_only=True)
class DetectSettings:
    """Find people in every frame and write their boxes.

    OUT.txt is MOTChallenge detections (frame,-1,left,top,width,height,score); OUT.json is the det_db form that MOTRv2
    reads. Both can be given to `vsdmot track --detections`. The file takes its name when it is complete; a run that is
    stopped leaves OUT.txt.part, which can be used like the whole.

    Attributes:
        source: Video file, folder of images, glob pattern in quotes, MOTChallenge sequence folder, camera number,
            or rtsp:// or http:// address.
        detector: YOLOX weights: official, ByteTrack, OC-SORT, DanceTrack, or safetensors.
        output: The file to write; its ending, .txt or .json, decides the format.
        conf: Only boxes that score above this are written (0 to 1); null takes yolox.score_threshold.
        device: Where the network runs: auto, cpu, cuda:N or mps.
        overwrite: Replace an output file that exists.
        fps: Frames per second, in place of what the source says.
        yolox: Settings of the detector.
    """

    source: str
    detector: Path
    output: Path
    conf: float | None = None
    device: str = "auto"
    overwrite: bool = False
    fps: float | None = None
    yolox: DetectorConfig = field(default_factory=DetectorConfig)

    def __post_init__(self) -> None:
        check(self, conf=within(0, 1), fps=above(0))


def main(arguments: Sequence[str]) -> None:
    """Run the verb from the words after ``vsdmot detect``."""
    parser = make_parser(DetectSettings, prog="vsdmot detect", positional=["source"], short={"output": "-o"})
    detect(parse(parser, DetectSettings, arguments))


def detect(settings: DetectSettings) -> int:
    """Detect people in a source and write the file that the settings name.

    Returns:
        How many boxes were written.

    Raises:
        VsdmotError: The source, the weights or the output cannot be used.
    """
    if settings.output.suffix not in (".txt", ".json"):
        raise ConfigError(f"-o must end in .txt (MOTChallenge) or .json (det_db), got {settings.output}")
    num_boxes = 0
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(open_source(settings.source, frame_rate=settings.fps))
        check_output(settings.output, settings.overwrite, source=settings.source)
        detector = make_detector(settings.detector, settings.yolox, settings.conf, settings.device)
        progress = stack.enter_context(Progress("detecting", source.info.num_frames))
        writer: DetTextWriter | DetDbWriter = (
            DetTextWriter(settings.output)
            if settings.output.suffix == ".txt"
            else DetDbWriter(settings.output, sequence=source.info.name)
        )
        stack.enter_context(writer)
        try:
            for frame in until_stopped(source):
                proposals = detector(frame)
                writer.write(frame, proposals)
                num_boxes += len(proposals)
                progress.advance()
        except KeyboardInterrupt:
            warn(f"{source.report.num_read} frames were done; they are in {settings.output}.part")
            raise
    warn_about_reading(source)
    say(f"{source.report.num_read} frames, {num_boxes} boxes")
    show_files([settings.output])
    return num_boxes
