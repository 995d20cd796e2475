"""A run as a person is to see it: the tracks of one file, and what that file does not say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsdmot.boxes import xywh_to_xyxy
from vsdmot.errors import ConfigError, FormatError, SourceError
from vsdmot.evaluation.events import Life, find_lives
from vsdmot.evaluation.tracked import MOST_FRAMES, TrackedBoxes
from vsdmot.io.exchange.formats import FORMATS, format_of_source, read_tracks_of
from vsdmot.io.exchange.table import FRAME_COLUMNS, TrackTable, sequence_name
from vsdmot.io.images import list_images
from vsdmot.io.problems import counted
from vsdmot.io.sources import VIDEO_SUFFIXES

TERMS = ("quality", "clarity", "noise", "contrast")
"""Columns of a frame that describe the picture: the quality Q, then its terms."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Run:
    """What a tracker said about a video.

    Attributes:
        name: What it is called on the page.
        path: The file.
        format: Title of the file's format.
        table: Its contents.
        tracks: Its boxes, ``xyxy`` in pixels of the run's own video.
        lives: Its tracks from first box to last.
    """

    name: str
    path: Path
    format: str
    table: TrackTable
    tracks: TrackedBoxes = field(init=False)
    lives: Sequence[Life] = field(init=False)

    def __post_init__(self) -> None:
        tracks = TrackedBoxes(
            self.table.frames.copy(), self.table.ids.copy(), xywh_to_xyxy(self.table.boxes), path=self.path
        )
        object.__setattr__(self, "tracks", tracks)
        object.__setattr__(self, "lives", find_lives(tracks))

    @property
    def length(self) -> int:
        """The last frame that the file speaks of."""
        return self.table.length

    def column(self, name: str, length: int) -> NDArray[np.float32]:
        """Give what is known of each frame from 1 to ``length``, ``(length,)``; NaN where it is not known.

        Args:
            name: One of `FRAME_COLUMNS`.
            length: Frames; those beyond are left out.
        """
        values = np.full(length, np.nan, np.float32)
        inside = self.table.known_frames <= length
        values[self.table.known_frames[inside] - 1] = self.table.frame_values[inside, FRAME_COLUMNS.index(name)]
        return values

    def knows(self, name: str) -> bool:
        """Tell whether the file says a column of any frame."""
        return bool(np.isfinite(self.table.frame_values[:, FRAME_COLUMNS.index(name)]).any())

    def counts(self, length: int) -> NDArray[np.int64]:
        """Number of tracks in each frame from 1 to ``length``, ``(length,)``."""
        return np.bincount(self.table.frames, minlength=length + 1)[1 : length + 1]

    def mean_scores(self, length: int) -> NDArray[np.float64]:
        """Mean score of the tracks in each frame from 1 to ``length``, ``(length,)``; NaN where there is none."""
        known = np.isfinite(self.table.scores)
        frames, scores = self.table.frames[known], self.table.scores[known]
        sums = np.bincount(frames, scores, minlength=length + 1)[1 : length + 1]
        numbers = np.bincount(frames, minlength=length + 1)[1 : length + 1]
        means: NDArray[np.float64] = np.divide(sums, numbers, out=np.full(length, np.nan), where=numbers > 0)
        return means

    def missing(self) -> list[str]:
        """Say what the file does not hold and the page therefore cannot show, a sentence each."""
        sentences = []
        if not any(self.knows(term) for term in TERMS):
            sentences.append(
                f"Quality Q and its terms are missing: {self.path.name} ({self.format}) does not hold them; the "
                ".jsonl that vsdmot track writes does."
            )
        if not self.knows("semantic_weight"):
            sentences.append(
                "Semantic weight is missing: only VSD-MOT has one, and only its .jsonl holds it."
                if not any(self.knows(term) for term in TERMS)
                else "Semantic weight is missing: this tracker has none (only VSD-MOT does)."
            )
        if len(self.table) and not np.isfinite(self.table.scores).any():
            sentences.append("Scores of tracks are missing: the file does not hold them.")
        if not len(self.table.known_frames):
            sentences.append("Frames without tracks may not have been read at all: the file does not tell.")
        return [*sentences, *(f"{note[:1].upper()}{note[1:]}." for note in self.table.notes)]


def read_run(path: Path, name: str) -> Run:
    """Read the tracks of a run.

    Args:
        path: JSON Lines or MOT text of ``vsdmot track``, or any other format that ``vsdmot convert`` reads.
        name: What it is called on the page.

    Raises:
        SourceError: It is not there, or in no known format.
        FormatError: It is broken, holds nothing, or speaks of a frame beyond `MOST_FRAMES`.
    """
    if path.is_file() and path.suffix.lower() in VIDEO_SUFFIXES:
        raise SourceError(f"{path}: expected the tracks of a run (.jsonl or .mot.txt), this is a video: use --source")
    chosen = format_of_source(path)
    table = read_tracks_of(path, chosen)
    if not len(table) and not len(table.known_frames):
        raise FormatError(f"{path}: expected tracks, the file holds neither boxes nor frames")
    if table.length > MOST_FRAMES:
        raise FormatError(f"{path}: expected frames up to {MOST_FRAMES}, got {table.length}")
    return Run(name=name, path=path, format=FORMATS[chosen].title, table=table)


def check_runs(runs: Sequence[Path], names: Sequence[str] | None, videos: Sequence[Path]) -> None:
    """Refuse names and videos that do not go with the runs.

    Args:
        runs: The runs.
        names: What they are to be called; None leaves that to `run_names`.
        videos: As for `videos_of_runs`.

    Raises:
        ConfigError: There are more or fewer.
    """
    if names is not None and len(names) != len(runs):
        raise ConfigError(f"names: must be {counted(len(runs), 'name')}, got {len(names)}")
    if len(videos) not in (0, 1, len(runs)):
        raise ConfigError(
            f"source: must be one video for all runs, or one for each of {counted(len(runs), 'run')}, got {len(videos)}"
        )


def read_runs(paths: Sequence[Path], names: Sequence[str] | None) -> list[Run]:
    """Read runs as `read_run` does, under these names or those of `run_names`."""
    return [read_run(path, name) for path, name in zip(paths, names or run_names(paths), strict=True)]


def run_names(paths: Sequence[Path]) -> list[str]:
    """Name runs after their files; where these are alike, after the folders in which they differ.

    >>> run_names([Path("a/clip.jsonl"), Path("b/clip.mot.txt")]), run_names([Path("x/ours.jsonl")])
    (['a', 'b'], ['ours'])
    """
    parts = [[*path.absolute().parts[:-1], sequence_name(path)] for path in paths]
    for depth in range(1, min(map(len, parts)) + 1):
        names = [one[-depth] for one in parts]
        if len(set(names)) == len(names):
            return names
    return [f"{one[-1]} ({number})" for number, one in enumerate(parts, start=1)]


def video_beside(path: Path) -> Path:
    """Find the video that a run belongs to beside it, by its name: ``clip.mp4`` for ``clip.jsonl``.

    Raises:
        SourceError: There is none, or more than one.
    """
    name = sequence_name(path)
    folder = path.parent / name
    found = sorted(one for one in path.parent.glob("*") if one.stem == name and one.suffix.lower() in VIDEO_SUFFIXES)
    if folder.is_dir() and ((folder / "img1").is_dir() or list_images(folder)):
        found.append(folder)
    if len(found) != 1:
        what = f"there are {' and '.join(map(str, found))}" if found else f"there is no video {name}.* beside it"
        raise SourceError(f"{path}: {what}; say with --source which video it belongs to")
    return found[0]


def videos_of_runs(runs: Sequence[Path], named: Sequence[Path]) -> tuple[list[Path], list[int]]:
    """Choose the videos, each once, and say for each run which of them is its own.

    Args:
        runs: The runs.
        named: The videos: one for all runs, or one for each; none takes those beside the runs.

    Raises:
        SourceError: None was named, and beside a run there is none, or more than one.
    """
    chosen = list(named) or [video_beside(path) for path in runs]
    if len(chosen) == 1:
        chosen *= len(runs)
    distinct: dict[Path, Path] = {}
    for path in chosen:
        distinct.setdefault(path.resolve(), path)
    places = list(distinct)
    return list(distinct.values()), [places.index(path.resolve()) for path in chosen]
