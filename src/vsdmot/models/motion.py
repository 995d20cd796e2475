"""Where a track's anchor goes while a frame passes: straight on, as fast as its person was seen to walk.

Paper note: MOTRv2 and VSD-MOT leave a track's anchor where the person was last, and the decoder must find how far it
went. That is learned in days on DanceTrack at 20 frames a second; a small network, or footage of few frames a second
in which people cross half their width from one to the next, links better from where a person should be by now. This is
the constant-velocity model of association trackers (SORT, Bewley et al. 2016) as a filter of fixed gain.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Motion:
    """How tracks move.

    Attributes:
        velocity: ``(B, K, 2)``, of the centre, in shares of the picture a frame.
        sightings: ``(B, K)``, frames in which each was seen.
        waited: ``(B, K)``, frames since each was last seen: 1 for one that was seen in the last frame.
    """

    velocity: Tensor
    sightings: Tensor
    waited: Tensor

    @staticmethod
    def unknown(anchors: Tensor) -> Motion:
        """Make the motion of queries ``(B, K, 4)`` of which nothing is known: nobody has seen them yet."""
        nothing = anchors.new_zeros(anchors.shape[:2])
        return Motion(anchors.new_zeros(*anchors.shape[:2], 2), nothing, nothing + 1)

    def take(self, index: Tensor) -> Motion:
        """Give the motion of some."""
        return Motion(self.velocity[:, index], self.sightings[:, index], self.waited[:, index])

    @staticmethod
    def join(*groups: Motion) -> Motion:
        """Put groups one after the other."""
        return Motion(
            torch.cat([group.velocity for group in groups], dim=1),
            torch.cat([group.sightings for group in groups], dim=1),
            torch.cat([group.waited for group in groups], dim=1),
        )


def move_on(motion: Motion, anchors: Tensor, boxes: Tensor, seen: Tensor, gain: float) -> tuple[Tensor, Motion]:
    """Learn from where tracks were seen, and say where they should be in the next frame.

    Who is seen ``r`` away from where it was expected changes its velocity by ``gain r``, spread over the frames since
    it was last seen. The first few sightings count more, so that their mean is the velocity. Who is not seen goes on.

    Args:
        motion: Before this frame.
        anchors: Where they were expected in this frame, ``(B, K, 4)`` ``cxcywh`` in [0, 1].
        boxes: Where they were found, ``(B, K, 4)``; used where ``seen``.
        seen: ``(B, K)`` bool.
        gain: Share of the newest sighting, in (0, 1].

    Returns:
        Anchors ``(B, K, 4)`` for the next frame, centres inside the picture and sizes as last seen; and the motion.
    """
    # The first sighting tells a place and no velocity; the second all that is known of it, the third half of that.
    share = torch.where(motion.sightings > 0, (1 / motion.sightings.clamp(min=1)).clamp(min=gain), 0.0)
    surprise = (boxes[..., :2] - anchors[..., :2]) / motion.waited[..., None]
    velocity = torch.where(seen[..., None], motion.velocity + share[..., None] * surprise, motion.velocity)
    found = torch.where(seen[..., None], boxes, anchors)
    expected = torch.cat([(found[..., :2] + velocity).clamp(0, 1), found[..., 2:]], dim=-1)
    sightings, waited = motion.sightings + seen, torch.where(seen, 1.0, motion.waited + 1)
    return expected, Motion(velocity, sightings, waited)
