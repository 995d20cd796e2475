import numpy as np
import PIL.Image
import pytest

from vsdmot.errors import OutputError
from vsdmot.io.image_writer import encode_image, write_image
from vsdmot.io.images import IMAGE_SUFFIXES, read_image

IMAGE = np.random.default_rng(0).integers(0, 256, (19, 33, 3), dtype=np.uint8)


@pytest.mark.parametrize("suffix", sorted(IMAGE_SUFFIXES - {".jpg", ".jpeg"}))
def test_all_formats_but_jpeg_lose_nothing(tmp_path, suffix):
    write_image(tmp_path / f"a{suffix}", IMAGE)
    np.testing.assert_array_equal(read_image(tmp_path / f"a{suffix}"), IMAGE)


def test_jpeg_keeps_full_chroma_and_nearly_every_level(tmp_path):
    write_image(tmp_path / "a.jpg", IMAGE)
    with PIL.Image.open(tmp_path / "a.jpg") as image:
        assert {layer[1:3] for layer in image.layer} == {(1, 1)}
    error = read_image(tmp_path / "a.jpg").astype(float) - IMAGE  # white noise, the worst case
    assert 10 * np.log10(255**2 / np.mean(error**2)) > 36
    assert len(encode_image(IMAGE, tmp_path / "a.jpg", 50)) < len(encode_image(IMAGE, tmp_path / "a.jpg"))


def test_the_same_image_gives_the_same_bytes(tmp_path):
    for suffix in IMAGE_SUFFIXES:
        path = tmp_path / f"a{suffix}"
        assert encode_image(IMAGE, path) == encode_image(IMAGE.copy(), path)


def test_names_that_are_no_image_and_sizes_beyond_the_format_are_refused(tmp_path):
    with pytest.raises(OutputError, match="expected an image name"):
        write_image(tmp_path / "a.txt", IMAGE)
    with pytest.raises(OutputError, match="at most 65500 pixels a side, this image is 66000x1"):
        write_image(tmp_path / "a.jpg", np.zeros((1, 66000, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []
