"""SimOTA against a slow implementation in loops and float64, and its edge cases."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from vsdmot.boxes import cxcywh_to_xyxy
from vsdmot.training.yolox.simota import Assignment, Cells, assign

HEIGHT, WIDTH = 64, 96


def cells() -> Cells:
    corners, strides = [], []
    for stride in (8, 16, 32):
        for row in range(HEIGHT // stride):
            for column in range(WIDTH // stride):
                corners.append((float(column), float(row)))
                strides.append(float(stride))
    return Cells(torch.tensor(corners), torch.tensor(strides), (HEIGHT, WIDTH))


def slow_iou(a, b) -> float:
    width = max(min(a[2], b[2]) - max(a[0], b[0]), 0.0)
    height = max(min(a[3], b[3]) - max(a[1], b[1]), 0.0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return width * height / union


def slow_assign(predicted, objectness, classes, truth, where: Cells, rule: str) -> dict[int, tuple[int, float]]:
    """Give cell to (person, IoU), as the published code does it but for exact arithmetic."""
    height, width = where.size
    pairs = zip(where.corners.tolist(), where.strides.tolist(), strict=True)
    middles = [((column + 0.5) * stride, (row + 0.5) * stride, stride) for (column, row), stride in pairs]
    preferred, candidates = {}, set()
    for g, (left, top, right, bottom) in enumerate(truth):
        x, y = (left + right) / 2, (top + bottom) / 2
        if rule == "legacy":
            x, y = min(max(x, 0), width), min(max(y, 0), height)
        radius = 1.5 if rule == "current" else 2.5
        for a, (cx, cy, stride) in enumerate(middles):
            near = max(abs(cx - x), abs(cy - y)) < radius * stride
            inside = left < cx < right and top < cy < bottom
            preferred[g, a] = near if rule == "current" else near and inside
            if near or (rule == "legacy" and inside):
                candidates.add(a)
    ordered, wishes, costs, overlaps = sorted(candidates), {}, {}, {}
    for g, box in enumerate(truth):
        for a in ordered:
            overlaps[g, a] = slow_iou(box, predicted[a])
            score = math.sqrt(1 / (1 + math.exp(-objectness[a])) / (1 + math.exp(-classes[a])))
            cost = -math.log(score) - 3 * math.log(overlaps[g, a] + 1e-8)
            costs[g, a] = (not preferred[g, a], cost)
        best = sorted((overlaps[g, a] for a in ordered), reverse=True)[:10]
        count = max(int(sum(best)), 1)
        for a in sorted(ordered, key=lambda a: (costs[g, a], a))[:count]:
            wishes.setdefault(a, []).append(g)
    result = {}
    for a, people in wishes.items():
        g = people[0] if len(people) == 1 else min(range(len(truth)), key=lambda g: (costs[g, a], g))
        result[a] = (g, overlaps[g, a])
    return result


def draw(rng: np.random.Generator, num_people: int, kind: str):
    where = cells()
    middle = rng.uniform((0, 0), (WIDTH, HEIGHT), (num_people, 2))
    size = np.exp(rng.uniform(np.log(4), np.log(60), (num_people, 2)))
    if kind == "tiny":
        size = rng.uniform(0.5, 3, (num_people, 2))
    if kind == "beyond":
        middle = rng.uniform((-40, -40), (WIDTH + 40, HEIGHT + 40), (num_people, 2))
    truth = cxcywh_to_xyxy(np.concatenate([middle, size], axis=1))
    if kind == "identical" and num_people:
        truth = truth[rng.integers(0, (num_people + 1) // 2, num_people)]
    # Half of the cells predict something like a person, so that IoUs add up to more than one.
    sizes = np.exp(rng.normal(2.5, 0.8, (len(where.strides), 2)))
    predicted = cxcywh_to_xyxy(np.concatenate([where.centres.numpy() + rng.normal(0, 4, sizes.shape), sizes], axis=1))
    if num_people:
        for a in range(0, len(predicted), 2):
            distance = np.abs(cxcywh_like(truth) - where.centres[a].numpy()).sum(axis=1)
            predicted[a] = truth[distance.argmin()] + rng.normal(0, 1.5, 4)
        predicted[:, 2:] = np.maximum(predicted[:, 2:], predicted[:, :2] + 0.3)
    logits = rng.normal(-2, 2, (2, len(predicted)))
    as_tensors = [torch.tensor(values, dtype=torch.float32) for values in (predicted, *logits, truth.reshape(-1, 4))]
    return as_tensors, where


def cxcywh_like(truth):
    return (truth[:, :2] + truth[:, 2:]) / 2


def as_dict(found: Assignment) -> dict[int, tuple[int, float]]:
    rows = zip(found.cells.tolist(), found.people.tolist(), found.overlaps.tolist(), strict=True)
    return {cell: (person, overlap) for cell, person, overlap in rows}


@pytest.mark.parametrize("rule", ["current", "legacy"])
def test_it_is_the_slow_assignment_on_200_random_images(rule):
    rng = np.random.default_rng(5)
    assigned, shared = 0, 0
    for number in range(200):
        kind = ("plain", "beyond", "tiny", "identical")[number % 4]
        (predicted, objectness, classes, truth), where = draw(rng, int(rng.integers(0, 9)), kind)
        found = as_dict(assign(predicted, objectness, classes, truth, where, rule))
        values = [tensor.double().tolist() for tensor in (predicted, objectness, classes, truth)]
        slow = slow_assign(*values, where, rule)
        assert {cell: person for cell, (person, _) in found.items()} == {a: g for a, (g, _) in slow.items()}, number
        for cell, (_, overlap) in found.items():
            assert overlap == pytest.approx(slow[cell][1], abs=1e-5)
        assigned += len(found)
        shared += len(found) > len(truth)
    assert assigned > 800
    assert shared > 60  # images in which somebody gets several cells


@pytest.mark.parametrize("rule", ["current", "legacy"])
def test_nobody_gets_no_cell(rule):
    (predicted, objectness, classes, truth), where = draw(np.random.default_rng(0), 0, "plain")
    found = assign(predicted, objectness, classes, truth, where, rule)
    assert len(found) == 0
    assert found.overlaps.shape == (0,)


@pytest.mark.parametrize(("rule", "expected"), [("current", 0), ("legacy", 1)])
def test_a_person_whose_centre_is_far_outside_is_taught_by_the_legacy_rule_only(rule, expected):
    (predicted, objectness, classes, _), where = draw(np.random.default_rng(0), 0, "plain")
    truth = torch.tensor([[-150.0, 10.0, 6.0, 50.0]])
    assert min(len(assign(predicted, objectness, classes, truth, where, rule)), 1) == expected


def test_of_two_identical_people_the_first_gets_the_cells():
    (predicted, objectness, classes, truth), where = draw(np.random.default_rng(3), 1, "plain")
    alone = assign(predicted, objectness, classes, truth, where, "current")
    both = assign(predicted, objectness, classes, truth.repeat(2, 1), where, "current")
    assert both.people.unique().tolist() == [0]
    assert both.cells.tolist() == alone.cells.tolist()


def test_equal_costs_take_the_lower_cell():
    where = cells()
    truth = torch.tensor([[20.0, 20.0, 36.0, 36.0]])
    same = truth.repeat(len(where.strides), 1)
    zeros = torch.zeros(len(where.strides))
    found = assign(same, zeros, zeros, truth, where, "current")
    near = (where.centres - 28).abs().amax(dim=1) < 1.5 * where.strides
    assert found.cells.tolist() == near.nonzero().squeeze(1)[:10].tolist()


def test_predictions_of_lower_precision_are_compared_in_float32():
    (predicted, objectness, classes, truth), where = draw(np.random.default_rng(1), 4, "plain")
    half = [tensor.bfloat16() for tensor in (predicted, objectness, classes)]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        low = assign(*half, truth, where, "legacy")
    full = assign(*(tensor.float() for tensor in half), truth, where, "legacy")
    assert low.overlaps.dtype == torch.float32
    assert low.cells.tolist() == full.cells.tolist()


def test_extreme_logits_give_finite_costs():
    (predicted, objectness, classes, truth), where = draw(np.random.default_rng(1), 4, "plain")
    found = assign(predicted * 0, objectness - 1e4, classes, truth, where, "current")
    assert set(found.people.tolist()) <= set(range(4))
    assert len(found) > 0


def test_cells_are_those_of_the_network():
    from vsdmot.models.yolox.network import YOLOX, YoloxConfig

    found = Cells.of(YOLOX(YoloxConfig(depth=0.33, width=0.125)).eval()(torch.zeros(1, 3, HEIGHT, WIDTH)))
    expected = cells()
    assert found.size == (HEIGHT, WIDTH)
    assert torch.equal(found.corners, expected.corners)
    assert torch.equal(found.strides, expected.strides)
