"""Deformable attention: ours beside the published formulation, forward and backward, in one run on one machine.

    python benchmarks/deformable_attention.py [--threads 2] [--rounds 5]

The size is that of MOTRv2's encoder for a 1080p frame (input 800 x 1422: 23,674 cells attend to four levels). The
published formulation is written here from its description (Deformable DETR, the pure-PyTorch fallback): sample each
level with grid_sample, stack all samples, weigh, sum. Rounds are interleaved, so that a busy machine slows all alike;
medians are printed, and the largest difference between the results.
"""

import argparse
import platform
import statistics
import time

import torch
import torch.nn.functional as F

from vsdmot.models.deformable import sample_weighted

SIZES = ((100, 178), (50, 89), (25, 45), (13, 23))
HEADS, POINTS, DIM = 8, 4, 256


def published(value, sizes, locations, weights):
    B, N, M, L, P, _ = locations.shape
    levels = value.split([h * w for h, w in sizes], dim=1)
    samples = []
    for level, (h, w) in enumerate(sizes):
        maps = levels[level].transpose(1, 2).reshape(B * M, -1, h, w)
        grid = (2 * locations[:, :, :, level] - 1).transpose(1, 2).flatten(0, 1)
        samples.append(F.grid_sample(maps, grid, mode="bilinear", padding_mode="zeros", align_corners=False))
    weights = weights.transpose(1, 2).reshape(B * M, 1, N, L * P)
    summed = (torch.stack(samples, dim=-2).flatten(-2) * weights).sum(-1)
    return summed.view(B, -1, N).transpose(1, 2)


def regrouped(value, sizes, locations, weights):
    """The same without the stack: each level is weighed and summed before the next one is sampled."""
    B, N, M, _, P, _ = locations.shape
    total = 0
    for level, (values, (h, w)) in enumerate(zip(value.split([h * w for h, w in sizes], dim=1), sizes, strict=True)):
        maps = values.transpose(1, 2).reshape(B * M, -1, h, w)
        grid = (2 * locations[:, :, :, level] - 1).transpose(1, 2).flatten(0, 1)
        sampled = F.grid_sample(maps, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
        total = total + (sampled * weights[:, :, :, level].transpose(1, 2).reshape(B * M, 1, N, P)).sum(-1)
    return total.view(B, -1, N).transpose(1, 2)


WAYS = {"published": published, "regrouped": regrouped, "ours": sample_weighted}


def make_inputs():
    generator = torch.Generator().manual_seed(0)
    centres = []
    for h, w in SIZES:
        y, x = torch.meshgrid((torch.arange(h) + 0.5) / h, (torch.arange(w) + 0.5) / w, indexing="ij")
        centres.append(torch.stack([x, y], -1).view(-1, 2))
    centre = torch.cat(centres)
    cells = torch.tensor([[w, h] for h, w in SIZES])
    N = len(centre)
    value = torch.randn(1, N, DIM, generator=generator)
    offsets = 2 * torch.randn(1, N, HEADS, len(SIZES), POINTS, 2, generator=generator)
    weights = torch.rand(1, N, HEADS, len(SIZES) * POINTS, generator=generator).softmax(-1)
    locations = centre[None, :, None, None, None] + offsets / cells[:, None]
    return value, locations, weights.view(1, N, HEADS, len(SIZES), POINTS)


def seconds(run) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    value, locations, weights = make_inputs()
    print(f"torch {torch.__version__}, {platform.machine()}, {arguments.threads} threads, float32")
    print(f"{value.shape[1]:,} cells, {HEADS} heads, {len(SIZES)} levels, {POINTS} points")
    print(f"median of {arguments.rounds} rounds")
    forward, backward = {name: [] for name in WAYS}, {name: [] for name in WAYS}
    with torch.inference_mode():
        results = {name: way(value, SIZES, locations, weights) for name, way in WAYS.items()}
    difference = {name: (result - results["published"]).abs().max().item() for name, result in results.items()}
    for _ in range(arguments.rounds):
        for name, way in WAYS.items():
            with torch.inference_mode():
                forward[name].append(seconds(lambda way=way: way(value, SIZES, locations, weights)))
            inputs = [tensor.clone().requires_grad_() for tensor in (value, locations, weights)]
            result = way(inputs[0], SIZES, *inputs[1:]).square().sum()
            backward[name].append(seconds(result.backward))
    print(f"{'':<12}{'forward s':>10}{'ratio':>7}{'backward s':>12}{'ratio':>7}{'largest difference':>20}")
    for name in WAYS:
        f, b = statistics.median(forward[name]), statistics.median(backward[name])
        ratios = [statistics.median(times["published"]) / t for times, t in ((forward, f), (backward, b))]
        print(f"{name:<12}{f:>10.3f}{ratios[0]:>7.2f}{b:>12.3f}{ratios[1]:>7.2f}{difference[name]:>20.1e}")


if __name__ == "__main__":
    main()
