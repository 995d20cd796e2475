"""Results as JSON Lines: one object per frame, all of the same shape, written as they come.

The settings of a run are not in this file, because readers (pandas, DuckDB, jq) expect lines that are all alike.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from vsdmot.errors import FormatError, OutputError
from vsdmot.structures import FrameQuality, FrameResult, Tracks

BOX_DECIMALS = 2
SCORE_DECIMALS = 4
TIME_DECIMALS = 6


class JsonLinesWriter:
    """A ``.jsonl`` file that grows by a line per frame; a context manager.

    Every line is flushed, so that a kill costs at most the line that was being written.
    """

    def __init__(self, path: Path) -> None:
        """Create the file, replacing one that exists.

        Raises:
            OutputError: It cannot be created.
        """
        self.path = path
        try:
            self._file = path.open("w", encoding="utf-8", newline="\n")
        except OSError as error:
            raise OutputError(f"{path}: cannot be created: {error.strerror}") from None

    def write(self, result: FrameResult) -> None:
        """Add the line of a frame.

        Raises:
            OutputError: The disk is full or the file cannot be written.
        """
        line = json.dumps(to_plain(result), allow_nan=False, separators=(",", ":"))
        try:
            self._file.write(line + "\n")
            self._file.flush()
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be written at frame {result.index}: {error.strerror}") from None

    def close(self) -> None:
        """Close the file; closing twice is allowed.

        Raises:
            OutputError: The last line cannot be written.
        """
        try:
            self._file.close()
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be finished: {error.strerror}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def to_plain(result: FrameResult) -> dict[str, Any]:
    """Turn a result into the object that a line holds.

    Boxes (``xyxy``, pixels) keep 2 decimals, scores and quality 4, times (seconds) 6.

    >>> quality = FrameQuality(clarity=0.5, noise=0.1, contrast=0.25, score=1 / 3)
    >>> to_plain(FrameResult(3, 0.08, Tracks.empty(), quality, semantic_weight=None, num_proposals=2))["quality"]
    {'score': 0.3333, 'clarity': 0.5, 'noise': 0.1, 'contrast': 0.25}
    """
    quality, tracks, weight = result.quality, result.tracks, result.semantic_weight
    return {
        "frame": result.index,
        "time": round(result.time, TIME_DECIMALS),
        "quality": {
            "score": round(quality.score, SCORE_DECIMALS),
            "clarity": round(quality.clarity, SCORE_DECIMALS),
            "noise": round(quality.noise, SCORE_DECIMALS),
            "contrast": round(quality.contrast, SCORE_DECIMALS),
        },
        "semantic_weight": None if weight is None else round(weight, SCORE_DECIMALS),
        "num_proposals": result.num_proposals,
        "tracks": [
            {
                "id": track_id,
                "box": [round(side, BOX_DECIMALS) for side in box],
                "score": round(score, SCORE_DECIMALS),
            }
            for track_id, box, score in zip(
                tracks.ids.tolist(), tracks.boxes.tolist(), tracks.scores.tolist(), strict=True
            )
        ],
    }


def read_json_lines(path: Path) -> Iterator[FrameResult]:
    """Read results back, one at a time.

    A last line without an end that is cut in the middle, as a kill leaves it, is passed over.

    Raises:
        FormatError: The file is missing or not text, or a line is not a result; with file and line number.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    record = json.loads(line)
                except ValueError:  # not JSON, or not UTF-8
                    if not line.endswith(b"\n"):
                        return
                    raise FormatError(f"{path}:{number}: expected a JSON object, got {_shorten(line)}") from None
                try:
                    yield _from_plain(record)
                except ValueError as error:
                    raise FormatError(f"{path}:{number}: {error}") from None
    except OSError as error:
        raise FormatError(f"{path}: not readable: {error.strerror}") from None


def _from_plain(record: Any) -> FrameResult:
    """Make a result from the object of a line.

    Raises:
        ValueError: A field is missing or has the wrong type or value.
    """
    if not isinstance(record, dict):
        raise ValueError(f"expected a JSON object, got {record!r}"[:100])
    try:
        quality, tracks, weight = record["quality"], record["tracks"], record["semantic_weight"]
        index = int(record["frame"])
        if quality is None:  # as `vsdmot convert` writes what was made of files that know no quality
            raise ValueError("expected the quality of the frame, which is not known here")
        time = float(record["time"])
        if index < 1 or not math.isfinite(time):
            raise ValueError(f"expected a frame from 1 on and its time in seconds, got {index} and {time}")
        return FrameResult(
            index=index,
            time=time,
            tracks=Tracks(
                ids=np.array([int(track["id"]) for track in tracks], np.int64),
                boxes=np.array([track["box"] for track in tracks], np.float32).reshape(
                    len(tracks), -1 if tracks else 4
                ),
                scores=np.array([track["score"] for track in tracks], np.float32),
            ),
            quality=FrameQuality(**{name: float(quality[name]) for name in ("clarity", "noise", "contrast", "score")}),
            semantic_weight=None if weight is None else float(weight),
            num_proposals=int(record["num_proposals"]),
        )
    except KeyError as error:
        raise ValueError(f"the field {error} is missing") from None
    except TypeError:
        raise ValueError("a field is of the wrong type") from None


def _shorten(line: bytes) -> str:
    text = line.decode("utf-8", "replace").strip()
    return repr(text if len(text) <= 60 else text[:57] + "...")
