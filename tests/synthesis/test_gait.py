"""Paths, courses and gaits: speeds kept, stops reached with both feet, curves like those of clinical gait analysis."""

from __future__ import annotations

import importlib.util
from math import pi
from pathlib import Path as FilePath

import numpy as np
import pytest

from vsdmot.synthesis.motion.body import Place
from vsdmot.synthesis.motion.course import Course, Leg
from vsdmot.synthesis.motion.gait import Manner
from vsdmot.synthesis.motion.path import Path, heading_towards
from vsdmot.synthesis.motion.upright import Upright
from vsdmot.synthesis.skeleton import Proportions, Skeleton

_SPEC = importlib.util.spec_from_file_location("anatomy", FilePath(__file__).with_name("anatomy.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
anatomy = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(anatomy)

STRAIGHT = [(0.0, 0.0), (0.0, 30.0)]


def straight(skeleton: Skeleton, manner: Manner, speed: float) -> Upright:
    leg = skeleton.thigh_length + skeleton.calf_length
    course = Course.along(Path(STRAIGHT, speed=speed), leg=leg, cadence=manner.cadence, running=manner.running)
    return Upright(skeleton, manner, course, name="walk")


def cycle(motion: Upright, speed: float) -> np.ndarray:
    """Give 100 moments of a cycle that begins with the strike of the right heel."""
    period = 1 / motion.course.frequency(speed)
    start = 4.0 - (motion.course.at(4.0).phase % 1) * period
    return start + period * np.arange(100) / 100


def test_path_keeps_its_speed_on_the_straight_and_slows_in_turns():
    path = Path([(0, 0), (0, 9.4), (0.6, 10), (10, 10)], speed=1.4)
    assert path.speed(2.0) == pytest.approx(1.4, abs=0.01)
    speeds = [path.speed(t) for t in np.arange(0, path.duration, 0.1)]
    assert min(speeds) < 1.3
    assert max(speeds) < 1.41
    corner = path.position(float(np.argmin(speeds)) * 0.1)
    assert np.hypot(corner[0], corner[1] - 10) < 2
    assert path.heading(1.0) == pytest.approx(0, abs=0.1)
    assert path.heading(path.duration) == pytest.approx(-pi / 2, abs=0.1)


def test_path_goes_straight_on_at_its_ends_or_rests():
    on, still = Path(STRAIGHT, speed=1.5), Path(STRAIGHT, speed=1.5, stop=True, start_still=True, delay=2.0)
    assert on.position(-1.0) == (0.0, pytest.approx(-1.5, abs=0.02))
    assert on.position(1000.0)[1] == pytest.approx(1500, rel=0.01)
    assert still.position(1.0)[1] == pytest.approx(0, abs=0.01)
    assert still.position(1000.0)[1] == pytest.approx(30, abs=0.01)
    assert still.speed(1.0) == pytest.approx(0, abs=0.02)


def test_path_waits_where_it_was_told_to():
    path = Path([(0, 0), (0, 6), (0, 12)], speed=1.2, waits={1: 4.0})
    times = np.arange(0, 20, 0.05)
    near = [t for t in times if abs(path.position(float(t))[1] - 6) < 0.02]
    assert 3.5 < near[-1] - near[0] < 5.5


def test_path_turns_round_in_place_of_a_reversal():
    path = Path([(0, 0), (0, 5), (0.6, 5), (0.6, 0)], speed=1.3)
    headings = [path.heading(t) for t in np.arange(0, path.duration, 0.02)]
    assert abs(abs(headings[-1] - headings[0]) - pi) < 0.2
    assert np.abs(np.diff(headings)).max() / 0.02 < 2.6, "radians per second"


@pytest.mark.parametrize(("points", "message"), [([(0, 0)], "at least two"), ([(0, 0), (0, 0.01)], "0.010 m apart")])
def test_bad_waypoints_are_refused(points: list[tuple[float, float]], message: str):
    with pytest.raises(ValueError, match=message):
        Path(points, speed=1.0)


def test_heading_looks_along_the_way():
    assert heading_towards(0, 1) == 0
    assert Path([(0, 0), (-5, 0)], speed=1).heading(1.0) == pytest.approx(heading_towards(-5, 0), abs=1e-6)


def test_walking_has_the_joint_angles_of_gait_analysis():
    skeleton = Skeleton()
    motion = straight(skeleton, Manner(), 1.35)
    angles = anatomy.angles_of(skeleton, anatomy.matrices_of(skeleton, motion, cycle(motion, 1.35)))
    hip, knee, ankle = (angles[name][:, 0] for name in ("hip", "knee", "ankle"))
    assert knee[:3].max() < 14, "the leg is nearly straight when the heel strikes"
    assert 12 < knee[5:25].max() < 28, "it gives way under the load"
    assert knee[35:45].min() < 16, "and straightens"
    assert 52 < knee[62:85].max() < 75, "and swings bent"
    assert 20 < hip.max() < 42
    assert -15 < hip[40:62].min() < 2, "the standing leg trails"
    assert 38 < hip.max() - hip.min() < 52
    assert 5 < ankle[30:55].max() < 22, "the shin passes over the foot"


def test_walking_rises_twice_a_cycle_over_the_standing_leg():
    motion = straight(Skeleton(), Manner(), 1.35)
    heights = np.array([motion.at(t).height for t in cycle(motion, 1.35)])
    assert 0.02 < np.ptp(heights) < 0.07
    assert np.argmax(heights[:50]) in range(25, 37)
    assert np.abs(np.fft.rfft(heights))[1:6].argmax() == 1


def test_arms_swing_with_the_other_leg():
    skeleton = Skeleton()
    motion = straight(skeleton, Manner(), 1.35)
    angles = anatomy.angles_of(skeleton, anatomy.matrices_of(skeleton, motion, cycle(motion, 1.35)))
    assert np.corrcoef(angles["shoulder"][:, 0], angles["hip"][:, 1])[0, 1] > 0.7
    assert np.ptp(angles["shoulder"][:, 0]) > 20


def test_runners_leave_the_ground_and_walkers_do_not():
    skeleton = Skeleton()
    for manner, speed, flies in ((Manner(), 1.35, False), (Manner(running=True, elbow=1.5), 3.0, True)):
        motion = straight(skeleton, manner, speed)
        soles = anatomy.soles_of(skeleton, anatomy.matrices_of(skeleton, motion, cycle(motion, speed)))
        share = (soles[..., 2].min(axis=(1, 2)) > 0.012).mean()
        assert share > 0.1 if flies else share == 0


def test_children_step_more_often_and_everyone_steps_farther_when_faster():
    tall, small = Skeleton(Proportions(stature=1.85)), Skeleton(Proportions(stature=1.1))
    rates = [straight(s, Manner(), 1.2).course.frequency(1.2) for s in (tall, small)]
    assert rates[1] > 1.15 * rates[0]
    course = straight(tall, Manner(), 1.2).course
    assert 0.7 < course.frequency(1.2) < 1.1
    assert course.stride(1.6) > course.stride(1.0)


def test_a_stop_ends_with_both_feet_under_the_body():
    skeleton = Skeleton()
    leg = skeleton.thigh_length + skeleton.calf_length
    course = Course.along(Path([(0, 0), (0, 6)], speed=1.3, stop=True), leg=leg)
    motion = Upright(skeleton, Manner(), course, name="walk")
    soles = anatomy.soles_of(skeleton, anatomy.matrices_of(skeleton, motion, [30.0]))[0]
    np.testing.assert_allclose(soles[..., 2], 0, atol=0.004)
    middle = soles.mean(axis=1)
    assert abs(middle[0, 1] - middle[1, 1]) < 0.05, "beside each other"
    assert abs(middle[:, 1].mean() - 6) < 0.1


def test_turning_on_the_spot_takes_small_steps():
    skeleton = Skeleton()
    leg = skeleton.thigh_length + skeleton.calf_length
    course = Course.through(Place(0, 0, 0), [Leg(1.0, 3.0, Place(0, 0, pi))], leg=leg)
    motion = Upright(skeleton, Manner(), course, name="turn")
    assert motion.heading(0.0) == 0
    assert motion.heading(4.0) == pytest.approx(pi)
    matrices = anatomy.matrices_of(skeleton, motion, np.arange(0, 5, 0.02))
    soles = anatomy.soles_of(skeleton, matrices)
    assert soles[:, 0, :, 2].max() > 0.02
    assert soles[:, 1, :, 2].max() > 0.02
    facing = np.unwrap(np.arctan2(-matrices[:, 13, 0, 1], matrices[:, 13, 1, 1]))
    pelvis = np.unwrap(np.arctan2(-matrices[:, 0, 0, 1], matrices[:, 0, 1, 1]))
    assert np.abs(facing - pelvis).max() < 1.1, "a leg is not wrung"
