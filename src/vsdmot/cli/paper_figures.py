"""``vsdmot paper fig6`` and ``fig7``: strips of frames, the baseline above VSD-MOT."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from vsdmot.cli.compare import CompareSettings, compare
from vsdmot.config import at_least, check, within
from vsdmot.errors import SourceError
from vsdmot.evaluation.result_files import find_results
from vsdmot.report.paper_commands import Places, commands_for
from vsdmot.report.paper_layout import FIGURES, SETS, FigureName, Row


@dataclass(frozen=True, kw_only=True)
class PaperFigureSettings:
    """Draw Fig. 6 (LQDanceTrack) or Fig. 7 (DanceTrack) of your own runs: MOTRv2 above, VSD-MOT below.

    Without --frames the moments are those in which the two differ most. A person has the same number and colour in both
    rows, ID switches are marked, and corners show who is missed. The runs lie as for the tables: RUNS/RUN/SET.

    Attributes:
        output: The picture to write (.png, .jpg).
        root: Folder of the data that `vsdmot data build` made.
        runs: Folder of the runs.
        recipes: Folder of the recipes, for the commands that are named where a run is missing.
        sequence: Which sequence of the validation set; the default is that of the paper's Fig. 6.
        frames: Frames to show, separated by commas; null finds those in which the runs differ most.
        columns: How many frames are found.
        cell_width: Width of a frame in the strip, pixels.
        overwrite: Replace a picture that exists.
    """

    output: Path
    root: Path
    runs: Path
    recipes: Path = Path("configs") / "train"
    sequence: str = "dancetrack0058"
    frames: tuple[int, ...] | None = None
    columns: int = 4
    cell_width: int = 480
    overwrite: bool = False

    def __post_init__(self) -> None:
        check(self, columns=within(1, 100), cell_width=at_least(48))


def paper_figure(name: FigureName, settings: PaperFigureSettings) -> None:
    """Draw one of the figures.

    Raises:
        SourceError: The data or a run is missing; the message names the commands that make it.
        VsdmotError: Something else cannot be used, or the picture cannot be written.
    """
    places = Places(data=settings.root, runs=settings.runs, recipes=settings.recipes)
    rows = FIGURES[name]
    folder = places.split(SETS[rows[0].set]) / settings.sequence
    results = {row.run: _result(places.results(row), settings.sequence) for row in rows}
    missing = [row for row in rows if results[row.run] is None]
    if missing or not folder.is_dir():
        raise SourceError("\n".join(_missing_lines(missing or rows, folder, settings.sequence, places)))
    compare(
        CompareSettings(
            runs=tuple(path for path in results.values() if path is not None),
            strip=settings.output,
            gt=folder,
            source=(folder,),
            names=tuple(row.cells[0] for row in rows),
            frames=settings.frames,
            columns=settings.columns,
            cell_width=settings.cell_width,
            overwrite=settings.overwrite,
        )
    )


def _result(folder: Path, sequence: str) -> Path | None:
    if not folder.is_dir():
        return None
    try:
        return find_results(folder, [sequence]).files[sequence]
    except SourceError:
        return None


def _missing_lines(rows: tuple[Row, ...] | list[Row], folder: Path, sequence: str, places: Places) -> list[str]:
    there = folder.is_dir()
    lines = [] if there else [f"{folder}: expected a sequence of the validation set, there is no such folder"]
    if there:
        lines += [f"{places.results(row)}: expected the results of {sequence}, there are none" for row in rows]
    commands = dict.fromkeys(command for row in rows for command in commands_for(row, [sequence], places))
    return [*lines, *(f"  vsdmot {shlex.join(command.words)}" for command in commands)]
