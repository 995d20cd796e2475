"""Query interaction: who is updated, and how."""

from __future__ import annotations

import torch

from vsdmot.models.qim import QueryInteraction
from vsdmot.models.queries import Queries


def setup(seed: int = 0):
    torch.manual_seed(seed)
    module = QueryInteraction(16, 4, 24, dropout=0.0).eval()
    tracks = Queries(torch.randn(1, 4, 16), torch.rand(1, 4, 4))
    return module, tracks, torch.randn(1, 4, 16), torch.rand(1, 4, 4)


def test_unseen_tracks_keep_content_and_anchor_while_seen_ones_change():
    module, tracks, embeddings, boxes = setup()
    seen = torch.tensor([[True, False, True, False]])
    with torch.no_grad():
        after = module(tracks, embeddings, boxes, seen)
    for k in range(4):
        if seen[0, k]:
            torch.testing.assert_close(after.anchors[0, k], boxes[0, k])
            assert (after.content[0, k] - tracks.content[0, k]).abs().max() > 1e-3
        else:
            assert torch.equal(after.anchors[0, k], tracks.anchors[0, k])
            assert torch.equal(after.content[0, k], tracks.content[0, k])


def test_unseen_tracks_still_take_part_in_the_attention():
    module, tracks, embeddings, boxes = setup()
    seen = torch.tensor([[True, False, True, True]])
    moved = embeddings.clone()
    moved[0, 1] += 5
    with torch.no_grad():
        first, second = module(tracks, embeddings, boxes, seen), module(tracks, moved, boxes, seen)
    assert (first.content[0, 0] - second.content[0, 0]).abs().max() > 1e-4


def test_no_gradient_flows_into_the_next_anchor():
    module, tracks, embeddings, boxes = setup()
    boxes.requires_grad_()
    after = module(tracks, embeddings, boxes, torch.ones(1, 4, dtype=torch.bool))
    assert not after.anchors.requires_grad
    after.content.sum().backward()
    assert boxes.grad is None
