"""Proposals of whole sequences, from whatever file they were written to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsdmot.detection.det_db import DetDb
from vsdmot.detection.files import DetectionFile, open_detections
from vsdmot.errors import ConfigError, FormatError, SourceError
from vsdmot.structures import Frame, Proposals
from vsdmot.training.clips.sequences import BoxRows

PUBLISHED_STILLS = Path("/crowdhuman/train_image")
"""Where the keys of MOTRv2's det_db have CrowdHuman's images, wherever they are on disk."""

_NO_PICTURE = np.zeros((1, 1, 3), np.uint8)  # a file of detections asks for a frame's number and path only


class ProposalFiles:
    """The proposals of a data set: ``none``, ``own``, ``imitated`` or a path, as `ClipSourceConfig` describes."""

    def __init__(self, where: str, min_score: float) -> None:
        self._where, self._min_score = where, min_score
        self._path = None if where in ("none", "own", "imitated") else Path(where)
        self._shared: DetectionFile | None = None
        self._notes: dict[str, None] = {}
        if self._path is not None and not self._path.is_dir():
            self._shared = self._open(self._path)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was dropped or scaled, once for each file."""
        return tuple(self._notes)

    def expect(self, names: Sequence[str]) -> None:
        """Refuse the text of one sequence for several.

        Raises:
            ConfigError: It is that.
        """
        if self._shared is not None and not isinstance(self._shared, DetDb) and len(names) != 1:
            raise ConfigError(
                f"proposals: {self._path} is the text of one sequence, and there are {len(names)}: give a det_db "
                "(JSON) or a folder with SEQUENCE.txt for each"
            )

    def of_frames(self, name: str, folder: Path, frames: NDArray[np.int64], paths: Sequence[Path]) -> BoxRows | None:
        """Read the proposals of a sequence.

        Args:
            name: The sequence's name.
            folder: The sequence.
            frames: ``(F,)``, frame numbers.
            paths: The image of each.

        Raises:
            SourceError: The file that belongs to the sequence is missing.
            FormatError: It cannot be understood, or says nothing of this sequence.
        """
        if self._where == "imitated":
            return None
        asked = [Frame(int(n), 0.0, _NO_PICTURE, path) for n, path in zip(frames.tolist(), paths, strict=True)]
        if self._where == "none" or not asked:
            return _as_rows(Proposals.empty() for _ in asked)
        file = self._shared
        if file is None:
            path = folder / "det" / "det.txt" if self._path is None else self._path / f"{name}.txt"
            if not path.is_file():
                raise SourceError(f"{path}: expected the proposals of {name} here; use proposals: none to do without")
            file = self._open(path)
        return _as_rows(file(frame).above(self._min_score) for frame in asked)

    def of_stills(self, paths: Sequence[Path]) -> BoxRows | None:
        """Read the proposals of still images from a det_db, whose keys have their own folder or the published one.

        Raises:
            ConfigError: They do not come from a det_db.
            FormatError: It says nothing of such images.
        """
        if self._where == "imitated":
            return None
        if self._where == "none" or not paths:
            return _as_rows(Proposals.empty() for _ in paths)
        if not isinstance(self._shared, DetDb):
            raise ConfigError(
                f"proposals: still images need a det_db (JSON), whose keys are image names; got {self._path}"
            )
        folder = paths[0].parent
        try:
            self._shared(Frame(1, 0.0, _NO_PICTURE, paths[0]))
        except FormatError:
            folder = PUBLISHED_STILLS
        frames = (Frame(1, 0.0, _NO_PICTURE, folder / path.name) for path in paths)
        return _as_rows(self._shared(frame).above(self._min_score) for frame in frames)

    def _open(self, path: Path) -> DetectionFile:
        file = open_detections(path)
        self._notes.update(dict.fromkeys(f"{path}: {note}" for note in file.notes))
        return file


def _as_rows(proposals: Iterable[Proposals]) -> BoxRows:
    each = list(proposals)
    starts = np.concatenate([[0], np.cumsum([len(found) for found in each])]).astype(np.int64)
    boxes = np.concatenate([np.zeros((0, 4), np.float32), *(found.boxes for found in each)])
    return BoxRows(starts, boxes, np.concatenate([np.zeros(0, np.float32), *(found.scores for found in each)]))
