"""The one thing a tracker asks of a detector."""

from __future__ import annotations

from typing import Protocol

from vsdmot.structures import Frame, Proposals


class ProposalSource(Protocol):
    """Gives the proposals of a frame (Sec. III-A: boxes of an independent detector, made into queries)."""

    def __call__(self, frame: Frame) -> Proposals:
        """Find the people in a frame; no proposals is a legal answer.

        Args:
            frame: One picture of a video.

        Returns:
            Boxes in pixels of ``frame.image``, which may reach beyond it, best score first.
        """
        ...
