"""Put the page together: text by template, numbers as JSON, videos as base64, all in one file.

Names of files and runs are untrusted: the template escapes them, and JSON hides every ``<``, so that no name can end a
script. A content security policy keeps the page off the network whatever it holds.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from vsdmot.errors import OutputError
from vsdmot.evaluation.by_quality import QualityGroup
from vsdmot.io.problems import counted
from vsdmot.io.sources import ReadReport
from vsdmot.report.page.contents import Contents
from vsdmot.report.page.film import Film
from vsdmot.report.page.packing import page_data
from vsdmot.report.page.provenance import made_by, origins
from vsdmot.report.page.thumbnails import Thumbnail
from vsdmot.report.score_tables import LITTLE_VARIATION, QUALITY_COLUMNS, cell

COLUMNS = ("HOTA", "DetA", "AssA", "MOTA", "IDF1", "IDSW", "Frag", "MT", "ML", "CLR_FP", "CLR_FN")
_SCRIPTS = ("data.js", "player.js", "overlay.js", "timeline.js", "lives.js", "main.js")
_OPEN_ROWS = 6
"""Rows of thumbnails that are seen at once; the others unfold."""
_CHUNK = 3 * 1024 * 1024
"""Bytes of a video in one element: a multiple of 3, so that each decodes by itself."""


def make_page(
    contents: Contents, films: Sequence[Film], reports: Sequence[ReadReport], settings: Mapping[str, object]
) -> bytes:
    """Make the page.

    Args:
        contents: What it shows.
        films: The videos, complete.
        reports: What happened while each video was read.
        settings: By which settings it is made, names to plain values.

    Raises:
        OutputError: The small copy of a video cannot be read back.
        SourceError: A file has gone in the meantime.
    """
    import jinja2  # a tenth of a second, which no other verb need pay

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["minutes"] = minutes
    text = environment.from_string(_asset("page.html")).render(
        style=_asset("page.css"),
        script="\n".join(map(_asset, _SCRIPTS)),
        data=_script_safe(json.dumps(page_data(contents, films), allow_nan=False, separators=(",", ":"))),
        **_texts(contents, films),
        origins=origins(contents, reports),
        made_by=made_by(settings),
    )
    head, end, tail = text.rpartition("</body>")
    assert end, "the template ends the body"
    return b"".join([head.encode(), *_video_elements(films), (end + tail).encode()])


def _texts(contents: Contents, films: Sequence[Film]) -> dict[str, Any]:
    """Give what the template shows as text and pictures."""
    times = [dict(zip(film.indices, film.times, strict=True)) for film in films]

    def picture(run: int, one: Thumbnail) -> str | None:
        image = films[contents.video_of[run]].images.get(one)
        return None if image is None else "data:image/jpeg;base64," + base64.b64encode(image).decode("ascii")

    def time(run: int, frame: int) -> float | None:
        number = contents.video_of[run]
        found = times[number].get(frame)
        return None if found is None else found - films[number].times[0]

    return {
        "title": " and ".join(run.name for run in contents.runs),
        "names": [run.name for run in contents.runs],
        "videos": [contents.videos[number].name for number in contents.video_of],
        "num_videos": len(films),
        "num_frames": max(len(film.indices) for film in films),
        "duration": max(film.times[-1] - film.times[0] for film in films),
        "missing": [(run.name, sentence) for run in contents.runs for sentence in run.missing()],
        "has_truth": contents.truth is not None,
        "rule": contents.truth.rule if contents.truth else None,
        "scores": _scores(contents),
        "by_quality": [_quality_row(contents, group) for group in contents.by_quality],
        "quality_columns": QUALITY_COLUMNS,
        "quality_varies": bool(contents.by_quality)
        and contents.by_quality[-1].high - contents.by_quality[0].low >= LITTLE_VARIATION,
        "moments": [
            {
                "run": moment.run,
                "frame": moment.worst,
                "time": time(moment.run, moment.worst),
                "reasons": moment.reasons,
                "image": picture(moment.run, one),
                "text": one.text,
            }
            for moment, one in contents.moments
        ],
        "rows": [
            [
                {
                    "what": row.what,
                    "gap": counted(row.what.after.frame - row.what.before.frame - 1, "frame"),
                    "time": time(number, row.what.after.frame),
                    "pictures": [(one.frame, picture(number, one), one.text) for one in row.thumbnails],
                }
                for row in rows
            ]
            for number, rows in enumerate(contents.rows)
        ],
        "num_open": _OPEN_ROWS,
        "num_breaks": [len(one.breaks) for one in contents.judged],
    }


def minutes(seconds: float) -> str:
    """Write a time as the page's script does.

    >>> minutes(4.96), minutes(83.04), minutes(36000.0)
    ('0:05.0', '1:23.0', '10:00:00.0')
    """
    tenths = round(10 * seconds)
    hours, minute, rest = tenths // 36000, tenths // 600 % 60, f"{tenths % 600 / 10:04.1f}"
    return f"{hours}:{minute:02}:{rest}" if hours else f"{minute}:{rest}"


def _scores(contents: Contents) -> dict[str, Any] | None:
    if not contents.judged:
        return None
    rows = [
        (run.name, [cell(field, one.scores[field], 1) for field in COLUMNS])
        for run, one in zip(contents.runs, contents.judged, strict=True)
    ]
    lower_is_better = {"IDSW", "Frag", "ML", "CLR_FP", "CLR_FN"}
    best = []
    for field in COLUMNS:
        values = np.array([one.scores[field] for one in contents.judged])
        winner = values.min() if field in lower_is_better else values.max()
        is_best = np.isclose(values, winner)
        best.append((is_best & ~is_best.all()).tolist())
    return {"columns": COLUMNS, "rows": rows, "best": best}


def _quality_row(contents: Contents, group: QualityGroup) -> dict[str, Any]:
    return {
        "range": f"{group.low:.2f} - {group.high:.2f}",
        "num_frames": f"{group.num_frames:,}",
        "num_boxes": f"{group.num_boxes:,}",
        "runs": [
            (run.name, [cell(field, scores[field], 1) for field in QUALITY_COLUMNS])
            for run, scores in zip(contents.runs, group.scores, strict=True)
        ],
    }


def _asset(name: str) -> str:
    return resources.files("vsdmot.report.page").joinpath("assets", name).read_text(encoding="utf-8")


def _script_safe(text: str) -> str:
    return text.replace("<", "\\u003c")


def _video_elements(films: Sequence[Film]) -> Iterator[bytes]:
    for number, film in enumerate(films):
        for chunk in _chunks(film.path):
            element = f'<script type="text/plain" data-video="{number}">'.encode()
            yield element + base64.b64encode(chunk) + b"</script>\n"


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise OutputError(f"{path}: the small copy of the video cannot be read: {error.strerror}") from None
