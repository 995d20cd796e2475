"""A recipe: all settings of a training in one file, from the network to the schedule."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from vsdmot.config import from_mapping, read_yaml
from vsdmot.errors import ConfigError
from vsdmot.tracking.pretrained import TrackerConfig
from vsdmot.training.clips.data import ClipDataConfig
from vsdmot.training.clips.sources import ClipSourceConfig
from vsdmot.training.distillation.dcsd import DistillationConfig
from vsdmot.training.distillation.teacher import TeacherConfig
from vsdmot.training.loop.config import LoopConfig
from vsdmot.training.loop.optimiser import OptimiserConfig
from vsdmot.training.loop.schedule import ScheduleConfig
from vsdmot.training.objective.clip_forward import ClipLossConfig
from vsdmot.training.tracker_task import ClipLoading
from vsdmot.training.tracker_validation import ValidationConfig
from vsdmot.training.yolox.settings import YoloxTrainConfig
from vsdmot.training.yolox.teaching import TeachingConfig


@dataclass(frozen=True, kw_only=True)
class TrackerRecipe:
    """Train a tracker: MOTRv2, or VSD-MOT with its student.

    Attributes:
        train: What is trained; a recipe says tracker here.
        root: Folder from which all other paths of data count that are not absolute.
        start: Weights to start from: a folder, a MOTRv2 checkpoint, or owner/name on the hub; null starts from random
            ones. What the network has beyond them, such as a student, starts at random.
        backbone: Weights of the backbone alone, to start from: of a ResNet a file under torchvision's names, such as
            ImageNet's; of a detector what its own training wrote. Null takes none. Not together with start.
        tracker: The network, and what belongs to its weights.
        data: Clips.
        loading: How clips reach the network.
        loss: What is trained for.
        teacher: Whose semantics the student learns; kind none trains without.
        distillation: How it learns them.
        optimiser: How weights are moved.
        schedule: Learning rate over the epochs.
        loop: How long, how often to store and to measure.
        validation: What is measured on.
        device: auto takes the GPU if there is one; cpu, cuda:0 or mps takes that.
        trained_by: A person or group, as they want to be named in the weights; null leaves it out.
    """

    train: Literal["tracker"]
    root: Path = Path()
    start: str | None = None
    backbone: Path | None = None
    tracker: TrackerConfig = field(default_factory=TrackerConfig)
    data: ClipDataConfig
    loading: ClipLoading = field(default_factory=ClipLoading)
    loss: ClipLossConfig = field(default_factory=ClipLossConfig)
    teacher: TeacherConfig = field(default_factory=TeacherConfig)
    distillation: DistillationConfig = field(default_factory=DistillationConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    loop: LoopConfig = field(default_factory=LoopConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    device: str = "auto"
    trained_by: str | None = None

    @property
    def epochs(self) -> int:
        """How often the data is gone through."""
        return self.loop.epochs

    def __post_init__(self) -> None:
        problems = []
        if self.start is not None and self.backbone is not None:
            problems.append("backbone: start brings a backbone already; give one of the two")
        if self.tracker.model.backbone == "yolox" and self.start is None and self.backbone is None:
            problems.append("backbone: a detector as backbone is not trained any more; name its weights, or a start")
        if self.data.augment.multiple % self.tracker.model.multiple:
            problems.append(f"data.augment.multiple: must be a multiple of {self.tracker.model.multiple}")
        for name, propose, sources in (
            ("loss", self.loss.propose, self.data.sources),
            ("validation", self.validation.propose, self.validation.sources),
        ):
            if propose and self.tracker.model.detector is None:
                problems.append(f"{name}.propose: needs a network with a detector (tracker.model.detector)")
            if propose and (named := [one.proposals for one in sources if one.proposals != "none"]):
                problems.append(
                    f"{name}.propose: takes the place of proposals, and {named[0]} are given; leave out one"
                )
        has_student = self.tracker.model.student is not None
        if self.teacher.kind != "none" and not has_student:
            problems.append("teacher: there is no student to teach (tracker.model.student is null); set kind: none")
        if problems:
            raise ConfigError("\n".join(problems))


@dataclass(frozen=True, kw_only=True)
class DetectorRecipe:
    """Train YOLOX to find people.

    Attributes:
        train: What is trained; a recipe says detector here.
        root: Folder from which all other paths of data count that are not absolute.
        detector: Data, network and augmentation.
        loop: How often to store and to measure; epochs and seed are those of the detector's settings, and gradients
            are not clipped.
        device: auto takes the GPU if there is one; cpu, cuda:0 or mps takes that.
        trained_by: A person or group, as they want to be named in the weights; null leaves it out.
    """

    train: Literal["detector"]
    root: Path = Path()
    detector: YoloxTrainConfig
    loop: LoopConfig = field(default_factory=LoopConfig)
    device: str = "auto"
    trained_by: str | None = None

    @property
    def epochs(self) -> int:
        """How often the data is gone through."""
        return self.loop.epochs

    @property
    def optimiser(self) -> OptimiserConfig:
        """How weights are moved: as YOLOX was published; the rates are those of the detector's settings."""
        return OptimiserConfig(kind="sgd")

    def __post_init__(self) -> None:
        # One number of epochs, one seed: those of the detector, which its schedule and augmentation follow.
        loop = dataclasses.replace(self.loop, epochs=self.detector.epochs, seed=self.detector.seed, clip_grad_norm=None)
        object.__setattr__(self, "loop", loop)


Recipe = TrackerRecipe | DetectorRecipe
_KINDS: dict[object, type[TrackerRecipe] | type[DetectorRecipe]] = {
    "tracker": TrackerRecipe,
    "detector": DetectorRecipe,
}
_MOST_BASES = 8


def read_recipe(path: Path, changes: Mapping[str, object] | None = None) -> Recipe:
    """Read a recipe; what it leaves out comes from the recipe that it names as ``base``, beside it.

    Args:
        path: A YAML file.
        changes: Dotted names to values that win over the file.

    Returns:
        The recipe, its paths of data counted from its ``root``.

    Raises:
        ConfigError: A file is missing or a setting invalid, with every problem.
    """
    tree = _with_bases(path)
    for dotted, value in (changes or {}).items():
        node = tree
        *parents, last = dotted.split(".")
        for name in parents:
            child = node.setdefault(name, {})
            if not isinstance(child, dict):
                raise ConfigError(f"{dotted}: {name} is {child!r} in {path}, not a group of settings")
            node = child
        node[last] = value
    kind = _KINDS.get(tree.get("train"))
    if kind is None:
        raise ConfigError(f"{path}: train: expected tracker or detector, got {tree.get('train')!r}")
    return _located(from_mapping(kind, tree, where=str(path)))


def _with_bases(path: Path) -> dict[str, Any]:
    """Read a file and what it is based on, the nearer winning."""
    trees, file = [], path
    while True:
        tree = read_yaml(file)
        base = tree.pop("base", None)
        trees.append(tree)
        if base is None:
            break
        if not isinstance(base, str) or len(trees) > _MOST_BASES:
            raise ConfigError(f"{file}: base: expected the name of another recipe, not of itself, got {base!r}")
        file = file.parent / base
    merged: dict[str, Any] = {}
    for tree in reversed(trees):
        _merge(merged, tree)
    return merged


def _merge(into: dict[str, Any], tree: Mapping[str, Any]) -> None:
    for name, value in tree.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = value


def _located(recipe: Recipe) -> Recipe:
    """Give the recipe with its paths of data counted from its root."""
    root = recipe.root
    if isinstance(recipe, DetectorRecipe):
        detector = dataclasses.replace(
            recipe.detector,
            train=tuple(root / path for path in recipe.detector.train),
            validation=tuple(root / path for path in recipe.detector.validation),
            teaching=_taught(recipe.detector.teaching, root),
        )
        return dataclasses.replace(recipe, detector=detector)
    data = dataclasses.replace(recipe.data, sources=tuple(_placed(one, root) for one in recipe.data.sources))
    validation = dataclasses.replace(
        recipe.validation, sources=tuple(_placed(one, root) for one in recipe.validation.sources)
    )
    return dataclasses.replace(recipe, data=data, validation=validation)


def _taught(teaching: TeachingConfig | None, root: Path) -> TeachingConfig | None:
    return None if teaching is None else dataclasses.replace(teaching, weights=root / teaching.weights)


def _placed(source: ClipSourceConfig, root: Path) -> ClipSourceConfig:
    named = source.proposals in ("none", "own", "imitated")
    return dataclasses.replace(
        source,
        root=root / source.root,
        images=None if source.images is None else root / source.images,
        clean=None if source.clean is None else root / source.clean,
        proposals=source.proposals if named else str(root / source.proposals),
    )
