"""Gradients of a step: added up over processes, measured, clipped.

DistributedDataParallel would add them up during the last backward pass, but needs every process to make that pass and
every parameter to take part in it. Here a process may have nothing to do in a step, a parameter may be used by nobody
(it then stays as it is, as with one process), and frames may be computed anew in the backward pass. The price is that
the sum is not hidden behind that pass; beside the seconds that a step of clips takes it is small.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from vsdmot.training.loop.processes import Processes

_BUCKET_BYTES = 64 * 2**20
"""How much is sent at once: few messages, and little memory for the copies."""

_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def add_up_gradients(parameters: Sequence[nn.Parameter], processes: Processes) -> None:
    """Give every process the sum of the gradients of all.

    A parameter that has a gradient in some processes only counts as 0 in the others; one without any keeps none, so
    that the optimiser leaves it alone.
    """
    if processes.world == 1:
        return
    has_gradient = torch.tensor([float(p.grad is not None) for p in parameters], device=processes.device)
    used = [p for p, count in zip(parameters, processes.add(has_gradient).tolist(), strict=True) if count > 0]
    for parameter in used:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    for bucket in _buckets([parameter.grad for parameter in used if parameter.grad is not None]):
        flat = processes.add(torch.cat([gradient.flatten() for gradient in bucket]))
        for gradient, summed in zip(bucket, torch.split(flat, [gradient.numel() for gradient in bucket]), strict=True):
            gradient.copy_(summed.view_as(gradient))


def average_batch_norms(module: nn.Module, processes: Processes, *, took_part: bool) -> None:
    """Give every process the same running statistics: the mean over those that saw a batch in this step."""
    if processes.world == 1:
        return
    norms = [norm for norm in module.modules() if isinstance(norm, _BATCH_NORMS) and norm.training]
    statistics = [s for norm in norms for s in (norm.running_mean, norm.running_var) if s is not None]
    if not statistics:
        return
    # In double precision the mean of equal numbers is exactly that number.
    flat = torch.cat([s.flatten().double() for s in statistics]) * float(took_part)
    sums = processes.add(torch.cat([flat, flat.new_tensor([float(took_part)])]))
    means = sums[:-1] / sums[-1].clamp(min=1)
    for statistic, mean in zip(statistics, torch.split(means, [s.numel() for s in statistics]), strict=True):
        statistic.copy_(mean.view_as(statistic))


def clip(parameters: Sequence[nn.Parameter], longest: float | None) -> float:
    """Shorten the gradient to a length of ``longest`` at most; None leaves it.

    Returns:
        Its length before, which is infinite or no number where a gradient is; then nothing is changed.
    """
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = torch.nn.utils.get_total_norm(gradients)
    length = float(norm)
    if longest is not None and torch.isfinite(norm):
        torch.nn.utils.clip_grads_with_norm_(parameters, longest, norm)
    return length


def worst_gradient(module: nn.Module) -> str:
    """Name the parameter whose gradient is to blame for a length that is not finite, and say how bad it is."""
    bad: list[tuple[int, str]] = []
    largest: list[tuple[float, str]] = []
    for name, parameter in module.named_parameters():
        if parameter.grad is not None:
            count = int((~torch.isfinite(parameter.grad)).sum())
            if count:
                bad.append((count, f"{name} ({count:,} of {parameter.numel():,} entries not finite)"))
            else:
                top = float(parameter.grad.abs().max()) if parameter.numel() else 0.0
                largest.append((top, f"{name} (up to {top:.3g})"))
    if bad:
        return f"{max(bad)[1]}, the worst of {len(bad)} such parameters"
    return max(largest)[1] if largest else "none"


def _buckets(gradients: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """Put neighbours of one type together until a bucket is full."""
    bucket: list[Tensor] = []
    size = 0
    for gradient in gradients:
        if bucket and (gradient.dtype != bucket[0].dtype or size + gradient.nbytes > _BUCKET_BYTES):
            yield bucket
            bucket, size = [], 0
        bucket.append(gradient)
        size += gradient.nbytes
    if bucket:
        yield bucket
