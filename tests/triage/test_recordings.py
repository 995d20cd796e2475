"""Which recordings a source names."""

from __future__ import annotations

import pytest

from vsdmot.errors import SourceError
from vsdmot.triage.recordings import find_recordings


@pytest.fixture
def cameras(tmp_path, draw_sequence):
    for name in ("north/2.mp4", "north/10.mp4", "south/day.MKV", "south/notes.doc", "south/.hidden.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    draw_sequence(tmp_path / "east")
    return tmp_path


def names(source, root):
    return [path.removeprefix(f"{root}/") for path in find_recordings(str(source))]


def test_a_folder_gives_all_below_it_in_the_order_people_expect(cameras):
    assert names(cameras, cameras) == ["east", "north/2.mp4", "north/10.mp4", "south/day.MKV"]


def test_a_sequence_and_a_folder_of_images_are_single_recordings(cameras):
    assert names(cameras / "east", cameras) == ["east"]
    assert names(cameras / "east" / "img1", cameras) == ["east/img1"]


def test_a_pattern_gives_the_videos_that_it_matches_and_leaves_images_to_the_reader(cameras):
    assert names(cameras / "north" / "*.mp4", cameras) == ["north/2.mp4", "north/10.mp4"]
    pattern = cameras / "east" / "img1" / "*.jpg"
    assert find_recordings(str(pattern)) == [str(pattern)]


def test_a_list_names_files_relative_to_itself_and_addresses_as_they_are(cameras):
    (cameras / "list.txt").write_text("# by shift\n\nnorth/2.mp4\n  east \nrtsp://10.0.0.5/1\n")
    assert names(cameras / "list.txt", cameras) == ["north/2.mp4", "east", "rtsp://10.0.0.5/1"]


@pytest.mark.parametrize("source", ["0", "rtsp://10.0.0.5/stream", "nowhere.mp4"])
def test_all_else_is_left_to_the_reader(source):
    assert find_recordings(source) == [source]


@pytest.mark.parametrize(
    ("text", "told"),
    [("north/3.mp4\n", "list.txt:1: north/3.mp4: no such file"), ("\n# none\n", "found none")],
)
def test_lists_that_name_nothing_are_refused(cameras, text, told):
    (cameras / "list.txt").write_text(text)
    with pytest.raises(SourceError, match=told):
        find_recordings(str(cameras / "list.txt"))


def test_lists_that_are_no_text_and_folders_without_footage_are_refused(tmp_path):
    (tmp_path / "list.txt").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(SourceError, match="a line each"):
        find_recordings(str(tmp_path / "list.txt"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="found none in this folder or below"):
        find_recordings(str(tmp_path / "empty"))
