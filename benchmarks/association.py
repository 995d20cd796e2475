"""SORT, ByteTrack, OC-SORT and BoT-SORT with the published YOLOX-nano on real sequences: accuracy, also by quality.

    python benchmarks/association.py --data DATA --out FOLDER [--trackers sort] [--frame-rate 30] [--conf 0.6]

DATA holds `weights/yolox_nano_coco_legacy.safetensors` (published YOLOX-nano, COCO), the sequences in `mot15/train`,
and `clips/pets09_s2l1_480x360.mp4`: PETS09-S2L1 as it was once put online, the same frames in 480x360 and H.264. Its
ground truth is that of the sequence, scaled. Everything runs with its default settings.

Proposals and tracks are kept in FOLDER, so that a second run is quick: `FOLDER/mot/clean/TRACKER` is a folder for
`vsdmot eval --pred`. Delete them after a change of detector or tracker.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from vsdmot import Tracker
from vsdmot.cli.console import Progress
from vsdmot.detection.yolox.detector import DetectorConfig, YoloxDetector
from vsdmot.evaluation.by_quality import QualityGroup, split_by_quality
from vsdmot.evaluation.evaluate import Evaluation, evaluate
from vsdmot.io.annotations import GroundTruth, read_ground_truth
from vsdmot.io.datasets import describe_sequence
from vsdmot.io.json_lines import JsonLinesWriter, read_json_lines
from vsdmot.io.mot_text import MotTextWriter
from vsdmot.io.sources import open_source
from vsdmot.structures import Frame, FrameResult, Proposals
from vsdmot.tracking.association import AssociationName

SEQUENCES = {"PETS09-S2L1": 1024, "TUD-Stadtmitte": 640, "TUD-Campus": 640, "ETH-Sunnyday": 640}
"""Name to the input width of the detector: the people of PETS are small."""
LOW_QUALITY, ORIGINAL = "PETS09-S2L1", (768, 576)
COLUMNS = ("HOTA", "DetA", "AssA", "MOTA", "IDF1")
TITLES = {"sort": "SORT", "bytetrack": "ByteTrack", "ocsort": "OC-SORT", "botsort": "BoT-SORT"}


@dataclass(frozen=True)
class Clip:
    """A video with ground truth, and how it is run.

    Attributes:
        group: What it is reported with; also the folder of its results.
        name: The sequence.
        source: Its images or file.
        truth: In pixels of its frames.
        num_frames: Its length.
        frame_rate: That the trackers are told.
        input_size: Input width of the detector.
        least_score: Proposals must score above this.
    """

    group: str
    name: str
    source: Path
    truth: GroundTruth
    num_frames: int
    frame_rate: float
    input_size: int
    least_score: float = 0.0


def clean_clips(data: Path, frame_rate: float | None, conf: float) -> list[Clip]:
    group = "clean" + (f"-{frame_rate:g}fps" if frame_rate else "") + (f"-above-{conf:g}" if conf else "")
    clips = []
    for name, width in SEQUENCES.items():
        sequence = describe_sequence(data / "mot15" / "train" / name)
        truth = read_ground_truth(sequence.ground_truth)
        rate = frame_rate or sequence.frame_rate
        clips.append(Clip(group, name, sequence.folder, truth, sequence.num_frames, rate, width, least_score=conf))
    return clips


def low_quality_clip(data: Path, clean: Clip, width: int) -> Clip:
    source = data / "clips" / "pets09_s2l1_480x360.mp4"
    with open_source(source) as frames:
        scale = np.tile(np.array([frames.info.width, frames.info.height]) / ORIGINAL, 2)
    truth = replace(clean.truth, boxes=clean.truth.boxes * scale)
    return replace(
        clean, group=clean.group.replace("clean", f"low-{width}"), source=source, truth=truth, input_size=width
    )


class Stored:
    """Proposals and tracks of clips, made when they are not in the folder yet."""

    def __init__(self, data: Path, folder: Path) -> None:
        self._weights = data / "weights" / "yolox_nano_coco_legacy.safetensors"
        self._folder = folder

    def proposals(self, clip: Clip) -> dict[int, Proposals]:
        """Frame index to proposals of the published YOLOX-nano."""
        kind = clip.source.stem if clip.source.is_file() else clip.name
        path = self._folder / "proposals" / f"{kind}-{clip.input_size}.npz"
        if not path.exists():
            config = DetectorConfig(input_size=clip.input_size)
            detector = YoloxDetector.from_checkpoint(self._weights, config=config)
            found = {frame.index: detector(frame) for frame in read(clip, f"{kind}: detecting")}
            rows = [(np.full(len(p), index), p.boxes, p.scores) for index, p in found.items()]
            frames, boxes, scores = (np.concatenate(column) for column in zip(*rows, strict=True))
            save(path, frames=frames, boxes=boxes, scores=scores)
        stored = np.load(path)
        frames, boxes, scores = stored["frames"], stored["boxes"], stored["scores"]
        return {
            index: Proposals(boxes[frames == index], scores[frames == index]) for index in range(1, clip.num_frames + 1)
        }

    def results(self, clip: Clip, tracker: AssociationName) -> list[FrameResult]:
        """What a tracker reports of a clip."""
        # JSON Lines keep the quality of the frames beside the tracks, MOT text is for other programs.
        path = self._folder / "results" / clip.group / tracker / f"{clip.name}.jsonl"
        text = self._folder / "mot" / clip.group / tracker / f"{clip.name}.txt"
        if not path.exists():
            proposals = self.proposals(clip)

            def propose(frame: Frame) -> Proposals:
                return proposals[frame.index].above(clip.least_score)

            running = Tracker.from_association(tracker, proposals=propose, frame_rate=clip.frame_rate)
            for folder in (path.parent, text.parent):
                folder.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            with JsonLinesWriter(part) as lines, MotTextWriter(text) as mot:
                for frame in read(clip, f"{clip.group} {clip.name}: {tracker}"):
                    result = running.update(frame)
                    lines.write(result)
                    mot.write(result)
            os.replace(part, path)
        return list(read_json_lines(path))


def read(clip: Clip, what: str) -> Iterator[Frame]:
    with open_source(clip.source) as frames, Progress(what, clip.num_frames) as progress:
        for frame in frames:
            yield frame
            progress.advance()


def save(path: Path, **arrays: NDArray[np.generic]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez_compressed(part, **arrays)
    os.replace(part, path)


def score(stored: Stored, clips: Sequence[Clip], trackers: Sequence[AssociationName]) -> dict[str, Evaluation]:
    """Tracker to its accuracy on clips of different names."""
    truth = {clip.name: clip.truth for clip in clips}
    lengths = {clip.name: clip.num_frames for clip in clips}
    return {
        tracker: evaluate(truth, {clip.name: stored.results(clip, tracker) for clip in clips}, num_frames=lengths)
        for tracker in trackers
    }


def print_accuracy(title: str, evaluations: Mapping[str, Evaluation], *, combined: bool) -> None:
    print(f"\n{title}\n\n| sequence | tracker | " + " | ".join(COLUMNS) + " | IDSW |")
    print("| --- | --- |" + " --- |" * (len(COLUMNS) + 1))
    names = list(next(iter(evaluations.values())).sequences)
    for name in [*names, *(["COMBINED"] if combined else [])]:
        for tracker, evaluation in evaluations.items():
            scores = evaluation.sequences[name].scores if name in names else evaluation.combined
            cells = " | ".join(f"{100 * scores[column]:.1f}" for column in COLUMNS)
            print(f"| {name} | {TITLES[tracker]} | {cells} | {scores['IDSW']} |")


def print_by_quality(title: str, clip: Clip, qualities: NDArray[np.float64], runs: Mapping[str, Evaluation]) -> None:
    """Print the accuracy in each quarter of the frames, what else differs between them, and what chance would give.

    Chance: Q is moved against the frames, by 50 or more and around the end, which leaves it as slow to change as it is.
    """
    counts = {tracker: {clip.name: one.sequences[clip.name].by_frame} for tracker, one in runs.items()}
    groups = split_by_quality({clip.name: qualities}, list(counts.values()))
    print(f"\n{title}\n\n| Q | frames | tracker | boxes | " + " | ".join(COLUMNS) + " |")
    print("| --- | --- | --- | --- |" + " --- |" * len(COLUMNS))
    for group in groups:
        for tracker, scores in zip(runs, group.scores, strict=True):
            boxes = (scores["CLR_TP"] + scores["CLR_FP"]) / group.num_frames
            cells = " | ".join(f"{100 * scores[column]:.1f}" for column in COLUMNS)
            print(f"| {spread(group)} | {group.num_frames} | {TITLES[tracker]} | {boxes:.1f} | {cells} |")
    print_scene(groups, clip, qualities)
    print("\n| tracker | HOTA, best quarter less worst | Q moved in time: 5 % to 95 % | as large or larger |")
    print("| --- | --- | --- | --- |")
    for tracker, run in counts.items():
        found = difference(groups[-1], groups[0], list(runs).index(tracker))
        moved = []
        for shift in range(50, clip.num_frames - 49):
            parts = split_by_quality({clip.name: np.roll(qualities, shift)}, [run])
            moved.append(difference(parts[-1], parts[0], 0))
        low, high = np.quantile(moved, [0.05, 0.95])
        share = np.mean(np.abs(moved) >= abs(found))
        print(f"| {TITLES[tracker]} | {found:+.1f} | {low:+.1f} to {high:+.1f} | {share:.0%} |")


def print_scene(groups: Sequence[QualityGroup], clip: Clip, qualities: NDArray[np.float64]) -> None:
    """Print who is in the frames of each quarter: crowded frames are hard however good they are."""
    people, hidden, height = scene(clip)
    edges = [group.high for group in groups[:-1]]
    group_of = np.searchsorted(edges, qualities, side="left")
    print("\n| Q | people | hidden by half or more | mean height, px | frames |\n| --- | --- | --- | --- | --- |")
    for number, group in enumerate(groups):
        here = group_of == number
        where = np.percentile(np.flatnonzero(here) + 1, [10, 50, 90]).astype(int)
        print(
            f"| {spread(group)} | {people[here].mean():.1f} | {hidden[here].sum() / people[here].sum():.0%} "
            f"| {np.nanmean(height[here]):.0f} | {where[0]} - {where[1]} - {where[2]} |"
        )
    rho = {name: spearmanr(qualities, values).statistic for name, values in (("people", people), ("hidden", hidden))}
    print(f"\nSpearman of Q with people {rho['people']:+.2f}, with hidden people {rho['hidden']:+.2f}")


def scene(clip: Clip) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """For each frame, ``(T,)``: people, how many are half behind somebody nearer, and their mean height in pixels."""
    people, hidden, height = np.zeros((3, clip.num_frames))
    truth = clip.truth.people()
    for frame in range(clip.num_frames):
        boxes = truth.on_frame(frame + 1).boxes
        sides = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - np.maximum(boxes[:, None, :2], boxes[None, :, :2])
        covered = np.clip(sides, 0, None).prod(axis=2) / (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)[:, None]
        nearer = boxes[None, :, 3] > boxes[:, None, 3]  # whoever stands lower in the picture
        people[frame] = len(boxes)
        hidden[frame] = np.count_nonzero((covered * nearer).max(axis=1, initial=0) >= 0.5)
        height[frame] = (boxes[:, 3] - boxes[:, 1]).mean() if len(boxes) else np.nan
    return people, hidden, height


def difference(best: QualityGroup, worst: QualityGroup, run: int) -> float:
    return 100 * (best.scores[run]["HOTA"] - worst.scores[run]["HOTA"])


def spread(group: QualityGroup) -> str:
    return f"{group.low:.3f} - {group.high:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder for proposals and tracks")
    parser.add_argument("--trackers", nargs="+", choices=get_args(AssociationName), default=list(TITLES))
    parser.add_argument("--frame-rate", type=float, help="in place of that of each sequence")
    parser.add_argument("--conf", type=float, default=0.0, help="leave out weaker proposals")
    parser.add_argument("--low-widths", type=int, nargs="*", default=[640, 1024], help="of the detector's input")
    arguments = parser.parse_args()
    stored, trackers = Stored(arguments.data, arguments.out), arguments.trackers
    clean = clean_clips(arguments.data, arguments.frame_rate, arguments.conf)
    evaluations = score(stored, clean, trackers)
    group, pets = clean[0].group, next(clip for clip in clean if clip.name == LOW_QUALITY)
    rates = ", ".join(f"{clip.name} {clip.frame_rate:g}" for clip in clean)
    print_accuracy(f"{group}; frames/s: {rates}", evaluations, combined=True)
    split = [(pets, evaluations)]
    for width in arguments.low_widths:
        low = low_quality_clip(arguments.data, pets, width)
        evaluations = score(stored, [low], trackers)
        print_accuracy(f"{low.group}: low quality, input width {width}", evaluations, combined=False)
        if width == pets.input_size:
            split.append((low, evaluations))
    for clip, runs in split:
        qualities = np.array([result.quality.score for result in stored.results(clip, trackers[0])])
        print_by_quality(f"{clip.name}, {clip.group}, by quarters of quality", clip, qualities, runs)


if __name__ == "__main__":
    main()
