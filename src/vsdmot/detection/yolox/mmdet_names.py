"""Key names of mmdetection's and mmtracking's YOLOX, brought to those of the published weights.

The network is the same; stages, neck and head are named otherwise, and mmtracking puts ``detector.`` in front.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

_RENAMES = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"^backbone\.stage1\.", "backbone.backbone.dark2."),
        (r"^backbone\.stage2\.", "backbone.backbone.dark3."),
        (r"^backbone\.stage3\.", "backbone.backbone.dark4."),
        (r"^backbone\.stage4\.", "backbone.backbone.dark5."),
        (r"^backbone\.stem\.", "backbone.backbone.stem."),
        (r"^neck\.reduce_layers\.0\.", "backbone.lateral_conv0."),
        (r"^neck\.reduce_layers\.1\.", "backbone.reduce_conv1."),
        (r"^neck\.top_down_blocks\.0\.", "backbone.C3_p4."),
        (r"^neck\.top_down_blocks\.1\.", "backbone.C3_p3."),
        (r"^neck\.downsamples\.0\.", "backbone.bu_conv2."),
        (r"^neck\.downsamples\.1\.", "backbone.bu_conv1."),
        (r"^neck\.bottom_up_blocks\.0\.", "backbone.C3_n3."),
        (r"^neck\.bottom_up_blocks\.1\.", "backbone.C3_n4."),
        (r"^neck\.out_convs\.", "head.stems."),
        (r"^bbox_head\.multi_level_cls_convs\.", "head.cls_convs."),
        (r"^bbox_head\.multi_level_reg_convs\.", "head.reg_convs."),
        (r"^bbox_head\.multi_level_conv_cls\.", "head.cls_preds."),
        (r"^bbox_head\.multi_level_conv_reg\.", "head.reg_preds."),
        (r"^bbox_head\.multi_level_conv_obj\.", "head.obj_preds."),
        (r"\.main_conv\.", ".conv1."),
        (r"\.short_conv\.", ".conv2."),
        (r"\.final_conv\.", ".conv3."),
        (r"\.blocks\.", ".m."),
        (r"\.depthwise_conv\.", ".dconv."),
        (r"\.pointwise_conv\.", ".pconv."),
    )
]


def is_mmdet(state: Mapping[str, Tensor]) -> bool:
    """Tell whether the names are those of mmdetection or mmtracking."""
    return any("bbox_head.multi_level_conv_cls." in name for name in state)


def published_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the weights.

    Averaged weights sit under the plain names, because mmdetection swaps them in before it saves; the ``ema_`` copies
    beside them are the raw ones, which nobody evaluates, and are left out.

    Args:
        state: mmdetection's names to tensors.

    Returns:
        The published names to the same tensors.
    """
    renamed = {}
    for name, tensor in state.items():
        plain = name.removeprefix("module.").removeprefix("detector.")
        if plain.startswith("ema_"):
            continue
        for pattern, replacement in _RENAMES:
            plain = pattern.sub(replacement, plain)
        renamed[plain] = tensor
    return renamed
