"""The numbers of the page as its script reads them: JSON, with long columns as base64 of little-endian arrays.

Everything is by frame index, from 1 to ``numFrames``; ``offsets`` has the rows of frame ``f`` from ``offsets[f]`` to
``offsets[f + 1]``. Boxes are whole numbers, `UNITS` to the picture's width and height, so that the true boxes fit every
copy of the video, whatever its size.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsdmot.evaluation.events import births, losses
from vsdmot.report.colours import id_colour
from vsdmot.report.page.contents import Contents
from vsdmot.report.page.film import Film
from vsdmot.report.page.judging import Judged, Truth
from vsdmot.report.page.moments import marked
from vsdmot.report.runs import TERMS, Run

UNITS = 16_000
"""Parts of a side: finer than a pixel of 8K; boxes may reach two pictures beyond the edge."""
NO_SCORE = 255
_PALETTE_SIZE = 20


def page_data(contents: Contents, films: Sequence[Film]) -> dict[str, Any]:
    """Give everything that the script needs.

    Args:
        contents: What the page shows.
        films: The videos, complete.
    """
    ends = [film.indices[-1] for film in films] + [run.length for run in contents.runs]
    length = max([*ends, *(len(one.counts) for one in contents.judged)])
    return {
        "numFrames": length,
        "units": UNITS,
        "palette": [list(id_colour(number)) for number in range(1, _PALETTE_SIZE + 1)],
        "videos": [_video(contents, number, film, length) for number, film in enumerate(films)],
        "runs": [
            _run(contents, number, run, length, contents.judged[number] if contents.judged else None)
            for number, run in enumerate(contents.runs)
        ],
        "truth": None if contents.truth is None else _truth(contents.truth, length),
    }


def packed(values: NDArray[Any] | Sequence[float], kind: str) -> str:
    """Write numbers as base64 of a little-endian array.

    >>> packed([1, 2], "<u2")
    'AQACAA=='
    """
    return base64.b64encode(np.ascontiguousarray(values, dtype=kind).tobytes()).decode("ascii")


def _video(contents: Contents, number: int, film: Film, length: int) -> dict[str, Any]:
    info, source = contents.videos[number], contents.quality_run(number)
    return {
        "name": info.name,
        "width": film.size[0],
        "height": film.size[1],
        "frameRate": info.frame_rate,
        "indices": packed(film.indices, "<u4"),
        "times": packed(np.array(film.times) - film.times[0], "<f8"),
        "terms": None if source is None else {term: packed(source.column(term, length), "<f4") for term in TERMS},
    }


def _run(contents: Contents, number: int, run: Run, length: int, judged: Judged | None) -> dict[str, Any]:
    info = contents.videos[contents.video_of[number]]
    size = (info.width, info.height)
    life_of = {life.track_id: place for place, life in enumerate(run.lives)}
    spans = [(place, *span) for place, life in enumerate(run.lives) for span in life.spans]
    data: dict[str, Any] = {
        "name": run.name,
        "video": contents.video_of[number],
        "ids": [life.track_id for life in run.lives],
        "spans": packed(np.array(spans, np.int64).reshape(-1, 3), "<u4"),
        "offsets": packed(_offsets(run.tracks.frames, length), "<u4"),
        "lives": packed([life_of[track_id] for track_id in run.tracks.ids.tolist()], "<u4"),
        "boxes": packed(_boxes(run.tracks.boxes, size), "<i2"),
        "scores": None,
        "weight": None,
        "births": marked(births(run.lives), size),
        "losses": marked(losses(run.lives, last_frame=run.length), size),
        "breaks": [],
        "missed": None,
        "false": None,
    }
    if np.isfinite(run.table.scores).any():
        scores = np.where(np.isfinite(run.table.scores), run.table.scores.clip(0, 1) * (NO_SCORE - 1), NO_SCORE)
        data["scores"] = packed(np.round(scores), "<u1")
    if run.knows("semantic_weight"):
        data["weight"] = packed(run.column("semantic_weight", length), "<f4")
    if judged is not None:
        shown = {id(row.what): place for place, row in enumerate(contents.rows[number])}
        data["breaks"] = [
            [one.before.frame, one.after.frame, one.person, one.before.track_id, one.after.track_id,
             one.is_switch, one.is_fragment, shown.get(id(one), -1)]
            for one in judged.breaks
        ]  # fmt: skip
        counts = judged.counts
        data["missed"] = packed(_full(counts.num_truth - counts.matches, length), "<u2")
        data["false"] = packed(_full(counts.num_tracks - counts.matches, length), "<u2")
    return data


def _truth(truth: Truth, length: int) -> dict[str, Any]:
    people = truth.counted()
    return {
        "ids": packed(people.ids, "<u4"),
        "offsets": packed(_offsets(people.frames, length), "<u4"),
        "boxes": packed(_boxes(people.boxes, truth.size), "<i2"),
    }


def _offsets(frames: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    return np.searchsorted(frames, np.arange(length + 2))


def _boxes(boxes: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    limit = np.iinfo(np.int16).max
    return np.round(boxes * (UNITS / np.array([*size, *size]))).clip(-limit, limit)


def _full(values: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    full = np.zeros(length, np.int64)
    full[: len(values)] = values
    return full.clip(0, np.iinfo(np.uint16).max)
