"""Who is whom in training: tracks keep their person, the rest is matched at least cost (MOTR's TALA, MOTRv2's costs).

The costs are tensors, the bookkeeping of ids is NumPy: a frame needs one transfer, and the Hungarian method runs on the
CPU anyway.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from vsdmot.boxes import cxcywh_to_xyxy
from vsdmot.errors import TrainingError
from vsdmot.training.objective.losses import FOCAL_ALPHA, FOCAL_GAMMA, LossWeights, generalized_iou

NOBODY = -1
"""Id of a query that no person owns; index of the person of a query that stands for none."""

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Matches:
    """The pairs of a frame, M in every layer: a track's pair is the same in all, the others are each layer's own.

    Attributes:
        queries: ``(layers, M)``, indices of queries; each at most once in a layer.
        people: ``(layers, M)``, indices of the people they stand for; each at most once in a layer.
        ids: ``(N,)`` after the last layer: of the person that a query stands for. A track whose person is absent keeps
            its id; `NOBODY` for the others.
        person_of: ``(N,)`` in the last layer: index of the person, or `NOBODY`.
    """

    queries: Integers
    people: Integers
    ids: Integers
    person_of: Integers


@torch.no_grad()
def matching_costs(logits: Tensor, boxes: Tensor, truth: Tensor, weights: LossWeights) -> Tensor:
    """Say what it costs to take a query for a person.

    The classification part is how much the focal loss changes when the query's target goes from nobody to person.

    Args:
        logits: ``(layers, N)``.
        boxes: ``(layers, N, 4)``, ``cxcywh`` in [0, 1].
        truth: ``(G, 4)``, ``cxcywh``.
        weights: Of the parts.

    Returns:
        ``(layers, N, G)`` float32.
    """
    logits, boxes, truth = logits.float(), boxes.float(), truth.float()
    probability = logits.sigmoid()
    as_person = FOCAL_ALPHA * (1 - probability) ** FOCAL_GAMMA * -(probability + 1e-8).log()
    as_nobody = (1 - FOCAL_ALPHA) * probability**FOCAL_GAMMA * -(1 - probability + 1e-8).log()
    distance = (boxes[:, :, None] - truth).abs().sum(-1)
    overlap = generalized_iou(cxcywh_to_xyxy(boxes)[:, :, None], cxcywh_to_xyxy(truth))
    classification = (as_person - as_nobody)[:, :, None]
    return weights.classification * classification + weights.l1 * distance - weights.giou * overlap


def assign(costs: NDArray[np.float32], query_ids: Integers, people_ids: Integers) -> Matches:
    """Match the queries of a frame to its people.

    A query with an id stands for the person of that id, or for nobody while that person is absent. The others compete
    for the people that no track has, layer by layer.

    Args:
        costs: ``(layers, N, G)``, finite.
        query_ids: ``(N,)``, `NOBODY` for queries that no track owns; no other number twice.
        people_ids: ``(G,)``, at least 0, none twice.

    Returns:
        The pairs; there are fewer than G if the queries do not suffice.
    """
    person_with = {int(number): index for index, number in enumerate(people_ids)}
    inherited = np.array([person_with.get(int(number), NOBODY) for number in query_ids], np.int64)
    tracks = np.flatnonzero(inherited != NOBODY)
    free_queries = np.flatnonzero(query_ids == NOBODY)
    free_people = np.setdiff1d(np.arange(len(people_ids)), inherited)

    queries, people = [], []
    for layer in costs:
        rows, columns = linear_sum_assignment(layer[np.ix_(free_queries, free_people)])
        queries.append(np.concatenate([tracks, free_queries[rows]]))
        people.append(np.concatenate([inherited[tracks], free_people[columns]]))
    ids, person_of = query_ids.copy(), np.full(len(query_ids), NOBODY, np.int64)
    ids[queries[-1]] = people_ids[people[-1]]
    person_of[queries[-1]] = people[-1]
    return Matches(np.stack(queries), np.stack(people), ids, person_of)


def check_ids(ids: Integers, where: str) -> None:
    """Refuse a frame that shows a person twice.

    Raises:
        TrainingError: An id is below 0 or there more than once.
    """
    numbers, counts = np.unique(ids, return_counts=True)
    if (counts > 1).any():
        raise TrainingError(f"{where}: a person can be there once, got id {numbers[counts > 1][0]} more than once")
    if (numbers < 0).any():
        raise TrainingError(f"{where}: ids of people must be at least 0, got {numbers[0]}")
