"""The camera, its movements, and the pictures it makes."""

import numpy as np
import pytest

from vsdmot.synthesis.camera import NEAREST, Camera, orientation
from vsdmot.synthesis.camera_picture import Development, develop
from vsdmot.synthesis.light import Light
from vsdmot.synthesis.shots import Shot, aim


def shot(**changes):
    settings = {
        "width": 640, "height": 360, "focal": 600.0, "position": np.array([0.0, 0, 1.6]), "yaw": 0.1, "pitch": -0.1,
        "move": "still", "speed": 0.0, "centre": np.array([0.5, 6.0]), "shake": 0.0, "middle": 2.0,
        "phases": np.random.default_rng(0).uniform(0, 6, (4, 6)),
    }  # fmt: skip
    return Shot(**{**settings, **changes})


@pytest.mark.parametrize("angles", [(0, 0, 0), (0.4, -0.3, 0.2), (-1.0, 0.6, -0.1)])
def test_an_orientation_is_a_rotation_whose_forward_axis_is_where_it_looks(angles):
    rotation = orientation(*angles)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(np.cross(rotation[0], rotation[1]), rotation[2], atol=1e-12)
    yaw, pitch = aim(np.zeros(3), rotation[2])
    assert (yaw, pitch) == pytest.approx(angles[:2])


def test_a_point_projects_by_similar_triangles():
    camera = Camera(width=640, height=360, focal=500.0, position=np.array([1.0, 2, 3]), rotation=orientation(0, 0))
    np.testing.assert_allclose(camera.project(np.array([[2.0, 7, 2.5]])), [[320 + 100, 180 + 50, 0.2]])


def test_what_is_behind_the_camera_or_too_near_has_no_depth():
    camera = Camera(width=640, height=360, focal=500.0, position=np.zeros(3), rotation=orientation(0, 0))
    inverse = camera.project(np.array([[0.0, -1, 0], [0, NEAREST / 2, 0], [0, 2 * NEAREST, 0]]))[:, 2]
    assert inverse.tolist() == pytest.approx([-1, -1, 1 / (2 * NEAREST)])


def test_only_a_camera_on_a_tripod_is_still():
    assert shot().is_still
    assert not shot(shake=0.01).is_still
    assert not shot(move="pan", speed=0.1).is_still
    np.testing.assert_array_equal(shot().at(0).rotation, shot().at(9).rotation)


def test_an_orbit_keeps_what_it_circles_where_it_was_in_the_picture():
    circling = shot(move="orbit", speed=0.2)
    target = np.array([[0.5, 6.0, 1.0]])
    places = [circling.at(time).project(target)[0] for time in (0.0, 2.0, 4.0)]
    assert np.ptp(np.array(places)[:, 0]) < 1e-6
    np.testing.assert_allclose(np.array(places)[:, 2], places[0][2])
    assert np.hypot(*(circling.at(0.0).position - circling.at(4.0).position)[:2]) > 1


@pytest.mark.parametrize("move", ["pan", "travel", "orbit", "handheld"])
def test_moves_are_smooth_and_bounded(move):
    moving = shot(move=move, speed=0.5, shake=0.01)
    times = np.arange(0, 60, 0.04)
    positions = np.array([moving.at(time).position for time in times])
    forwards = np.array([moving.at(time).rotation[2] for time in times])
    assert np.abs(positions - moving.position).max() < 6
    assert np.linalg.norm(np.diff(positions, n=2, axis=0), axis=1).max() < 0.01
    assert np.linalg.norm(np.diff(forwards, n=2, axis=0), axis=1).max() < 0.01
    assert np.linalg.norm(np.diff(forwards, axis=0), axis=1).max() > 1e-4


def test_pictures_are_brighter_with_more_exposure_and_never_wrap_around():
    light = np.linspace(0, 3, 60 * 80 * 3, dtype=np.float32).reshape(60, 80, 3)
    rng = np.random.default_rng
    dark, bright = (develop(light.copy(), Development(exposure=gain, noise=0), rng(0)) for gain in (0.5, 1.0))
    assert bright.dtype == np.uint8
    assert (bright.astype(int) >= dark).all()
    assert bright.mean() > dark.mean() + 20
    assert (develop(np.full((8, 8, 3), 50.0, np.float32), Development(noise=0), rng(0)) == 255).all()


def test_noise_has_the_asked_strength_and_the_vignette_darkens_corners_only():
    light = np.full((200, 200, 3), 0.5, np.float32)
    noisy = develop(light.copy(), Development(noise=4.0, softness=0), np.random.default_rng(0)).astype(float)
    assert noisy.std() == pytest.approx(4.0, abs=0.15)
    shaded = develop(light.copy(), Development(noise=0, vignette=0.3), np.random.default_rng(0)).astype(int)
    assert shaded[100, 100, 0] - shaded[0, 0, 0] > 20


def test_white_balance_scales_channels():
    light = np.full((8, 8, 3), 0.4, np.float32)
    red, green, blue = develop(
        light, Development(noise=0, white_balance=(1.2, 1.0, 0.8)), np.random.default_rng(0)
    )[4, 4].tolist()  # fmt: skip
    assert red > green > blue


def test_light_on_a_surface_is_the_sum_of_its_parts():
    light = Light(
        direction=np.array([0.0, -0.6, 0.8]),
        key=np.array([1.0, 0.9, 0.8]),
        sky=np.array([0.4, 0.5, 0.6]),
        ground=np.array([0.2, 0.1, 0.1]),
    )
    np.testing.assert_allclose(light.on(np.array([0.0, 0, 1])), 0.8 * light.key + light.sky)
    np.testing.assert_allclose(light.on(np.array([0.0, 0, -1])), light.ground)
    np.testing.assert_allclose(light.on(np.array([0.0, 1, 0])), (light.sky + light.ground) / 2)
