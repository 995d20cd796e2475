"""``vsdmot info``: what a file or folder of weights is, and which models are known by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from vsdmot.cli.arguments import make_parser, parse
from vsdmot.cli.console import say
from vsdmot.cli.model_list import describe_models, describe_release
from vsdmot.config import to_mapping
from vsdmot.detection.yolox.checkpoint import load_yolox
from vsdmot.detection.yolox.releases import RELEASES
from vsdmot.errors import CheckpointError, ConfigError
from vsdmot.tracking.pretrained import load_pretrained


@dataclass(frozen=True, kw_only=True)
class InfoSettings:
    """Say what a checkpoint is: architecture, parameters, settings and who trained it on what.

    Attributes:
        path: A tracker's folder, a published MOTRv2 or YOLOX checkpoint, a name from --list, or owner/name on the
            Hugging Face hub.
        list: Show the models that are known by name: where they come from, their licence, their hash, how to load them.
    """

    path: str | None = None
    list: bool = False

    def __post_init__(self) -> None:
        if self.list == (self.path is not None):
            raise ConfigError("give the PATH or name of a model, or --list for those that are known by name")


def main(arguments: Sequence[str]) -> None:
    """Run the verb from the words after ``vsdmot info``."""
    parser = make_parser(InfoSettings, prog="vsdmot info", positional=["path"])
    settings = parse(parser, InfoSettings, arguments)
    for line in describe_models() if settings.path is None else describe(settings.path):
        say(line)


def describe(path: str) -> list[str]:
    """Describe weights, a fact a line.

    Raises:
        CheckpointError: There is nothing, or it is neither a tracker nor a detector.
    """
    if path in RELEASES and not Path(path).exists():
        cached = RELEASES[path].cached
        return _describe_detector(cached) if cached.is_file() else describe_release(path)
    try:
        return _describe_tracker(path)
    except CheckpointError as error:
        if not Path(path).is_file():
            raise
        not_a_tracker = str(error)
    try:
        return _describe_detector(Path(path))
    except CheckpointError as error:
        raise CheckpointError(f"{not_a_tracker}\n{error}") from None


def _describe_tracker(path: str) -> list[str]:
    loaded = load_pretrained(path)
    kind = "VSD-MOT" if loaded.model.student is not None else "MOTRv2"
    lines = [f"{loaded.location}: {kind} tracker"]
    lines += ["parameters", *_count_parts(loaded.model)]
    for name, values in to_mapping(loaded.config).items():
        lines += [name, *_indent(values)]
    lines += ["provenance", *_indent(loaded.provenance or {"trained": "not said"})]
    return lines


def _describe_detector(path: Path) -> list[str]:
    loaded = load_yolox(path)
    return [
        f"{path}: YOLOX detector",
        *(f"  {note}" for note in loaded.notes),
        "parameters",
        *_count_parts(loaded.network),
    ]


def _count_parts(model: nn.Module) -> list[str]:
    counts = {name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()}
    counts["total"] = sum(p.numel() for p in model.parameters())
    return [f"  {name:<20} {count:>12,}" for name, count in counts.items()]


def _indent(values: dict[str, Any], depth: int = 1) -> list[str]:
    lines = []
    for name, value in values.items():
        if isinstance(value, dict):
            lines += [f"{'  ' * depth}{name}", *_indent(value, depth + 1)]
        else:
            lines.append(f"{'  ' * depth}{name:<{22 - 2 * depth}} {value}")
    return lines
