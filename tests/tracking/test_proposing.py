from __future__ import annotations

import numpy as np
import pytest
import torch

from vsdmot.detection.yolox.detector import DetectorConfig, YoloxDetector
from vsdmot.detection.yolox.proposing import ProposingConfig
from vsdmot.errors import ConfigError
from vsdmot.models.backbone import YoloxBackbone
from vsdmot.models.vsdmot import VSDMOT, ModelConfig
from vsdmot.models.yolox.network import YoloxConfig
from vsdmot.structures import Frame, Proposals
from vsdmot.tracking.association import Association
from vsdmot.tracking.preprocess import PreprocessConfig
from vsdmot.tracking.pretrained import TrackerConfig
from vsdmot.tracking.query_tracking import QueryTracking
from vsdmot.tracking.tracker import Tracker

SIZE = PreprocessConfig(short_side=64, long_side=96, multiple=32)


@pytest.fixture
def network(lively_network) -> VSDMOT:
    torch.manual_seed(0)
    detector = YoloxConfig(depth=0.33, width=0.125)
    config = ModelConfig(
        backbone="yolox", detector=detector, hidden_dim=64, encoder_layers=0, decoder_layers=1, feedforward_dim=64
    )
    model = VSDMOT(config)
    assert isinstance(model.backbone, YoloxBackbone)
    model.backbone.load(lively_network(0.3, num_classes=1))
    return model


def noise(height: int = 64, width: int = 96) -> Frame:
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return Frame(1, 0.0, image)


class Recorder:
    """The detector of a network, as a source of proposals that remembers what it gave."""

    def __init__(self, detector: YoloxDetector) -> None:
        self.detector, self.given = detector, Proposals.empty()

    def __call__(self, frame: Frame) -> Proposals:
        self.given = self.detector(frame)
        return self.given


def test_the_network_finds_what_its_detector_finds_alone(network, lively_network):
    settings = ProposingConfig(score_threshold=0.1, nms_threshold=0.5, max_proposals=40)
    alone = Recorder(
        YoloxDetector(
            lively_network(0.3, num_classes=1),
            "legacy",
            config=DetectorConfig(score_threshold=0.1, nms_threshold=0.5, input_size=96, max_proposals=40),
        )
    )
    given = Tracker(QueryTracking(network, preprocessing=SIZE, proposing=settings), alone).update(noise())
    own = Tracker(QueryTracking(network, preprocessing=SIZE, proposing=settings)).update(noise())
    assert own.num_proposals == given.num_proposals == len(alone.given) > 5
    np.testing.assert_array_equal(own.tracks.ids, given.tracks.ids)
    np.testing.assert_allclose(own.tracks.boxes, given.tracks.boxes, atol=1e-2)


def test_boxes_are_in_pixels_of_the_frame_whatever_the_size_of_the_input(network):
    method = QueryTracking(network, preprocessing=SIZE, proposing=ProposingConfig(score_threshold=0.1))
    frame = noise(150, 200)  # 64 x 96 in the network, so that height and width scale differently
    images = torch.zeros(1, 3, 64, 96)
    found = method._propose(network.backbone(images), frame, images)
    small = method._propose(network.backbone(images), noise(64, 96), images)
    scale = np.array([200 / 96, 150 / 64, 200 / 96, 150 / 64])
    np.testing.assert_allclose(found.boxes, small.boxes * scale, rtol=1e-5)


def test_thresholds_bound_what_is_proposed(network):
    def count(**settings: float) -> int:
        method = QueryTracking(network, preprocessing=SIZE, proposing=ProposingConfig(**settings))
        return Tracker(method).update(noise()).num_proposals

    assert count(score_threshold=1.0) == 0
    assert count(score_threshold=0.0, nms_threshold=1.0, max_proposals=7) == 7
    assert count(score_threshold=0.0, nms_threshold=0.3) < count(score_threshold=0.0, nms_threshold=0.8)


def test_who_cannot_propose_asks_for_proposals_at_once(network):
    with pytest.raises(ConfigError, match="no detector of its own"):
        Tracker(Association("ocsort"))
    with pytest.raises(ConfigError, match="no detector of its own"):
        Tracker(
            QueryTracking(VSDMOT(ModelConfig(backbone="resnet18", hidden_dim=64, encoder_layers=1, decoder_layers=1)))
        )


def test_an_input_that_does_not_fit_the_detector_is_refused_with_the_settings(network):
    with pytest.raises(ConfigError, match="multiple of 32"):
        TrackerConfig(model=network.config)
    assert TrackerConfig(model=network.config, preprocessing=SIZE).preprocessing.multiple == 32


def test_settings_for_proposing_without_a_detector_are_refused():
    with pytest.raises(ConfigError, match="backbone is a detector"):
        TrackerConfig(proposing=ProposingConfig(score_threshold=0.3))
