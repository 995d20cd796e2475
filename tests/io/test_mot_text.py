"""MOTChallenge text: what is read, what is refused and how, and what a killed or failed run leaves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vsdmot.errors import FormatError, OutputError
from vsdmot.io.mot_text import MotTextWriter, read_mot, read_table
from vsdmot.structures import FrameQuality, FrameResult, Tracks

ROWS = "1,3,10,20,30.5,40,0.9,-1,-1,-1\n2,3,11,21,30.5,40,0.8,-1,-1,-1\n"


def write(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "rows.txt"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def result(index: int, *tracks: tuple[int, tuple[float, ...], float]) -> FrameResult:
    return FrameResult(
        index=index,
        time=0.0,
        tracks=Tracks(
            ids=np.array([t[0] for t in tracks], np.int64),
            boxes=np.array([t[1] for t in tracks], np.float32).reshape(-1, 4),
            scores=np.array([t[2] for t in tracks], np.float32),
        ),
        quality=FrameQuality(clarity=1, noise=0, contrast=1, score=1),
        semantic_weight=None,
        num_proposals=0,
    )


@pytest.mark.parametrize(
    "content",
    [
        ROWS,
        ROWS.rstrip(),
        ROWS.replace("\n", "\r\n"),
        ROWS.replace("\n", "\r"),
        ROWS.replace(",", ", "),
        ROWS.replace(",", " "),
        ROWS.replace(",", "   "),
        ROWS.replace(",", "\t"),
        ROWS.replace(",", ";"),
        ROWS.replace("\n", ",\n"),
        ROWS.replace("\n", " \n"),
        ROWS + "\n \n\n",
        "\ufeff" + ROWS,
        ROWS.replace("2,3", "2.0,3e0").replace("40", "4.0e+1").replace("0.9", ".9"),
    ],
    ids=[
        "plain", "no final newline", "CRLF", "CR", "comma space", "space", "spaces", "tab", "semicolon",
        "trailing comma", "trailing space", "blank lines at the end", "byte order mark", "scientific",
    ],
)  # fmt: skip
def test_the_same_rows_in_many_spellings(tmp_path: Path, content: str):
    rows = read_mot(write(tmp_path, content))
    assert rows.frames.tolist() == [1, 2]
    assert rows.ids.tolist() == [3, 3]
    assert rows.boxes.tolist() == [[10, 20, 30.5, 40], [11, 21, 30.5, 40]]
    assert rows.scores.tolist() == [0.9, 0.8]
    assert rows.rest.tolist() == [[-1, -1, -1]] * 2
    assert rows.line_numbers.tolist() == [1, 2]


@pytest.mark.parametrize("content", ["", "\n", "\r\n \n", "\ufeff"])
def test_an_empty_file_is_legal(tmp_path: Path, content: str):
    rows = read_mot(write(tmp_path, content))
    assert len(rows) == 0
    assert rows.boxes.shape == (0, 4)
    assert rows.rest.shape == (0, 0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1,2,3,4,5,6\n3,1,88.5,40\n", r":2: expected at least 6 values \(frame, id, .*\), got 4: '3,1,88.5,40'"),
        ("frame,id,x,y,w,h\n1,2,3,4,5,6\n", ":1: expected numbers, got 'frame'"),
        ("# made by\n1,2,3,4,5,6\n", ":1: expected numbers, got '#'"),
        ("1,2,3,4,5,6\n1,2,,4,5,6\n", ":2: expected numbers, got ''"),
        ("1,2,3,4,5,1_0\n", ":1: expected numbers, got '1_0'"),
        ("1,2,3,4,5,6\n1;2;3;4;5;6\n", ":2: expected numbers, got '1;2;3;4;5;6'"),
        ("1,2,3,4,5,6\n\n1,2,3,4,5,6\n", ":2: expected numbers, got a blank line"),
        ("1,2,3,4,5,6\n1,2,nan,4,5,6\n", ":2: expected a box of finite numbers, got nan, 4, 5, 6"),
        ("1,2,3,4,5,inf\n", ":1: expected a box of finite numbers, got 3, 4, 5, inf"),
        ("0,2,3,4,5,6\n", ":1: expected a frame number, whole and at least 1, got 0"),
        ("1,2,3,4,5,6\n-3,2,3,4,5,6\n", ":2: expected a frame number, whole and at least 1, got -3"),
        ("1.5,2,3,4,5,6\n", ":1: expected a frame number, whole and at least 1, got 1.5"),
        ("nan,2,3,4,5,6\n", ":1: expected a frame number, whole and at least 1, got nan"),
        ("inf,2,3,4,5,6\n", ":1: expected a frame number, whole and at least 1, got inf"),
        ("1,2.5,3,4,5,6\n", ":1: expected an id that is a whole number, got 2.5"),
        ("1,1e300,3,4,5,6\n", r":1: expected an id that is a whole number, got 1e\+300"),
        (b"\xff\xfe1\x00", ": expected UTF-8 text, got byte 0xff at 0"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_with_its_line(tmp_path: Path, content: str | bytes, message: str):
    with pytest.raises(FormatError, match=r"rows\.txt" + message) as caught:
        read_mot(write(tmp_path, content))
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path):
    with pytest.raises(FormatError, match=r"none\.txt: cannot read: no such file"):
        read_mot(tmp_path / "none.txt")
    with pytest.raises(FormatError, match="is a directory"):
        read_mot(tmp_path)


def test_columns_may_differ_from_line_to_line(tmp_path: Path):
    rows = read_mot(write(tmp_path, "1,2,3,4,5,6\n1,3,3,4,5,6,0.5\n1,4,3,4,5,6,0.5,1,0.25\n"))
    assert rows.num_columns.tolist() == [6, 7, 9]
    np.testing.assert_array_equal(rows.scores, [np.nan, 0.5, 0.5])
    np.testing.assert_array_equal(rows.rest, [[np.nan, np.nan], [np.nan, np.nan], [1, 0.25]])


def test_a_use_can_ask_for_more_columns(tmp_path: Path):
    path = write(tmp_path, ROWS + "3,1,1,1,1,1\n")
    with pytest.raises(FormatError, match=r":3: expected at least 7 values .*score\), got 6"):
        read_mot(path, min_columns=7)
    with pytest.raises(ValueError, match="at least 6"):
        read_mot(path, min_columns=5)


def test_the_table_leaves_the_rules_to_others(tmp_path: Path):
    table = read_table(write(tmp_path, "0,11.7,nan,4,inf,6,0.5\n1,2\n"))
    np.testing.assert_array_equal(table.values[0], [0, 11.7, np.nan, 4, np.inf, 6, 0.5])
    assert table.num_columns.tolist() == [7, 2]


def test_numbers_keep_their_last_digit(tmp_path: Path):
    exact = np.random.default_rng(0).random((50, 4)) * 1000
    lines = [f"1,{i},{','.join(map(repr, box.tolist()))},1\n" for i, box in enumerate(exact)]
    np.testing.assert_array_equal(read_mot(write(tmp_path, "".join(lines))).boxes, exact)


def test_odd_inputs_of_the_official_evaluation(shared_golden: Path):
    """Of the inputs that the official code accepts, only ids with a fraction and infinite boxes are refused."""
    refused = set()
    for path in sorted((shared_golden / "metrics" / "nasty").glob("*/*.txt")):
        try:
            read_mot(path)
        except FormatError:
            refused.add(path.parent.name)
    assert refused == {
        "comment_line", "header_line", "tracker_5_columns", "tracker_blank_line_inside", "tracker_fractional_ids",
        "tracker_fractional_ids_collide", "tracker_frame_zero", "tracker_inf_box", "tracker_nan_box",
        "tracker_text_token",
    }  # fmt: skip


def test_what_is_written_is_read_back(tmp_path: Path):
    path = tmp_path / "tracks.txt"
    with MotTextWriter(path) as writer:
        writer.write(result(1, (4, (-3.5, 2, 10.25, 20), 0.75), (2, (100, 200, 150.333, 300), 1.0)))
        writer.write(result(2))
        writer.write(result(5, (4, (0, 0, 10, 20), 0.12345)))
    assert path.read_text().splitlines() == [
        "1,4,-3.50,2.00,13.75,18.00,0.7500,-1,-1,-1",
        "1,2,100.00,200.00,50.33,100.00,1.0000,-1,-1,-1",
        "5,4,0.00,0.00,10.00,20.00,0.1235,-1,-1,-1",
    ]
    assert read_mot(path).ids.tolist() == [4, 2, 4]


def test_nobody_seen_leaves_an_empty_file(tmp_path: Path):
    path = tmp_path / "tracks.txt"
    with MotTextWriter(path) as writer:
        writer.write(result(1))
    assert path.read_bytes() == b""
    assert len(read_mot(path)) == 0


def test_every_frame_is_on_disk_before_the_next(tmp_path: Path):
    path = tmp_path / "tracks.txt"
    writer = MotTextWriter(path)
    for index in range(1, 4):
        writer.write(result(index, (1, (0, 0, 10, 20), 0.5)))
        assert len(read_mot(path)) == index
    writer.close()
    writer.close()


def test_a_target_that_cannot_be_written_is_named(tmp_path: Path):
    with pytest.raises(OutputError, match=r"tracks\.txt: cannot write tracks: no such file or directory"):
        MotTextWriter(tmp_path / "missing" / "tracks.txt")
    with pytest.raises(OutputError, match="is a directory"):
        MotTextWriter(tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is always full")
def test_a_full_disk_is_an_error_of_ours():
    with MotTextWriter(Path("/dev/full")) as writer, pytest.raises(OutputError, match="the disk is full"):
        writer.write(result(1, (1, (0, 0, 10, 20), 0.5)))


def test_a_write_that_stops_half_way_takes_its_half_line_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "tracks.txt"

    class FillsUp:
        """A file on a disk with room for 5 more bytes."""

        def __init__(self, file):
            self.file, self.room = file, 5

        def __getattr__(self, name):
            return getattr(self.file, name)

        def write(self, block: bytes) -> int:
            if not self.room:
                raise OSError(28, "No space left on device")
            taken, self.room = block[: self.room], 0
            return self.file.write(taken)

    with MotTextWriter(path) as writer:
        writer.write(result(1, (1, (0, 0, 10, 20), 0.5)))
        whole = path.read_bytes()
        monkeypatch.setattr(writer, "_file", FillsUp(writer._file))
        with pytest.raises(OutputError, match="the disk is full"):
            writer.write(result(2, (1, (0, 0, 10, 20), 0.5)))
    assert path.read_bytes() == whole
