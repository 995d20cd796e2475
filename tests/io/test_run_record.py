"""Records of runs: written whole, with hashes, and read with suspicion."""

from __future__ import annotations

import hashlib

import pytest

from vsdmot.errors import FormatError, OutputError, SourceError
from vsdmot.io.run_record import read_record, record_beside, write_record


def test_what_was_written_is_read_with_the_hashes_of_the_files(tmp_path):
    tracks = tmp_path / "clip.jsonl"
    tracks.write_bytes(b'{"frame": 1}\n')
    write_record(record_beside(tracks), {"settings": {"source": "Straße.mp4"}}, [tracks])
    record = read_record(tmp_path / "clip.run.json")
    assert record["settings"] == {"source": "Straße.mp4"}
    assert record["files"] == {"clip.jsonl": hashlib.sha256(b'{"frame": 1}\n').hexdigest()}


def test_a_file_that_is_gone_and_a_place_that_cannot_be_written_are_told(tmp_path):
    with pytest.raises(SourceError, match=r"gone\.jsonl: not readable: No such file"):
        write_record(tmp_path / "a.run.json", {}, [tmp_path / "gone.jsonl"])
    assert not (tmp_path / "a.run.json").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_record(tmp_path / "file" / "a.run.json", {}, [])


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "7", '{"files": {}}', '{"format": "vsdmot-run/2", "files": {}}', '{"format": "vsdmot-run/1"}',
     "[" * 100_000],
    ids=["empty", "cut", "list", "number", "no format", "newer", "no files", "deep"],
)  # fmt: skip
def test_what_is_no_record_is_refused_in_one_line(tmp_path, text):
    path = tmp_path / "a.run.json"
    path.write_text(text)
    with pytest.raises(FormatError, match=r"a\.run\.json: expected the record of a run") as caught:
        read_record(path)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "a.run.json"
    path.write_text('{"format": "vsdmot-run/1", "files": {}, "pad": "' + "x" * 10_000_000 + '"}')
    with pytest.raises(FormatError, match="too large"):
        read_record(path)
