"""Average precision as COCO defines it, computed by pycocotools."""

from __future__ import annotations

import contextlib
import importlib.util
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vsdmot.boxes import area, xyxy_to_xywh
from vsdmot.errors import ConfigError
from vsdmot.structures import Boxes, Proposals

_MOST_DETECTIONS = 500  # per image; COCO's own 100 would limit the recall in crowds


@dataclass(frozen=True)
class AveragePrecision:
    """Area under precision over recall, for people.

    Attributes:
        ap: Mean over IoU 0.50, 0.55, ... 0.95.
        ap50: At IoU 0.50.
    """

    ap: float
    ap50: float


def require_pycocotools() -> None:
    """Make sure that `average_precision` can work, before hours of training depend on it.

    Raises:
        ConfigError: pycocotools is not installed.
    """
    if importlib.util.find_spec("pycocotools") is None:
        raise ConfigError(
            "average_precision: needs pycocotools, which is not installed: pip install 'vsdmot[train]', "
            "or set average_precision to false"
        )


def average_precision(
    detections: Sequence[Proposals], people: Sequence[Boxes], ignored: Sequence[Boxes]
) -> AveragePrecision:
    """Compute AP over all images; without people both numbers are 0.

    Args:
        detections: For each image, in any pixels; at most 500 of an image are looked at, the best ones.
        people: ``(G, 4)`` ``xyxy`` for each image, in the same pixels. May reach beyond the image.
        ignored: ``(I, 4)`` ``xyxy`` for each image: crowds in COCO's sense.
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    truth = [
        _entry(image, box, iscrowd=crowd)
        for image, both in enumerate(zip(people, ignored, strict=True), start=1)
        for crowd, boxes in enumerate(both)
        for box in boxes
    ]
    if all(entry["iscrowd"] for entry in truth):
        return AveragePrecision(0.0, 0.0)
    found = [
        _entry(image, box, score=float(score))
        for image, proposals in enumerate(detections, start=1)
        for box, score in zip(proposals.boxes, proposals.scores, strict=True)
    ]
    if not found:
        return AveragePrecision(0.0, 0.0)
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools tells its progress
        coco = COCO()
        coco.dataset = {
            "images": [{"id": image} for image in range(1, len(people) + 1)],
            "categories": [{"id": 1}],
            "annotations": [{**entry, "id": number} for number, entry in enumerate(truth, start=1)],
        }
        coco.createIndex()
        results = COCO()
        results.dataset = {
            **coco.dataset,
            "annotations": [{**entry, "id": number, "iscrowd": 0} for number, entry in enumerate(found, start=1)],
        }
        results.createIndex()
        evaluation = COCOeval(coco, results, "bbox")
        evaluation.params.maxDets = [1, 10, _MOST_DETECTIONS]
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, 0, 0, -1]  # IoU, recall; of people of all sizes, most detections
    return AveragePrecision(float(precision.mean()), float(precision[0].mean()))


def _entry(image: int, box: Boxes, **further: Any) -> dict[str, Any]:
    corners = box.astype(np.float64)
    return {
        "image_id": image,
        "category_id": 1,
        "bbox": xyxy_to_xywh(corners).tolist(),
        "area": float(area(corners)),
        **further,
    }
