"""The tracker that users hold: a method, its proposals and its state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from vsdmot.detection.proposals import ProposalSource
from vsdmot.devices import resolve_device
from vsdmot.errors import ConfigError
from vsdmot.io.sources import open_source
from vsdmot.quality import QualityConfig, assess
from vsdmot.structures import Frame, FrameResult, Image
from vsdmot.tracking.association import Association, AssociationConfig, AssociationName
from vsdmot.tracking.lifecycle import LifecycleConfig
from vsdmot.tracking.method import TrackingMethod
from vsdmot.tracking.pretrained import load_pretrained
from vsdmot.tracking.query_tracking import QueryTracking


class Tracker:
    """Follow people through one video at a time.

    Args:
        method: How people are carried from frame to frame; may be shared between trackers.
        proposals: Where people may be in a frame: a detector or a file of detections. None leaves it to the method.
        quality: Constants of frame quality.

    Raises:
        ConfigError: There are no proposals, and the method does not find people by itself.

    Example:
        ```python
        tracker = vsdmot.Tracker.from_pretrained("vsdmot-nano")
        for result in tracker.stream("clip.mp4"):
            print(result.index, result.quality.score, result.semantic_weight, result.tracks.ids)
        ```
    """

    def __init__(
        self,
        method: TrackingMethod[Any],
        proposals: ProposalSource | None = None,
        quality: QualityConfig | None = None,
    ) -> None:
        if proposals is None and not method.proposes:
            raise ConfigError("proposals: needed, because this tracker has no detector of its own")
        self.method = method
        self.proposals = proposals
        self.quality = quality or QualityConfig()
        self.reset()

    @classmethod
    def from_pretrained(
        cls,
        location: str | Path,
        *,
        proposals: ProposalSource | None = None,
        device: str = "auto",
        lifecycle: LifecycleConfig | None = None,
    ) -> Tracker:
        """Make a tracker from saved weights.

        Args:
            location: ``vsdmot-nano``, which comes with the package; a folder written by ``save_pretrained``; a
                published MOTRv2 checkpoint; or ``owner/name`` on the Hugging Face hub.
            proposals: Where people may be: a detector or a file of detections. None leaves it to the network, if it
                has a detector inside.
            device: ``auto``, ``cpu``, ``cuda:N`` or ``mps``.
            lifecycle: When tracks are born and end; None takes what was saved with the weights.

        Raises:
            CheckpointError: The weights are missing, damaged, unsafe or of another architecture.
            ConfigError: There are no proposals, and the network has no detector inside.
            DeviceError: The device is not there.
        """
        loaded = load_pretrained(location)
        config = loaded.config if lifecycle is None else replace(loaded.config, lifecycle=lifecycle)
        method = QueryTracking.of(loaded.model.to(resolve_device(device)), config)
        return cls(method, proposals, loaded.config.quality)

    @classmethod
    def from_association(
        cls,
        name: AssociationName,
        *,
        proposals: ProposalSource,
        config: AssociationConfig | None = None,
        frame_rate: float = 30.0,
    ) -> Tracker:
        """Make a tracker that links proposals by overlap and motion.

        Args:
            name: ``sort``, ``bytetrack``, ``ocsort`` or ``botsort``.
            proposals: Where people may be: a detector or a file of detections.
            config: Its settings.
            frame_rate: Frames per second of the video, by which the time is counted that lost people are remembered.

        Raises:
            ConfigError: A setting that this tracker does not have.
        """
        return cls(Association(name, config, frame_rate=frame_rate), proposals)

    def reset(self) -> None:
        """Forget everybody; the next frame starts a new video with ids from 1."""
        self._state = self.method.start()
        self._last_index = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of the video so far, a line each."""
        return self.method.notes(self._state)

    def update(self, frame: Frame | Image, *, time: float | None = None) -> FrameResult:
        """Follow people into the next frame.

        Args:
            frame: The next frame of the video; a bare image ``(H, W, 3)`` uint8 RGB counts as the one after the last.
            time: Seconds since the first frame, for a bare image; None counts 25 frames to the second.

        Returns:
            The people in the frame, and how good the frame is.

        Raises:
            ValueError: The frame does not come after the last one; call `reset` between videos.
            CheckpointError: The network gives values that are not finite.
        """
        if isinstance(frame, np.ndarray):
            index = self._last_index + 1
            frame = Frame(index=index, time=(index - 1) / 25 if time is None else time, image=frame)
        if frame.index <= self._last_index:
            raise ValueError(f"frame {frame.index} after frame {self._last_index}: call reset() between videos")
        quality = assess(frame.image, self.quality)
        proposals = None if self.proposals is None else self.proposals(frame)
        self._state, step = self.method.step(self._state, frame, proposals, quality)
        self._last_index = frame.index
        return FrameResult(
            index=frame.index,
            time=frame.time,
            tracks=step.tracks,
            quality=quality,
            semantic_weight=step.semantic_weight,
            num_proposals=step.num_proposals,
        )

    def stream(self, source: str | Path | int) -> Iterator[FrameResult]:
        """Track a whole source, one result a frame, in constant memory.

        Args:
            source: A video file, image folder, glob, sequence folder, camera index or URL.

        Raises:
            SourceError: The source cannot be read.
        """
        self.reset()
        with open_source(source) as frames:
            for frame in frames:
                yield self.update(frame)
