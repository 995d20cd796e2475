"""A run that is killed again and again ends as if nothing had happened."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

_SPEC = importlib.util.spec_from_file_location("toy_task", Path(__file__).with_name("toy_task.py"))
toy = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(toy)

NUM_STEPS = 3 * 8
LENGTH = ["--num-batches", "30"]
OF_TIME = {"seconds", "batches_per_second", "step_seconds", "data_seconds", "memory_gb"}
"""What a line of the log says about the machine rather than the training."""


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Any]:
    server = toy.Server(tmp_path_factory.mktemp("server"))
    yield server
    server.close()


@pytest.fixture(scope="module")
def uninterrupted(server, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("uninterrupted")
    server.start("--folder", str(folder / "run"), "--weights", str(folder), *LENGTH)
    assert server.wait() == [0]
    assert server.said()[-1] == f"ended 0 finished {NUM_STEPS}"
    return folder


def log_of(folder: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / "run" / "log.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name not in OF_TIME} for line in lines]


def assert_same_outcome(folder: Path, uninterrupted: Path) -> None:
    expected = torch.load(uninterrupted / "0.pt", weights_only=True)
    found = torch.load(folder / "0.pt", weights_only=True)
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())
    for name in ("best", "last"):
        same = [(where / "run" / name / "model.safetensors").read_bytes() for where in (folder, uninterrupted)]
        assert same[0] == same[1], name
    last = f"run/checkpoints/step_{NUM_STEPS:07d}"
    for name in ("model.safetensors", "optimiser.pt"):
        assert (folder / last / name).read_bytes() == (uninterrupted / last / name).read_bytes(), name


@pytest.mark.parametrize("seed", range(4))
def test_killed_at_random_times_it_ends_bit_for_bit_as_uninterrupted(seed, server, uninterrupted, tmp_path):
    draw = random.Random(seed)
    words = ["--folder", str(tmp_path / "run"), "--weights", str(tmp_path), *LENGTH]
    checkpoints = tmp_path / "run" / "checkpoints"
    killed_after = []
    for _ in range(12):
        (process,) = server.start(*words, *(["--resume"] if any(checkpoints.glob("step_*")) else []))
        server.wait_for_step(draw.randint(0, 4))
        time.sleep(draw.uniform(0, 0.05))
        if not server.said() or "ended" not in server.said()[-1]:
            os.kill(process, signal.SIGKILL)
        if server.wait() == [-signal.SIGKILL]:
            killed_after.append(server.said()[-1:])
    server.start(*words, *(["--resume"] if any(checkpoints.glob("step_*")) else []))
    assert server.wait() == [0]
    assert len(killed_after) >= 3, killed_after
    assert_same_outcome(tmp_path, uninterrupted)
    assert log_of(tmp_path) == log_of(uninterrupted)
    assert not list((tmp_path / "run").rglob(".*"))


def test_sigterm_and_going_on_give_the_same(server, uninterrupted, tmp_path):
    words = ["--folder", str(tmp_path / "run"), "--weights", str(tmp_path), *LENGTH]
    (process,) = server.start(*words, "--step-seconds", "0.02", "--checkpoint-every-steps", "1000")
    server.wait_for_step(5)
    os.kill(process, signal.SIGTERM)
    assert server.wait() == [0]
    reached = int(server.said()[-1].removeprefix("ended 0 signal "))
    assert 5 <= reached < NUM_STEPS
    server.start(*words, "--resume")
    assert server.wait() == [0]
    assert sum(line.startswith("step") for line in server.said()) == NUM_STEPS - reached
    assert_same_outcome(tmp_path, uninterrupted)
    assert log_of(tmp_path) == log_of(uninterrupted)
