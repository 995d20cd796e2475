"""Mosaic and mixup: what is marked in a picture must lie where its box says, whatever is done to it."""

from __future__ import annotations

import numpy as np
import pytest

from vsdmot.errors import ConfigError
from vsdmot.training.yolox.mosaic import MosaicConfig, draw, mixup, mosaic, move_boxes, move_people
from vsdmot.training.yolox.pictures import Picture

COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0))
STILL = MosaicConfig(degrees=0, translate=0, scale=(1, 1), shear=0)


def marked(colour: tuple[int, int, int], size: tuple[int, int] = (160, 96), seed: int = 0) -> Picture:
    """A black picture with one rectangle of a colour, and its box."""
    rng = np.random.default_rng(seed)
    width, height = size
    wide, tall = int(rng.integers(20, 40)), int(rng.integers(20, 50))
    left, top = int(rng.integers(0, width - wide)), int(rng.integers(0, height - tall))
    image = np.zeros((height, width, 3), np.uint8)
    image[top : top + tall, left : left + wide] = colour
    return Picture(image, np.array([[left, top, left + wide, top + tall]], np.float32))


def extent(image: np.ndarray, colour: tuple[int, int, int], tolerance: float = 100) -> np.ndarray | None:
    """Edges of what has a colour, in whole pixels; in between a pixel belongs to it if it is nearer than black."""
    strength = np.abs(image.astype(float) - colour).max(axis=2) < tolerance
    rows, columns = np.flatnonzero(strength.any(axis=1)), np.flatnonzero(strength.any(axis=0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]) if len(rows) else None


@pytest.mark.parametrize(
    "config",
    [
        STILL,
        MosaicConfig(degrees=0, shear=0, translate=0.1, scale=(0.4, 2)),
        MosaicConfig(degrees=10, shear=2, translate=0.1, scale=(0.4, 2)),
    ],
    ids=["still", "scaled", "turned"],
)
def test_marks_move_as_their_boxes(config):
    seen = 0
    for seed in range(40):
        pictures = [marked(colour, seed=4 * seed + k) for k, colour in enumerate(COLOURS)]
        result = mosaic(pictures, (96, 160), config, np.random.default_rng(seed))
        assert result.image.shape == (96, 160, 3)
        extents = [extent(result.image, colour) for colour in COLOURS]
        for box in result.boxes:
            inside = box.clip(0, (160, 96, 160, 96))
            if config.degrees and not np.array_equal(inside, box):
                continue  # the corners that hold a turned box apart may lie beyond the border
            errors = [np.abs(found - inside).max() for found in extents if found is not None]
            # Another picture may lie over a part of a pixel, and corners of turned marks are thinner than one.
            assert min(errors) <= (2 if config.degrees else 1), (seed, box)
            seen += 1
        visible = sum(found is not None and (found[2:] - found[:2]).min() > 22 for found in extents)
        assert len(result.boxes) >= visible
    assert seen > 20


def test_four_pictures_meet_in_a_point_without_overlap():
    pictures = [Picture(np.full((96, 160, 3), colour, np.uint8), np.zeros((0, 4), np.float32)) for colour in COLOURS]
    image = mosaic(pictures, (96, 160), STILL, np.random.default_rng(1)).image
    quarters = [extent(image, colour) for colour in COLOURS]
    x, y = quarters[0][2:]
    assert quarters[1][[0, 3]].tolist() == pytest.approx([x, y], abs=1)
    assert quarters[2][[1, 2]].tolist() == pytest.approx([y, x], abs=1)
    assert quarters[3][:2].tolist() == pytest.approx([x, y], abs=1)


def test_grey_is_where_no_picture_is():
    pictures = [Picture(np.zeros((96, 160, 3), np.uint8), np.zeros((0, 4), np.float32))] * 4
    image = mosaic(pictures, (96, 160), MosaicConfig(scale=(0.1, 0.1)), np.random.default_rng(0)).image
    assert image[0, 0].tolist() == image[-1, -1].tolist() == [114, 114, 114]
    assert (image == 0).all(axis=2).any()


def test_pictures_of_other_sizes_are_fitted():
    pictures = [marked(colour, size, seed=k) for k, (colour, size) in enumerate(
        zip(COLOURS, ((80, 48), (320, 192), (96, 96), (160, 60)), strict=True))]  # fmt: skip
    for seed in range(10):
        result = mosaic(pictures, (96, 160), STILL, np.random.default_rng(seed))
        for box in result.boxes:
            inside = box.clip(0, (160, 96, 160, 96))
            extents = [extent(result.image, colour) for colour in COLOURS]
            assert min(np.abs(found - inside).max() for found in extents if found is not None) <= 1


def test_drawing_shifts_by_whole_pixels_exactly():
    image = np.random.default_rng(0).integers(0, 256, (6, 8, 3)).astype(np.uint8)
    onto = np.full((10, 12, 3), 7, np.uint8)
    draw(image, np.array([[1.0, 0, 3], [0, 1, 2], [0, 0, 1]]), onto)
    expected = np.full((10, 12, 3), 7, np.uint8)
    expected[2:8, 3:11] = image
    assert np.array_equal(onto, expected)


def test_a_box_is_put_around_its_turned_corners():
    quarter = np.array([[0.0, -1, 50], [1, 0, 0], [0, 0, 1]])
    assert move_boxes(np.array([[10, 20, 30, 25]], np.float32), quarter).tolist() == [[25, 10, 30, 30]]
    assert move_boxes(np.zeros((0, 4), np.float32), quarter).shape == (0, 4)


class TestWhoIsKept:
    """A person stays if a fifth of what was seen of them, and 2 pixels, are still seen; boxes keep their extent."""

    picture = Picture(np.zeros((100, 100, 3), np.uint8), np.array([[0, 0, 50, 100], [-60, 0, 40, 100]], np.float32))

    def moved(self, x: float) -> list[list[float]]:
        matrix = np.array([[1.0, 0, x], [0, 1, 0], [0, 0, 1]])
        return move_people(self.picture, matrix, (100, 100)).tolist()

    def test_all_of_it(self):
        assert self.moved(0) == [[0, 0, 50, 100], [-60, 0, 40, 100]]

    def test_just_a_fifth(self):
        assert self.moved(-32) == [[-32, 0, 18, 100], [-92, 0, 8, 100]]

    def test_less_than_a_fifth(self):
        assert self.moved(-33) == [[-33, 0, 17, 100]]
        assert self.moved(-41) == []

    def test_what_was_beyond_its_own_picture_does_not_count(self):
        assert self.moved(200) == []
        assert self.moved(99) == []

    def test_people_who_get_too_small_to_see(self):
        small = np.diag([0.03, 0.03, 1.0])
        assert move_people(self.picture, small, (100, 100)).tolist() == []


class TestMixup:
    def test_both_are_seen_at_half_strength_and_boxes_follow(self):
        config, counted = MosaicConfig(), 0
        for seed in range(30):
            under = Picture(np.zeros((96, 160, 3), np.uint8), np.array([[1, 2, 3, 4]], np.float32))
            over = marked((0, 255, 0), seed=seed)
            rng = np.random.default_rng(seed)
            result = mixup(under, over, config, rng, mirrored=bool(seed % 2))
            assert result.boxes[0].tolist() == [1, 2, 3, 4]
            found = extent(result.image, (0, 128, 0), tolerance=50)
            if len(result.boxes) == 2:
                assert np.abs(found - result.boxes[1].clip(0, (160, 96, 160, 96))).max() <= 1
                counted += 1
        assert counted > 20

    def test_a_mirrored_picture_has_its_mark_on_the_other_side(self):
        image = np.zeros((96, 160, 3), np.uint8)
        over = Picture(image, np.array([[0, 0, 40, 90]], np.float32))
        config = MosaicConfig(mixup_scale=(1, 1))
        under = Picture(image, np.zeros((0, 4), np.float32))
        result = mixup(under, over, config, np.random.default_rng(0), mirrored=True)
        assert result.boxes.tolist() == [[120, 0, 160, 90]]

    def test_without_people_on_top_nothing_changes(self):
        under = marked((255, 0, 0))
        over = Picture(np.full((96, 160, 3), 9, np.uint8), np.zeros((0, 4), np.float32))
        assert mixup(under, over, MosaicConfig(), np.random.default_rng(0), mirrored=False) is under


@pytest.mark.parametrize(
    "wrong", [{"scale": (0.0, 1.0)}, {"scale": (2.0, 1.0)}, {"mixup": 1.5}, {"degrees": -1.0}, {"shear": 90.0}]
)
def test_settings_out_of_range(wrong):
    with pytest.raises(ConfigError, match=f"{next(iter(wrong))}: must be"):
        MosaicConfig(**wrong)
