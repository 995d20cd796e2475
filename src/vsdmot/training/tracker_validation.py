"""Validation of a tracker in training: track whole sequences and score them by the official metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from vsdmot.config import at_least, check
from vsdmot.errors import ConfigError
from vsdmot.evaluation.evaluate import Evaluation, evaluate
from vsdmot.evaluation.rules import RuleChoice
from vsdmot.io.annotations import GroundTruth, read_ground_truth
from vsdmot.io.images import read_image
from vsdmot.models.vsdmot import VSDMOT
from vsdmot.structures import Frame, FrameResult, Proposals
from vsdmot.tracking.pretrained import TrackerConfig
from vsdmot.tracking.query_tracking import QueryTracking
from vsdmot.tracking.tracker import Tracker
from vsdmot.training.clips.online_degradation import imitate_proposals
from vsdmot.training.clips.sequences import ClipSequence
from vsdmot.training.clips.sources import ClipSourceConfig, open_clip_source

METRICS = ("HOTA", "DetA", "AssA", "MOTA", "IDF1", "IDSW")
"""What validation tells; by the first, the best weights are chosen."""


@dataclass(frozen=True, kw_only=True)
class ValidationConfig:
    """What a tracker is measured on while it is trained.

    Attributes:
        sources: Data sets of sequences, in the same forms as those for training.
        max_frames: Frames of each sequence, from its first; null takes all. Fewer make validation quicker and rougher.
        rule: Which boxes count, as for `vsdmot eval`.
        propose: Take proposals from the detector that is the network's backbone, in place of those of the sources.
    """

    sources: tuple[ClipSourceConfig, ...] = field(default_factory=tuple)
    max_frames: int | None = None
    rule: RuleChoice = "auto"
    propose: bool = False

    def __post_init__(self) -> None:
        check(self, max_frames=at_least(1))


class TrackerValidation:
    """Sequences with ground truth and proposals, read once.

    Args:
        config: What is measured on.

    Raises:
        VsdmotError: A source cannot be opened.
    """

    def __init__(self, config: ValidationConfig) -> None:
        self.config = config
        sources = [open_clip_source(source) for source in config.sources]
        self.notes = tuple(note for source in sources for note in source.notes)
        self.sequences = {one.name: one for source in sources for one in source.sequences}
        self._truth = {name: self._read_truth(one) for name, one in self.sequences.items()}

    @property
    def num_frames(self) -> int:
        """Frames that are tracked in a validation."""
        return sum(self._length(sequence) for sequence in self.sequences.values())

    def run(self, model: VSDMOT, config: TrackerConfig, progress: Callable[[], None] = lambda: None) -> Evaluation:
        """Track all sequences and score them.

        Args:
            model: The network, where it is; it is left in evaluation mode.
            config: What belongs to its weights.
            progress: Called after each frame.
        """
        results = {}
        for name, sequence in self.sequences.items():
            proposals = _StoredProposals(sequence)
            method = QueryTracking.of(model, config)
            tracker = Tracker(method, None if self.config.propose else proposals, config.quality)
            results[name] = self._track(tracker, sequence, proposals, progress)
        return evaluate(self._truth, results, rule=self.config.rule)

    def _track(
        self, tracker: Tracker, sequence: ClipSequence, proposals: _StoredProposals, progress: Callable[[], None]
    ) -> list[FrameResult]:
        results = []
        for position in range(self._length(sequence)):
            path = sequence.path(position)
            proposals.position = position
            frame = Frame(int(sequence.frames[position]), position / 25, read_image(path), path)
            results.append(tracker.update(frame))
            progress()
        return results

    def _length(self, sequence: ClipSequence) -> int:
        return min(len(sequence), self.config.max_frames or len(sequence))

    def _read_truth(self, sequence: ClipSequence) -> GroundTruth:
        if sequence.ground_truth is None:
            raise ConfigError(f"validation: {sequence.name} are still images; a tracker is measured on sequences")
        truth = read_ground_truth(sequence.ground_truth)
        frames = sequence.frames[: self._length(sequence)]
        return truth.select(np.isin(truth.frames, frames))


class _StoredProposals:
    """The proposals of a sequence that was read (a `ProposalSource`).

    Attributes:
        position: Place of the frame in the sequence, from 0, that is asked for next.
    """

    def __init__(self, sequence: ClipSequence) -> None:
        self._sequence = sequence
        self.position = 0

    def __call__(self, frame: Frame) -> Proposals:
        """Give those of the frame at `position`."""
        stored = self._sequence.proposals
        if stored is not None:
            return Proposals(*stored.at(self.position))
        people, _ = self._sequence.people.at(self.position)
        # As a detector would err, the same in every validation.
        return imitate_proposals(people, frame.image, 1.0, np.random.default_rng((frame.index, len(people))))


def as_scores(evaluation: Evaluation) -> Mapping[str, float]:
    """Give what the log shows of a validation."""
    return {name: evaluation.combined[name] for name in METRICS}
