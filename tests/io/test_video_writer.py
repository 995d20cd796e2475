from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from vsdmot.errors import OutputError
from vsdmot.io import video_writer
from vsdmot.io.video import VideoFile
from vsdmot.io.video_writer import VideoWriter

NOISE = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)


def atoms(path: Path) -> list[str]:
    """Names of the outermost atoms of an mp4."""
    contents, place, names = path.read_bytes(), 0, []
    while place + 8 <= len(contents):
        size = int.from_bytes(contents[place : place + 4], "big")
        names.append(contents[place + 4 : place + 8].decode("latin-1"))
        place += size if size >= 8 else len(contents)
    return names


def write(path: Path, images, **settings) -> Path:
    height, width = images[0].shape[:2]
    with VideoWriter(path, width=width, height=height, **{"frame_rate": 25.0, **settings}) as writer:
        for image in images:
            writer.write(image)
    return path


def test_frames_come_back_in_number_size_time_and_order(tmp_path, grey_frames, number_of):
    path = write(tmp_path / "out.mp4", grey_frames(60), frame_rate=12.5)
    with VideoFile(path) as source:
        frames = list(source)
    assert [number_of(frame.image) for frame in frames] == list(range(1, 61))
    assert [frame.time for frame in frames] == pytest.approx([number / 12.5 for number in range(60)], abs=1e-4)
    assert (source.info.frame_rate, source.info.num_frames, source.report.notes) == (12.5, 60, [])
    assert (source.info.width, source.info.height) == (64, 48)


def test_stream_is_what_browsers_play(tmp_path, grey_frames):
    path = write(tmp_path / "out.mp4", grey_frames(5))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (1, 1, 1, 1)
        assert stream.start_time == 0
    names = atoms(path)
    assert names.index("moov") < names.index("mdat")
    assert "moof" not in names
    assert os.listdir(tmp_path) == ["out.mp4"]


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (30, 200, 90)])
def test_colours_are_right(tmp_path, colour):
    path = write(tmp_path / "out.mp4", [np.full((48, 64, 3), colour, np.uint8)] * 3, crf=10)
    with VideoFile(path) as source:
        assert np.abs(next(iter(source)).image.astype(int) - colour).max() <= 5


@pytest.mark.parametrize(("height", "width"), [(1, 1), (241, 321), (240, 321), (241, 320)])
def test_odd_sides_are_padded_with_their_edge(tmp_path, height, width):
    image = np.full((height, width, 3), 60, np.uint8)
    image[-1], image[:, -1] = 220, 220
    path = write(tmp_path / "out.mp4", [image] * 2, crf=10)
    with VideoFile(path) as source:
        result = next(iter(source)).image
    assert result.shape == (height + height % 2, width + width % 2, 3)
    expected = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    assert np.abs(result.astype(int) - expected).max() < 40


def test_irregular_times_are_kept(tmp_path, grey_frames):
    times = 7.5 + np.cumsum(np.random.default_rng(0).uniform(0.005, 0.3, 60))
    with VideoWriter(tmp_path / "out.mp4", width=64, height=48, frame_rate=10.0) as writer:
        for image, moment in zip(grey_frames(60), times, strict=True):
            writer.write(image, moment)
    with VideoFile(tmp_path / "out.mp4") as source:
        assert [frame.time for frame in source] == pytest.approx(times - times[0], abs=1e-4)


def test_times_that_do_not_rise_do_not_lose_frames(tmp_path, grey_frames):
    with VideoWriter(tmp_path / "out.mp4", width=64, height=48, frame_rate=10.0) as writer:
        for image, moment in zip(grey_frames(5), [1.0, 1.5, 1.5, 1.2, 2.0], strict=True):
            writer.write(image, moment)
    with VideoFile(tmp_path / "out.mp4") as source:
        assert [frame.time for frame in source] == pytest.approx([0, 0.5, 0.5, 0.5, 1.0], abs=1e-3)


def test_quality_and_effort_change_the_size(tmp_path):
    images = [np.roll(NOISE, 7 * number, 1) for number in range(10)]
    small = write(tmp_path / "small.mp4", images, crf=40).stat().st_size
    large = write(tmp_path / "large.mp4", images, crf=15).stat().st_size
    fast = write(tmp_path / "fast.mp4", images, crf=40, preset="ultrafast").stat().st_size
    assert large > 2 * small
    assert fast != small


def test_interrupt_in_the_middle_finishes_the_file(tmp_path, grey_frames):
    def interrupted() -> None:
        with VideoWriter(tmp_path / "out.mp4", width=64, height=48, frame_rate=25.0) as writer:
            for number, image in enumerate(grey_frames(60)):
                if number == 33:
                    raise KeyboardInterrupt
                writer.write(image)

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with VideoFile(tmp_path / "out.mp4") as source:
        assert len(list(source)) == 33
    assert "moof" not in atoms(tmp_path / "out.mp4")


def test_file_without_frames_is_removed(tmp_path):
    with VideoWriter(tmp_path / "out.mp4", width=64, height=48, frame_rate=25.0) as writer:
        assert (tmp_path / "out.mp4").exists()
    writer.close()
    assert os.listdir(tmp_path) == []


def test_fragmented_file_stays_if_there_is_no_room_to_rewrite_it(tmp_path, grey_frames, monkeypatch):
    monkeypatch.setattr(video_writer.shutil, "disk_usage", lambda _: Full())
    path = write(tmp_path / "out.mp4", grey_frames(60), frame_rate=10.0)
    names = atoms(path)
    assert names.index("moov") < names.index("moof")
    assert names.count("moof") >= 5
    with VideoFile(path) as source:
        assert len(list(source)) == 60
    assert os.listdir(tmp_path) == ["out.mp4"]


class Full:
    free = 0


KILLED = """
import sys
from pathlib import Path
import numpy as np
from vsdmot.io.video_writer import VideoWriter
noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
with VideoWriter(Path(sys.argv[1]), width=160, height=120, frame_rate=10.0) as writer:
    for number in range(300):
        writer.write(np.roll(noise, number, 1))
    print("written", flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_kill_leaves_most_frames_playable(tmp_path):
    path = tmp_path / "out.mp4"
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "written\n"
    child.kill()
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    with VideoFile(path) as source:
        assert len(list(source)) >= 240


LIMITED = """
import resource, sys
from pathlib import Path
import numpy as np
from vsdmot.errors import OutputError
from vsdmot.io.video_writer import VideoWriter
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
try:
    with VideoWriter(Path(sys.argv[1]), width=160, height=120, frame_rate=10.0) as writer:
        for number in range(300):
            writer.write(np.roll(noise, number, 1))
except OutputError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX resource limits")
def test_full_disk_is_an_error_of_one_line_and_what_was_written_plays(tmp_path):
    path = tmp_path / "out.mp4"
    child = subprocess.run([sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, timeout=60)
    assert child.stderr == ""
    assert child.stdout.startswith(f"{path}: cannot be written after ")
    assert child.stdout.count("\n") == 1
    with VideoFile(path) as source:
        assert len(list(source)) >= 20


@pytest.mark.parametrize("name", ["missing/out.mp4", "."])
def test_file_that_cannot_be_created(tmp_path, name):
    with pytest.raises(OutputError, match="cannot be created"):
        VideoWriter(tmp_path / name, width=64, height=48, frame_rate=25.0)


@pytest.mark.parametrize(
    "image", [np.zeros((48, 63, 3), np.uint8), np.zeros((48, 64), np.uint8), np.zeros((48, 64, 3), np.float32)]
)
def test_image_that_was_not_promised_is_refused(tmp_path, image):
    with (
        VideoWriter(tmp_path / "out.mp4", width=64, height=48, frame_rate=25.0) as writer,
        pytest.raises(ValueError, match="expected"),
    ):
        writer.write(image)


def test_writing_after_the_end_is_refused(tmp_path, grey_frames):
    writer = VideoWriter(tmp_path / "out.mp4", width=64, height=48, frame_rate=25.0)
    writer.write(grey_frames(1)[0])
    writer.close()
    with pytest.raises(ValueError, match="closed"):
        writer.write(grey_frames(1)[0])


@pytest.mark.parametrize("rate", [0.0, -5.0, float("nan"), float("inf")])
def test_impossible_rate_is_refused(tmp_path, rate):
    with pytest.raises(ValueError, match="frame_rate"):
        VideoWriter(tmp_path / "out.mp4", width=64, height=48, frame_rate=rate)


def test_the_same_pictures_give_the_same_bytes_every_time(tmp_path):
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 80, (96, 160, 3), dtype=np.uint8) + np.uint8(5 * i) for i in range(20)]
    files = set()
    for _ in range(12):  # an encoder that is not repeatable differed in one of five
        with VideoWriter(tmp_path / "a.mp4", width=160, height=96, frame_rate=25) as writer:
            for picture in pictures:
                writer.write(picture)
        files.add((tmp_path / "a.mp4").read_bytes())
    assert len(files) == 1
