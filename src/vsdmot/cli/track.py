"""``vsdmot track``: a video in; overlay, MOT text, JSON Lines and a record of the run out."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from vsdmot.cli.arguments import make_parser, parse
from vsdmot.cli.console import Progress, say, show_files, warn, warn_about_reading
from vsdmot.cli.named_weights import find_detector
from vsdmot.cli.stopping import until_stopped
from vsdmot.cli.track_record import facts_of_run
from vsdmot.config import above, check, within
from vsdmot.detection.files import DetectionFile, open_detections
from vsdmot.detection.proposals import ProposalSource
from vsdmot.detection.yolox.detector import DetectorConfig, YoloxDetector
from vsdmot.devices import resolve_device
from vsdmot.errors import ConfigError
from vsdmot.io.json_lines import JsonLinesWriter
from vsdmot.io.mot_text import MotTextWriter
from vsdmot.io.outputs import check_output, default_output
from vsdmot.io.run_record import SUFFIX, write_record
from vsdmot.io.sources import Source, SourceInfo, open_source
from vsdmot.io.video_writer import VideoWriter
from vsdmot.report.overlay import Overlay, OverlayConfig
from vsdmot.structures import Frame, FrameResult, Proposals
from vsdmot.tracking.association import Association, AssociationConfig, AssociationName
from vsdmot.tracking.lifecycle import LifecycleOverrides
from vsdmot.tracking.model_names import DEFAULT, is_shipped
from vsdmot.tracking.pretrained import Pretrained, load_pretrained
from vsdmot.tracking.query_tracking import QueryTracking
from vsdmot.tracking.tracker import Tracker


@dataclass(frozen=True, kw_only=True)
class TrackSettings:
    """Track people through a video, and write what was found.

    Without -o, --mot, --jsonl and --record all four files are written beside the source: CLIP.tracked.mp4 (H.264, plays
    in a browser), CLIP.mot.txt (MOTChallenge), CLIP.jsonl (boxes, ids, scores, frame quality and semantic weight) and
    CLIP.run.json (settings, weights and versions). If any of them is named, only those that are named are written.
    Ctrl-C leaves complete files.

    Attributes:
        source: Video file, folder of images, glob pattern in quotes, MOTChallenge sequence folder, camera number,
            or rtsp:// or http:// address.
        tracker: How people are carried from frame to frame. vsdmot and motrv2 are networks, with --weights; the others
            link proposals by overlap and motion.
        weights: Tracker weights: vsdmot-nano, a folder with model.safetensors and config.json, a published MOTRv2
            checkpoint, or owner/name on the Hugging Face hub. Null takes vsdmot-nano for --tracker vsdmot.
        detector: YOLOX weights that propose boxes: official, ByteTrack, OC-SORT, DanceTrack, or safetensors;
            vsdmot-nano, or another tracker's folder, whose backbone is a detector; or the name of a published one,
            such as yolox-s. Weights with a detector inside, such as vsdmot-nano, need none.
        detections: Proposals from a file instead of a detector: MOTChallenge det.txt, or a det_db JSON.
        conf: Only proposals that score above this are used (0 to 1). Null takes yolox.score_threshold for a detector,
            what the weights say for the detector inside them, and everything for a file. Raising it gives fewer false
            tracks, lowering it finds faint people.
        device: Where networks run: auto, cpu, cuda:N or mps; auto takes the first NVIDIA GPU where there is one.
        output: The overlay video to write.
        mot: The MOTChallenge text file to write.
        jsonl: The JSON Lines file to write, a line for each frame.
        record: The record of the run to write, as JSON: settings, weights, versions, and the hashes of the files of
            tracks. As NAME.run.json beside NAME.jsonl it is found by `vsdmot report`.
        overwrite: Replace output files that exist.
        fps: Frames per second of a folder of images that does not say; overrides what any source says.
        yolox: Settings of the detector.
        lifecycle: Changes to the life cycle of vsdmot and motrv2.
        association: Settings of sort, bytetrack, ocsort and botsort.
        overlay: What is drawn.
    """

    source: str
    tracker: Literal["vsdmot", "motrv2", "bytetrack", "ocsort", "sort", "botsort"] = "vsdmot"
    weights: str | None = None
    detector: Path | None = None
    detections: Path | None = None
    conf: float | None = None
    device: str = "auto"
    output: Path | None = None
    mot: Path | None = None
    jsonl: Path | None = None
    record: Path | None = None
    overwrite: bool = False
    fps: float | None = None
    yolox: DetectorConfig = field(default_factory=DetectorConfig)
    lifecycle: LifecycleOverrides = field(default_factory=LifecycleOverrides)
    association: AssociationConfig = field(default_factory=AssociationConfig)
    overlay: OverlayConfig = field(default_factory=OverlayConfig)

    def __post_init__(self) -> None:
        check(self, conf=within(0, 1), fps=above(0))


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """The files of a run; None for one that is not written."""

    video: Path | None
    mot: Path | None
    jsonl: Path | None
    record: Path | None

    def named(self) -> list[Path]:
        """Give the files that are written."""
        return [path for path in (self.video, self.mot, self.jsonl, self.record) if path is not None]


@dataclass
class Summary:
    """What a run amounted to."""

    num_frames: int = 0
    people: set[int] = field(default_factory=set)
    quality: float = 0.0
    seconds: float = 0.0

    def add(self, result: FrameResult) -> None:
        """Count a frame."""
        self.num_frames += 1
        self.people.update(result.tracks.ids.tolist())
        self.quality += result.quality.score


def main(arguments: Sequence[str]) -> None:
    """Run the verb from the words after ``vsdmot track``."""
    parser = make_parser(TrackSettings, prog="vsdmot track", positional=["source"], short={"output": "-o"})
    track(parse(parser, TrackSettings, arguments))


def track(settings: TrackSettings) -> Summary:
    """Track a source and write the files that the settings name.

    Raises:
        VsdmotError: Something is missing, unreadable or in conflict; nothing was tracked yet, or what was tracked is
            written and complete.
    """
    check_conflicts(settings)
    with open_source(settings.source, frame_rate=settings.fps) as source:
        outputs = choose_outputs(settings, source.info)
        tracker, loaded = make_tracker(settings, source.info)
        summary, began = Summary(), datetime.now(UTC)
        try:
            run(tracker, source, outputs, settings.overlay, summary)
        finally:
            try:
                if outputs.record and summary.num_frames:
                    facts = facts_of_run(settings, loaded, source, summary, began)
                    write_record(outputs.record, facts, [path for path in (outputs.mot, outputs.jsonl) if path])
            finally:
                report(source, outputs, summary, tracker.notes)
    return summary


def check_conflicts(settings: TrackSettings) -> None:
    """Refuse combinations in which something asked for could not be done.

    Raises:
        ConfigError: Every conflict, a line each.
    """
    problems = []
    uses_network = settings.tracker in ("vsdmot", "motrv2")
    if uses_network and weights_of(settings) is None:
        problems.append(
            f"--tracker {settings.tracker} needs --weights (a folder, a MOTRv2 checkpoint or owner/name); no weights "
            "of that kind come with this package. Without any, use --tracker ocsort with a detector"
        )
    if not uses_network and settings.weights is not None:
        problems.append(f"--weights is for vsdmot and motrv2; --tracker {settings.tracker} has none")
    if not uses_network and settings.lifecycle != LifecycleOverrides():
        problems.append(f"--lifecycle.* is for vsdmot and motrv2, not for {settings.tracker}; see --association.*")
    if uses_network and settings.association != AssociationConfig():
        problems.append(f"--association.* is for the association trackers, not for {settings.tracker}")
    if not uses_network and settings.detector is None and settings.detections is None:
        problems.append(NO_PROPOSALS)
    if settings.detector is not None and settings.detections is not None:
        problems.append("--detector and --detections exclude each other: take one source of proposals")
    if settings.detections is not None and settings.yolox != DetectorConfig():
        problems.append("--yolox.* is for --detector, not for --detections; --conf filters a file")
    if settings.detections is None and settings.detector is None and settings.yolox != DetectorConfig():
        problems.append("--yolox.* is for --detector, which is not given")
    if settings.detections is not None and not uses_network and settings.device != "auto":
        problems.append(
            f"--device has nothing to place: --tracker {settings.tracker} with --detections runs no network"
        )
    text_only = settings.output is None and (settings.mot is not None or settings.jsonl is not None)
    if text_only and settings.overlay != OverlayConfig():
        problems.append("--overlay.* is for the video, which is not written; name it with -o")
    if problems:
        raise ConfigError("\n".join(problems))


NO_PROPOSALS = "give --detector (YOLOX weights) or --detections (a file of boxes): people are proposed by it"


def weights_of(settings: TrackSettings) -> str | None:
    """Give the weights of the network: those that are named, else for VSD-MOT those that come with the package."""
    if settings.weights is None and settings.tracker == "vsdmot" and is_shipped(DEFAULT):
        return DEFAULT
    return settings.weights


def choose_outputs(settings: TrackSettings, info: SourceInfo) -> Outputs:
    """Decide which files to write, and make sure now that they can be.

    Raises:
        OutputError: A file exists, or its folder cannot be written.
    """
    outputs = Outputs(video=settings.output, mot=settings.mot, jsonl=settings.jsonl, record=settings.record)
    if not outputs.named():
        outputs = Outputs(
            video=default_output(info, ".tracked.mp4"),
            mot=default_output(info, ".mot.txt"),
            jsonl=default_output(info, ".jsonl"),
            record=default_output(info, SUFFIX),
        )
    paths = outputs.named()
    if len({path.resolve() for path in paths}) < len(paths):
        raise ConfigError(
            f"-o, --mot, --jsonl and --record must name different files, got {', '.join(map(str, paths))}"
        )
    for path in paths:
        check_output(path, settings.overwrite, source=settings.source)
    return outputs


def make_tracker(settings: TrackSettings, info: SourceInfo) -> tuple[Tracker, Pretrained | None]:
    """Load what the settings name and put the tracker together; give it and the weights of its network, if it has one.

    Raises:
        VsdmotError: Weights or detections cannot be used.
    """
    names: dict[str, AssociationName] = {
        "sort": "sort",
        "bytetrack": "bytetrack",
        "ocsort": "ocsort",
        "botsort": "botsort",
    }
    if settings.tracker in names:
        method = Association(names[settings.tracker], settings.association, frame_rate=info.frame_rate)
        return Tracker(method, make_proposals(settings, info)), None
    weights = weights_of(settings)
    assert weights is not None, "check_conflicts"
    loaded = load_pretrained(weights)
    check_kind(settings.tracker, loaded)
    config = replace(loaded.config, lifecycle=settings.lifecycle.apply(loaded.config.lifecycle))
    proposals = make_proposals(settings, info)
    if proposals is None:
        if loaded.config.model.detector is None:
            raise ConfigError(f"{loaded.location} has no detector inside; {NO_PROPOSALS}")
        if settings.conf is not None:
            config = replace(config, proposing=replace(config.proposing, score_threshold=settings.conf))
    if not loaded.trained:
        warn(f"{loaded.location} holds random weights that were never trained: expect nonsense")
    network = QueryTracking.of(loaded.model.to(resolve_device(settings.device)), config)
    return Tracker(network, proposals, loaded.config.quality), loaded


def check_kind(tracker: str, loaded: Pretrained) -> None:
    """Refuse weights of the other kind, so that a result never carries the wrong name.

    Raises:
        ConfigError: VSD-MOT was asked for with weights without student, or MOTRv2 with weights that have one.
    """
    has_student = loaded.model.student is not None
    if tracker == "vsdmot" and not has_student:
        raise ConfigError(f"{loaded.location} has no student, so this is MOTRv2; use --tracker motrv2")
    if tracker == "motrv2" and has_student:
        raise ConfigError(f"{loaded.location} has a student, so this is VSD-MOT; use --tracker vsdmot")


def make_proposals(settings: TrackSettings, info: SourceInfo) -> ProposalSource | None:
    """Open the detector or the file of detections, and say what it assumed; None where neither is named.

    Raises:
        VsdmotError: It cannot be read.
    """
    if settings.detections is not None:
        file = open_detections(settings.detections, sequence=info.name)
        for note in file.notes:
            say(f"{settings.detections}: {note}")
        return file if settings.conf is None else AboveScore(file, settings.conf)
    if settings.detector is None:
        return None
    return make_detector(settings.detector, settings.yolox, settings.conf, settings.device)


def make_detector(path: Path, config: DetectorConfig, conf: float | None, device: str) -> YoloxDetector:
    """Load a detector, with ``conf`` in place of its score threshold if given, and say what it assumed."""
    if conf is not None:
        config = replace(config, score_threshold=conf)
    path, config = find_detector(path, config)
    detector = YoloxDetector.from_checkpoint(path, device=resolve_device(device), config=config)
    for note in detector.notes:
        say(note)
    return detector


class AboveScore:
    """Detections from a file, without the weak ones (a `ProposalSource`)."""

    def __init__(self, file: DetectionFile, threshold: float) -> None:
        self.file = file
        self.threshold = threshold

    def __call__(self, frame: Frame) -> Proposals:
        """Give the frame's detections that score above the threshold."""
        return self.file(frame).above(self.threshold)


def run(tracker: Tracker, source: Source, outputs: Outputs, drawing: OverlayConfig, summary: Summary) -> None:
    """Track frame by frame and write as it goes; an interruption leaves complete files."""
    info = source.info
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        progress = stack.enter_context(Progress("tracking", info.num_frames))
        mot = stack.enter_context(MotTextWriter(outputs.mot)) if outputs.mot else None
        jsonl = stack.enter_context(JsonLinesWriter(outputs.jsonl)) if outputs.jsonl else None
        video = None
        if outputs.video:
            overlay = Overlay(frame_rate=info.frame_rate, config=drawing)
            writer = VideoWriter(outputs.video, width=info.width, height=info.height, frame_rate=info.frame_rate)
            video = stack.enter_context(writer)
        for frame in until_stopped(source):
            result = tracker.update(frame)
            if mot:
                mot.write(result)
            if jsonl:
                jsonl.write(result)
            if video:
                video.write(overlay.draw(frame, result), frame.time)
            summary.add(result)
            summary.seconds = time.monotonic() - started
            progress.advance()


def report(source: Source, outputs: Outputs, summary: Summary, notes: Sequence[str]) -> None:
    """Close with what was read, what was found, and where it is."""
    warn_about_reading(source, *notes)
    if not summary.num_frames:
        return
    rate = summary.num_frames / max(summary.seconds, 1e-9)
    people = "nobody was reported" if not summary.people else f"{len(summary.people)} track ids"
    quality = summary.quality / summary.num_frames
    say(f"{summary.num_frames} frames, {people}, mean quality {quality:.2f}, {rate:.1f} frames/s")
    show_files(outputs.named())
