"""``vsdmot detect``: the proposals of a detector, as a file that can be used again, or as many for a data set."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from vsdmot.cli.arguments import make_parser, parse
from vsdmot.cli.console import Progress, say, show_files, warn, warn_about_reading
from vsdmot.cli.named_weights import find_detector
from vsdmot.cli.stopping import until_stopped
from vsdmot.cli.track import make_detector
from vsdmot.config import above, check, within
from vsdmot.datasets.splits import SplitEntry
from vsdmot.detection.writers import DetDbWriter, DetTextWriter
from vsdmot.detection.yolox.detector import DetectorConfig
from vsdmot.devices import resolve_device
from vsdmot.errors import ConfigError, SourceError
from vsdmot.io.datasets import sequence_folders
from vsdmot.io.images import list_images
from vsdmot.io.outputs import check_output
from vsdmot.io.sources import open_source
from vsdmot.training.yolox.proposing import (
    Proposer,
    left_to_do,
    num_frames,
    open_proposer,
    propose,
    sequences_of,
    write_det_db,
)


@dataclass(frozen=True, kw_only=True)
class DetectSettings:
    """Find people in every frame and write their boxes.

    OUT.txt is MOTChallenge detections (frame,-1,left,top,width,height,score); OUT.json is the det_db form that MOTRv2
    reads. Both can be given to `vsdmot track --detections`. The file takes its name when it is complete; a run that is
    stopped leaves OUT.txt.part, which can be used like the whole.

    A data set (a folder of sequences, or a list of them in a .txt file, as `vsdmot data build` writes it) gives a
    folder with NAME.txt for each sequence. A run that was stopped goes on when the command is given again.

    Attributes:
        source: Video file, folder of images, glob pattern in quotes, MOTChallenge sequence folder, camera number,
            rtsp:// or http:// address; or a data set.
        detector: YOLOX weights: official, ByteTrack, OC-SORT, DanceTrack, or safetensors; vsdmot-nano, or another
            tracker's folder, whose backbone is a detector; or the name of a published one, such as yolox-s.
        output: The file to write; its ending, .txt or .json, decides the format. For a data set, a folder.
        det_db: For a data set, also write OUT/det_db.json with all sequences, which MOTRv2 reads.
        conf: Only boxes that score above this are written (0 to 1); null takes yolox.score_threshold.
        device: Where the network runs: auto, cpu, cuda:N or mps.
        overwrite: Replace an output file that exists; for a data set, begin anew.
        fps: Frames per second, in place of what the source says.
        yolox: Settings of the detector.
    """

    source: str
    detector: Path
    output: Path
    det_db: bool = False
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
    """Detect people in a source, or a data set, and write what the settings name.

    Returns:
        How many boxes were written.

    Raises:
        VsdmotError: The source, the weights or the output cannot be used.
    """
    if is_data_set(settings.source):
        return detect_data_set(settings)
    if settings.det_db:
        raise ConfigError(f"--det-db is for data sets, which {settings.source} is not; name the file OUT.json with -o")
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


def is_data_set(source: str) -> bool:
    """Tell whether a source is a list of sequences, or a folder without images of its own that holds sequences."""
    path = Path(source)
    if path.is_file():
        return path.suffix == ".txt"
    if not path.is_dir() or list_images(path):
        return False
    try:
        return path not in sequence_folders(path)
    except SourceError:  # nothing is in it: reading it as a single source says what is expected
        return False


def detect_data_set(settings: DetectSettings) -> int:
    """Detect people in all sequences of a data set that are not done yet.

    Returns:
        How many boxes were written.

    Raises:
        VsdmotError: The data, the weights or the output cannot be used.
    """
    output = settings.output
    if output.suffix in (".txt", ".json") or output.is_file():
        raise ConfigError(f"-o must be a folder for a data set, got {output}; --det-db also writes one JSON file")
    if settings.fps is not None:
        raise ConfigError("--fps is for a single source; images of a data set are taken one by one")
    source = Path(settings.source)
    entries = sequences_of(source)
    conf = settings.yolox.score_threshold if settings.conf is None else settings.conf
    config = replace(settings.yolox, score_threshold=conf)
    weights, config = find_detector(settings.detector, config)
    proposer = open_proposer(weights, config=config, device=resolve_device(settings.device))
    for note in proposer.detector.notes:
        say(note)
    _warn_about_seen(settings.detector, proposer, entries)
    left = left_to_do(entries, proposer, output, overwrite=settings.overwrite)
    if len(left) < len(entries):
        say(f"{len(entries) - len(left)} of {len(entries)} sequences are there already")
    counts: list[int] = []
    with Progress("detecting", num_frames(left)) as progress:
        for count in until_stopped(propose(left, proposer, output, warn=warn)):
            counts.append(count)
            progress.advance()
    say(f"{len(left)} sequences, {len(counts)} frames, {sum(counts)} boxes, in {output}")
    if settings.det_db:
        show_files([write_det_db(entries, output, source.parent if source.is_file() else source)])
    return sum(counts)


def _warn_about_seen(weights: Path, proposer: Proposer, entries: Sequence[SplitEntry]) -> None:
    """Say so if a detector was trained on what it is asked about."""
    seen = [entry.name for entry in entries if entry.name in (proposer.trained_on or ())]
    if seen:
        warn(
            f"{weights} was trained on {len(seen)} of these sequences ({seen[0]}{' ...' if len(seen) > 1 else ''}): "
            "its proposals there are better than on new video"
        )
