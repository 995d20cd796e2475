"""Two processes do what one does. They talk over gloo, as torchrun has them do."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

_SPEC = importlib.util.spec_from_file_location("toy_task", Path(__file__).with_name("toy_task.py"))
toy = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(toy)

LENGTH = ["--num-batches", "21", "--global-batch", "2", "--norm"]
"""Steps of two batches, among them such that weigh nothing, and a last one of a single batch."""


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Any]:
    server = toy.Server(tmp_path_factory.mktemp("server"))
    yield server
    server.close()


def train(server: Any, world: int, folder: Path, *words: str) -> None:
    server.start("--folder", str(folder / "run"), "--weights", str(folder), *LENGTH, *words, world=world)
    assert server.wait() == [0] * world, [server.said(rank) for rank in range(world)]


@pytest.fixture(scope="module")
def one(server, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("one")
    train(server, 1, folder)
    return folder


@pytest.fixture(scope="module")
def two(server, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("two")
    train(server, 2, folder)
    assert [server.said(rank)[-1] for rank in (0, 1)] == ["ended 0 finished 33", "ended 1 finished 33"]
    return folder


def weights(folder: Path, rank: int = 0) -> dict[str, torch.Tensor]:
    return torch.load(folder / f"{rank}.pt", weights_only=True)


def log_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "run" / "log.jsonl").read_text().splitlines()]


def without_statistics(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor for name, tensor in tensors.items() if "running" not in name and "tracked" not in name}


def test_weights_are_those_of_one_process_that_takes_the_batches_in_turn(one, two):
    alone, together = without_statistics(weights(one)), without_statistics(weights(two))
    assert alone.keys() == together.keys()
    for name, tensor in alone.items():
        torch.testing.assert_close(together[name], tensor, rtol=1e-5, atol=1e-5, msg=name)


def test_all_processes_end_with_the_same_weights_and_statistics(two):
    first, second = weights(two, 0), weights(two, 1)
    for name, tensor in first.items():
        if "tracked" not in name:
            assert torch.equal(second[name], tensor), name
    assert not torch.equal(first["norm.running_mean"], torch.zeros(24))


def test_the_log_shows_the_losses_of_all_processes(one, two):
    assert len(log_of(one)) == len(log_of(two))
    for alone, together in zip(log_of(one), log_of(two), strict=True):
        for name in ("kind", "step", "epoch"):
            assert together[name] == alone[name]
        if alone["kind"] == "train":
            assert together["loss"] == pytest.approx(alone["loss"], rel=1e-4)
            assert together["losses"] == pytest.approx(alone["losses"], rel=1e-4)
            assert together["monitors"] == pytest.approx(alone["monitors"], rel=1e-4)
            assert together["grad_norm"] == pytest.approx(alone["grad_norm"], rel=1e-4)
        else:
            assert together["scores"] == pytest.approx(alone["scores"], rel=1e-4)


def test_a_signal_to_one_stops_all_after_the_same_step_and_both_go_on(server, two, tmp_path):
    words = ["--folder", str(tmp_path / "run"), "--weights", str(tmp_path), *LENGTH]
    processes = server.start(*words, "--step-seconds", "0.02", "--checkpoint-every-steps", "1000", world=2)
    server.wait_for_step(3)
    os.kill(processes[1], signal.SIGTERM)
    assert server.wait() == [0, 0]
    (_, _, why, reached), (_, _, other_why, other_reached) = (server.said(rank)[-1].split() for rank in (0, 1))
    assert (why, reached) == (other_why, other_reached)
    assert why == "signal"
    assert 3 <= int(reached) < 33
    assert (tmp_path / "run" / "checkpoints" / f"step_{int(reached):07d}").is_dir()
    train(server, 2, tmp_path, "--resume")
    for rank in (0, 1):
        for name, tensor in weights(two, rank).items():
            if "tracked" not in name:
                torch.testing.assert_close(weights(tmp_path, rank)[name], tensor, rtol=1e-6, atol=1e-7, msg=name)
    assert [line["step"] for line in log_of(tmp_path)] == [line["step"] for line in log_of(two)]


def test_a_run_of_one_process_goes_on_with_two(server, one, tmp_path):
    (process,) = server.start(
        "--folder", str(tmp_path / "run"), "--weights", str(tmp_path), *LENGTH, "--step-seconds", "0.02"
    )  # fmt: skip
    server.wait_for_step(13)
    os.kill(process, signal.SIGTERM)
    assert server.wait() == [0]
    train(server, 2, tmp_path, "--resume")
    for name, tensor in without_statistics(weights(one)).items():
        torch.testing.assert_close(weights(tmp_path)[name], tensor, rtol=1e-5, atol=1e-5, msg=name)


def test_torchrun_starts_them_the_same_way(two, tmp_path):
    words = [
        "--nproc_per_node",
        "2",
        toy.__file__,
        "--folder",
        str(tmp_path / "run"),
        "--weights",
        str(tmp_path),
        *LENGTH,
    ]
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", *words],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for rank in (0, 1):
        for name, tensor in weights(two, rank).items():
            assert torch.equal(weights(tmp_path, rank)[name], tensor), name


def test_processes_that_train_different_things_are_told(server, tmp_path):
    words = ["--folder", str(tmp_path / "run"), *LENGTH, "--more-data-in-others"]
    server.start(*words, world=2)
    server.wait()
    for rank in (0, 1):
        assert "the processes train different things (11 steps," in server.said(rank)[-1]
