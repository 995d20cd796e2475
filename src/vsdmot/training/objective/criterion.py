"""Judging a frame: match its queries to its people, then measure every error of every decoder layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vsdmot.errors import TrainingError
from vsdmot.models.transformer import DecoderOutput
from vsdmot.training.clips.clip import ClipFrame
from vsdmot.training.objective.losses import KINDS, LossWeights, box_losses, frame_losses
from vsdmot.training.objective.matcher import Integers, Matches, assign, check_ids, matching_costs


@dataclass(frozen=True, eq=False)
class Judged:
    """The outcome of a frame.

    Attributes:
        matches: Who is whom.
        terms: ``(layers, 5)`` with gradient, the errors in the order of `KINDS`, sums that are not divided yet.
    """

    matches: Matches
    terms: Tensor


def judge(frame: ClipFrame, query_ids: Integers, decoded: DecoderOutput, weights: LossWeights) -> Judged:
    """Compare predictions with the truth.

    Args:
        frame: What is to be found.
        query_ids: ``(N,)``, whom each query follows; `NOBODY` for those that no track owns.
        decoded: Of the N queries and, behind them, of one denoising query for each person, or of none.
        weights: Of the costs of matching.

    Raises:
        TrainingError: A person is there twice, or a prediction is not finite.
    """
    people_ids = frame.ids.cpu().numpy()
    check_ids(people_ids, frame.name)
    logits, boxes = decoded.logits[:, 0, : len(query_ids)], decoded.boxes[:, 0, : len(query_ids)]
    costs = matching_costs(logits, boxes, frame.boxes, weights).cpu().numpy()
    if not np.isfinite(costs).all():  # the Hungarian method has no answer then
        raise TrainingError(_culprit(frame, logits, boxes))
    matches = assign(costs, query_ids, people_ids)
    queries, people = (torch.from_numpy(index).to(logits.device) for index in (matches.queries, matches.people))
    terms = frame_losses(logits, boxes, frame.boxes, queries, people)
    denoised = decoded.boxes[:, 0, len(query_ids) :]
    denoising = box_losses(denoised, frame.boxes) if denoised.shape[1] else terms.new_zeros(len(terms), 2)
    return Judged(matches, torch.cat([terms, denoising], dim=-1))


def named_terms(terms: Tensor) -> dict[str, Tensor]:
    """Sum the terms of a clip ``(frames, layers, 5)`` over frames, the last layer apart from the auxiliary ones.

    Returns:
        ``ce l1 giou`` of the last layer, ``aux_ce aux_l1 aux_giou`` of the others, ``denoise_l1 denoise_giou`` of all.
    """
    last, others = terms[:, -1].sum(0), terms[:, :-1].sum((0, 1))
    matched = KINDS[:3]
    return {
        **dict(zip(matched, last, strict=False)),
        **{f"aux_{kind}": value for kind, value in zip(matched, others, strict=False)},
        **dict(zip(KINDS[3:], (last + others)[3:], strict=True)),
    }


def first_not_finite(frames: Sequence[tuple[str, Tensor]]) -> str | None:
    """Find the first error of a clip that is not finite.

    Args:
        frames: Names and ``(layers, 5)`` terms.

    Returns:
        A message with frame, decoder layer and loss; None where all are finite.
    """
    for name, terms in frames:
        for layer, kind in torch.nonzero(~torch.isfinite(terms)).tolist():
            value = float(terms[layer, kind].detach())
            return f"{name}: the loss {KINDS[kind]} of decoder layer {layer + 1} is {value}; {ADVICE}"
    return None


ADVICE = "lower the learning rate, or look for a damaged checkpoint"


def _culprit(frame: ClipFrame, logits: Tensor, boxes: Tensor) -> str:
    if not torch.isfinite(frame.boxes).all():
        return f"{frame.name}: the boxes of people are not finite; correct the data"
    for layer, (of_layer, boxes_of_layer) in enumerate(zip(logits, boxes, strict=True)):
        for what, values in (("logits", of_layer), ("boxes", boxes_of_layer)):
            if not torch.isfinite(values).all():
                return f"{frame.name}: the {what} of decoder layer {layer + 1} are not finite; {ADVICE}"
    return f"{frame.name}: the costs of matching are not finite; {ADVICE}"
