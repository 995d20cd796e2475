"""YOLOX as a task of the training loop: data, loss, validation, export.

A step is the mean of ``batches_per_step`` batches, each divided by the number of its own cells that answer for a person
(known only after assignment); so `YoloxTask.weight` is 1. The published code does the same with one batch for each GPU.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from vsdmot.config import to_mapping
from vsdmot.detection.yolox.checkpoint import load_yolox, save_yolox
from vsdmot.detection.yolox.detector import DetectorConfig, YoloxDetector
from vsdmot.detection.yolox.letterbox import MULTIPLE, InputConvention
from vsdmot.detection.yolox.proposing import PERSON
from vsdmot.errors import ConfigError, OutputError
from vsdmot.io.whole_files import write_whole
from vsdmot.models.yolox.network import YOLOX, YoloxConfig
from vsdmot.synthesis.threads import in_order
from vsdmot.training.loop.schedule import Schedule, cosine, warm_up
from vsdmot.training.task import Place
from vsdmot.training.yolox.augment import Augmenter
from vsdmot.training.yolox.coco_ap import require_pycocotools
from vsdmot.training.yolox.ema import AveragedYolox
from vsdmot.training.yolox.images import StillImage, num_people, read_images, sequence_names
from vsdmot.training.yolox.module import YoloxBatch, YoloxTraining
from vsdmot.training.yolox.pictures import PictureStore
from vsdmot.training.yolox.settings import YoloxTrainConfig
from vsdmot.training.yolox.teaching import DetectorTeaching
from vsdmot.training.yolox.validation import LEAST_SCORE, detect_all, measure

FORMAT = "vsdmot-yolox/1"
WEIGHTS_NAME, CONFIG_NAME = "model.safetensors", "config.json"

_STEPS_PER_SIZE = 10

# What a random generator is for; a number of its own keeps its draws independent of all others.
_ORDER, _SIZE, _PICTURE = range(1, 4)


class YoloxTask:
    """Train YOLOX to find people; a `vsdmot.training.task.Task`.

    Args:
        config: Settings.
        device: Where to train.

    Raises:
        VsdmotError: Data or weights cannot be used, nobody is in the training images, or pycocotools is missing.
    """

    def __init__(self, config: YoloxTrainConfig, *, device: torch.device | str = "cpu") -> None:
        self.config = config
        if config.validation and config.average_precision:
            require_pycocotools()
        self.images = _read_all(config.train, config.every, config.min_visibility)
        self.validation = _read_all(config.validation, config.validation_every, config.min_visibility)
        if not num_people(self.images):
            raise ConfigError(f"train: expected people in the training images, there are none in {len(self.images)}")
        network, convention = _make_network(config)
        self._module = YoloxTraining(
            network,
            AveragedYolox(network, decay=config.ema_decay, ramp=config.ema_ramp),
            convention=convention,
            rule=config.assignment,
            precision=config.precision,
            teaching=None
            if config.teaching is None
            else DetectorTeaching.load(config.teaching, bf16=config.precision == "bf16"),
        ).to(device)
        limit = config.cache_mb * 1_000_000
        store = PictureStore(
            self.images, config.input_size, limit=limit, clip=config.clip_boxes, fast=config.fast_decoding
        )
        self._augmenter = Augmenter(store, config.augment)

    @property
    def module(self) -> nn.Module:
        """Network, loss and averaged weights, all of them in its ``state_dict``."""
        return self._module

    @property
    def num_steps(self) -> int:
        """Optimiser steps of an epoch; images that fill no step are left to the next epoch's chance."""
        return max(len(self.images) // (self.config.batch_size * self.config.batches_per_step), 1)

    @property
    def schedule(self) -> Schedule:
        """Learning rate over the epochs: a rise along a parabola, half a cosine, and the floor for the plain epochs."""
        config = self.config
        falling = cosine(config.warmup_epochs, config.epochs - config.plain_epochs, config.lr_floor)
        return warm_up(falling, config.warmup_epochs, power=2)

    def batches(self, place: Place) -> Iterator[list[YoloxBatch]]:
        """Give, for each step from ``place.step`` on, the batches of this process; they are dealt out in turn.

        Raises:
            SourceError: An image cannot be read.
        """
        per_step, size = self.config.batches_per_step, self.config.batch_size
        order = epoch_order(len(self.images), self.num_steps * per_step * size, place.epoch, self.config.seed)
        mine = range(place.rank, per_step, place.world)
        steps = range(place.step, self.num_steps)
        places = ((step, step * per_step + part) for step in steps for part in mine)
        made = in_order(lambda at: self._batch(place.epoch, at[0], at[1], order), places, self.config.workers)
        for _ in steps:
            yield list(itertools.islice(made, len(mine)))

    def weight(self, batch: YoloxBatch) -> float:
        """A batch counts as one: it is divided by its own number of cells."""
        del batch
        return 1.0

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Give the weights of convolutions, which decay, and everything else, which does not."""
        layers = self._module.network.modules()
        decaying = [layer.weight for layer in layers if isinstance(layer, nn.Conv2d | nn.Linear)]
        others = {id(parameter) for parameter in decaying}
        rest = [parameter for parameter in self._module.network.parameters() if id(parameter) not in others]
        rate = self.config.lr_per_image * self.config.batch_size * self.config.batches_per_step
        return [
            {"name": "convolutions", "params": decaying, "lr": rate, "weight_decay": self.config.weight_decay},
            {"name": "others", "params": rest, "lr": rate, "weight_decay": 0.0},
        ]

    def after_step(self) -> None:
        """Move the averaged weights; the loop calls this after each step of the optimiser."""
        self._module.average.update(self._module.network)

    def validate(self) -> dict[str, float]:
        """Measure the averaged weights, as `vsdmot.training.yolox.validation.measure` describes."""
        if not self.validation:
            return {}
        detections = detect_all(self.detector(), self.validation)
        return measure(detections, self.validation, with_average_precision=self.config.average_precision)

    def detector(self) -> YoloxDetector:
        """Give a detector with the averaged weights, for the scores that validation asks for."""
        settings = DetectorConfig(score_threshold=LEAST_SCORE, input_size=self.config.input_size)
        device = self._module.device
        return YoloxDetector(self._module.average.network, self._module.convention, device=device, config=settings)

    def export(self, folder: Path, provenance: Mapping[str, Any]) -> None:
        """Write the averaged weights, and what they are and were trained on.

        Raises:
            OutputError: The folder cannot be written.
        """
        network = self._module.average.network
        facts = {
            "format": FORMAT,
            "input_convention": self._module.convention,
            "network": to_mapping(network.config),
            "input_size": list(self.config.input_size),
            "sequences": list(sequence_names(self.images)),
            "training": to_mapping(self.config),
            "provenance": dict(provenance),
        }
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{folder}: cannot be made: {error.strerror}") from None
        save_yolox(folder / WEIGHTS_NAME, network, self._module.convention)
        write_whole(folder / CONFIG_NAME, (json.dumps(facts, indent=2) + "\n").encode())

    def _batch(self, epoch: int, step: int, number: int, order: NDArray[np.int64]) -> YoloxBatch:
        """Make a batch of an epoch; the same wherever it is made."""
        size, seed = self.config.batch_size, self.config.seed
        augmented = epoch < self.config.epochs - self.config.plain_epochs
        shape = self.shape_at(epoch, step)
        pictures = [
            self._augmenter.make(
                int(order[at]), shape, np.random.default_rng((seed, _PICTURE, epoch, at)), augmented=augmented
            )
            for at in range(number * size, (number + 1) * size)
        ]
        clean = None
        if self.config.teaching is not None and any(picture.clean is not None for picture in pictures):
            before = [picture.image if picture.clean is None else picture.clean for picture in pictures]
            clean = torch.from_numpy(np.stack(before))
        return YoloxBatch(
            images=torch.from_numpy(np.stack([picture.image for picture in pictures])),
            boxes=tuple(torch.from_numpy(picture.boxes) for picture in pictures),
            use_l1=not augmented,
            clean=clean,
        )

    def shape_at(self, epoch: int, step: int) -> tuple[int, int]:
        """Height and width of the input in a step: the same in all processes, drawn anew every 10 steps."""
        height, width = self.config.input_size
        rows = height // MULTIPLE
        low, high = (round(rows * factor) for factor in self.config.multi_scale)
        rng = np.random.default_rng((self.config.seed, _SIZE, epoch, step // _STEPS_PER_SIZE))
        drawn = int(rng.integers(max(low, 1), max(high, 1) + 1))
        return drawn * MULTIPLE, max(int(drawn * width / height), 1) * MULTIPLE


def epoch_order(num_images: int, count: int, epoch: int, seed: int) -> NDArray[np.int64]:
    """Which image each place of an epoch begins with, ``(count,)``: a shuffle, repeated if the images are too few.

    >>> sorted(epoch_order(3, 6, epoch=0, seed=0).tolist())
    [0, 0, 1, 1, 2, 2]
    """
    rng = np.random.default_rng((seed, _ORDER, epoch))
    rounds = -(-count // num_images)
    return np.concatenate([rng.permutation(num_images) for _ in range(rounds)])[:count]


def _read_all(paths: Sequence[Path], every: int, min_visibility: float) -> list[StillImage]:
    return [image for path in paths for image in read_images(path, every=every, min_visibility=min_visibility)]


def _make_network(config: YoloxTrainConfig) -> tuple[YOLOX, InputConvention]:
    """Make the network, random or from weights, and say how its input is normalised.

    Raises:
        CheckpointError: The weights cannot be used.
        ConfigError: They are of another size than the settings ask for.
    """
    if config.start is None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            return YOLOX(config.network or YoloxConfig.named("x")), config.convention or "legacy"
    loaded = load_yolox(config.start, convention=config.convention or "auto")
    size = loaded.network.config
    if config.network is not None and config.network.size != size.size:
        raise ConfigError(
            f"network: expected the size of start ({config.start}), which is {size.name}, got {config.network.name}; "
            "leave network out to take that size"
        )
    state = {
        name: tensor[PERSON : PERSON + 1].clone() if name.startswith("head.cls_preds.") else tensor
        for name, tensor in loaded.network.state_dict().items()
    }
    network = YOLOX(YoloxConfig(depth=size.depth, width=size.width, depthwise=size.depthwise))
    network.load_state_dict(state)
    return network, loaded.convention
