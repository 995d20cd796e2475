"""Does a YOLOX trained from nothing on a few rendered frames find people in scenes that it never saw?

    python benchmarks/train_yolox.py [--frames 300] [--unseen 60] [--epochs 80] [--threads 2]

Renders the frames (three of each scene, far apart in time; scenes, people, clothes and light of the unseen ones are
others), trains a small network on them with the project's loop, and prints AP50 and recall on the unseen ones, and the
minutes of training. Every seed is fixed. People of whom less than a tenth is seen are neither taught nor asked for.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from vsdmot.config import from_mapping
from vsdmot.io.image_writer import write_image
from vsdmot.synthesis.direction import make_scene
from vsdmot.synthesis.scene import Renderer, SceneFrame
from vsdmot.synthesis.settings import STYLES, SceneConfig
from vsdmot.synthesis.threads import in_order
from vsdmot.training.loop.config import LoopConfig
from vsdmot.training.loop.listener import Silent, TrainLine
from vsdmot.training.loop.loop import train
from vsdmot.training.loop.optimiser import OptimiserConfig
from vsdmot.training.yolox.images import num_people
from vsdmot.training.yolox.settings import YoloxTrainConfig
from vsdmot.training.yolox.task import YoloxTask

FRAMES_PER_SCENE = 3
SCENES = SceneConfig(width=448, height=256, frames=150)
TRAIN_SEED, UNSEEN_SEED = 1, 2


def render(folder: Path, num_frames: int, seed: int, threads: int) -> Path:
    """Render frames as sequences of MOTChallenge, unless they are there."""
    for number in range(1, -(-num_frames // FRAMES_PER_SCENE) + 1):
        count = min(FRAMES_PER_SCENE, num_frames - (number - 1) * FRAMES_PER_SCENE)
        style = STYLES[number % len(STYLES)]
        sequence = folder / f"{style}-{number:04d}"
        if (sequence / "gt" / "gt.txt").is_file():
            continue
        renderer = Renderer(make_scene(style, SCENES, seed=seed, number=number))
        drawn = list(in_order(renderer.draw, np.linspace(10, SCENES.frames - 10, count).astype(int).tolist(), threads))
        for frame in drawn:
            write_image(sequence / "img1" / f"{frame.frame.index:06d}.jpg", frame.frame.image)
        (sequence / "gt").mkdir(exist_ok=True)
        (sequence / "gt" / "gt.txt").write_text("".join(line for frame in drawn for line in truth_of(frame)))
    return folder


def truth_of(frame: SceneFrame) -> list[str]:
    """Lines of gt.txt."""
    lines = []
    for person in frame.people:
        left, top, right, bottom = person.box
        numbers = ",".join(f"{value:.2f}" for value in (left, top, right - left, bottom - top))
        lines.append(f"{frame.frame.index},{person.track_id},{numbers},1,1,{person.visibility:.4f}\n")
    return lines


class Report(Silent):
    """Prints how it goes, and measures the time without validation."""

    def __init__(self) -> None:
        self.minutes, self.loss = 0.0, float("nan")
        self.scores: Mapping[str, float] = {}
        self._since = time.perf_counter()

    def started(self, **_: int) -> None:
        """Start the clock."""
        self._since = time.perf_counter()

    def logged(self, line: TrainLine) -> None:
        """Remember the loss."""
        self.loss = line.loss

    def validating(self, **_: int) -> None:
        """Stop the clock."""
        self.minutes += (time.perf_counter() - self._since) / 60

    def validated(self, *, epoch: int, scores: Mapping[str, float], **_: bool) -> None:
        """Print the scores, and start the clock again."""
        self.scores, self._since = scores, time.perf_counter()
        values = ", ".join(f"{name} {scores[name]:.3f}" for name in ("AP", "AP50", "recall", "recall_at_1_false"))
        print(f"epoch {epoch + 1}: {self.minutes:.1f} min, loss {self.loss:.2f}, {values}", flush=True)


def settings(arguments: argparse.Namespace, seen: Path, unseen: Path) -> YoloxTrainConfig:
    """What the training is made with; what differs from the published recipe is for a small network and few images."""
    return from_mapping(
        YoloxTrainConfig,
        {
            "train": [seen], "validation": [unseen], "min_visibility": 0.1,
            "network": {"depth": 0.33, "width": arguments.width},
            "input_size": [256, 448], "multi_scale": [0.75, 1.25],
            "epochs": arguments.epochs, "plain_epochs": arguments.epochs // 8, "warmup_epochs": arguments.epochs / 40,
            "batch_size": 8, "lr_per_image": 0.01 / 8, "ema_decay": 0.998, "ema_ramp": 1000,
            "precision": arguments.precision, "workers": 1,
            # Boxes of turned people are loose, and shrunk to a tenth these frames show nobody.
            "augment": {"geometry": {"degrees": 0, "shear": 0, "scale": [0.5, 1.5], "mixup": 0}},
        },
    )  # fmt: skip


def main() -> None:
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as temporary:
        folder, report = arguments.data or Path(temporary), Report()
        start = time.perf_counter()
        seen = render(folder / "seen", arguments.frames, TRAIN_SEED, arguments.threads)
        unseen = render(folder / "unseen", arguments.unseen, UNSEEN_SEED, arguments.threads)
        print(f"rendered in {(time.perf_counter() - start) / 60:.1f} min", flush=True)
        task = YoloxTask(settings(arguments, seen, unseen))
        loop = LoopConfig(
            epochs=arguments.epochs, clip_grad_norm=None, validate_every=arguments.validate_every, log_every=5
        )
        train(
            task, loop, OptimiserConfig(kind="sgd"), arguments.output or Path(temporary) / "run",
            schedule=task.schedule, resume=False, provenance={"trained": True, "data": {}, "settings": {}},
            listener=report,
        )  # fmt: skip
    print(
        f"\n{task.module.network.config.name}, {len(task.images)} frames with {num_people(task.images)} people, "
        f"{len(task.validation)} unseen with {num_people(task.validation)}, {arguments.epochs} epochs, "
        f"{arguments.threads} threads, {arguments.precision}, torch {torch.__version__}, "
        f"{platform.processor() or platform.machine()}\n"
    )
    print("| measure | value |\n| --- | --- |")
    for name, value in {**report.scores, "minutes of training": report.minutes}.items():
        print(f"| {name} | {value:.3f} |")


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--unseen", type=int, default=60)
    parser.add_argument("--width", type=float, default=0.25)
    parser.add_argument("--epochs", type=int, default=80)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="bf16")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--validate-every", type=int, default=20, help="epochs")
    parser.add_argument("--data", type=Path, help="folder for the frames, which are kept")
    parser.add_argument("--output", type=Path, help="folder of the run, with the weights")
    return parser.parse_args()


if __name__ == "__main__":
    main()
