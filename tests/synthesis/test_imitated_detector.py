"""The imitated detector: legal proposals, worse ones on poor frames, chance from its generator alone."""

import numpy as np
import pytest

from vsdmot.boxes import iou
from vsdmot.structures import Tracks
from vsdmot.synthesis.imitated_detector import noisy_proposals, visible_shares


def make_tracks(boxes):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    return Tracks(np.arange(1, len(boxes) + 1), boxes, np.ones(len(boxes), np.float32))


@pytest.mark.parametrize("severity", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(
    "boxes",
    [[], [[10, 10, 40, 90]], [[-30, -20, 5, 60], [310, 100, 400, 300]], [[-50, 0, -10, 50]], [[10, 10, 10, 10]]],
    ids=["nobody", "one", "at the edges", "outside", "no area"],
)
def test_proposals_are_legal_and_inside_the_picture(boxes, severity):
    for seed in range(30):
        proposals = noisy_proposals(make_tracks(boxes), (180, 320, 3), np.random.default_rng(seed), severity=severity)
        assert (proposals.boxes >= 0).all()
        assert (proposals.boxes <= [320, 180, 320, 180]).all()
        assert (proposals.boxes[:, 2:] > proposals.boxes[:, :2]).all()
        assert (proposals.scores > 0.05).all()
        assert (np.diff(proposals.scores) <= 0).all()


def proposal_counts(severity, boxes=((100, 40, 140, 150),), draws=300):
    """Give, over many draws: the part of people found, false alarms and duplicates per frame, and mean score."""
    truth, rng = make_tracks(boxes), np.random.default_rng(0)
    found = false = duplicates = 0
    scores = []
    for _ in range(draws):
        proposals = noisy_proposals(truth, (180, 320, 3), rng, severity=severity)
        near = iou(proposals.boxes, truth.boxes)[:, -1] > 0.4
        found += near.any()
        false += (~near).sum()
        duplicates += max(0, near.sum() - 1)
        scores += proposals.scores[near].tolist()
    return found / draws, false / draws, duplicates / draws, np.mean(scores)


def test_a_poor_frame_has_more_misses_more_false_alarms_and_lower_scores():
    good, poor = proposal_counts(0.0), proposal_counts(1.0)
    assert good[0] > 0.97
    assert 0.3 < poor[0] < 0.75
    assert 0.1 < good[1] < 0.8 < poor[1]
    assert good[2] > 0.03
    assert poor[3] < good[3] - 0.2


def test_who_stands_behind_another_is_missed_more_often():
    hidden = proposal_counts(0.0, boxes=([60, 10, 180, 175], [100, 40, 140, 150]))  # the second is behind the first
    assert hidden[0] < 0.3


def test_visible_shares_of_known_boxes():
    boxes = [[0, 0, 10, 10], [5, 0, 15, 12], [-10, 20, 10, 40], [400, 0, 410, 10], [0, 0, 0, 0]]
    shares = visible_shares(np.array(boxes, np.float32), (180, 320))
    np.testing.assert_allclose(shares, [0.5, 1.0, 0.5, 0.0, 0.0], atol=1e-6)


def test_proposals_depend_on_their_generator_alone():
    truth = make_tracks([[10, 10, 40, 90], [100, 20, 150, 130]])
    first, again = (noisy_proposals(truth, (180, 320), np.random.default_rng(7), severity=0.6) for _ in range(2))
    np.testing.assert_array_equal(first.boxes, again.boxes)
    np.testing.assert_array_equal(first.scores, again.scores)
