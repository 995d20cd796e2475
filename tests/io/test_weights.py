"""Files of weights from strangers: what is read, what is refused, and that nothing in them runs."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from vsdmot.errors import CheckpointError
from vsdmot.io.weights import read_weights

TENSORS = {"a.weight": torch.arange(6.0).view(2, 3), "b": torch.ones(1, dtype=torch.int64)}


def refusal(path: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        read_weights(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message


def check_tensors(tensors) -> None:
    assert tensors.keys() == TENSORS.keys()
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "old pickle"])
@pytest.mark.parametrize(
    "content",
    [
        TENSORS,
        {"model": TENSORS, "epoch": 3, "optimizer": {"state": {}, "param_groups": [{"lr": 0.1}]}},
        {"state_dict": TENSORS, "best": np.float64(0.5), "count": np.int64(3)},
        {"model": {"module." + name: tensor for name, tensor in TENSORS.items()}},
        {"model": {"b": torch.zeros(9)}, "ema": TENSORS},
    ],
    ids=["plain", "published", "NumPy score", "DataParallel", "averaged weights first"],
)
def test_what_training_codes_write_is_read(tmp_path, content, zipped):
    torch.save(content, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    check_tensors(read_weights(tmp_path / "a.pth").tensors)


def test_training_settings_are_read_as_plain_values(tmp_path):
    torch.save({"model": TENSORS, "args": argparse.Namespace(nheads=8, name="x", steps=[1, 2])}, tmp_path / "a.pth")
    loaded = read_weights(tmp_path / "a.pth")
    assert loaded.settings == {"nheads": 8, "name": "x", "steps": [1, 2]}
    check_tensors(loaded.tensors)


def test_safetensors_come_with_their_facts(tmp_path):
    save_file(TENSORS, tmp_path / "a.safetensors", metadata={"input_convention": "legacy"})
    loaded = read_weights(tmp_path / "a.safetensors")
    check_tensors(loaded.tensors)
    assert loaded.metadata == {"input_convention": "legacy"}


class Payload:
    """Makes a folder when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("hidden", [False, True], ids=["as a value", "inside the settings"])
def test_code_is_refused_and_not_run(tmp_path, zipped, hidden):
    mark = tmp_path / "it ran"
    settings = argparse.Namespace(lr=1, extra=Payload(mark)) if hidden else Payload(mark)
    torch.save({"model": TENSORS, "args": settings}, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    message = refusal(tmp_path / "a.pth")
    assert "refused, because opening it would run code (posix.mkdir)" in message or "(nt.mkdir)" in message
    assert not mark.exists()


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("part", [0.0, 0.01, 0.3, 0.9])
def test_truncated_files_are_refused(tmp_path, zipped, part):
    path = tmp_path / "a.pth"
    torch.save({"model": {"a": torch.rand(500)}}, path, _use_new_zipfile_serialization=zipped)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    assert "not a" in refusal(path)


@pytest.mark.parametrize(
    "content", [b"<html>404</html>", b"\x80\x02.", bytes(range(256)), b"PK\x03\x04junk", b"x" * 99]
)
@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
def test_files_of_another_kind_are_refused(tmp_path, content, name):
    (tmp_path / name).write_bytes(content)
    assert "not" in refusal(tmp_path / name)


@pytest.mark.parametrize("content", [[1, 2], {"epoch": 3, "lr": 0.1}, {"model": {}}, torch.ones(3)])
def test_files_without_weights_are_refused(tmp_path, content):
    torch.save(content, tmp_path / "a.pth")
    assert "expected weights, found none" in refusal(tmp_path / "a.pth")


def test_nothing_and_a_folder_are_refused(tmp_path):
    assert refusal(tmp_path / "none.pth").endswith("no such file of weights")
    assert refusal(tmp_path).endswith("this is a folder")


def test_random_damage_never_escapes_as_another_error(tmp_path):
    path = tmp_path / "a.pth"
    torch.save({"model": TENSORS, "args": argparse.Namespace(lr=1)}, path)
    whole, rng = bytearray(path.read_bytes()), np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(damaged), 5):
            damaged[place] = rng.integers(0, 256)
        path.write_bytes(bytes(damaged))
        try:
            read_weights(path)
        except CheckpointError as error:
            assert "\n" not in str(error)  # noqa: PT017 (reading may also succeed)
