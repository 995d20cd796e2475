"""Settings of a training run of YOLOX."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from vsdmot.config import above, at_least, check, within
from vsdmot.detection.yolox.letterbox import MULTIPLE, InputConvention
from vsdmot.errors import ConfigError
from vsdmot.models.yolox.network import YoloxConfig
from vsdmot.training.yolox.augment import AugmentConfig
from vsdmot.training.yolox.module import Precision
from vsdmot.training.yolox.simota import AssignmentRule
from vsdmot.training.yolox.teaching import TeachingConfig


def _input_size(size: tuple[int, int]) -> str | None:
    fits = all(side > 0 and side % MULTIPLE == 0 for side in size)
    return None if fits else f"height and width, multiples of {MULTIPLE}, such as 800,1440"


def _factors(bounds: tuple[float, float]) -> str | None:
    return None if 0 < bounds[0] <= 1 <= bounds[1] else "two numbers around 1, such as 0.72,1.28; 1,1 for one size"


@dataclass(frozen=True, kw_only=True)
class YoloxTrainConfig:
    """Train YOLOX to find people. The defaults are ByteTrack's recipe, but for 20 epochs, as the paper has it.

    Attributes:
        train: What to train on: folders of sequences with ground truth, single sequences, lists of sequences as
            `vsdmot data build` writes them (.txt), annotations of CrowdHuman (.odgt).
        validation: What to measure on after each epoch, in the same forms.
        every: Train on every so-manieth frame of a sequence. Frames of a video are alike, so 2 or 5 lose little.
        validation_every: The same for validation.
        min_visibility: People of whom less than this share is seen (0 to 1) are neither trained on nor asked for. 0
            takes all, as ByteTrack does; raising it keeps the detector from guessing people who are wholly hidden.
        clip_boxes: Cut boxes at the border of the image, as ByteTrack does for MOT20; MOT17 and DanceTrack have them
            beyond it.
        start: Weights to start from, such as published ones of COCO, of whose classes people are kept; null starts from
            random ones.
        network: Size of the network; null takes that of start, or YOLOX-X. Beside start it must be the size of that.
        convention: How the input is normalised, legacy or current; null takes that of start, or legacy, as ByteTrack.
        assignment: Which cells answer for whom: legacy (YOLOX 0.1, ByteTrack) also teaches people whose centre is
            beyond the image; current is that of YOLOX since 0.2.
        input_size: Height and width of the network's input in pixels, multiples of 32. Raising it finds smaller people;
            time and memory grow with its area.
        multi_scale: Smallest and largest factor of input_size, between which a size is drawn every 10 steps.
        epochs: Passes over the training images.
        plain_epochs: Epochs at the end without mosaic and mixup, with L1 on the raw outputs.
        warmup_epochs: Epochs in which the learning rate rises.
        batch_size: Images that go through the network at once. Batch normalisation and the loss see them together.
        batches_per_step: Such batches for one step of the optimiser, over all processes; a multiple of their number.
        lr_per_image: Learning rate for each image of a step.
        lr_floor: Lowest learning rate, as a share of the highest.
        weight_decay: Of the weights of convolutions; nothing else decays.
        ema_decay: Share of itself that the averaged weights keep in a step, in the long run: 0.9998 looks back some
            5000 steps. Lower it for runs of fewer than 20,000 steps, or the average hangs behind.
        ema_ramp: Steps over which this share is approached, so that the beginning is forgotten.
        precision: fp32, or bf16 for the convolutions: about twice as fast where the processor knows it.
        average_precision: Also measure COCO's AP in validation, which needs pycocotools, and choose the best weights by
            it; otherwise by recall.
        teaching: A published detector to learn from, beside the annotations; null for none. Helps small networks
            and small data: see `vsdmot.training.yolox.teaching`.
        augment: What happens to pictures before the network sees them.
        fast_decoding: Decode large JPEG images at a part of their size, except in the last epochs. Faster; pictures get
            smoother than the detector sees them at inference.
        cache_mb: Memory for decoded pictures in each process, in megabytes; 0 reads them again every time.
        workers: Threads that prepare pictures in each process.
        seed: Another seed gives other random weights, another order and other augmentation.
    """

    train: tuple[Path, ...]
    validation: tuple[Path, ...] = ()
    every: int = 1
    validation_every: int = 1
    min_visibility: float = 0.0
    clip_boxes: bool = False
    start: Path | None = None
    network: YoloxConfig | None = None
    convention: InputConvention | None = None
    assignment: AssignmentRule = "legacy"
    input_size: tuple[int, int] = (800, 1440)
    multi_scale: tuple[float, float] = (0.72, 1.28)
    epochs: int = 20
    plain_epochs: int = 2
    warmup_epochs: float = 1.0
    batch_size: int = 6
    batches_per_step: int = 1
    lr_per_image: float = 0.001 / 64
    lr_floor: float = 0.05
    weight_decay: float = 5e-4
    ema_decay: float = 0.9998
    ema_ramp: float = 2000.0
    precision: Precision = "fp32"
    average_precision: bool = True
    teaching: TeachingConfig | None = None
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    fast_decoding: bool = False
    cache_mb: int = 2000
    workers: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        check(
            self,
            train=lambda paths: None if paths else "at least one data set",
            every=at_least(1),
            validation_every=at_least(1),
            min_visibility=within(0, 1),
            network=lambda config: None if config.num_classes == 1 else "of one class, people",
            input_size=_input_size,
            multi_scale=_factors,
            epochs=at_least(1),
            plain_epochs=at_least(0),
            warmup_epochs=at_least(0),
            batch_size=at_least(1),
            batches_per_step=at_least(1),
            lr_per_image=above(0),
            lr_floor=within(0, 1),
            weight_decay=at_least(0),
            ema_decay=within(0, 1),
            ema_ramp=above(0),
            cache_mb=at_least(0),
            workers=at_least(1),
            seed=within(0, 2**32 - 1),
        )
        if self.plain_epochs + self.warmup_epochs >= self.epochs:
            raise ConfigError(
                f"epochs: must be more than warmup_epochs ({self.warmup_epochs:g}) and plain_epochs "
                f"({self.plain_epochs}) together, got {self.epochs}"
            )
