"""``vsdmot robustness``: how trackers score as the picture gets worse."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vsdmot.cli.arguments import make_parser, parse
from vsdmot.cli.console import Progress, say, show_files, warn
from vsdmot.cli.cores import usable_cores
from vsdmot.cli.robustness_trackers import Taking, take_part
from vsdmot.cli.stopping import until_stopped
from vsdmot.cli.tables import show_table
from vsdmot.config import at_least, check, to_mapping, within
from vsdmot.degradation.operators import OPERATORS, Operator
from vsdmot.degradation.sequences import check_apart
from vsdmot.degradation.workers import Workers
from vsdmot.detection.yolox.detector import DetectorConfig
from vsdmot.errors import ConfigError, VsdmotError
from vsdmot.evaluation.robustness.conditions import Condition, conditions, parse_severities
from vsdmot.evaluation.robustness.footage import Footage, find_footage, open_footage
from vsdmot.evaluation.robustness.grid import RobustnessTest
from vsdmot.evaluation.robustness.run import CellDone, CellFailed, FrameDone, carry_out
from vsdmot.evaluation.robustness.summary import METRICS, Robustness
from vsdmot.evaluation.rules import RuleChoice
from vsdmot.io.problems import counted
from vsdmot.io.whole_files import write_whole
from vsdmot.report.robustness_tables import degradation_table, summary_table, to_csv, to_plain
from vsdmot.report.tables import to_markdown
from vsdmot.version import __version__


@dataclass(frozen=True, kw_only=True)
class RobustnessSettings:
    """Score trackers on a data set as its picture gets worse: HOTA, DetA, AssA and IDF1 against severity.

    Every sequence is degraded as `vsdmot degrade` does it, with one operator at a time at a fixed severity, tracked and
    scored. -o is a folder with curves (HOTA.png, ...), tables (robustness.md), every number (robustness.csv and .json)
    and all that was computed: a run that was stopped or killed goes on when the command is given again, and whatever
    is added to the command costs only what is new.

    A tracker is sort, bytetrack, ocsort or botsort, which are given the proposals of --detector; weights as for
    `vsdmot track` (vsdmot-nano, a folder, a checkpoint), also as NAME=WEIGHTS; or NAME=FOLDER with the results of any
    tracker, FOLDER/clean/SEQUENCE.txt and FOLDER/DEGRADATION/SEVERITY/SEQUENCE.txt. --write-degraded gives the frames
    that such a tracker needs.

    Attributes:
        root: Data set, split or sequence with ground truth, clean.
        trackers: What is tested, separated by commas; see above.
        degradations: Operators of `vsdmot degrade`, separated by commas; null takes all.
        severities: From 0 (clean) to 5 (hardly usable), as 0-5 or 0,1,3.
        output: The folder; made if missing.
        detector: YOLOX weights that propose boxes to trackers without detector, as for `vsdmot track`.
        conf: Those trackers are given proposals that score above this (0 to 1); null gives all that the detector makes.
        yolox: Settings of the detector.
        device: Where networks run: auto, cpu, cuda:N or mps.
        rule: Which boxes count, as for `vsdmot eval`.
        sequences: Only these, separated by commas; null takes all.
        every: Take every so many frames, which is faster, and harder for trackers: people move further between frames.
        seed: Decides what degradations draw.
        workers: Processes that degrade frames side by side; null takes one for each core.
        write_degraded: Also keep the degraded sequences, as DEGRADATION/SEVERITY/SEQUENCE in this folder.
        decimals: Decimals of percentages in tables.
    """

    root: Path
    trackers: tuple[str, ...] = ()
    degradations: tuple[Operator, ...] | None = None
    severities: str = "0-5"
    output: Path = Path("robustness")
    detector: Path = Path("vsdmot-nano")
    conf: float | None = None
    device: str = "auto"
    rule: RuleChoice = "auto"
    sequences: tuple[str, ...] | None = None
    every: int = 1
    seed: int = 0
    workers: int | None = None
    write_degraded: Path | None = None
    decimals: int = 1
    yolox: DetectorConfig = field(default_factory=DetectorConfig)

    def __post_init__(self) -> None:
        check(
            self,
            conf=within(0, 1),
            every=at_least(1),
            seed=at_least(0),
            workers=at_least(1),
            decimals=within(0, 6),
            degradations=_each_once,
        )
        parse_severities(self.severities)
        if not self.trackers and self.write_degraded is None:
            raise ConfigError("trackers: name at least one, or give --write-degraded to make the frames for others")

    def conditions(self) -> list[Condition]:
        """List the conditions, clean first."""
        return conditions(self.degradations or OPERATORS, parse_severities(self.severities))


def _each_once(names: tuple[Operator, ...]) -> str | None:
    return None if names and len(set(names)) == len(names) else "names of operators, each once"


def main(arguments: Sequence[str]) -> None:
    """Run the verb from the words after ``vsdmot robustness``."""
    parser = make_parser(RobustnessSettings, prog="vsdmot robustness", short={"output": "-o"})
    robustness(parse(parser, RobustnessSettings, arguments))


def robustness(settings: RobustnessSettings) -> Robustness:
    """Test what the settings name, and write curves, tables and numbers.

    Raises:
        VsdmotError: Something cannot be used; or cells failed, which were told, and everything else is written.
    """
    files = find_footage(settings.root, settings.sequences)
    check_apart(settings.root, settings.output)
    if settings.write_degraded is not None:
        check_apart(settings.root, settings.write_degraded)
    taking = take_part(settings.trackers, settings.detector, settings.yolox, settings.conf, settings.device)
    if taking.submitted and settings.every > 1:
        name = taking.submitted[0].name
        raise ConfigError(f"--every: {name} is given by its results, which hold every frame; leave out one of the two")
    for note in taking.notes:
        say(note)
    footage = []
    with Progress("reading", len(files), unit="sequence") as progress:
        for file in files:
            opened = open_footage(file, settings.rule, every=settings.every, sampled=settings.output / "sampled")
            footage.append(opened)
            progress.advance()
    test = RobustnessTest(
        footage=footage,
        conditions=settings.conditions(),
        entrants=taking.entrants,
        submitted=taking.submitted,
        proposals=taking.proposals,
        seed=settings.seed,
        folder=settings.output,
        degraded=settings.write_degraded,
    )
    found = _carry_out(settings, test, [*taking.names])
    if found.trackers:
        _report(settings, found, footage, taking)
    if found.failures:
        raise VsdmotError(
            f"{counted(len(found.failures), 'cell')} of {len(found.trackers) * len(found.conditions) * len(footage):,} "
            "failed, as told above; what else was found is kept, and the same command tries them again"
        )
    return found


def _carry_out(settings: RobustnessSettings, test: RobustnessTest, names: list[str]) -> Robustness:
    """Run what is missing, and tell each condition as it is done."""
    found = Robustness(names, test.conditions, [one.name for one in test.footage])
    total = test.num_steps()
    cores = settings.workers or usable_cores()
    with contextlib.ExitStack() as stack:
        progress = stack.enter_context(Progress("testing", total))
        workers = stack.enter_context(Workers(cores if total else 1))
        events = stack.enter_context(contextlib.closing(carry_out(test, workers)))
        try:
            for event in until_stopped(events):
                match event:
                    case FrameDone():
                        progress.advance()
                    case CellDone():
                        found.add(event)
                        _tell(found, event.cell.condition, fresh=not event.kept)
                    case CellFailed():
                        found.failures.append(event)
                        warn(f"{event.cell}: {event.reason}")
        except KeyboardInterrupt:
            warn("give the same command again to go on from here")
            raise
    return found


def _tell(found: Robustness, condition: Condition, *, fresh: bool) -> None:
    """Say what trackers score under a condition, once the last of them is done; nothing if it was known before."""
    scores = [(tracker, found.score(tracker, condition, "HOTA")) for tracker in found.trackers]
    known = [f"{tracker} {100 * score:.1f}" for tracker, score in scores if score is not None]
    if fresh and len(known) == len(scores):
        say(f"{condition}: HOTA of {', '.join(known)}")


def _report(settings: RobustnessSettings, found: Robustness, footage: Sequence[Footage], taking: Taking) -> None:
    """Print tables and write everything."""
    from vsdmot.report.curves import draw_curves

    tables = [summary_table(found, settings.decimals)]
    tables += [degradation_table(found, metric, settings.decimals) for metric in METRICS]
    least_first = [f"{metric} {part}" for metric in reversed(METRICS) for part in ("kept", "clean", "degraded")]
    show_table(tables[0], first_to_go=least_first[:-3])
    show_table(tables[1])
    files = {
        "robustness.md": "\n".join(to_markdown(table) for table in tables).encode(),
        "robustness.csv": to_csv(found).encode(),
        "robustness.json": (json.dumps(to_plain(found, _facts(settings, footage, taking)), indent=1) + "\n").encode(),
    }
    for metric in METRICS:
        files[f"{metric}.png"] = draw_curves(found, metric, heading=_heading(settings, footage))
    for name, contents in files.items():
        write_whole(settings.output / name, contents)
    show_files([settings.output / name for name in files])


def _heading(settings: RobustnessSettings, footage: Sequence[Footage]) -> str:
    names = footage[0].name if len(footage) == 1 else f"{len(footage)} sequences of {settings.root.resolve().name}"
    frames = counted(sum(one.num_frames for one in footage), "frame")
    sampled = f", every {settings.every}th of the video's" if settings.every > 1 else ""
    return f"{names}, {frames}{sampled}"


def _facts(settings: RobustnessSettings, footage: Sequence[Footage], taking: Taking) -> dict[str, Any]:
    return {
        "root": str(settings.root),
        "sequences": {one.name: {"num_frames": one.num_frames, "rule": one.rule.rule.name} for one in footage},
        "trackers": {one.name: dict(one.identity) for one in taking.entrants}
        | {one.name: {"results": str(one.folder)} for one in taking.submitted},
        "proposals": None if taking.proposals is None else taking.proposals.plain(),
        "every": settings.every,
        "degradation": {"mode": "fixed", "seed": settings.seed},
        "yolox": to_mapping(settings.yolox),
        "vsdmot": __version__,
    }
