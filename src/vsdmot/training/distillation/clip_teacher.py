"""CLIP's image encoder as a teacher (Sec. III-B), by way of transformers."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsdmot.errors import CheckpointError, ConfigError
from vsdmot.training.distillation.teacher import TokenKind, checked_images, identity_of, weights_digest

# What CLIP was trained with (https://github.com/openai/CLIP, clip/clip.py).
_MEAN = (0.48145466, 0.4578275, 0.40821073)
_SPREAD = (0.26862954, 0.26130258, 0.27577711)

_PREPROCESSING = "squash-bicubic-1"
"""Part of the identity: to be changed whenever the same picture would give the network other numbers."""


class ClipTeacher:
    """Describe frames with a ``CLIPVisionModel``.

    ``pooled`` is its ``pooler_output``: the class token after the last layer norm, 1024 values for ViT-L/14 (not the
    768 of the space that it shares with text). ``patch`` are the other tokens of the last layer, row by row from the
    top left, after the same layer norm, without which a few huge channels would drown the rest.

    Note: CLIP's own preprocessing scales the short side and cuts the centre out, which throws away 44 % of a 16:9 frame
    and the people there. Here the whole frame is squashed to the square: everybody is in it, narrower than in life, and
    no token is spent on a border.

    Args:
        model: A ``CLIPVisionModel``; it is frozen.
        tokens: One row per frame or one per patch.
        source: Where it came from, for the checkpoint.
        device: Where to run.
    """

    def __init__(self, model: nn.Module, *, tokens: TokenKind, source: str, device: torch.device | str = "cpu") -> None:
        settings: Any = model.config
        self.device = torch.device(device)
        self.width: int = settings.hidden_size
        self.tokens: int = 1 if tokens == "pooled" else (settings.image_size // settings.patch_size) ** 2
        self._size: int = settings.image_size
        self._pooled = tokens == "pooled"
        self._model = model.float().eval().requires_grad_(False)
        core: Any = getattr(model, "vision_model", model)  # where transformers before 5 has its parts
        self._norm: nn.Module = core.post_layernorm
        # Names differ between versions of transformers by this prefix; the weights are the same.
        weights = weights_digest({name.removeprefix("vision_model."): v for name, v in model.state_dict().items()})
        self.identity = identity_of("clip", weights, self._size, settings.hidden_act, tokens, _PREPROCESSING)
        self.provenance: dict[str, Any] = {
            "kind": "clip",
            "source": source,
            "revision": getattr(settings, "_commit_hash", None),
            "weights_sha256": weights,
            "image_size": self._size,
            "preprocessing": _PREPROCESSING,
            "tokens": tokens,
            "width": self.width,
            "identity": self.identity,
        }
        self._model.to(self.device)

    @classmethod
    def from_pretrained(
        cls, location: str, *, tokens: TokenKind = "pooled", device: torch.device | str = "cpu"
    ) -> ClipTeacher:
        """Load from a local folder, or from the Hugging Face hub.

        Args:
            location: A folder with ``config.json`` and weights of a ``CLIPVisionModel`` or ``CLIPModel``, or
                ``owner/name`` on the hub.
            tokens: One row per frame or one per patch.
            device: Where to run.

        Raises:
            CheckpointError: Nothing is there, it is damaged, or it is not CLIP.
            ConfigError: transformers is not installed.
        """
        return cls(_load(location), tokens=tokens, source=location, device=device)

    def __call__(self, images: Tensor) -> Tensor:
        """Describe frames, see `vsdmot.training.distillation.teacher.Teacher`."""
        with torch.inference_mode():
            outputs: Any = self._model(pixel_values=self.prepare(images))
            rows = outputs.pooler_output[:, None] if self._pooled else self._norm(outputs.last_hidden_state[:, 1:])
        described: Tensor = rows.clone()  # outside inference mode: an ordinary tensor, which autograd may keep
        return described

    def prepare(self, images: Tensor) -> Tensor:
        """Squash frames ``(B, 3, H, W)`` to the network's square and normalise them as CLIP was trained."""
        pixels = checked_images(images).to(self.device, torch.float32)
        square = F.interpolate(pixels, size=(self._size, self._size), mode="bicubic", antialias=True)
        mean = torch.tensor(_MEAN, device=self.device).view(1, 3, 1, 1)
        spread = torch.tensor(_SPREAD, device=self.device).view(1, 3, 1, 1)
        return (square.clamp(0, 1) - mean) / spread  # bicubic weights overshoot at edges


def _load(location: str) -> nn.Module:
    """Load a ``CLIPVisionModel`` with every one of its weights."""
    try:
        from transformers import CLIPVisionModel
    except ImportError as error:
        raise ConfigError(
            f"teacher clip needs the package transformers ({error}); install vsdmot[train], "
            "or choose the detector teacher"
        ) from None
    folder = Path(location).expanduser()
    local = folder.is_dir()
    if not local and (location.count("/") != 1 or location.startswith((".", "/", "~"))):
        raise CheckpointError(f"{location}: no such folder; expected a CLIPVisionModel, or owner/name on the hub")
    try:
        with _quiet():
            model, report = CLIPVisionModel.from_pretrained(folder if local else location, output_loading_info=True)
    except Exception as error:  # noqa: BLE001 (readers of safetensors, pickles, JSON and the hub each have their own)
        reason = " ".join(str(error).split()) or type(error).__name__
        if local:
            raise CheckpointError(f"{location}: not readable as a CLIPVisionModel of transformers: {reason}") from None
        raise CheckpointError(
            f"{location}: no such folder here, and not to be had from the Hugging Face hub ({reason}); "
            "download it elsewhere and give the path of its folder"
        ) from None
    missing = sorted(report["missing_keys"])
    if missing:  # transformers fills them with random numbers
        raise CheckpointError(
            f"{location}: expected CLIP's image encoder, but {len(missing)} of its weights are missing "
            f"(first: {missing[0]})"
        )
    network: nn.Module = model
    broken = next((name for name, value in network.state_dict().items() if not value.isfinite().all()), None)
    if broken:
        raise CheckpointError(f"{location}: weight {broken} holds values that are not finite; the file is damaged")
    return network


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers from printing a table of a CLIPModel's text encoder, and the hub its retries."""
    from transformers.utils import logging as transformers_logging

    hub = logging.getLogger("huggingface_hub")
    before, hub_before = transformers_logging.get_verbosity(), hub.level
    bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity(logging.CRITICAL)
    transformers_logging.disable_progress_bar()
    hub.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        transformers_logging.set_verbosity(before)
        hub.setLevel(hub_before)
        if bars:
            transformers_logging.enable_progress_bar()
