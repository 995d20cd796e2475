from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from vsdmot.detection.yolox.checkpoint import save_yolox
from vsdmot.detection.yolox.decoding import decode_boxes, decode_scores
from vsdmot.detection.yolox.letterbox import normalise
from vsdmot.errors import CheckpointError
from vsdmot.io.image_writer import write_image
from vsdmot.models.yolox.network import LevelOutput
from vsdmot.training.yolox.augment import AugmentConfig, Augmenter, DegradationConfig
from vsdmot.training.yolox.images import StillImage
from vsdmot.training.yolox.pictures import PictureStore
from vsdmot.training.yolox.teaching import DetectorTeaching, SoftLabels, TeachingConfig, teaching_loss


def random_levels(generator: torch.Generator, images: int = 2) -> list[LevelOutput]:
    def noise(channels: int, side: int) -> Tensor:
        return torch.randn(images, channels, side, side, generator=generator)

    return [LevelOutput(noise(4, side), noise(1, side), noise(1, side)) for side in (8, 4, 2)]


def slow_loss(levels: list[LevelOutput], labels: SoftLabels) -> tuple[float, float]:
    """The formula of the module's docstring, cell by cell."""
    scores, boxes = decode_scores(levels)[..., 0].double().numpy(), decode_boxes(levels).double().numpy()
    asked, taught = labels.scores.double().numpy(), labels.boxes.double().numpy()
    of_scores = of_boxes = 0.0
    for image in range(len(scores)):
        for cell in range(scores.shape[1]):
            p, q = scores[image, cell], asked[image, cell]
            of_scores += abs(p - q) * -(q * math.log(p) + (1 - q) * math.log(1 - p))
            if q > 0.05:
                a, b = boxes[image, cell], taught[image, cell]
                width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
                height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
                union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
                of_boxes += 5 * q * (1 - (width * height / union) ** 2)
    divisor = max(asked.sum(), 1.0)
    return of_scores / divisor, of_boxes / divisor


@pytest.mark.parametrize("seed", range(5))
def test_the_loss_is_that_of_the_formula(seed):
    generator = torch.Generator().manual_seed(seed)
    levels, said = random_levels(generator), random_levels(generator)
    labels = SoftLabels(decode_scores(said)[..., 0] ** 2, decode_boxes(said))
    found = teaching_loss(levels, labels)
    assert [float(part) for part in found] == pytest.approx(slow_loss(levels, labels), rel=1e-4)


def test_who_says_the_same_has_no_loss_of_boxes_and_no_gradient_of_scores():
    levels = random_levels(torch.Generator().manual_seed(0))
    for level in levels:
        level.objectness.requires_grad_()
    labels = SoftLabels(decode_scores(levels)[..., 0].detach(), decode_boxes(levels))
    scores, boxes = teaching_loss(levels, labels)
    scores.backward()
    assert float(boxes) == pytest.approx(0, abs=1e-4)
    assert max(float(level.objectness.grad.abs().max()) for level in levels) < 1e-5


def test_outputs_that_are_sure_and_wrong_have_a_finite_loss():
    levels = [
        LevelOutput(*(torch.full_like(output, 60.0) for output in level))
        for level in random_levels(torch.Generator().manual_seed(0))
    ]
    nobody = SoftLabels(torch.zeros(2, 84), torch.zeros(2, 84, 4))
    scores, boxes = teaching_loss(levels, nobody)
    assert torch.isfinite(scores)
    assert float(scores) > 100
    assert float(boxes) == 0


def test_the_teacher_says_what_the_detector_says(tmp_path, lively_network):
    network = lively_network(num_classes=3)
    save_yolox(tmp_path / "teacher.safetensors", network, "legacy")
    teaching = DetectorTeaching.load(TeachingConfig(weights=tmp_path / "teacher.safetensors"), bf16=False)
    images = torch.randint(0, 256, (2, 64, 96, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    labels = teaching(images)
    levels = network(normalise(images, "legacy"))
    torch.testing.assert_close(labels.scores, decode_scores(levels)[..., 0], rtol=1e-4, atol=1e-5)
    # Sizes are exponentials: of this network's, rounding alone moves single ones by 1 % (against 64-bit numbers).
    torch.testing.assert_close(labels.boxes, decode_boxes(levels), rtol=3e-2, atol=1e-2)
    other = network(normalise(images, "current"))
    assert bool(((labels.boxes - decode_boxes(other)).abs() > 0.3 * labels.boxes.abs() + 1).any())
    assert not any(parameter.requires_grad for parameter in teaching.parameters())


def test_a_teacher_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"nobody\.safetensors"):
        DetectorTeaching.load(TeachingConfig(weights=tmp_path / "nobody.safetensors"), bf16=False)


@pytest.mark.parametrize("augmented", [True, False])
def test_a_degraded_picture_keeps_its_clean_original(tmp_path, augmented):
    rng = np.random.default_rng(0)
    for number in range(4):
        write_image(tmp_path / f"{number}.png", rng.integers(0, 256, (60, 90, 3), np.uint8))
    empty = np.zeros((0, 4), np.float32)
    people = np.array([[5, 5, 25, 45]], np.float32)
    images = [StillImage(tmp_path / f"{number}.png", "clip", people, empty) for number in range(4)]

    def make(probability: float):
        store = PictureStore(images, (64, 96), limit=10**7)
        config = AugmentConfig(degradation=DegradationConfig(probability=probability))
        return Augmenter(store, config).make(0, (64, 96), np.random.default_rng(1), augmented=augmented)

    clean, degraded = make(0.0), make(1.0)
    assert clean.clean is None
    assert degraded.clean.shape == degraded.image.shape
    np.testing.assert_array_equal(degraded.clean, clean.image)
    assert (degraded.image != degraded.clean).any()
