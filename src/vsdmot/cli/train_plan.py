"""What ``vsdmot train --dry-run`` prints: data, network, schedule and memory of a training that is not begun."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch

from vsdmot.io.problems import counted
from vsdmot.training.clips.clip import num_boxes
from vsdmot.training.clips.sources import ClipSource
from vsdmot.training.prepare import Prepared
from vsdmot.training.recipe import DetectorRecipe, TrackerRecipe
from vsdmot.training.task import Place
from vsdmot.training.tracker_task import ClipBatch, TrackerTask
from vsdmot.training.yolox.task import YoloxTask

_BYTES_A_PARAMETER = 16  # the weight, its gradient and AdamW's two means, four bytes each


def plan_lines(
    recipe: TrackerRecipe | DetectorRecipe, prepared: Prepared, run: Path, world: int, device: torch.device
) -> list[str]:
    """Describe a training, line by line."""
    lines = [f"run      {run}{' (exists)' if run.exists() else ''}", f"device   {world} x {device}"]
    lines += _tracker_lines(recipe, prepared) if isinstance(recipe, TrackerRecipe) else _detector_lines(prepared)
    task, epochs = prepared.task, recipe.epochs
    lines.append(f"steps    {counted(epochs, 'epoch')} of {task.num_steps:,} = {epochs * task.num_steps:,}")
    rates = {round(prepared.schedule(float(epoch)), 6): epoch for epoch in reversed(range(epochs))}
    drops = ", ".join(
        f"x{factor:g} from epoch {epoch + 1}" for factor, epoch in sorted(rates.items(), reverse=True)[:4]
    )
    groups = ", ".join(f"{group.get('name', 'all')} {group['lr']:g}" for group in task.parameter_groups())
    return [*lines, f"rate     {groups}; {drops}"]


def _tracker_lines(recipe: TrackerRecipe, prepared: Prepared) -> Iterator[str]:
    task = prepared.task
    assert isinstance(task, TrackerTask), "a tracker's recipe makes a tracker's task"
    for source in task.dataset.sources:
        yield f"train    {_source(source)}"
    clips, batch = len(task.dataset), recipe.loading.global_batch
    yield f"clips    {clips:,} an epoch, {recipe.data.sampling.length} frames each, {batch} to a step"
    if task.validation is not None:
        sequences = task.validation.sequences
        yield f"measure  {counted(len(sequences), 'sequence')}, {counted(task.validation.num_frames, 'frame')}"
    yield f"teacher  {'none' if prepared.teacher is None else prepared.teacher.identity}"
    count = sum(p.numel() for p in task.model.parameters())
    trained = sum(p.numel() for p in task.module.parameters() if p.requires_grad)
    yield f"network  {count:,} parameters, {trained:,} trained with the distiller's"
    step = next(iter(task.batches(Place())))[0]
    activations = activation_bytes(task, step)
    height, width = step.clip[0].image.shape[1:]
    total = (trained * _BYTES_A_PARAMETER + activations) / 1e9
    yield f"memory   about {total:.1f} GB for a clip of {width}x{height} with {num_boxes(step.clip)} boxes"


def _detector_lines(prepared: Prepared) -> Iterator[str]:
    task = prepared.task
    assert isinstance(task, YoloxTask), "a detector's recipe makes a detector's task"
    yield f"train    {counted(len(task.images), 'image')}"
    yield f"measure  {counted(len(task.validation), 'image')}"
    yield f"network  {sum(p.numel() for p in task.module.parameters() if p.requires_grad):,} parameters"


def _source(source: ClipSource) -> str:
    frames = sum(len(one) for one in source.sequences)
    boxes = sum(len(one.people.values) for one in source.sequences)
    proposals = sum(0 if one.proposals is None else len(one.proposals.values) for one in source.sequences)
    imitated = any(one.proposals is None for one in source.sequences)
    degraded = sum(one.quality == "degraded" for one in source.sequences)
    parts = [
        counted(len(source.sequences), "sequence") + (f" ({degraded} degraded)" if degraded else ""),
        counted(frames, "frame"),
        counted(boxes, "box", "boxes"),
        "imitated proposals" if imitated else f"{proposals / max(frames, 1):.1f} proposals a frame",
    ]
    return f"{source.name}: {', '.join(parts)}"


def activation_bytes(task: TrackerTask, batch: ClipBatch) -> int:
    """Measure what the backward pass of a clip keeps, by a forward pass without one."""
    kept: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    own = {p.untyped_storage().data_ptr() for p in task.module.parameters()}
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        task.module(batch, float(max(num_boxes(batch.clip), 1)))
    return sum(size for place, size in kept.items() if place not in own)
