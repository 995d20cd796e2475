"""How the drawn numbers of a degradation move from frame to frame, and how a severity narrows them.

Every number that can change smoothly lies in a `Span`. A video's numbers walk at random inside their spans, mirrored
at the ends: whatever they are drawn from uniformly, they then follow in every frame. The steps are those of
RealBasicVSR (Chan et al., CVPR 2022), which draws from the same distributions; it clips where we mirror.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import pi
from operator import attrgetter
from typing import Any, Literal, TypeVar

from vsdmot.degradation.drawing import BETAS, DegradationConfig, StageConfig, lowest_cutoff
from vsdmot.degradation.parameters import DegradationParameters, KernelParameters, StageParameters

S = TypeVar("S")


@dataclass(frozen=True, kw_only=True)
class Span:
    """Where a number may lie.

    Attributes:
        low: Least value.
        high: Greatest value.
        step: It changes by at most this from one frame to the next.
        worse: The end at which the picture is worse; None where neither is, or the number is an angle.
        circular: Whether the ends are the same, as for angles.
    """

    low: float
    high: float
    step: float
    worse: Literal["low", "high"] | None = None
    circular: bool = False

    def fold(self, value: float) -> float:
        """Mirror a value at the ends, as often as needed, until it lies inside; angles go round.

        >>> span = Span(low=0.0, high=1.0, step=0.1)
        >>> [round(span.fold(value), 3) for value in (0.25, 1.25, -0.25, 2.25)]
        [0.25, 0.75, 0.25, 0.25]
        """
        width = self.high - self.low
        if width <= 0:
            return self.low
        if self.circular:
            return self.low + (value - self.low) % width
        beyond = (value - self.low) % (2 * width)
        return self.low + min(beyond, 2 * width - beyond)

    def worsen(self, value: float, share: float) -> float:
        """Move a value towards the worse end by a share of the way, 0 to 1."""
        if self.worse is None:
            return value
        return value + share * ((self.low if self.worse == "low" else self.high) - value)

    def fifth(self, severity: int) -> Span:
        """Give the part of the span, a fifth, that belongs to a severity from 1 to 5; all of it if no end is worse.

        >>> span = Span(low=30.0, high=95.0, step=3.0, worse="low").fifth(5)
        >>> span.low, span.high
        (30.0, 43.0)
        """
        if self.worse is None:
            return self
        from_low = severity - 1 if self.worse == "high" else 5 - severity
        width = (self.high - self.low) / 5
        low = self.low + from_low * width
        return Span(low=low, high=low + width, step=self.step, worse=self.worse)

    def squeeze(self, value: float, part: Span) -> float:
        """Map a value of this span to the same place in a part of it; what is uniform stays uniform."""
        if part is self or self.high <= self.low:
            return value
        return part.low + (value - self.low) / (self.high - self.low) * (part.high - part.low)


_STAGE_PATHS = (
    "blur.sigma_x",
    "blur.sigma_y",
    "blur.angle",
    "blur.beta",
    "blur.cutoff",
    "resize.scale",
    "noise.strength",
    "jpeg_quality",
)
PATHS = (*(f"{stage}.{name}" for stage in ("first", "second") for name in _STAGE_PATHS), "final_sinc.cutoff")
"""Dotted names of all numbers of `DegradationParameters` that can drift."""


def spans(parameters: DegradationParameters, config: DegradationConfig) -> dict[str, Span]:
    """Give the spans of the numbers that these parameters use, by dotted name (`PATHS`)."""
    found = {
        **_stage_spans("first", parameters.first, config.first, resize_step=0.015),
        **_stage_spans("second", parameters.second, config.second, resize_step=0.03),
    }
    if parameters.final_sinc is not None:
        found["final_sinc.cutoff"] = Span(low=pi / 3, high=pi, step=0.0628, worse="low")
    return found


def values_of(parameters: DegradationParameters, names: Iterable[str]) -> dict[str, float]:
    """Read numbers by their dotted names."""
    return {name: attrgetter(name)(parameters) for name in names}


def with_values(parameters: DegradationParameters, values: Mapping[str, float]) -> DegradationParameters:
    """Give the parameters with other numbers, by dotted name."""
    changes: dict[str, Any] = {}
    for name, value in values.items():
        *parents, last = name.split(".")
        node = changes
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = value
    return _changed(parameters, changes)


def _changed(settings: S, changes: Mapping[str, Any]) -> S:
    values = {
        name: _changed(getattr(settings, name), change) if isinstance(change, dict) else change
        for name, change in changes.items()
    }
    return replace(settings, **values)  # type: ignore[type-var]


def _stage_spans(name: str, stage: StageParameters, config: StageConfig, resize_step: float) -> dict[str, Span]:
    found = _kernel_spans(f"{name}.blur", stage.blur, config) if stage.blur is not None else {}
    least, most = config.scale
    if stage.resize.scale < 1:
        found[f"{name}.resize.scale"] = Span(low=least, high=1.0, step=resize_step, worse="low")
    elif stage.resize.scale > 1:
        found[f"{name}.resize.scale"] = Span(low=1.0, high=most, step=resize_step)
    gaussian = stage.noise.kind == "gaussian"
    low, high = config.gaussian_sigma if gaussian else config.poisson_scale
    found[f"{name}.noise.strength"] = Span(low=low, high=high, step=0.1 if gaussian else 0.005, worse="high")
    low, high = config.jpeg_quality
    found[f"{name}.jpeg_quality"] = Span(low=low, high=high, step=3.0, worse="low")
    return found


def _kernel_spans(name: str, kernel: KernelParameters, config: StageConfig) -> dict[str, Span]:
    if kernel.family == "sinc":
        return {f"{name}.cutoff": Span(low=lowest_cutoff(kernel.size), high=pi, step=0.0628, worse="low")}
    low, high = config.sigma
    width = Span(low=low, high=high, step=0.02, worse="high")
    found = {f"{name}.sigma_x": width}
    if kernel.sigma_y is not None:
        found[f"{name}.sigma_y"] = width
        found[f"{name}.angle"] = Span(low=-pi, high=pi, step=0.31416, circular=True)
    if kernel.family in BETAS:
        low, high = BETAS[kernel.family]
        side = (low, 1.0) if kernel.beta < 1 or high == 1 else (1.0, high)
        side = (1.0, 1.0) if kernel.beta == 1 else side  # half of the plateaus: drawn from a range of one number
        found[f"{name}.beta"] = Span(low=side[0], high=side[1], step=0.05 if kernel.family == "generalised" else 0.1)
    return found
