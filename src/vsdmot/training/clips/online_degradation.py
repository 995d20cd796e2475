"""Degrade clips while they are drawn, and imitate what a detector would make of such frames.

The degradation is that of `vsdmot degrade`: parameters are drawn for the clip and drift over its frames, and a bad
spell may come. The picture keeps its size, so boxes stay valid. Proposals from a file stay those of the clean frame,
which are better than a detector would find in the degraded one; imitated ones get worse with the frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vsdmot.config import check, within
from vsdmot.degradation.frames import spoil
from vsdmot.degradation.operators import ON_VIDEO, Operator
from vsdmot.degradation.schedule import DegradeSettings, Mode, Schedule
from vsdmot.errors import ConfigError
from vsdmot.structures import Boxes, Image, Proposals, Tracks
from vsdmot.synthesis.imitated_detector import noisy_proposals

_FIRST_FRAMES = 600
"""Clips begin anywhere in so many frames of a schedule, so that bad spells come as often as in whole videos."""

_CLEAN_QUALITY = 0.8
"""``Q`` of an ordinary clean frame (docs/quality.md)."""


@dataclass(frozen=True, kw_only=True)
class OnlineDegradationConfig:
    """Which clips are degraded while they are drawn, and how.

    Sequences that were degraded on disk are left as they are. A frame of 1920x1080 takes a quarter of a second: to
    train for many epochs, degrade once, with `vsdmot data build`.

    Attributes:
        probability: Share of clips that are degraded; 0 is off.
        mode: How the degradation changes over a clip: drift slowly with bad spells, a new draw per_frame, or fixed.
        severity: From 1 (mild) to 5 (hardly usable); null draws from the published distributions.
        only: Operators in place of the whole chain (eq17), separated by commas; not h264 and dropped_frames, which
            need the frames between those of a clip.
    """

    probability: float = 0.0
    mode: Mode = "drift"
    severity: int | None = None
    only: tuple[Operator, ...] = ("eq17",)

    def __post_init__(self) -> None:
        check(self, probability=within(0, 1), severity=within(1, 5))
        self.settings(0)
        if refused := sorted(set(self.only) & set(ON_VIDEO)):
            raise ConfigError(
                f"only: {', '.join(refused)} needs every frame of a video, and a clip has a few: use vsdmot degrade"
            )

    def settings(self, seed: int) -> DegradeSettings:
        """Give the settings of one clip."""
        return DegradeSettings(mode=self.mode, seed=seed, severity=self.severity, only=self.only)


@dataclass(frozen=True, eq=False)
class ClipDegradation:
    """What happens to the frames of one clip.

    Attributes:
        schedule: Parameters and noise of each frame of a video.
        first_frame: Where in it the clip begins.
    """

    schedule: Schedule
    first_frame: int

    def apply(self, image: Image, offset: int) -> Image:
        """Degrade a frame, ``offset`` frames of the video after the first of the clip."""
        frame = self.first_frame + offset
        return spoil(image, self.schedule.at(frame), self.schedule.noise(frame))

    def label(self, offset: int) -> str:
        """Name what is done to a frame; other degradations have other names."""
        return f"degraded-{self.schedule.settings.seed:x}-{self.first_frame + offset}"


def draw_degradation(config: OnlineDegradationConfig, rng: np.random.Generator) -> ClipDegradation | None:
    """Draw whether and how a clip is degraded; None leaves it clean."""
    if rng.random() >= config.probability:
        return None
    settings = config.settings(int(rng.integers(2**63)))
    return ClipDegradation(Schedule(settings, "clip"), int(rng.integers(1, _FIRST_FRAMES + 1)))


def imitate_proposals(people: Boxes, image: Image, quality: float, rng: np.random.Generator) -> Proposals:
    """Make proposals of true boxes: shifted, missed, doubled and invented, the more so the lower the quality.

    Args:
        people: ``(G, 4)`` ``xyxy`` in pixels.
        image: The frame; only its size matters.
        quality: Its ``Q``. Every clean frame counts as 0.8.
        rng: Source of all errors.
    """
    severity = float(np.clip(1 - quality / _CLEAN_QUALITY, 0, 1))
    truth = Tracks(
        ids=np.arange(1, len(people) + 1, dtype=np.int64), boxes=people, scores=np.ones(len(people), np.float32)
    )
    return noisy_proposals(truth, image.shape, rng, severity=severity)
