"""What the student and DSWR cost (Table VIII): parameters, and time per frame, measured side by side.

The three networks share their weights as far as they have them in common, see the same frames and proposals, and take
turns frame by frame, so that a busy machine slows all of them alike. On a CPU the time is that of the process, which
does not count what other programs take; on a GPU the clock's.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from vsdmot.models.vsdmot import VSDMOT
from vsdmot.quality import assess
from vsdmot.structures import Frame, Proposals
from vsdmot.tracking.pretrained import TrackerConfig
from vsdmot.tracking.query_tracking import QueryTracking

VARIANTS = ("baseline", "student", "student and DSWR")


@dataclass(frozen=True)
class Variant:
    """One of the networks, measured.

    Attributes:
        name: One of `VARIANTS`.
        parameters: How many it has.
        fps: Frames per second, of the median frame.
        seconds: The median frame's.
        relative_speed: How fast it is for the baseline's 1: the median over the frames of the ratio on the same frame.
    """

    name: str
    parameters: int
    fps: float
    seconds: float
    relative_speed: float


@dataclass(frozen=True, kw_only=True)
class Efficiency:
    """What was measured, and how.

    Attributes:
        variants: The three networks.
        settings: Device, threads, frames, sizes, versions, as plain values.
    """

    variants: tuple[Variant, ...]
    settings: dict[str, Any] = field(default_factory=dict)


def variants_of(config: TrackerConfig, device: torch.device) -> list[QueryTracking]:
    """Make the three networks, with random weights that are the same where they have the same.

    Args:
        config: Settings of the whole network, with student and DSWR.
        device: Where they will run.
    """
    torch.manual_seed(0)
    whole = VSDMOT(config.model)
    shared = whole.state_dict()
    made = []
    without = replace(config.model, student=None, dswr=None), replace(config.model, dswr=None)
    for architecture in (*without, config.model):
        model = VSDMOT(architecture)
        model.load_state_dict({name: tensor for name, tensor in shared.items() if name in model.state_dict()})
        made.append(QueryTracking.of(model.to(device), replace(config, model=model.config)))
    return made


def measure(
    methods: Sequence[QueryTracking], frames: Sequence[Frame], proposals: Sequence[Proposals]
) -> Iterator[list[float] | None]:
    """Time the networks; yields None after each of their frames, and seconds of each network when a round is complete.

    The first round is not given out: it warms up. Who begins changes from round to round.

    Args:
        methods: The networks, on their device.
        frames: Each is a round; they are tracked as one video.
        proposals: Of each frame.
    """
    states = [method.start() for method in methods]
    for number, (frame, proposed) in enumerate(zip(frames, proposals, strict=True)):
        quality = assess(frame.image)
        seconds = [0.0] * len(methods)
        for turn in range(len(methods)):
            place = (turn + number) % len(methods)
            begun = _now(methods[place].device)
            states[place], _ = methods[place].step(states[place], frame, proposed, quality)
            seconds[place] = _now(methods[place].device) - begun
            yield None
        if number:
            yield seconds


def summarise(methods: Sequence[QueryTracking], rounds: Sequence[Sequence[float]]) -> tuple[Variant, ...]:
    """Turn times by round and network into what each costs.

    Raises:
        ValueError: There is no round.
    """
    if not rounds:
        raise ValueError("expected at least one round")
    found = []
    for place, method in enumerate(methods):
        seconds = statistics.median(one[place] for one in rounds)
        relative = statistics.median(one[0] / one[place] for one in rounds)
        count = sum(parameter.numel() for parameter in method.model.parameters())
        found.append(Variant(VARIANTS[place], count, 1 / seconds, seconds, relative))
    return tuple(found)


def random_proposals(frame: Frame, count: int) -> Proposals:
    """Propose people anywhere in a frame, the same in every frame of this size: what matters is how many there are."""
    random = np.random.default_rng(0)
    height = frame.height * random.uniform(0.1, 0.5, count)
    centre = random.uniform((0, 0), (frame.width, frame.height), (count, 2))
    half = np.stack([0.2 * height, 0.5 * height], axis=1)
    boxes = np.concatenate([centre - half, centre + half], axis=1).astype(np.float32)
    return Proposals(boxes=boxes, scores=np.sort(random.uniform(0.05, 1, count))[::-1].astype(np.float32))


def _now(device: torch.device) -> float:
    if device.type == "cpu":
        return time.process_time()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
