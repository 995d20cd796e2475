"""The tracker that users hold: state, order, independence, constant memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from vsdmot import Tracker
from vsdmot.errors import CheckpointError
from vsdmot.structures import Frame, Proposals
from vsdmot.tracking.association import Association
from vsdmot.tracking.lifecycle import LifecycleConfig
from vsdmot.tracking.preprocess import PreprocessConfig
from vsdmot.tracking.query_tracking import QueryTracking

METHODS = ["vsdmot", "sort", "bytetrack", "ocsort", "botsort"]


@pytest.fixture
def make_tracker(small_model, block_proposals):
    def make(method: str) -> Tracker:
        if method == "vsdmot":
            preprocessing = PreprocessConfig(short_side=64, long_side=96)
            return Tracker(QueryTracking(small_model, LifecycleConfig(), preprocessing), block_proposals)
        return Tracker.from_association(method, proposals=block_proposals)

    return make


def follow_all(tracker, frames):
    return [tracker.update(frame) for frame in frames]


def same(first, second) -> bool:
    return len(first) == len(second) and all(
        a.index == b.index
        and a.tracks.ids.tolist() == b.tracks.ids.tolist()
        and np.array_equal(a.tracks.boxes, b.tracks.boxes)
        and a.semantic_weight == b.semantic_weight
        for a, b in zip(first, second, strict=True)
    )


@pytest.mark.parametrize("method", METHODS)
def test_interleaved_trackers_give_what_they_give_alone(make_tracker, make_frames, method):
    one, two = make_frames(1), make_frames(2)
    alone = follow_all(make_tracker(method), one), follow_all(make_tracker(method), two)
    first, second = make_tracker(method), make_tracker(method)
    pairs = [(first.update(a), second.update(b)) for a, b in zip(one, two, strict=True)]
    assert same([a for a, _ in pairs], alone[0])
    assert same([b for _, b in pairs], alone[1])
    assert any(len(result.tracks) for result in alone[0])  # otherwise there was nothing to mix up


@pytest.mark.parametrize("method", METHODS)
def test_after_reset_a_clip_gives_the_same_again_with_ids_from_1(make_tracker, make_frames, method):
    tracker, frames = make_tracker(method), make_frames(1)
    first = follow_all(tracker, frames)
    tracker.reset()
    assert same(follow_all(tracker, frames), first)
    assert min(i for result in first for i in result.tracks.ids) == 1


def test_trackers_may_share_one_network(small_model, make_frames, block_proposals):
    method = QueryTracking(small_model, preprocessing=PreprocessConfig(short_side=64, long_side=96))
    first, second = Tracker(method, block_proposals), Tracker(method, block_proposals)
    frames = make_frames(1)
    alone = follow_all(Tracker(method, block_proposals), frames)
    for frame, expected in zip(frames, alone, strict=True):
        assert same([first.update(frame)], [expected])
    assert same(follow_all(second, frames), alone)


@pytest.mark.parametrize("method", METHODS)
def test_a_frame_without_proposals_is_legal_at_any_time(make_tracker, make_frames, block_proposals, method):
    tracker = make_tracker(method)
    tracker.proposals = lambda frame: Proposals.empty() if frame.index in (1, 3) else block_proposals(frame)
    results = follow_all(tracker, make_frames(1))
    assert [result.num_proposals for result in results] == [0, 3, 0, 3, 3, 3]


def test_state_is_a_value_that_can_be_gone_back_to(small_model, make_frames, block_proposals):
    from vsdmot.quality import assess

    method = QueryTracking(small_model, preprocessing=PreprocessConfig(short_side=64, long_side=96))
    frames, state = make_frames(1), method.start()
    for frame in frames[:3]:
        state, _ = method.step(state, frame, block_proposals(frame), assess(frame))
    branch = [method.step(state, frames[3], block_proposals(frames[3]), assess(frames[3])) for _ in range(2)]
    assert branch[0][1].tracks.boxes.tolist() == branch[1][1].tracks.boxes.tolist()
    assert branch[0][0].next_id == branch[1][0].next_id


def test_quality_moves_the_semantic_weight_the_other_way(make_tracker, make_frames):
    sharp = make_frames(1)[0]
    rng = np.random.default_rng(0)
    noisy = Frame(1, 0.0, rng.integers(0, 255, sharp.image.shape, dtype=np.uint8))
    better, worse = make_tracker("vsdmot").update(sharp), make_tracker("vsdmot").update(noisy)
    assert worse.quality.score < better.quality.score
    assert worse.semantic_weight > better.semantic_weight


def test_bare_images_are_numbered_and_timed(make_tracker, make_frames):
    tracker = make_tracker("sort")
    images = [frame.image for frame in make_frames(1)]
    assert [tracker.update(image).index for image in images[:3]] == [1, 2, 3]
    assert tracker.update(images[3]).time == pytest.approx(3 / 25)
    assert tracker.update(images[4], time=9.5).time == 9.5


def test_frames_must_come_in_order_but_may_skip(make_tracker, make_frames):
    tracker, frames = make_tracker("sort"), make_frames(1)
    tracker.update(frames[1])
    tracker.update(frames[4])
    with pytest.raises(ValueError, match=r"frame 3 after frame 5: call reset\(\)"):
        tracker.update(frames[2])


def test_stream_gives_a_result_for_each_frame_and_starts_afresh(make_tracker, clip_folder):
    tracker = make_tracker("ocsort")
    indices = [result.index for result in tracker.stream(clip_folder / "clip.mp4")]
    assert indices == list(range(1, 31))
    assert next(tracker.stream(clip_folder / "clip.mp4")).index == 1


def test_reported_boxes_are_pixels_of_the_frame_whatever_the_input_size(small_model, make_frames, block_proposals):
    frame = make_frames(1)[0]
    for short_side in (64, 96):
        method = QueryTracking(
            small_model, LifecycleConfig(report_threshold=0.0), PreprocessConfig(short_side=short_side, long_side=200)
        )
        result = Tracker(method, block_proposals).update(frame)
        assert len(result.tracks)
        centres = (result.tracks.boxes[:, :2] + result.tracks.boxes[:, 2:]) / 2
        assert (centres > 0).all()
        assert (centres < [frame.width, frame.height]).all()


def test_damaged_weights_are_noticed_instead_of_tracking_nobody(small_model, make_frames, block_proposals):
    with torch.no_grad():
        small_model.decoder.class_heads[-1].bias.fill_(float("nan"))
    tracker = Tracker(QueryTracking(small_model), block_proposals)
    with pytest.raises(CheckpointError, match="frame 1: the network gives scores that are not finite"):
        tracker.update(make_frames(1)[0])


def test_settings_that_an_association_tracker_lacks_are_refused():
    from vsdmot.errors import ConfigError
    from vsdmot.tracking.association import AssociationConfig

    with pytest.raises(ConfigError, match="is not a setting of botsort"):
        Association("botsort", AssociationConfig(minimum_iou_threshold=0.4))


def test_reaching_the_bound_on_tracks_is_told(small_model, make_frames, block_proposals):
    small = PreprocessConfig(short_side=64, long_side=96)
    bounded = Tracker(QueryTracking(small_model, LifecycleConfig(max_tracks=1), small), block_proposals)
    free = Tracker(QueryTracking(small_model, LifecycleConfig(), small), block_proposals)
    assert max(len(result.tracks) for result in follow_all(bounded, make_frames(1))) <= 1
    follow_all(free, make_frames(1))
    assert bounded.notes == (
        "1 people were followed at a time, which is the bound (max_tracks); others may be missing",
    )
    assert free.notes == ()


def resident_pages() -> int:
    """Memory of this process right now; its maximum would remember earlier tests."""
    return int(Path("/proc/self/statm").read_text().split()[1])


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
@pytest.mark.parametrize("method", METHODS)
def test_memory_of_a_long_stream_is_flat(make_tracker, make_frames, method):
    """Resident size at frame 5,000 within 5 % of that at frame 500; see also benchmarks/stream_memory.py."""
    tracker, images = make_tracker(method), [frame.image for frame in make_frames(1)]
    for number in range(5_000):
        tracker.update(images[number % len(images)])
        if number == 499:
            early = resident_pages()
    assert resident_pages() <= 1.05 * early
