"""The loss against its sums, written as loops."""

from __future__ import annotations

import math

import pytest
import torch

from vsdmot.detection.yolox.decoding import decode_boxes
from vsdmot.models.yolox.network import STRIDES, LevelOutput
from vsdmot.training.yolox.losses import paired_iou, raw_targets, yolox_loss
from vsdmot.training.yolox.simota import Cells, assign

HEIGHT, WIDTH = 64, 96


def random_levels(seed: int, batch: int) -> list[LevelOutput]:
    generator = torch.Generator().manual_seed(seed)

    def normal(channels: int, stride: int) -> torch.Tensor:
        values = torch.randn(batch, channels, HEIGHT // stride, WIDTH // stride, generator=generator)
        return values.requires_grad_()

    return [LevelOutput(normal(4, stride), normal(1, stride), normal(1, stride)) for stride in STRIDES]


TRUTH = (
    torch.tensor([[10.0, 5.0, 30.0, 60.0], [60.0, 20.0, 110.0, 70.0], [40.0, 40.0, 43.0, 45.0]]),
    torch.zeros(0, 4),
    torch.tensor([[0.0, 0.0, 96.0, 64.0]]),
)


def bce(logit: float, target: float) -> float:
    score = 1 / (1 + math.exp(-logit))
    return -target * math.log(score) - (1 - target) * math.log(1 - score)


def slow_iou(a, b) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    common = max(width, 0) * max(height, 0)
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


@pytest.mark.parametrize("rule", ["current", "legacy"])
def test_it_is_the_sums_of_the_paper_written_as_loops(rule):
    levels = random_levels(0, 3)
    loss = yolox_loss(levels, TRUTH, rule, use_l1=True)
    cells = Cells.of(levels)
    boxes, total = decode_boxes(levels).double(), dict.fromkeys(("boxes", "objectness", "classes", "raw"), 0.0)
    count = 0
    for image, truth in enumerate(TRUTH):
        raw, objectness, classes = [], [], []
        for level in levels:
            for row in range(level.boxes.shape[2]):
                for column in range(level.boxes.shape[3]):
                    raw.append(level.boxes[image, :, row, column].tolist())
                    objectness.append(float(level.objectness[image, 0, row, column].detach()))
                    classes.append(float(level.classes[image, 0, row, column].detach()))
        found = assign(boxes[image], torch.tensor(objectness), torch.tensor(classes), truth, cells, rule)
        person_of = dict(zip(found.cells.tolist(), found.people.tolist(), strict=True))
        count += len(person_of)
        for a, box in enumerate(boxes[image].tolist()):
            total["objectness"] += bce(objectness[a], float(a in person_of))
            if a not in person_of:
                continue
            target = truth[person_of[a]].tolist()
            overlap = slow_iou(box, target)
            total["boxes"] += 5 * (1 - overlap**2)
            total["classes"] += bce(classes[a], overlap)
            (column, row), stride = cells.corners[a].tolist(), float(cells.strides[a])
            wanted = (
                (target[0] + target[2]) / 2 / stride - column,
                (target[1] + target[3]) / 2 / stride - row,
                math.log((target[2] - target[0]) / stride),
                math.log((target[3] - target[1]) / stride),
            )
            total["raw"] += sum(abs(r - w) for r, w in zip(raw[a], wanted, strict=True))
    assert loss.num_cells == count >= 4
    parts = {"boxes": loss.boxes, "objectness": loss.objectness, "classes": loss.classes, "raw": loss.raw_boxes}
    for name, part in parts.items():
        assert float(part.detach()) == pytest.approx(total[name] / count, rel=1e-4), name
    assert float(loss.total.detach()) == pytest.approx(sum(total.values()) / count, rel=1e-4)


def test_without_l1_the_rest_stays_the_same():
    levels = random_levels(1, 3)
    with_l1, without = (yolox_loss(levels, TRUTH, "legacy", use_l1=use) for use in (True, False))
    assert without.raw_boxes is None
    torch.testing.assert_close(with_l1.total - with_l1.raw_boxes, without.total)


def test_a_batch_without_people_teaches_background_and_every_output_has_a_gradient():
    levels = random_levels(2, 2)
    loss = yolox_loss(levels, (torch.zeros(0, 4), torch.zeros(0, 4)), "current", use_l1=True)
    assert loss.num_cells == 1
    assert [part.item() for part in (loss.boxes, loss.classes, loss.raw_boxes)] == [0, 0, 0]
    loss.total.backward()
    for level in levels:
        assert torch.all(level.objectness.grad > 0)
        assert torch.all(level.boxes.grad == 0)
        assert torch.all(level.classes.grad == 0)


def test_the_target_of_the_class_has_no_gradient():
    """Else boxes would be pulled to where the class is sure."""
    levels = random_levels(3, 3)
    loss = yolox_loss(levels, TRUTH, "legacy", use_l1=False)
    gradient = torch.autograd.grad(loss.classes, [level.boxes for level in levels], allow_unused=True)
    assert all(part is None or not part.any() for part in gradient)


def test_a_wild_prediction_gives_a_finite_loss_and_gradient():
    levels = random_levels(4, 1)
    with torch.no_grad():
        levels[0].boxes[:, 2:] = 500.0
        levels[1].boxes[:, 2:] = -500.0
    loss = yolox_loss(levels, TRUTH[:1], "legacy", use_l1=False).total
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(level.boxes.grad).all() for level in levels)


def test_raw_targets_decode_to_the_box():
    levels = random_levels(5, 1)
    cells = Cells.of(levels)
    box, count = torch.tensor([[10.0, 5.0, 33.0, 60.0]]), len(cells.strides)
    raw = raw_targets(box.repeat(count, 1), cells, torch.arange(count))
    start = 0
    for number, level in enumerate(levels):
        rows, columns = level.boxes.shape[-2:]
        part = raw[start : start + rows * columns].T.reshape(1, 4, rows, columns)
        levels[number] = level._replace(boxes=part)
        start += rows * columns
    torch.testing.assert_close(decode_boxes(levels)[0], box.repeat(count, 1), atol=1e-3, rtol=1e-5)


def test_iou_of_pairs():
    first = torch.tensor([[0.0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 0, 0], [0, 0, 4, 4]])
    second = torch.tensor([[0.0, 0, 2, 2], [5, 5, 6, 6], [0, 0, 0, 0], [1, 1, 3, 3]])
    assert paired_iou(first, second).tolist() == [1.0, 0.0, 0.0, 0.25]
