"""Who is tested: trackers that run here, and trackers of others by their result files."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import torch

from vsdmot.config import to_mapping
from vsdmot.detection.proposals import ProposalSource
from vsdmot.quality import QualityConfig
from vsdmot.tracking.association import Association, AssociationName
from vsdmot.tracking.method import TrackingMethod
from vsdmot.tracking.pretrained import Pretrained
from vsdmot.tracking.query_tracking import QueryTracking


@dataclass(frozen=True, kw_only=True, eq=False)
class Entrant:
    """A tracker that runs here.

    Attributes:
        name: What it is called in tables.
        identity: All that its tracks depend on besides the frames, as plain values: weights, settings, versions.
        make: Gives its method for a video of so many frames per second.
        quality: Constants of frame quality.
        takes_proposals: Whether it is given the shared proposals; False for one that finds people by itself.
    """

    name: str
    identity: Mapping[str, Any]
    make: Callable[[float], TrackingMethod[Any]]
    quality: QualityConfig
    takes_proposals: bool


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """A tracker that ran elsewhere.

    Attributes:
        name: What it is called in tables.
        folder: Its results: ``clean/NAME.txt`` and ``DEGRADATION/SEVERITY/NAME.txt`` for each sequence.
    """

    name: str
    folder: Path


@dataclass(frozen=True, kw_only=True, eq=False)
class SharedProposals:
    """A detector whose proposals are made once for each condition and serve every tracker that takes them.

    Attributes:
        detect: The detector.
        identity: All that its proposals depend on besides the frames, as plain values.
        least: Trackers are given those that score above this; None gives all.
    """

    detect: ProposalSource
    identity: Mapping[str, Any]
    least: float | None = None

    def plain(self) -> dict[str, Any]:
        """Give what tracks depend on, as plain values."""
        return {**self.identity, "least": self.least}


def association_entrant(title: str, name: AssociationName) -> Entrant:
    """Let a tracker take part that links proposals by overlap and motion, with its default settings."""
    return Entrant(
        name=title,
        identity={"association": name, **_versions("trackers", "numpy", "scipy")},
        make=lambda frame_rate: Association(name, frame_rate=frame_rate),
        quality=QualityConfig(),
        takes_proposals=True,
    )


def network_entrant(title: str, loaded: Pretrained, device: torch.device) -> Entrant:
    """Let a network take part, with the settings saved with its weights; one with a detector inside uses that."""
    method = QueryTracking.of(loaded.model.to(device), loaded.config)
    identity = {
        "weights": loaded.digest(),
        "config": to_mapping(loaded.config),
        "device": device.type,
        **_versions("torch", "numpy"),
    }
    return Entrant(
        name=title,
        identity=identity,
        make=lambda _: method,
        quality=loaded.config.quality,
        takes_proposals=not method.proposes,
    )


def _versions(*packages: str) -> dict[str, str]:
    """Give the versions of packages, and of OpenCV, which comes under several names."""
    return {"opencv": cv2.__version__, **{package: importlib.metadata.version(package) for package in packages}}
