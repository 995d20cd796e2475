"""Whether a run may be gone on with: only with the settings that it was begun with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from vsdmot.errors import TrainingError

MAY_DIFFER = frozenset(
    {
        "max_minutes",
        "workers",
        "num_workers",
        "prefetch",
        "log_every",
        "checkpoint_every_steps",
        "checkpoint_every_minutes",
        "keep_checkpoints",
        "device",
        "output",
        "run",
        "resume",
    }
)
"""Settings (by the last part of their dotted names) that change how a run goes, but not what comes out."""


def plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Bring settings to the form in which they come back from a JSON file."""
    tree: dict[str, Any] = json.loads(json.dumps(settings, default=str))
    return tree


def refuse_other_settings(where: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Compare the settings of a stored run with those of the present one.

    Raises:
        TrainingError: They differ; with the first three that do.
    """
    old, new = dict(_flat(before)), dict(_flat(now))
    missing = object()
    different = [
        f"{name} was {_show(old, name)}, is now {_show(new, name)}"
        for name in [*old, *(name for name in new if name not in old)]
        if name.rpartition(".")[2] not in MAY_DIFFER and old.get(name, missing) != new.get(name, missing)
    ]
    if different:
        more = f" and {len(different) - 3} more" if len(different) > 3 else ""
        raise TrainingError(
            f"{where}: a run can only be resumed with the settings it was begun with: {'; '.join(different[:3])}{more}"
            "; restore them, or train anew in another folder"
        )


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _show(flat: Mapping[str, Any], name: str) -> str:
    return json.dumps(flat[name]) if name in flat else "not set"
