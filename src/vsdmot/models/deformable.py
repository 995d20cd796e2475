"""Multi-scale deformable attention (Deformable DETR, Sec. 4.1) in plain PyTorch, written for speed.

The published fallback samples each level with ``grid_sample`` and stacks all samples, ``levels * points`` times the
size of the output, before it weighs and sums them. Here the four corners of each bilinear sample, their bilinear
weights and the attention weight become one weighted sum over rows of the value table: ``embedding_bag`` reads each row
once and writes only the result. ``benchmarks/deformable_attention.py`` measures both side by side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MapSizes = Sequence[tuple[int, int]]

CPU_CHUNK = 4096
"""Queries handled at a time on a CPU: their corner indices and weights then stay in the cache (twice as fast)."""


class DeformableAttention(nn.Module):
    """Let each query read a few learned points around its reference on every level.

    Args:
        dim: Width D of queries and values.
        num_heads: Attention heads; each reads ``D / num_heads`` channels at points of its own.
        num_levels: Feature maps.
        num_points: Points for each head on each level.
    """

    def __init__(self, dim: int, num_heads: int, num_levels: int, num_points: int) -> None:
        super().__init__()
        self.num_heads, self.num_levels, self.num_points = num_heads, num_levels, num_points
        self.sampling_offsets = nn.Linear(dim, num_heads * num_levels * num_points * 2)
        self.attention_weights = nn.Linear(dim, num_heads * num_levels * num_points)
        self.value_proj = nn.Linear(dim, dim)
        self.output_proj = nn.Linear(dim, dim)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start with equal weights and a ring of points: head ``h`` looks in direction ``h``, point k cells out."""
        nn.init.zeros_(self.sampling_offsets.weight)
        angles = torch.arange(self.num_heads) * (2 * math.pi / self.num_heads)
        directions = torch.stack([angles.cos(), angles.sin()], dim=-1)
        directions = directions / directions.abs().amax(dim=-1, keepdim=True)
        distances = torch.arange(1, self.num_points + 1)
        ring = directions[:, None, None, :] * distances[None, None, :, None]
        with torch.no_grad():
            self.sampling_offsets.bias.copy_(ring.expand(-1, self.num_levels, -1, -1).flatten())
        nn.init.zeros_(self.attention_weights.weight)
        nn.init.zeros_(self.attention_weights.bias)
        for projection in (self.value_proj, self.output_proj):
            nn.init.xavier_uniform_(projection.weight)
            nn.init.zeros_(projection.bias)

    def forward(
        self,
        query: Tensor,
        references: Tensor,
        memory: Tensor,
        map_sizes: MapSizes,
        padding_mask: Tensor | None = None,
    ) -> Tensor:
        """Attend.

        Args:
            query: ``(B, N, D)``.
            references: ``(B, N, L, 2)`` points or ``(B, N, L, 4)`` boxes ``cxcywh``, in [0, 1] of each level. Offsets
                from a point count in cells; from a box, the point of index ``num_points`` lies on its edge.
            memory: Cells of all levels ``(B, S, D)``, level after level, row after row.
            map_sizes: ``(height, width)`` of each of the L levels; S is the sum of their products.
            padding_mask: ``(B, S)``, True where a cell is padding and must read as zero.

        Returns:
            ``(B, N, D)``.
        """
        B, N, _ = query.shape
        heads, levels, points = self.num_heads, self.num_levels, self.num_points
        value = self.value_proj(memory)
        if padding_mask is not None:
            value = value.masked_fill(padding_mask[..., None], 0.0)
        offsets = self.sampling_offsets(query).view(B, N, heads, levels, points, 2)
        weights = self.attention_weights(query).view(B, N, heads, levels * points).softmax(-1)
        centre = references[:, :, None, :, None, :2]
        if references.shape[-1] == 2:
            cells = torch.tensor([(w, h) for h, w in map_sizes], dtype=query.dtype, device=query.device)
            locations = centre + offsets / cells[:, None, :]
        else:
            locations = centre + offsets * (references[:, :, None, :, None, 2:] * (0.5 / points))
        weights = weights.view(B, N, heads, levels, points)
        result: Tensor = self.output_proj(sample_weighted(value, map_sizes, locations, weights))
        return result


def sample_weighted(value: Tensor, map_sizes: MapSizes, locations: Tensor, weights: Tensor) -> Tensor:
    """Sum bilinear samples of several maps, each with a weight; outside a map is zero.

    Args:
        value: Cells of all levels ``(B, S, D)``, level after level, row after row.
        map_sizes: ``(height, width)`` of the L levels.
        locations: ``(B, N, M, L, P, 2)``, x and y in [0, 1] of each map, for M heads and P points.
        weights: ``(B, N, M, L, P)``.

    Returns:
        ``(B, N, D)``: head ``m`` fills channels ``m * D / M`` onwards, from the same channels of ``value``.
    """
    B, N, M = locations.shape[:3]
    D = value.shape[-1]
    table = value.reshape(-1, D // M)
    chunk = CPU_CHUNK if value.device.type == "cpu" else N
    parts = []
    for start in range(0, max(N, 1), max(chunk, 1)):
        here = slice(start, start + chunk)
        rows, shares = _corners(value.shape[1], map_sizes, locations[:, here], weights[:, here])
        summed = F.embedding_bag(rows, table, mode="sum", per_sample_weights=shares.to(table.dtype))
        parts.append(summed.view(B, -1, D))
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)


def _corners(num_cells: int, map_sizes: MapSizes, locations: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Turn samples into rows of the value table and their weights.

    Returns:
        Both ``(B * N * M, L * P * 4)``: row indices (int32) into a table of ``B * num_cells * M`` rows, and the
        product of attention and bilinear weight, 0 for a corner outside its map.
    """
    B, N, M, L, P, _ = locations.shape
    device = locations.device
    size = torch.tensor([(w, h) for h, w in map_sizes], dtype=locations.dtype, device=device)[:, None, :]
    first = [0]
    for height, width in map_sizes[:-1]:
        first.append(first[-1] + height * width)
    # Cell centres lie at half-integers of the map (align_corners=False of grid_sample).
    position = locations * size - 0.5
    low = position.floor()
    share_high = position - low
    high = low + 1
    shares_low = (1 - share_high) * ((low >= 0) & (low < size))
    shares_high = share_high * ((high >= 0) & (high < size))
    last = size - 1
    zero = torch.zeros_like(last)
    x0, y0 = torch.clamp(low, zero, last).to(torch.int32).unbind(-1)
    x1, y1 = torch.clamp(high, zero, last).to(torch.int32).unbind(-1)
    columns = size[:, :, 0].to(torch.int32)
    starts = torch.tensor(first, dtype=torch.int32, device=device)[:, None]
    top, bottom = y0 * columns + starts, y1 * columns + starts
    cells = torch.stack([top + x0, top + x1, bottom + x0, bottom + x1], dim=-1)
    head = torch.arange(M, dtype=torch.int32, device=device)[:, None, None, None]
    batch = torch.arange(B, dtype=torch.int32, device=device)[:, None, None, None, None, None]
    rows = (cells + batch * num_cells) * M + head
    left, right = shares_low[..., 0], shares_high[..., 0]
    above, below = shares_low[..., 1] * weights, shares_high[..., 1] * weights
    shares = torch.stack([above * left, above * right, below * left, below * right], dim=-1)
    return rows.reshape(B * N * M, L * P * 4), shares.reshape(B * N * M, L * P * 4)
