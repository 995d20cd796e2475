"""The tables of the paper as data: which rows there are, and which run fills each.

A run is a folder in DIR (``--runs``) with a folder of results for each set: ``DIR/RUN/SET/SEQUENCE.txt``. A run that
one of our recipes trains is named like the recipe, which is where `vsdmot train` puts its weights: ``DIR/RUN/best``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SetName = Literal["LQDanceTrack", "DanceTrack", "LQMOT", "MOT"]
Origin = Literal["recipe", "association", "elsewhere"]
TableName = Literal["table1", "table2", "table3", "table4", "table5", "table6", "table7"]
FigureName = Literal["fig6", "fig7"]

COLUMNS = ("HOTA", "DetA", "AssA", "MOTA", "IDF1")
"""The numbers of Tables I to VII."""


@dataclass(frozen=True)
class ValidationSet:
    """A set that trackers are scored on.

    Attributes:
        name: As the paper has it.
        built: The data set of `vsdmot data build` that it belongs to.
        split: Its split there.
    """

    name: SetName
    built: Literal["lqdancetrack", "lqmot"]
    split: Literal["val", "val_clean"]

    @property
    def data_set(self) -> str:
        """Folder of the data set below ``--root``."""
        return {"lqdancetrack": "LQDanceTrack", "lqmot": "LQMOT"}[self.built]


SETS: dict[SetName, ValidationSet] = {
    "LQDanceTrack": ValidationSet("LQDanceTrack", "lqdancetrack", "val"),
    "DanceTrack": ValidationSet("DanceTrack", "lqdancetrack", "val_clean"),
    "LQMOT": ValidationSet("LQMOT", "lqmot", "val"),
    "MOT": ValidationSet("MOT", "lqmot", "val_clean"),
}


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        cells: What stands before the numbers.
        run: Folder of the run that fills it.
        set: What it is scored on.
        origin: Who makes its results: a recipe of ours with the run's name, an association tracker on the proposals of
            our detector, or code of others.
    """

    cells: tuple[str, ...]
    run: str
    set: SetName
    origin: Origin = "recipe"


@dataclass(frozen=True)
class PaperTable:
    """A table of scores.

    Attributes:
        number: Its number in the paper.
        title: What it shows.
        names: Names of the columns before the numbers.
        rows: Its rows, in the paper's order.
    """

    number: str
    title: str
    names: tuple[str, ...]
    rows: tuple[Row, ...]


def _trackers(number: str, set_name: SetName, rows: list[tuple[str, str, Origin]]) -> PaperTable:
    made = tuple(Row((title,), run, set_name, origin) for title, run, origin in rows)
    return PaperTable(number, f"Trackers on the validation set of {set_name}", ("tracker",), made)


_DANCE: list[tuple[str, str, Origin]] = [
    ("CO-MOT", "co-mot", "elsewhere"),
    ("MeMOTR", "memotr", "elsewhere"),
    ("MOTIP", "motip", "elsewhere"),
    ("Hybrid-SORT-ReID", "hybrid-sort-reid", "elsewhere"),
    ("Hybrid-SORT", "hybrid-sort", "elsewhere"),
    ("MOTR", "motr_lqdancetrack", "recipe"),
    ("MOTRv2 (baseline)", "motrv2_lqdancetrack", "recipe"),
    ("VSD-MOT", "lqdancetrack", "recipe"),
]
_MOT: list[tuple[str, str, Origin]] = [
    ("MeMOTR", "memotr", "elsewhere"),
    ("MOTIP", "motip", "elsewhere"),
    ("ByteTrack", "bytetrack", "association"),
    ("Hybrid-SORT-ReID", "hybrid-sort-reid", "elsewhere"),
    ("Hybrid-SORT", "hybrid-sort", "elsewhere"),
    ("MOTR", "motr_lqmot", "recipe"),
    ("MOTRv2 (baseline)", "table5_1_baseline", "recipe"),
    ("VSD-MOT", "lqmot", "recipe"),
]
_COMPONENTS = (
    (("yes", "", "", ""), "table5_1_baseline"),
    (("yes", "yes", "", ""), "table5_2_distillation"),
    (("yes", "yes", "yes", ""), "table5_3_dcsd"),
    (("yes", "yes", "yes", "yes"), "lqmot"),
)
_RATIOS = (
    ("all high-quality", "table6_ratio_0_1"),
    ("1:1", "table6_ratio_1_1"),
    ("2:1", "lqmot"),
    ("all low-quality", "table6_ratio_1_0"),
)
_ALPHAS = (("0.2", "table7_alpha_0.2"), ("0.4", "lqmot"), ("0.6", "table7_alpha_0.6"))
_BOTH: tuple[SetName, SetName] = ("LQMOT", "MOT")

TABLES: dict[TableName, PaperTable] = {
    "table1": _trackers("I", "LQDanceTrack", _DANCE),
    "table2": _trackers("II", "DanceTrack", _DANCE),
    "table3": _trackers("III", "LQMOT", _MOT),
    "table4": _trackers("IV", "MOT", _MOT),
    "table5": PaperTable(
        "V",
        "What each component adds, on the validation sets of LQMOT and MOT",
        ("No.", "dataset", "baseline", "CLIP distillation", "DCSD", "DSWR"),
        tuple(
            Row((str(4 * half + number), name, *ticks), run, name)
            for half, name in enumerate(_BOTH)
            for number, (ticks, run) in enumerate(_COMPONENTS, start=1)
        ),
    ),
    "table6": PaperTable(
        "VI",
        "Ratio of low to high quality in training, on the validation sets of LQMOT and MOT",
        ("dataset", "low:high"),
        tuple(Row((name, ratio), run, name) for name in _BOTH for ratio, run in _RATIOS),
    ),
    "table7": PaperTable(
        "VII",
        "Weight alpha of distillation in the loss, on the validation sets of LQMOT and MOT",
        ("dataset", "alpha"),
        tuple(Row((name, alpha), run, name) for name in _BOTH for alpha, run in _ALPHAS),
    ),
}
"""Paper note: rows of different tables that show the same run (VSD-MOT in Tables III to VII) are one run here."""


def _strip(name: SetName) -> tuple[Row, ...]:
    return (Row(("MOTRv2",), "motrv2_lqdancetrack", name), Row(("VSD-MOT",), "lqdancetrack", name))


FIGURES: dict[FigureName, tuple[Row, ...]] = {"fig6": _strip("LQDanceTrack"), "fig7": _strip("DanceTrack")}
"""Rows of the figures, from above. Paper note: Fig. 7 shows VSD-MOT alone; here the baseline stands above it too."""
