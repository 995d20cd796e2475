"""Queries of a frame: order, content of proposals, denoising."""

from __future__ import annotations

import torch

from vsdmot.models.positions import sine_embedding
from vsdmot.models.queries import Queries, QuerySource


def test_learned_queries_come_first_then_proposals_in_their_order():
    source = QuerySource(dim=8, num_learned=2, denoising=False)
    boxes, scores = torch.rand(1, 3, 4), torch.tensor([[0.9, 0.1, 0.5]])
    queries = source(boxes, scores)
    assert len(queries) == 5
    assert torch.equal(queries.anchors[0, :2], source.learned_anchors)
    assert torch.equal(queries.content[0, :2], source.learned_content)
    assert torch.equal(queries.anchors[0, 2:], boxes[0])
    for p in range(3):
        expected = source.proposal_content[0] + sine_embedding(scores[0, p : p + 1], 8)
        torch.testing.assert_close(queries.content[0, 2 + p], expected)


def test_learned_anchors_are_raw_boxes_and_start_in_the_picture():
    anchors = QuerySource(dim=8, num_learned=50, denoising=False).learned_anchors
    assert (anchors >= 0).all()
    assert (anchors <= 1).all()


def test_joining_keeps_the_order_of_the_groups():
    groups = [Queries(torch.full((1, n, 4), float(n)), torch.full((1, n, 4), -float(n))) for n in (2, 0, 3)]
    joined = Queries.join(*groups)
    assert joined.content[0, :, 0].tolist() == [2, 2, 3, 3, 3]
    assert joined.anchors[0, :, 0].tolist() == [-2, -2, -3, -3, -3]


def test_denoising_queries_share_one_vector_at_the_given_boxes():
    source = QuerySource(dim=8, num_learned=1, denoising=True)
    boxes = torch.rand(2, 3, 4)
    queries = source.denoise(boxes)
    assert torch.equal(queries.anchors, boxes)
    assert (queries.content == source.denoising_content[0]).all()
