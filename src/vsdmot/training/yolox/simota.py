"""SimOTA: which cells answer for which person, decided anew in every step from what they predict now.

Each person asks for as many cells as the IoUs of their ten best predictions add up to, takes the cheapest ones near
their centre, and a cell that several people take goes to the one for whom it is cheapest (arXiv 2107.08430, Sec. 2.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from vsdmot.boxes import iou, xyxy_to_cxcywh
from vsdmot.detection.yolox.decoding import cell_positions
from vsdmot.models.yolox.network import STRIDES, LevelOutput

AssignmentRule = Literal["current", "legacy"]

_OVERLAP_WEIGHT = 3.0
_MOST_CELLS = 10
_RADIUS = {"current": 1.5, "legacy": 2.5}  # of the window around a person's centre, in cells of each level
_LEAST_IOU = 1e-8  # keeps the logarithm finite
_LARGEST_SCORE_COST = 100.0  # as torch's binary cross-entropy bounds its logarithms

# More than all other costs together (100 + 3 * 18.4), which is all that matters. Note: the original adds 1e6 (legacy:
# 1e5) in float32, which rounds what the other costs say about such cells to 1/16 (1/128), so that chance decides.
_OUTSIDE_COST = 1e3


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of all levels, finest first, row by row.

    Attributes:
        corners: ``(A, 2)`` float32, column and row of each cell in its level.
        strides: ``(A,)`` float32, pixels of the network's input per cell.
        size: Height and width of the network's input in pixels.
    """

    corners: Tensor
    strides: Tensor
    size: tuple[int, int]

    @classmethod
    def of(cls, levels: list[LevelOutput]) -> Cells:
        """Give the cells that made these outputs."""
        device = levels[0].boxes.device
        corners = [cell_positions(*level.boxes.shape[-2:]).to(device) for level in levels]
        pairs = zip(corners, STRIDES, strict=True)
        strides = [torch.full((len(cells),), float(stride), device=device) for cells, stride in pairs]
        height, width = levels[0].boxes.shape[-2:]
        return cls(torch.cat(corners), torch.cat(strides), (height * STRIDES[0], width * STRIDES[0]))

    @property
    def centres(self) -> Tensor:
        """``(A, 2)`` x and y of the middle of each cell in pixels."""
        return (self.corners + 0.5) * self.strides[:, None]


@dataclass(frozen=True, eq=False)
class Assignment:
    """Which cells answer for whom in one image; all other cells are background.

    Attributes:
        cells: ``(F,)`` int64, rising.
        people: ``(F,)`` int64, the person of each of these cells.
        overlaps: ``(F,)`` float32, IoU of what the cell predicts with its person's box.
    """

    cells: Tensor
    people: Tensor
    overlaps: Tensor

    def __len__(self) -> int:
        return len(self.cells)


@torch.no_grad()
def assign(
    predicted: Tensor, objectness: Tensor, classes: Tensor, truth: Tensor, cells: Cells, rule: AssignmentRule
) -> Assignment:
    """Assign the cells of one image to its people, in float32.

    ``current`` (YOLOX since 0.2): candidates are cells whose middle is within 1.5 cells of a person's centre.
    ``legacy`` (YOLOX 0.1, ByteTrack): cells in somebody's box or within 2.5 cells of a centre are candidates, and those
    that are both are preferred; the centre of a person who reaches beyond the image is moved to its border for this.

    Equal costs are settled by the lower cell and the lower person, so every device gives the same.

    Args:
        predicted: ``(A, 4)`` ``xyxy`` in pixels of the network's input.
        objectness: ``(A,)`` logits.
        classes: ``(A,)`` logits of the class of people.
        truth: ``(G, 4)`` ``xyxy`` in pixels; may be empty, and may reach beyond the image.
        cells: Where the cells are.
        rule: ``current`` or ``legacy``.
    """
    near, candidates = _windows(truth.float(), cells, rule)
    near = near[:, candidates]
    overlaps = iou(truth.float(), predicted.float()[candidates])
    if overlaps.numel() == 0:
        return Assignment(candidates[:0], candidates[:0], overlaps.new_zeros(0))
    # BCE(sqrt(objectness * class), 1) = -log sqrt(...), written so that it loses nothing for small scores.
    logs = functional.logsigmoid(objectness.float()[candidates]) + functional.logsigmoid(classes.float()[candidates])
    costs = (-0.5 * logs).clamp(max=_LARGEST_SCORE_COST) - _OVERLAP_WEIGHT * (overlaps + _LEAST_IOU).log()
    costs = costs + _OUTSIDE_COST * ~near
    most = min(_MOST_CELLS, len(candidates))
    counts = overlaps.topk(most, dim=1).values.sum(dim=1).int().clamp(min=1)
    taken = _cheapest(costs, counts, most)
    cheapest_person = costs.argmin(dim=0)
    several = taken.sum(dim=0) > 1
    person = torch.where(several, cheapest_person, taken.int().argmax(dim=0))
    chosen = taken.any(dim=0).nonzero().squeeze(1)
    people = person[chosen]
    return Assignment(candidates[chosen], people, overlaps[people, chosen])


def _windows(truth: Tensor, cells: Cells, rule: AssignmentRule) -> tuple[Tensor, Tensor]:
    """Give the preferred cells of each person, ``(G, A)`` bool, and the indices of all candidates, rising."""
    centres = cells.centres
    middles = xyxy_to_cxcywh(truth)[:, :2]
    if rule == "legacy":
        height, width = cells.size
        middles = middles.clamp(min=0).minimum(middles.new_tensor([width, height]))
    offsets = (centres[None] - middles[:, None]).abs().amax(dim=2)
    near = offsets < _RADIUS[rule] * cells.strides
    if rule == "current":
        return near, near.any(dim=0).nonzero().squeeze(1)
    inside = ((centres[None] > truth[:, None, :2]) & (centres[None] < truth[:, None, 2:])).all(dim=2)
    return near & inside, (near | inside).any(dim=0).nonzero().squeeze(1)


def _cheapest(costs: Tensor, counts: Tensor, most: int) -> Tensor:
    """Mark the ``counts[g]`` lowest of row ``g``, equal ones by rising column: ``(G, N)`` bool.

    ``topk`` alone does not say which of two equal values it takes.
    """
    lowest = costs.topk(most, dim=1, largest=False).values
    limit = lowest.gather(1, counts[:, None].long() - 1)
    below, equal = costs < limit, costs == limit
    wanted = counts[:, None] - below.sum(dim=1, keepdim=True)
    return below | (equal & (equal.cumsum(dim=1) <= wanted))
