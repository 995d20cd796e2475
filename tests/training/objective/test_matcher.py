"""Who is whom: against all permutations, and the rules by which tracks keep their people."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from vsdmot.errors import TrainingError
from vsdmot.training.objective.losses import LossWeights
from vsdmot.training.objective.matcher import NOBODY, assign, check_ids, matching_costs


def ids(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


def pairs(matches, layer: int = -1) -> set[tuple[int, int]]:
    return set(zip(matches.queries[layer].tolist(), matches.people[layer].tolist(), strict=True))


def least_cost(costs: np.ndarray, queries: list[int], people: list[int]) -> float:
    """Try every way to pair as many as can be paired."""
    if len(queries) >= len(people):
        ways = (zip(chosen, people, strict=True) for chosen in itertools.permutations(queries, len(people)))
    else:
        ways = (zip(queries, chosen, strict=True) for chosen in itertools.permutations(people, len(queries)))
    return min(sum(float(costs[n, g]) for n, g in way) for way in ways)


@pytest.mark.parametrize("num_queries", [0, 1, 3, 5])
@pytest.mark.parametrize("num_people", [0, 1, 3, 5])
def test_matching_costs_no_more_than_any_permutation(num_queries, num_people):
    random = np.random.default_rng(num_queries + 10 * num_people)
    for _ in range(5):
        costs = random.normal(size=(2, num_queries, num_people)).astype(np.float32)
        matches = assign(costs, np.full(num_queries, NOBODY), np.arange(num_people) + 100)
        for layer in range(2):
            found = pairs(matches, layer)
            assert len(found) == min(num_queries, num_people)
            assert len({n for n, _ in found}) == len({g for _, g in found}) == len(found)
            best = least_cost(costs[layer], list(range(num_queries)), list(range(num_people)))
            assert sum(float(costs[layer, n, g]) for n, g in found) == pytest.approx(best, abs=1e-5)


def test_a_track_keeps_its_person_whatever_the_cost_and_in_every_layer():
    costs = np.zeros((2, 3, 2), np.float32)
    costs[:, 2, 0] = 50  # the track is far from its person, whom query 0 sees perfectly
    costs[:, 0, 0] = -50
    costs[0, 1, 1], costs[1, 0, 1] = -1, -1
    matches = assign(costs, ids(NOBODY, NOBODY, 8), ids(8, 9))
    assert pairs(matches, 0) == {(2, 0), (1, 1)}
    assert pairs(matches, 1) == {(2, 0), (0, 1)}
    assert matches.ids.tolist() == [9, NOBODY, 8]
    assert matches.person_of.tolist() == [1, NOBODY, 0]


def test_the_track_of_an_absent_person_keeps_the_id_and_takes_nobody_else():
    matches = assign(np.full((1, 1, 2), -9, np.float32), ids(7), ids(3, 4))
    assert matches.queries.shape == (1, 0)
    assert matches.ids.tolist() == [7]
    assert matches.person_of.tolist() == [NOBODY]


def test_a_person_who_returns_belongs_to_the_track_that_waited():
    waiting = assign(np.zeros((1, 2, 0), np.float32), ids(NOBODY, 7), ids())
    matches = assign(np.zeros((1, 2, 1), np.float32), waiting.ids, ids(7))
    assert pairs(matches) == {(1, 0)}


def test_of_duplicated_proposals_one_stands_for_the_person():
    costs = np.tile(np.float32([[1.0, 5.0]]), (1, 4, 1))
    matches = assign(costs, np.full(4, NOBODY), ids(0, 1))
    assert len(pairs(matches)) == 2
    assert sorted(matches.ids.tolist()) == [NOBODY, NOBODY, 0, 1]
    again = assign(costs, np.full(4, NOBODY), ids(0, 1))
    assert np.array_equal(matches.ids, again.ids)


def test_more_people_than_queries_leave_people_over():
    costs = np.float32([[[3.0, 1.0, 2.0], [0.0, 0.0, 0.0]]])
    matches = assign(costs, ids(NOBODY, 5), ids(4, 5, 6))
    assert pairs(matches) == {(1, 1), (0, 2)}  # person 5 has the track; of 4 and 6, the cheaper one


def test_costs_are_the_formula_pair_by_pair():
    generator = torch.Generator().manual_seed(0)
    logits, boxes = torch.randn(2, 3, generator=generator), torch.rand(2, 3, 4, generator=generator)
    truth = torch.rand(2, 4, generator=generator)
    costs = matching_costs(logits, boxes, truth, LossWeights(classification=2, l1=5, giou=3))
    for layer, n, g in itertools.product(range(2), range(3), range(2)):
        p = 1 / (1 + math.exp(-float(logits[layer, n])))
        classification = -0.25 * (1 - p) ** 2 * math.log(p + 1e-8) + 0.75 * p**2 * math.log(1 - p + 1e-8)
        a, b = boxes[layer, n].tolist(), truth[g].tolist()
        distance = sum(abs(u - v) for u, v in zip(a, b, strict=True))
        assert float(costs[layer, n, g]) == pytest.approx(
            2 * classification + 5 * distance - 3 * slow_giou(a, b), rel=1e-4, abs=1e-5
        )


def slow_giou(a: list[float], b: list[float]) -> float:
    spans = [
        (c - s / 2, c + s / 2, d - t / 2, d + t / 2) for c, s, d, t in zip(a[:2], a[2:], b[:2], b[2:], strict=True)
    ]
    common = math.prod(max(0.0, min(high, top) - max(low, bottom)) for low, high, bottom, top in spans)
    hull = math.prod(max(high, top) - min(low, bottom) for low, high, bottom, top in spans)
    union = a[2] * a[3] + b[2] * b[3] - common
    return common / union - (hull - union) / hull


def test_costs_of_extreme_predictions_are_finite_fp32_and_carry_no_gradient():
    logits = torch.tensor([[1e4, -1e4]], dtype=torch.bfloat16, requires_grad=True)
    boxes = torch.tensor([[[0.5, 0.5, 0.0, 0.0], [0.5, 0.5, 1.0, 1.0]]], dtype=torch.bfloat16)
    costs = matching_costs(logits, boxes, torch.tensor([[0.5, 0.5, 0.0, 0.0]]), LossWeights())
    assert torch.isfinite(costs).all()
    assert costs.dtype == torch.float32
    assert not costs.requires_grad


def test_a_frame_that_shows_a_person_twice_is_refused():
    check_ids(ids(), "a/1")
    check_ids(ids(0, 3), "a/1")
    with pytest.raises(TrainingError, match="dance/7: a person can be there once, got id 3 more than once"):
        check_ids(ids(3, 4, 3), "dance/7")
    with pytest.raises(TrainingError, match="dance/7: ids of people must be at least 0, got -1"):
        check_ids(ids(-1, 4), "dance/7")
