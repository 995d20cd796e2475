"""vsdmot-nano against association trackers on the same proposals, set by set.

    python benchmarks/nano.py --model MODEL [--baseline MOTRV2] --data DATA --out FOLDER [--set NAME=FOLDER ...]

DATA holds `mot15/train/PETS09-S2L1`, on which nothing was trained, `clips/pets09_s2l1_480x360.mp4` (the same frames as
they were once put online) and `weights/yolox_nano_coco_legacy.safetensors` (published YOLOX-nano, for scale). PETS is
also degraded at fixed severities 1, 3 and 5 (seed 0). Each further set is a folder of sequences with ground truth, such
as rendered scenes that no training saw.

Tracks are kept in FOLDER as JSON Lines; what is there is not made again. Association trackers run on all proposals
above 0.05, as the paper has it, and on those above 0.6, which suits them better.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vsdmot import Tracker
from vsdmot.cli.console import Progress
from vsdmot.degradation.schedule import DegradeSettings
from vsdmot.degradation.trees import carry_out_tree, plan_tree
from vsdmot.degradation.workers import Workers
from vsdmot.detection.proposals import ProposalSource
from vsdmot.detection.yolox.detector import DetectorConfig, YoloxDetector
from vsdmot.evaluation.by_quality import split_by_quality
from vsdmot.evaluation.evaluate import Evaluation, evaluate
from vsdmot.io.annotations import GroundTruth, read_ground_truth
from vsdmot.io.datasets import describe_sequence, sequence_folders
from vsdmot.io.json_lines import JsonLinesWriter, read_json_lines
from vsdmot.io.sources import open_source
from vsdmot.structures import Frame, FrameResult, Proposals
from vsdmot.tracking.pretrained import load_pretrained
from vsdmot.tracking.query_tracking import QueryTracking
from vsdmot.training.yolox.coco_ap import average_precision

PETS = Path("mot15") / "train" / "PETS09-S2L1"
COLUMNS = ("HOTA", "DetA", "AssA", "MOTA", "IDF1")
SEVERITIES = (1, 3, 5)


@dataclass(frozen=True)
class Video:
    """A sequence with ground truth in pixels of its frames."""

    name: str
    source: Path
    truth: GroundTruth
    num_frames: int
    frame_rate: float


@dataclass(frozen=True)
class Entrant:
    """A tracker of the table, made anew for each video."""

    title: str
    make: Callable[[Video], Tracker]


def sets_of(data: Path, folder: Path, others: Sequence[str]) -> dict[str, list[Video]]:
    pets = open_sequence(data / PETS)
    low = data / "clips" / "pets09_s2l1_480x360.mp4"
    with open_source(low) as frames:
        scale = np.tile(np.array([frames.info.width, frames.info.height]) / (768, 576), 2)
    low_truth = replace(pets.truth, boxes=pets.truth.boxes * scale)
    sets = {"PETS, clean": [pets], "PETS, 480x360 H.264": [replace(pets, source=low, truth=low_truth)]}
    for severity in SEVERITIES:
        output = folder / f"pets-{severity}"
        plan = plan_tree(data / PETS, output, DegradeSettings(mode="fixed", seed=0, severity=severity))
        with Progress(f"degrading PETS, severity {severity}", plan.num_missing()) as progress, Workers(2) as workers:
            for _ in carry_out_tree(plan, workers):
                progress.advance()
        sets[f"PETS, severity {severity}"] = [replace(pets, source=output)]
    for named in others:
        name, _, path = named.partition("=")
        sets[name] = [open_sequence(one) for one in sequence_folders(Path(path))]
    return sets


def open_sequence(folder: Path) -> Video:
    found = describe_sequence(folder)
    return Video(found.name, folder, read_ground_truth(found.ground_truth), found.num_frames, found.frame_rate or 25.0)


class Finder:
    """Proposals of a model's own detector, found once for each video."""

    def __init__(self, detect: ProposalSource) -> None:
        self._detect = detect
        self._known: dict[tuple[Path, int], Proposals] = {}

    def on(self, video: Video, least: float) -> ProposalSource:
        """Give the proposals of a video that score above ``least``."""

        def propose(frame: Frame) -> Proposals:
            key = video.source, frame.index
            if key not in self._known:
                self._known[key] = self._detect(frame)
            return self._known[key].above(least)

        return propose


def entrants(arguments: argparse.Namespace) -> list[Entrant]:
    loaded = load_pretrained(arguments.model)
    own = Finder(QueryTracking.of(loaded.model, loaded.config).detect)
    settings = DetectorConfig(input_size=loaded.config.preprocessing.long_side)
    weights = arguments.data / "weights" / "yolox_nano_coco_legacy.safetensors"
    published = Finder(YoloxDetector.from_checkpoint(weights, config=settings))
    found = [Entrant("vsdmot-nano", lambda _: Tracker.from_pretrained(arguments.model))]
    if arguments.baseline:
        found.append(Entrant("MOTRv2-nano", lambda _: Tracker.from_pretrained(arguments.baseline)))
    for source, detector in (("", own), (", published YOLOX-nano", published)):
        for name, title in (("bytetrack", "ByteTrack"), ("ocsort", "OC-SORT")):
            for least in (0.05, 0.6):
                found.append(association(f"{title}{source}, above {least:g}", name, detector, least))
    return found


def association(title: str, name: str, finder: Finder, least: float) -> Entrant:
    def make(video: Video) -> Tracker:
        return Tracker.from_association(name, proposals=finder.on(video, least), frame_rate=video.frame_rate)

    return Entrant(title, make)


def run(entrant: Entrant, kind: str, video: Video, folder: Path) -> list[FrameResult]:
    path = folder / "tracks" / kind / entrant.title / f"{video.name}.jsonl"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        tracker, part = entrant.make(video), path.with_suffix(".part")
        with JsonLinesWriter(part) as lines, open_source(video.source) as frames:
            for frame in frames:
                lines.write(tracker.update(frame))
        os.replace(part, path)
    return list(read_json_lines(path))


def print_table(kind: str, videos: Sequence[Video], runs: dict[str, Evaluation]) -> None:
    frames = sum(video.num_frames for video in videos)
    print(f"\n{kind}: {len(videos)} sequence(s), {frames} frames\n\n| tracker | " + " | ".join(COLUMNS) + " | IDSW |")
    print("| --- |" + " --- |" * (len(COLUMNS) + 1))
    for title, evaluation in runs.items():
        scores = evaluation.combined
        cells = " | ".join(f"{100 * scores[column]:.1f}" for column in COLUMNS)
        print(f"| {title} | {cells} | {scores['IDSW']} |", flush=True)


def print_detector(sets: dict[str, list[Video]], detectors: dict[str, Callable[[], ProposalSource]]) -> None:
    print("\n| detector | " + " | ".join(sets) + " |\n| --- |" + " --- |" * len(sets))
    for title, make in detectors.items():
        detect, cells = make(), []
        for videos in sets.values():
            found, people = [], []
            for video in videos:
                with open_source(video.source) as frames:
                    for frame in frames:
                        if frame.index % 5 == 1:
                            found.append(detect(frame))
                            people.append(video.truth.people().on_frame(frame.index).boxes.astype(np.float32))
            nobody = [np.zeros((0, 4), np.float32)] * len(people)
            cells.append(f"{100 * average_precision(found, people, nobody).ap50:.1f}")
        print(f"| {title} | " + " | ".join(cells) + " |", flush=True)


def print_by_quality(
    kind: str, videos: Sequence[Video], runs: dict[str, Evaluation], one: dict[str, list[FrameResult]]
) -> None:
    groups = split_by_quality(
        {name: np.array([result.quality.score for result in results]) for name, results in one.items()},
        [{video.name: run.sequences[video.name].by_frame for video in videos} for run in runs.values()],
    )
    print(
        f"\n{kind}, HOTA by quarters of Q\n\n| tracker | " + " | ".join(f"{g.low:.2f} - {g.high:.2f}" for g in groups)
    )
    print("| --- |" + " --- |" * len(groups))
    for number, title in enumerate(runs):
        print(f"| {title} | " + " | ".join(f"{100 * group.scores[number]['HOTA']:.1f}" for group in groups) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a folder or name, as for vsdmot track --weights")
    parser.add_argument("--baseline", help="the same network without student")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder for degraded frames and tracks")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=FOLDER", dest="sets")
    parser.add_argument("--only", nargs="*", help="sets to run, by the beginning of their names")
    parser.add_argument("--detector-only", action="store_true", help="AP50 of the detectors, no tracking")
    arguments = parser.parse_args()
    sets = sets_of(arguments.data, arguments.out, arguments.sets)
    if arguments.only:
        sets = {name: videos for name, videos in sets.items() if name.startswith(tuple(arguments.only))}
    if arguments.detector_only:
        loaded = load_pretrained(arguments.model)
        config = replace(loaded.config, proposing=replace(loaded.config.proposing, score_threshold=0.01))
        size = DetectorConfig(input_size=config.preprocessing.long_side, score_threshold=0.01)
        weights = arguments.data / "weights" / "yolox_nano_coco_legacy.safetensors"
        print_detector(
            sets,
            {
                "vsdmot-nano": lambda: QueryTracking.of(loaded.model, config).detect,
                "published YOLOX-nano": lambda: YoloxDetector.from_checkpoint(weights, config=size),
            },
        )
        return
    running = entrants(arguments)
    for kind, videos in sets.items():
        results = {
            entrant.title: {video.name: run(entrant, kind, video, arguments.out) for video in videos}
            for entrant in running
        }
        truth = {video.name: video.truth for video in videos}
        lengths = {video.name: video.num_frames for video in videos}
        runs = {title: evaluate(truth, found, num_frames=lengths) for title, found in results.items()}
        print_table(kind, videos, runs)
        print_by_quality(kind, videos, runs, next(iter(results.values())))


if __name__ == "__main__":
    main()
