"""The record of a degraded sequence: ``degradation.json``, and what tells a run that was cut off from a finished one.

While a sequence is worked on, ``degradation.json.part`` holds the head of the record: version, settings, source. A run
that finds it goes on if its own head is the same. The record itself comes last: where it is, the sequence is complete.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from vsdmot.config import to_mapping
from vsdmot.degradation.schedule import DegradeSettings, FrameParameters, Schedule
from vsdmot.degradation.video_codec import group_of
from vsdmot.errors import OutputError
from vsdmot.io.whole_files import write_whole
from vsdmot.version import __version__

NAME = "degradation.json"
ADVICE = "choose another output, or add --overwrite to begin anew"


def head_of(settings: DegradeSettings, *, name: str, source: dict[str, Any]) -> dict[str, Any]:
    """Make the head of a record.

    Args:
        settings: How the sequence is degraded.
        name: What its chance depends on besides the seed.
        source: What tells the source from others; no folders, which are nobody's business.
    """
    values = {**to_mapping(settings), "only": list(settings.operators)}  # in whatever order they were named
    return {"vsdmot": __version__, "sequence": name, "source": source, "settings": values}


def frame_entry(parameters: FrameParameters, shows: int) -> dict[str, Any]:
    """Make the entry of a frame: the frame whose picture it shows, the push of a bad spell, and all numbers."""
    entry: dict[str, Any] = {"frame": parameters.frame, "shows": shows, "bad_spell": parameters.bad_spell}
    entry |= {str(operator): numbers for operator, numbers in parameters.values.items()}
    if parameters.eq17 is not None:
        entry["eq17"] = to_mapping(parameters.eq17)
    return entry


def entries(schedule: Schedule, numbers: Iterable[int]) -> Iterator[dict[str, Any]]:
    """Make the entries of the frames that there are, by rising number."""
    shown, group = 0, -1
    for number in numbers:
        parameters = schedule.at(number)
        if group_of(number) != group or not parameters.dropped:  # what `frames.transmit` does
            shown, group = number, group_of(number)
        yield frame_entry(parameters, shown)


def was_begun(path: Path) -> bool:
    """Tell whether a record is there, or that of a run that was cut off."""
    return path.is_file() or part_of(path).is_file()


def is_complete(path: Path, head: dict[str, Any]) -> bool:
    """Tell whether a record is there; its run must have been the same.

    Args:
        path: Where the record is, or will be.
        head: The head of the present run.

    Raises:
        OutputError: A record, or that of a run that was cut off, is there and has another head.
    """
    for existing, complete in ((path, True), (part_of(path), False)):
        if existing.is_file():
            _compare(existing, head)
            return complete
    return False


def begin(path: Path, head: dict[str, Any]) -> None:
    """Note that a run with this head has begun.

    Raises:
        OutputError: It cannot be written.
    """
    write_whole(part_of(path), _dump(head).encode())


def finish(path: Path, head: dict[str, Any], frames: Iterable[dict[str, Any]]) -> None:
    """Write the record, one line for each frame; the sequence is then complete.

    Raises:
        OutputError: It cannot be written.
    """
    lines = ",\n".join(_dump(frame) for frame in frames)
    write_whole(path, (_dump(head)[:-1] + f', "frames": [\n{lines}\n]}}\n').encode())
    part_of(path).unlink(missing_ok=True)


def forget(path: Path) -> None:
    """Remove a record and that of a run that was cut off.

    Raises:
        OutputError: One cannot be removed.
    """
    for existing in (path, part_of(path)):
        try:
            existing.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"{existing}: cannot be replaced: {error.strerror}") from None


def part_of(path: Path) -> Path:
    """Give where the head is kept while a run is under way."""
    return path.with_name(path.name + ".part")


def _compare(existing: Path, head: dict[str, Any]) -> None:
    try:
        text = existing.read_text(encoding="utf-8")
        there = json.loads(text)
        before = {key: there[key] for key in head}
    except (OSError, ValueError, KeyError, TypeError):
        raise OutputError(
            f"{existing}: expected the record of an earlier run, found something else; {ADVICE}"
        ) from None
    for what, old, new in _differences("", before, head):
        raise OutputError(f"{existing}: the output was begun with {what} {old!r}, this run has {new!r}; {ADVICE}")


def _differences(name: str, old: Any, new: Any) -> list[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [*old, *(key for key in new if key not in old)]
        return [found for key in keys for found in _differences(f"{name} {key}".strip(), old.get(key), new.get(key))]
    return [] if old == new else [(name, old, new)]


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
