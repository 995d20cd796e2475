"""Write images in the format that their name says, as whole files."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import PIL.Image

from vsdmot.errors import OutputError
from vsdmot.io.whole_files import write_whole
from vsdmot.structures import Image

JPEG_QUALITY = 95
JPEG_LONGEST_SIDE = 65500

_PILLOW: dict[str, tuple[str, dict[str, object]]] = {  # format and options without loss
    ".bmp": ("BMP", {}),
    ".jp2": ("JPEG2000", {"irreversible": False}),
    ".pgm": ("PPM", {}),
    ".ppm": ("PPM", {}),
    ".tif": ("TIFF", {}),
    ".tiff": ("TIFF", {}),
    ".webp": ("WEBP", {"lossless": True}),
}


def write_image(path: Path, image: Image, *, jpeg_quality: int = JPEG_QUALITY) -> None:
    """Write an image; JPEG with full chroma (4:4:4), every other format without loss.

    Args:
        path: Its suffix decides the format; one of `vsdmot.io.images.IMAGE_SUFFIXES`.
        image: ``(H, W, 3)`` uint8 RGB.
        jpeg_quality: 1 to 100; lower makes smaller JPEG files with more artefacts.

    Raises:
        OutputError: An unknown suffix, a size that the format cannot hold, or the file cannot be written.
    """
    write_whole(path, encode_image(image, path, jpeg_quality))


def encode_image(image: Image, path: Path, jpeg_quality: int = JPEG_QUALITY) -> bytes:
    """Encode an image for a file name.

    Raises:
        OutputError: An unknown suffix, or a size that the format cannot hold.
    """
    suffix = path.suffix.lower()
    if suffix in (".jpg", ".jpeg", ".png"):
        settings = [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality]
        settings += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
        if suffix == ".png":
            settings = [cv2.IMWRITE_PNG_COMPRESSION, 1]  # noise hardly compresses, however long one tries
        if suffix != ".png" and max(image.shape) > JPEG_LONGEST_SIDE:
            raise OutputError(
                f"{path}: a JPEG has at most {JPEG_LONGEST_SIDE} pixels a side, this image is "
                f"{image.shape[1]}x{image.shape[0]}; use .png"
            )
        done, stream = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), settings)
        assert done, "libjpeg and libpng take every image of such sizes"
        return np.asarray(stream).tobytes()
    if suffix not in _PILLOW:
        raise OutputError(f"{path}: expected an image name such as 000001.jpg or 000001.png")
    kind, options = _PILLOW[suffix]
    buffer = io.BytesIO()
    try:
        PIL.Image.fromarray(image).save(buffer, kind, **options)
    except (OSError, ValueError) as error:
        raise OutputError(f"{path}: cannot be written as {suffix}: {error}") from None
    return buffer.getvalue()
