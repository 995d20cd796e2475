"""Sizes follow the image, and letters stand where they were measured to stand."""

import numpy as np
import pytest

from vsdmot.report.lettering import font_size, line_width, text_width, write


@pytest.mark.parametrize("size", [10, 12, 22, 37])
@pytest.mark.parametrize("text", ["7", "12 0.83", "#900000"])
def test_letters_stay_within_the_measured_width_and_stand_around_the_middle(text, size):
    image = np.zeros((100, 500, 3), np.uint8)
    write(image, text, 20, 50, size, (255, 255, 255), bold=True)
    rows, columns = np.nonzero(image.max(axis=2) > 60)
    assert columns.min() >= 19
    assert columns.max() <= 20 + text_width(text, size, bold=True) + 1
    assert abs((rows.min() + rows.max() + 1) / 2 - 50) <= max(1.5, 0.1 * size)


def test_font_grows_with_the_short_side():
    sizes = [font_size(h, w) for h, w in ((16, 16), (240, 320), (480, 640), (1080, 1920), (2160, 3840))]
    assert sizes == sorted(sizes)
    assert font_size(854, 480) == font_size(480, 854)


def test_lines_are_never_thinner_than_a_pixel_and_grow_with_the_image():
    widths = [line_width(*shape) for shape in ((1, 1), (240, 320), (480, 640), (1080, 1920), (2160, 3840))]
    assert widths[0] == 1
    assert widths == sorted(widths)
    assert widths[-1] >= 5
