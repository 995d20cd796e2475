"""Every format gives back what it holds, to the last digit; a property of all tables, not of an example."""

from __future__ import annotations

import dataclasses
import json
import math
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsdmot.io.exchange.formats import FORMATS, file_contents, format_of_source, read_tracks_of
from vsdmot.io.exchange.losses import losses
from vsdmot.io.exchange.table import FRAME_COLUMNS, TableBuilder, TrackTable

QUICK = settings(max_examples=60, deadline=None)

pixel = st.integers(-200_000_000, 200_000_000).map(lambda number: number / 10_000)
length = st.integers(0, 100_000_000).map(lambda number: number / 10_000)
score = st.integers(0, 1_000_000).map(lambda number: number / 1_000_000)
labels = st.sampled_from(["person", "car", "Spieler Nr. 5", "bag, red", 'a "b" <c> & d', "élève"])


def maybe(strategy: st.SearchStrategy[float]) -> st.SearchStrategy[float]:
    return st.one_of(st.just(math.nan), strategy)


@st.composite
def tables(draw: st.DrawFn, *, sides: st.SearchStrategy[float] = pixel, with_frames: bool = True) -> TrackTable:
    """Any table: gaps, ids from 0, boxes outside the picture, several labels, frames without boxes."""
    keys = draw(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 6)), unique=True, max_size=25))
    track_labels = draw(st.lists(labels, min_size=7, max_size=7))
    builder = TableBuilder(Path("drawn"))
    for frame, track_id in keys:
        builder.add(
            "",
            frame,
            track_id,
            (draw(sides), draw(sides), draw(length), draw(length)),
            score=draw(maybe(score)),
            label=track_labels[track_id],
            considered=draw(st.booleans()),
            visibility=draw(maybe(score)),
        )
    if with_frames:
        for frame in draw(st.lists(st.integers(1, 30), unique=True, max_size=10)):
            builder.add_frame("", frame, (*(draw(maybe(score)) for _ in FRAME_COLUMNS[:-1]), draw(maybe(st.just(3.0)))))
    return builder.build(name="walk", size=(1920, 1080))


def there_and_back(table: TrackTable, name: str, suffix: str | None = None) -> tuple[TrackTable, list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"walk{suffix or FORMATS[name].suffix}"
        contents = file_contents(table, name, path)
        assert contents == file_contents(table, name, path)
        path.write_bytes(contents)
        assert format_of_source(path) == name
        after = read_tracks_of(path, name)
        return after, losses(table, after, name)


def without(table: TrackTable, *names: str) -> TrackTable:
    """The same table, knowing nothing of some things."""
    everything = {
        "scores": np.full(len(table), np.nan),
        "visibility": np.full(len(table), np.nan),
        "considered": np.ones(len(table), bool),
        "classes": np.zeros(len(table), np.int64),
        "labels": ("person",),
        "known_frames": np.zeros(0, np.int64),
        "frame_values": np.zeros((0, 7)),
        "size": None,
    }
    return dataclasses.replace(table, **{name: everything[name] for name in names})


LABELS, FRAMES = ("classes", "labels"), ("known_frames", "frame_values")


def assert_equal(after: TrackTable, before: TrackTable) -> None:
    for name in ("frames", "ids", "boxes", "scores", "considered", "visibility", "known_frames", "frame_values"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name), err_msg=name)
    assert after.row_labels == before.row_labels
    assert (after.name, after.size) == (before.name, before.size)


@QUICK
@given(table=tables(), name=st.sampled_from(["csv", "parquet"]))
def test_tables_hold_all_but_csv_the_size(table, name):
    # A frame of which nothing is known and that has boxes is told by its boxes alone.
    table = without(table, "size") if name == "csv" else table
    after, lost = there_and_back(table, name)
    assert lost == []
    kept = [
        not np.isnan(values).all() or frame not in table.frames
        for frame, values in zip(table.known_frames, table.frame_values, strict=True)
    ]
    kept = np.array(kept, bool)
    before = dataclasses.replace(table, known_frames=table.known_frames[kept], frame_values=table.frame_values[kept])
    assert_equal(after, before)


@QUICK
@given(table=tables())
def test_json_lines_hold_scores_and_frames(table):
    table = without(table, "size", "visibility", "considered", *LABELS)
    table = dataclasses.replace(table, ids=table.ids + 1)
    every = np.union1d(table.known_frames, table.frames).astype(np.int64) if len(table.known_frames) else None
    every = np.arange(1, table.length + 1) if every is None else every
    values = np.full((len(every), 7), np.nan)
    values[np.isin(every, table.known_frames)] = table.frame_values
    table = dataclasses.replace(table, known_frames=every, frame_values=values)
    after, lost = there_and_back(table, "jsonl")
    assert lost == []
    assert_equal(after, table)


@QUICK
@given(table=tables())
def test_mot_text_holds_scores_or_flags_classes_and_visibility(table):
    table = without(table, "size", *FRAMES)
    results = without(table, "visibility", "considered", *LABELS)
    after, lost = there_and_back(results, "mot")
    assert lost == []
    assert_equal(after, results)
    truth = without(table, "scores", *LABELS)
    after, lost = there_and_back(truth, "mot")
    assert lost == []
    np.testing.assert_array_equal(after.visibility, truth.visibility)
    np.testing.assert_array_equal(after.considered, truth.considered)
    np.testing.assert_array_equal(after.boxes, truth.boxes)


@QUICK
@given(table=tables())
def test_cvat_mot_archives_hold_flags_labels_and_visibility(table):
    table = without(table, "size", "scores", *FRAMES)
    table = dataclasses.replace(table, visibility=np.nan_to_num(table.visibility, nan=1.0))
    after, lost = there_and_back(table, "cvat-mot")
    assert lost == []
    assert_equal(after, table)


@QUICK
@given(table=tables(), suffix=st.sampled_from([".xml", ".zip"]))
def test_cvat_xml_holds_all_but_the_values_of_frames(table, suffix):
    frames = np.arange(1, table.length + 1)
    table = dataclasses.replace(table, known_frames=frames, frame_values=np.full((len(frames), 7), np.nan))
    after, lost = there_and_back(table, "cvat-video", suffix)
    assert lost == []
    assert_equal(after, table)
    assert after.notes == ()


@QUICK
@given(table=tables())
def test_coco_holds_all_but_the_values_of_frames(table):
    frames = np.arange(1, table.length + 1)
    table = dataclasses.replace(table, known_frames=frames, frame_values=np.full((len(frames), 7), np.nan))
    after, lost = there_and_back(table, "coco")
    assert lost == []
    assert_equal(after, table)
    assert after.notes == ()


@QUICK
@given(table=tables(sides=st.floats(-1e6, 1e6)), name=st.sampled_from(sorted(FORMATS)))
def test_numbers_that_nobody_would_write_survive_to_a_billionth_of_a_pixel(table, name):
    table = dataclasses.replace(table, ids=table.ids + 1)
    after, lost = there_and_back(table, name)
    assert np.abs(after.boxes - table.boxes).max(initial=0) < 1e-9
    assert not any(loss.startswith("boxes") for loss in lost)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_nobody_at_all_is_a_table_too(name):
    table = TableBuilder(Path("empty")).build(name="walk", size=(64, 48))
    after, lost = there_and_back(table, name)
    assert len(after) == after.length == 0
    assert [loss for loss in lost if "size" not in loss] == []


def test_json_lines_of_a_conversion_have_the_shape_of_those_of_track():
    builder = TableBuilder(Path("x"))
    builder.add("", 2, 0, (1.0, 2.0, 3.5, 4.25), score=0.5)
    lines = file_contents(builder.build(name="x"), "jsonl", Path("x.jsonl")).decode().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"frame": 1, "time": None, "quality": None, "semantic_weight": None, "num_proposals": None, "tracks": []},
        {
            "frame": 2,
            "time": None,
            "quality": None,
            "semantic_weight": None,
            "num_proposals": None,
            "tracks": [{"id": 1, "box": [1.0, 2.0, 4.5, 6.25], "score": 0.5}],
        },
    ]


def a_full_table(**changes: object) -> TrackTable:
    """Everything is known of one box in the second of three frames."""
    builder = TableBuilder(Path("full"))
    builder.add("", 2, 1, (1.0, 2.0, 3.0, 4.0), score=0.5, label="car", considered=False, visibility=0.5)
    for frame in (1, 2, 3):
        builder.add_frame("", frame, (0.0, 0.5, 0.5, 0.5, 0.5, 0.5, 3.0))
    return dataclasses.replace(builder.build(name="walk", size=(64, 48)), **changes)


COLUMNS = {
    "score": ("score",),
    "label": ("labels",),
    "visibility, considered": ("visibility", "the mark"),
    "quality and its terms": ("time, quality",),
    "size": ("the picture",),
    "length": ("the length",),
}
"""Headings of the documentation's table, and how the losses begin that they promise."""
ROWS = {
    "MOT text, results": "mot", "MOT text, ground truth": "mot", "JSON Lines": "jsonl", "CSV": "csv",
    "Parquet": "parquet", 'CVAT "MOT 1.1"': "cvat-mot", '"CVAT for video 1.1"': "cvat-video", "COCO for video": "coco",
}  # fmt: skip


def documented() -> dict[str, list[str]]:
    text = (Path(__file__).parents[3] / "docs" / "convert.md").read_text(encoding="utf-8")
    lines = text[text.index("| | score |") :].partition("\n\n")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0] == ["", *COLUMNS]
    return {row[0]: row[1:] for row in cells[2:]}


@pytest.mark.parametrize("row", ROWS)
def test_the_documentation_says_what_each_format_holds(row):
    told = documented()
    assert list(told) == list(ROWS)
    unscored = {"scores": np.full(1, np.nan)} if row == "MOT text, ground truth" else {}
    _, lost = there_and_back(a_full_table(**unscored), ROWS[row])
    for cell, (heading, beginnings) in zip(told[row], COLUMNS.items(), strict=True):
        if heading == "score" and unscored:  # such a text is written only where there is none
            assert cell == "no"
            continue
        found = [loss for loss in lost if loss.startswith(beginnings)]
        assert bool(found) == (cell == "no"), (row, heading, lost)
