"""From a recipe to what the loop trains: network, data, teacher, and the facts that go into the weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vsdmot.config import to_mapping
from vsdmot.detection.yolox.checkpoint import load_yolox
from vsdmot.errors import CheckpointError, ConfigError, TrainingError
from vsdmot.io.weights import read_weights
from vsdmot.models.backbone import YoloxBackbone
from vsdmot.models.vsdmot import VSDMOT
from vsdmot.models.yolox.network import YoloxConfig
from vsdmot.structures import Image
from vsdmot.tracking.pretrained import load_pretrained
from vsdmot.training.clips.data import ClipDataset
from vsdmot.training.clips.sources import ClipSource
from vsdmot.training.distillation.cache import FeatureCache, precompute
from vsdmot.training.distillation.dcsd import Distiller
from vsdmot.training.distillation.teacher import Teacher, load_teacher
from vsdmot.training.loop import provenance
from vsdmot.training.loop.schedule import Schedule
from vsdmot.training.objective.clip_forward import freeze_stem
from vsdmot.training.recipe import DetectorRecipe, TrackerRecipe
from vsdmot.training.task import Task
from vsdmot.training.tracker_task import TrackerTask
from vsdmot.training.tracker_validation import TrackerValidation

Progress = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Prepared:
    """A training that is ready to begin.

    Attributes:
        task: What the loop trains.
        schedule: Learning rate over the epochs.
        data: What was hashed of each set of data, by name.
        notes: What was left out or assumed, a sentence each.
        teacher: What the student learns from; None without.
    """

    task: Task
    schedule: Schedule
    data: dict[str, dict[str, Any]]
    notes: tuple[str, ...]
    teacher: Teacher | None = None


def prepare_tracker(recipe: TrackerRecipe, device: torch.device) -> Prepared:
    """Read data, make the network, and load what it starts from.

    Raises:
        VsdmotError: Data, weights or the teacher cannot be used, or do not fit each other.
    """
    torch.manual_seed(recipe.loop.seed)
    teacher = load_teacher(recipe.teacher, device)
    features = None
    if teacher is not None:
        if recipe.teacher.cache is None and device.type != "cpu":
            raise ConfigError("teacher.cache: name a folder for the teacher's features, which are computed only once")
        features = TeacherFeatures(teacher, recipe.teacher.cache, on_cpu=device.type == "cpu")
    dataset = ClipDataset(recipe.data, quality=recipe.tracker.quality, teacher=features)
    validation = TrackerValidation(recipe.validation) if recipe.validation.sources else None
    model = _make_model(recipe).to(device)
    distiller = None
    if teacher is not None:
        distiller = Distiller(recipe.tracker.model.hidden_dim, teacher.width, recipe.distillation).to(device)
    task = TrackerTask(
        model,
        recipe.tracker,
        loss=recipe.loss,
        dataset=dataset,
        loading=recipe.loading,
        optimiser=recipe.optimiser,
        validation=validation,
        distiller=distiller,
        seed=recipe.loop.seed,
    )
    data = {source.name: _hash(source) for source in dataset.sources}
    notes = (*dataset.notes, *(validation.notes if validation else ()))
    return Prepared(task, recipe.schedule.build(recipe.loop.epochs), data, notes, teacher)


def prepare_detector(recipe: DetectorRecipe, device: torch.device) -> Prepared:
    """Read data and make the network.

    Raises:
        VsdmotError: Data or weights cannot be used.
    """
    from vsdmot.training.yolox.task import YoloxTask

    task = YoloxTask(recipe.detector, device=device)
    paths = [image.path for image in task.images]
    return Prepared(task, task.schedule, {"train": provenance.hash_files(_common(paths), paths)}, ())


class TeacherFeatures:
    """What the teacher says about frames, from its cache or, where that does not have them, computed on the spot.

    Args:
        teacher: The teacher.
        cache: Folder of all caches; None keeps nothing.
        on_cpu: Whether the teacher can be asked in worker processes.
    """

    def __init__(self, teacher: Teacher, cache: Path | None, *, on_cpu: bool) -> None:
        self.teacher, self._on_cpu = teacher, on_cpu
        self.cache = None if cache is None else FeatureCache(cache, teacher.identity)

    def __call__(self, name: str, picture: Image) -> Tensor:
        """Give ``(m, width)``; see `vsdmot.training.clips.data.TeacherFeatures`."""
        if self.cache is not None:
            kept = self.cache.get(name, picture)
            if kept is not None:
                return kept
        if not self._on_cpu:
            raise TrainingError(
                f"{name}: the teacher's features are not in its cache; they are computed before training"
            )
        pixels = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
        return self.teacher(pixels)[0].cpu()


def teach_beforehand(prepared: Prepared, recipe: TrackerRecipe, progress: Progress) -> int:
    """Compute the teacher's features of all frames that do not change, and keep them; gives how many were new.

    Raises:
        OutputError: The disk is full; what was kept stays.
    """
    assert isinstance(prepared.task, TrackerTask), "only trackers have a teacher"
    if prepared.teacher is None or recipe.teacher.cache is None:
        return 0
    cache = FeatureCache(recipe.teacher.cache, prepared.teacher.identity)
    return precompute(prepared.teacher, prepared.task.dataset.teacher_pictures(), cache, progress=progress).computed


def collect(
    recipe: TrackerRecipe | DetectorRecipe, prepared: Prepared, processes: int, device: torch.device
) -> dict[str, Any]:
    """Put together who trains this, with what and on what."""
    facts = provenance.collect(
        settings=to_mapping(recipe),
        seed=recipe.loop.seed,
        data=prepared.data,
        trained_by=recipe.trained_by,
        num_processes=processes,
        device=device,
    )
    if prepared.teacher is not None:
        facts["teacher"] = prepared.teacher.provenance
    return facts


def _make_model(recipe: TrackerRecipe) -> VSDMOT:
    model = VSDMOT(recipe.tracker.model)
    if recipe.start is not None:
        start = load_pretrained(recipe.start).model.state_dict()
        _take_over(model, start, recipe.start)
    if recipe.backbone is not None and isinstance(model.backbone, YoloxBackbone):
        _take_detector(model.backbone, recipe.backbone)
    elif recipe.backbone is not None:
        weights = read_weights(recipe.backbone)
        start = {f"backbone.{name}": tensor for name, tensor in weights.tensors.items() if not name.startswith("fc.")}
        _take_over(model, start, str(recipe.backbone), part="backbone.")
    if recipe.start is not None or recipe.backbone is not None:
        freeze_stem(model)
    return model


def _take_detector(backbone: YoloxBackbone, path: Path) -> None:
    """Fill a backbone with a detector that was trained before.

    Raises:
        CheckpointError: It is of another size, of several classes, or takes its input otherwise.
    """
    loaded = load_yolox(path)
    found, expected = loaded.network.config, backbone.network.config
    if found.size != expected.size or found.num_classes != expected.num_classes or loaded.convention != "legacy":
        raise CheckpointError(
            f"{path}: expected {expected.name} for {_classes(expected)} and legacy input as the recipe's detector, "
            f"got {found.name} for {_classes(found)} and {loaded.convention} input"
        )
    backbone.load(loaded.network)


def _classes(config: YoloxConfig) -> str:
    return "1 class" if config.num_classes == 1 else f"{config.num_classes} classes"


def _take_over(model: VSDMOT, start: dict[str, Tensor], where: str, part: str = "") -> None:
    """Put weights where they fit; a student may be missing, nothing may be left over.

    Raises:
        CheckpointError: They are of another architecture.
    """
    own = model.state_dict()
    unknown = [name for name, tensor in start.items() if name not in own or own[name].shape != tensor.shape]
    missing = [
        name
        for name in own
        if name.startswith(part) and name not in start and not name.startswith(("student.", "dswr."))
    ]
    if unknown or missing:
        first = (unknown or missing)[0]
        raise CheckpointError(
            f"{where}: does not fit the network of the recipe: {len(unknown)} entries have no place of their size, "
            f"{len(missing)} are missing; the first is {first}"
        )
    model.load_state_dict(start, strict=False)


def _hash(source: ClipSource) -> dict[str, Any]:
    """Fingerprint the images and annotations of a data set."""
    paths = [one.path(position) for one in source.sequences for position in range(len(one))]
    paths += [one.ground_truth for one in source.sequences if one.ground_truth is not None]
    return provenance.hash_files(_common(paths), paths)


def _common(paths: list[Path]) -> Path:
    """Give the folder that all paths lie in."""
    folder = paths[0].parent
    while not all(path.is_relative_to(folder) for path in paths):
        folder = folder.parent
    return folder
