"""A task that trains in a second: a small network with dropout, data in an order of its own, and faults on demand.

Run as a program it trains in the folder ``--folder``, for tests that kill it or start several of it.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from vsdmot.errors import VsdmotError
from vsdmot.training.loop.listener import Silent
from vsdmot.training.loop.loop import LoopConfig, Outcome, train
from vsdmot.training.loop.optimiser import OptimiserConfig, published_groups
from vsdmot.training.loop.schedule import ScheduleConfig
from vsdmot.training.task import Place, StepLoss


class ToyModule(nn.Module):
    """Two layers with dropout between; ``rare`` is used by one batch in five only, ``mean`` follows the weights."""

    def __init__(self, *, norm: bool = False) -> None:
        super().__init__()
        self.backbone = nn.Linear(6, 24)
        self.norm = nn.BatchNorm1d(24) if norm else nn.Identity()
        self.dropout = nn.Dropout(0.4)
        self.head = nn.Linear(24, 3)
        self.rare = nn.Parameter(torch.ones(3))
        self.mean = nn.Parameter(torch.zeros(6, 24).t(), requires_grad=False)  # not contiguous, as some weights are

    def forward(self, batch: dict[str, Any], divisor: float) -> StepLoss:
        hidden = torch.relu(self.backbone(batch["x"]))
        out = self.head(self.dropout(self.norm(hidden) if len(hidden) > 1 else hidden))
        if batch["index"] % 5 == 0:
            out = out * self.rare
        near = (out - batch["y"]).abs().sum() / divisor
        square = (out - batch["y"]).square().sum() / divisor * batch["factor"]
        monitors = {"spread": out.detach().abs().sum()}
        return StepLoss(near + 2 * square, {"near": near.detach(), "square": square.detach()}, monitors)


class ToyTask:
    """Rows of numbers in batches of 0 to 4 rows, dealt out to the processes in turn."""

    def __init__(
        self,
        *,
        num_batches: int = 22,
        global_batch: int = 4,
        seed: int = 7,
        norm: bool = False,
        step_seconds: float = 0.0,
        bad_batch: int | None = None,
    ) -> None:
        torch.manual_seed(0)
        self.module = ToyModule(norm=norm)
        self.num_batches, self.global_batch, self.seed = num_batches, global_batch, seed
        self.step_seconds, self.bad_batch = step_seconds, bad_batch
        self.num_steps = -(-num_batches // global_batch)
        self.taken: list[tuple[int, int, list[int]]] = []
        self.num_after = 0
        self.validations: list[dict[str, float]] = []

    def batches(self, place: Place) -> Iterator[list[dict[str, Any]]]:
        order = torch.randperm(self.num_batches, generator=_generator(self.seed, place.epoch)).tolist()
        for step in range(place.step, self.num_steps):
            mine = order[step * self.global_batch : (step + 1) * self.global_batch][place.rank :: place.world]
            self.taken.append((place.epoch, step, mine))
            time.sleep(self.step_seconds)
            yield [self._batch(place.epoch, index) for index in mine]

    def _batch(self, epoch: int, index: int) -> dict[str, Any]:
        generator = _generator(self.seed, epoch, index)
        x = torch.randn(index % 5, 6, generator=generator)
        y = x[:, :3] * x[:, 3:] + 0.1 * torch.randn(index % 5, 3, generator=generator)
        return {"x": x, "y": y, "index": index, "factor": float("inf") if index == self.bad_batch else 1.0}

    def weight(self, batch: dict[str, Any]) -> float:
        return float(len(batch["x"]))

    def parameter_groups(self) -> list[dict[str, Any]]:
        return published_groups(self.module, OptimiserConfig(lr=0.01))

    def after_step(self) -> None:
        self.num_after += 1
        with torch.no_grad():
            self.module.mean.lerp_(self.module.backbone.weight, 0.1)

    def validate(self) -> dict[str, float]:
        assert not self.module.training
        torch.rand(17)  # a validation may draw what it likes
        x = torch.randn(64, 6, generator=_generator(1))
        with torch.no_grad():
            error = (self.module.head(torch.relu(self.module.backbone(x))) - x[:, :3] * x[:, 3:]).square().mean()
        self.validations.append({"HOTA": -float(error), "error": float(error)})
        return self.validations[-1]

    def export(self, folder: Path, provenance: dict[str, Any]) -> None:
        save_file({"weight": self.module.head.weight.detach().clone()}, folder / "model.safetensors")
        (folder / "config.json").write_text(json.dumps({"provenance": dict(provenance)}))


def _generator(*place: int) -> torch.Generator:
    return torch.Generator().manual_seed(hash(place) % 2**40)


def weights(task: ToyTask) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in task.module.state_dict().items()}


def toy_train(task: ToyTask, run: Path, *, resume: bool = False, listener: Any = None, **changes: Any) -> Outcome:
    settings = {"epochs": 3, "log_every": 4, "checkpoint_every_minutes": None, **changes}
    return train(
        task,
        LoopConfig(**settings),
        OptimiserConfig(lr=0.01),
        run,
        schedule=ScheduleConfig(drop_epochs=(2,), warmup_epochs=0.5).build(settings["epochs"]),
        resume=resume,
        provenance={"trained": True, "seed": settings.get("seed", 42), "settings": {"size": 24}, "data": {"toy": 1}},
        listener=listener or Silent(),
    )


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--num-batches", type=int, default=22)
    parser.add_argument("--global-batch", type=int, default=4)
    parser.add_argument("--step-seconds", type=float, default=0.0)
    parser.add_argument("--checkpoint-every-steps", type=int, default=2)
    parser.add_argument("--norm", action="store_true")
    parser.add_argument("--more-data-in-others", action="store_true")
    options = parser.parse_args(words)
    rank = os.environ.get("RANK", "0")
    task = ToyTask(
        num_batches=options.num_batches + 10 * (options.more_data_in_others and rank != "0"),
        global_batch=options.global_batch,
        step_seconds=options.step_seconds,
        norm=options.norm,
    )
    try:
        outcome = toy_train(
            task,
            options.folder,
            resume=options.resume,
            checkpoint_every_steps=options.checkpoint_every_steps,
            listener=Printer(),
        )
    except VsdmotError as error:
        say(f"error {error}")
        return
    if options.weights:
        torch.save(weights(task), options.weights / f"{rank}.pt")
    say(f"ended {rank} {outcome.stopped} {outcome.progress.total_steps}")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Printer(Silent):
    def stepped(self, *, epoch: int, step: int) -> None:
        say(f"step {epoch} {step}")

    def noted(self, text: str) -> None:
        say(f"note {text}")


def serve() -> None:
    """Run what arrives as JSON, in processes that are there at once because all is loaded already.

    A line is a list of processes to be started together: their words, the file for what they say, and what to set in
    their environment. Answered are their numbers, and when all have ended the signals that ended them, or 0.
    """
    import accelerate
    import torch._dynamo
    import torch.utils.tensorboard

    del accelerate
    torch.set_num_threads(1)
    for line in sys.stdin:
        processes = []
        for words, output, environment in json.loads(line):
            processes.append(os.fork())
            if processes[-1] == 0:
                os.environ.update(environment)
                with open(output, "w") as sys.stdout:
                    main(words)
                os._exit(0)
        say(json.dumps(processes))
        say(json.dumps([os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in processes]))


class Server:
    """Starts trainings of the toy task, one or several at a time, as torchrun would."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = subprocess.Popen(
            [sys.executable, __file__, "--serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

    def start(self, *words: str, world: int = 1) -> list[int]:
        """Start a training; give the numbers of its processes."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        whole = {
            "WORLD_SIZE": str(world),
            "LOCAL_WORLD_SIZE": str(world),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": port,
        }
        each = []
        for rank in range(world):
            self._output(rank).write_text("")
            ranks = {**whole, "RANK": str(rank), "LOCAL_RANK": str(rank)} if world > 1 else {}
            each.append([words, str(self._output(rank)), ranks])
        self._server.stdin.write(json.dumps(each) + "\n")
        self._server.stdin.flush()
        return json.loads(self._server.stdout.readline())

    def wait(self) -> list[int]:
        """Wait until it has ended; give the exit codes, negative where a signal ended it."""
        return json.loads(self._server.stdout.readline())

    def said(self, rank: int = 0) -> list[str]:
        """Give the lines that a process has said so far."""
        return self._output(rank).read_text().splitlines()

    def wait_for_step(self, number: int) -> None:
        """Wait until so many steps are done, or it has ended."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            said = self.said()
            if sum(line.startswith("step") for line in said) >= number or any(
                line.startswith("ended") for line in said
            ):
                return
            time.sleep(0.002)
        raise AssertionError(f"no {number} steps within a minute: {said}")

    def close(self) -> None:
        self._server.stdin.close()
        self._server.wait(timeout=20)
        self._server.stdout.close()

    def _output(self, rank: int) -> Path:
        return self._folder / f"said.{rank}.txt"


if __name__ == "__main__":
    serve() if sys.argv[1:] == ["--serve"] else main()
