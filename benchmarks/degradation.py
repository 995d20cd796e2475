"""How long the second-order degradation (Eq. 17) takes: for a frame, and for the whole command with 1 and 2 workers.

    python benchmarks/degradation.py [--frames 40] [--threads 1] [--sharpen]
    python benchmarks/degradation.py --command [--frames 60] [--rounds 3] [--workers 1 2]

The first says where the time of a frame goes. The second writes JPEG frames, and measures `vsdmot degrade` from start
to end: starting, decoding, degrading, writing. Each round runs every number of workers once, in turn.

Every frame gets parameters of its own from the published distributions, as if each belonged to another video; a
frame's cost depends on them strongly, so the slowest tenth is printed too. The frame is drawn: clouds at several
scales, whose JPEG files are about as long as those of photographs.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from vsdmot.degradation import chain
from vsdmot.degradation.drawing import DegradationConfig, draw_parameters

STEPS = ("sharpen", "blur", "resize", "add_gaussian_noise", "add_poisson_noise", "compress_jpeg")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--height", type=int, default=1080)
    parser.add_argument("--width", type=int, default=1920)
    parser.add_argument("--sharpen", action="store_true", help="with unsharp masking first")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--command", action="store_true", help="the whole command, with each number of workers")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    if arguments.command:
        measure_command(arguments)
        return
    cv2.setNumThreads(arguments.threads)
    rng = np.random.default_rng(arguments.seed)
    image = clouds(arguments.height, arguments.width, rng)
    config = DegradationConfig(sharpen=arguments.sharpen)
    for _ in range(3):  # warm up; the tables of Poisson noise are made once in a process
        chain.apply(image, draw_parameters(rng, config), rng)
    frame_seconds = []
    with timed_steps() as calls:
        for _ in range(arguments.frames):
            parameters = draw_parameters(rng, config)
            start = time.perf_counter()
            chain.apply(image, parameters, rng)
            frame_seconds.append(time.perf_counter() - start)
    print(
        f"{arguments.width}x{arguments.height}, {arguments.frames} frames, {arguments.threads} threads, "
        f"seed {arguments.seed}, OpenCV {cv2.__version__}, {platform.processor() or platform.machine()}"
    )
    report(frame_seconds, calls)


def measure_command(arguments: argparse.Namespace) -> None:
    """Run the command on frames of many sequences, since the cost of a sequence depends on what is drawn for it."""
    rng = np.random.default_rng(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        for number in range(arguments.frames):
            sequence = source / f"sequence {number % (arguments.frames // 2)}" / "img1"
            sequence.mkdir(parents=True, exist_ok=True)
            image = clouds(arguments.height, arguments.width, rng)
            cv2.imwrite(str(sequence / f"{number + 1:06d}.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, 92])
        rates: dict[int, list[float]] = {workers: [] for workers in arguments.workers}
        cpu_seconds: dict[int, list[float]] = {workers: [] for workers in arguments.workers}
        for number in range(arguments.rounds):
            for workers in arguments.workers:
                words = ["degrade", str(source), "-o", f"{folder}/{number}-{workers}", "--workers", str(workers)]
                words += ["--seed", str(arguments.seed)]
                start, before = time.perf_counter(), os.times()
                subprocess.run([sys.executable, "-m", "vsdmot.cli.main", *words], check=True, capture_output=True)
                rates[workers].append(arguments.frames / (time.perf_counter() - start))
                after = os.times()
                spent = after.children_user + after.children_system - before.children_user - before.children_system
                cpu_seconds[workers].append(spent / arguments.frames)
                shutil.rmtree(f"{folder}/{number}-{workers}")
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(
        f"vsdmot degrade, {arguments.width}x{arguments.height} JPEG to JPEG, {arguments.frames} frames, "
        f"{os.cpu_count()} cores{load}, seed {arguments.seed}, median of {arguments.rounds} rounds"
    )
    print("| workers | frames/s | slowest and fastest round | ratio to the first | CPU seconds per frame |")
    print("| --- | --- | --- | --- | --- |")
    first = statistics.median(rates[arguments.workers[0]])
    for workers, values in rates.items():
        median = statistics.median(values)
        print(f"| {workers} | {median:.1f} | {min(values):.1f} - {max(values):.1f} | {median / first:.2f} | ", end="")
        print(f"{statistics.median(cpu_seconds[workers]):.2f} |")


def clouds(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a picture whose contrast falls with frequency, like that of photographs."""
    picture = np.zeros((height, width, 3), np.float32)
    for cell in (256, 64, 16, 4, 1):
        coarse = rng.random((height // cell + 2, width // cell + 2, 3), np.float32) - 0.5
        picture += cell**0.5 * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return cv2.normalize(picture, None, 0, 255, cv2.NORM_MINMAX, cv2.CV_8U)


@contextmanager
def timed_steps() -> Iterator[dict[str, list[float]]]:
    """Time every call that the chain makes to an operator, by name."""
    calls: dict[str, list[float]] = defaultdict(list)
    originals = {name: getattr(chain, name) for name in STEPS}

    def timed(name: str, step: Callable) -> Callable:
        def run(*arguments):
            start = time.perf_counter()
            result = step(*arguments)
            calls[name].append(time.perf_counter() - start)
            return result

        return run

    for name, step in originals.items():
        setattr(chain, name, timed(name, step))
    try:
        yield calls
    finally:
        for name, step in originals.items():
            setattr(chain, name, step)


def report(frame_seconds: list[float], calls: dict[str, list[float]]) -> None:
    total, frames = sum(frame_seconds), len(frame_seconds)
    print(f"{frames / total:.1f} frames/s; ms per frame: mean {1e3 * total / frames:.0f}, ", end="")
    print(f"median {1e3 * np.median(frame_seconds):.0f}, slowest tenth {1e3 * np.quantile(frame_seconds, 0.9):.0f}")
    print("| step | calls per frame | ms per call | ms per frame | share |\n| --- | --- | --- | --- | --- |")
    rest = total - sum(sum(seconds) for seconds in calls.values())
    for name, seconds in [*((name, calls[name]) for name in STEPS if calls[name]), ("the rest", [rest])]:
        each, spent = 1e3 * sum(seconds) / len(seconds), sum(seconds)
        count = "-" if name == "the rest" else f"{len(seconds) / frames:.2f}"
        each_text = "-" if name == "the rest" else f"{each:.1f}"
        print(f"| {name} | {count} | {each_text} | {1e3 * spent / frames:.1f} | {spent / total:.0%} |")


if __name__ == "__main__":
    main()
