"""How fast scenes are rendered and written: frames per second with a still and a moving camera, and the set-up.

    python benchmarks/rendering.py [--size 640x360] [--people 8] [--frames 50] [--threads 1 2] [--scenes 3]

Frames are drawn, encoded and written as `vsdmot synth` does. Scenes of all styles; the set-up (place, bodies, motions)
is timed apart. The first scene, which compiles, is not counted.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from pathlib import Path

import numpy as np

from vsdmot.synthesis.direction import make_scene
from vsdmot.synthesis.recording import record_scene
from vsdmot.synthesis.settings import STYLES, SceneConfig


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--frames", type=int, default=50)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--scenes", type=int, default=3, help="of each style")
    arguments = parser.parse_args()
    width, height = (int(side) for side in arguments.size.split("x"))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for camera in ("still", "moving"):
            config = SceneConfig(
                width=width, height=height, frames=arguments.frames, people=arguments.people, camera=camera
            )
            warm = make_scene("street", config, seed=0, number=99)
            for _ in record_scene(warm, Path(folder) / f"warm-{camera}", {}, threads=1, masks=False):
                pass
            rates: dict[tuple[str, int], list[float]] = {}
            setups = []
            for number in range(1, arguments.scenes + 1):
                for style in STYLES:
                    start = time.perf_counter()
                    scene = make_scene(style, config, seed=1, number=number)
                    setups.append(time.perf_counter() - start)
                    for threads in arguments.threads:
                        target = Path(folder) / f"{camera}-{style}-{number}-{threads}"
                        start = time.perf_counter()
                        for _ in record_scene(scene, target, {}, threads=threads, masks=False):
                            pass
                        rate = arguments.frames / (time.perf_counter() - start)
                        rates.setdefault((style, threads), []).append(rate)
                        rates.setdefault(("all", threads), []).append(rate)
            rows.append((camera, rates, setups))
    print(f"{arguments.size}, {arguments.people} people, {arguments.frames} frames, {platform.machine()}")
    print("| camera | threads | frames/s (median) | slowest | " + " | ".join(STYLES) + " | set-up s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for camera, rates, setups in rows:
        for threads in arguments.threads:
            values = rates["all", threads]
            styles = " | ".join(f"{np.median(rates[style, threads]):.1f}" for style in STYLES)
            print(
                f"| {camera} | {threads} | {np.median(values):.1f} | {min(values):.1f} | {styles} "
                f"| {np.median(setups):.2f} |"
            )


if __name__ == "__main__":
    main()
