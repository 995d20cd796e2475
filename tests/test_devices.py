"""Devices that are there, that are not, and that are none."""

from __future__ import annotations

import pytest
import torch

from vsdmot.devices import resolve_device
from vsdmot.errors import DeviceError


def test_auto_takes_a_gpu_where_there_is_one():
    expected = "cuda:0" if torch.cuda.is_available() else "cpu"
    assert str(resolve_device("auto")) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gpu", "device must be auto, cpu, cuda:N or mps, got 'gpu'"),
        ("", "device must be auto"),
        ("cuda:99", "CUDA GPUs found; use --device cpu or auto"),
        ("xpu", "device 'xpu' is not available here"),
    ],
)
def test_devices_that_are_not_there_are_refused(name, expected):
    with pytest.raises(DeviceError, match=expected):
        resolve_device(name)


@pytest.mark.gpu
def test_the_network_gives_the_same_on_a_gpu():
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    from vsdmot.models.vsdmot import VSDMOT, ModelConfig

    torch.manual_seed(0)
    model = VSDMOT(ModelConfig(backbone="resnet18", hidden_dim=64, encoder_layers=1, decoder_layers=2)).eval()
    images, boxes = torch.randn(1, 3, 96, 128), torch.rand(1, 3, 4)

    def predict(device: str):
        moved = model.to(device)
        queries = moved.query_source(boxes.to(device), torch.ones(1, 3, device=device))
        return moved.decode(moved.encode(images.to(device)), queries, torch.tensor([0.5], device=device)).decoded

    with torch.inference_mode():
        on_cpu, on_gpu = predict("cpu"), predict("cuda:0")
    torch.testing.assert_close(on_gpu.logits.cpu(), on_cpu.logits, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(on_gpu.boxes.cpu(), on_cpu.boxes, atol=1e-4, rtol=1e-3)
