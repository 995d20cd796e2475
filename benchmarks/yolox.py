"""How long a frame takes in YOLOX: each step, and the network plain, folded and with channels last.

    python benchmarks/yolox.py --variant nano --height 480 --width 640

Weights are random unless ``--weights`` names some: time does not depend on them, but the number of boxes that reach
suppression does. Every variant runs in turn within each round, so that a busy machine hurts all alike; medians.
"""

from __future__ import annotations

import argparse
import copy
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from vsdmot.detection.nms import nms
from vsdmot.detection.yolox.checkpoint import load_yolox
from vsdmot.detection.yolox.detector import DetectorConfig, YoloxDetector
from vsdmot.detection.yolox.letterbox import input_shape, letterbox, normalise
from vsdmot.models.yolox.blocks import fold_batch_norm
from vsdmot.models.yolox.network import VARIANTS, YOLOX, YoloxConfig
from vsdmot.structures import Frame


def main() -> None:
    """Time what the command line asks for."""
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    rng = np.random.default_rng(0)
    frame = Frame(1, 0.0, rng.integers(0, 256, (arguments.height, arguments.width, 3), dtype=np.uint8))
    torch.manual_seed(0)
    network = load_yolox(arguments.weights).network if arguments.weights else None
    network = network or YOLOX(YoloxConfig.named(arguments.variant)).eval().requires_grad_(False)
    shape = input_shape(frame.height, frame.width, arguments.input_size)
    print(
        f"{network.config.name}, frame {arguments.width}x{arguments.height}, input {shape[1]}x{shape[0]}, "
        f"{arguments.threads} threads, torch {torch.__version__}, {platform.processor() or platform.machine()}"
    )
    with torch.inference_mode():
        report(steps(network, frame, shape, arguments.input_size), arguments.rounds)


def steps(network: YOLOX, frame: Frame, shape: tuple[int, int], input_size: int) -> dict[str, Callable[[], object]]:
    """Name what is timed."""
    padded, _ = letterbox(frame.image, shape)
    images = normalise(torch.from_numpy(padded)[None], "legacy")
    plain_images = images.contiguous()
    plain, folded = copy.deepcopy(network), fold_batch_norm(network)
    last, both = (copy.deepcopy(net).to(memory_format=torch.channels_last) for net in (plain, folded))
    detector = YoloxDetector(network, "legacy", config=DetectorConfig(input_size=input_size))
    rng = np.random.default_rng(0)
    corner, size = rng.uniform(0, 600, (1000, 2)), rng.uniform(20, 80, (1000, 2))
    boxes, scores = np.concatenate([corner, corner + size], axis=1).astype(np.float32), rng.random(1000, np.float32)
    return {
        "letterbox": lambda: letterbox(frame.image, shape),
        "normalise": lambda: normalise(torch.from_numpy(padded)[None], "legacy"),
        "network, plain": lambda: plain(plain_images),
        "network, folded": lambda: folded(plain_images),
        "network, channels last": lambda: last(images),
        "network, folded and channels last": lambda: both(images),
        "suppression of 1000 boxes": lambda: nms(boxes, scores, 0.7),
        "detector, all of it": lambda: detector(frame),
    }


def report(actions: dict[str, Callable[[], object]], rounds: int) -> None:
    """Time every action in every round and print the medians."""
    seconds: dict[str, list[float]] = {name: [] for name in actions}
    for count in range(rounds + 3):
        for name, action in actions.items():
            start = time.perf_counter()
            action()
            if count >= 3:  # the first rounds warm up
                seconds[name].append(time.perf_counter() - start)
    for name, values in seconds.items():
        print(f"{name:36} {1e3 * statistics.median(values):8.2f} ms")


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--variant", choices=VARIANTS, default="nano")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--height", type=int, default=480)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--input-size", type=int, default=640)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=30)
    return parser.parse_args()


if __name__ == "__main__":
    main()
