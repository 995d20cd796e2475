"""What happens to training pictures, setting by setting."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vsdmot.detection.yolox.letterbox import letterbox
from vsdmot.errors import ConfigError
from vsdmot.io.images import read_image
from vsdmot.training.yolox.augment import AugmentConfig, Augmenter, DegradationConfig, change_colours, mirror
from vsdmot.training.yolox.images import read_images
from vsdmot.training.yolox.mosaic import MosaicConfig
from vsdmot.training.yolox.pictures import Picture, PictureStore

PLAIN = AugmentConfig(mosaic=0, flip=0, colour=0)
SHAPE = (64, 96)


@pytest.fixture
def store(make_sequence) -> PictureStore:
    return PictureStore(read_images(make_sequence("a", num_frames=6, size=(120, 64))), SHAPE, limit=10**7)


def make(store: PictureStore, config: AugmentConfig, seed: int = 0, *, augmented: bool = True) -> Picture:
    return Augmenter(store, config).make(0, SHAPE, np.random.default_rng(seed), augmented=augmented)


def test_with_everything_off_it_is_what_the_detector_sees(store):
    picture = make(store, PLAIN)
    padded, scale = letterbox(read_image(store.images[0].path), SHAPE)
    assert np.array_equal(picture.image, padded)
    assert picture.boxes == pytest.approx(store.images[0].boxes * scale)


def test_the_last_epochs_have_no_mosaic(store):
    config = AugmentConfig(flip=0, colour=0)
    assert np.array_equal(make(store, config, augmented=False).image, make(store, PLAIN).image)
    assert not np.array_equal(make(store, config).image, make(store, PLAIN).image)


def test_the_same_seed_gives_the_same_picture_and_another_another(store):
    config = AugmentConfig(degradation=DegradationConfig(probability=0.5))
    first, again = make(store, config, 1), make(store, config, 1)
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.boxes, again.boxes)
    assert not np.array_equal(first.image, make(store, config, 2).image)


def test_mosaic_joins_people_of_several_pictures(store):
    geometry = MosaicConfig(scale=(0.5, 0.5), mixup=0)
    config = AugmentConfig(flip=0, colour=0, geometry=geometry)
    counts = [len(make(store, config, seed).boxes) for seed in range(10)]
    assert max(counts) == 8  # all people of four pictures
    with_mixup = AugmentConfig(flip=0, colour=0, geometry=MosaicConfig(scale=(0.5, 0.5), mixup_scale=(0.5, 0.5)))
    assert max(len(make(store, with_mixup, seed).boxes) for seed in range(10)) == 10


def test_pictures_in_memory_are_never_written_to(store):
    before = [store.load(index).image.copy() for index in range(len(store))]
    config = AugmentConfig(degradation=DegradationConfig(probability=0.5))
    for seed in range(20):
        make(store, config, seed, augmented=seed % 2 == 0)
    assert all(np.array_equal(store.load(index).image, image) for index, image in enumerate(before))


def test_mirrored_marks_move_as_their_boxes():
    image = np.zeros((40, 60, 3), np.uint8)
    image[5:20, 10:25] = 255
    result = mirror(Picture(image, np.array([[10, 5, 25, 20], [-4, 0, 70, 40]], np.float32)))
    assert result.boxes.tolist() == [[35, 5, 50, 20], [-10, 0, 64, 40]]
    assert (result.image[5:20, 35:50] == 255).all()
    assert result.image.astype(int).sum() == image.astype(int).sum()


def test_padding_stays_at_the_right_of_a_mirrored_picture(make_sequence):
    folder = make_sequence("narrow", size=(48, 64))
    narrow = PictureStore(read_images(folder), SHAPE, limit=10**6)
    picture = make(narrow, AugmentConfig(mosaic=0, flip=1, colour=0))
    assert (picture.image[:, 48:] == 114).all()
    assert np.array_equal(picture.image[:, :48], read_image(folder / "img1" / "000001.png")[:, ::-1])


def test_degraded_pictures_lose_detail_but_not_their_border(make_sequence):
    narrow = PictureStore(read_images(make_sequence("narrow", size=(48, 64))), SHAPE, limit=10**6)
    for severity, only in ((None, ("eq17",)), (5, ("blur",))):
        degradation = DegradationConfig(probability=1, severity=severity, only=only)
        picture = make(narrow, AugmentConfig(mosaic=0, flip=0, colour=0, degradation=degradation))
        clean = make(narrow, PLAIN)
        assert (picture.image[:, 48:] == 114).all()
        assert np.array_equal(picture.boxes, clean.boxes)
        assert not np.array_equal(picture.image, clean.image)
    sharpness = [cv2.Laplacian(p.image[:, :48], cv2.CV_64F).var() for p in (picture, clean)]
    assert sharpness[0] < sharpness[1] / 10


def test_half_the_pictures_are_degraded(store):
    config = AugmentConfig(mosaic=0, flip=0, colour=0, degradation=DegradationConfig(probability=0.5, only=("blur",)))
    clean = make(store, PLAIN).image
    changed = sum(not np.array_equal(make(store, config, seed).image, clean) for seed in range(40))
    assert 10 < changed < 30


class TestColours:
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)

    def test_each_value_moves_by_the_amount_and_hue_goes_around(self):
        before = cv2.cvtColor(self.image, cv2.COLOR_RGB2HSV).astype(int)
        moved = set()
        for seed in range(20):
            rng = np.random.default_rng(seed)
            amounts = (rng.uniform(-1, 1, 3) * (5, 30, 30) * rng.integers(0, 2, 3)).astype(int)
            result = change_colours(self.image, 1.0, np.random.default_rng(seed))
            hsv = before + amounts
            expected = np.stack([hsv[..., 0] % 180, hsv[..., 1].clip(0, 255), hsv[..., 2].clip(0, 255)], axis=2)
            if amounts.any():
                assert np.array_equal(result, cv2.cvtColor(expected.astype(np.uint8), cv2.COLOR_HSV2RGB))
            moved.update(np.flatnonzero(amounts).tolist())
        assert moved == {0, 1, 2}

    def test_no_strength_is_the_image_itself(self):
        assert change_colours(self.image, 0.0, np.random.default_rng(0)) is self.image


@pytest.mark.parametrize(
    ("make_config", "message"),
    [
        (lambda: DegradationConfig(only=("h264",)), "only: must be without"),
        (lambda: DegradationConfig(only=("blur", "blur")), "only: must be without repetition"),
        (lambda: DegradationConfig(probability=2), "probability: must be from 0 to 1"),
        (lambda: DegradationConfig(severity=6), "severity: must be from 1 to 5"),
        (lambda: AugmentConfig(flip=-1), "flip: must be from 0 to 1"),
    ],
)
def test_settings_out_of_range(make_config, message):
    with pytest.raises(ConfigError, match=message):
        make_config()
