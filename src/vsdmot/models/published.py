"""Names of the published MOTRv2 state dict and ours: one table.

The published code names modules after its own history (``yolox_embed``, ``query_embed``, a second copy of every box
head inside the decoder); ours are named after what they do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from vsdmot.models.backbone import BackboneName
from vsdmot.models.vsdmot import ModelConfig

_RENAMED = (
    (r"backbone\.0\.body\.", "backbone."),
    (r"input_proj\.", "neck.projections."),
    (r"transformer\.level_embed$", "neck.level_embedding"),
    (r"transformer\.encoder\.layers\.(\d+)\.self_attn\.", r"encoder.layers.\1.attention."),
    (r"transformer\.encoder\.layers\.(\d+)\.(linear[12])\.", r"encoder.layers.\1.feedforward.\2."),
    (r"transformer\.encoder\.", "encoder."),
    (r"transformer\.decoder\.layers\.(\d+)\.self_attn\.", r"decoder.layers.\1.self_attention."),
    (r"transformer\.decoder\.layers\.(\d+)\.cross_attn\.", r"decoder.layers.\1.image_attention."),
    # Published norms are numbered by history, not by order: norm2 follows self-attention, norm1 the image's.
    (r"transformer\.decoder\.layers\.(\d+)\.norm2\.", r"decoder.layers.\1.norm1."),
    (r"transformer\.decoder\.layers\.(\d+)\.norm1\.", r"decoder.layers.\1.norm2."),
    (r"transformer\.decoder\.layers\.(\d+)\.(linear[12])\.", r"decoder.layers.\1.feedforward.\2."),
    (r"transformer\.decoder\.", "decoder."),
    (r"class_embed\.", "decoder.class_heads."),
    (r"bbox_embed\.", "decoder.box_heads."),
    (r"position\.weight$", "query_source.learned_anchors"),
    (r"query_embed\.weight$", "query_source.learned_content"),
    (r"yolox_embed\.weight$", "query_source.proposal_content"),
    (r"refine_embed\.weight$", "query_source.denoising_content"),
    (r"track_embed\.self_attn\.", "query_interaction.attention."),
    (r"track_embed\.linear_feat([12])\.", r"query_interaction.content_linear\1."),
    (r"track_embed\.norm_feat\.", "query_interaction.content_norm."),
    (r"track_embed\.", "query_interaction."),
)

# The same numbers a second time, or counters that frozen normalisation does not have.
_DROPPED = re.compile(r"transformer\.decoder\.(bbox_embed|class_embed)\.|.*\.num_batches_tracked$")

# Parts that other members of the family have and MOTRv2's forward pass never uses or does not know.
_FOREIGN = re.compile(r".*(update_attn|norm4|temporal_|reference_points|linear_pos|position_offset|query_embed_offset)")


def is_published_motrv2(state: Mapping[str, Tensor]) -> bool:
    """Tell whether a state dict (module prefix removed) has the published MOTRv2 names."""
    return {"yolox_embed.weight", "position.weight", "query_embed.weight", "transformer.level_embed"} <= set(state)


def rename(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give each entry of a published state dict our name; the decoder's second copy of the heads is left out."""
    return {_new_name(name): tensor for name, tensor in state.items() if not _DROPPED.match(name)}


def foreign_entries(state: Mapping[str, Tensor]) -> list[str]:
    """List entries that belong to another tracker of the family (MOTR, CO-MOT) or to unused options."""
    return sorted(name for name in state if _FOREIGN.match(name))


def architecture(state: Mapping[str, Tensor], num_heads: int = 8) -> ModelConfig:
    """Read the architecture off the shapes of a published state dict.

    Args:
        state: Published names, module prefix removed.
        num_heads: Attention heads; the shapes do not tell, every published model has 8.
    """
    hidden_dim = state["transformer.level_embed"].shape[1]
    num_levels = state["transformer.level_embed"].shape[0]
    samples = state["transformer.encoder.layers.0.self_attn.attention_weights.weight"].shape[0]
    return ModelConfig(
        backbone=_backbone(state),
        hidden_dim=hidden_dim,
        num_heads=num_heads,
        num_levels=num_levels,
        num_points=samples // (num_heads * num_levels),
        encoder_layers=_count(state, r"transformer\.encoder\.layers\.(\d+)\."),
        decoder_layers=_count(state, r"transformer\.decoder\.layers\.(\d+)\."),
        feedforward_dim=state["transformer.encoder.layers.0.linear1.weight"].shape[0],
        num_learned_queries=state["query_embed.weight"].shape[0],
        denoising="refine_embed.weight" in state,
        student=None,
        dswr=None,
    )


def _new_name(name: str) -> str:
    for pattern, ours in _RENAMED:
        if re.match(pattern, name):
            return re.sub("^" + pattern, ours, name)
    return name


def _count(state: Mapping[str, Tensor], pattern: str) -> int:
    return 1 + max(int(match[1]) for name in state if (match := re.match(pattern, name)))


def _backbone(state: Mapping[str, Tensor]) -> BackboneName:
    blocks = _count(state, r"backbone\.0\.body\.layer3\.(\d+)\.")
    if "backbone.0.body.layer3.0.conv3.weight" in state:
        return "resnet101" if blocks > 6 else "resnet50"
    return "resnet34" if blocks > 2 else "resnet18"
