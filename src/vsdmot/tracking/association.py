"""Tracking by association of detections, through the package ``trackers``: the methods that the paper compares with.

They are fed the same proposals as the network and report the detections that they could name.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vsdmot.config import at_least, check, within
from vsdmot.errors import ConfigError
from vsdmot.structures import Frame, FrameQuality, Proposals, Tracks
from vsdmot.tracking.method import StepResult

if TYPE_CHECKING:
    import supervision

AssociationName = Literal["sort", "bytetrack", "ocsort", "botsort"]


@dataclass(frozen=True, kw_only=True)
class AssociationConfig:
    """Settings of the association trackers; null takes the default of the package ``trackers`` for that tracker.

    Attributes:
        lost_track_buffer: Frames, at 30 frames/s, that a lost track is remembered. Raising it bridges longer
            occlusions, but may give a person's number to somebody else; lowering it ends lost tracks sooner.
        minimum_consecutive_frames: Frames in a row before a track gets a number. Raising it removes flickering false
            tracks and starts tracks later.
        minimum_iou_threshold: Overlap needed to link a detection (not botsort, which has one for each of its stages).
            Lowering it follows faster movement, raising it mixes up fewer neighbours.
        track_activation_threshold: Score from which a detection may start a track (not ocsort). Raising it gives
            fewer false tracks, lowering it finds faint people.
        high_conf_det_threshold: Score that divides sure from unsure detections (not sort). Lowering it lets weak
            detections count as sure ones.
    """

    lost_track_buffer: int | None = None
    minimum_consecutive_frames: int | None = None
    minimum_iou_threshold: float | None = None
    track_activation_threshold: float | None = None
    high_conf_det_threshold: float | None = None

    def __post_init__(self) -> None:
        check(
            self,
            lost_track_buffer=at_least(0),
            minimum_consecutive_frames=at_least(1),
            minimum_iou_threshold=within(0, 1),
            track_activation_threshold=within(0, 1),
            high_conf_det_threshold=within(0, 1),
        )


class Association:
    """Link proposals from frame to frame (a `TrackingMethod`).

    Args:
        name: Which tracker.
        config: Its settings.
        frame_rate: Frames per second of the video. These trackers remember a lost track for a time, their buffer being
            a number of frames at 30 frames/s.

    Raises:
        ConfigError: A setting that this tracker does not have.
    """

    def __init__(
        self, name: AssociationName, config: AssociationConfig | None = None, *, frame_rate: float = 30.0
    ) -> None:
        self.name = name
        self.frame_rate = frame_rate
        config = config or AssociationConfig()
        chosen = {field.name: getattr(config, field.name) for field in fields(config)}
        self._settings = {key: value for key, value in chosen.items() if value is not None}
        foreign = sorted(set(self._settings) & _LACKS[name])
        if foreign:
            raise ConfigError("\n".join(f"association.{key} is not a setting of {name}; remove it" for key in foreign))

    @property
    def proposes(self) -> bool:
        """It only links what others find."""
        return False

    def start(self) -> Any:
        """Make a tracker object of the package; it is the state, changed in place and never shared."""
        return _tracker_class(self.name)(frame_rate=self.frame_rate, **self._settings)

    def notes(self, state: Any) -> tuple[str, ...]:
        """Tell nothing; see `TrackingMethod.notes`."""
        del state
        return ()

    def step(
        self, state: Any, frame: Frame, proposals: Proposals | None, quality: FrameQuality
    ) -> tuple[Any, StepResult]:
        """Link this frame's proposals; see `TrackingMethod.step`. Quality is not used by these trackers."""
        assert proposals is not None, "see proposes"
        del quality
        import supervision

        detections = supervision.Detections(
            xyxy=proposals.boxes.copy(), confidence=proposals.scores.copy(), class_id=np.zeros(len(proposals), int)
        )
        if self.name == "botsort":  # it measures the camera's movement, on BGR
            linked = state.update(detections, np.ascontiguousarray(frame.image[..., ::-1]))
        else:
            linked = state.update(detections)
        return state, StepResult(_tracks(linked), len(proposals))


def _tracks(linked: supervision.Detections) -> Tracks:
    """Keep the detections that have a number. The package counts from 0, with -1 for none; ids here start at 1."""
    if linked.tracker_id is None or linked.confidence is None or not len(linked):
        return Tracks.empty()
    named = linked.tracker_id >= 0
    return Tracks(
        ids=linked.tracker_id[named].astype(np.int64) + 1,
        boxes=linked.xyxy[named].astype(np.float32),
        scores=linked.confidence[named].astype(np.float32),
    )


def _tracker_class(name: AssociationName) -> type[Any]:
    with warnings.catch_warnings():  # the package warns about its own deprecations when imported
        warnings.simplefilter("ignore", DeprecationWarning)
        import trackers

    classes: dict[str, type[Any]] = {
        "sort": trackers.SORTTracker,
        "bytetrack": trackers.ByteTrackTracker,
        "ocsort": trackers.OCSORTTracker,
        "botsort": trackers.BoTSORTTracker,
    }
    return classes[name]


_LACKS: dict[str, set[str]] = {
    "sort": {"high_conf_det_threshold"},
    "bytetrack": set(),
    "ocsort": {"track_activation_threshold"},
    "botsort": {"minimum_iou_threshold"},
}
