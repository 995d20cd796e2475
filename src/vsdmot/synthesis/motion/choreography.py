"""Groups that dance together: the same moves on the same beat, each dancer a little early or late, and changing places.

Like the stage dances of DanceTrack: alike to look at, always moving, often in each other's way, and rarely where a
constant speed would put them.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from vsdmot.synthesis.motion.body import Place
from vsdmot.synthesis.motion.channels import ARMS, FOOT_CHANNELS, Channel
from vsdmot.synthesis.motion.course import Course, Leg
from vsdmot.synthesis.motion.gait import Manner
from vsdmot.synthesis.motion.layers import Layer, Looks
from vsdmot.synthesis.motion.moves import BAR, MOVES, TRAVELLING, Move
from vsdmot.synthesis.motion.timing import LAST, ease, pick
from vsdmot.synthesis.motion.upright import Upright
from vsdmot.synthesis.skeleton import Skeleton

Array = NDArray[np.float64]

_NEAREST = 0.62
"""Metres that dancers keep between their middles where a formation allows it."""


class Choreography:
    """What a group dances, for as long as a scene may last.

    Attributes:
        bpm: Beats a minute.
        size: How many dancers.
    """

    bpm: float
    size: int

    def __init__(
        self,
        rng: np.random.Generator,
        size: int,
        *,
        centre: Place,
        spacing: float = 1.1,
        bpm: float | None = None,
        freestyle: float = 0.15,
    ) -> None:
        """Draw a dance.

        Args:
            rng: Source of randomness.
            size: How many dancers, one or more.
            centre: The middle of the group and the way it faces.
            spacing: Metres between neighbours; below 0.9 they hide each other often.
            bpm: Beats a minute, 90 to 130 where it is not given.
            freestyle: Share of the bars that each dancer fills with moves of its own; 1 for people at a party.
        """
        self.size = size
        self.bpm = float(rng.uniform(90, 130)) if bpm is None else bpm
        self._centre = centre
        self._spacing = spacing
        self._rng = rng
        bars = int((LAST + 10) * self.bpm / 60 / BAR) + 2
        self._own = rng.random(bars) < freestyle
        self._travels = np.zeros(bars, bool)
        if size > 1 and freestyle < 1:
            bar = int(rng.integers(1, 3))
            while bar < bars:
                self._travels[bar] = True
                bar += int(rng.integers(2, 5))
        self._bars = [pick(rng, TRAVELLING if self._travels[bar] else MOVES) for bar in range(bars)]
        self._routes = self._formations()

    def dancers(self, skeletons: Sequence[Skeleton]) -> list[Upright]:
        """Give the motion of each dancer, whose skeletons are as many as the choreography's size."""
        if len(skeletons) != self.size:
            raise ValueError(f"a choreography for {self.size} dancers got {len(skeletons)} skeletons")
        return [self._dancer(skeleton, route) for skeleton, route in zip(skeletons, self._routes, strict=True)]

    def _dancer(self, skeleton: Skeleton, route: tuple[Place, list[Leg]]) -> Upright:
        rng = self._rng
        start, legs = route
        if self.size == 1:
            legs = self._turns(rng, start)
        turning = {int(move.begin * self.bpm / 60 / BAR + 0.5) for move in legs}
        moves = [
            pick(rng, TRAVELLING if bar in turning else MOVES) if own else shared
            for bar, (own, shared) in enumerate(zip(self._own & ~self._travels, self._bars, strict=True))
        ]
        manner = Manner(
            half_width=float(rng.uniform(0.08, 0.11)), elbow=0.6, cadence=1.15, toe_out=float(rng.uniform(0.1, 0.3))
        )
        leg = skeleton.thigh_length + skeleton.calf_length
        late = float(np.clip(rng.normal(0, 0.07), -0.18, 0.18))
        shifted = [Leg(move.begin + late, move.end + late, move.to, move.bow) for move in legs]
        course = Course.through(start, shifted, leg=leg, cadence=manner.cadence)
        dance: Layer = Dance(rng, moves, self.bpm, late)
        return Upright(skeleton, manner, course, [dance, Looks(rng, widest=0.35)], name="dance")

    def _turns(self, rng: np.random.Generator, start: Place) -> list[Leg]:
        """Draw turns about oneself for one who dances alone."""
        turned, place, bar = [], start, 3
        while bar < len(self._bars):
            begin = bar * BAR * 60 / self.bpm
            shift = rng.uniform(-0.4, 0.4, 2)
            yaw = place.yaw + pick(rng, [2 * pi, -2 * pi, pi / 3, -pi / 3])
            place = Place(start.x + float(shift[0]), start.y + float(shift[1]), yaw)
            turned.append(Leg(begin, begin + 4 * 60 / self.bpm, place))
            bar += int(rng.integers(2, 7))
        return turned

    def _formations(self) -> list[tuple[Place, list[Leg]]]:
        """Draw where each dancer starts and how it goes from one formation to the next."""
        rng, size = self._rng, self.size
        spots = self._shape(rng)
        starts = spots.copy()
        yaw = self._centre.yaw
        yaws = np.full(size, yaw)
        routes: list[list[Leg]] = [[] for _ in range(size)]
        for bar in np.flatnonzero(self._travels).tolist():
            begin = bar * BAR * 60 / self.bpm
            end = begin + (BAR - 1) * 60 / self.bpm
            kind = pick(rng, ["shape", "shape", "swap", "turn"])
            if kind == "turn":
                # All turn about themselves in four beats.
                yaws = yaws + pick(rng, [2 * pi, -2 * pi])
                end = begin + 4 * 60 / self.bpm
                new, bows = spots, np.zeros(size)
            else:
                new, bows = self._next(rng, spots, swap=kind == "swap")
            for dancer in range(size):
                x, y = new[dancer].tolist()
                routes[dancer].append(Leg(begin, end, Place(x, y, float(yaws[dancer])), float(bows[dancer])))
            spots = new
        return [(Place(float(x), float(y), yaw), route) for (x, y), route in zip(starts, routes, strict=True)]

    def _next(self, rng: np.random.Generator, spots: Array, *, swap: bool) -> tuple[Array, Array]:
        """Find a next formation on whose way no two dancers meet, or stay."""
        size = len(spots)
        for attempt in range(16):
            new = spots.copy()
            if swap:
                # Pairs change places, fewer of them where they would be in each other's way.
                order = rng.permutation(size)
                pairs = max(1, size // (2 + attempt // 3))
                for a, b in zip(order[::2].tolist()[:pairs], order[1::2].tolist(), strict=False):
                    new[[a, b]] = new[[b, a]]
            else:
                shape = self._shape(rng)
                cost = np.hypot(*(spots[:, None] - shape[None]).transpose(2, 0, 1))
                _, columns = linear_sum_assignment(cost + rng.uniform(0, 0.8, cost.shape))
                new = shape[columns]
            bows = np.full(size, 0.42 if swap else float(rng.choice([0.0, 0.3])))
            far = float(np.hypot(*(new - spots).T).max())
            if 0.5 < far < 4.5 and _apart(spots, new, bows) > min(_NEAREST, 0.6 * self._spacing):
                return new, bows
        return spots, np.zeros(size)

    def _shape(self, rng: np.random.Generator) -> Array:
        """Draw a formation: ``(size, 2)`` places on the ground."""
        size, gap = self.size, self._spacing
        kind = pick(rng, ["line", "rows", "circle", "v", "staggered"])
        i = np.arange(size)
        if kind == "circle" and size > 3:
            radius = max(0.6 * gap, gap * size / (2 * pi))
            local = radius * np.stack([np.sin(2 * pi * i / size), np.cos(2 * pi * i / size)], axis=1)
        elif kind == "v":
            rank = (i + 1) // 2
            local = np.stack([(-1.0) ** i * rank * 0.8 * gap, -rank * 0.75 * gap], axis=1)
        elif kind == "line" and size < 7:
            local = np.stack([(i - (size - 1) / 2) * gap, np.zeros(size)], axis=1)
        else:
            columns = int(np.ceil(np.sqrt(size * 1.6)))
            row = i // columns
            offset = 0.5 * (row % 2) if kind == "staggered" else 0.0 * row
            local = np.stack([(i % columns - (columns - 1) / 2 + offset) * gap, -row * gap], axis=1)
        local = local - local.mean(0) + rng.normal(0, 0.05, (size, 2))
        c, s = cos(self._centre.yaw), sin(self._centre.yaw)
        placed: Array = np.array([self._centre.x, self._centre.y]) + local @ np.array([[c, s], [-s, c]])
        return placed


class Dance:
    """The layer of one dancer: its moves, bar after bar, over a bounce that goes with the beat."""

    def __init__(self, rng: np.random.Generator, moves: Sequence[Move], bpm: float, late: float) -> None:
        """Take the moves of all bars; ``late`` is the dancer's delay in seconds, the rest is drawn."""
        self._moves = tuple(moves)
        self._rate = bpm / 60
        self._late = late
        self._arms, self._trunk, self._steps = (
            float(value) for value in rng.uniform((0.85, 0.8, 0.8), (1.08, 1.15, 1.1))
        )
        self._bounce = float(rng.uniform(0.015, 0.035))
        self._sway = float(rng.uniform(0.0, 0.03))

    def apply(self, values: Array, time: float, share: float) -> None:
        """Change the channels of a moment."""
        beat = (time - self._late) * self._rate
        bar = int(beat // BAR)
        own = self._at(bar, beat)
        within = beat - bar * BAR
        # The next move takes over in the last beat, when the feet have come home.
        near = ease(within - (BAR - 1))
        if near > 0:
            own = own + near * (self._at(bar + 1, beat) - own)
        own *= self._trunk
        for arm in ARMS:
            values[arm] = own[arm] * (self._arms / self._trunk)
            own[arm] = 0
        still = 1 - ease(share * 2.5)
        for foot in FOOT_CHANNELS:
            own[foot] *= still * self._steps / self._trunk
        for channel in (Channel.FORWARD, Channel.RIGHT, Channel.UP, Channel.YAW):
            own[channel] *= still * self._steps / self._trunk
        values += own
        pulse = cos(2 * pi * beat)
        values[Channel.UP] -= self._bounce * (1 - pulse) * still
        values[Channel.BEND] += 0.05 * (1 - pulse) * 0.5
        values[Channel.RIGHT] += self._sway * sin(pi * beat) * still
        values[Channel.HEAD_NOD] += 0.07 * pulse

    def _at(self, bar: int, beat: float) -> Array:
        """Give the channels of the move of a bar."""
        return self._moves[min(max(bar, 0), len(self._moves) - 1)].at(beat)


def _apart(old: Array, new: Array, bows: Array) -> float:
    """Give the smallest distance between two dancers on their ways from old to new places."""
    smallest = np.inf
    way = new - old
    far = np.maximum(np.hypot(*way.T), 1e-6)[:, None]
    right = np.stack([way[:, 1], -way[:, 0]], axis=1) / far * (far > 1e-3)
    for gone in np.linspace(0, 1, 21):
        places = old + gone * way + right * (bows[:, None] * sin(pi * gone) ** 2)
        apart = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
        np.fill_diagonal(apart, np.inf)
        smallest = min(smallest, float(apart.min(initial=np.inf)))
    return smallest
