"""The task: what it trains on is decided by the seed alone, it learns, and what it exports is a detector."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from vsdmot.config import from_mapping
from vsdmot.detection.yolox.checkpoint import load_yolox, save_yolox
from vsdmot.detection.yolox.detector import DetectorConfig, YoloxDetector
from vsdmot.errors import CheckpointError, ConfigError, OutputError
from vsdmot.io.images import read_image
from vsdmot.models.yolox.network import YOLOX, YoloxConfig
from vsdmot.structures import Frame
from vsdmot.training.loop.config import LoopConfig
from vsdmot.training.loop.listener import Silent
from vsdmot.training.loop.loop import train
from vsdmot.training.loop.optimiser import OptimiserConfig
from vsdmot.training.task import Place, Task
from vsdmot.training.yolox.module import YoloxBatch
from vsdmot.training.yolox.settings import YoloxTrainConfig
from vsdmot.training.yolox.task import YoloxTask, epoch_order

SMALL = {"depth": 0.33, "width": 0.125}
PLAIN = {"mosaic": 0, "flip": 0, "colour": 0}


def make_task(*folders: Path, **changes) -> YoloxTask:
    settings = {
        "train": list(folders), "network": SMALL, "input_size": [64, 96], "multi_scale": [1, 1], "epochs": 3,
        "plain_epochs": 1, "warmup_epochs": 0, "batch_size": 2, "lr_per_image": 0.005, "workers": 1, "ema_decay": 0.9,
        "ema_ramp": 20, **changes,
    }  # fmt: skip
    return YoloxTask(from_mapping(YoloxTrainConfig, {k: v for k, v in settings.items() if v is not None}))


def run(task: YoloxTask, epochs: range, optimiser: torch.optim.Optimizer | None = None) -> list[float]:
    """Train as a loop does; gives the loss of every step."""
    groups = task.parameter_groups()
    optimiser = optimiser or torch.optim.SGD(groups, lr=groups[0]["lr"], momentum=0.9, nesterov=True)
    task.module.train()
    losses = []
    for epoch in epochs:
        for batches in task.batches(Place(epoch=epoch)):
            optimiser.zero_grad()
            divisor = sum(map(task.weight, batches))
            total = 0.0
            for batch in batches:
                loss = task.module(batch, divisor).total
                loss.backward()
                total += loss.item()
            optimiser.step()
            task.after_step()
            losses.append(total)
    return losses


def flat(batch: YoloxBatch) -> list:
    return [batch.images.tolist(), [boxes.tolist() for boxes in batch.boxes], batch.use_l1]


def test_it_is_a_task(make_sequence):
    task: Task = make_task(make_sequence())
    assert task.num_steps == 1


class TestBatches:
    def test_they_depend_on_seed_epoch_and_step_alone(self, make_sequence):
        folder = make_sequence(num_frames=8)
        first = [flat(batch) for (batch,) in make_task(folder).batches(Place(epoch=1))]
        assert len(first) == 4
        again = make_task(folder, workers=3)
        list(again.batches(Place(epoch=0)))
        assert [flat(batch) for (batch,) in again.batches(Place(epoch=1))] == first
        assert [flat(batch) for (batch,) in again.batches(Place(epoch=1, step=2))] == first[2:]
        assert [flat(batch) for (batch,) in again.batches(Place(epoch=0))] != first
        assert [flat(batch) for (batch,) in make_task(folder, seed=1).batches(Place(epoch=1))] != first

    @pytest.mark.parametrize("world", [2, 3, 5])
    def test_processes_are_dealt_the_batches_of_a_step_in_turn(self, make_sequence, world):
        task = make_task(make_sequence(num_frames=8), batches_per_step=4, batch_size=1)
        assert task.num_steps == 2
        alone = [[flat(batch) for batch in step] for step in task.batches(Place())]
        ranks = [list(task.batches(Place(rank=rank, world=world))) for rank in range(world)]
        assert all(len(steps) == 2 for steps in ranks)  # also those that have nothing to do
        for number, step in enumerate(alone):
            for part, batch in enumerate(step):
                assert flat(ranks[part % world][number][part // world]) == batch
        assert sum(len(step) for steps in ranks for step in steps) == 8

    def test_each_image_comes_once_in_an_epoch(self, make_sequence):
        task = make_task(make_sequence(num_frames=8), augment=PLAIN)
        shown = [image.tobytes() for (batch,) in task.batches(Place()) for image in batch.images.numpy()]
        assert len(shown) == len(set(shown)) == 8

    def test_a_few_images_fill_a_batch_by_coming_again(self):
        assert sorted(epoch_order(3, 8, 0, 0).tolist()).count(0) in (2, 3)
        assert epoch_order(100, 100, 0, 0).tolist() != epoch_order(100, 100, 1, 0).tolist()
        assert sorted(epoch_order(100, 64, 0, 0).tolist()) == sorted(set(epoch_order(100, 64, 0, 0).tolist()))

    def test_the_last_epochs_are_plain_and_have_l1(self, make_sequence):
        task = make_task(make_sequence(num_frames=4), augment={"flip": 0, "colour": 0})
        kinds = [[batch.use_l1 for (batch,) in task.batches(Place(epoch=epoch))] for epoch in range(3)]
        assert kinds == [[False] * 2, [False] * 2, [True] * 2]
        originals = {read_image(image.path).tobytes() for image in task.images}
        (batch,) = next(iter(task.batches(Place(epoch=2))))
        assert {image.tobytes() for image in batch.images.numpy()} <= originals
        (batch,) = next(iter(task.batches(Place(epoch=0))))
        assert not {image.tobytes() for image in batch.images.numpy()} & originals
        parts = [task.module(b, 1.0).parts for (b,) in (next(iter(task.batches(Place(epoch=e)))) for e in (0, 2))]
        assert "raw_boxes" not in parts[0]
        assert "raw_boxes" in parts[1]

    def test_the_size_changes_every_ten_steps_and_is_the_same_everywhere(self, make_sequence):
        folder = make_sequence()
        task, other = (make_task(folder, input_size=[320, 576], multi_scale=[0.7, 1.3]) for _ in range(2))
        sizes = [task.shape_at(0, step) for step in range(400)]
        assert sizes == [other.shape_at(0, step) for step in range(400)]
        assert all(len(set(sizes[start : start + 10])) == 1 for start in range(0, 400, 10))
        assert {height // 32 for height, _ in sizes} == set(range(7, 14))
        assert all(width == int(height // 32 * 576 / 320) * 32 for height, width in sizes)
        assert task.shape_at(1, 0) != task.shape_at(0, 0) or task.shape_at(1, 10) != task.shape_at(0, 10)
        assert make_task(folder).shape_at(0, 5) == (64, 96)

    def test_batches_of_another_size_are_drawn_at_it(self, make_sequence):
        task = make_task(make_sequence(num_frames=4), multi_scale=[0.5, 2])
        shapes = {batch.images.shape for epoch in range(20) for (batch,) in task.batches(Place(epoch=epoch))}
        assert {shape[1] for shape in shapes} == {32, 64, 96, 128}


class TestGradient:
    def test_the_same_seed_gives_the_same_gradient(self, make_sequence):
        folder = make_sequence(num_frames=4)
        gradients = []
        for _ in range(2):
            task = make_task(folder)
            (batch,) = next(iter(task.batches(Place())))
            task.module.train()
            task.module(batch, 1.0).total.backward()
            gradients.append([p.grad.clone() for p in task.module.parameters() if p.requires_grad])
        assert all(torch.equal(one, other) for one, other in zip(*gradients, strict=True))
        assert all(gradient.any() for gradient in gradients[0][:3])

    def test_a_step_is_the_mean_of_its_batches(self, make_sequence):
        task = make_task(make_sequence(num_frames=8), batches_per_step=2)
        batches = next(iter(task.batches(Place())))
        assert [task.weight(batch) for batch in batches] == [1, 1]
        task.module.train()
        alone = []
        for batch in batches:
            task.module.zero_grad()
            task.module(batch, 1.0).total.backward()
            alone.append([p.grad.clone() for p in task.module.parameters() if p.requires_grad])
        task.module.zero_grad()
        for batch in batches:
            task.module(batch, 2.0).total.backward()
        together = [p.grad for p in task.module.parameters() if p.requires_grad]
        for first, second, both in zip(*alone, together, strict=True):
            torch.testing.assert_close((first + second) / 2, both, atol=1e-5, rtol=1e-3)

    def test_parts_add_up_to_the_loss(self, make_sequence):
        task = make_task(make_sequence(num_frames=4))
        (batch,) = next(iter(task.batches(Place(epoch=2))))
        loss = task.module(batch, 2.0)
        assert sum(loss.parts.values()).item() == pytest.approx(loss.total.item(), rel=1e-5)
        assert not any(part.requires_grad for part in (*loss.parts.values(), *loss.monitors.values()))

    def test_in_bfloat16_the_loss_is_nearly_the_same(self, make_sequence):
        folder = make_sequence(num_frames=4)
        losses = []
        for precision in ("fp32", "bf16"):
            task = make_task(folder, precision=precision)
            (batch,) = next(iter(task.batches(Place())))
            loss = task.module(batch, 1.0).total
            assert loss.dtype == torch.float32
            losses.append(loss.item())
        assert losses[0] != losses[1]
        assert losses[0] == pytest.approx(losses[1], rel=0.05)

    def test_weights_of_convolutions_decay_and_nothing_else(self, make_sequence):
        task = make_task(make_sequence(), weight_decay=0.1, batches_per_step=3)
        decaying, rest = task.parameter_groups()
        assert (decaying["weight_decay"], rest["weight_decay"]) == (0.1, 0.0)
        assert decaying["lr"] == rest["lr"] == pytest.approx(0.005 * 6)
        assert all(parameter.dim() == 4 for parameter in decaying["params"])
        assert all(parameter.dim() == 1 for parameter in rest["params"])
        ids = [id(parameter) for group in (decaying, rest) for parameter in group["params"]]
        assert len(ids) == len(set(ids)) == sum(1 for p in task.module.parameters() if p.requires_grad)


def test_it_learns_four_images_by_heart(make_sequence):
    folder = make_sequence(num_frames=4)
    task = make_task(folder, validation=[folder], epochs=70, plain_epochs=20, batch_size=4, lr_per_image=0.01,
                     ema_decay=0.8, augment=PLAIN)  # fmt: skip
    for layer in task.module.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = 0.3  # the published 0.03 takes more steps than a test should to reach what it is to learn
    before = task.validate()
    losses = run(task, range(70))
    after = task.validate()
    assert np.mean(losses[-5:]) < 0.7 * losses[0]
    assert before["AP50"] < 0.1
    assert after["AP50"] > 0.95
    assert after["recall"] == 1.0


class Killer(Silent):
    """Ends a run after a number of steps, as a kill would."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def stepped(self, *, epoch: int, step: int) -> None:
        self.left -= 1
        if not self.left:
            raise RuntimeError("killed")


class TestLoop:
    """In the project's own loop."""

    def train(self, folder: Path, run: Path, listener: Silent | None = None, *, resume: bool = False) -> YoloxTask:
        task = make_task(folder, validation=[folder], batches_per_step=2)
        train(
            task, LoopConfig(epochs=3, clip_grad_norm=None, checkpoint_every_steps=1), OptimiserConfig(kind="sgd"), run,
            schedule=task.schedule, resume=resume, provenance={"trained": True}, listener=listener or Silent(),
        )  # fmt: skip
        return task

    def test_a_run_that_is_gone_on_with_ends_in_the_same_weights_and_averages(self, make_sequence, tmp_path):
        folder = make_sequence(num_frames=8)
        whole = self.train(folder, tmp_path / "whole").module.state_dict()
        with pytest.raises(RuntimeError, match="killed"):
            self.train(folder, tmp_path / "parts", Killer(4))
        resumed = self.train(folder, tmp_path / "parts", resume=True).module.state_dict()
        assert int(resumed["average.num_updates"]) == 6
        for name, tensor in whole.items():
            assert torch.equal(tensor, resumed[name]), name

    def test_what_it_writes_is_a_detector(self, make_sequence, tmp_path):
        task = self.train(make_sequence(num_frames=4), tmp_path / "run")
        loaded = load_yolox(tmp_path / "run" / "last" / "model.safetensors").network.state_dict()
        for name, tensor in task.module.average.network.state_dict().items():
            assert torch.equal(tensor, loaded[name]), name
        assert json.loads((tmp_path / "run" / "last" / "config.json").read_text())["provenance"]["trained"] is True


def test_looking_at_the_loss_does_not_move_the_average(make_sequence):
    task = make_task(make_sequence(num_frames=4))
    before = copy.deepcopy(task.module.average.state_dict())
    for (batch,) in task.batches(Place()):
        task.module(batch, 1.0)
    assert all(torch.equal(tensor, before[name]) for name, tensor in task.module.average.state_dict().items())


def slow_factor(epoch: float, total: float, warmup: float, plain: float, floor: float) -> float:
    if epoch < warmup:
        return (epoch / warmup) ** 2
    if epoch >= total - plain:
        return floor
    return floor + 0.5 * (1 - floor) * (1 + math.cos(math.pi * (epoch - warmup) / (total - warmup - plain)))


@pytest.mark.parametrize(("epochs", "warmup", "plain"), [(20, 1, 2), (10, 0, 0), (10, 0.5, 0), (10, 3, 6)])
def test_the_rate_rises_then_falls_then_stays(make_sequence, epochs, warmup, plain):
    task = make_task(make_sequence(), epochs=epochs, warmup_epochs=warmup, plain_epochs=plain)
    moments = [step / 7 for step in range(7 * epochs)]
    expected = [slow_factor(moment, epochs, warmup, plain, 0.05) for moment in moments]
    assert [task.schedule(moment) for moment in moments] == pytest.approx(expected)


class TestExport:
    def test_it_is_a_detector_that_finds_the_same(self, make_sequence, tmp_path):
        folder = make_sequence(num_frames=4)
        task = make_task(folder, epochs=12, augment=PLAIN, convention="current")
        run(task, range(12))
        task.export(tmp_path / "out", {"trained": True, "note": "a test"})
        settings = DetectorConfig(score_threshold=0.01, input_size=(64, 96))
        loaded = YoloxDetector.from_checkpoint(tmp_path / "out" / "model.safetensors", config=settings)
        assert loaded.convention == "current"
        own, count = task.detector(), 0
        for image in task.images:
            frame = Frame(1, 0.0, read_image(image.path))
            ours, theirs = own(frame), loaded(frame)
            assert np.array_equal(ours.boxes, theirs.boxes)
            assert np.array_equal(ours.scores, theirs.scores)
            count += len(ours)
        assert count > 0

    def test_it_says_what_it_is_and_was_trained_on(self, make_sequence, tmp_path):
        task = make_task(make_sequence("a"), make_sequence("b"))
        task.export(tmp_path / "out", {"trained": True, "who": "me"})
        facts = json.loads((tmp_path / "out" / "config.json").read_text())
        assert facts["sequences"] == ["a", "b"]
        assert facts["provenance"] == {"trained": True, "who": "me"}
        assert facts["input_size"] == [64, 96]
        assert facts["network"]["width"] == 0.125
        assert from_mapping(YoloxTrainConfig, facts["training"]) == task.config

    def test_a_folder_that_cannot_be_made(self, make_sequence, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(OutputError, match="cannot be made"):
            make_task(make_sequence()).export(tmp_path / "file" / "out", {})


class TestStart:
    def weights(self, tmp_path: Path, num_classes: int) -> Path:
        network = YOLOX(YoloxConfig(depth=0.33, width=0.125, num_classes=num_classes))
        save_yolox(tmp_path / "start.safetensors", network, "current")
        return tmp_path / "start.safetensors"

    @pytest.mark.parametrize("num_classes", [1, 80])
    def test_people_are_kept_of_published_weights(self, make_sequence, tmp_path, num_classes):
        path = self.weights(tmp_path, num_classes)
        task = make_task(make_sequence(), start=str(path), network=None)
        loaded = load_yolox(path).network.state_dict()
        for name, tensor in task.module.network.state_dict().items():
            whole = loaded[name]
            assert torch.equal(tensor, whole[:1] if name.startswith("head.cls_preds.") else whole), name
        assert task.module.convention == "current"
        assert all(parameter.requires_grad for parameter in task.module.network.parameters())

    def test_without_weights_the_seed_decides(self, make_sequence):
        folder = make_sequence()
        stems = [
            make_task(folder, seed=seed).module.network.backbone.backbone.stem.conv.conv.weight for seed in (0, 0, 1)
        ]
        assert torch.equal(stems[0], stems[1])
        assert not torch.equal(stems[0], stems[2])

    def test_a_size_beside_weights_must_be_theirs(self, make_sequence, tmp_path):
        path, folder = str(self.weights(tmp_path, 80)), make_sequence()
        assert make_task(folder, start=path).module.network.config.num_classes == 1
        with pytest.raises(ConfigError, match=r"network: expected the size of start .*width 0\.125.* got YOLOX-s;"):
            make_task(folder, start=path, network={"depth": 0.33, "width": 0.5})

    def test_weights_that_are_missing(self, make_sequence, tmp_path):
        with pytest.raises(CheckpointError, match=r"none\.safetensors"):
            make_task(make_sequence(), start=str(tmp_path / "none.safetensors"), network=None)


class TestValidation:
    def test_without_validation_data_there_are_no_scores(self, make_sequence):
        assert make_task(make_sequence()).validate() == {}

    def test_without_average_precision_recall_decides(self, make_sequence, monkeypatch):
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        folder = make_sequence()
        with pytest.raises(ConfigError, match="needs pycocotools"):
            make_task(folder, validation=[folder])
        scores = make_task(folder, validation=[folder], average_precision=False).validate()
        assert next(iter(scores)) == "recall"

    def test_every_so_manieth_frame(self, make_sequence):
        folder = make_sequence(num_frames=6)
        task = make_task(folder, validation=[folder], every=2, validation_every=3)
        assert (len(task.images), len(task.validation)) == (3, 2)


def test_settings_reach_the_data(make_sequence):
    folder = make_sequence(num_frames=1)
    (folder / "gt" / "gt.txt").write_text("1,1,-10,0,30,60,1,1,0.05\n1,2,50,0,30,60,1,1,0.9\n")
    plain = make_task(folder, augment=PLAIN)
    (batch,) = next(iter(plain.batches(Place())))
    assert batch.boxes[0].tolist() == [[-10, 0, 20, 60], [50, 0, 80, 60]]
    changed = make_task(folder, augment=PLAIN, clip_boxes=True)
    (batch,) = next(iter(changed.batches(Place())))
    assert batch.boxes[0].tolist() == [[0, 0, 20, 60], [50, 0, 80, 60]]
    seen = make_task(folder, augment=PLAIN, min_visibility=0.1, fast_decoding=True, cache_mb=0)
    (batch,) = next(iter(seen.batches(Place())))
    assert batch.boxes[0].tolist() == [[50, 0, 80, 60]]


def test_data_without_people_is_refused(make_sequence):
    folder = make_sequence(num_frames=2)
    (folder / "gt" / "gt.txt").write_text("")
    with pytest.raises(ConfigError, match="train: expected people in the training images, there are none in 2"):
        make_task(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"input_size": [60, 96]}, "input_size: must be height and width, multiples of 32"),
        ({"multi_scale": [1.2, 1.5]}, "multi_scale: must be two numbers around 1"),
        ({"plain_epochs": 3}, "epochs: must be more than warmup_epochs"),
        ({"network": {**SMALL, "num_classes": 2}}, "network: must be of one class"),
        ({"train": []}, "train: must be at least one data set"),
        ({"seed": -1}, "seed: must be from 0"),
        ({"assignment": "best"}, "assignment: expected one of"),
    ],
)
def test_settings_out_of_range(make_sequence, changes, message):
    with pytest.raises(ConfigError, match=message):
        make_task(make_sequence(), **changes)


def test_the_published_recipe_is_the_default():
    config = from_mapping(YoloxTrainConfig, {"train": ["data"]})
    assert config.input_size == (800, 1440)
    assert config.lr_per_image == 0.001 / 64
    assert (config.epochs, config.ema_decay, config.lr_floor, config.weight_decay) == (20, 0.9998, 0.05, 5e-4)
