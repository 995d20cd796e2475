"""``vsdmot paper table8``: parameters and speed of the three networks, measured now or as they were before."""

from __future__ import annotations

import dataclasses
import json
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from vsdmot.cli.console import Progress, say, show_files
from vsdmot.cli.stopping import until_stopped
from vsdmot.cli.tables import show_table
from vsdmot.config import at_least, check, load
from vsdmot.devices import resolve_device
from vsdmot.errors import ConfigError, FormatError, SourceError
from vsdmot.evaluation.efficiency import Efficiency, Variant, measure, random_proposals, summarise, variants_of
from vsdmot.io.outputs import check_output
from vsdmot.io.sources import open_source
from vsdmot.io.whole_files import write_whole
from vsdmot.report.paper_tables import efficiency_csv, efficiency_table, quote_line
from vsdmot.report.tables import to_latex, to_markdown
from vsdmot.structures import Frame
from vsdmot.synthesis.figure_clip import FigureClipConfig, draw_figures
from vsdmot.tracking.preprocess import PreprocessConfig
from vsdmot.tracking.pretrained import TrackerConfig

MEASURED = "table8.json"
_PAPER = TrackerConfig(preprocessing=PreprocessConfig(short_side=800, long_side=1536))


@dataclass(frozen=True, kw_only=True)
class Table8Settings:
    """Count parameters and measure speed: MOTRv2, with the student, and with DSWR as well.

    --measure times the three networks of the paper (ResNet-50, frames of 800 x 1422) side by side, frame by frame, with
    random weights, and keeps the result as RUNS/table8.json; without it, what is kept is shown. On a CPU the time is
    that of the process, so that other programs are not counted; decoding and the detector are left out. Speeds of
    different machines say little; relative speed says what student and DSWR cost.

    Attributes:
        runs: Folder of the runs.
        measure: Measure now, and replace what is kept.
        frames: Frames that are timed, after one that warms up.
        source: Video or folder whose frames are used; null draws some of 1920 x 1080.
        proposals: Boxes that are proposed in each frame, at random places.
        preset: YAML with the settings of the whole network, such as configs/vsdmot_small.yaml; null takes the paper's.
        device: Where it runs: auto, cpu, cuda:N or mps.
        with_paper: Also show the paper's numbers, marked as quoted.
        csv: Also write the table to this file, numbers in full.
        markdown: Also write the table to this file.
        latex: Also write the table to this file, for the package booktabs.
        overwrite: Replace files that exist.
    """

    runs: Path
    measure: bool = False
    frames: int = 5
    source: str | None = None
    proposals: int = 30
    preset: Path | None = None
    device: str = "auto"
    with_paper: bool = False
    csv: Path | None = None
    markdown: Path | None = None
    latex: Path | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        check(self, frames=at_least(1), proposals=at_least(0))


def table8(settings: Table8Settings) -> Efficiency | None:
    """Measure, if asked to, and show Table VIII.

    Raises:
        VsdmotError: Something cannot be used, or a file cannot be written.
    """
    outputs = [path for path in (settings.csv, settings.markdown, settings.latex) if path is not None]
    if len({path.resolve() for path in outputs}) < len(outputs):
        raise ConfigError("--csv, --markdown and --latex must name different files")
    for path in outputs:
        check_output(path, settings.overwrite)
    if not settings.measure and settings != dataclasses.replace(settings, **_UNUSED):
        names = ", ".join(f"--{name}" for name in _UNUSED)
        raise ConfigError(f"{names}: are for --measure, which is not given")
    path = settings.runs / MEASURED
    if settings.measure:
        found: Efficiency | None = _measure(settings)
        write_whole(path, (json.dumps(dataclasses.asdict(found), indent=1) + "\n").encode())  # type: ignore[arg-type]
    else:
        found = _read(path) if path.exists() else None
    table = efficiency_table(found, with_paper=settings.with_paper)
    show_table(table)
    notes = (
        [_how(found)]
        if found is not None
        else [f"missing: {path}", f"  vsdmot paper table8 --runs {settings.runs} --measure"]
    )
    notes += [quote_line("VIII") + "; on one RTX 4090"] if settings.with_paper else []
    say("\n".join(notes))
    contents = {
        settings.csv: efficiency_csv(found, with_paper=settings.with_paper),
        settings.markdown: "\n".join([to_markdown(table), *(f"{note}\n" for note in notes)]),
        settings.latex: "".join([*(f"% {note}\n" for note in notes), to_latex(table)]),
    }
    for output, text in contents.items():
        if output is not None:
            write_whole(output, text.encode())
    show_files([*([path] if found is not None else []), *outputs])
    return found


_UNUSED: dict[str, Any] = {"frames": 5, "source": None, "proposals": 30, "preset": None, "device": "auto"}
"""What only a measurement looks at, and its defaults."""


def _measure(settings: Table8Settings) -> Efficiency:
    config = _PAPER if settings.preset is None else load(TrackerConfig, settings.preset)
    if config.model.student is None or config.model.dswr is None:
        raise ConfigError(f"{settings.preset}: expected the whole network, with student and dswr")
    if config.model.detector is not None:
        raise ConfigError(
            f"{settings.preset}: expected a network that is given proposals, this one has a detector inside"
        )
    frames = list(_frames(settings))
    if len(frames) < settings.frames + 1:
        raise SourceError(f"{settings.source}: expected at least {settings.frames + 1} frames, got {len(frames)}")
    device = resolve_device(settings.device)
    methods = variants_of(config, device)
    proposals = [random_proposals(frame, settings.proposals) for frame in frames]
    rounds = []
    with Progress("measuring", len(frames) * len(methods)) as progress:
        for seconds in until_stopped(measure(methods, frames, proposals)):
            if seconds is None:
                progress.advance()
            else:
                rounds.append(seconds)
    facts = {
        "device": torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else f"{device.type} {platform.machine()}",
        "clock": "process time" if device.type == "cpu" else "wall clock",
        "threads": torch.get_num_threads(),
        "frames": len(rounds),
        "frame_size": [frames[0].width, frames[0].height],
        "proposals": settings.proposals,
        "learned_queries": config.model.num_learned_queries,
        "weights": "random",
        "torch": torch.__version__,
        "seconds": [dict(zip(("baseline", "student", "student and DSWR"), one, strict=True)) for one in rounds],
    }
    return Efficiency(variants=summarise(methods, rounds), settings=facts)


def _frames(settings: Table8Settings) -> Iterator[Frame]:
    count = settings.frames + 1
    if settings.source is None:
        clip = FigureClipConfig(num_frames=count, width=1920, height=1080, worst_severity=0.0)
        yield from (drawn.frame for drawn in draw_figures(clip))
        return
    with open_source(settings.source) as source:
        for frame in source:
            yield frame
            count -= 1
            if not count:
                return


def _read(path: Path) -> Efficiency:
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        variants = tuple(Variant(**one) for one in plain["variants"])
        if len(variants) != 3:
            raise ValueError(f"{len(variants)} networks")
        return Efficiency(variants=variants, settings=dict(plain["settings"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FormatError(f"{path}: expected what --measure writes, got something else ({error})") from None


def _how(found: Efficiency) -> str:
    """Say how it was measured."""
    facts = found.settings
    width, height = facts["frame_size"]
    return (
        f"measured on {facts['device']}, threads {facts['threads']}, {facts['clock']}, torch {facts['torch']}: median "
        f"of {facts['frames']} frames of {width}x{height}, {facts['proposals']} proposals, random weights"
    )
