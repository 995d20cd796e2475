"""The association trackers behind our interface give what the package gives, and the published accuracy."""

from __future__ import annotations

import numpy as np
import pytest
import supervision

from vsdmot import Tracker, evaluate
from vsdmot.detection.yolox.detector import DetectorConfig, YoloxDetector
from vsdmot.io.annotations import read_ground_truth
from vsdmot.io.images import open_folder
from vsdmot.structures import Proposals
from vsdmot.tracking.association import _tracker_class

WEIGHTS = "weights/yolox_nano_coco_legacy.safetensors"


@pytest.mark.parametrize("name", ["sort", "bytetrack", "ocsort", "botsort"])
def test_ids_are_the_packages_plus_one_and_boxes_are_its_boxes(make_frames, block_proposals, name):
    tracker, reference = Tracker.from_association(name, proposals=block_proposals), _tracker_class(name)()
    for frame in make_frames(3):
        proposals = block_proposals(frame)
        result = tracker.update(frame).tracks
        detections = supervision.Detections(
            xyxy=proposals.boxes.copy(), confidence=proposals.scores.copy(), class_id=np.zeros(3, int)
        )
        picture = [frame.image[..., ::-1].copy()] if name == "botsort" else []
        expected = reference.update(detections, *picture)
        named = expected.tracker_id >= 0
        assert result.ids.tolist() == (expected.tracker_id[named] + 1).tolist()
        np.testing.assert_allclose(result.boxes, expected.xyxy[named], atol=1e-4)


# HOTA, MOTA and IDF1 of the published detector and package on this sequence at input width 640.
MEASURED = {"bytetrack": (53.2, 71.8, 66.8), "ocsort": (55.7, 76.9, 73.2)}


def test_published_detector_and_association_give_the_known_accuracy(shared_data):
    folder = shared_data / "mot15" / "train" / "TUD-Stadtmitte"
    detector = YoloxDetector.from_checkpoint(shared_data / WEIGHTS, config=DetectorConfig(input_size=640))
    frames = list(open_folder(folder))
    proposals = {frame.index: detector(frame) for frame in frames}
    for name, expected in MEASURED.items():
        tracker = Tracker.from_association(name, proposals=lambda frame: proposals[frame.index], frame_rate=25)
        tracks = {"TUD": [tracker.update(frame) for frame in frames]}
        got = evaluate({"TUD": read_ground_truth(folder / "gt" / "gt.txt")}, tracks).combined
        for metric, value in zip(("HOTA", "MOTA", "IDF1"), expected, strict=True):
            assert 100 * got[metric] == pytest.approx(value, abs=0.1), (name, metric)


def test_lost_people_are_remembered_for_a_time_not_for_a_number_of_frames(block_proposals, make_frames):
    """At 3 frames/s the usual buffer of one second is gone after a few missed frames, at 30 frames/s it is not."""
    frames = make_frames(1, count=14)

    def ids_after_a_gap(frame_rate: float) -> set[int]:
        tracker = Tracker.from_association("ocsort", proposals=block_proposals, frame_rate=frame_rate)
        for frame in frames[:4]:
            tracker.update(frame)
        tracker.proposals = lambda frame: Proposals.empty()
        for frame in frames[4:10]:
            tracker.update(frame)
        tracker.proposals = block_proposals
        return {i for frame in frames[10:] for i in tracker.update(frame).tracks.ids.tolist()}

    assert ids_after_a_gap(30.0) == {1, 2, 3}
    assert ids_after_a_gap(3.0).isdisjoint({1, 2, 3})
