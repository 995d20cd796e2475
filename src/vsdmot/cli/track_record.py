"""What ``vsdmot track`` puts on record of a run: enough to make it again, and to know what made it."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsdmot.config import to_mapping
from vsdmot.io.hashes import hash_file
from vsdmot.io.sources import Source, hide_password
from vsdmot.tracking.pretrained import Pretrained
from vsdmot.version import versions

if TYPE_CHECKING:
    from vsdmot.cli.track import Summary, TrackSettings

_OUTPUTS = frozenset({"output", "mot", "jsonl", "record", "overwrite"})
_OF_TRAINING = ("trained_by", "begun", "seed", "commit")


def facts_of_run(
    settings: TrackSettings, loaded: Pretrained | None, source: Source, summary: Summary, began: datetime
) -> dict[str, Any]:
    """Put together the facts of a run.

    Args:
        settings: Of the command.
        loaded: Weights of the network that followed people; None for association trackers.
        source: What was tracked, read to its end.
        summary: What came of it.
        began: When, in UTC.
    """
    info, read = source.info, source.report
    return {
        "command": "vsdmot track",
        "settings": changed_settings(settings),
        "source": {
            "location": info.location,
            "width": info.width,
            "height": info.height,
            "frame_rate": info.frame_rate,
            "frames_read": read.num_read,
            "frames_broken": read.num_broken,
        },
        "weights": None if loaded is None else _facts_of_weights(loaded),
        "detector": _facts_of_file(settings.detector),
        "detections": _facts_of_file(settings.detections),
        "began": began.isoformat(timespec="seconds"),
        "frames": summary.num_frames,
        "seconds": round(summary.seconds, 3),
        "versions": {**versions(), **({} if loaded else {"trackers": importlib.metadata.version("trackers")})},
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def changed_settings(settings: TrackSettings) -> dict[str, Any]:
    """Give the settings that are not their defaults, by the names of their flags, without outputs and passwords.

    The tracker is always among them.
    """
    plain, usual = _flat(to_mapping(settings)), _flat(to_mapping(type(settings)(source=settings.source)))
    changed = {
        name: value
        for name, value in plain.items()
        if name not in _OUTPUTS and (name == "tracker" or value != usual[name])
    }
    return {"source": hide_password(settings.source), **changed}


def _flat(mapping: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in mapping.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def _facts_of_weights(loaded: Pretrained) -> dict[str, Any]:
    training = {name: loaded.provenance[name] for name in _OF_TRAINING if name in loaded.provenance}
    return {"location": loaded.location, "sha256": loaded.digest(), "trained": loaded.trained, **training}


def _facts_of_file(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    return {"location": str(path), **({"sha256": hash_file(path)} if path.is_file() else {})}
