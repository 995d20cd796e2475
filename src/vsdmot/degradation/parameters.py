"""What the second-order chain needs to know for one image: plain values that a file can hold.

They are drawn by `vsdmot.degradation.drawing.draw_parameters` and used by `vsdmot.degradation.chain.apply`. The two are
apart, so that the parameters of a video can drift from frame to frame. Parameters are settings in the sense of
`vsdmot.config`: ``to_mapping`` gives plain values for JSON, ``from_mapping`` reads them back and checks them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import Literal

from vsdmot.config import above, at_least, check, within
from vsdmot.degradation.kernels import Kernel, gaussian_kernel, sinc_kernel
from vsdmot.degradation.resize import ResizeMode

Family = Literal["gaussian", "generalised", "plateau", "sinc"]


@dataclass(frozen=True, kw_only=True)
class KernelParameters:
    """A blur kernel, by its numbers.

    Attributes:
        family: Which function the weights follow.
        size: Side in pixels, odd.
        sigma_x: Width along the first axis, pixels; not used by sinc.
        sigma_y: Width along the second axis, pixels; None for an isotropic kernel.
        angle: Direction of the first axis, radians; only anisotropic kernels have one.
        beta: Exponent of the generalised and plateau families; above 1 the flanks are steeper.
        cutoff: Highest frequency that a sinc passes, radians per pixel; lower blurs and rings more.
    """

    family: Family
    size: int
    sigma_x: float = 1.0
    sigma_y: float | None = None
    angle: float = 0.0
    beta: float = 1.0
    cutoff: float = pi

    def __post_init__(self) -> None:
        check(
            self,
            size=lambda size: None if size % 2 == 1 and 1 <= size <= 99 else "odd, from 1 to 99",
            sigma_x=above(0),
            sigma_y=above(0),
            beta=above(0),
            cutoff=lambda cutoff: None if 0 < cutoff <= pi else "greater than 0 and at most pi",
        )

    def kernel(self) -> Kernel:
        """Make the kernel, ``(size, size)`` float64 with sum 1."""
        if self.family == "sinc":
            return sinc_kernel(self.size, self.cutoff)
        return gaussian_kernel(self.size, self.sigma_x, self.sigma_y, self.angle, self.family, self.beta)


@dataclass(frozen=True, kw_only=True)
class ResizeParameters:
    """A change of size.

    Attributes:
        scale: New side over the side of the image that it is counted from (`StageParameters`).
        mode: Interpolation.
    """

    scale: float
    mode: ResizeMode

    def __post_init__(self) -> None:
        check(self, scale=within(0.01, 4))


@dataclass(frozen=True, kw_only=True)
class NoiseParameters:
    """Noise, without the random field itself.

    Attributes:
        kind: Gaussian, or Poisson (stronger where the image is brighter).
        strength: Gaussian: standard deviation in grey levels of 255. Poisson: factor on the noise.
        gray: Whether the three channels get the same noise.
    """

    kind: Literal["gaussian", "poisson"]
    strength: float
    gray: bool

    def __post_init__(self) -> None:
        check(self, strength=at_least(0))


@dataclass(frozen=True, kw_only=True)
class StageParameters:
    """One round of blur, resize, noise and JPEG.

    Attributes:
        blur: Kernel; None for no blur.
        resize: Counted from the size of the whole chain's input, in the second stage too.
        noise: Noise.
        jpeg_quality: 1 (worst) to 100; real, so that it can drift, and rounded when used.
    """

    blur: KernelParameters | None
    resize: ResizeParameters
    noise: NoiseParameters
    jpeg_quality: float

    def __post_init__(self) -> None:
        check(self, jpeg_quality=within(1, 100))


@dataclass(frozen=True, kw_only=True)
class DegradationParameters:
    """Everything that the second-order chain draws for one image, but for the noise fields.

    Attributes:
        sharpen: Whether the clean image is sharpened by unsharp masking first.
        first: First stage.
        second: Second stage; its JPEG comes before or after the way back to full size.
        final_mode: Interpolation of the way back to full size.
        final_sinc: Low-pass at full size; None for none.
        jpeg_last: True: back to full size, sinc, JPEG. False: JPEG, back to full size, sinc.
    """

    sharpen: bool
    first: StageParameters
    second: StageParameters
    final_mode: ResizeMode
    final_sinc: KernelParameters | None
    jpeg_last: bool
