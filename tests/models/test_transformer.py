"""Encoder references, decoder refinement, heads at the start."""

from __future__ import annotations

import pytest
import torch

from vsdmot.boxes import cxcywh_to_xyxy
from vsdmot.models.positions import inverse_sigmoid
from vsdmot.models.transformer import Decoder, FeatureMaps, LayerSize, OverlapBias, cell_centres

SIZES = ((4, 6), (2, 3))
SIZE = LayerSize(dim=16, num_heads=2, num_levels=2, num_points=2, feedforward_dim=16, dropout=0.0)


def maps(batch: int = 1, dim: int = 16, valid_ratios=None) -> FeatureMaps:
    generator = torch.Generator().manual_seed(0)
    return FeatureMaps(torch.randn(batch, 30, dim, generator=generator), SIZES, None, valid_ratios)


def test_every_cell_refers_to_its_own_centre_on_all_levels():
    references = cell_centres(maps())
    cell = 0
    for height, width in SIZES:
        for row in range(height):
            for column in range(width):
                expected = [(column + 0.5) / width, (row + 0.5) / height]
                for level in range(2):
                    assert references[0, cell, level].tolist() == pytest.approx(expected)
                cell += 1


def test_with_padding_references_count_from_the_part_that_is_image():
    ratios = torch.tensor([[[0.5, 1.0], [0.4, 0.8]]])  # width, height of each level
    references = cell_centres(maps(valid_ratios=ratios))
    column, row = 0.5 / 6 / 0.5, 0.5 / 4 / 1.0  # the first cell of the first level
    for level in range(2):
        expected = [column * ratios[0, level, 0].item(), row * ratios[0, level, 1].item()]
        assert references[0, 0, level].tolist() == pytest.approx(expected)


def decoder(num_layers: int = 3) -> Decoder:
    torch.manual_seed(0)
    made = Decoder(SIZE, num_layers).eval()
    for head in made.box_heads:
        torch.nn.init.normal_(head.layers[-1].weight, std=0.5)
    return made


def test_each_layer_starts_from_the_boxes_of_the_one_before():
    made, memory = decoder(), maps()
    content, anchors = torch.randn(1, 5, 16), torch.rand(1, 5, 4)
    with torch.no_grad():
        output = made(content, anchors, memory)
        hidden, references = content, anchors
        for number, (layer, head) in enumerate(zip(made.layers, made.box_heads, strict=True)):
            hidden = layer(hidden, references, memory, None)
            references = (head(hidden) + inverse_sigmoid(references)).sigmoid()
            torch.testing.assert_close(output.boxes[number], references)
    torch.testing.assert_close(output.embeddings, hidden)


def test_gradients_stop_between_layers_but_reach_the_first_anchor():
    made, memory = decoder(2), maps()
    anchors = torch.rand(1, 3, 4, requires_grad=True)
    output = made(torch.randn(1, 3, 16), anchors, memory)
    output.boxes[0].sum().backward(retain_graph=True)
    assert anchors.grad.abs().sum() > 0
    head = made.box_heads[0].layers[-1].weight
    before = head.grad.clone()
    output.boxes[1].sum().backward()  # the second layer's boxes do not train the first layer's box head
    assert torch.equal(head.grad, before)


def test_heads_start_rare_and_where_the_anchors_are():
    torch.manual_seed(0)
    made = Decoder(SIZE, 2)
    for head in made.class_heads:
        assert head.bias.sigmoid().item() == pytest.approx(0.01, abs=1e-6)
    assert made.box_heads[1].layers[-1].bias.tolist() == [0, 0, 0, 0]
    assert made.box_heads[0].layers[-1].bias.tolist() == [0, 0, -2, -2]
    assert all((head.layers[-1].weight == 0).all() for head in made.box_heads)
    assert torch.equal(made.box_heads[0].layers[0].weight, made.box_heads[1].layers[0].weight)
    assert torch.equal(made.class_heads[0].weight, made.class_heads[1].weight)
    assert made.class_heads[0].weight.data_ptr() != made.class_heads[1].weight.data_ptr()


def test_an_attention_mask_hides_queries_from_each_other():
    made, memory = decoder(1), maps()
    content, anchors = torch.randn(1, 3, 16), torch.rand(1, 3, 4)
    mask = torch.zeros(3, 3, dtype=torch.bool)
    mask[:2, 2] = True
    moved = content.clone()
    moved[0, 2] += 3
    with torch.no_grad():
        first, second = made(content, anchors, memory, mask), made(moved, anchors, memory, mask)
    torch.testing.assert_close(first.boxes[..., :2, :], second.boxes[..., :2, :])
    assert (first.boxes[..., 2, :] - second.boxes[..., 2, :]).abs().max() > 1e-4


def test_heads_that_trust_proposals_start_likely_and_at_the_anchors():
    torch.manual_seed(0)
    made = Decoder(SIZE, 2, trust_proposals=True)
    for class_head, box_head in zip(made.class_heads, made.box_heads, strict=True):
        assert class_head.bias.sigmoid().item() == pytest.approx(0.3, abs=1e-6)
        assert box_head.layers[-1].bias.tolist() == [0, 0, 0, 0]


def test_the_overlap_bias_is_a_multiple_of_the_iou_for_each_head():
    torch.manual_seed(0)
    bias = OverlapBias(4)
    bias.weight.data = torch.tensor([0.0, 1.0, 2.5, -3.0])
    boxes = torch.rand(2, 6, 4) * 0.5 + 0.1
    boxes[1, 3, 2:] = 0  # without area: overlaps nobody, itself neither
    hidden = torch.zeros(6, 6, dtype=torch.bool)
    hidden[:4, 4:] = True
    found = bias(boxes, hidden).reshape(2, 4, 6, 6)
    corners = cxcywh_to_xyxy(boxes.double().numpy())
    for image in range(2):
        for row in range(6):
            for column in range(6):
                a, b = corners[image, row], corners[image, column]
                shared = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
                union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
                overlap = shared / union if union > 0 else 0.0
                for head, weight in enumerate((0.0, 1.0, 2.5, -3.0)):
                    expected = -float("inf") if hidden[row, column] else weight * overlap
                    assert found[image, head, row, column].item() == pytest.approx(expected, abs=1e-5)


def test_with_the_overlap_bias_a_query_sees_what_lies_on_it_before_anything_is_learned():
    torch.manual_seed(0)
    places = torch.tensor([[[0.3, 0.3, 0.2, 0.4], [0.3, 0.3, 0.2, 0.4], [0.8, 0.6, 0.2, 0.4]]])
    content = torch.randn(1, 3, 16)

    def effect(bias: bool, other: int) -> float:
        """How much the first query changes when the content of another one does."""
        torch.manual_seed(1)
        made, memory = Decoder(SIZE, 1, overlap_bias=bias).eval(), maps()
        changed = content.clone()
        changed[0, other] = 1.0
        with torch.no_grad():
            before, after = (made(given, places, memory).embeddings[0, 0] for given in (content, changed))
            return float((before - after).norm())

    assert effect(bias=True, other=1) > 2 * effect(bias=True, other=2)
    assert effect(bias=False, other=1) < 2 * effect(bias=False, other=2)
