"""Make a tracker with random weights from a preset, to try the program before there are trained ones.

    python examples/random_weights.py configs/vsdmot_small.yaml weights/

Its tracks are nonsense, and `vsdmot track` says so; what it shows is that every module runs.
"""

import sys
from pathlib import Path

import torch

from vsdmot.config import load
from vsdmot.models.vsdmot import VSDMOT
from vsdmot.tracking.pretrained import TrackerConfig, save_pretrained

SEED = 0

preset, folder = map(Path, sys.argv[1:3])
config = load(TrackerConfig, preset)
torch.manual_seed(SEED)
model = VSDMOT(config.model)
save_pretrained(folder, model, config, {"trained": False, "note": "random weights", "seed": SEED})
print(f"{folder}: {sum(p.numel() for p in model.parameters()):,} parameters, random")
