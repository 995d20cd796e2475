"""YOLOX as a source of proposals: frame in, people out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch

from vsdmot.config import Rule, check
from vsdmot.detection.yolox.checkpoint import load_yolox
from vsdmot.detection.yolox.letterbox import MULTIPLE, InputConvention, input_shape, letterbox, normalise
from vsdmot.detection.yolox.proposing import ProposingConfig, propose
from vsdmot.models.yolox.blocks import fold_batch_norm
from vsdmot.models.yolox.network import YOLOX
from vsdmot.structures import Frame, Proposals


def _sides(value: int | tuple[int, int]) -> str | None:
    sides = value if isinstance(value, tuple) else (value,)
    if all(side > 0 and side % MULTIPLE == 0 for side in sides):
        return None
    return f"a multiple of {MULTIPLE} (such as 640 or 800,1440)"


_multiple_of_32: Rule = _sides


@dataclass(frozen=True, kw_only=True)
class DetectorConfig(ProposingConfig):
    """Settings of the YOLOX detector.

    Attributes:
        score_threshold: Proposals must score above this (0 to 1; Sec. IV-C uses 0.05). Raising it drops weak, often
            blurred people; lowering it adds false ones and time per frame.
        nms_threshold: Of two proposals whose IoU exceeds this (0 to 1), the weaker is dropped. Raising it keeps people
            who overlap, and duplicates; lowering it removes both.
        input_size: Long side of the network's input in pixels, the short side follows the video; or height and width
            (800,1440 is usual for MOT). Multiples of 32. Raising it finds smaller people at a cost that grows with
            its square; lowering it is faster.
        convention: How the weights expect their input; auto reads it from the file or its first layer.
        max_proposals: At most this many proposals per frame, the best ones. Raising it matters in dense crowds only;
            lowering it bounds the tracker's time per frame.
    """

    input_size: int | tuple[int, int] = 640
    convention: Literal["auto", "legacy", "current"] = "auto"

    def __post_init__(self) -> None:
        super().__post_init__()
        check(self, input_size=_multiple_of_32)


class YoloxDetector:
    """Find people in a frame with YOLOX; a `vsdmot.detection.proposals.ProposalSource`.

    Args:
        network: A network whose class 0 is people. It is copied, the detector does not change it.
        convention: How its input has to be normalised.
        device: Where to run.
        config: Thresholds and input size; its ``convention`` is not looked at here.
        notes: What a user should know about the weights.
    """

    def __init__(
        self,
        network: YOLOX,
        convention: InputConvention,
        *,
        device: str | torch.device = "cpu",
        config: DetectorConfig | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        self.device = torch.device(device)
        self.convention: InputConvention = convention
        self.config = replace(config or DetectorConfig(), convention=convention)
        self.notes = notes
        # Folded and with channels last the same network takes about half the time on a CPU (benchmarks/yolox.py).
        self._network = fold_batch_norm(network).to(self.device)
        self._network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it

    @classmethod
    def from_checkpoint(
        cls, path: Path, *, device: str | torch.device = "cpu", config: DetectorConfig | None = None
    ) -> YoloxDetector:
        """Make a detector from published weights; size and number of classes are recognised.

        Args:
            path: Weights, see `vsdmot.detection.yolox.checkpoint.load_yolox`.
            device: Where to run.
            config: Thresholds and input size.

        Raises:
            CheckpointError: The file cannot be read or is not YOLOX.
        """
        config = config or DetectorConfig()
        loaded = load_yolox(path, convention=config.convention)
        return cls(loaded.network, loaded.convention, device=device, config=config, notes=loaded.notes)

    @torch.inference_mode()
    def __call__(self, frame: Frame) -> Proposals:
        """Find the people in a frame.

        Args:
            frame: One picture of a video.

        Returns:
            Boxes in pixels of the frame, not cut at its border, best score first.
        """
        shape = input_shape(frame.height, frame.width, self.config.input_size)
        padded, scale = letterbox(frame.image, shape)
        images = torch.from_numpy(padded).to(self.device).unsqueeze(0)
        levels = self._network(normalise(images, self.convention))
        return propose(levels, (scale, scale), self.config)
