from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from vsdmot.errors import FormatError, SourceError
from vsdmot.io.images import natural_key, open_folder, open_image, read_image, read_seqinfo


def save(path: Path, value: int = 100, size: tuple[int, int] = (20, 30)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    PillowImage.fromarray(np.full((*size, 3), value, np.uint8)).save(path)
    return path


def sequence(folder: Path, numbers: list[int], ini: str | None = None) -> Path:
    for number in numbers:
        save(folder / "img1" / f"{number:06d}.png", value=number % 256)
    if ini is not None:
        (folder / "seqinfo.ini").write_text(ini)
    return folder


def test_natural_order_of_numbers_in_names():
    names = ["10.jpg", "2.jpg", "b1.jpg", "a12_3.jpg", "a12_10.jpg", "1.jpg"]
    ordered = sorted(map(Path, names), key=natural_key)
    assert [path.name for path in ordered] == ["1.jpg", "2.jpg", "10.jpg", "a12_3.jpg", "a12_10.jpg", "b1.jpg"]


def test_plain_folder_is_counted_from_one_in_natural_order(tmp_path):
    for name, value in (("10.png", 30), ("2.png", 20), ("1.png", 10), ("._1.png", 0)):
        save(tmp_path / name, value)
    (tmp_path / "._1.png").write_bytes(b"shadow file of macOS")
    (tmp_path / "notes.txt").write_text("not an image")
    with open_folder(tmp_path, frame_rate=10.0) as source:
        frames = list(source)
    assert [(f.index, f.time, f.image[0, 0, 0], f.path.name) for f in frames] == [
        (1, 0.0, 10, "1.png"),
        (2, 0.1, 20, "2.png"),
        (3, 0.2, 30, "10.png"),
    ]
    assert (source.info.width, source.info.height, source.info.num_frames, source.info.live) == (30, 20, 3, False)
    assert source.info.name == tmp_path.name


def test_broken_image_in_the_middle_is_skipped_and_named(tmp_path):
    for number in range(1, 6):
        save(tmp_path / f"{number}.png", number)
    (tmp_path / "3.png").write_bytes((tmp_path / "3.png").read_bytes()[:40])
    source = open_folder(tmp_path)
    for _ in range(2):  # reading again starts again, the report too
        assert [frame.index for frame in source] == [1, 2, 4, 5]
        assert (source.report.num_read, source.report.num_broken) == (4, 1)
        assert len(source.report.notes) == 1
        assert source.report.notes[0].startswith(f"frame 3: {tmp_path / '3.png'}")


def test_broken_first_image_does_not_hide_the_size(tmp_path):
    save(tmp_path / "2.png")
    (tmp_path / "1.png").write_bytes(b"")
    source = open_folder(tmp_path)
    assert (source.info.width, source.info.height) == (30, 20)
    assert [frame.index for frame in source] == [2]


def test_image_of_another_size_is_left_out(tmp_path):
    for number, size in enumerate([(20, 30), (30, 20), (20, 30)], start=1):
        save(tmp_path / f"{number}.png", size=size)
    source = open_folder(tmp_path)
    assert [frame.index for frame in source] == [1, 3]
    assert source.report.num_broken == 1
    assert "expected 30x20 like the first image, got 20x30" in source.report.notes[0]


def test_half_a_jpeg_is_broken_not_half_grey(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    PillowImage.fromarray(noise).save(tmp_path / "half.jpg")
    contents = (tmp_path / "half.jpg").read_bytes()
    (tmp_path / "half.jpg").write_bytes(contents[: len(contents) // 2])
    with pytest.raises(SourceError, match=r"half\.jpg: not readable as an image"):
        read_image(tmp_path / "half.jpg")


ORANGE = (240, 130, 20)


@pytest.mark.parametrize(
    ("mode", "suffix", "tolerance"),
    [("P", ".png", 40), ("RGBA", ".png", 0), ("LA", ".png", 0), ("L", ".png", 0), ("1", ".png", 0), ("CMYK", ".jpg", 6)]
    + [("RGB", suffix, 0) for suffix in (".bmp", ".png", ".tif", ".ppm", ".jp2")]
    + [("RGB", suffix, 6) for suffix in (".jpg", ".webp")],
)
def test_every_kind_of_image_becomes_rgb(tmp_path, mode, suffix, tolerance):
    colour = (255, 255, 255) if mode in ("1", "L", "LA") else ORANGE
    PillowImage.new("RGB", (17, 9), colour).convert(mode).save(tmp_path / f"image{suffix}")
    image = read_image(tmp_path / f"image{suffix}")
    assert (image.shape, image.dtype, image.flags.writeable) == ((9, 17, 3), np.uint8, True)
    assert np.abs(image.astype(int) - colour).max() <= tolerance


def test_alpha_is_dropped_not_blended(tmp_path):
    PillowImage.new("RGBA", (4, 4), (*ORANGE, 0)).save(tmp_path / "clear.png")
    assert (read_image(tmp_path / "clear.png") == ORANGE).all()


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bit_grey_gives_its_high_byte(tmp_path, suffix):
    values = np.array([[0, 255, 256, 32768, 65535]], np.uint16)
    PillowImage.fromarray(values).save(tmp_path / f"deep{suffix}")
    assert read_image(tmp_path / f"deep{suffix}")[0, :, 1].tolist() == [0, 0, 1, 128, 255]


def test_floating_point_image_is_refused(tmp_path):
    PillowImage.fromarray(np.ones((4, 4), np.float32)).save(tmp_path / "depth.tif")
    with pytest.raises(SourceError, match=r"depth\.tif.*floating-point"):
        read_image(tmp_path / "depth.tif")


def test_exif_orientation_is_applied(tmp_path):
    picture = PillowImage.new("RGB", (30, 20))
    picture.putpixel((0, 0), (255, 255, 255))
    exif = PillowImage.Exif()
    exif[0x0112] = 6  # turn clockwise to show
    picture.save(tmp_path / "phone.png", exif=exif)
    image = read_image(tmp_path / "phone.png")
    assert image.shape == (30, 20, 3)
    assert image[0, -1].tolist() == [255, 255, 255]


def test_one_image_is_one_frame(tmp_path):
    with open_image(save(tmp_path / "street.view.png")) as source:
        assert [(frame.index, frame.time) for frame in source] == [(1, 0.0)]
    assert source.info.name == "street.view"


def test_sequence_index_is_the_number_in_the_name(tmp_path):
    folder = sequence(tmp_path / "MOT-01", [1, 2, 5, 6], "[Sequence]\nimDir=img1\nframeRate=10\nseqLength=750\n")
    with open_folder(folder) as source:
        frames = list(source)
    assert [(f.index, f.image[0, 0, 0]) for f in frames] == [(1, 1), (2, 2), (5, 5), (6, 6)]
    assert [f.time for f in frames] == pytest.approx([0.0, 0.1, 0.4, 0.5])
    assert (source.info.name, source.info.frame_rate, source.info.num_frames) == ("MOT-01", 10.0, 4)
    assert source.report.notes == [
        "img1: 2 frames are missing between 1 and 6, the first is 3",
        "seqinfo.ini promises 750 frames, 4 are there",
    ]


def test_second_half_of_a_sequence_keeps_its_numbers(tmp_path):
    source = open_folder(sequence(tmp_path, [301, 302], "[Sequence]\nframeRate=30\n"), frame_rate=2.0)
    assert [(frame.index, frame.time) for frame in source] == [(301, 0.0), (302, 0.5)]
    assert source.report.notes == []


def test_folder_with_only_img1_is_a_sequence(tmp_path):
    source = open_folder(sequence(tmp_path / "walk", [3, 4]))
    assert [frame.index for frame in source] == [3, 4]
    assert source.info.name == "walk"
    assert source.report.notes == ["the frame rate is not known; taken as 25 frames/s"]


def test_sequence_numbered_from_zero_is_shifted(tmp_path):
    source = open_folder(sequence(tmp_path, [0, 1, 2], "[Sequence]\nframeRate=5\n"))
    assert [frame.index for frame in source] == [1, 2, 3]
    assert "numbered from 0" in source.report.notes[0]


def test_sequence_of_another_size_than_promised_is_noted(tmp_path):
    source = open_folder(sequence(tmp_path, [1], "[Sequence]\nframeRate=5\nimWidth=60\nimHeight=40\n"))
    assert source.report.notes == ["seqinfo.ini says 60x40, the images are 30x20: ground truth may be in other pixels"]


def test_two_files_for_one_frame_are_refused(tmp_path):
    sequence(tmp_path, [1], "[Sequence]\nframeRate=5\n")
    save(tmp_path / "img1" / "1.png")
    with pytest.raises(SourceError, match="both frame 1"):
        open_folder(tmp_path)


@pytest.mark.parametrize(
    ("ini", "message"),
    [
        ("frameRate=30\n", r"seqinfo.ini: expected a text file with the section \[Sequence\]"),
        ("[Sequence]\nframeRate=fast\n", "seqinfo.ini: frameRate: expected a number greater than 0, got 'fast'"),
        ("[Sequence]\nframeRate=0\n", "got '0'"),
        ("[Sequence]\nseqLength=nan\n", "seqLength"),
    ],
)
def test_malformed_seqinfo_is_refused(tmp_path, ini, message):
    with pytest.raises(FormatError, match=message):
        open_folder(sequence(tmp_path, [1], ini))


def test_seqinfo_with_byte_order_mark_and_windows_lines(tmp_path):
    path = tmp_path / "seqinfo.ini"
    path.write_bytes(b"\xef\xbb\xbf[Sequence]\r\nname=100%\r\nframeRate=29.97\r\nseqLength=7\r\n")
    settings = read_seqinfo(path)
    assert (settings.frame_rate, settings.length, settings.image_folder) == (29.97, 7, "img1")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "found an empty folder"),
        ({"a.txt": b""}, r"found a\.txt"),
        ({"MOT17-02/seqinfo.ini": b""}, "found MOT17-02/"),
        ({"a.png": b"", "b.jpg": b"junk"}, "no frames could be decoded"),
        ({"seqinfo.ini": b"[Sequence]\nimDir=frames\n"}, "expected the image folder frames/"),
        ({"img1/first.png": b""}, r"expected images named by frame, such as 000001\.jpg"),
    ],
)
def test_folder_without_frames_is_refused(tmp_path, files, message):
    for name, contents in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(contents)
    with pytest.raises(SourceError, match=message):
        open_folder(tmp_path)


def test_remarks_stay_few_when_everything_is_broken(tmp_path):
    save(tmp_path / "0.png")
    for number in range(1, 60):
        (tmp_path / f"{number}.png").write_bytes(b"")
    source = open_folder(tmp_path)
    assert len(list(source)) == 1
    assert source.report.num_broken == 59
    assert len(source.report.notes) == 20


def test_real_sequence_promises_more_than_is_there(shared_data):
    source = open_folder(shared_data / "mot17_mini" / "train" / "MOT17-04-FRCNN")
    assert source.info.frame_rate == 30
    assert source.info.num_frames == 8
    assert source.report.notes == ["seqinfo.ini promises 1050 frames, 8 are there"]
