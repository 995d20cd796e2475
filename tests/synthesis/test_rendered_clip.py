"""The demo's clip of rendered people."""

import numpy as np
import pytest

from vsdmot.boxes import area
from vsdmot.quality import assess
from vsdmot.synthesis.figure_clip import FigureClipConfig
from vsdmot.synthesis.rendered_clip import render_people

SMALL = {"num_frames": 12, "width": 160, "height": 96, "num_people": 4}


@pytest.fixture(scope="module")
def clip():
    return list(render_people(FigureClipConfig(**SMALL), threads=2))


def test_it_is_repeatable_in_any_number_of_threads(clip):
    again = list(render_people(FigureClipConfig(**SMALL), threads=1))
    for one, other in zip(clip, again, strict=True):
        np.testing.assert_array_equal(one.frame.image, other.frame.image)
        np.testing.assert_array_equal(one.truth.boxes, other.truth.boxes)


def test_people_are_there_with_boxes_and_ids_that_stay(clip):
    ids = [set(frame.truth.ids.tolist()) for frame in clip]
    assert all(ids)
    assert len(set.union(*ids)) <= 4
    for frame in clip:
        assert (area(frame.truth.boxes) > 20).all()
    times = [frame.frame.time for frame in clip]
    assert times == pytest.approx([index / 25 for index in range(12)])


def test_quality_falls_in_the_middle_and_recovers(clip):
    scores = [assess(frame.frame).score for frame in clip]
    assert min(scores[4:8]) < 0.6 * min(scores[0], scores[-1])
    assert clip[0].severity == clip[-1].severity == 0


def test_nobody_is_a_clip_too():
    frames = list(render_people(FigureClipConfig(**{**SMALL, "num_people": 0, "num_frames": 2})))
    assert [len(frame.truth) for frame in frames] == [0, 0]
