"""What is measured on a picture: widths of edges, periods of grids, calm patches."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vsdmot.quality import assess
from vsdmot.triage.edges import measure_edges
from vsdmot.triage.grids import measure_grids
from vsdmot.triage.measures import measure_picture


def grey(image):
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def step_edges(sigma, height=160, width=200):
    """Upright bars of many heights, spread by a Gaussian, in fine steps of position."""
    rng = np.random.default_rng(0)
    bars = np.repeat(rng.uniform(60, 200, width // 20 + 1), 20)[:width]
    fine = np.repeat(bars, 8)
    blurred = cv2.GaussianBlur(fine[None].astype(np.float32), (0, 0), sigma * 8, borderType=cv2.BORDER_REPLICATE)
    return np.rint(np.repeat(blurred[:, 4::8], height, axis=0)).astype(np.uint8)


@pytest.mark.parametrize("sigma", [0.7, 1.0, 1.6, 2.5, 4.0])
def test_the_width_of_a_step_is_the_sigma_that_spread_it_beside_that_of_a_pixel(sigma):
    assert measure_edges(step_edges(sigma)).typical == pytest.approx(np.hypot(sigma, 0.73), rel=0.04)


@pytest.mark.parametrize("factor", [0.25, 0.5])
def test_widths_do_not_depend_on_contrast(factor):
    strong = step_edges(1.5)
    weak = np.rint(strong * factor + 40).astype(np.uint8)
    assert measure_edges(weak).typical == pytest.approx(measure_edges(strong).typical, rel=0.08)


def test_blur_widens_edges_in_every_direction_and_motion_in_one(scene):
    sharp = measure_edges(grey(scene))
    blurred = measure_edges(cv2.GaussianBlur(grey(scene), (0, 0), 2.0))
    moved = measure_edges(cv2.blur(grey(scene), (13, 1)))
    assert blurred.least > 1.5
    assert blurred.greatest < 1.5 * blurred.least
    assert moved.greatest > 2.5
    assert moved.least < sharp.least + 0.4


@pytest.mark.parametrize("shape", [(1, 1), (5, 400), (18, 18), (19, 19), (300, 20)])
def test_small_and_flat_pictures_have_no_edges(shape):
    assert measure_edges(np.full(shape, 90, np.uint8)).typical == 0.0
    noisy = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    assert measure_edges(noisy).greatest >= 0.0


@pytest.mark.parametrize("factor", [1.5, 2, 2.25, 3, 4])
def test_an_enlarged_picture_shows_the_period_of_its_pixels(scene, factor):
    rows, columns = scene.shape[:2]
    small = cv2.resize(scene, (round(columns / factor), round(rows / factor)), interpolation=cv2.INTER_AREA)
    enlarged = cv2.resize(small, (columns, rows), interpolation=cv2.INTER_CUBIC)
    plain, found = measure_grids(grey(scene)), measure_grids(grey(enlarged))
    if factor == 2:  # shrinking by whole pixels and enlarging between them leaves the faintest trace of all
        assert found.doubling > plain.doubling
        return
    assert max(plain.enlargement, plain.doubling) < 5
    assert max(found.enlargement, found.doubling) > 5


def test_blocks_show_theirs_and_blur_wipes_them_out(scene):
    coded = cv2.imdecode(cv2.imencode(".jpg", scene, [cv2.IMWRITE_JPEG_QUALITY, 20])[1], cv2.IMREAD_COLOR)
    assert measure_grids(grey(scene)).blocks < 3
    assert measure_grids(grey(coded)).blocks > 5
    assert measure_grids(cv2.GaussianBlur(grey(coded), (0, 0), 2.5)).blocks < 3


def test_coding_wipes_calm_patches_clean_and_blur_does_not(scene):
    coded = cv2.imdecode(cv2.imencode(".jpg", scene, [cv2.IMWRITE_JPEG_QUALITY, 6])[1], cv2.IMREAD_COLOR)
    assert measure_picture(scene).calm > 3
    assert measure_picture(coded).calm < 1.0
    assert measure_picture(cv2.GaussianBlur(scene, (0, 0), 2.0)).calm > 1.0


def test_quality_is_that_of_the_rest_of_the_program(scene):
    assert measure_picture(scene).score == assess(scene).score


@pytest.mark.parametrize("shape", [(1, 1), (3, 2000), (2000, 3), (8, 8), (33, 47)])
@pytest.mark.parametrize("value", [0, 128, 255])
def test_every_picture_gets_finite_numbers(shape, value):
    found = measure_picture(np.full((*shape, 3), value, np.uint8))
    assert np.isfinite([getattr(found, name) for name in found.__dataclass_fields__]).all()
