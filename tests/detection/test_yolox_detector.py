"""The detector as a whole: the slow way gives the same proposals, and real people are found."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from vsdmot import config
from vsdmot.boxes import iou, xywh_to_xyxy
from vsdmot.detection.nms import nms
from vsdmot.detection.yolox.checkpoint import save_yolox
from vsdmot.detection.yolox.decoding import decode_boxes, decode_scores
from vsdmot.detection.yolox.detector import DetectorConfig, YoloxDetector
from vsdmot.detection.yolox.letterbox import input_shape, letterbox, normalise
from vsdmot.errors import ConfigError
from vsdmot.io.mot_text import read_mot
from vsdmot.models.yolox.network import YOLOX
from vsdmot.structures import Frame, Proposals


def noise_frame(height: int = 90, width: int = 120) -> Frame:
    return Frame(1, 0.0, np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def slow_detect(network: YOLOX, convention: str, frame: Frame, settings: DetectorConfig) -> Proposals:
    """Whole scores of all classes from the network as it was trained: no folding, no memory format."""
    padded, scale = letterbox(frame.image, input_shape(frame.height, frame.width, settings.input_size))
    with torch.no_grad():
        levels = network(normalise(torch.from_numpy(padded.copy())[None], convention).contiguous())
    boxes, scores = decode_boxes(levels)[0].numpy() / np.float32(scale), decode_scores(levels)[0, :, 0].numpy()
    candidates = np.flatnonzero(scores > settings.score_threshold)
    kept = candidates[nms(boxes[candidates], scores[candidates], settings.nms_threshold)][: settings.max_proposals]
    return Proposals(boxes=boxes[kept], scores=scores[kept])


@pytest.mark.parametrize("convention", ["legacy", "current"])
@pytest.mark.parametrize("size", [64, (96, 64)])
def test_the_slow_way_gives_the_same(convention: str, size, lively_network):
    settings = DetectorConfig(input_size=size, score_threshold=0.3)
    network, frame = lively_network(), noise_frame()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    proposals = YoloxDetector(network, convention, config=settings)(frame)
    expected = slow_detect(network, convention, frame, settings)
    assert len(proposals) == len(expected) > 10
    np.testing.assert_allclose(proposals.scores, expected.scores, atol=1e-4)
    np.testing.assert_allclose(proposals.boxes, expected.boxes, rtol=1e-4, atol=1e-3)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_proposals_come_best_first_and_at_most_so_many(lively_network):
    network = lively_network()
    everything = YoloxDetector(network, "legacy", config=DetectorConfig(input_size=64))(noise_frame())
    few = YoloxDetector(network, "legacy", config=DetectorConfig(input_size=64, max_proposals=5))(noise_frame())
    assert (np.diff(everything.scores) <= 0).all()
    assert len(everything) > 5
    np.testing.assert_array_equal(few.boxes, everything.boxes[:5])


def test_a_frame_without_people_is_legal(lively_network):
    network = lively_network(probability=0.04)
    for layer in network.head.obj_preds:
        layer.weight.data.zero_()
    assert len(YoloxDetector(network, "legacy", config=DetectorConfig(input_size=64))(noise_frame())) == 0


def test_a_second_call_and_a_second_detector_give_the_same(lively_network):
    detector, other = (
        YoloxDetector(lively_network(), "legacy", config=DetectorConfig(input_size=64)) for _ in range(2)
    )
    first, second, third = detector(noise_frame()), detector(noise_frame()), other(noise_frame())
    np.testing.assert_array_equal(first.boxes, second.boxes)
    np.testing.assert_array_equal(first.boxes, third.boxes)


def test_boxes_are_in_pixels_of_the_frame(lively_network):
    """The same picture at twice the size gives boxes of twice the size."""
    detector = YoloxDetector(lively_network(), "legacy", config=DetectorConfig(input_size=64))
    small = np.full((48, 64, 3), 80, np.uint8)
    one = detector(Frame(1, 0.0, small))
    two = detector(Frame(1, 0.0, np.repeat(np.repeat(small, 2, axis=0), 2, axis=1)))
    np.testing.assert_allclose(two.boxes, 2 * one.boxes, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (500, 3)])
def test_odd_shapes_of_frames(shape: tuple[int, int], lively_network):
    config = DetectorConfig(input_size=64)
    proposals = YoloxDetector(lively_network(), "legacy", config=config)(noise_frame(*shape))
    assert (proposals.scores > config.score_threshold).all()
    assert (np.diff(proposals.scores) <= 0).all()


def test_a_detector_from_a_file_tells_what_it_took(tmp_path: Path, lively_network):
    save_yolox(tmp_path / "a.safetensors", lively_network(), "current")
    detector = YoloxDetector.from_checkpoint(tmp_path / "a.safetensors", config=DetectorConfig(input_size=64))
    assert detector.convention == detector.config.convention == "current"
    assert "2 classes, input convention current" in detector.notes[0]
    expected = YoloxDetector(lively_network(), "current", config=DetectorConfig(input_size=64))(noise_frame())
    np.testing.assert_array_equal(detector(noise_frame()).boxes, expected.boxes)
    forced = YoloxDetector.from_checkpoint(
        tmp_path / "a.safetensors", config=DetectorConfig(input_size=64, convention="legacy")
    )
    assert forced.convention == "legacy"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"score_threshold": 1.5}, "score_threshold: must be from 0 to 1"),
        ({"nms_threshold": -0.1}, "nms_threshold: must be from 0 to 1"),
        ({"input_size": 500}, "input_size: must be a multiple of 32"),
        ({"input_size": 0}, "input_size: must be a multiple of 32"),
        ({"input_size": [800, 1441]}, "input_size: must be a multiple of 32"),
        ({"max_proposals": 0}, "max_proposals: must be at least 1"),
        ({"convention": "rgb"}, "convention: expected one of auto, legacy, current"),
    ],
)
def test_settings_out_of_range_are_refused(values: dict, message: str):
    with pytest.raises(ConfigError, match=message):
        config.from_mapping(DetectorConfig, values)


@pytest.mark.parametrize(("text", "size"), [("640", 640), ("800,1440", (800, 1440)), ([800, 1440], (800, 1440))])
def test_the_input_size_can_be_typed(text, size):
    assert config.load(DetectorConfig, overrides={"input_size": text}).input_size == size


def test_every_setting_has_a_help_text():
    assert config.attribute_help(DetectorConfig).keys() == config.to_mapping(DetectorConfig()).keys()


def test_published_weights_find_the_people(shared_data: Path):
    """TUD-Campus, every tenth frame: nearly every visible person, and folding changes nothing that matters."""
    folder = shared_data / "mot15/train/TUD-Campus"
    truth = read_mot(folder / "gt" / "gt.txt")
    path = shared_data / "weights" / "yolox_nano_coco_legacy.safetensors"
    detector = YoloxDetector.from_checkpoint(path)
    wrong = YoloxDetector.from_checkpoint(path, config=DetectorConfig(convention="current"))
    found, missed_otherwise, people = 0, 0, 0
    for index in range(1, 72, 10):
        image = cv2.cvtColor(cv2.imread(str(folder / "img1" / f"{index:06d}.jpg")), cv2.COLOR_BGR2RGB)
        frame = Frame(index, 0.0, image)
        boxes = xywh_to_xyxy(truth.boxes[truth.frames == index]).astype(np.float32)
        found += int((iou(boxes, detector(frame).boxes).max(axis=1, initial=0) > 0.5).sum())
        missed_otherwise += int((iou(boxes, wrong(frame).boxes).max(axis=1, initial=0) <= 0.5).sum())
        people += len(boxes)
    assert found / people > 0.8
    assert missed_otherwise == people  # the other convention is silently useless, which is why it is never guessed
