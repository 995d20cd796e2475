from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image as PillowImage

from vsdmot.errors import SourceError
from vsdmot.io.images import ImageFiles
from vsdmot.io.sources import hide_password, open_source
from vsdmot.io.video import VideoFile


def save(path):
    PillowImage.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path)
    return path


def test_kind_is_decided_by_what_is_there(tmp_path, encode, grey_frames, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "one.png")
    save(tmp_path / "two.png")
    save(tmp_path / "wei*rd.png")
    encode(tmp_path / "clip.mp4", grey_frames(3)).rename(tmp_path / "7")  # digits that are a file
    expected = {".": (ImageFiles, 3), "one.png": (ImageFiles, 1), "[ot]*.png": (ImageFiles, 2), "7": (VideoFile, 3)}
    expected |= {"wei*rd.png": (ImageFiles, 1), "t?o.png": (ImageFiles, 1)}
    for name, (kind, count) in expected.items():
        with open_source(name) as source:
            assert isinstance(source, kind), name
            assert len(list(source)) == count, name
            assert source.info.location == name


def test_image_folders_are_read_where_no_video_package_is_installed(tmp_path):
    save(tmp_path / "1.png")
    program = (
        "import sys; sys.modules.update(dict.fromkeys(['av', 'cv2', 'supervision']));"
        "from vsdmot.io.sources import open_source; print(len(list(open_source(sys.argv[1]))))"
    )
    child = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert (child.stdout, child.stderr) == ("1\n", "")


def test_path_objects_and_suffixes_in_capitals(tmp_path):
    save(tmp_path / "small.png").rename(tmp_path / "BIG.PNG")
    assert isinstance(open_source(tmp_path / "BIG.PNG"), ImageFiles)


def test_file_address_is_a_file(tmp_path, encode, grey_frames):
    path = encode(tmp_path / "two words.mp4", grey_frames(3))
    with open_source(path.as_uri()) as source:
        assert (source.info.live, source.info.location, len(list(source))) == (False, str(path), 3)


def test_empty_source_is_not_the_current_folder():
    with pytest.raises(SourceError, match="got nothing"):
        open_source("")


def test_pattern_over_folders_is_in_natural_order(tmp_path):
    for name in ("b/2.png", "b/10.png", "a/5.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        save(tmp_path / name)
    source = open_source(f"{tmp_path}/**/*.png")
    assert [frame.path.relative_to(tmp_path).as_posix() for frame in source] == ["a/5.png", "b/2.png", "b/10.png"]


def test_rate_of_images_is_given_or_25(tmp_path):
    save(tmp_path / "1.png")
    assert open_source(tmp_path).info.frame_rate == 25.0
    assert open_source(tmp_path, frame_rate=12.5).info.frame_rate == 12.5


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, math.inf])
def test_impossible_rate_is_refused(tmp_path, rate):
    with pytest.raises(SourceError, match="frame rate must be greater than 0"):
        open_source(tmp_path, frame_rate=rate)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.mp4", "no such file, folder or pattern"),
        ("*.jpg", "it matches nothing"),
        ("*.txt", "it matches 1 files, none of them an image"),
        ("notes.txt", "found a text file"),
        ("notes.txt/clip.mp4", "no such file"),
        ("a" * 300 + ".mp4", "not readable: File name too long"),
    ],
)
def test_what_cannot_be_opened_is_an_error_of_one_line(tmp_path, name, message):
    (tmp_path / "notes.txt").write_text("words\n" * 100)
    with pytest.raises(SourceError) as caught:
        open_source(tmp_path / name)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_file_and_folder_without_permission(tmp_path, encode, grey_frames, as_ordinary_user):
    encode(tmp_path / "secret.mp4", grey_frames(3)).chmod(0)
    save(tmp_path / "secret.png").chmod(0)
    (tmp_path / "locked").mkdir(mode=0)
    try:
        with as_ordinary_user(tmp_path):
            for name in ("secret.mp4", "secret.png", "locked", "locked/clip.mp4"):
                with pytest.raises(SourceError, match=r"(?i)permission denied"):
                    open_source(tmp_path / name)
    finally:
        (tmp_path / "locked").chmod(0o700)  # pytest wants to remove it


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://admin:s3cret@10.0.0.5:554/live", "rtsp://admin:***@10.0.0.5:554/live"),
        ("rtsp://admin:p@ss@10.0.0.5/live", "rtsp://admin:***@10.0.0.5/live"),
        ("http://example.org:80/x@y.mp4", "http://example.org:80/x@y.mp4"),
        ("http://example.org/a:b@c.mp4", "http://example.org/a:b@c.mp4"),
        ("rtsp://admin@host/live", "rtsp://admin@host/live"),
    ],
)
def test_password_is_hidden(url, shown):
    assert hide_password(url) == shown
