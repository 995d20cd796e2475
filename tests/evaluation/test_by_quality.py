"""The split by frame quality: groups of frames that add up to the whole."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from vsdmot import evaluate
from vsdmot.evaluation.by_frame import FrameCounts
from vsdmot.evaluation.by_quality import split_by_quality

NUM_FRAMES = 40


@pytest.fixture
def counts(make_truth, make_tracks) -> FrameCounts:
    """Two people over 40 frames; the second is lost in every third frame and gets another id half-way."""
    rows = [(frame, person, 50.0 * person + frame) for frame in range(1, NUM_FRAMES + 1) for person in (1, 2)]
    seen = [(f, 3 if p == 2 and f > 20 else p, x) for f, p, x in rows if not (p == 2 and f % 3 == 0)]
    return evaluate({"walk": make_truth(rows)}, {"walk": make_tracks(seen)}).sequences["walk"].by_frame


def test_groups_are_quarters_from_poor_to_good_and_add_up(counts):
    quality = np.random.default_rng(5).permutation(np.linspace(0.1, 0.9, NUM_FRAMES))
    groups = split_by_quality({"walk": quality}, [{"walk": counts}])
    assert [group.num_frames for group in groups] == [10] * 4
    assert all(before.high < after.low for before, after in itertools.pairwise(groups))
    assert (groups[0].low, groups[-1].high) == (0.1, 0.9)
    whole = counts.scores()
    for field in ("CLR_TP", "CLR_FN", "CLR_FP", "IDSW"):
        assert sum(group.scores[0][field] for group in groups) == whole[field]
    # AssA of the whole is the mean over hits, so the groups' means weighted by their hits give it back.
    hits = [group.scores[0]["CLR_TP"] for group in groups]
    assert np.average([group.scores[0]["AssA"] for group in groups], weights=hits) == pytest.approx(whole["AssA"])


def test_misses_are_counted_in_the_frames_where_they_happen(counts):
    lost = np.arange(1, NUM_FRAMES + 1) % 3 == 0
    poor, good = split_by_quality({"walk": np.where(lost, 0.2, 0.8)}, [{"walk": counts}], num_groups=2)
    assert (poor.num_frames, good.num_frames) == (lost.sum(), (~lost).sum())
    assert (poor.scores[0]["CLR_FN"], good.scores[0]["CLR_FN"]) == (lost.sum(), 0)
    assert poor.scores[0]["DetA"] == 0.5
    assert good.scores[0]["DetA"] == 1
    assert (poor.num_boxes, good.num_boxes) == (2 * lost.sum(), 2 * (~lost).sum())


def test_frames_of_equal_quality_stay_together(counts):
    (only,) = split_by_quality({"walk": np.full(NUM_FRAMES, 0.5)}, [{"walk": counts}])
    assert (only.num_frames, only.low, only.high) == (NUM_FRAMES, 0.5, 0.5)
    assert only.scores[0] == counts.scores()


def test_frames_of_unknown_quality_are_left_out(counts):
    quality = np.linspace(0, 1, NUM_FRAMES)
    quality[:8] = np.nan
    groups = split_by_quality({"walk": quality}, [{"walk": counts}])
    assert [group.num_frames for group in groups] == [8] * 4
    assert groups[0].low == quality[8]


def test_several_sequences_are_ordered_together_and_every_run_is_scored(counts):
    better = counts.of(np.arange(NUM_FRAMES))
    qualities = {"a": np.linspace(0, 0.4, NUM_FRAMES), "b": np.linspace(0.6, 1, NUM_FRAMES)}
    groups = split_by_quality(qualities, [{"a": counts, "b": counts}, {"a": better, "b": better}])
    assert [group.num_frames for group in groups] == [20] * 4
    assert [group.high < 0.5 for group in groups] == [True, True, False, False]
    assert all(group.scores[0] == group.scores[1] for group in groups)


def test_what_does_not_fit_is_refused(counts):
    with pytest.raises(ValueError, match="quality of every frame"):
        split_by_quality({"walk": np.ones(3)}, [{"walk": counts}])
    with pytest.raises(ValueError, match="quality of every frame"):
        split_by_quality({"run": np.ones(NUM_FRAMES)}, [{"walk": counts}])
    with pytest.raises(ValueError, match="no quality is known"):
        split_by_quality({"walk": np.full(NUM_FRAMES, np.nan)}, [{"walk": counts}])
