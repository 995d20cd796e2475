"""Where everything on the page comes from: files with their hashes, settings, versions."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from vsdmot.errors import SourceError
from vsdmot.io.problems import counted
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
        "The file does not say by which settings it was made.",
    ]
    return Origin(f"Run {run.name}", str(run.path), facts)


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
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return [f"{path.stat().st_size:,} bytes", f"SHA-256 {digest}"]
    except OSError as error:
        raise SourceError(f"{path}: not readable: {error.strerror}") from None
