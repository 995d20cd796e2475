"""The teacher: a frozen network that says what a frame shows (Sec. III-B, Eq. 4: ``T``).

The paper's teacher is the image encoder of CLIP. Anything that maps frames to ``(B, m, width)`` can take its place,
such as the features of a published detector where CLIP cannot be had; the checkpoint says which it was
(`Teacher.provenance`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from vsdmot.config import Rule, check
from vsdmot.detection.yolox.letterbox import MULTIPLE
from vsdmot.errors import ConfigError

DEFAULT_CLIP = "openai/clip-vit-large-patch14"
"""ViT-L/14: its pooled hidden state has the 1024 values of Eq. 4."""

TokenKind = Literal["pooled", "patch"]

_multiple: Rule = lambda side: None if side > 0 and side % MULTIPLE == 0 else f"a multiple of {MULTIPLE}"  # noqa: E731


class Teacher(Protocol):
    """Say what frames show.

    Attributes:
        width: Values per row.
        tokens: Rows ``m`` per frame.
        identity: Short name of everything that decides the features; features of equal identities may be mixed.
        provenance: Facts for the checkpoint, plain values only.
    """

    width: int
    tokens: int
    identity: str
    provenance: dict[str, Any]

    def __call__(self, images: Tensor) -> Tensor:
        """Describe frames.

        Args:
            images: ``(B, 3, H, W)`` float RGB in [0, 1], on any device, of any size.

        Returns:
            ``(B, m, width)`` float32 without gradient, on the teacher's device; fit to be used in a loss.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class TeacherConfig:
    """Who teaches the student.

    Attributes:
        kind: clip is the paper's; detector takes the features of a YOLOX file where CLIP cannot be had; none trains
            without distillation.
        location: For clip a folder with a CLIPVisionModel (or a whole CLIPModel) of transformers, or its name on the
            Hugging Face hub; none is openai/clip-vit-large-patch14. For detector a file of weights.
        tokens: pooled is one row per frame (the paper's); patch is one row per part of the picture, which gives the
            attention of Eq. 8 something to choose from.
        detector_size: Long side of the detector's input in pixels, a multiple of 32. Raising it shows smaller people
            at a cost that grows with its square; lowering it is faster.
        cache: Folder where features are kept per frame, to be used again; none computes them every time.
    """

    kind: Literal["none", "clip", "detector"] = "clip"
    location: str | None = None
    tokens: TokenKind = "pooled"
    detector_size: int = 640
    cache: Path | None = None

    def __post_init__(self) -> None:
        check(self, detector_size=_multiple)
        if self.kind == "detector" and not self.location:
            raise ConfigError("location: must be a file of YOLOX weights when kind is detector, got None")


def load_teacher(config: TeacherConfig, device: torch.device | str = "cpu") -> Teacher | None:
    """Load the teacher, frozen; None where the settings ask for none.

    Raises:
        CheckpointError: Its weights are missing, unreadable or of another kind.
        ConfigError: The transformers package, which CLIP needs, is not installed.
    """
    if config.kind == "clip":
        from vsdmot.training.distillation.clip_teacher import ClipTeacher

        return ClipTeacher.from_pretrained(config.location or DEFAULT_CLIP, tokens=config.tokens, device=device)
    if config.kind == "detector":
        from vsdmot.training.distillation.detector_teacher import DetectorTeacher

        assert config.location is not None
        return DetectorTeacher.from_checkpoint(
            Path(config.location), tokens=config.tokens, size=config.detector_size, device=device
        )
    return None


def weights_digest(state: Mapping[str, Tensor]) -> str:
    """Fingerprint weights: the same names, shapes and values give the same 16 hex digits on every machine.

    Reads everything: about two seconds for the 1.2 GB of ViT-L/14, once per run.
    """
    digest = hashlib.sha256()
    for name in sorted(state):
        values = np.ascontiguousarray(state[name].detach().cpu().numpy())
        digest.update(f"{name} {values.dtype} {values.shape}\n".encode())
        digest.update(values.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()[:16]


def identity_of(kind: str, *facts: object) -> str:
    """Name a teacher by what decides its features.

    >>> identity_of("clip", "pooled", 224) == identity_of("clip", "pooled", 224) != identity_of("clip", "patch", 224)
    True
    """
    return f"{kind}-{hashlib.sha256(repr(facts).encode()).hexdigest()[:16]}"


def checked_images(images: Tensor) -> Tensor:
    """Give the images, or say what is wrong with them: a teacher shown 0 to 255 answers, but nonsense.

    Raises:
        ValueError: They are not ``(B, 3, H, W)`` of floating point numbers.
    """
    if images.dim() != 4 or images.shape[1] != 3 or not images.is_floating_point():
        found = f"{tuple(images.shape)} {images.dtype}"
        raise ValueError(f"images must have the shape (B, 3, H, W) and float values in [0, 1], got {found}")
    return images
