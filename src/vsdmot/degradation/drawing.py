"""From what the parameters of the second-order chain are drawn: by default, the published distributions.

Those are the ones of Real-ESRGAN's x4plus model (Wang et al., ICCV workshops 2021), but for the size of
the result: see `DegradationConfig`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import pi
from typing import Literal

import numpy as np

from vsdmot.config import Rule, check, within
from vsdmot.degradation.parameters import (
    DegradationParameters,
    Family,
    KernelParameters,
    NoiseParameters,
    ResizeParameters,
    StageParameters,
)
from vsdmot.degradation.resize import MODES, ResizeMode

KERNEL_SIZES = (7, 9, 11, 13, 15, 17, 19, 21)

_FAMILIES: tuple[tuple[Family, bool, float], ...] = (  # family, isotropic, probability among kernels that are no sinc
    ("gaussian", True, 0.45),
    ("gaussian", False, 0.25),
    ("generalised", True, 0.12),
    ("generalised", False, 0.03),
    ("plateau", True, 0.12),
    ("plateau", False, 0.03),
)
BETAS: dict[Family, tuple[float, float]] = {"generalised": (0.5, 4.0), "plateau": (1.0, 2.0)}


def _interval(low: float, high: float) -> Rule:
    text = f"two numbers, the lower first, from {low:g} to {high:g}"
    return lambda pair: None if low <= pair[0] <= pair[1] <= high else text


def _probabilities(values: tuple[float, ...]) -> str | None:
    proper = min(values) >= 0 and abs(sum(values) - 1) < 1e-6
    return None if proper else "probabilities that sum to 1"


@dataclass(frozen=True, kw_only=True)
class StageConfig:
    """From what the parameters of one stage are drawn; the defaults are those of the first stage.

    Attributes:
        blur_probability: Share of images that are blurred; higher blurs more of them, lower leaves more sharp.
        sigma: Range of kernel widths in pixels; higher values blur more, lower ones less.
        sinc_probability: Share of kernels that are a sinc; higher gives more ringing edges, lower fewer.
        resize_probabilities: Shares of images that grow, shrink and keep their size.
        scale: Least and greatest scale, at most 1 and at least 1; a lower least value loses more detail, a greatest
            value nearer to 1 enlarges less.
        gaussian_probability: Share of images with Gaussian noise; the others get Poisson noise.
        gaussian_sigma: Range of the standard deviation in grey levels of 255; higher is noisier, lower cleaner.
        poisson_scale: Range of the factor on Poisson noise; higher is noisier, lower cleaner.
        gray_probability: Share of images whose channels get the same noise; lower gives more coloured noise.
        jpeg_quality: Range of the quality, 1 to 100; lower shows more blocks, higher fewer.
    """

    blur_probability: float = 1.0
    sigma: tuple[float, float] = (0.2, 3.0)
    sinc_probability: float = 0.1
    resize_probabilities: tuple[float, float, float] = (0.2, 0.7, 0.1)
    scale: tuple[float, float] = (0.15, 1.5)
    gaussian_probability: float = 0.5
    gaussian_sigma: tuple[float, float] = (1.0, 30.0)
    poisson_scale: tuple[float, float] = (0.05, 3.0)
    gray_probability: float = 0.4
    jpeg_quality: tuple[float, float] = (30.0, 95.0)

    def __post_init__(self) -> None:
        check(
            self,
            blur_probability=within(0, 1),
            sigma=_interval(0.05, 100),
            sinc_probability=within(0, 1),
            resize_probabilities=_probabilities,
            scale=lambda pair: None if 0.01 <= pair[0] <= 1 <= pair[1] <= 4 else "0.01 to 1, then 1 to 4",
            gaussian_probability=within(0, 1),
            gaussian_sigma=_interval(0, 255),
            poisson_scale=_interval(0, 100),
            gray_probability=within(0, 1),
            jpeg_quality=_interval(1, 100),
        )


@dataclass(frozen=True, kw_only=True)
class SecondStageConfig(StageConfig):
    """From what the parameters of the second stage are drawn: as `StageConfig`, with milder defaults.

    Attributes:
        blur_probability: Share of images that are blurred again; higher blurs more of them, lower leaves more sharp.
        sigma: Range of kernel widths in pixels; higher values blur more, lower ones less.
        sinc_probability: Share of kernels that are a sinc; higher gives more ringing edges, lower fewer.
        resize_probabilities: Shares of images that grow, shrink and keep their size, against the chain's input.
        scale: Least and greatest scale, at most 1 and at least 1; a lower least value loses more detail, a greatest
            value nearer to 1 enlarges less.
        gaussian_probability: Share of images with Gaussian noise; the others get Poisson noise.
        gaussian_sigma: Range of the standard deviation in grey levels of 255; higher is noisier, lower cleaner.
        poisson_scale: Range of the factor on Poisson noise; higher is noisier, lower cleaner.
        gray_probability: Share of images whose channels get the same noise; lower gives more coloured noise.
        jpeg_quality: Range of the quality, 1 to 100; lower shows more blocks, higher fewer.
    """

    blur_probability: float = 0.8
    sigma: tuple[float, float] = (0.2, 1.5)
    resize_probabilities: tuple[float, float, float] = (0.3, 0.4, 0.3)
    scale: tuple[float, float] = (0.3, 1.2)
    gaussian_sigma: tuple[float, float] = (1.0, 25.0)
    poisson_scale: tuple[float, float] = (0.05, 2.5)


@dataclass(frozen=True, kw_only=True)
class DegradationConfig:
    """From what the parameters of the whole chain are drawn.

    Paper note: VSD-MOT names "the degradation function of Real-ESRGAN" and no more. Images come back to their own size,
    so that boxes stay valid, and are not sharpened first: sharpening is there to teach super-resolution crisp targets.

    Attributes:
        first: First stage.
        second: Second stage.
        final_sinc_probability: Share of images that end with a sinc; higher gives more ringing edges, lower fewer.
        sharpen: Whether to sharpen the clean image first, as Real-ESRGAN does in training.
    """

    first: StageConfig = field(default_factory=StageConfig)
    second: SecondStageConfig = field(default_factory=SecondStageConfig)
    final_sinc_probability: float = 0.8
    sharpen: bool = False

    def __post_init__(self) -> None:
        check(self, final_sinc_probability=within(0, 1))


def draw_parameters(rng: np.random.Generator, config: DegradationConfig | None = None) -> DegradationParameters:
    """Draw the parameters of one image (Eq. 17, Real-ESRGAN).

    Args:
        rng: Source of every draw.
        config: The distributions; None for the published ones.

    >>> parameters = draw_parameters(np.random.default_rng(0))
    >>> parameters.first.blur.size in KERNEL_SIZES
    True
    """
    config = config or DegradationConfig()
    first = _draw_stage(rng, config.first)
    second = _draw_stage(rng, config.second)
    final_sinc = None
    if rng.random() < config.final_sinc_probability:
        size = int(rng.choice(KERNEL_SIZES))
        final_sinc = KernelParameters(family="sinc", size=size, cutoff=rng.uniform(pi / 3, pi))
    return DegradationParameters(
        sharpen=config.sharpen,
        first=first,
        second=second,
        final_mode=_draw_mode(rng),
        final_sinc=final_sinc,
        jpeg_last=bool(rng.random() < 0.5),
    )


def _draw_stage(rng: np.random.Generator, stage: StageConfig) -> StageParameters:
    blur = _draw_kernel(rng, stage) if rng.random() < stage.blur_probability else None
    low, high = stage.scale
    direction = rng.choice(3, p=np.divide(stage.resize_probabilities, sum(stage.resize_probabilities)))
    scale = (rng.uniform(1, high), rng.uniform(low, 1), 1.0)[direction]
    kind: Literal["gaussian", "poisson"] = "gaussian" if rng.random() < stage.gaussian_probability else "poisson"
    strengths = stage.gaussian_sigma if kind == "gaussian" else stage.poisson_scale
    return StageParameters(
        blur=blur,
        resize=ResizeParameters(scale=scale, mode=_draw_mode(rng)),
        noise=NoiseParameters(
            kind=kind, strength=rng.uniform(*strengths), gray=bool(rng.random() < stage.gray_probability)
        ),
        jpeg_quality=rng.uniform(*stage.jpeg_quality),
    )


def _draw_kernel(rng: np.random.Generator, stage: StageConfig) -> KernelParameters:
    size = int(rng.choice(KERNEL_SIZES))
    if rng.random() < stage.sinc_probability:
        return KernelParameters(family="sinc", size=size, cutoff=rng.uniform(lowest_cutoff(size), pi))
    family, isotropic, _ = _FAMILIES[rng.choice(len(_FAMILIES), p=[weight for *_, weight in _FAMILIES])]
    beta = 1.0
    if family in BETAS:
        low, high = BETAS[family]
        beta = rng.uniform(low, 1) if rng.random() < 0.5 else rng.uniform(1, high)
    sigma_x = rng.uniform(*stage.sigma)
    if isotropic:
        return KernelParameters(family=family, size=size, sigma_x=sigma_x, beta=beta)
    sigma_y, angle = rng.uniform(*stage.sigma), rng.uniform(-pi, pi)
    return KernelParameters(family=family, size=size, sigma_x=sigma_x, sigma_y=sigma_y, angle=angle, beta=beta)


def lowest_cutoff(size: int) -> float:
    """Give the lowest cut-off of a sinc kernel: a small one cannot hold the ripples of a low cut-off."""
    return pi / 3 if size < 13 else pi / 5


def _draw_mode(rng: np.random.Generator) -> ResizeMode:
    return MODES[rng.integers(len(MODES))]
