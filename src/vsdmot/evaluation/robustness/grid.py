"""The grid of a test of robustness: trackers, sequences, conditions; which cells it has, and what each depends on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsdmot.config import to_mapping
from vsdmot.evaluation.robustness.conditions import Condition
from vsdmot.evaluation.robustness.entrants import Entrant, SharedProposals, Submitted
from vsdmot.evaluation.robustness.footage import Footage
from vsdmot.evaluation.score_store import ScoreStore, digest_of_values


@dataclass(frozen=True)
class Cell:
    """A tracker on a sequence under a condition."""

    tracker: str
    sequence: str
    condition: Condition

    def __str__(self) -> str:
        return f"{self.tracker} on {self.sequence}, {self.condition}"


@dataclass(frozen=True, kw_only=True, eq=False)
class RobustnessTest:
    """What is tested on what, and where it is kept.

    Attributes:
        footage: The clean sequences.
        conditions: Under which they are tracked.
        entrants: Trackers that run here.
        submitted: Trackers by their results.
        proposals: Shared proposals; None where no tracker takes them.
        seed: Decides what degradations draw.
        folder: Where cells and proposals are kept.
        degraded: Where degraded sequences stay, ``DEGRADATION/SEVERITY/NAME``; None removes each after its use.
    """

    footage: Sequence[Footage]
    conditions: Sequence[Condition]
    entrants: Sequence[Entrant]
    submitted: Sequence[Submitted]
    proposals: SharedProposals | None
    seed: int
    folder: Path
    degraded: Path | None = None

    @property
    def store(self) -> ScoreStore:
        """Where cells are kept."""
        return ScoreStore(self.folder / "cells")

    def depends_on(self, footage: Footage, condition: Condition, entrant: Entrant) -> dict[str, Any]:
        """Give everything that a cell of a tracker that runs here depends on."""
        proposals = self.proposals.plain() if entrant.takes_proposals and self.proposals is not None else None
        return {**self._frames(footage, condition), **footage.identity(), **entrant.identity, "proposals": proposals}

    def proposals_file(self, footage: Footage, condition: Condition) -> Path:
        """Give where the shared proposals of a sequence under a condition are kept."""
        assert self.proposals is not None, "only asked where a tracker takes proposals"
        name = digest_of_values({**self._frames(footage, condition), "detector": dict(self.proposals.identity)})
        return self.folder / "proposals" / f"{name}.txt"

    def _frames(self, footage: Footage, condition: Condition) -> dict[str, Any]:
        degraded = None if condition.degradation is None else to_mapping(condition.settings(self.seed))
        return {
            "sequence": footage.name,  # what degradations draw depends on it
            "frames": footage.frames_digest,
            "frame_rate": footage.frame_rate,
            "degraded": degraded,
        }

    def missing(self, footage: Footage, condition: Condition) -> list[Entrant]:
        """List the trackers that have to run on a sequence under a condition."""
        return [one for one in self.entrants if self.store.find(self.depends_on(footage, condition, one)) is None]

    def is_degraded_for_others(self, footage: Footage, condition: Condition) -> bool:
        """Whether degraded frames are asked for that are not there, or not all."""
        if self.degraded is None or condition.degradation is None:
            return False
        return not (self.degraded / condition.folder / footage.name / "degradation.json").is_file()

    def num_steps(self) -> int:
        """Count the frames that have to be degraded, searched or tracked."""
        steps = 0
        for footage in self.footage:
            for condition in self.conditions:
                missing = self.missing(footage, condition)
                degrades = condition.degradation is not None and bool(missing)
                degrades |= self.is_degraded_for_others(footage, condition)
                proposes = any(one.takes_proposals for one in missing)
                proposes = proposes and not self.proposals_file(footage, condition).is_file()
                steps += (degrades + proposes + bool(missing)) * footage.num_frames
        return steps
