"""What triage found, as tables and sentences for people, and as CSV and JSON for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from vsdmot.io.problems import counted
from vsdmot.report.tables import Table
from vsdmot.triage.defects import DEFECTS
from vsdmot.triage.findings import Finding, seconds_by_defect
from vsdmot.triage.stretches import Stretch

COLUMNS = ("from", "to", "length", "usable", "Q", "lowest Q", "main defect", "also")
FIRST_TO_GO = ("lowest Q", "also", "to")
"""What a narrow terminal does without."""

_CSV_COLUMNS = (
    "recording", "start", "end", "seconds", "first_frame", "samples", "usable", "quality", "lowest_quality", "defect",
    "strength", "repeated",
)  # fmt: skip


def clock(seconds: float) -> str:
    """Write a time of a recording, to a tenth of a second.

    >>> clock(83.04), clock(36005.0)
    ('1:23.0', '10:00:05.0')
    """
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minute = divmod(minutes, 60)
    second = f"{rest // 10:02}.{rest % 10}"
    return f"{hours}:{minute:02}:{second}" if hours else f"{minute}:{second}"


def headline(finding: Finding) -> str:
    """Say in a sentence what a recording is worth."""
    share = _percent(finding.usable_seconds, finding.seconds)
    bad = seconds_by_defect([finding], usable=False)
    why = ", ".join(f"{name or 'several slight defects'} {_percent(t, finding.seconds)}" for name, t in bad.items())
    slight = seconds_by_defect([finding], usable=True)
    slight.pop(None, None)
    but = ", ".join(f"{name} {_percent(seconds, finding.seconds)}" for name, seconds in slight.items())
    text = f"{finding.location}: {clock(finding.seconds)}, {share} usable"
    text += f"; not usable: {why}" if bad else ""
    return text + (f"; usable, but: {but}" if but else "")


def sampling(finding: Finding) -> str:
    """Say what was looked at."""
    what = "key frame" if finding.key_frames_only else "frame"
    size = f"{finding.width}x{finding.height}"
    measured = counted(len(finding.record), "picture")
    looked = f"{measured} of {size} measured, {counted(finding.num_frames, what)} decoded"
    if finding.key_frames_only:
        looked += "; repeats are seen between key frames only"
    return looked if finding.complete else f"{looked}; stopped before the end"


def stretch_table(finding: Finding, *, most: int) -> Table:
    """Make the table of stretches; of more than ``most``, those that are longest, in order.

    Raises:
        ValueError: There is no stretch, so there is nothing to show.
    """
    if not finding.stretches:
        raise ValueError("expected at least one stretch")
    shown = sorted(finding.stretches, key=lambda stretch: -stretch.seconds)[:most]
    rows = tuple(_row(stretch) for stretch in sorted(shown, key=lambda stretch: stretch.start))
    left = len(finding.stretches) - len(rows)
    title = headline(finding) + (f" (the {most} longest stretches; {left} more with --csv)" if left else "")
    return Table(title=title, columns=COLUMNS, rows=rows)


def overview_table(findings: Sequence[Finding]) -> Table:
    """Make the table of several recordings."""
    rows = [_overview_row(finding.location, [finding]) for finding in findings]
    return Table(
        title="All recordings",
        columns=("recording", "length", "usable", "main defects of what is not usable"),
        rows=tuple(rows),
        totals=(_overview_row("TOTAL", findings),),
    )


def to_csv(findings: Sequence[Finding]) -> str:
    """Write a row for each stretch; times in seconds."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(_CSV_COLUMNS)
    for finding in findings:
        for stretch in finding.stretches:
            plain = _plain(stretch)
            strength = "" if stretch.defect is None else plain["strengths"][stretch.defect]
            plain["usable"] = "yes" if stretch.usable else "no"
            writer.writerow(
                [finding.location, *(plain[name] for name in _CSV_COLUMNS[1:10]), strength, plain["repeated"]]
            )
    return written.getvalue()


def samples_to_csv(findings: Sequence[Finding]) -> str:
    """Write a row for each measured picture, with everything that was measured."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    for number, finding in enumerate(findings):
        if not number:
            writer.writerow(["recording", *finding.record.names])
        for row in finding.record.rows().tolist():
            writer.writerow([finding.location, *(f"{value:.6g}" if value % 1 else int(value) for value in row)])
    return written.getvalue()


def to_json(findings: Sequence[Finding], settings: dict[str, Any]) -> str:
    """Write everything but the single samples."""
    recordings = [
        {
            "recording": finding.location,
            "width": finding.width,
            "height": finding.height,
            "frame_rate": finding.frame_rate,
            "frames": finding.num_frames,
            "key_frames_only": finding.key_frames_only,
            "samples": len(finding.record),
            "seconds": round(finding.seconds, 3),
            "usable_seconds": round(finding.usable_seconds, 3),
            "complete": finding.complete,
            "notes": list(finding.notes),
            "stretches": [_plain(stretch) for stretch in finding.stretches],
        }
        for finding in findings
    ]
    plain = {"settings": settings, "defects": list(DEFECTS), "recordings": recordings}
    return json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(stretch: Stretch) -> dict[str, Any]:
    return {
        "start": round(stretch.start, 3),
        "end": round(stretch.end, 3),
        "seconds": round(stretch.seconds, 3),
        "first_frame": stretch.first_frame,
        "samples": stretch.num_samples,
        "usable": stretch.usable,
        "quality": round(stretch.quality, 4),
        "lowest_quality": round(stretch.lowest_quality, 4),
        "defect": stretch.defect,
        "strengths": {name: round(value, 2) for name, value in stretch.strengths.items()},
        "repeated": round(stretch.repeated, 4),
    }


def _row(stretch: Stretch) -> tuple[str, ...]:
    return (
        clock(stretch.start),
        clock(stretch.end),
        clock(stretch.seconds),
        "yes" if stretch.usable else "NO",
        f"{stretch.quality:.2f}",
        f"{stretch.lowest_quality:.2f}",
        "-" if stretch.defect is None else f"{stretch.defect} {stretch.strengths[stretch.defect]:.1f}",
        ", ".join(f"{name} {stretch.strengths[name]:.1f}" for name in stretch.others) or "-",
    )


def _overview_row(name: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    seconds = sum(finding.seconds for finding in findings)
    bad = seconds_by_defect(findings, usable=False)
    worst = ", ".join(f"{defect or 'several'} {clock(total)}" for defect, total in list(bad.items())[:3])
    usable = sum(finding.usable_seconds for finding in findings)
    return name, clock(seconds), _percent(usable, seconds), worst or "-"


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / max(whole, 1e-9):.0f} %"
