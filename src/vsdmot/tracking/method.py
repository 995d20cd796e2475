"""What every way of tracking has in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

from vsdmot.structures import Frame, FrameQuality, Proposals, Tracks

State = TypeVar("State")


@dataclass(frozen=True, eq=False)
class StepResult:
    """What a method says about one frame.

    Attributes:
        tracks: The people to report.
        num_proposals: From how many proposals they were found.
        semantic_weight: ``w_semantic`` (Eq. 13), None where the method has no semantics.
    """

    tracks: Tracks
    num_proposals: int
    semantic_weight: float | None = None


class TrackingMethod(Protocol[State]):
    """A way to carry people from frame to frame.

    The method holds what never changes (weights, settings); what a video has taught so far is the state, which goes
    in and comes out. So one method can serve many videos, and two trackers in one process never touch each other.
    """

    @property
    def proposes(self) -> bool:
        """Whether it finds people by itself where no proposals are given."""
        ...

    def start(self) -> State:
        """Make the state before the first frame of a video."""
        ...

    def notes(self, state: State) -> tuple[str, ...]:
        """Tell what a user should know of the video so far, a line each."""
        ...

    def step(
        self, state: State, frame: Frame, proposals: Proposals | None, quality: FrameQuality
    ) -> tuple[State, StepResult]:
        """Follow people into the next frame.

        Args:
            state: From `start` or the last `step`; not to be used again.
            frame: The next frame of the same video.
            proposals: Where people may be; may be empty. None asks a method that `proposes` to find them itself.
            quality: How good the frame is.

        Returns:
            The state for the next frame, and the tracks.
        """
        ...
