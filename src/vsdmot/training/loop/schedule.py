"""How the learning rate changes during a training: functions from the epoch, with its fraction, to a factor."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from vsdmot.config import above, at_least, check, within
from vsdmot.errors import ConfigError

Schedule = Callable[[float], float]
"""From epochs done (2.5 is half-way through the third) to what the learning rates at the start are multiplied by."""


@dataclass(frozen=True, kw_only=True)
class ScheduleConfig:
    """The learning rate over the epochs. The defaults are what MOTRv2 was published with.

    Attributes:
        kind: ``step`` drops it at given epochs, ``cosine`` lets it fall along half a cosine, ``constant`` keeps it.
        drop_epochs: After how many epochs ``step`` drops it; several drop it several times.
        drop_factor: What each drop multiplies it by.
        floor: Share of the learning rate at which ``cosine`` ends.
        tail_epochs: Epochs at the end that ``cosine`` spends on its floor; YOLOX trains them without mosaic.
        warmup_epochs: Length of the rise from 0 at the start, in epochs; 0 starts at once. More steadies a network
            whose heads are fresh, and costs time.
        warmup_power: 1 rises along a line, 2 along a parabola, as YOLOX does.
    """

    kind: Literal["step", "cosine", "constant"] = "step"
    drop_epochs: tuple[int, ...] = (4,)
    drop_factor: float = 0.1
    floor: float = 0.05
    tail_epochs: float = 0.0
    warmup_epochs: float = 0.0
    warmup_power: float = 1.0

    def __post_init__(self) -> None:
        check(
            self,
            drop_epochs=lambda epochs: None if all(epoch > 0 for epoch in epochs) else "epochs from 1 on",
            drop_factor=above(0),
            floor=within(0, 1),
            tail_epochs=at_least(0),
            warmup_epochs=at_least(0),
            warmup_power=above(0),
        )

    def build(self, epochs: int) -> Schedule:
        """Make the function for a training of so many epochs.

        Raises:
            ConfigError: The parts do not fit into the epochs.
        """
        if self.kind == "cosine":
            if self.warmup_epochs + self.tail_epochs >= epochs:
                raise ConfigError(
                    f"schedule: warmup_epochs {self.warmup_epochs:g} and tail_epochs {self.tail_epochs:g} leave "
                    f"nothing of {epochs} epochs; shorten them or train longer"
                )
            schedule = cosine(self.warmup_epochs, epochs - self.tail_epochs, self.floor)
        else:
            schedule = step_drop(self.drop_epochs if self.kind == "step" else (), self.drop_factor)
        return warm_up(schedule, self.warmup_epochs, self.warmup_power)


def step_drop(epochs: Sequence[float], factor: float = 0.1) -> Schedule:
    """Multiply by ``factor`` after each of the given epochs.

    >>> schedule = step_drop([4], 0.1)
    >>> schedule(3.99), schedule(4.0)
    (1.0, 0.1)
    """
    return lambda epoch: float(factor ** sum(epoch >= drop for drop in epochs))


def cosine(start: float, end: float, floor: float = 0.0) -> Schedule:
    """Keep 1 up to epoch ``start``, fall along half a cosine to ``floor`` at epoch ``end``, and stay there.

    >>> schedule = cosine(1, 3, floor=0.2)
    >>> [round(schedule(epoch), 3) for epoch in (0, 1, 2, 3, 4)]
    [1.0, 1.0, 0.6, 0.2, 0.2]
    """

    def factor(epoch: float) -> float:
        share = min(max((epoch - start) / (end - start), 0.0), 1.0)
        return floor + (1 - floor) * (1 + math.cos(math.pi * share)) / 2

    return factor


def warm_up(schedule: Schedule, length: float, power: float = 1.0) -> Schedule:
    """Let a schedule rise from 0 during its first ``length`` epochs.

    >>> schedule = warm_up(step_drop([]), 2, power=2)
    >>> schedule(0), schedule(1), schedule(2), schedule(9)
    (0.0, 0.25, 1.0, 1.0)
    """
    return lambda epoch: schedule(epoch) * (min(epoch / length, 1.0) ** power if length > 0 else 1.0)
