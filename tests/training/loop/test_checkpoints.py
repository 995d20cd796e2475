from __future__ import annotations

import importlib.util
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from vsdmot.errors import CheckpointError, OutputError, TrainingError
from vsdmot.training.loop.checkpoints import Checkpoints, Progress, restore
from vsdmot.training.loop.run_folder import RunFolder
from vsdmot.training.loop.settings_check import refuse_other_settings
from vsdmot.training.loop.whole_folders import discard, recover, whole_folder
from vsdmot.version import versions

_SPEC = importlib.util.spec_from_file_location("toy_task", Path(__file__).with_name("toy_task.py"))
toy = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(toy)


class Killed(BaseException):
    """Stands for the death of the process: nothing of ours catches it."""


def no_note(text: str) -> None:
    raise AssertionError(text)


def trained(value: float) -> tuple[nn.Module, torch.optim.Optimizer]:
    """A module whose weights are all ``value``, and an optimiser that has made a step."""
    module = nn.Linear(3, 2)
    optimiser = torch.optim.AdamW(module.parameters(), lr=0.1)
    module(torch.ones(1, 3)).sum().backward()
    optimiser.step()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(value)
    return module, optimiser


def store(checkpoints: Checkpoints, step: int) -> Path:
    return checkpoints.save(Progress(total_steps=step, step=step), *trained(float(step)))


def value_of(folder: Path) -> float:
    module, optimiser = trained(-1.0)
    restore(folder, module, optimiser)
    values = module.weight.detach().unique()
    assert len(values) == 1
    return float(values)


def test_nothing_to_resume_from_says_so(tmp_path):
    checkpoints = Checkpoints(tmp_path / "none", keep=2)
    assert not checkpoints.exist()
    with pytest.raises(CheckpointError, match="none: expected a checkpoint to resume from, there is none"):
        checkpoints.newest(no_note)


def test_all_comes_back(tmp_path):
    checkpoints = Checkpoints(tmp_path, keep=2)
    module, optimiser = trained(0.25)
    progress = Progress(
        epoch=2, step=3, total_steps=11, best={"HOTA": 0.1 + 0.2, "IDF1": 0.5}, seconds=1.5,
        sums={"loss": 1 / 3}, settings={"loop": {"seed": 1}}, versions={"torch": "2"},
    )  # fmt: skip
    folder = checkpoints.save(progress, module, optimiser)
    found, read = checkpoints.newest(no_note)
    assert found == folder
    assert read == progress
    assert folder.name == "step_0000011"
    again, other = trained(-1.0)
    other.state[again.weight]["exp_avg"].zero_()
    restore(folder, again, other)
    assert torch.equal(again.weight, module.weight)
    for name in ("exp_avg", "exp_avg_sq", "step"):
        assert torch.equal(other.state[again.weight][name], optimiser.state[module.weight][name])


def test_tied_weights_and_views_are_stored(tmp_path):
    module = nn.Module()
    module.first = nn.Linear(4, 4, bias=False)
    module.second = nn.Linear(4, 4, bias=False)
    module.second.weight = module.first.weight
    module.register_buffer("part", torch.arange(10.0)[2:5])
    optimiser = torch.optim.SGD(module.parameters())
    folder = Checkpoints(tmp_path, keep=1).save(Progress(), module, optimiser)
    expected = module.first.weight.detach().clone()
    with torch.no_grad():
        module.first.weight.zero_()
        module.part.zero_()
    restore(folder, module, optimiser)
    assert torch.equal(module.second.weight, expected)
    assert module.part.tolist() == [2, 3, 4]


def test_only_the_newest_are_kept_also_when_names_grow(tmp_path):
    checkpoints = Checkpoints(tmp_path, keep=2)
    for step in (8, 9_999_999, 10_000_000):
        store(checkpoints, step)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step_10000000", "step_9999999"]
    assert checkpoints.newest(no_note)[1].total_steps == 10_000_000


def test_the_same_step_is_replaced(tmp_path):
    checkpoints = Checkpoints(tmp_path, keep=2)
    store(checkpoints, 5)
    checkpoints.save(Progress(epoch=1, total_steps=5), *trained(7.0))
    folder, progress = checkpoints.newest(no_note)
    assert (progress.epoch, value_of(folder)) == (1, 7.0)
    assert [path.name for path in tmp_path.iterdir()] == ["step_0000005"]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def change_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("damage", [cut, change_a_byte, Path.unlink, lambda path: path.write_bytes(b"")])
@pytest.mark.parametrize("name", ["model.safetensors", "optimiser.pt"])
def test_a_damaged_file_is_noticed_and_the_checkpoint_before_is_taken(name, damage, tmp_path):
    checkpoints = Checkpoints(tmp_path, keep=3)
    store(checkpoints, 1)
    newest = store(checkpoints, 2)
    damage(newest / name)
    notes: list[str] = []
    folder, progress = checkpoints.newest(notes.append)
    assert progress.total_steps == 1
    assert value_of(folder) == 1.0
    assert len(notes) == 1
    assert "step_0000002" in notes[0]
    assert notes[0].endswith("the checkpoint before it is taken")
    store(checkpoints, 2)  # the run comes by again and replaces it
    assert checkpoints.newest(no_note)[1].total_steps == 2


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"format": "vsdmot-training/0"}', '{"format": 1, "files": 3}']
)
def test_a_damaged_progress_file_is_noticed(content, tmp_path):
    checkpoints = Checkpoints(tmp_path, keep=3)
    store(checkpoints, 1)
    (store(checkpoints, 2) / "progress.json").write_text(content)
    notes: list[str] = []
    assert checkpoints.newest(notes.append)[1].total_steps == 1
    assert len(notes) == 1


def test_all_damaged_is_an_error(tmp_path):
    checkpoints = Checkpoints(tmp_path, keep=3)
    for step in (1, 2):
        cut(store(checkpoints, step) / "optimiser.pt")
    with pytest.raises(CheckpointError, match="all 2 are damaged; train anew without --resume"):
        checkpoints.newest(lambda text: None)


def test_another_network_is_refused(tmp_path):
    folder = store(Checkpoints(tmp_path, keep=1), 1)
    module = nn.Linear(4, 2)
    with pytest.raises(CheckpointError, match=r"does not fit what is trained: .*size mismatch"):
        restore(folder, module, torch.optim.AdamW(module.parameters()))
    module = nn.Linear(3, 2)
    with pytest.raises(CheckpointError, match="does not fit what is trained"):
        restore(folder, module, torch.optim.AdamW([module.weight]))


def test_an_optimiser_file_that_would_run_code_is_refused(tmp_path):
    folder = store(Checkpoints(tmp_path, keep=1), 1)
    torch.save({"state": os.system}, folder / "optimiser.pt")
    with pytest.raises(CheckpointError, match="does not fit"):
        restore(folder, *trained(1.0))


KILLERS = [
    (os, "rename"),
    (os, "fsync"),
    (os, "unlink"),
    (os, "rmdir"),
    (os, "mkdir"),
    (shutil, "rmtree"),
    (torch, "save"),
]


@pytest.mark.parametrize(("module", "name"), KILLERS, ids=lambda value: getattr(value, "__name__", value))
@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_moment_of_writing_a_whole_checkpoint_is_found(module, name, after, tmp_path, monkeypatch):
    """The N-th call of each function that touches the disk kills, for all N, until the whole run goes through."""
    original = getattr(module, name)
    for number in range(1, 100):
        folder = tmp_path / str(number)
        checkpoints = Checkpoints(folder, keep=1)
        store(checkpoints, 1)
        store(checkpoints, 2)
        calls = 0

        def lethal(*arguments, number=number, **named):
            nonlocal calls
            calls += 1
            if calls == number and not after:
                raise Killed
            result = original(*arguments, **named)
            if calls == number:
                raise Killed
            return result

        died = False
        with monkeypatch.context() as patch:
            patch.setattr(module, name, lethal)
            try:
                checkpoints.save(Progress(epoch=1, total_steps=2), *trained(2.5))  # the same step, a new place
                store(checkpoints, 3)
            except Killed:
                died = True
        survivor = Checkpoints(folder, keep=1)
        found, progress = survivor.newest(no_note)
        assert value_of(found) == {(2, 0): 2.0, (2, 1): 2.5, (3, 0): 3.0}[progress.total_steps, progress.epoch]
        assert not [path for path in folder.iterdir() if path.name.startswith(".")]
        store(survivor, 4)
        assert [path.name for path in folder.iterdir()] == ["step_0000004"]
        if not died:
            assert number > 1
            return
    raise AssertionError("it never came through")


def test_a_full_disk_is_one_line_and_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    checkpoints = Checkpoints(tmp_path, keep=2)
    store(checkpoints, 1)

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OutputError, match="step_0000002: cannot be written: No space left on device"):
        store(checkpoints, 2)
    assert checkpoints.newest(no_note)[1].total_steps == 1


def test_whole_folders_recover(tmp_path):
    for name in (".a.old", ".b.old", "b", ".c.part", ".d.gone", ".other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    (tmp_path / ".file.part").write_text("of somebody else")
    recover(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".file.part", ".other", "a", "b"]
    assert (tmp_path / "a" / "file").read_text() == ".a.old"
    assert (tmp_path / "b" / "file").read_text() == "b"
    recover(tmp_path / "missing")


def test_a_folder_that_fails_while_it_is_filled_leaves_the_old(tmp_path):
    with whole_folder(tmp_path / "best") as part:
        (part / "weights").write_text("old")
    with pytest.raises(ValueError, match="broken"), whole_folder(tmp_path / "best") as part:
        (part / "weights").write_text("ne")
        raise ValueError("broken")
    assert (tmp_path / "best" / "weights").read_text() == "old"
    with whole_folder(tmp_path / "best") as part:
        assert not list(part.iterdir())
    discard(tmp_path / "best")
    assert not list(tmp_path.iterdir())
    with pytest.raises(OutputError, match="best: cannot be removed"):
        discard(tmp_path / "best")


def test_a_folder_where_a_file_is_in_the_way_is_one_line(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(OutputError, match="run/best: cannot be written"), whole_folder(tmp_path / "run" / "best"):
        pass
    with pytest.raises(OutputError, match="run: cannot be used for a run"):
        RunFolder(tmp_path / "run", 2, {}, {}).begin()


SETTINGS = {"loop": {"epochs": 5, "log_every": 20, "max_minutes": None}, "data": {"train": {"sha256": "a"}}, "lr": 0.1}


@pytest.mark.parametrize(
    "now",
    [
        SETTINGS,
        {**SETTINGS, "loop": {"epochs": 5, "log_every": 7, "max_minutes": 3.0}},
        {**SETTINGS, "workers": 4, "resume": True},
    ],
)
def test_settings_that_change_nothing_may_differ(now):
    refuse_other_settings("run", SETTINGS, now)


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ({**SETTINGS, "lr": 0.2}, "lr was 0.1, is now 0.2"),
        ({**SETTINGS, "loop": {**SETTINGS["loop"], "epochs": 6}}, "loop.epochs was 5, is now 6"),
        ({**SETTINGS, "data": {"train": {"sha256": "b"}}}, 'data.train.sha256 was "a", is now "b"'),
        ({**SETTINGS, "size": None}, "size was not set, is now null"),
        ({"loop": SETTINGS["loop"], "data": SETTINGS["data"]}, "lr was 0.1, is now not set"),
        ({"a": 1, "b": 2}, "and 2 more; restore them"),
    ],
)
def test_other_settings_are_refused_by_name(now, said):
    with pytest.raises(TrainingError) as refused:
        refuse_other_settings("run", SETTINGS, now)
    assert said in str(refused.value)


def test_resuming_with_other_settings_or_data_is_refused_and_with_other_versions_noted(tmp_path):
    task = toy.ToyTask()
    optimiser = torch.optim.AdamW(task.module.parameters())
    run = RunFolder(tmp_path, 2, {"lr": 0.1}, {"trained": True})
    run.store(replace(run.begin(), versions={**versions(), "torch": "1.4"}), task, optimiser)
    with pytest.raises(
        TrainingError, match=r"only be resumed with the settings it was begun with: lr was 0\.1, is now 0"
    ):
        RunFolder(tmp_path, 2, {"lr": 0.2}, {}).resume(task.module, optimiser, no_note)
    notes: list[str] = []
    RunFolder(tmp_path, 2, {"lr": 0.1}, {}).resume(task.module, optimiser, notes.append)
    assert len(notes) == 1
    assert f"torch was 1.4 and is now {torch.__version__}" in notes[0]


def test_provenance_and_progress_are_written_with_the_weights(tmp_path):
    task = toy.ToyTask()
    run = RunFolder(tmp_path, 2, {}, {"trained": True, "seed": 3, "where": Path("data")})
    run.begin()
    assert json.loads((tmp_path / "provenance.json").read_text()) == {"trained": True, "seed": 3, "where": "data"}
    run.export("best", Progress(epoch=2, total_steps=9, seconds=4.4), task, {"HOTA": 0.5})
    facts = json.loads((tmp_path / "best" / "config.json").read_text())["provenance"]
    assert facts["progress"] == {"epoch": 2, "step": 9, "seconds": 4, "validation": {"HOTA": 0.5}}
    assert facts["seed"] == 3
