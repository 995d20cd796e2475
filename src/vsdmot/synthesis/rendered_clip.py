"""A clip of rendered people who walk about a street, with a bad spell in the middle: for a demo without downloads."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vsdmot.structures import Frame, Tracks
from vsdmot.synthesis.direction import make_scene
from vsdmot.synthesis.figure_clip import FigureClipConfig, FigureFrame, degrade, severity_at
from vsdmot.synthesis.scene import Renderer, SceneFrame
from vsdmot.synthesis.settings import SceneConfig
from vsdmot.synthesis.threads import in_order

_LEAST_VISIBLE = 0.25  # share of a person that must be seen for it to count as there


def render_people(config: FigureClipConfig, threads: int = 1) -> Iterator[FigureFrame]:
    """Render the clip, frame by frame; the same settings give the same bits every time.

    Args:
        config: What the clip shows.
        threads: How many frames are drawn at a time.
    """
    scene_config = SceneConfig(
        width=config.width,
        height=config.height,
        frames=config.num_frames,
        frame_rate=config.frame_rate,
        people=config.num_people,
        camera="still",
    )
    scene = make_scene("street", scene_config, seed=config.seed, number=1)
    for drawn in in_order(Renderer(scene).draw, range(1, config.num_frames + 1), threads):
        index = drawn.frame.index
        severity = severity_at(index, config)
        image = degrade(drawn.frame.image, severity, np.random.default_rng([config.seed, 2, index]))
        yield FigureFrame(Frame(index, drawn.frame.time, image), _truth(drawn), severity)


def _truth(drawn: SceneFrame) -> Tracks:
    seen = [person for person in drawn.people if person.visibility >= _LEAST_VISIBLE]
    return Tracks(
        ids=np.array([person.track_id for person in seen], np.int64),
        boxes=np.array([person.box for person in seen], np.float32).reshape(-1, 4),
        scores=np.ones(len(seen), np.float32),
    )
