"""Settings of the training loop."""

from __future__ import annotations

from dataclasses import dataclass

from vsdmot.config import above, at_least, check


@dataclass(frozen=True, kw_only=True)
class LoopConfig:
    """How long to train, and how often to look and to store.

    Attributes:
        epochs: How often the data is gone through.
        seed: Of everything that is drawn: order and augmentation of the data, dropout.
        clip_grad_norm: Length to which a longer gradient is shortened; none leaves it. Less is steadier and slower.
        validate_every: Epochs between two validations; there is always one after the last epoch.
        checkpoint_every_steps: Optimiser steps between two checkpoints; none goes by time alone.
        checkpoint_every_minutes: Minutes between two checkpoints; none goes by steps alone. Every epoch ends with one.
        keep_checkpoints: How many are kept to resume from; 2 or more survive a damaged file.
        max_minutes: Stop with a checkpoint after so many minutes, to be resumed later; none trains to the end.
        log_every: Optimiser steps between two lines of the log.
    """

    epochs: int = 5
    seed: int = 42
    clip_grad_norm: float | None = 0.1
    validate_every: int = 1
    checkpoint_every_steps: int | None = None
    checkpoint_every_minutes: float | None = 20.0
    keep_checkpoints: int = 2
    max_minutes: float | None = None
    log_every: int = 20

    def __post_init__(self) -> None:
        check(
            self,
            epochs=at_least(1),
            clip_grad_norm=above(0),
            validate_every=at_least(1),
            checkpoint_every_steps=at_least(1),
            checkpoint_every_minutes=above(0),
            keep_checkpoints=at_least(1),
            max_minutes=above(0),
            log_every=at_least(1),
        )
