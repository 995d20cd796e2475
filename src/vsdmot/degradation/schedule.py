"""What happens to each frame of a video, as a function of seed, name of the sequence and frame number alone.

So any worker can make any frame, in any order, and a run that was cut off can go on. ``drift`` draws once for the
sequence and lets the numbers walk; now and then a bad spell of about a second pushes all of them towards their worse
ends and back ("frame quality fluctuation"). ``per_frame`` draws anew for every frame, ``fixed`` once for all.

Paper note: VSD-MOT says only that Real-ESRGAN's degradation is "applied to these selected sequences". Real-ESRGAN draws
for single images; drawn for every frame of a video, its results flicker as no camera does, so ``drift`` is the default.
"""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from math import cos, pi
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vsdmot.config import at_least, check, within
from vsdmot.degradation.drawing import DegradationConfig, draw_parameters
from vsdmot.degradation.drifting import PATHS, Span, spans, values_of, with_values
from vsdmot.degradation.operators import OPERATORS, TABLES, Operator, values_at
from vsdmot.degradation.parameters import DegradationParameters
from vsdmot.degradation.video_codec import GROUP_FRAMES, group_of

Mode = Literal["drift", "per_frame", "fixed"]

LEVEL_STEP = 0.05
"""A drifting severity of a single operator changes by at most this from frame to frame."""

ANGLE_STEP = 0.1
"""The direction of motion blur turns by at most this (radians) from frame to frame."""

SPELL_FRAMES = (12, 40)
"""Shortest and longest bad spell."""

FRAMES_BETWEEN_SPELLS = 150
"""Bad spells begin at random, this many frames apart in the mean."""

_BLOCK = 256  # frames whose chance is drawn together, so that frame 100,000 does not need 100,000 generators

# What a random generator is for; a purpose of its own keeps its draws independent of all others.
_CHAIN, _LEVELS, _STEPS, _SPELLS, _DROPS, _NOISE = range(6)


@dataclass(frozen=True, kw_only=True)
class DegradeSettings:
    """How sequences are degraded.

    Attributes:
        mode: How the degradation changes over a video: drift slowly with short bad spells, a new draw per_frame, or
            fixed.
        seed: Another seed gives other degradations; each sequence has its own under any seed.
        severity: From 1 (mild) to 5 (hardly usable); null draws from the published distributions (operators named in
            only: from 1 to 5).
        only: Operators in place of the whole chain (eq17), separated by commas.
    """

    mode: Mode = "drift"
    seed: int = 0
    severity: int | None = None
    only: tuple[Operator, ...] = ("eq17",)

    def __post_init__(self) -> None:
        check(self, seed=at_least(0), severity=within(1, 5), only=_operators)

    @property
    def operators(self) -> tuple[Operator, ...]:
        """The operators in the order in which they are applied."""
        return tuple(operator for operator in OPERATORS if operator in self.only)


def _operators(names: tuple[str, ...]) -> str | None:
    if not names:
        return f"one or more of {', '.join(OPERATORS)}"
    return None if len(set(names)) == len(names) else "without repetition"


@dataclass(frozen=True, kw_only=True)
class FrameParameters:
    """What is done to one frame, but for the noise fields.

    Attributes:
        frame: Its number, from 1.
        bad_spell: How far a bad spell pushes it, from 0 (none) to 1 (all the way).
        dropped: Whether it is lost on the way, so that the frame before it is shown again.
        values: Numbers of each operator but ``eq17``, in the order in which they are applied.
        eq17: Parameters of the second-order chain; None if it is not applied.
    """

    frame: int
    bad_spell: float
    dropped: bool
    values: dict[Operator, dict[str, float]]
    eq17: DegradationParameters | None


class Schedule:
    """The parameters and the noise of every frame of one sequence."""

    def __init__(self, settings: DegradeSettings, name: str, config: DegradationConfig | None = None) -> None:
        """Take what decides.

        Args:
            settings: Mode, seed, severity and operators.
            name: The sequence's name; two sequences of other names are degraded independently.
            config: From what the second-order chain is drawn; None for the published distributions.
        """
        self.settings = settings
        self.name = name
        self._config = config or DegradationConfig()
        digest = hashlib.blake2b(unicodedata.normalize("NFC", name).encode(), digest_size=16).digest()
        self._key = [settings.seed, *np.frombuffer(digest, "<u4").tolist()]
        self._block_starts = [np.zeros(_NUM_COLUMNS)]

    def at(self, frame: int) -> FrameParameters:
        """Give the parameters of a frame, counted from 1."""
        values = self._values(frame)
        return FrameParameters(
            frame=frame,
            bad_spell=self._bad_spell(frame),
            dropped="dropped_frames" in self.settings.only and frame in self._dropped(group_of(frame)),
            values=values,
            eq17=self._chain(frame) if "eq17" in self.settings.only else None,
        )

    def noise(self, frame: int) -> np.random.Generator:
        """Give the source of a frame's noise fields."""
        return self._rng(_NOISE, frame)

    def _rng(self, purpose: int, number: int) -> np.random.Generator:
        return np.random.default_rng([*self._key, purpose, number])

    def _values(self, frame: int) -> dict[Operator, dict[str, float]]:
        """Numbers of the operators that have tables."""
        values: dict[Operator, dict[str, float]] = {}
        for operator in self.settings.operators:
            if operator == "eq17":
                continue
            first_of_group = group_of(frame) * GROUP_FRAMES + 1  # one coder, and one line, for all frames of a group
            when = first_of_group if operator in ("h264", "dropped_frames") else frame
            level = self._level(operator, when)
            values[operator] = {"severity": level, **values_at(operator, level)}
            if operator == "motion_blur":
                values[operator]["angle"] = self._angle(when)
        return values

    def _level(self, operator: Operator, frame: int) -> float:
        severity = self.settings.severity
        if severity is not None and self.settings.mode == "fixed":
            return float(severity)
        low, high = (1.0, 5.0) if severity is None else (max(1.0, severity - 0.5), min(5.0, severity + 0.5))
        span = Span(low=low, high=high, step=LEVEL_STEP, worse="high")
        start = low + (high - low) * self._uniform(frame)[OPERATORS.index(operator)]
        return float(min(max(self._moved(span, start, operator, frame), 1.0), 5.0))  # rounding can pass the ends

    def _angle(self, frame: int) -> float:
        """Give the direction of motion blur; opposite directions are the same."""
        span = Span(low=0.0, high=pi, step=ANGLE_STEP, circular=True)
        return self._moved(span, pi * self._uniform(frame)[len(OPERATORS)], "angle", frame)

    def _chain(self, frame: int) -> DegradationParameters:
        drawn, limits, starts = self._drawn_chain(self._source(frame))
        if self.settings.mode != "drift":
            return with_values(drawn, starts)
        moved = {name: self._moved(span, starts[name], name, frame) for name, span in limits.items()}
        return with_values(drawn, moved)

    def _source(self, frame: int) -> int:
        """Give the number of the draw that a frame's parameters begin from."""
        return frame if self.settings.mode == "per_frame" else 0

    @lru_cache(maxsize=2)  # noqa: B019 (a schedule lives as long as its sequence)
    def _drawn_chain(self, source: int) -> tuple[DegradationParameters, dict[str, Span], dict[str, float]]:
        """Draw the chain: its parameters, the spans in which they may move, and where in them they start."""
        drawn = draw_parameters(self._rng(_CHAIN, source), self._config)
        limits = spans(drawn, self._config)
        starts = values_of(drawn, limits)
        if self.settings.severity is not None:
            parts = {name: span.fifth(self.settings.severity) for name, span in limits.items()}
            starts = {name: limits[name].squeeze(starts[name], part) for name, part in parts.items()}
            limits = parts
        return drawn, limits, starts

    def _uniform(self, frame: int) -> NDArray[np.float64]:
        """Give one number in [0, 1) for each operator, used or not, and one for the angle."""
        return self._rng(_LEVELS, self._source(frame)).random(len(OPERATORS) + 1)

    def _moved(self, span: Span, start: float, column: str, frame: int) -> float:
        """Let a number walk from where it started until a frame, and worsen it in a bad spell."""
        if self.settings.mode != "drift":
            return start
        walked = span.fold(start + span.step * self._walk(frame)[_COLUMNS[column]])
        return span.worsen(walked, self._bad_spell(frame))

    @lru_cache(maxsize=2)  # noqa: B019
    def _walk(self, frame: int) -> NDArray[np.float64]:
        """Sum the steps, uniform in [-1, 1], from frame 1 to a frame; one column for each number that can move."""
        block, position = divmod(frame - 1, _BLOCK)
        while len(self._block_starts) <= block:
            number = len(self._block_starts) - 1
            self._block_starts.append(self._block_starts[-1] + self._steps(number).sum(axis=0))
        walk: NDArray[np.float64] = self._block_starts[block] + self._steps(block)[:position].sum(axis=0)
        return walk

    @lru_cache(maxsize=2)  # noqa: B019
    def _steps(self, block: int) -> NDArray[np.float64]:
        return self._rng(_STEPS, block).uniform(-1, 1, (_BLOCK, _NUM_COLUMNS))

    def _bad_spell(self, frame: int) -> float:
        """Give how far bad spells push a frame: each rises and falls like half a sine; the strongest counts."""
        if self.settings.mode != "drift":
            return 0.0
        block = (frame - 1) // _BLOCK
        spells = [spell for number in (block - 1, block) if number >= 0 for spell in self._spells(number)]
        pushes = [
            strength * cos(pi * ((frame - start) / length - 0.5))
            for start, length, strength in spells
            if start < frame < start + length
        ]
        return max(pushes, default=0.0)

    @lru_cache(maxsize=4)  # noqa: B019
    def _spells(self, block: int) -> list[tuple[float, float, float]]:
        """Draw start, length and strength of the bad spells that begin in a block of frames."""
        rng = self._rng(_SPELLS, block)
        count = int(rng.poisson(_BLOCK / FRAMES_BETWEEN_SPELLS))
        starts = block * _BLOCK + 1 + rng.random(count) * _BLOCK
        lengths, strengths = rng.uniform(*SPELL_FRAMES, count), rng.uniform(0.5, 1.0, count)
        return list(zip(starts.tolist(), lengths.tolist(), strengths.tolist(), strict=True))

    @lru_cache(maxsize=4)  # noqa: B019
    def _dropped(self, group: int) -> frozenset[int]:
        """Draw which frames of a group are lost, never its first, which is a key frame.

        Every frame may begin a freeze; freezes can meet. A higher severity loses what a lower one loses, and more.
        """
        first = group * GROUP_FRAMES + 1
        values = values_at("dropped_frames", self._level("dropped_frames", first))
        chances, lengths = self._rng(_DROPS, group).random((2, GROUP_FRAMES))
        lost: set[int] = set()
        for position in range(1, GROUP_FRAMES):
            if chances[position] < values["start_probability"]:
                length = 1 + int(lengths[position] * round(values["longest"]))
                lost.update(range(first + position, first + min(position + length, GROUP_FRAMES)))
        return frozenset(lost)


_COLUMNS = {name: column for column, name in enumerate((*PATHS, "angle", *TABLES))}
_NUM_COLUMNS = len(_COLUMNS)
