from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from vsdmot.errors import OutputError
from vsdmot.training.loop.checkpoints import Progress
from vsdmot.training.loop.listener import TrainLine
from vsdmot.training.loop.processes import Processes
from vsdmot.training.loop.provenance import collect, device_name, hash_files, package_commit
from vsdmot.training.loop.run_log import RunLog, cut_log, peak_memory_gb
from vsdmot.training.loop.sums import StepSums, summarise
from vsdmot.training.task import StepLoss

_SPEC = importlib.util.spec_from_file_location("toy_task", Path(__file__).with_name("toy_task.py"))
toy = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(toy)


def no_note(text: str) -> None:
    raise AssertionError(text)


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def loss(total: float, **monitors: float) -> StepLoss:
    part = torch.tensor(total / 2)
    return StepLoss(
        torch.tensor(total, requires_grad=True), {"giou": part}, {k: torch.tensor(v) for k, v in monitors.items()}
    )


def test_losses_are_means_over_steps_and_monitors_over_batches():
    sums = StepSums()
    for step in ([1.0, 2.0], [4.0], []):  # the losses of a step's batches are parts of one sum
        for value in step:
            sums.add_loss(loss(value, spread=value))
        sums.add_step(grad_norm=3.0 * len(step), batches=len(step), waited=0.5, seconds=2.0)
    plain = sums.collect(Processes())
    line = summarise(plain, step=3, epoch=0.5, lr={"rest": 0.1}, seconds=9.0, memory_gb=1.0)
    assert line.loss == pytest.approx(7 / 3)
    assert line.losses == pytest.approx({"giou": 3.5 / 3})
    assert line.monitors == pytest.approx({"spread": 7 / 3})
    assert line.grad_norm == pytest.approx(3)
    assert (line.batches_per_second, line.step_seconds, line.data_seconds) == (0.5, 2.0, 0.5)


def test_sums_go_on_from_what_was_stored():
    whole, first = StepSums(), StepSums()
    for value in (0.1, 0.2, 0.3):
        for sums in (whole, first):
            sums.add_loss(loss(value, spread=value))
            sums.add_step(grad_norm=value)
    stored = json.loads(json.dumps(first.collect(Processes())))
    whole.collect(Processes())
    second = StepSums(stored)
    for sums in (whole, second):
        sums.add_loss(loss(0.7))
        sums.add_step(grad_norm=0.7)
    assert second.collect(Processes()) == whole.collect(Processes())


def test_losses_that_are_not_finite_are_named():
    sums = StepSums()
    sums.add_loss(StepLoss(torch.tensor(math.inf), {"a": torch.tensor(1.0), "b": torch.tensor(math.nan)}))
    assert sums.not_finite() == ["the total", "b"]


def test_a_line_holds_everything_and_tensorboard_draws_it(tmp_path):
    log = RunLog(tmp_path, Progress(), no_note)
    log.train(
        TrainLine(step=2, epoch=0.5, loss=1 / 3, losses={"giou": math.nan}, monitors={"w1": 0.5}, lr={"rest": 1e-4})
    )
    log.validation(Progress(epoch=0, step=4, total_steps=4, seconds=2.0), {"HOTA": 0.25}, True)
    log.force_to_disk()
    log.close()
    train, validation = lines(log.path)
    assert train["loss"] == 0.333333
    assert train["losses"] == {"giou": None}
    assert (train["kind"], train["step"], train["epoch"], train["lr"]) == ("train", 2, 0.5, {"rest": 1e-4})
    assert validation == {
        "kind": "validation", "step": 4, "epoch": 1, "seconds": 2.0, "best": True, "scores": {"HOTA": 0.25},
    }  # fmt: skip

    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert {"loss", "loss/giou", "monitor/w1", "lr/rest", "validation/HOTA"} <= set(events.Tags()["scalars"])
    assert [(event.step, event.value) for event in events.Scalars("validation/HOTA")] == [(4, 0.25)]


def test_without_tensorboard_the_log_is_written_and_that_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    notes: list[str] = []
    log = RunLog(tmp_path, Progress(), notes.append)
    log.train(TrainLine(step=1, epoch=0.1, loss=1.0))
    log.force_to_disk()
    log.close()
    assert len(lines(log.path)) == 1
    assert notes == ["TensorBoard is not installed, so only log.jsonl is written; pip install vsdmot[train]"]
    assert not (tmp_path / "tensorboard").exists()


WRITTEN = [
    {"kind": "train", "step": 2},
    {"kind": "train", "step": 4},
    {"kind": "validation", "step": 4},
    {"kind": "train", "step": 6},
    {"kind": "validation", "step": 8},
]


@pytest.mark.parametrize(
    ("progress", "num_kept"),
    [
        (Progress(), 0),
        (Progress(epoch=0, step=3, total_steps=3), 1),
        (Progress(epoch=0, step=4, total_steps=4), 2),  # before the validation, which comes again
        (Progress(epoch=1, step=0, total_steps=4), 3),
        (Progress(epoch=1, step=3, total_steps=7), 4),
        (Progress(epoch=2, step=0, total_steps=8), 5),
    ],
)
@pytest.mark.parametrize("tail", ["", '{"kind": "tra', '{"kind": "train", "step": 1}', "\0\0\0\n", "3\n"])
def test_lines_after_the_checkpoint_are_cut(progress, num_kept, tail, tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in WRITTEN) + tail)
    cut_log(path, progress)
    assert lines(path) == WRITTEN[:num_kept]


def test_a_log_that_is_missing_is_begun_anew(tmp_path):
    cut_log(tmp_path / "log.jsonl", Progress(total_steps=5))
    assert not (tmp_path / "log.jsonl").exists()


def test_a_log_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "log.jsonl").mkdir()
    with pytest.raises(OutputError, match=r"log\.jsonl: cannot be read"):
        RunLog(tmp_path, Progress(), no_note)


def test_memory_is_that_of_this_process():
    assert 0.01 < peak_memory_gb(torch.device("cpu")) < 1000


def write(root: Path, **files: bytes) -> list[Path]:
    paths = []
    for name, content in files.items():
        path = root / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        paths.append(path)
    return paths


FILES = {"a__gt_txt": b"1,2,3\n", "a__img1__1_jpg": b"\xff" * 9000, "b__gt_txt": b""}


def test_the_hash_of_files_depends_on_them_and_not_on_where_they_lie(tmp_path):
    first, second = tmp_path / "here", tmp_path / "there"
    facts = hash_files(first, write(first, **FILES))
    assert (facts["files"], facts["bytes"]) == (3, 9006)
    assert len(facts["sha256"]) == 64
    assert hash_files(second, reversed(write(second, **FILES))) == facts


@pytest.mark.parametrize(
    "changed",
    [
        {"a__gt_txt": b"1,2,4\n"},
        {"a__img1__1_jpg": b"\xfe" + b"\xff" * 8999},
        {"a__img1__1_jpg": b"\xff" * 9001},
        {"b__gt_ini": b""},
    ],
)
def test_another_annotation_image_or_name_gives_another_hash(changed, tmp_path):
    first, second = tmp_path / "here", tmp_path / "there"
    facts = hash_files(first, write(first, **FILES))
    assert hash_files(second, write(second, **{**FILES, **changed}))["sha256"] != facts["sha256"]


def test_of_many_images_only_some_are_read(tmp_path, monkeypatch):
    paths = write(tmp_path, **{f"{number:04d}_jpg": b"x" for number in range(1000)})
    opened = []
    original = Path.open
    monkeypatch.setattr(Path, "open", lambda path, *words: opened.append(path) or original(path, *words))
    facts = hash_files(tmp_path, paths)
    assert facts["files"] == 1000
    assert 200 <= len(opened) <= 256


def test_no_files_have_a_hash_too(tmp_path):
    assert hash_files(tmp_path, []) == {"files": 0, "bytes": 0, "sha256": hashlib.sha256().hexdigest()}


def test_provenance_says_who_what_and_when():
    facts = collect(settings={"size": 3}, seed=5, data={"train": {"sha256": "ab"}}, trained_by="a lab", num_processes=2)
    assert json.loads(json.dumps(facts)) == facts
    assert facts["trained"] is True
    assert (facts["trained_by"], facts["seed"], facts["settings"]) == ("a lab", 5, {"size": 3})
    assert facts["data"] == {"train": {"sha256": "ab"}}
    assert facts["versions"]["torch"] == torch.__version__
    assert facts["hardware"] == f"2 x {device_name(torch.device('cpu'))}"
    assert "trained_by" not in collect(settings={}, seed=5, data={})


def test_the_commit_is_that_of_a_checkout_of_this_package(monkeypatch):
    package = Path(__file__).resolve().parents[3]
    if not (package / ".git").exists():
        assert package_commit() is None
        return
    head = subprocess.run(["git", "-C", package, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    assert package_commit().rstrip("+") == head.stdout.strip()
    monkeypatch.setenv("PATH", "")
    assert package_commit() is None


def test_a_package_installed_inside_another_repository_has_no_commit(tmp_path, monkeypatch):
    from vsdmot.training.loop import provenance

    folder = tmp_path / "site-packages" / "vsdmot" / "training"
    folder.mkdir(parents=True)
    (folder.parent / "version.py").write_text("")
    subprocess.run(["git", "-C", tmp_path, "init", "-q"], check=True)
    monkeypatch.setattr(provenance, "__file__", str(folder / "provenance.py"))
    assert package_commit() is None
