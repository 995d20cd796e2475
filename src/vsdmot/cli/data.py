"""``vsdmot data check`` and ``vsdmot data build``: what is in a data set, and the paper's sets of low quality."""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vsdmot.cli.arguments import Parser, make_parser, parse
from vsdmot.cli.console import Progress, say, show_files, warn
from vsdmot.cli.cores import usable_cores
from vsdmot.cli.data_report import DataReport, show, to_json
from vsdmot.cli.stopping import until_stopped
from vsdmot.config import at_least, check
from vsdmot.datasets.build import LISTS, MEMBERSHIP, Recipe, begin, build, check_place
from vsdmot.datasets.build import check_output as check_output_folder
from vsdmot.datasets.build_check import check_build
from vsdmot.datasets.carrying import Link
from vsdmot.datasets.manifest import NAME, is_build
from vsdmot.datasets.membership import PAPER, Ratio, read_membership, write_membership
from vsdmot.datasets.plan import Plan, examine, make_plan
from vsdmot.degradation.operators import Operator
from vsdmot.degradation.schedule import DegradeSettings, Mode
from vsdmot.degradation.workers import Workers
from vsdmot.errors import ConfigError, SourceError
from vsdmot.io.archives import unpack
from vsdmot.io.crowdhuman_check import check_crowdhuman, find_crowdhuman, list_images
from vsdmot.io.dataset_check import check_folder
from vsdmot.io.datasets import describe_sequence, sequence_folders
from vsdmot.io.image_checks import Look
from vsdmot.io.images import number_images
from vsdmot.io.outputs import check_output
from vsdmot.io.problems import counted
from vsdmot.io.whole_files import write_whole

PROBLEMS_FOUND = 3
"""Exit code of ``check --strict``: neither a crash (1) nor a command that could not be carried out (2)."""


@dataclass(frozen=True, kw_only=True)
class CheckSettings:
    """Say what a data set holds and what is wrong with it.

    PATH is a data set, split or sequence (MOT15, MOT16, MOT17, MOT20, DanceTrack and what has their form), a zip
    archive of such (as CVAT exports it, "MOT 1.1"), CrowdHuman (a folder with .odgt files, or one of these), or a data
    set that `vsdmot data build` made. Nothing there is changed; an archive is unpacked to a temporary folder.

    Exit codes: 0 the check was carried out, whatever it found; 3 problems were found and --strict was given; 2 PATH
    cannot be checked at all.

    Attributes:
        path: What to check.
        json: Also write the findings to this file.
        strict: Exit with 3 if there is any problem.
        decode: Decode every picture, which also finds those that are cut off in the middle and takes tens of times as
            long; otherwise only headers of images are read.
        workers: Images that are read at the same time; null takes the number of processor cores.
        overwrite: Replace a JSON file that exists.
    """

    path: Path
    json: Path | None = None
    strict: bool = False
    decode: bool = False
    workers: int | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        check(self, workers=at_least(1))


@dataclass(frozen=True, kw_only=True)
class BuildSettings:
    """Build a training and a validation set of the paper from the originals.

    NAME is lqdancetrack (from DanceTrack) or lqmot (from MOT17 and MOT20). Two thirds of the training sequences are
    degraded, the rest stays clean; all validation sequences are degraded, and stand beside the clean ones. OUT holds
    train/, val/, val_clean/, and a list of the sequences of each: train.txt, val.txt, val_clean.txt.

    A run that was cut off is gone on with by the same command. The same seed gives the same bits, whatever the number
    of workers.

    Attributes:
        name: lqdancetrack or lqmot.
        root: Folder with the originals: DanceTrack, or the folder above MOT17 and MOT20.
        output: Folder of the new data set, outside the originals.
        ratio: LOW:HIGH, training sequences that are degraded to those that stay clean: 2:1 (the default), 1:1, 0:1 (all
            clean), 1:0 (all degraded), or any other two whole numbers.
        seed: Decides which sequences are degraded, and how.
        mode: How the degradation changes over a video: drift slowly with short bad spells, a new draw per_frame, or
            fixed.
        severity: From 1 (mild) to 5 (hardly usable); null draws from the published distributions.
        only: Operators of `vsdmot degrade` in place of the published chain (eq17), separated by commas.
        split: YAML file with the lists train, validation and, if it is to say it, degraded; null takes the paper's.
        link: How images of clean sequences get into OUT: auto is symlink where the system allows it, else copy.
        workers: Processes that degrade; null takes the number of processor cores.
        overwrite: Remove a data set that was built in OUT before, and begin anew.
        dry_run: Write nothing; print as YAML, for --split, what would be built.
    """

    name: Literal["lqdancetrack", "lqmot"]
    root: Path
    output: Path
    ratio: str | None = None
    seed: int = 0
    mode: Mode = "drift"
    severity: int | None = None
    only: tuple[Operator, ...] = ("eq17",)
    split: Path | None = None
    link: Link = "auto"
    workers: int | None = None
    overwrite: bool = False
    dry_run: bool = False

    def __post_init__(self) -> None:
        self.degradation()  # checks seed, severity and operators
        check(self, workers=at_least(1), ratio=_ratio)

    def degradation(self) -> DegradeSettings:
        """Give how sequences are degraded."""
        return DegradeSettings(mode=self.mode, seed=self.seed, severity=self.severity, only=self.only)


SUBVERBS = {
    "check": "say what a data set holds and what is wrong with it",
    "build": "build the paper's training and validation sets of low quality",
}
"""Second word of the command to summary."""


def main(arguments: Sequence[str]) -> int:
    """Run the verb from the words after ``vsdmot data``; gives the exit code."""
    word, *rest = arguments or ["--help"]
    if word == "check":
        parser = make_parser(CheckSettings, prog="vsdmot data check", positional=["path"])
        return check_data(parse(parser, CheckSettings, rest))
    if word == "build":
        parser = make_parser(BuildSettings, prog="vsdmot data build", positional=["name"], short={"output": "-o"})
        build_data(parse(parser, BuildSettings, rest))
        return 0
    _top_level().parse_args([word])
    return 0


def check_data(settings: CheckSettings) -> int:
    """Check a data set and print what was found; gives the exit code.

    Raises:
        VsdmotError: There is nothing that could be checked, or the JSON file cannot be written.
    """
    if settings.json is not None:
        check_output(settings.json, settings.overwrite)
    with contextlib.ExitStack() as stack:
        folder = settings.path
        if folder.is_file() and folder.suffix != ".odgt":
            if folder.suffix.lower() != ".zip" and not zipfile.is_zipfile(folder):
                raise SourceError(f"{folder}: expected a folder, a zip archive or an .odgt file")
            folder = unpack(folder, Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vsdmot-"))))
        report = _check(settings, folder)
    show(report)
    if settings.json is not None:
        write_whole(settings.json, (json.dumps(to_json(report), indent=1, ensure_ascii=False) + "\n").encode())
        show_files([settings.json])
    return PROBLEMS_FOUND if settings.strict and report.problems() else 0


def build_data(settings: BuildSettings) -> None:
    """Build a data set and say what it holds.

    Raises:
        VsdmotError: Originals are missing or damaged, or the output cannot be written.
    """
    check_place(settings.root, settings.output)
    membership = PAPER[settings.name] if settings.split is None else read_membership(settings.split)
    if membership.degraded is not None and settings.ratio is not None:
        raise ConfigError(f"--ratio: {settings.split} says which sequences are degraded; leave out one of the two")
    ratio = Ratio.parse(settings.ratio or "2:1")
    plan = make_plan(settings.root, membership, ratio, settings.seed)
    if settings.dry_run:
        say(write_membership(plan.membership).rstrip())
        return
    recipe = Recipe(
        name=settings.name,
        plan=plan,
        degradation=settings.degradation(),
        ratio=None if membership.degraded is not None else ratio,
        link=settings.link,
    )
    if not check_output_folder(settings.output, recipe, overwrite=settings.overwrite):
        say(f"{settings.output} is complete already; nothing to do")
        return
    workers = settings.workers or usable_cores()
    originals = {sequence.source for sequence in plan}
    with Progress("checking the originals", _about(originals)) as progress:
        reports = examine(plan, Look(workers=workers, seen=progress.advance))
    if suspicious := sum(bool(report.problems) for report in reports.values()):
        warn(
            f"{counted(suspicious, 'original sequence')} with problems that do not stand in the way; "
            f"`vsdmot data check {settings.root}` lists them"
        )
    _warn_of_a_full_disk(plan, settings)
    begin(settings.output, recipe, overwrite=settings.overwrite)
    num_frames = sum(reports[sequence.name].num_frames for sequence in plan if sequence.quality == "degraded")
    with Workers(workers) as pool, Progress("degrading", num_frames) as progress:
        for _ in until_stopped(build(recipe, settings.output, workers=pool, warn=warn)):
            progress.advance()
    _show_build(settings.output)


def _check(settings: CheckSettings, folder: Path) -> DataReport:
    """Check all that a folder holds."""
    annotations = find_crowdhuman(folder)
    folders: list[Path] = []
    if not folder.is_file():
        try:
            folders = sequence_folders(folder)
        except SourceError:
            if not annotations:
                raise
    workers = settings.workers or usable_cores()
    with Progress("checking", _about(folders, annotations)) as progress:
        look = Look(decode=settings.decode, workers=workers, seen=progress.advance)
        sequences = tuple(check_folder(path, look) for path in folders)
        crowds = tuple(check_crowdhuman(path, list_images(path.parent), look) for path in annotations)
    return DataReport(
        path=settings.path,
        folder=folder.parent if folder.is_file() else folder,
        sequences=sequences,
        crowds=crowds,
        build=check_build(folder) if is_build(folder) else None,
    )


def _about(folders: Iterable[Path], annotations: Iterable[Path] = ()) -> int:
    """Tell about how many images there are, for the time that is left."""
    count = 0
    for folder in folders:
        with contextlib.suppress(OSError):
            count += sum(1 for _ in os.scandir(folder / "img1"))
    for path in annotations:
        with contextlib.suppress(OSError), path.open("rb") as file:
            count += sum(1 for _ in file)
    return count


def _warn_of_a_full_disk(plan: Plan, settings: BuildSettings) -> None:
    """Compare what is free with the originals of all that is written; degraded images are about as large."""
    written = [one for one in plan if one.quality == "degraded" or settings.link == "copy"]
    needed = 0
    for sequence in written:
        images, _ = number_images(describe_sequence(sequence.source).image_folder)
        needed += sum(path.stat().st_size for _, path in images)
    existing = next(folder for folder in (settings.output, *settings.output.resolve().parents) if folder.is_dir())
    free = shutil.disk_usage(existing).free
    if needed > free:
        warn(f"{settings.output}: about {needed / 1e9:.1f} GB will be written, {free / 1e9:.1f} GB are free")


def _show_build(output: Path) -> None:
    say("\n".join(check_build(output).lines()))
    show_files([output / name for name in (*LISTS, MEMBERSHIP, NAME)])


def _ratio(text: str) -> str | None:
    try:
        Ratio.parse(text)
    except ValueError as error:
        return str(error)
    return None


def _top_level() -> Parser:
    lines = "\n".join(f"  {name}  {summary}" for name, summary in SUBVERBS.items())
    parser = Parser(
        prog="vsdmot data",
        usage="vsdmot data check PATH | vsdmot data build NAME --root PATH -o OUT",
        description="Check data sets, and build those of the paper.",
        epilog=f"commands:\n{lines}\n\n`vsdmot data check --help` and `vsdmot data build --help` explain each.",
    )
    parser.add_argument("command", metavar="COMMAND", type=_unknown, help="check or build")
    return parser


def _unknown(word: str) -> str:
    near = difflib.get_close_matches(word, SUBVERBS, n=1)
    raise ConfigError(f"data {word}: " + (f"did you mean {near[0]}?" if near else f"expected {' or '.join(SUBVERBS)}"))
