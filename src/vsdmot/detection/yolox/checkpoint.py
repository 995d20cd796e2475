"""Published YOLOX weights: read safely, recognise the size from the shapes, find the input convention.

Files of YOLOX, ByteTrack, OC-SORT, Hybrid-SORT and DanceTrack (``{"model": ..., "optimizer": ...}`` in ``.pth`` or
``.pth.tar``), of mmdetection and mmtracking (other names, mapped here), and safetensors. A tracker whose backbone is a
detector has one too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from vsdmot.detection.yolox.letterbox import InputConvention
from vsdmot.detection.yolox.mmdet_names import is_mmdet, published_names
from vsdmot.errors import CheckpointError, OutputError
from vsdmot.io.weights import WeightsFile, read_weights
from vsdmot.models.backbone import YoloxBackbone
from vsdmot.models.yolox.network import YOLOX, YoloxConfig

_METADATA_KEY = "input_convention"
_IN_TRACKER = "backbone.network."

# Largest gain of a stem filter, in units of activation per unit of input. Inputs of the two conventions differ in
# scale by 255 * std = 57.6, and so do the filters that give activations of order one: YOLOX-nano legacy has 15.6,
# the same network rewritten for 0..255 input has 0.27. Between the bounds nothing is decided.
_CURRENT_BELOW, _LEGACY_ABOVE = 1.2, 3.0


@dataclass(frozen=True, kw_only=True)
class LoadedYolox:
    """A network with published weights.

    Attributes:
        network: In evaluation mode, float32, on the CPU.
        convention: How its input has to be normalised.
        notes: What was recognised and assumed, a sentence each, for the user.
    """

    network: YOLOX
    convention: InputConvention
    notes: tuple[str, ...]


def load_yolox(path: Path, *, convention: Literal["auto"] | InputConvention = "auto") -> LoadedYolox:
    """Read weights and build the network they belong to.

    ``auto`` takes the convention that the file names (safetensors metadata ``input_convention``), then the one in a
    ``config.json`` beside it, then the one that the scale of the first layer shows: filters for inputs of 0 to 255
    are some 58 times smaller than filters for normalised inputs.

    Args:
        path: ``.safetensors``, ``.pth``, ``.pth.tar`` or any other file that torch saved; or a folder with
            ``model.safetensors``. From a tracker whose backbone is a detector, the detector is taken.
        convention: How the weights expect their input; ``auto`` as above.

    Raises:
        CheckpointError: The file is missing, damaged, unsafe to read or not YOLOX, or ``auto`` cannot tell.
    """
    path = weights_file(path)
    weights = read_weights(path)
    if any(name.startswith(_IN_TRACKER) for name in weights.tensors):
        return _load_backbone(weights, convention)
    state = published_names(weights.tensors) if is_mmdet(weights.tensors) else weights.tensors
    config = recognise(state, path)
    network = _build(config, state, path)
    found, source = (
        _find_convention(path, weights.metadata, network) if convention == "auto" else (convention, "as set")
    )
    return LoadedYolox(network=network, convention=found, notes=(_note(path, config, found, source),))


def weights_file(path: Path) -> Path:
    """Give the file of weights that a folder stands for; a file stands for itself.

    Raises:
        CheckpointError: It is a folder without weights.
    """
    if not path.is_dir():
        return path
    file = path / "model.safetensors"
    if not file.is_file():
        raise CheckpointError(f"{path}: expected a file of weights, or a folder with model.safetensors")
    return file


def _load_backbone(weights: WeightsFile, convention: Literal["auto"] | InputConvention) -> LoadedYolox:
    """Take the detector out of a tracker; its normalisation is folded already, and its input is the tracker's."""
    path = weights.path
    if convention == "current":
        raise CheckpointError(f"{path}: the input convention of a detector in a tracker is 'legacy', not 'current'")
    state = {name.removeprefix(_IN_TRACKER): t for name, t in weights.tensors.items() if name.startswith(_IN_TRACKER)}
    config = recognise(state, path)
    network = YoloxBackbone(config).network
    _fill(network, state, path)
    note = _note(path, config, "legacy", "as that of the tracker whose backbone it is")
    return LoadedYolox(network=network.eval(), convention="legacy", notes=(note,))


def _note(path: Path, config: YoloxConfig, convention: InputConvention, source: str) -> str:
    classes = f"{config.num_classes} class{'es' if config.num_classes > 1 else ''}"
    return f"{path.name}: {config.name}, {classes}, input convention {convention}, {source}"


def save_yolox(path: Path, network: YOLOX, convention: InputConvention) -> None:
    """Write weights as safetensors, with the input convention in the metadata.

    Args:
        path: File to write.
        network: The network, on any device.
        convention: How its input has to be normalised.

    Raises:
        OutputError: The file cannot be written.
    """
    state = {name: tensor.contiguous().cpu() for name, tensor in network.state_dict().items()}
    try:
        save_file(state, path, metadata={"format": "pt", _METADATA_KEY: convention})
    except (SafetensorError, OSError) as error:
        raise OutputError(f"{path}: cannot write weights: {error}") from None


def recognise(state: Mapping[str, Tensor], path: Path) -> YoloxConfig:
    """Infer the size of the network from the names and shapes of its weights.

    Args:
        state: Published key names to tensors.
        path: For messages.

    Raises:
        CheckpointError: The keys are not those of YOLOX.
    """
    stem = state.get("backbone.backbone.stem.conv.conv.weight")
    classes = state.get("head.cls_preds.0.weight")
    if stem is None or classes is None or stem.ndim != 4 or classes.ndim != 4:
        found = ", ".join(sorted(state)[:3])
        raise CheckpointError(
            f"{path}: expected the weights of a YOLOX detector, found {len(state)} others ({found} ...)"
        )
    blocks = {name.split(".")[5] for name in state if name.startswith("backbone.backbone.dark2.1.m.")}
    return YoloxConfig(
        depth=max(len(blocks), 1) / 3,
        width=stem.shape[0] / 64,
        depthwise="backbone.backbone.dark2.0.dconv.conv.weight" in state,
        num_classes=classes.shape[0],
    )


def _build(config: YoloxConfig, state: Mapping[str, Tensor], path: Path) -> YOLOX:
    """Build the network and load every weight, or say what does not fit."""
    with torch.device("meta"):
        network = YOLOX(config)
    _fill(network, state, path)
    return network.eval()


def _fill(network: YOLOX, state: Mapping[str, Tensor], path: Path) -> None:
    """Put every weight in its place, as float32."""
    expected = network.state_dict()
    # Counters that batch normalisation needs for training only; exported files leave them out.
    counters = {name: torch.zeros((), dtype=torch.int64) for name in expected if name.endswith(".num_batches_tracked")}
    state = {**counters, **state}
    missing = sorted(expected.keys() - state.keys())
    unexpected = sorted(state.keys() - expected.keys())
    reshaped = [name for name in expected if name in state and state[name].shape != expected[name].shape]
    faults = [
        f"{len(names)} {kind} (first: {names[0]})"
        for kind, names in (("missing", missing), ("unexpected", unexpected), ("of another shape", reshaped))
        if names
    ]
    if faults:
        raise CheckpointError(f"{path}: looks like {network.config.name}, but weights do not fit: {', '.join(faults)}")
    broken = next((name for name, tensor in state.items() if not tensor.isfinite().all()), None)
    if broken:
        raise CheckpointError(f"{path}: weight {broken} holds values that are not finite; the file is damaged")
    full = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    network.load_state_dict(full, strict=True, assign=True)
    network.requires_grad_(False)


def _find_convention(path: Path, metadata: Mapping[str, str], network: YOLOX) -> tuple[InputConvention, str]:
    """Apply the rule of ``auto``; gives the convention and where it was found."""
    if _METADATA_KEY in metadata:
        return _known(metadata[_METADATA_KEY], path), "as its metadata says"
    settings = path.with_name("config.json")
    if settings.is_file():
        try:
            values = json.loads(settings.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{settings}: not readable as JSON: {error}") from None
        if isinstance(values, dict) and _METADATA_KEY in values:
            return _known(values[_METADATA_KEY], settings), f"as {settings.name} says"
    gain = stem_gain(network)
    if _CURRENT_BELOW < gain < _LEGACY_ABOVE:
        raise CheckpointError(
            f"{path}: cannot tell the input convention from the first layer (gain {gain:.2g}); "
            "set it to 'legacy' (ByteTrack, OC-SORT, YOLOX up to 0.1.0) or 'current' (YOLOX since 0.1.1)"
        )
    found: InputConvention = "legacy" if gain >= _LEGACY_ABOVE else "current"
    return found, f"read from the scale of its first layer ({gain:.2g})"


def stem_gain(network: YOLOX) -> float:
    """Give the largest norm of a stem filter with its normalisation folded in: activation per unit of input."""
    layer = network.backbone.backbone.stem.conv
    norm = layer.bn
    assert isinstance(norm, torch.nn.BatchNorm2d)
    assert norm.running_var is not None
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return float((layer.conv.weight.flatten(1).norm(dim=1) * scale.abs()).max())


def _known(value: object, path: Path) -> InputConvention:
    for convention in get_args(InputConvention):
        if value == convention:
            return convention  # type: ignore[no-any-return]
    raise CheckpointError(f"{path}: {_METADATA_KEY} must be 'legacy' or 'current', got {value!r}")
