"""vsdmot: track people through low-quality video.

The names below load on first use, so that ``import vsdmot`` stays light: no torch, OpenCV, PyAV or supervision.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from vsdmot.errors import VsdmotError
from vsdmot.version import __version__

if TYPE_CHECKING:
    from vsdmot.evaluation.evaluate import evaluate
    from vsdmot.io.sources import open_source
    from vsdmot.quality import assess
    from vsdmot.structures import Frame, FrameQuality, FrameResult, Proposals, Tracks
    from vsdmot.tracking.tracker import Tracker

_HOME = {
    "Frame": "vsdmot.structures",
    "FrameQuality": "vsdmot.structures",
    "FrameResult": "vsdmot.structures",
    "Proposals": "vsdmot.structures",
    "Tracker": "vsdmot.tracking.tracker",
    "Tracks": "vsdmot.structures",
    "assess": "vsdmot.quality",
    "evaluate": "vsdmot.evaluation.evaluate",
    "open_source": "vsdmot.io.sources",
}

__all__ = [
    "Frame",
    "FrameQuality",
    "FrameResult",
    "Proposals",
    "Tracker",
    "Tracks",
    "VsdmotError",
    "__version__",
    "assess",
    "evaluate",
    "open_source",
]


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'vsdmot' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
