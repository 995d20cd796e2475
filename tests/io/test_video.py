from __future__ import annotations

import wave
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image as PillowImage

from vsdmot.errors import SourceError
from vsdmot.io.video import VideoFile

CORNERS = np.zeros((48, 64, 3), np.uint8)
CORNERS[:16, :16] = (255, 0, 0)
CORNERS[:16, -16:] = (0, 255, 0)
CORNERS[-16:, :16] = (0, 0, 255)


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_rotated_video_comes_upright(tmp_path, encode, degrees, mirror):
    path = encode(
        tmp_path / "phone.mp4", [CORNERS] * 3, codec="libx264rgb", pix_fmt="rgb24", rotation=(degrees, mirror, False)
    )
    expected = np.rot90(CORNERS, degrees // 90)  # both turn counter-clockwise
    expected = expected[:, ::-1] if mirror else expected
    with VideoFile(path) as source:
        frames = list(source)
    assert (source.info.height, source.info.width) == expected.shape[:2]
    assert all(np.abs(frame.image.astype(int) - expected).max() < 40 for frame in frames)
    assert all(frame.image.flags["C_CONTIGUOUS"] for frame in frames)


def test_irregular_times_come_from_the_timestamps(tmp_path, encode, grey_frames):
    times = [0.0, 0.04, 0.5, 0.52, 1.6, 2.0]
    path = encode(tmp_path / "vfr.mkv", grey_frames(6), times=[3 + time for time in times])
    with VideoFile(path) as source:
        assert [frame.time for frame in source] == pytest.approx(times, abs=0.002)


def test_rate_is_the_average_of_irregular_times(tmp_path, encode, grey_frames):
    times = np.cumsum(np.tile([0.05, 0.15], 20))
    path = encode(tmp_path / "vfr.mp4", grey_frames(40), times=times)
    assert VideoFile(path).info.frame_rate == pytest.approx(10, rel=0.05)


def test_rate_given_replaces_rate_and_times(tmp_path, encode, grey_frames):
    path = encode(tmp_path / "clip.mp4", grey_frames(4), rate=25)
    with VideoFile(path, frame_rate=5.0) as source:
        assert source.info.frame_rate == 5.0
        assert [frame.time for frame in source] == pytest.approx([0.0, 0.2, 0.4, 0.6])


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "size"),
    [
        ("libx264", "yuv444p", (241, 321)),
        ("ffv1", "yuv420p", (31, 33)),
        ("libx264", "yuv420p10le", (48, 64)),
        ("ffv1", "gray", (48, 64)),
        ("ffv1", "gray16le", (48, 64)),
        ("ffv1", "yuva420p", (48, 64)),
        ("ffv1", "bgra", (1, 1)),
        ("mjpeg", "yuvj420p", (48, 64)),
    ],
)
def test_every_pixel_format_becomes_eight_bit_rgb(tmp_path, encode, codec, pix_fmt, size):
    image = np.full((*size, 3), (130, 130, 130) if "gray" in pix_fmt else (200, 60, 30), np.uint8)
    with VideoFile(encode(tmp_path / "clip.mkv", [image] * 2, codec=codec, pix_fmt=pix_fmt)) as source:
        frames = list(source)
    assert len(frames) == 2
    assert frames[0].image.shape == image.shape
    assert np.abs(frames[0].image.astype(int) - image).max() <= 6


@pytest.mark.parametrize("color_range", [1, 2])
def test_black_and_white_survive_both_colour_ranges(tmp_path, encode, color_range):
    image = np.zeros((48, 64, 3), np.uint8)
    image[:, 32:] = 255
    with VideoFile(encode(tmp_path / "clip.mp4", [image] * 2, color_range=color_range)) as source:
        first = next(iter(source)).image
    assert first[:, :24].max() <= 4
    assert first[:, 40:].min() >= 251


@pytest.mark.parametrize("codec", ["mjpeg", "mpeg4", "libx264"])
@pytest.mark.parametrize("numbers", [[20], [1], [17, 18, 19], [13]])
def test_broken_pictures_are_counted_and_the_others_keep_their_index(
    tmp_path, encode, destroy_packets, grey_frames, number_of, codec, numbers
):
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    gop = {"g": "12", "bf": "0"}
    path = encode(tmp_path / "clip.mp4", grey_frames(40), codec=codec, pix_fmt=pix_fmt, codec_options=gop)
    destroy_packets(path, numbers)
    with VideoFile(path) as source:
        frames = list(source)
    report = source.report
    assert not {frame.index for frame in frames} & set(numbers)
    assert frames[-1].index == 40
    assert (report.num_read, report.num_broken) == (len(frames), 40 - len(frames))
    assert len(frames) >= 40 - 12
    for frame in frames:
        assert frame.time == pytest.approx((frame.index - 1) / 25, abs=1e-6)
        if codec == "mjpeg":  # the others repair what refers to a lost picture, so that it shows the wrong grey
            assert number_of(frame.image) == frame.index


def test_reordered_pictures_around_a_broken_one_keep_their_index(
    tmp_path, encode, destroy_packets, grey_frames, number_of
):
    path = encode(tmp_path / "clip.mp4", grey_frames(40), codec_options={"g": "12", "bf": "3", "b-adapt": "0"})
    destroy_packets(path, [13])
    with VideoFile(path) as source:
        frames = list(source)
    assert source.report.num_broken == 40 - len(frames) > 0
    whole = [frame for frame in frames if not 13 <= frame.index <= 26]
    assert len(whole) >= 20
    assert all(number_of(frame.image) == frame.index for frame in whole)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".avi"])
def test_truncated_file_gives_what_is_there_and_says_so(tmp_path, encode, suffix):
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    images = [np.roll(noise, 3 * number, axis=1) for number in range(60)]
    options = {"movflags": "faststart"} if suffix == ".mp4" else {}
    path = encode(tmp_path / f"clip{suffix}", images, options=options, codec_options={"g": "10"})
    contents = path.read_bytes()
    path.write_bytes(contents[: len(contents) // 2])
    with VideoFile(path) as source:
        frames = list(source)
    assert 20 <= len(frames) <= 35
    assert [frame.index for frame in frames] == list(range(1, len(frames) + 1))
    if suffix != ".ts":  # a transport stream promises no length
        assert len(source.report.notes) == 1
        assert "promise" in source.report.notes[0]


def test_whole_file_needs_no_remark(tmp_path, encode, grey_frames):
    for suffix in (".mp4", ".mkv", ".ts", ".avi", ".webm", ".h264"):
        codec = "libvpx" if suffix == ".webm" else "libx264"
        with VideoFile(encode(tmp_path / f"clip{suffix}", grey_frames(30), codec=codec)) as source:
            assert [frame.index for frame in source] == list(range(1, 31))
        assert (source.report.num_broken, source.report.notes) == (0, []), suffix


def test_times_rise_in_avi_whose_pictures_are_reordered(tmp_path, encode, grey_frames, number_of):
    path = encode(tmp_path / "clip.avi", grey_frames(30), codec_options={"bf": "3", "b-adapt": "0"})
    with VideoFile(path) as source:
        for frame in source:
            assert number_of(frame.image) == frame.index
            assert frame.time == pytest.approx((frame.index - 1) / 25, abs=1e-6)


def test_recordings_joined_end_to_end_go_on_in_time(tmp_path, encode, grey_frames):
    part = encode(tmp_path / "part.ts", grey_frames(20)).read_bytes()
    joined = tmp_path / "joined.ts"
    joined.write_bytes(part * 3)
    with VideoFile(joined) as source:
        frames = list(source)
    assert [frame.index for frame in frames] == list(range(1, 61))
    assert [frame.time for frame in frames] == pytest.approx([number / 25 for number in range(60)], abs=1e-4)
    assert "start anew" in source.report.notes[0]


def test_pictures_of_another_size_are_left_out(tmp_path, encode, grey_frames):
    large = encode(tmp_path / "large.ts", grey_frames(10)).read_bytes()
    small = encode(tmp_path / "small.ts", grey_frames(10, 32, 32)).read_bytes()
    mixed = tmp_path / "mixed.ts"
    mixed.write_bytes(large + small)
    with VideoFile(mixed) as source:
        assert {frame.image.shape for frame in source} == {(48, 64, 3)}
    assert (source.report.num_read, source.report.num_broken) == (10, 10)
    assert any("64x48 to 32x32" in note for note in source.report.notes)


def test_iterating_again_starts_again(tmp_path, encode, grey_frames):
    with VideoFile(encode(tmp_path / "clip.mp4", grey_frames(12))) as source:
        first = iter(source)
        assert [next(first).index for _ in range(5)] == [1, 2, 3, 4, 5]
        assert [frame.index for frame in source] == list(range(1, 13))
        assert list(first) == []  # the older iteration ended
        assert [frame.index for frame in source] == list(range(1, 13))
        assert source.report.num_read == 12


def test_closing_in_the_middle_ends_the_frames(tmp_path, encode, grey_frames):
    source = VideoFile(encode(tmp_path / "clip.mp4", grey_frames(12)))
    frames = iter(source)
    next(frames)
    source.close()
    source.close()
    assert list(frames) == []
    with pytest.raises(ValueError, match="closed"):
        next(iter(source))


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads memory from /proc")
def test_memory_does_not_grow_with_the_number_of_frames(tmp_path, encode):
    image = np.full((480, 640, 3), 90, np.uint8)
    path = encode(tmp_path / "long.mp4", [image] * 250, codec_options={"preset": "ultrafast"})

    def pages() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1])

    with VideoFile(path) as source:
        used = []
        for frame in source:
            if frame.index in (50, 250):
                used.append(pages() * 4096)
    assert used[1] - used[0] < 40 * image.nbytes  # 200 frames went by


def write_audio(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000))


def write_song_with_cover(path: Path) -> None:
    with av.open(str(path), "w", format="mp3") as container:
        sound = container.add_stream("mp3", rate=44100)
        cover = container.add_stream("png", rate=1)
        cover.width, cover.height, cover.pix_fmt = 16, 16, "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic
        container.mux(cover.encode(av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")))
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1152), np.float32), format="fltp", layout="mono")
        frame.rate = 44100
        container.mux(sound.encode(frame))
        container.mux(sound.encode())


@pytest.mark.parametrize(
    ("name", "write", "message"),
    [
        ("text.mp4", lambda path: path.write_text("no video\n" * 50), "cannot be decoded as one"),
        ("text.txt", lambda path: path.write_text("no video\n" * 50), "found a text file"),
        ("noise.mp4", lambda path: path.write_bytes(np.random.default_rng(0).bytes(5000)), "cannot be decoded as one"),
        ("empty.mp4", lambda path: path.write_bytes(b""), "found an empty file"),
        ("sound.wav", write_audio, "found only audio"),
        ("song.mp3", write_song_with_cover, "found only audio and video"),
    ],
)
def test_what_is_no_video_is_refused_in_one_line(tmp_path, name, write, message):
    path = tmp_path / name
    write(path)
    with pytest.raises(SourceError) as caught:
        VideoFile(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_recording_without_index_is_named_as_such(tmp_path, encode, grey_frames):
    path = encode(tmp_path / "cut.mp4", grey_frames(30))
    contents = path.read_bytes()
    path.write_bytes(contents[: contents.index(b"moov") - 4])
    with pytest.raises(SourceError, match=r"cut\.mp4: .*moov"):
        VideoFile(path)


def test_no_picture_at_all_is_an_error(tmp_path, encode, destroy_packets, grey_frames):
    path = encode(tmp_path / "dead.mp4", grey_frames(5), codec="mjpeg", pix_fmt="yuvj420p")
    destroy_packets(path, [1, 2, 3, 4, 5])
    with pytest.raises(SourceError, match="no frames could be decoded"):
        VideoFile(path)


def test_names_with_signs_that_mean_something_to_ffmpeg(tmp_path, encode, grey_frames):
    plain = encode(tmp_path / "clip.mp4", grey_frames(3))
    for name in ("12:30 %03d.mp4", "säule [1].mp4", "-x.mp4"):
        path = plain.rename(tmp_path / name)
        with VideoFile(path) as source:
            assert len(list(source)) == 3
        assert source.info.name == path.stem
        plain = path


def test_picture_file_without_suffix_is_a_video_of_one_frame(tmp_path):
    PillowImage.fromarray(CORNERS).save(tmp_path / "picture", "jpeg")
    with VideoFile(tmp_path / "picture") as source:
        assert [frame.image.shape for frame in source] == [(48, 64, 3)]


def test_real_clip_is_read_whole(shared_data):
    with VideoFile(shared_data / "clips" / "mot17_04_first8.mp4") as source:
        assert [frame.index for frame in source] == list(range(1, 9))
    assert source.report.notes == []
