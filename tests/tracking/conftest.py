"""What the tests of tracking share: tiny networks and made-up frames."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vsdmot.models.student import StudentConfig
from vsdmot.models.vsdmot import VSDMOT, ModelConfig
from vsdmot.structures import Frame, Proposals


@pytest.fixture
def small_model() -> VSDMOT:
    """A complete VSD-MOT that runs in milliseconds and finds somebody in most frames."""
    torch.manual_seed(0)
    config = ModelConfig(
        backbone="resnet18", hidden_dim=64, num_heads=4, encoder_layers=1, decoder_layers=1, feedforward_dim=64,
        num_learned_queries=2, student=StudentConfig(hidden_dim=16, num_layers=1, feedforward_dim=16),
    )  # fmt: skip
    model = VSDMOT(config).eval()
    with torch.no_grad():  # random heads are all alike; spread them so that some queries are sure and some are not
        torch.nn.init.normal_(model.decoder.class_heads[-1].weight, std=0.3)
        torch.nn.init.constant_(model.decoder.class_heads[-1].bias, 0.5)
    return model


@pytest.fixture
def make_frames():
    """Give a function that makes the frames of a clip from a seed: noise in which blocks move."""

    def make(seed: int, count: int = 6, height: int = 72, width: int = 96) -> list[Frame]:
        rng = np.random.default_rng(seed)
        frames = []
        for index in range(1, count + 1):
            image = rng.integers(0, 120, (height, width, 3), dtype=np.uint8)
            for block in range(3):
                left, top = 6 + 22 * block + 2 * index, 10 + 8 * block
                image[top : top + 30, left : left + 14] = 200 - 40 * block
            frames.append(Frame(index, (index - 1) / 25, image))
        return frames

    return make


@pytest.fixture
def block_proposals():
    """Give a proposal source that knows where the blocks of `make_frames` are."""

    def propose(frame: Frame) -> Proposals:
        boxes = []
        for block in range(3):
            left, top = 6 + 22 * block + 2 * frame.index, 10 + 8 * block
            boxes.append([left, top, left + 14, top + 30])
        return Proposals(np.array(boxes, np.float32), np.array([0.95, 0.9, 0.85], np.float32))

    return propose
