"""Reading training images: which boxes, in which pixels, and what is refused."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest

from vsdmot.detection.yolox.letterbox import letterbox
from vsdmot.errors import FormatError, SourceError
from vsdmot.training.yolox.images import StillImage, num_people, read_images, sequence_names
from vsdmot.training.yolox.pictures import PictureStore, read_reduced

NOBODY = np.zeros((0, 4), np.float32)


def test_frames_of_a_sequence_with_their_people(make_sequence):
    folder = make_sequence("a", num_frames=5)
    images = read_images(folder)
    assert [image.path.name for image in images] == [f"{k:06d}.png" for k in range(1, 6)]
    rows = [line.split(",") for line in (folder / "gt" / "gt.txt").read_text().splitlines()]
    left, top, width, height = map(float, next(row for row in rows if row[:2] == ["3", "2"])[2:6])
    assert images[2].boxes[1].tolist() == [left, top, left + width, top + height]
    assert num_people(images) == 10
    assert sequence_names(images) == ("a",)


def test_every_third_frame_is_counted_from_the_first(make_sequence):
    images = read_images(make_sequence("a", num_frames=8), every=3)
    assert [image.path.stem[-1] for image in images] == ["1", "4", "7"]


def test_which_boxes_count(make_sequence):
    folder = make_sequence("a", num_frames=1)
    lines = [
        "1,1,10,10,20,30,1,1,0.9",  # a person
        "1,2,10,10,20,30,1,1,0.05",  # hardly seen
        "1,3,10,10,20,30,0,1,1",  # flagged to be left out
        "1,4,10,10,20,30,1,3,1",  # a car
        "1,5,10,10,0,30,1,1,1",  # without area
        "1,6,-50,10,20,30,1,1,1",  # wholly outside
        "1,7,-10,10,20,30,1,1,1",  # partly outside
    ]
    (folder / "gt" / "gt.txt").write_text("\n".join(lines) + "\n")
    (image,) = read_images(folder, min_visibility=0.1)
    assert image.boxes.tolist() == [[10, 10, 30, 40], [-10, 10, 10, 40]]
    assert image.ignored.tolist() == [[10, 10, 30, 40]]
    (image,) = read_images(folder)
    assert len(image.boxes) == 3
    assert len(image.ignored) == 0


def test_a_folder_of_sequences_and_a_list_of_some(make_sequence, tmp_path):
    for name in ("a", "b"):
        make_sequence(name)
    assert sequence_names(read_images(tmp_path)) == ("a", "b")
    (tmp_path / "train.txt").write_text("b, degraded, b\n")
    assert sequence_names(read_images(tmp_path / "train.txt")) == ("b",)


def test_crowdhuman(originals):
    images = read_images(originals / "CrowdHuman" / "annotation_train.odgt")
    assert len(images) == 2
    assert images[0].boxes.tolist() == [[-3, 4, 17, 44]]
    assert images[0].ignored.tolist() == [[40, 2, 49, 11]]
    assert images[0].path.is_file()


def test_an_image_of_crowdhuman_that_is_missing(originals, tmp_path):
    path = tmp_path / "annotation_train.odgt"
    path.write_bytes((originals / "CrowdHuman" / "annotation_train.odgt").read_bytes())
    with pytest.raises(SourceError, match=r"the image 273271,c9db000d5146c15 is not in"):
        read_images(path)


def test_a_sequence_without_ground_truth(make_sequence):
    folder = make_sequence("a")
    (folder / "gt" / "gt.txt").unlink()
    with pytest.raises(FormatError, match=r"expected ground truth in gt/gt\.txt"):
        read_images(folder)


def test_a_sequence_without_images(tmp_path):
    (tmp_path / "a" / "gt").mkdir(parents=True)
    (tmp_path / "a" / "gt" / "gt.txt").write_text("1,1,1,1,5,5,1,1,1\n")
    with pytest.raises(SourceError, match="expected images named by frame"):
        read_images(tmp_path / "a")


class TestStore:
    def still(self, tmp_path: Path, size: tuple[int, int] = (200, 120), suffix: str = "png", boxes=None) -> StillImage:
        rng = np.random.default_rng(0)
        path = tmp_path / f"image.{suffix}"
        smooth = cv2.resize(rng.integers(0, 256, (9, 12, 3)).astype(np.uint8), size, interpolation=cv2.INTER_CUBIC)
        PIL.Image.fromarray(smooth).save(path)
        return StillImage(path, "g", np.array(boxes or [[-20, 10, 100, 60]], np.float32), NOBODY)

    def test_pictures_are_scaled_as_at_inference(self, tmp_path):
        still = self.still(tmp_path)
        picture = PictureStore([still], (64, 96), limit=0).load(0)
        padded, scale = letterbox(np.asarray(PIL.Image.open(still.path)), (64, 96))
        height, width = picture.image.shape[:2]
        assert np.array_equal(padded[:height, :width], picture.image)
        assert (padded[height:] == 114).all()
        assert picture.boxes == pytest.approx(still.boxes * scale)

    def test_boxes_are_cut_if_asked_for_and_those_outside_dropped(self, tmp_path):
        still = self.still(tmp_path, boxes=[[-20, 10, 100, 150], [-30, 0, 0, 50], [200, 0, 220, 50]])
        kept, cut = (PictureStore([still], (120, 200), limit=0, clip=clip).load(0).boxes for clip in (False, True))
        assert kept.tolist() == [[-20, 10, 100, 150]]
        assert cut.tolist() == [[0, 10, 100, 120]]

    def test_what_fits_into_memory_is_read_once(self, tmp_path):
        still = self.still(tmp_path)
        size = PictureStore([still], (64, 96), limit=0).load(0).image.nbytes
        roomy, tight = (PictureStore([still], (64, 96), limit=limit) for limit in (size, size - 1))
        first = roomy.load(0)
        tight.load(0)
        still.path.unlink()
        assert roomy.load(0) is first
        with pytest.raises(SourceError, match=r"image\.png"):
            tight.load(0)

    def test_fast_decoding_gives_way_to_exact_pictures(self, tmp_path):
        still = self.still(tmp_path, (800, 480), "jpg")
        plain = PictureStore([still], (64, 96), limit=10**6).load(0, exact=False)
        store = PictureStore([still], (64, 96), limit=10**6, fast=True)
        fast = store.load(0, exact=False)
        exact = store.load(0)
        assert np.array_equal(exact.image, plain.image)
        assert not np.array_equal(fast.image, exact.image)
        assert np.abs(fast.image.astype(int) - exact.image).mean() < 3
        assert fast.boxes.tolist() == exact.boxes.tolist()
        assert store.load(0, exact=False) is exact  # the better one stays

    @pytest.mark.parametrize("orientation", [1, 3, 6, 8])
    @pytest.mark.parametrize("size", [(800, 480), (403, 301), (101, 100), (150, 90)])
    def test_reduced_images_are_large_enough_and_upright(self, tmp_path, orientation, size):
        picture = PIL.Image.effect_noise(size, 50).convert("RGB")
        exif = picture.getexif()
        exif[0x0112] = orientation
        path = tmp_path / "turned.jpg"
        picture.save(path, exif=exif)
        image, full = read_reduced(path, (64, 96))
        assert full == (size if orientation < 5 else size[::-1])
        scale = min(64 / full[1], 96 / full[0])
        assert image.shape[1] >= int(full[0] * min(scale, 1))
        assert image.shape[0] >= int(full[1] * min(scale, 1))
        assert (image.shape[1] > image.shape[0]) == (full[0] > full[1]) or abs(full[0] - full[1]) < 2

    def test_a_damaged_image_is_named(self, tmp_path):
        path = tmp_path / "broken.jpg"
        path.write_bytes(b"\xff\xd8\xff\xe0 nothing")
        store = PictureStore([StillImage(path, "g", NOBODY, NOBODY)], (64, 96), limit=0, fast=True)
        for exact in (True, False):
            with pytest.raises(SourceError, match=r"broken\.jpg"):
                store.load(0, exact=exact)
