"""Drawn people for the tests of YOLOX training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

MakeSequence = Callable[..., Path]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Small networks gain nothing from threads, which on a busy machine wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def make_sequence(tmp_path: Path) -> MakeSequence:
    """Give a function that writes a sequence of dark upright figures on light noise, PNG, with exact boxes."""

    def make(
        name: str = "seq", *, num_frames: int = 2, size: tuple[int, int] = (96, 64), people: int = 2, seed: int = 0
    ) -> Path:
        rng = np.random.default_rng([seed, *name.encode()])
        folder, (width, height) = tmp_path / name, size
        (folder / "img1").mkdir(parents=True)
        (folder / "gt").mkdir()
        rows = []
        for frame in range(1, num_frames + 1):
            image = rng.integers(150, 255, (height, width, 3)).astype(np.uint8)
            for person in range(people):
                wide, tall = int(rng.integers(12, 20)), int(rng.integers(26, 40))
                left = int(rng.integers(person * width // people, (person + 1) * width // people - wide + 1))
                top = int(rng.integers(0, height - tall + 1))
                image[top : top + tall, left : left + wide] = rng.integers(0, 60, 3)
                rows.append(f"{frame},{person + 1},{left},{top},{wide},{tall},1,1,1\n")
            cv2.imwrite(str(folder / "img1" / f"{frame:06d}.png"), image)
        (folder / "gt" / "gt.txt").write_text("".join(rows))
        return folder

    return make
