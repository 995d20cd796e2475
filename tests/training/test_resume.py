"""A run that is killed again and again ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

TOY = Path(__file__).with_name("toy_task.py")
NUM_STEPS = 3 * 8
LENGTH = ["--num-batches", "30"]
OF_TIME = {"seconds", "batches_per_second", "step_seconds", "data_seconds", "memory_gb"}
"""What a line of the log says about the machine rather than the training."""


class Server:
    """Starts trainings at once, in processes that have loaded torch already."""

    def __init__(self, folder: Path) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, str(TOY), "--serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.output = folder / "output.txt"

    def start(self, *words: str) -> int:
        self.output.write_text("")
        self._process.stdin.write(json.dumps([[*words, *LENGTH], str(self.output)]) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def wait(self) -> int:
        return int(self._process.stdout.readline())

    def steps(self) -> int:
        return self.output.read_text().count("step ")

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(timeout=20)
        self._process.stdout.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.close()


@pytest.fixture(scope="module")
def uninterrupted(server, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("uninterrupted")
    server.start("--run", str(folder / "run"), "--weights", str(folder))
    assert server.wait() == 0
    assert server.output.read_text().endswith(f"ended 0 finished {NUM_STEPS}\n")
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
    words = ["--run", str(tmp_path / "run"), "--weights", str(tmp_path), "--step-seconds", "0.004"]
    checkpoints = tmp_path / "run" / "checkpoints"
    killed = []
    for _ in range(12):
        process = server.start(*words, *(["--resume"] if any(checkpoints.glob("step_*")) else []))
        wanted, delay = draw.randint(0, 4), draw.uniform(0, 0.05)
        end = time.monotonic() + 30
        while server.steps() < wanted and "ended" not in server.output.read_text() and time.monotonic() < end:
            time.sleep(0.001)
        time.sleep(delay)
        if "ended" not in server.output.read_text():
            os.kill(process, signal.SIGKILL)
        if server.wait() == signal.SIGKILL:
            killed.append(server.output.read_text().splitlines()[-1:])
    server.start(*words, *(["--resume"] if any(checkpoints.glob("step_*")) else []))
    assert server.wait() == 0
    assert len(killed) >= 3, killed
    assert_same_outcome(tmp_path, uninterrupted)
    assert log_of(tmp_path) == log_of(uninterrupted)
    assert not list((tmp_path / "run").rglob(".*"))


def test_sigterm_and_going_on_give_the_same(server, uninterrupted, tmp_path):
    words = ["--run", str(tmp_path / "run"), "--weights", str(tmp_path), "--step-seconds", "0.02"]
    process = server.start(*words, "--checkpoint-every-steps", "1000")
    while server.steps() < 5:
        time.sleep(0.005)
    os.kill(process, signal.SIGTERM)
    assert server.wait() == 0
    *_, ended = server.output.read_text().splitlines()
    reached = int(ended.removeprefix("ended 0 signal "))
    assert 5 <= reached < NUM_STEPS
    server.start(*words, "--resume")
    assert server.wait() == 0
    assert server.steps() == NUM_STEPS - reached
    assert_same_outcome(tmp_path, uninterrupted)
    assert log_of(tmp_path) == log_of(uninterrupted)
