"""How many clips a second a tracker trains on: forward, backward and optimiser step, data in memory.

    python benchmarks/train_tracker.py [--models nano r50] [--precision fp32 bf16] [--clips 4] [--device cpu]

A clip has 5 frames with 8 people, who are given as proposals: nano in 320x512 with its detector as backbone, R50 (the
paper's network, 42.6 M parameters) in 800x1440. Weights are random; their values do not change the work.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time

import torch

from vsdmot.models.student import StudentConfig
from vsdmot.models.vsdmot import VSDMOT, ModelConfig
from vsdmot.models.yolox.network import YoloxConfig
from vsdmot.training.clips.clip import Clip, ClipFrame
from vsdmot.training.loop.optimiser import OptimiserConfig, make_optimiser, published_groups
from vsdmot.training.objective.clip_forward import ClipLossConfig, ClipModel

NANO = ModelConfig(
    backbone="yolox", detector=YoloxConfig(depth=0.33, width=0.25), hidden_dim=128, num_heads=4, encoder_layers=0,
    decoder_layers=2, feedforward_dim=256, num_learned_queries=4,
    student=StudentConfig(hidden_dim=64, num_layers=3, num_heads=4, feedforward_dim=128),
)  # fmt: skip
MODELS = {"nano": (NANO, (320, 512)), "r50": (ModelConfig(), (800, 1440))}
PEOPLE = 8


def make_clip(size: tuple[int, int], device: torch.device) -> Clip:
    """Make a clip of people who drift to the right through noise."""
    generator = torch.Generator().manual_seed(0)
    places = torch.rand(PEOPLE, 4, generator=generator) * 0.2 + torch.tensor([0.3, 0.3, 0.05, 0.2])
    frames = []
    for t in range(5):
        boxes = places + torch.tensor([0.02 * t, 0, 0, 0])
        frames.append(
            ClipFrame(
                image=torch.randn(3, *size, generator=generator),
                boxes=boxes, ids=torch.arange(PEOPLE), proposals=boxes, scores=torch.full((PEOPLE,), 0.9),
                quality=0.5, teacher=None, name=f"noise/{t + 1}",
            ).to(device)
        )  # fmt: skip
    return tuple(frames)


def measure(name: str, precision: str, clips: int, device: torch.device) -> tuple[float, float]:
    """Give the parameters in millions and the median time of a clip in seconds, after one that warms up."""
    torch.manual_seed(0)
    config, size = MODELS[name]
    # The memory of one frame at a time, as a large network needs it.
    together = name == "nano"
    loss = ClipLossConfig(precision=precision, encode_together=together, checkpointing=not together)  # type: ignore[arg-type]
    module = ClipModel(VSDMOT(config), loss).to(device).train()
    optimiser = make_optimiser(module, published_groups(module, OptimiserConfig()), OptimiserConfig())
    clip, times = make_clip(size, device), []
    for _ in range(clips + 1):
        start = time.perf_counter()
        module(clip, 5.0 * PEOPLE).total.backward()
        optimiser.step()
        optimiser.zero_grad()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return sum(parameter.numel() for parameter in module.model.parameters()) / 1e6, statistics.median(times[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--precision", nargs="+", choices=("fp32", "bf16"), default=["fp32", "bf16"])
    parser.add_argument("--clips", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    device = torch.device(arguments.device)
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()
    print(f"{where}, {arguments.threads} threads, torch {torch.__version__}\n")
    print("| network | parameters, M | input | precision | s/clip | clips/s |\n| --- | --- | --- | --- | --- | --- |")
    for name in arguments.models:
        for precision in arguments.precision:
            millions, seconds = measure(name, precision, arguments.clips, device)
            height, width = MODELS[name][1]
            print(f"| {name} | {millions:.1f} | {width}x{height} | {precision} | {seconds:.2f} | {1 / seconds:.3f} |")


if __name__ == "__main__":
    main()
