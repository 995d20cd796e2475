"""What ``vsdmot data check`` prints and writes: a table, the problems by kind, totals, and the same as JSON."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from vsdmot.cli.console import say
from vsdmot.cli.tables import show_table
from vsdmot.datasets.build_check import BuildReport
from vsdmot.io.crowdhuman_check import CrowdReport
from vsdmot.io.dataset_check import SequenceReport
from vsdmot.io.problems import Problem, ProblemKind, counted, pixels
from vsdmot.report.tables import Table


@dataclass(frozen=True, kw_only=True)
class DataReport:
    """All that a check found.

    Attributes:
        path: What was checked, as it was given.
        folder: What places are told relative to: the same, or where an archive was unpacked to.
        sequences: Its sequences.
        crowds: Its files of CrowdHuman annotations.
        build: What is said about a data set that was built here; None for others.
    """

    path: Path
    folder: Path
    sequences: tuple[SequenceReport, ...]
    crowds: tuple[CrowdReport, ...]
    build: BuildReport | None

    def problems(self) -> list[Problem]:
        """Give all problems, their places relative to the folder, by kind in the order of `ProblemKind`."""
        found = [problem for one in self.sequences for problem in one.problems]
        found += [problem for crowd in self.crowds for problem in crowd.problems]
        found += self.build.problems if self.build else ()
        local = [Problem(p.kind, p.message, self.local(p.where)) for p in found]
        return sorted(local, key=lambda problem: get_args(ProblemKind).index(problem.kind))

    def local(self, where: str | Path) -> str:
        """Give a place relative to the folder."""
        text = str(where)
        if text == str(self.folder):
            return self.path.resolve().name
        return text.removeprefix(f"{self.folder}{os.sep}")

    def totals(self) -> dict[str, int]:
        """Add up what the tables show."""
        return {
            "sequences": len(self.sequences),
            "frames": sum(report.num_frames for report in self.sequences),
            "boxes": sum(report.num_boxes or 0 for report in self.sequences),
            "people_boxes": sum(report.num_people_boxes for report in self.sequences),
            "ids": sum(report.num_ids for report in self.sequences),
            "images": sum(report.num_images for report in self.crowds),
            "people": sum(report.num_people for report in self.crowds),
            "problems": len(self.problems()),
        }


def show(report: DataReport) -> None:
    """Print everything: drawn on a terminal, plain and aligned elsewhere."""
    if report.sequences:
        _show_table(_sequences(report))
    if report.crowds:
        _show_table(_crowds(report))
    if report.build:
        say("\n".join([*report.build.lines(), ""]))
    groups: defaultdict[str, list[Problem]] = defaultdict(list)
    for problem in report.problems():
        groups[problem.kind].append(problem)
    for kind, problems in groups.items():
        say(f"{kind} ({len(problems)})")
        for problem in problems:
            say(f"  {problem}")
        say("")
    say(_summary(report, groups))


def to_json(report: DataReport) -> dict[str, Any]:
    """Give everything as plain values; the names are fixed, and documented in ``docs/data.md``."""
    return {
        "format": "vsdmot data check 1",
        "path": str(report.path),
        "totals": report.totals(),
        "sequences": [
            {
                "name": one.name,
                "folder": report.local(one.folder),
                "frames": one.num_frames,
                "promised_frames": one.promised_length,
                "size": None if one.size is None else list(one.size),
                "frame_rate": one.frame_rate,
                "boxes": one.num_boxes,
                "people_boxes": one.num_people_boxes,
                "ids": one.num_ids,
                "partly_outside": one.num_partly_outside,
                "gaps": one.num_gaps,
                "detections": one.num_detections,
                "problems": len(one.problems),
            }
            for one in report.sequences
        ],
        "crowdhuman": [
            {
                "annotations": report.local(one.path),
                "annotated_images": one.num_annotated,
                "images": one.num_images,
                "people": one.num_people,
                "heads": one.num_heads,
                "ignored": one.num_ignored,
                "smallest": None if one.smallest is None else list(one.smallest),
                "largest": None if one.largest is None else list(one.largest),
                "problems": len(one.problems),
            }
            for one in report.crowds
        ],
        "build": None
        if report.build is None
        else {
            name: {"degraded": report.build.num_degraded[name], "clean": report.build.num_clean[name]}
            for name in report.build.num_clean
        },
        "problems": [{"kind": p.kind, "where": p.where, "message": p.message} for p in report.problems()],
    }


_FIRST_TO_GO = ("outside", "detections", "gaps", "of people", "fps", "heads", "ids", "size")
"""Columns that a narrow terminal does without; the first goes first."""


def _show_table(table: Table) -> None:
    show_table(table, first_to_go=_FIRST_TO_GO, styles={"problems": "red"})


_NUMBERS = ("frames", "size", "fps", "boxes", "of people", "ids", "gaps", "outside", "detections", "problems")


def _sequences(report: DataReport) -> Table:
    return Table(
        title="",
        columns=("sequence", *_NUMBERS),
        rows=tuple(_row(report, one) for one in report.sequences),
        totals=(_total_row(report),) if len(report.sequences) > 1 else (),
    )


def _row(report: DataReport, one: SequenceReport) -> tuple[str, ...]:
    differs = one.promised_length not in (None, one.num_frames)
    return (
        report.local(one.folder),
        f"{one.num_frames:,}" + (f" of {one.promised_length:,}" if differs else ""),
        "-" if one.size is None else pixels(one.size),
        "-" if one.frame_rate is None else f"{one.frame_rate:g}",
        *(
            ("-",) * 5
            if one.num_boxes is None
            else (
                f"{one.num_boxes:,}",
                f"{one.num_people_boxes:,}",
                f"{one.num_ids:,}",
                f"{one.num_gaps:,}",
                f"{one.num_partly_outside:,}",
            )
        ),
        "-" if one.num_detections is None else f"{one.num_detections:,}",
        f"{len(one.problems)}" if one.problems else "-",
    )


def _total_row(report: DataReport) -> tuple[str, ...]:
    totals = report.totals()
    return (
        "total",
        f"{totals['frames']:,}",
        "",
        "",
        f"{totals['boxes']:,}",
        f"{totals['people_boxes']:,}",
        f"{totals['ids']:,}",
        f"{sum(one.num_gaps for one in report.sequences):,}",
        f"{sum(one.num_partly_outside for one in report.sequences):,}",
        f"{sum(one.num_detections or 0 for one in report.sequences):,}",
        f"{sum(len(one.problems) for one in report.sequences) or '-'}",
    )


def _crowds(report: DataReport) -> Table:
    return Table(
        title="",
        columns=("annotations", "images", "people", "heads", "ignored", "sizes", "problems"),
        rows=tuple(_crowd_row(report, one) for one in report.crowds),
    )


def _crowd_row(report: DataReport, one: CrowdReport) -> tuple[str, ...]:
    missing = one.num_images != one.num_annotated
    sizes = "-" if one.smallest is None or one.largest is None else f"{pixels(one.smallest)}-{pixels(one.largest)}"
    return (
        report.local(one.path),
        f"{one.num_images:,}" + (f" of {one.num_annotated:,}" if missing else ""),
        f"{one.num_people:,}",
        f"{one.num_heads:,}",
        f"{one.num_ignored:,}",
        sizes,
        f"{len(one.problems)}" if one.problems else "-",
    )


def _summary(report: DataReport, groups: dict[str, list[Problem]]) -> str:
    totals = report.totals()
    parts = []
    if report.sequences:
        parts += [
            counted(totals["sequences"], "sequence"),
            counted(totals["frames"], "frame"),
            counted(totals["boxes"], "box", "boxes"),
            counted(totals["ids"], "person", "people"),
        ]
    if report.crowds:
        parts += [counted(totals["images"], "still image"), f"{counted(totals['people'], 'person', 'people')} on them"]
    found = "no problems"
    if groups:
        found = f"{counted(totals['problems'], 'problem')} of {counted(len(groups), 'kind')}"
    return f"{report.path}: {', '.join(parts)}; {found}"
