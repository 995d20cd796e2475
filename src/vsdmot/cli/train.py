"""``vsdmot train``: train a tracker or a detector by a recipe."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsdmot.cli.arguments import Parser
from vsdmot.cli.console import Progress, say, warn
from vsdmot.config import above, check

_OVERRIDE = re.compile(r"[A-Za-z_][\w.]*=")


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """Train a tracker or a detector by a recipe.

    RECIPE is a YAML file such as those in configs/, and KEY=VALUE changes a setting of it, as in
    tracker.model.num_learned_queries=20. The run's folder holds best/ and last/, each with weights and config.json as
    `vsdmot track --weights` takes them, checkpoints/ to resume from, and the log (log.jsonl, tensorboard/).

    Ctrl-C, SIGTERM and --max-minutes stop with a checkpoint. On several GPUs: torchrun --nproc_per_node 8 -m vsdmot
    train RECIPE. The gradient is the same for any number of processes.

    Attributes:
        recipe: The YAML file.
        output: Folder of the run; null takes runs/ and the recipe's name.
        resume: Go on from the newest checkpoint of the run.
        max_minutes: Stop after so many minutes, to be resumed later; null trains to the end.
        dry_run: Check every path, print what would be done, and train nothing.
    """

    recipe: Path
    output: Path | None = None
    resume: bool = False
    max_minutes: float | None = None
    dry_run: bool = False

    def __post_init__(self) -> None:
        check(self, max_minutes=above(0))


def main(arguments: Sequence[str]) -> None:
    """Run the verb from the words after ``vsdmot train``."""
    from vsdmot.cli.arguments import make_parser, parse

    changes = [word for word in arguments if _OVERRIDE.match(word)]
    words = [word for word in arguments if word not in changes]
    parser: Parser = make_parser(TrainSettings, prog="vsdmot train", positional=["recipe"], short={"output": "-o"})
    parser.usage = "vsdmot train RECIPE [KEY=VALUE ...] [options]"
    train(parse(parser, TrainSettings, words), dict(word.split("=", 1) for word in changes))


def train(settings: TrainSettings, changes: Mapping[str, str]) -> None:
    """Train by a recipe.

    Raises:
        VsdmotError: The recipe, data or weights cannot be used, or the training cannot go on.
    """
    from vsdmot.training.loop.processes import Processes
    from vsdmot.training.recipe import TrackerRecipe, read_recipe

    overrides: dict[str, object] = dict(changes)
    if settings.max_minutes is not None:
        overrides["loop.max_minutes"] = settings.max_minutes
    recipe = read_recipe(settings.recipe, overrides)
    run = settings.output or Path("runs") / settings.recipe.stem
    processes = Processes.join(recipe.device)
    from vsdmot.training import prepare

    prepared = (
        prepare.prepare_tracker(recipe, processes.device)
        if isinstance(recipe, TrackerRecipe)
        else prepare.prepare_detector(recipe, processes.device)
    )
    if processes.first:
        for note in prepared.notes:
            warn(note)
    if settings.dry_run:
        if processes.first:
            from vsdmot.cli.train_plan import plan_lines

            say("\n".join(plan_lines(recipe, prepared, run, processes.world, processes.device)))
        return
    if isinstance(recipe, TrackerRecipe) and processes.first:
        with Progress("asking the teacher", None) as progress:
            prepare.teach_beforehand(prepared, recipe, lambda _: progress.advance())
    _run(settings, recipe, prepared, run, processes)


def _run(settings: TrainSettings, recipe: Any, prepared: Any, run: Path, processes: Any) -> None:
    from vsdmot.cli.train_progress import TrainProgress
    from vsdmot.training.loop.loop import train as train_loop
    from vsdmot.training.prepare import collect

    with TrainProgress() as listener:
        outcome = train_loop(
            prepared.task,
            recipe.loop,
            recipe.optimiser,
            run,
            schedule=prepared.schedule,
            resume=settings.resume,
            provenance=collect(recipe, prepared, processes.world, processes.device),
            listener=listener,
            processes=processes,
        )
    if processes.first:
        if outcome.stopped != "finished":
            say(f"stopped ({outcome.stopped}); the same command with --resume goes on")
        say(f"{run}")
    processes.leave()
