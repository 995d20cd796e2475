"""Scores that are kept on disk under everything that they depend on, so that nothing is computed twice.

What a score depends on (weights, settings, frames, ground truth, versions) is a mapping of plain values; its digest is
the name of the file. So settings that change never meet scores of other settings, and a run that was killed finds all
that it had finished: files are there in full or not at all.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vsdmot.errors import FormatError
from vsdmot.evaluation.scores import FIELDS, Scores
from vsdmot.io.annotations import GroundTruth
from vsdmot.io.whole_files import copy_whole, write_whole
from vsdmot.version import __version__


@dataclass(frozen=True, eq=False)
class KeptScores:
    """Scores of a sequence that were kept.

    Attributes:
        scores: The official metrics.
        tracks: The tracks that were scored, as MOT text; None where they were not kept with the scores.
    """

    scores: Scores
    tracks: Path | None


class ScoreStore:
    """A folder of scores, a file each, and beside it the tracks that were scored.

    Args:
        folder: Made with the first scores.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, depends_on: Mapping[str, Any]) -> KeptScores | None:
        """Give the scores that were kept under exactly these values; None if there are none.

        Raises:
            FormatError: The file is there, but damaged.
        """
        path = self._path(depends_on)
        try:
            plain = json.loads(path.read_text(encoding="utf-8"))
            if plain["depends_on"] != _settled(depends_on):
                raise ValueError("of something else")
            scores = _from_plain(plain["scores"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise FormatError(f"{path}: expected kept scores, found a damaged file ({error}); remove it") from None
        tracks = path.with_suffix(".txt")
        return KeptScores(scores, tracks if tracks.is_file() else None)

    def keep(self, depends_on: Mapping[str, Any], scores: Scores, tracks: Path | None = None) -> None:
        """Keep scores, and a copy of the tracks that were scored.

        Raises:
            OutputError: The folder cannot be written.
        """
        path = self._path(depends_on)
        if tracks is not None:  # first, because the scores say that all is there
            copy_whole(tracks, path.with_suffix(".txt"))
        plain = {"depends_on": _settled(depends_on), "scores": scores.to_plain()}
        write_whole(path, (json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())

    def _path(self, depends_on: Mapping[str, Any]) -> Path:
        return self.folder / f"{digest_of_values(_settled(depends_on))}.json"


def digest_of_values(values: Mapping[str, Any]) -> str:
    """Give a short digest of plain values, whatever the order of the names.

    >>> digest_of_values({"a": 1, "b": 2}) == digest_of_values({"b": 2, "a": 1}) != digest_of_values({"a": 1})
    True
    """
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def digest_of_truth(truth: GroundTruth) -> str:
    """Give a digest of everything in ground truth that scores depend on."""
    digest = hashlib.sha256()
    for array in (truth.frames, truth.ids, truth.boxes, truth.considered, truth.classes):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _settled(depends_on: Mapping[str, Any]) -> dict[str, Any]:
    """Add what every score depends on, and turn all into what JSON gives back."""
    versions = {"vsdmot": __version__, "trackeval": importlib.metadata.version("trackeval")}
    settled: dict[str, Any] = json.loads(json.dumps({**depends_on, "scored by": versions}))
    return settled


def _from_plain(plain: Mapping[str, Any]) -> Scores:
    arrays = {name: np.asarray(array, float) for name, array in plain["per_alpha"].items() if name != "alpha"}
    return Scores({field: plain[field] for field in FIELDS}, arrays)
