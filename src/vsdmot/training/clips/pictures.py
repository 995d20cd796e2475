"""Read the images of a clip."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from vsdmot.errors import SourceError
from vsdmot.io.images import read_image
from vsdmot.structures import Image

_JPEG_START, _JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
_LONGEST_TAIL = 4096  # bytes that cameras and editors leave behind the end of a JPEG


def read_picture(path: Path) -> Image:
    """Read an image as `vsdmot.io.images.read_image` does, JPEG by OpenCV, which takes two thirds of the time.

    Whatever OpenCV cannot read or may misread is left to Pillow, which says what is wrong: some versions of OpenCV fill
    the rest of a file that was cut off with grey.

    Raises:
        SourceError: The file is missing or damaged.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: not readable as an image: {error.strerror}") from None
    if data.startswith(_JPEG_START) and data.rfind(_JPEG_END, -_LONGEST_TAIL) > 0:
        image: Image | None = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        if image is not None:
            cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=image)
            return image
    return read_image(path)


def read_alike(paths: list[Path]) -> list[Image]:
    """Read the images of a clip, each once.

    Raises:
        SourceError: One cannot be read, or is of another size than the first.
    """
    known: dict[Path, Image] = {}
    for path in paths:
        if path not in known:
            known[path] = read_picture(path)
        expected, found = known[paths[0]].shape, known[path].shape
        if found != expected:
            raise SourceError(
                f"{path}: expected {expected[1]}x{expected[0]} like {paths[0].name}, got {found[1]}x{found[0]}"
            )
    return [known[path] for path in paths]
