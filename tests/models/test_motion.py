"""Motion of anchors, against a filter written out for one person at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vsdmot.models.motion import Motion, move_on
from vsdmot.models.qim import QueryInteraction
from vsdmot.models.queries import Queries


def box(x: float, y: float = 0.5) -> torch.Tensor:
    return torch.tensor([[[x, y, 0.1, 0.3]]])


def walk(places: list[float | None], gain: float) -> list[float]:
    """Show one person at these x, None for not seen; give where it is expected in each next frame."""
    anchors = box(places[0] or 0.0)
    motion, expected = Motion.unknown(anchors), []
    for place in places:
        seen = torch.tensor([[place is not None]])
        anchors, motion = move_on(motion, anchors, box(-1.0 if place is None else place), seen, gain)
        expected.append(float(anchors[0, 0, 0]))
    return expected


def by_hand(places: list[float | None], gain: float) -> list[float]:
    """Write the same filter in plain numbers that know the frames at which the person was seen."""
    velocity, sightings, last, last_frame, said = 0.0, 0, places[0], 0, []
    for frame, place in enumerate(places):
        if place is not None:
            if sightings:
                frames = frame - last_frame
                newest = (place - last) / frames  # the mean velocity since it was last seen
                share = max(gain, 1 / sightings)
                velocity = (1 - share) * velocity + share * newest
            sightings, last, last_frame = sightings + 1, place, frame
        said.append(last + velocity * (frame - last_frame + 1))
    return said


@pytest.mark.parametrize("gain", [0.2, 0.5, 1.0])
@pytest.mark.parametrize(
    "places",
    [
        [0.3, 0.32, 0.34, 0.36],
        [0.3, 0.32, None, None, 0.38, 0.37],
        [0.3, None, 0.34, None, 0.31, 0.3, 0.29, 0.28],
        [0.6, 0.5, 0.55, 0.45, 0.5],
    ],
)
def test_it_is_the_filter_of_constant_velocity(places, gain):
    np.testing.assert_allclose(walk(places, gain), by_hand(places, gain), atol=1e-6)


def test_who_walks_evenly_is_met_where_it_arrives_from_the_second_sighting_on():
    expected = walk([0.2, 0.25, 0.3, 0.35, None, None, 0.5], gain=0.3)
    np.testing.assert_allclose(expected, [0.2, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55], atol=1e-6)


def test_a_first_sighting_far_from_the_proposal_tells_no_velocity():
    anchors, motion = move_on(Motion.unknown(box(0.2)), box(0.2), box(0.4), torch.tensor([[True]]), 0.3)
    torch.testing.assert_close(anchors, box(0.4))
    assert not motion.velocity.any()


def test_anchors_stay_inside_the_picture_and_keep_their_size():
    anchors, motion = box(0.8), Motion.unknown(box(0.8))
    for x in (0.8, 0.9):
        anchors, motion = move_on(motion, anchors, box(x), torch.tensor([[True]]), 0.3)
    for _ in range(5):
        anchors, motion = move_on(motion, anchors, box(0.1), torch.tensor([[False]]), 0.3)
    torch.testing.assert_close(anchors, box(1.0))


def test_queries_that_are_joined_and_taken_keep_their_own_motion():
    tracks = Queries(torch.zeros(1, 2, 8), torch.rand(1, 2, 4), Motion(*(torch.rand(1, 2, *n) for n in ((2,), (), ()))))
    fresh = Queries(torch.zeros(1, 3, 8), torch.rand(1, 3, 4))
    joined = Queries.join(fresh, tracks)
    assert not joined.motion.velocity[:, :3].any()
    assert not joined.motion.sightings[:, :3].any()
    again = joined.take(torch.tensor([4, 0])).motion
    assert torch.equal(again.velocity[:, 0], tracks.motion.velocity[:, 1])
    assert torch.equal(again.waited, torch.stack([tracks.motion.waited[:, 1], torch.ones(1)], dim=1))
    assert Queries.join(fresh, fresh).motion is None


def test_query_interaction_moves_anchors_only_where_it_is_asked_to():
    torch.manual_seed(0)
    sizes = {"dim": 16, "num_heads": 4, "feedforward_dim": 24, "dropout": 0.0}
    still, moving = QueryInteraction(**sizes).eval(), QueryInteraction(**sizes, motion_gain=0.3).eval()
    moving.load_state_dict(still.state_dict())
    content, seen = torch.randn(1, 2, 16), torch.tensor([[True, True]])
    embeddings, first = torch.randn(1, 2, 16), torch.rand(1, 2, 4)
    second = first + 0.05
    results = {}
    for name, module in (("still", still), ("moving", moving)):
        with torch.no_grad():
            tracks = module(Queries(content, first), embeddings, first, seen)
            results[name] = module(tracks, embeddings, second, seen)
    torch.testing.assert_close(results["still"].anchors, second)
    assert results["still"].motion is None
    torch.testing.assert_close(results["moving"].anchors[..., :2], (second[..., :2] + 0.05).clamp(0, 1))
    torch.testing.assert_close(results["still"].content, results["moving"].content)
