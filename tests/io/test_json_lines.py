from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from vsdmot.errors import FormatError, OutputError
from vsdmot.io.json_lines import JsonLinesWriter, read_json_lines
from vsdmot.structures import FrameQuality, FrameResult, Tracks


def result(index: int, num_tracks: int = 0, weight: float | None = 0.75) -> FrameResult:
    draw = np.random.default_rng(index)
    return FrameResult(
        index=index,
        time=(index - 1) / 29.97,
        tracks=Tracks(
            ids=np.arange(1, num_tracks + 1, dtype=np.int64),
            boxes=draw.uniform(-50, 4000, (num_tracks, 4)).astype(np.float32),
            scores=draw.uniform(0, 1, num_tracks).astype(np.float32),
        ),
        quality=FrameQuality(*draw.uniform(0, 1, 4)),
        semantic_weight=weight,
        num_proposals=num_tracks + 3,
    )


RESULTS = [result(1), result(2, 3), result(5, 1, weight=None)]


def write(path, results=RESULTS):
    with JsonLinesWriter(path) as writer:
        for item in results:
            writer.write(item)
    return path


def test_what_is_written_is_read_back(tmp_path):
    for wrote, read in zip(RESULTS, read_json_lines(write(tmp_path / "r.jsonl")), strict=True):
        assert (read.index, read.num_proposals) == (wrote.index, wrote.num_proposals)
        assert read.time == pytest.approx(wrote.time, abs=1e-6)
        assert read.tracks.ids.tolist() == wrote.tracks.ids.tolist()
        np.testing.assert_allclose(read.tracks.boxes, wrote.tracks.boxes, atol=0.00501)
        np.testing.assert_allclose(read.tracks.scores, wrote.tracks.scores, atol=0.00005001)
        for name in ("clarity", "noise", "contrast", "score"):
            assert getattr(read.quality, name) == pytest.approx(getattr(wrote.quality, name), abs=0.000051)
        assert read.semantic_weight == wrote.semantic_weight


def test_lines_are_all_alike_and_short(tmp_path):
    lines = write(tmp_path / "r.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert [set(record) for record in records] == [
        {"frame", "time", "quality", "semantic_weight", "num_proposals", "tracks"}
    ] * 3
    assert records[2]["semantic_weight"] is None
    assert set(records[1]["tracks"][0]) == {"id", "box", "score"}
    assert len(lines[2]) < 230
    assert '"box":[' in lines[1]


def test_every_line_is_on_disk_at_once(tmp_path):
    with JsonLinesWriter(tmp_path / "r.jsonl") as writer:
        for number, item in enumerate(RESULTS, start=1):
            writer.write(item)
            assert len(list(read_json_lines(tmp_path / "r.jsonl"))) == number


def test_file_cut_anywhere_gives_its_whole_lines(tmp_path):
    path = write(tmp_path / "r.jsonl")
    contents = path.read_bytes()
    ends = [place for place, byte in enumerate(contents) if byte == ord("\n")]
    for length in range(ends[0] + 1, len(contents) + 1):
        path.write_bytes(contents[:length])
        # a line is whole as soon as its last brace is there, with or without the line end
        assert len(list(read_json_lines(path))) == sum(end <= length for end in ends), length


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda line: line[: len(line) // 2], "expected a JSON object"),
        (lambda _: "[1, 2]", r"expected a JSON object, got \[1, 2\]"),
        (lambda _: "", "expected a JSON object, got ''"),
        (lambda line: line.replace('"frame":2', '"frame":0'), "expected a frame from 1 on"),
        (lambda line: line.replace('"frame":2,', ""), "the field 'frame' is missing"),
        (lambda line: line.replace('"num_proposals":6', '"num_proposals":null'), "wrong type"),
        (lambda line: line.replace('"id":1', '"id":2'), "holds an id twice"),
        (lambda line: line.replace('"box":[', '"box":[1.0,'), "inhomogeneous|boxes must be"),
        (lambda line: line.replace('"quality":{"score":', '"quality":{"score":9'), r"must lie in \[0, 1\]"),
    ],
)
def test_bad_line_is_named_with_file_and_number(tmp_path, change, message):
    path = write(tmp_path / "r.jsonl")
    lines = path.read_text().splitlines()
    lines[1] = change(lines[1])
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(FormatError, match=rf"r\.jsonl:2: .*({message})") as caught:
        list(read_json_lines(path))
    assert "\n" not in str(caught.value)


def test_whole_last_line_that_is_wrong_is_not_taken_for_a_cut_one(tmp_path):
    path = write(tmp_path / "r.jsonl")
    path.write_text(path.read_text() + '{"frame":6}')
    with pytest.raises(FormatError, match=r":4: the field '\w+' is missing"):
        list(read_json_lines(path))


@pytest.mark.parametrize("contents", [b"", None])
def test_empty_file_has_no_results_and_missing_file_is_an_error(tmp_path, contents):
    if contents is None:
        with pytest.raises(FormatError, match="not readable: No such file"):
            list(read_json_lines(tmp_path / "missing.jsonl"))
    else:
        (tmp_path / "empty.jsonl").write_bytes(contents)
        assert list(read_json_lines(tmp_path / "empty.jsonl")) == []


def test_file_that_cannot_be_created(tmp_path):
    with pytest.raises(OutputError, match="cannot be created: No such file"):
        JsonLinesWriter(tmp_path / "missing" / "r.jsonl")


FULL = """
import resource, sys
from pathlib import Path
from vsdmot.errors import OutputError
from vsdmot.io.json_lines import JsonLinesWriter
from vsdmot.structures import FrameQuality, FrameResult, Tracks
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
quality = FrameQuality(clarity=0.5, noise=0.5, contrast=0.5, score=0.5)
try:
    with JsonLinesWriter(Path(sys.argv[1])) as writer:
        for index in range(1, 100):
            writer.write(FrameResult(index, 0.0, Tracks.empty(), quality, None, 0))
except OutputError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX resource limits")
def test_full_disk_is_an_error_of_one_line_and_whole_lines_stay(tmp_path):
    path = tmp_path / "r.jsonl"
    child = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, timeout=60)
    assert child.stderr == ""
    assert child.stdout.startswith(f"{path}: cannot be")
    assert child.stdout.count("\n") == 1
    assert 5 <= len(list(read_json_lines(path))) < 10


def test_a_frame_whose_quality_is_not_known_is_refused_and_says_so(tmp_path):
    path = tmp_path / "converted.jsonl"
    path.write_text('{"frame":1,"time":null,"quality":null,"semantic_weight":null,"num_proposals":null,"tracks":[]}\n')
    with pytest.raises(FormatError, match=r"converted.jsonl:1: expected the quality of the frame"):
        list(read_json_lines(path))
