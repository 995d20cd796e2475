from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from vsdmot.errors import OutputError
from vsdmot.io.outputs import check_output, default_output
from vsdmot.io.sources import SourceInfo, open_source


def info(name: str, location: str, live: bool = False) -> SourceInfo:
    return SourceInfo(name=name, width=8, height=8, frame_rate=25.0, num_frames=None, live=live, location=location)


def test_new_file_in_a_new_folder_is_fine(tmp_path):
    check_output(tmp_path / "a" / "b" / "out.mp4", overwrite=False)
    assert os.listdir(tmp_path / "a" / "b") == []


def test_file_that_exists_needs_overwrite(tmp_path):
    path = tmp_path / "out.mp4"
    path.write_text("hours of work")
    with pytest.raises(OutputError, match="exists; add --overwrite to replace it"):
        check_output(path, overwrite=False)
    check_output(path, overwrite=True)
    assert path.read_text() == "hours of work"  # checking does not touch it


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("folder", "this is a folder"),
        ("file/out.mp4", "is a file, not a folder"),
        ("file/deeper/out.mp4", "is a file, not a folder"),
        ("x" * 300, "File name too long"),
    ],
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_impossible_output_is_an_error_of_one_line(tmp_path, name, message, overwrite):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=message) as caught:
        check_output(tmp_path / name, overwrite)
    assert "\n" not in str(caught.value)


def test_output_without_permission(tmp_path, as_ordinary_user):
    (tmp_path / "locked").mkdir()
    (tmp_path / "locked" / "old.mp4").write_text("")
    (tmp_path / "locked").chmod(0o555)
    try:
        with as_ordinary_user(tmp_path):
            for name in ("locked/new.mp4", "locked/deeper/new.mp4", "locked/old.mp4"):
                with pytest.raises(OutputError, match=r"may not be written|Permission denied"):
                    check_output(tmp_path / name, overwrite=True)
    finally:
        (tmp_path / "locked").chmod(0o755)


@pytest.mark.parametrize("spelling", ["clip.mp4", "../{folder}/clip.mp4", "link.mp4"])
def test_source_is_never_replaced(tmp_path, spelling):
    (tmp_path / "clip.mp4").write_text("the only copy")
    (tmp_path / "link.mp4").symlink_to(tmp_path / "clip.mp4")
    output = tmp_path / spelling.format(folder=tmp_path.name)
    with pytest.raises(OutputError, match="the source itself"):
        check_output(output, overwrite=True, source=tmp_path / "clip.mp4")
    check_output(tmp_path / "other.mp4", overwrite=True, source="rtsp://host/live")


def test_outputs_lie_beside_files_and_folders(tmp_path):
    PillowImage.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "1.png")
    for location, expected in {
        tmp_path: f"{tmp_path.parent}/{tmp_path.name}.tracked.mp4",
        tmp_path / "1.png": f"{tmp_path}/1.tracked.mp4",
        tmp_path / "*.png": f"{tmp_path.name}.tracked.mp4",
    }.items():
        assert default_output(open_source(location).info, ".tracked.mp4") == Path(expected)


def test_current_folder_has_a_name_too(tmp_path, monkeypatch):
    (tmp_path / "seq").mkdir()
    monkeypatch.chdir(tmp_path / "seq")
    assert default_output(info("seq", "."), ".mot.txt") == tmp_path / "seq.mot.txt"


def test_name_of_a_video_keeps_its_inner_dots_and_spaces(tmp_path):
    video = tmp_path / "Platz 3. Oktober.avi"
    video.write_text("")
    assert default_output(info(video.stem, str(video)), ".jsonl") == tmp_path / "Platz 3. Oktober.jsonl"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("camera0", "camera0.jsonl"),
        ("10.0.0.5_554_live", "10.0.0.5_554_live.jsonl"),
        ("../../etc/passwd", "etc_passwd.jsonl"),
        ('a:b?c*"d', "a_b_c_d.jsonl"),
        ("...", "output.jsonl"),
    ],
)
def test_live_sources_write_here_under_a_safe_name(name, expected):
    assert default_output(info(name, "rtsp://host/live", live=True), ".jsonl") == Path(expected)
