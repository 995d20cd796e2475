from __future__ import annotations

import importlib.util
import json
import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from vsdmot.errors import CheckpointError, ConfigError, TrainingError
from vsdmot.training.loop.config import LoopConfig
from vsdmot.training.loop.listener import Silent, TrainLine
from vsdmot.training.loop.loop import train
from vsdmot.training.loop.optimiser import OptimiserConfig
from vsdmot.training.loop.processes import Processes
from vsdmot.training.loop.stopping import Stopping, noting_signals
from vsdmot.training.task import Place, StepLoss

_SPEC = importlib.util.spec_from_file_location("toy_task", Path(__file__).with_name("toy_task.py"))
toy = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(toy)
ToyTask, toy_train = toy.ToyTask, toy.toy_train


@pytest.fixture(autouse=True)
def _without_tensorboard(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)


def log_of(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def assert_same_weights(first: Mapping[str, torch.Tensor], second: Mapping[str, torch.Tensor]) -> None:
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def plain_step(task: ToyTask, indices: list[int]) -> None:
    """The first step of an epoch, the slow way: one loss for all rows, without dropout, SGD without momentum."""
    batches = [task._batch(0, index) for index in indices]
    divisor = max(sum(len(batch["x"]) for batch in batches), 1)
    loss = torch.zeros(())
    for batch in batches:
        out = task.module.head(torch.relu(task.module.backbone(batch["x"])))
        out = out * task.module.rare if batch["index"] % 5 == 0 else out
        loss = loss + ((out - batch["y"]).abs().sum() + 2 * (out - batch["y"]).square().sum()) / divisor
    loss.backward()
    for parameter in task.module.parameters():
        if parameter.grad is not None:
            parameter.data -= 0.1 * parameter.grad


class PlainTask(ToyTask):
    """No dropout, one learning rate, so that a step can be computed by hand."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.module.dropout = nn.Identity()

    def parameter_groups(self) -> list[dict[str, Any]]:
        trained = [parameter for parameter in self.module.parameters() if parameter.requires_grad]
        return [{"params": trained, "lr": 0.1, "weight_decay": 0.0}]


def plain_train(
    task: Any, run: Path, *, listener: Any = None, optimiser: Any = None, schedule: Any = None, **changes: Any
):
    settings = {"epochs": 1, "clip_grad_norm": None, **changes}
    return train(
        task,
        LoopConfig(**settings),
        optimiser or OptimiserConfig(kind="sgd", lr=0.1, nesterov=False, momentum=0.0),
        run,
        schedule=schedule or (lambda epoch: 1.0),
        resume=False,
        provenance={},
        listener=listener or Silent(),
    )


def test_a_step_of_several_batches_is_that_of_all_rows_at_once(tmp_path):
    task, expected = PlainTask(num_batches=6, global_batch=6), PlainTask()
    plain_train(task, tmp_path / "run")
    ((_, _, indices),) = task.taken
    assert 0 in [index % 5 for index in indices]  # one without rows is among them
    plain_step(expected, indices)
    for name in ("backbone", "head"):
        torch.testing.assert_close(getattr(task.module, name).weight, getattr(expected.module, name).weight)
    torch.testing.assert_close(task.module.rare, expected.module.rare)


@pytest.mark.parametrize("batches", [[], [0], [5, 0]])
def test_a_step_without_batches_or_rows_divides_by_one_and_moves_nothing(batches, tmp_path):
    class Empty(PlainTask):
        def batches(self, place: Place) -> list[list[dict[str, Any]]]:
            return [[self._batch(place.epoch, index) for index in batches]]

    task = Empty(num_batches=1)
    before = toy.weights(task)
    before.pop("mean")
    plain_train(task, tmp_path / "run", epochs=1)
    after = toy.weights(task)
    after.pop("mean")
    assert_same_weights(before, after)
    assert log_of(tmp_path / "run")[0]["loss"] == 0


def test_a_parameter_that_no_batch_uses_is_left_alone(tmp_path):
    class Never(ToyTask):
        def batches(self, place: Place) -> list[list[dict[str, Any]]]:
            return [
                [self._batch(place.epoch, index) for index in (1, 2, 3)] for _ in range(self.num_steps - place.step)
            ]

    task = Never()
    toy_train(task, tmp_path / "run")
    assert task.module.rare.tolist() == [1, 1, 1]  # AdamW would pull it towards 0


def test_the_schedule_is_asked_for_the_epoch_with_its_fraction(tmp_path):
    asked: list[float] = []
    task = ToyTask(num_batches=8, global_batch=2)
    plain_train(task, tmp_path / "run", epochs=2, schedule=lambda epoch: asked.append(epoch) or 0.5)
    assert asked == [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75]
    assert log_of(tmp_path / "run")[1]["lr"] == pytest.approx({"backbone": 0.0005, "rest": 0.005})


def test_data_come_in_order_and_after_each_step_the_task_is_told(tmp_path):
    task = ToyTask()
    toy_train(task, tmp_path / "run")
    assert [(epoch, step) for epoch, step, _ in task.taken] == [(e, s) for e in range(3) for s in range(6)]
    assert task.num_after == 18
    assert float(task.module.mean.norm()) > 0


def test_the_seed_and_nothing_else_decides(tmp_path):
    outcomes = []
    for name, changes in {"a": {}, "b": {"validate_every": 3, "log_every": 1}, "c": {"seed": 1}}.items():
        task = ToyTask()
        torch.rand(len(name) * 7)
        toy_train(task, tmp_path / name, **changes)
        outcomes.append(toy.weights(task))
    assert_same_weights(outcomes[0], outcomes[1])
    assert not torch.equal(outcomes[0]["backbone.weight"], outcomes[2]["backbone.weight"])


def test_data_that_end_early_are_told(tmp_path):
    class Short(ToyTask):
        def batches(self, place: Place) -> list[list[dict[str, Any]]]:
            return list(super().batches(place))[:-2]

    with pytest.raises(TrainingError, match="epoch 1: the data ended after 4 of 6 steps in 1 of 1 processes"):
        toy_train(Short(), tmp_path / "run")


@pytest.mark.parametrize("checkpoint_every_steps", [1, None])
def test_a_gradient_that_is_not_finite_stops_with_the_step_and_the_culprit(checkpoint_every_steps, tmp_path):
    task, dry = ToyTask(bad_batch=12), ToyTask()
    list(dry.batches(Place()))
    bad_step = next(step for _, step, indices in dry.taken if 12 in indices)
    assert bad_step > 0
    with pytest.raises(TrainingError) as stopped:
        toy_train(task, tmp_path / "run", checkpoint_every_steps=checkpoint_every_steps)
    last = bad_step if checkpoint_every_steps else 0
    said = str(stopped.value)
    assert said.startswith(f"step {bad_step + 1} (epoch 1): the length of the gradient is nan; worst is ")
    assert "entries not finite)" in said
    assert "losses not finite: square, the total" in said
    assert f"The last good state is step {last} in {tmp_path / 'run' / 'checkpoints'}" in said
    assert "\n" not in said
    stored = load_file(tmp_path / "run" / "checkpoints" / f"step_{last:07d}" / "model.safetensors")
    assert all(bool(torch.isfinite(tensor).all()) for tensor in stored.values())
    assert all(bool(torch.isfinite(tensor).all()) for tensor in toy.weights(task).values())


def test_an_error_of_the_task_says_at_which_step(tmp_path):
    class Fussy(ToyTask):
        def parameter_groups(self) -> list[dict[str, Any]]:
            self.module.register_forward_pre_hook(self._refuse)
            return super().parameter_groups()

        def _refuse(self, module: nn.Module, arguments: tuple[Any, ...]) -> None:
            if arguments[0]["index"] == 12:
                raise TrainingError("clip 12: there is nobody in it")

    with pytest.raises(
        TrainingError, match=r"step \d+ \(epoch 1\): clip 12: there is nobody in it\. The last good state"
    ):
        toy_train(Fussy(), tmp_path / "run")


# The folder of a run


def test_a_run_is_not_overwritten(tmp_path):
    run = tmp_path / "run"
    toy_train(ToyTask(), run, epochs=1)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    with pytest.raises(TrainingError, match="run: already holds a run; go on with --resume, or train in a new folder"):
        toy_train(ToyTask(), run, epochs=1)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_a_folder_with_something_else_is_not_used(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(TrainingError, match="expected a new or empty folder for a run, but it holds thesis"):
        toy_train(ToyTask(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_what_a_kill_before_the_first_checkpoint_leaves_is_begun_over(tmp_path):
    (tmp_path / "checkpoints" / ".step_0000000.part").mkdir(parents=True)
    (tmp_path / "provenance.json").write_text("{")
    (tmp_path / "log.jsonl").write_text('{"kind": "train", "step": 4}\n')
    with pytest.raises(CheckpointError, match="there is none; train anew without --resume"):
        toy_train(ToyTask(), tmp_path, resume=True)
    toy_train(ToyTask(), tmp_path, epochs=1)
    assert [line["step"] for line in log_of(tmp_path)] == [4, 6, 6]


def test_nothing_to_resume(tmp_path):
    with pytest.raises(CheckpointError, match="expected a checkpoint to resume from"):
        toy_train(ToyTask(), tmp_path / "run", resume=True)
    assert not (tmp_path / "run").exists()


def test_a_finished_run_is_finished_when_resumed(tmp_path):
    first = toy_train(ToyTask(), tmp_path, epochs=1)
    task = ToyTask()
    again = toy_train(task, tmp_path, epochs=1, resume=True)
    assert (again.stopped, again.progress.total_steps) == ("finished", 6)
    assert again.progress.best == first.progress.best
    assert task.taken == []


def test_resuming_with_other_settings_names_them(tmp_path):
    toy_train(ToyTask(), tmp_path, epochs=1)
    with pytest.raises(TrainingError, match=r"loop\.epochs was 1, is now 2; loop\.seed was 42, is now 3"):
        toy_train(ToyTask(), tmp_path, epochs=2, seed=3, log_every=9, resume=True)


def test_an_epoch_that_has_become_shorter_is_refused(tmp_path):
    listener = StopAt(5)
    toy_train(ToyTask(), tmp_path, listener=listener)
    with pytest.raises(TrainingError, match="is at step 5 of an epoch, which now has only 3"):
        toy_train(ToyTask(global_batch=8), tmp_path, resume=True)


def test_checkpoints_come_every_so_many_steps_and_the_oldest_go(tmp_path):
    seen: list[list[str]] = []

    class Look(Silent):
        def stepped(self, *, epoch: int, step: int) -> None:
            seen.append(sorted(path.name[-2:] for path in (tmp_path / "checkpoints").glob("step_*")))

    toy_train(ToyTask(), tmp_path, epochs=1, checkpoint_every_steps=2, keep_checkpoints=2, listener=Look())
    assert seen == [["00"], ["00"], ["00", "02"], ["00", "02"], ["02", "04"], ["02", "04"]]


def test_checkpoints_come_every_so_many_minutes(tmp_path):
    toy_train(ToyTask(), tmp_path, epochs=1, checkpoint_every_minutes=1e-9, keep_checkpoints=99)
    assert len(list((tmp_path / "checkpoints").iterdir())) == 7


def test_a_stop_where_a_checkpoint_is_already_writes_none(tmp_path):
    toy_train(ToyTask(), tmp_path, listener=StopAt(8))
    (newest,) = (tmp_path / "checkpoints").glob("step_0000008")
    before = newest.stat().st_ino
    outcome = toy_train(ToyTask(), tmp_path, resume=True, max_minutes=1e-9)
    assert (outcome.stopped, outcome.progress.total_steps) == ("time", 8)
    assert newest.stat().st_ino == before


# Validation


class Judged(ToyTask):
    """Validations give what was decided before."""

    def __init__(self, *scores: Mapping[str, float]) -> None:
        super().__init__()
        self.scores = list(scores)

    def validate(self) -> Mapping[str, float]:
        assert not self.module.training
        return self.scores.pop(0)


def steps_of(run: Path, name: str) -> int:
    return json.loads((run / name / "config.json").read_text())["provenance"]["progress"]["step"]


def test_the_best_is_kept_by_the_first_score(tmp_path):
    scores = [{"HOTA": 0.3, "IDF1": 0.1}, {"HOTA": 0.5, "IDF1": 0.0}, {"HOTA": 0.5, "IDF1": 0.9}]
    outcome = toy_train(Judged(*scores), tmp_path)
    assert outcome.progress.best == scores[1]  # of equals the earlier
    assert (steps_of(tmp_path, "best"), steps_of(tmp_path, "last")) == (12, 18)
    facts = json.loads((tmp_path / "best" / "config.json").read_text())["provenance"]
    assert facts["progress"]["validation"] == scores[1]
    assert (facts["trained"], facts["settings"], facts["seed"]) == (True, {"size": 24}, 42)
    assert [line["best"] for line in log_of(tmp_path) if line["kind"] == "validation"] == [True, True, False]


def test_no_number_is_never_the_best(tmp_path):
    outcome = toy_train(Judged({"HOTA": math.nan}, {"HOTA": -1.0}, {"HOTA": math.nan}), tmp_path)
    assert outcome.progress.best == {"HOTA": -1.0}
    assert steps_of(tmp_path, "best") == 12


def test_without_validation_data_there_is_a_last_but_no_best(tmp_path):
    outcome = toy_train(Judged({}, {}, {}), tmp_path)
    assert outcome.progress.best is None
    assert not (tmp_path / "best").exists()
    assert steps_of(tmp_path, "last") == 18


@pytest.mark.parametrize(("every", "epochs"), [(1, [1, 2, 3]), (2, [2, 3]), (7, [3])])
def test_validation_comes_every_few_epochs_and_at_the_end(every, epochs, tmp_path):
    toy_train(ToyTask(), tmp_path, validate_every=every)
    assert [line["epoch"] for line in log_of(tmp_path) if line["kind"] == "validation"] == epochs


def test_a_stop_during_validation_loses_none_of_it(tmp_path):
    class Interrupted(Judged):
        def validate(self) -> Mapping[str, float]:
            os.kill(os.getpid(), signal.SIGTERM)
            return super().validate()

    task = Interrupted({"HOTA": 0.5})
    outcome = toy_train(task, tmp_path)
    assert (outcome.stopped, outcome.progress.epoch, outcome.progress.step) == ("signal", 1, 0)
    assert outcome.progress.best == {"HOTA": 0.5}
    outcome = toy_train(Judged({"HOTA": 0.4}, {"HOTA": 0.3}), tmp_path, resume=True)
    assert outcome.progress.best == {"HOTA": 0.5}
    assert steps_of(tmp_path, "best") == 6


def test_a_stop_at_the_end_of_an_epoch_does_not_wait_for_the_validation(tmp_path):
    task = ToyTask()
    outcome = toy_train(task, tmp_path, listener=StopAt(6))
    assert (outcome.stopped, outcome.progress.epoch, outcome.progress.step) == ("signal", 0, 6)
    assert task.validations == []
    again = ToyTask()
    toy_train(again, tmp_path, resume=True)
    assert len(again.validations) == 3


# Stopping


class StopAt(Silent):
    """Asks to stop, as a batch system does, when so many steps are done."""

    def __init__(self, after: int, number: int = signal.SIGTERM) -> None:
        self.after, self.number, self.seen = after, number, 0

    def stepped(self, *, epoch: int, step: int) -> None:
        self.seen += 1
        if self.seen == self.after:
            os.kill(os.getpid(), self.number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("after", [1, 8, 17])
def test_a_signal_stops_after_the_step_and_going_on_gives_the_same(number, after, tmp_path, capfd):
    whole, first, second = ToyTask(), ToyTask(), ToyTask()
    toy_train(whole, tmp_path / "whole")
    handlers = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    outcome = toy_train(first, tmp_path / "run", listener=StopAt(after, number))
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == handlers
    assert (outcome.stopped, outcome.progress.total_steps) == ("signal", after)
    assert "stopping after this step" in capfd.readouterr().err
    assert steps_of(tmp_path / "run", "last") == after
    toy_train(second, tmp_path / "run", resume=True)
    assert len(second.taken) == 18 - after
    assert_same_weights(toy.weights(whole), toy.weights(second))


def test_a_second_ctrl_c_stops_at_once(tmp_path):
    class Twice(Silent):
        def stepped(self, *, epoch: int, step: int) -> None:
            if step == 3:
                os.kill(os.getpid(), signal.SIGINT)
                os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        toy_train(ToyTask(), tmp_path, listener=Twice(), checkpoint_every_steps=2)
    outcome = toy_train(ToyTask(), tmp_path, resume=True, checkpoint_every_steps=2)
    assert outcome.progress.total_steps == 18


def test_time_that_is_up_stops_with_a_checkpoint_and_may_be_extended(tmp_path):
    whole, task = ToyTask(), ToyTask(step_seconds=0.02)
    toy_train(whole, tmp_path / "whole")
    outcome = toy_train(task, tmp_path / "run", max_minutes=0.15 / 60)
    assert outcome.stopped == "time"
    assert 0 <= outcome.progress.total_steps < 18
    task = ToyTask()
    assert toy_train(task, tmp_path / "run", max_minutes=5.0, resume=True).stopped == "finished"
    assert_same_weights(toy.weights(whole), toy.weights(task))


def test_no_time_at_all_stops_before_the_first_step(tmp_path):
    outcome = toy_train(ToyTask(), tmp_path, max_minutes=1e-9)
    assert (outcome.stopped, outcome.progress.total_steps) == ("time", 0)


class DyingLoader(ToyTask):
    """Data whose workers are ended after four steps, as a signal to all processes of a job ends them."""

    def __init__(self, *, signalled: bool) -> None:
        super().__init__()
        self.signalled = signalled

    def batches(self, place: Place):
        for count, batches in enumerate(super().batches(place)):
            if count == 4:
                if self.signalled:
                    threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM)).start()
                raise RuntimeError("DataLoader worker (pid 1) is killed by signal: Terminated.")
            yield batches


def test_workers_that_were_told_to_stop_too_are_no_error(tmp_path, monkeypatch):
    outcome = toy_train(DyingLoader(signalled=True), tmp_path)
    assert (outcome.stopped, outcome.progress.total_steps) == ("signal", 4)
    monkeypatch.setattr("vsdmot.training.loop.stopping._GRACE_SECONDS", 0.01)
    with pytest.raises(RuntimeError, match="is killed by signal"):
        toy_train(DyingLoader(signalled=False), tmp_path / "other")


def test_in_another_thread_signals_are_left_alone(tmp_path):
    ended: list[str] = []
    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=lambda: ended.append(toy_train(ToyTask(), tmp_path, epochs=1).stopped))
    thread.start()
    thread.join()
    assert ended == ["finished"]
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_child_that_inherits_the_handler_does_not_speak(capfd):
    stopping = Stopping()
    with noting_signals(stopping, speak=True):
        child = os.fork()
        if child == 0:
            os.kill(os.getpid(), signal.SIGINT)
            os._exit(7 if not stopping.signalled else 8)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert capfd.readouterr().err == ""


# What people see, and what is not installed


def test_the_listener_hears_it_in_order(tmp_path):
    heard: list[Any] = []

    class All:
        def started(self, **facts: int) -> None:
            heard.append(("started", facts))

        def stepped(self, *, epoch: int, step: int) -> None:
            heard.append((epoch, step))

        def logged(self, line: TrainLine) -> None:
            heard.append(("logged", line.step, sorted(line.losses)))

        def validating(self, *, epoch: int) -> None:
            heard.append(("validating", epoch))

        def validated(self, *, epoch: int, scores: Mapping[str, float], best: bool) -> None:
            heard.append(("validated", epoch, list(scores), best))

        def noted(self, text: str) -> None:
            heard.append(text.partition(",")[0])

    toy_train(ToyTask(), tmp_path, epochs=1, listener=All())
    assert heard == [
        "TensorBoard is not installed",
        ("started", {"epochs": 1, "steps_per_epoch": 6, "total_steps": 0}),
        (0, 1), (0, 2), (0, 3), ("logged", 4, ["near", "square"]), (0, 4),
        (0, 5), ("logged", 6, ["near", "square"]), (0, 6),
        ("validating", 0), ("validated", 0, ["HOTA", "error"], True),
    ]  # fmt: skip


def test_several_processes_without_accelerate_are_told_what_to_install(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(TrainingError, match=r"needs accelerate, which is not installed; pip install vsdmot\[train\]"):
        Processes.join("cpu")


def test_training_loads_where_nothing_of_video_drawing_or_accelerate_is_installed():
    code = """
import sys
for name in ("av", "supervision", "trackers", "accelerate", "tensorboard", "transformers", "torchvision"):
    sys.modules[name] = None
from vsdmot.training.loop import loop
from vsdmot.training.loop import provenance
from vsdmot.training.loop.processes import Processes
assert Processes.join("cpu").world == 1
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0}, {"clip_grad_norm": 0.0}, {"validate_every": 0}, {"checkpoint_every_steps": 0},
        {"checkpoint_every_minutes": 0.0}, {"keep_checkpoints": 0}, {"max_minutes": 0.0}, {"log_every": 0},
    ],
)  # fmt: skip
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError):
        LoopConfig(**wrong)


def test_a_loss_that_is_handed_out_stays_as_it_was(tmp_path):
    """The sums for the log must not change a task's tensors, which it may hand out twice."""
    kept: list[StepLoss] = []

    class Keeping(PlainTask):
        def parameter_groups(self) -> list[dict[str, Any]]:
            self.module.register_forward_hook(lambda module, arguments, loss: kept.append(loss))
            return super().parameter_groups()

    plain_train(Keeping(num_batches=4, global_batch=4), tmp_path / "run", epochs=1)
    line = log_of(tmp_path / "run")[0]
    assert line["loss"] == pytest.approx(sum(float(loss.total.detach()) for loss in kept), rel=1e-5)
    assert line["losses"]["near"] == pytest.approx(sum(float(loss.parts["near"]) for loss in kept), rel=1e-5)


def test_what_looks_wrong_is_told_once_in_the_log_and_to_the_listener(tmp_path):
    class Worried(PlainTask):
        def warnings(self) -> list[str]:
            return [f"the loss is {torch.rand(()).item():.3f}, which is odd", "the data is dull"]

    told: list[str] = []

    class Ear(Silent):
        def noted(self, text: str) -> None:
            told.append(text)

    plain_train(Worried(), tmp_path / "run", listener=Ear(), log_every=1, epochs=2)
    warned = [line["text"] for line in log_of(tmp_path / "run") if line["kind"] == "warning"]
    assert len(warned) == 2
    assert warned[0].startswith("the loss is 0.")
    assert warned == [text for text in told if text in warned]
