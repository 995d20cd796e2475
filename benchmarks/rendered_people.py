"""Do rendered people look like people to a detector that never saw them? Recall by style, size and motion.

    python benchmarks/rendered_people.py --data DATA [--scenes 40] [--frames 3] [--seed 90000]

DATA holds `weights/yolox_nano_coco_legacy.safetensors` (published YOLOX-nano, COCO) and real sequences
(`mot15/train`, `mot17_mini/train`), which are measured beside the rendered ones. Counted are people taller than
60 pixels whose visible share is at least 0.9; those between 0.5 and 0.9 apart. A detection is a background false
positive if less than a third of it lies in any person's box.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment

from vsdmot.boxes import iou
from vsdmot.detection.yolox.detector import DetectorConfig, YoloxDetector
from vsdmot.io.annotations import read_ground_truth
from vsdmot.io.datasets import find_sequences
from vsdmot.io.images import open_folder
from vsdmot.structures import Frame
from vsdmot.synthesis.direction import make_scene
from vsdmot.synthesis.scene import Renderer
from vsdmot.synthesis.settings import STYLES, SceneConfig

SETTINGS = {"R25@960": (960, 0.25), "R50@416": (416, 0.5)}
SIZES = ((60, 100), (100, 160), (160, 250), (250, 400), (400, 10_000))


@dataclass
class People:
    """Ground truth of a frame: boxes ``xyxy``, visible shares, and what each does."""

    boxes: np.ndarray
    visibility: np.ndarray
    motions: list[str]


@dataclass
class Score:
    """Found and counted people, by group; detections, and those in the background."""

    found: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    counted: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    detections: int = 0
    background: int = 0
    misses: list[str] = field(default_factory=list)

    def add(self, frame: Frame, people: People, boxes: np.ndarray, style: str, where: str) -> None:
        """Count the people of a frame, and which of them are among the detected boxes."""
        overlap = iou(people.boxes, boxes) if len(boxes) and len(people.boxes) else np.zeros((len(people.boxes), 0))
        rows, columns = linear_sum_assignment(-overlap) if overlap.size else ([], [])
        hit = {row for row, column in zip(rows, columns, strict=True) if overlap[row, column] >= 0.5}
        for k, (box, visible, motion) in enumerate(zip(people.boxes, people.visibility, people.motions, strict=True)):
            height = box[3] - box[1]
            if height <= 60 or visible < 0.5:
                continue
            groups = ["visibility 0.5-0.9"]
            if visible >= 0.9:
                size = next(f"{low}-{high} px" for low, high in SIZES if low <= height < high or height < low)
                groups = ["all", f"style: {style}", f"size: {size}", f"motion: {motion}"]
                if k not in hit:
                    self.misses.append(f"{where} frame {frame.index} {motion} {box.round().astype(int).tolist()}")
            for group in groups:
                self.counted[group] += 1
                self.found[group] += k in hit
        self.detections += len(boxes)
        self.background += sum(inside < 1 / 3 for inside in covered_shares(boxes, people.boxes))


def covered_shares(boxes: np.ndarray, people: np.ndarray) -> list[float]:
    """Give, for each box, the largest share of it that lies in one person's box."""
    shares = []
    for box in boxes:
        low, high = np.maximum(box[:2], people[:, :2]), np.minimum(box[2:], people[:, 2:])
        common = np.clip(high - low, 0, None).prod(axis=1)
        shares.append(float(common.max(initial=0) / max((box[2:] - box[:2]).prod(), 1e-9)))
    return shares


def rendered(arguments: argparse.Namespace) -> Iterator[tuple[Frame, People, str, str]]:
    config = SceneConfig(width=960, height=540, frames=100)
    for number in range(1, arguments.scenes + 1):
        style = STYLES[number % len(STYLES)]
        scene = make_scene(style, config, seed=arguments.seed, number=number)
        renderer = Renderer(scene)
        for index in np.linspace(10, config.frames - 10, arguments.frames).astype(int):
            drawn = renderer.draw(int(index))
            boxes = np.array([person.box for person in drawn.people]).reshape(-1, 4)
            visibility = np.array([person.visibility for person in drawn.people])
            if arguments.save:
                cv2.imwrite(f"{arguments.save}/{scene.name}_{index:04d}.jpg", drawn.frame.image[..., ::-1])
            yield drawn.frame, People(boxes, visibility, [p.motion for p in drawn.people]), style, scene.name


def real(data: Path) -> Iterator[tuple[Frame, People, str, str]]:
    for folder in ("mot15/train", "mot17_mini/train"):
        for sequence in find_sequences(data / folder):
            truth = read_ground_truth(sequence.ground_truth).people()
            with open_folder(sequence.folder) as source:
                for number, frame in enumerate(source):
                    if number % (10 if folder.startswith("mot15") else 2):
                        continue
                    rows = truth.on_frame(frame.index)
                    people = People(rows.boxes, rows.visibility, ["real"] * len(rows))
                    yield frame, people, sequence.name, sequence.name


def measure(name: str, frames: Iterator[tuple[Frame, People, str, str]], detectors: dict, show: int) -> None:
    scores = {setting: Score() for setting in detectors}
    for frame, people, style, where in frames:
        for setting, detector in detectors.items():
            scores[setting].add(frame, people, detector(frame).boxes.astype(np.float64), style, where)
    print(f"\n{name}\n| people | n | " + " | ".join(scores) + " |\n| --- | --- |" + " --- |" * len(scores))
    first = next(iter(scores.values()))
    for group in sorted(first.counted, key=lambda group: (group != "all", group.startswith("vis"), group)):
        cells = [f"{score.found[group] / score.counted[group]:.3f}" for score in scores.values()]
        print(f"| {group} | {first.counted[group]} | " + " | ".join(cells) + " |")
    cells = [f"{score.background} of {score.detections}" for score in scores.values()]
    print("| background false positives | | " + " | ".join(cells) + " |")
    for setting, score in scores.items():
        for miss in score.misses[:show]:
            print(f"missed by {setting}: {miss}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--scenes", type=int, default=40)
    parser.add_argument("--frames", type=int, default=3, help="per scene")
    parser.add_argument("--seed", type=int, default=90_000)
    parser.add_argument("--save", type=Path, help="folder for the frames")
    parser.add_argument("--show", type=int, default=0, help="list so many misses")
    parser.add_argument("--skip-real", action="store_true")
    arguments = parser.parse_args()
    if arguments.save:
        arguments.save.mkdir(parents=True, exist_ok=True)
    weights = arguments.data / "weights" / "yolox_nano_coco_legacy.safetensors"
    detectors = {
        name: YoloxDetector.from_checkpoint(weights, config=DetectorConfig(input_size=width, score_threshold=threshold))
        for name, (width, threshold) in SETTINGS.items()
    }
    measure(
        f"rendered, {arguments.scenes} scenes, seed {arguments.seed}", rendered(arguments), detectors, arguments.show
    )
    if not arguments.skip_real:
        measure("real", real(arguments.data), detectors, 0)


if __name__ == "__main__":
    main()
