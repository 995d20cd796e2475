"""Where everything on the page comes from: files with their hashes, settings, versions."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vsdmot.io.hashes import hash_file
from vsdmot.io.problems import counted
from vsdmot.io.run_record import read_record, record_beside
from vsdmot.io.sources import ReadReport, SourceInfo
from vsdmot.report.page.contents import Contents
from vsdmot.version import __version__


@dataclass(frozen=True)
class Origin:
    """A file that went into the page.

    Attributes:
        what: Its part, such as "run ours".
        path: Where it lay, as it was named.
        facts: What is known of it, a sentence or number each.
    """

    what: str
    path: str
    facts: Sequence[str]


def origins(contents: Contents, reports: Sequence[ReadReport]) -> list[Origin]:
    """Describe runs, videos and ground truth.

    Raises:
        SourceError: A file has gone in the meantime.
    """
    found = [_run_origin(contents, number) for number in range(len(contents.runs))]
    found += [_video_origin(info, report) for info, report in zip(contents.videos, reports, strict=True)]
    truth = contents.truth
    if truth is not None:
        facts = [
            f"{counted(len(truth.counted()), 'box', 'boxes')} of people in {truth.size[0]}x{truth.size[1]} pixels",
            f"rule {truth.rule.rule.name}, because {truth.rule.reason}",
        ]
        found.append(Origin("Ground truth", str(truth.file.path), [*_file_facts(truth.file.path), *facts]))
    return found


def made_by(settings: Mapping[str, object]) -> list[tuple[str, str]]:
    """Say what made the page: names and values."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    given = [(name, "-" if value is None else _text(value)) for name, value in settings.items()]
    return [("vsdmot", __version__), ("Python", platform.python_version()), ("made", now), *given]


def _text(value: object) -> str:
    return ", ".join(map(str, value)) or "-" if isinstance(value, list | tuple) else str(value)


def _run_origin(contents: Contents, number: int) -> Origin:
    run = contents.runs[number]
    facts = [
        run.format,
        *_file_facts(run.path),
        f"{counted(len(run.table), 'box', 'boxes')} of {counted(len(run.lives), 'track')}, up to frame {run.length}",
        f"on the video {contents.videos[contents.video_of[number]].name}",
        *_what_made(run.path),
    ]
    return Origin(f"Run {run.name}", str(run.path), facts)


def _what_made(path: Path) -> list[str]:
    """Tell what made a run, if the record beside it is one of this very file."""
    place = record_beside(path)
    if not place.is_file():
        return [f"What made it is not known: {place.name}, which vsdmot track --record writes, is not beside it."]
    record = read_record(place)
    if record["files"].get(path.name) != hash_file(path):
        return [f"What made it is not known: {place.name} beside it is the record of another file."]
    facts = [f"{name}: {_text(value)}" for name, value in _mapping(record, "settings").items()]
    weights, versions = _mapping(record, "weights"), _mapping(record, "versions")
    if weights:
        training = [f"{name} {weights[name]}" for name in ("trained_by", "begun", "seed", "commit") if name in weights]
        facts.append("; ".join([f"weights {weights.get('location')}", f"SHA-256 {weights.get('sha256')}", *training]))
    for kind in ("detector", "detections"):
        if file := _mapping(record, kind):
            facts.append(f"{kind} {file.get('location')}; SHA-256 {file.get('sha256', 'not taken')}")
    facts.append(", ".join(f"{name} {version}" for name, version in versions.items()))
    return [*facts, f"made {record.get('began')}: {record.get('frames')} frames in {record.get('seconds')} s"]


def _mapping(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = record.get(name)
    return part if isinstance(part, Mapping) else {}


def _video_origin(info: SourceInfo, report: ReadReport) -> Origin:
    facts = [
        f"{info.width}x{info.height} pixels, {info.frame_rate:.6g} frames/s, {counted(report.num_read, 'frame')} read"
    ]
    if report.num_broken:
        facts.append(f"{counted(report.num_broken, 'frame')} broken and left out")
    path = Path(info.location)
    return Origin(
        f"Video {info.name}", info.location, [*(_file_facts(path) if path.is_file() else []), *facts, *report.notes]
    )


def _file_facts(path: Path) -> list[str]:
    if path.is_dir():
        return []
    return [f"{path.stat().st_size:,} bytes", f"SHA-256 {hash_file(path)}"]
