"""What can be chosen about rendered scenes; light to import, so that ``--help`` does not compile anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vsdmot.config import above, at_least, check, within

Style = Literal["dance", "street", "surveillance"]
STYLES: tuple[Style, ...] = ("dance", "street", "surveillance")
CameraChoice = Literal["auto", "still", "moving"]


@dataclass(frozen=True, kw_only=True)
class SceneConfig:
    """Size and length of a scene.

    Attributes:
        width: Of the picture in pixels.
        height: Of the picture in pixels.
        frames: Length in frames.
        frame_rate: Frames per second.
        people: How many people at most; fewer where no more find room.
        camera: Whether the camera stands still, moves, or either as the style has it.
    """

    width: int = 640
    height: int = 360
    frames: int = 100
    frame_rate: float = 25.0
    people: int = 8
    camera: CameraChoice = "auto"

    def __post_init__(self) -> None:
        check(
            self,
            width=within(64, 7680),
            height=within(64, 4320),
            frames=at_least(1),
            frame_rate=above(0),
            people=within(0, 200),
        )
