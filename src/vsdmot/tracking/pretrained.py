"""Saving and loading trackers: a folder with ``model.safetensors`` and ``config.json``, in the Hugging Face way.

``config.json`` holds the architecture, the settings that the weights were made for (input size, life cycle, quality)
and the provenance: who trained them, on what, with which seed. Published MOTRv2 checkpoints load too.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from vsdmot.config import from_mapping, to_mapping
from vsdmot.detection.yolox.proposing import ProposingConfig
from vsdmot.errors import CheckpointError, ConfigError, OutputError
from vsdmot.io.weights import WeightsFile, read_weights
from vsdmot.models import published
from vsdmot.models.vsdmot import VSDMOT, ModelConfig
from vsdmot.quality import QualityConfig
from vsdmot.tracking.lifecycle import LifecycleConfig
from vsdmot.tracking.model_names import SHIPPED, shipped_folder
from vsdmot.tracking.preprocess import PreprocessConfig

FORMAT = "vsdmot/1"
WEIGHTS_NAME = "model.safetensors"
CONFIG_NAME = "config.json"


@dataclass(frozen=True, kw_only=True)
class TrackerConfig:
    """All settings that belong to a set of weights.

    Attributes:
        model: Architecture of the network.
        preprocessing: Size of the network's input.
        lifecycle: When tracks are born and end.
        quality: Constants of frame quality; DSWR learned its weights on exactly these.
        proposing: Which finds of the network's own detector become proposals; only where the backbone is one.
    """

    model: ModelConfig = field(default_factory=ModelConfig)
    preprocessing: PreprocessConfig = field(default_factory=PreprocessConfig)
    lifecycle: LifecycleConfig = field(default_factory=LifecycleConfig)
    quality: QualityConfig = field(default_factory=QualityConfig)
    proposing: ProposingConfig = field(default_factory=ProposingConfig)

    def __post_init__(self) -> None:
        if self.preprocessing.multiple % self.model.multiple:
            raise ConfigError(
                f"preprocessing.multiple: must be a multiple of {self.model.multiple} for this backbone, got "
                f"{self.preprocessing.multiple}"
            )
        if self.model.detector is None and self.proposing != ProposingConfig():
            raise ConfigError("proposing: is for a network whose backbone is a detector; this one has none")


@dataclass(frozen=True, eq=False)
class Pretrained:
    """Weights and all that belongs to them.

    Attributes:
        model: The network, on the CPU, in evaluation mode.
        config: Its settings.
        provenance: Who trained it, on what, with which seed; ``{"trained": False}`` for random weights.
        location: Where it came from.
    """

    model: VSDMOT
    config: TrackerConfig
    provenance: dict[str, Any]
    location: str

    @property
    def trained(self) -> bool:
        """False for weights that are known to be random."""
        return bool(self.provenance.get("trained", True))

    def digest(self) -> str:
        """Give the SHA-256 of the network's numbers: the same from whatever file they came."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self.model.state_dict().items()):
            digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
            digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()


def save_pretrained(
    folder: Path, model: VSDMOT, config: TrackerConfig, provenance: dict[str, Any], *, half: bool = False
) -> None:
    """Write weights, settings and provenance.

    Args:
        folder: Made if missing; files of the same names are replaced.
        model: The network.
        config: Its settings; ``config.model`` must be the network's own.
        provenance: Facts for the reader of ``config.json``; ``trained`` should be among them.
        half: Write numbers of 16 bits, half the size; they are those of 32 bits again when loaded, but rounded.

    Raises:
        OutputError: The folder cannot be written, or a number is too large for 16 bits.
    """
    facts = {"format": FORMAT, **to_mapping(config), "provenance": provenance}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    if half:
        tensors = {name: _halved(tensor, f"{folder}: {name}") for name, tensor in tensors.items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / (WEIGHTS_NAME + ".part")
        save_file(tensors, partial, metadata={"format": "pt"})
        (folder / CONFIG_NAME).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        partial.replace(folder / WEIGHTS_NAME)  # the name appears only when the file is whole
    except OSError as error:
        raise OutputError(f"{folder}: cannot save weights: {error.strerror or error}") from None


def _halved(tensor: Tensor, what: str) -> Tensor:
    if not tensor.is_floating_point():
        return tensor
    rounded = tensor.half()
    if not bool((rounded.isfinite() == tensor.isfinite()).all()):
        largest = float(tensor.abs().max())
        raise OutputError(f"{what} has a value of {largest:.3g}, too large for 16 bits; save it in full precision")
    return rounded


def load_pretrained(location: str | Path) -> Pretrained:
    """Load a tracker.

    Args:
        location: A folder written by `save_pretrained`, a published MOTRv2 checkpoint (``.pth``, ``.safetensors``),
            the name of a model that comes with the package, or ``owner/name`` on the Hugging Face hub. A folder or file
            of that name wins over the name.

    Raises:
        CheckpointError: Nothing is there, or it is not a tracker, or it does not fit its own settings.
    """
    path = Path(location)
    if path.is_dir():
        return _load_folder(path, str(location))
    if path.is_file() and path.name == WEIGHTS_NAME and (path.parent / CONFIG_NAME).is_file():
        return _load_folder(path.parent, str(location))
    if path.is_file():
        return _load_published(read_weights(path))
    shipped = shipped_folder(str(location))
    if shipped is not None:
        return _load_folder(shipped, str(location))
    if path.suffix or str(location).count("/") != 1 or str(location).startswith((".", "/", "~")):
        raise CheckpointError(
            f"{location}: no such weights; expected a folder with {WEIGHTS_NAME} and {CONFIG_NAME}, "
            f"a MOTRv2 checkpoint file, {', '.join(SHIPPED)}, or owner/name on the Hugging Face hub"
        )
    return _load_folder(_download(str(location)), str(location))


def _load_folder(folder: Path, location: str) -> Pretrained:
    config_path = folder / CONFIG_NAME
    try:
        facts = json.loads(config_path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"{folder}: has no {CONFIG_NAME}, so this is not a vsdmot model") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{config_path}: not readable as JSON: {error}") from None
    if not isinstance(facts, dict) or facts.pop("format", None) != FORMAT:
        raise CheckpointError(f'{config_path}: expected a vsdmot model with "format": "{FORMAT}"')
    provenance = facts.pop("provenance", {})
    try:
        config = from_mapping(TrackerConfig, facts, where=str(config_path))
    except ConfigError as error:
        raise CheckpointError(str(error)) from None
    weights = read_weights(folder / WEIGHTS_NAME)
    return Pretrained(_fill(config.model, weights.tensors, weights.path), config, provenance, location)


def _load_published(weights: WeightsFile) -> Pretrained:
    state = weights.tensors
    if not published.is_published_motrv2(state):
        raise CheckpointError(f"{weights.path}: not a MOTRv2 checkpoint ({_what_it_is(state)})")
    foreign = published.foreign_entries(state)
    if foreign:
        raise CheckpointError(
            f"{weights.path}: a checkpoint of the MOTR family, but not MOTRv2: it has {foreign[0]} "
            f"and {len(foreign) - 1} more entries that MOTRv2 does not have"
        )
    model = published.architecture(state, num_heads=int(weights.settings.get("nheads", 8)))
    provenance = {
        "trained": True,
        "note": "published MOTRv2 checkpoint, converted when loaded",
        "settings": {key: value for key, value in weights.settings.items() if isinstance(value, str | int | float)},
    }
    network = _fill(model, published.rename(state), weights.path)
    return Pretrained(network, TrackerConfig(model=model), provenance, str(weights.path))


def _fill(config: ModelConfig, tensors: dict[str, Tensor], path: Path) -> VSDMOT:
    """Make the network and put every tensor in its place."""
    model = VSDMOT(config)
    expected = model.state_dict()
    missing, unknown = sorted(set(expected) - set(tensors)), sorted(set(tensors) - set(expected))
    shapes = sorted(
        f"{name} is {tuple(tensors[name].shape)}, expected {tuple(expected[name].shape)}"
        for name in set(expected) & set(tensors)
        if expected[name].shape != tensors[name].shape
    )
    problems = []
    for what, names in (("missing", missing), ("unknown", unknown), ("of another size", shapes)):
        if names:
            problems.append(f"{len(names)} entries {what} (first: {names[0]})")
    if problems:
        raise CheckpointError(f"{path}: does not fit the architecture: {'; '.join(problems)}")
    model.load_state_dict(tensors)
    return model.eval()


def _download(name: str) -> Path:
    """Fetch ``owner/name`` from the hub into its cache."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=[WEIGHTS_NAME, CONFIG_NAME, "README.md"]))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise CheckpointError(
            f"{name}: no such folder here, and not to be had from the Hugging Face hub ({reason}); "
            "download it elsewhere and give the path of its folder"
        ) from None


def _what_it_is(state: dict[str, Tensor]) -> str:
    if any(name.startswith("backbone.backbone.stem") for name in state):
        return "it looks like a YOLOX detector; give it to --detector"
    first = next(iter(state))
    return f"{len(state)} entries, the first is {first}"
