"""The errors of a frame, against the formulas in scalar loops."""

from __future__ import annotations

import math

import pytest
import torch

from vsdmot.boxes import cxcywh_to_xyxy
from vsdmot.config import from_mapping
from vsdmot.errors import ConfigError
from vsdmot.training.objective.denoising import draw_noise, jitter
from vsdmot.training.objective.losses import KINDS, LossWeights, box_losses, focal_loss, frame_losses, generalized_iou


def random_boxes(*shape: int, seed: int = 0) -> torch.Tensor:
    """Boxes ``cxcywh`` of all sizes, some beyond the image."""
    return torch.rand(*shape, 4, generator=torch.Generator().manual_seed(seed)) * torch.tensor([1, 1, 0.5, 0.5])


def slow_focal(logit: float, person: bool) -> float:
    probability = 1 / (1 + math.exp(-logit))
    if person:
        return -0.25 * (1 - probability) ** 2 * math.log(probability)
    return -0.75 * probability**2 * math.log(1 - probability)


def slow_giou(a: list[float], b: list[float]) -> float:
    """Of ``cxcywh`` boxes, by corners."""
    (al, at, ar, ab), (bl, bt, br, bb) = (
        (x - w / 2, y - h / 2, x + w / 2, y + h / 2) for x, y, w, h in (map(float, a), map(float, b))
    )
    common = max(0.0, min(ar, br) - max(al, bl)) * max(0.0, min(ab, bb) - max(at, bt))
    union = (ar - al) * (ab - at) + (br - bl) * (bb - bt) - common
    hull = (max(ar, br) - min(al, bl)) * (max(ab, bb) - min(at, bt))
    return common / union - (hull - union) / hull


def test_no_people_leave_only_the_classification():
    logits = torch.tensor([[0.3, -2.0]])
    nobody = torch.zeros(1, 0, dtype=torch.int64)
    terms = frame_losses(logits, torch.rand(1, 2, 4), torch.zeros(0, 4), nobody, nobody)
    assert terms[0, 1:].tolist() == [0, 0]
    assert float(terms[0, 0]) == pytest.approx(slow_focal(0.3, False) + slow_focal(-2.0, False), rel=1e-5)


def test_no_queries_at_all_cost_nothing():
    none = torch.zeros(3, 0, dtype=torch.int64)
    assert torch.equal(
        frame_losses(torch.zeros(3, 0), torch.zeros(3, 0, 4), torch.zeros(0, 4), none, none), torch.zeros(3, 3)
    )


def test_frame_losses_are_the_formulas_query_by_query():
    logits = torch.randn(2, 5, generator=torch.Generator().manual_seed(1)) * 3
    boxes, truth = random_boxes(2, 5), random_boxes(3, seed=2)
    queries = torch.tensor([[4, 0], [1, 2]])
    people = torch.tensor([[1, 2], [0, 1]])
    terms = frame_losses(logits, boxes, truth, queries, people)
    for layer in range(2):
        pairs = dict(zip(queries[layer].tolist(), people[layer].tolist(), strict=True))
        ce = sum(slow_focal(float(logits[layer, n]), n in pairs) for n in range(5))
        l1 = sum(abs(float(boxes[layer, n, i]) - float(truth[g, i])) for n, g in pairs.items() for i in range(4))
        giou = sum(1 - slow_giou(boxes[layer, n].tolist(), truth[g].tolist()) for n, g in pairs.items())
        assert terms[layer].tolist() == pytest.approx([ce, l1, giou], rel=1e-5)


def test_sure_answers_are_finite_whether_right_or_wrong():
    logits = torch.tensor([1e4, -1e4, 1e4, -1e4], requires_grad=True)
    losses = focal_loss(logits, torch.tensor([1.0, 0.0, 0.0, 1.0]))
    losses.sum().backward()
    assert losses.tolist() == pytest.approx([0, 0, 7500, 2500])
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([0.5, 0.5, 0.2, 0.2], [0.5, 0.5, 0.2, 0.2], 1.0),
        ([0.25, 0.5, 0.5, 1.0], [0.75, 0.5, 0.5, 1.0], 0.0),  # side by side: the hull is full
        ([0.5, 0.5, 1.0, 1.0], [0.5, 0.5, 0.5, 0.5], 0.25),  # one within the other
        ([0.05, 0.5, 0.1, 1.0], [0.95, 0.5, 0.1, 1.0], -0.8),  # far apart
    ],
)
def test_generalized_iou_of_boxes_that_can_be_told_by_eye(first, second, expected):
    a, b = (cxcywh_to_xyxy(torch.tensor([box])) for box in (first, second))
    assert float(generalized_iou(a, b)) == pytest.approx(expected, abs=1e-6)
    assert float(generalized_iou(b, a)) == pytest.approx(expected, abs=1e-6)


def test_generalized_iou_broadcasts_and_is_the_formula():
    first, second = random_boxes(4, seed=3), random_boxes(3, seed=4)
    result = generalized_iou(cxcywh_to_xyxy(first)[:, None], cxcywh_to_xyxy(second))
    for i in range(4):
        for j in range(3):
            assert float(result[i, j]) == pytest.approx(slow_giou(first[i].tolist(), second[j].tolist()), abs=1e-5)


def test_boxes_without_area_have_finite_losses_and_gradients():
    boxes = torch.tensor([[[0.5, 0.5, 0.0, 0.0], [0.2, 0.2, 0.0, 0.3]]], requires_grad=True)
    truth = torch.tensor([[[0.5, 0.5, 0.0, 0.0], [0.6, 0.6, 0.1, 0.1]]])
    losses = box_losses(boxes, truth)
    losses.sum().backward()
    assert torch.isfinite(losses).all()
    assert torch.isfinite(boxes.grad).all()


def test_weights_come_in_the_order_of_the_kinds():
    weights = dict(zip(KINDS, LossWeights(classification=1, l1=2, giou=3).by_kind(), strict=True))
    assert weights == {"ce": 1, "l1": 2, "giou": 3, "denoise_l1": 2, "denoise_giou": 3}
    assert LossWeights().by_kind() == (2, 5, 2, 5, 2)


def test_negative_weights_are_refused():
    with pytest.raises(ConfigError, match="l1: must be at least 0"):
        from_mapping(LossWeights, {"l1": -1})


def test_jitter_moves_by_shares_of_the_box():
    boxes, noise = random_boxes(6), torch.rand(6, 4, generator=torch.Generator().manual_seed(5))
    moved = jitter(boxes, noise, 0.05)
    for (x, y, w, h), (a, b, c, d), result in zip(boxes.tolist(), noise.tolist(), moved.tolist(), strict=True):
        expected = [
            x + w * (2 * a - 1) * 0.05, y + h * (2 * b - 1) * 0.05, w * (1 + (2 * c - 1) * 0.05),
            h * (1 + (2 * d - 1) * 0.05),
        ]  # fmt: skip
        assert result == pytest.approx(expected, rel=1e-5)
    assert torch.equal(jitter(boxes, torch.full((6, 4), 0.5), 0.05), boxes)
    assert jitter(torch.zeros(0, 4), torch.zeros(0, 4), 0.05).shape == (0, 4)


def test_noise_comes_from_the_generator_alone():
    first, again, other = (
        draw_noise(3, torch.Generator().manual_seed(seed), torch.device("cpu")) for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.shape == (3, 4)
