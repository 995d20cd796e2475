"""Places: the same bits from the same seed, no holes, ground at z = 0, seats and obstacles where they belong."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from vsdmot.synthesis.camera import Camera, orientation
from vsdmot.synthesis.world import make_place
from vsdmot.synthesis.world.places import KINDS

CASES = [(style, k) for style, makers in KINDS.items() for k in range(len(makers))]
VIEWS = [  # x, y, height, yaw, pitch, focal over width
    (0.0, 0.0, 1.5, 0.0, -0.05, 1.0),
    (-3.0, -1.0, 1.2, -0.5, 0.05, 0.7),
    (3.0, 3.0, 2.5, 0.5, -0.2, 0.7),
    (6.0, 1.0, 3.5, -0.5, -0.35, 0.8),
    (-6.0, 0.0, 6.0, 0.3, -0.6, 1.4),
    (0.5, 2.0, 6.0, 0.0, -0.3, 0.7),
]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}-{KINDS[case[0]][case[1]][0].__name__}")
def case(request):
    style, which = request.param
    return style, KINDS[style][which][0](np.random.default_rng(11 + which))


def make_camera(x, y, height, yaw, pitch, focal, width=128):
    return Camera(
        width=width,
        height=width * 9 // 16,
        focal=focal * width,
        position=np.array([x, y, height]),
        rotation=orientation(yaw, pitch),
    )


def drawn(place, camera):
    colour = np.full((camera.height, camera.width, 3), np.nan, np.float32)
    inverse_depth = np.full((camera.height, camera.width), np.nan, np.float32)
    place.draw(camera, colour, inverse_depth)
    return colour, inverse_depth


def ways(camera):
    y, x = np.mgrid[0 : camera.height, 0 : camera.width] + 0.5
    seen = np.stack([(x - camera.width / 2) / camera.focal, (y - camera.height / 2) / camera.focal, np.ones_like(x)])
    return np.moveaxis(seen, 0, -1) @ camera.rotation


def test_every_pixel_is_drawn_and_none_below_the_horizon_is_empty(case):
    style, place = case
    for view in VIEWS[: 3 if style == "dance" else 6]:  # rooms to dance in have low ceilings
        camera = make_camera(*view)
        colour, inverse_depth = drawn(place, camera)
        assert np.isfinite(colour).all()
        assert colour.min() >= 0
        assert colour.max() <= 1.5
        assert (inverse_depth >= 0).all()
        below = ways(camera)[..., 2] < -0.004
        assert (inverse_depth[below] > 0).all(), view


def test_a_day_is_bright_and_a_night_is_not_black(case):
    _, place = case
    colour, inverse_depth = drawn(place, make_camera(*VIEWS[0]))
    assert 0.12 < np.minimum(colour[inverse_depth > 0], 1).mean() < 0.75


def test_the_ground_that_people_walk_on_is_at_z_0(case):
    """Where nothing stands, feet on z = 0 touch what is drawn, to a millimetre."""
    _, place = case
    camera = make_camera(0.0, 1.0, 6.0, 0.0, -0.7, 0.8)
    _, inverse_depth = drawn(place, camera)
    point = camera.position + ways(camera) / np.maximum(inverse_depth, 1e-9)[..., None]
    x0, y0, x1, y1 = place.walkable
    x, y, z = np.moveaxis(point, -1, 0)
    free = (x > x0) & (x < x1) & (y > y0) & (y < y1) & (inverse_depth > 0) & (z < 0.2)
    for a, b, c, d in place.obstacles:
        free &= ~((x > a - 0.1) & (x < c + 0.1) & (y > b - 0.1) & (y < d + 0.1))
    assert free.sum() > 200
    assert np.abs(z[free]).max() < 1e-3


def test_seats_and_obstacles_are_where_people_are(case):
    _, place = case
    x0, y0, x1, y1 = place.walkable
    assert x0 < -2
    assert x1 > 2
    assert y0 < 4
    assert y1 > 8
    assert place.backdrop > y1
    for a, b, c, d in place.obstacles:
        assert a < c
        assert b < d
        assert a < x1
        assert c > x0
        assert b < y1
        assert d > y0
    for seat in place.seats:
        assert x0 <= seat.x <= x1
        assert y0 <= seat.y <= y1
        assert 0.3 < seat.height < 0.6


def test_a_seat_is_as_high_as_what_is_drawn_there(case):
    _, place = case
    for seat in place.seats[:4]:
        above = Camera(
            width=31,
            height=31,
            focal=400.0,
            position=np.array([seat.x, seat.y, seat.height + 1.0]),
            rotation=orientation(0.0, -np.pi / 2 + 1e-6),
        )
        _, inverse_depth = drawn(place, above)
        highest = seat.height + 1.0 - 1 / inverse_depth.max()
        assert highest == pytest.approx(seat.height, abs=0.06)


def test_most_of_the_walkable_ground_is_free(case):
    _, place = case
    rng = np.random.default_rng(0)
    x0, y0, x1, y1 = place.walkable
    spots = rng.uniform((x0, y0), (x1, y1), (2000, 2))
    taken = np.zeros(2000, bool)
    for a, b, c, d in place.obstacles:
        taken |= (spots > (a, b)).all(axis=1) & (spots < (c, d)).all(axis=1)
    assert taken.mean() < 0.45


def test_light_comes_from_behind_the_viewer_and_from_above(case):
    _, place = case
    light = place.light
    assert np.linalg.norm(light.direction) == pytest.approx(1)
    assert light.direction[1] < 0
    assert light.direction[2] > 0.5
    total = light.on(np.array([0.0, 0.0, 1.0]))
    assert (total > 0.15).all()
    assert (total < 2.6).all()


@pytest.mark.parametrize("style", ["dance", "street", "surveillance"])
def test_the_same_seed_gives_the_same_bits_in_any_thread_and_another_seed_another_place(style):
    def make(seed):
        place = make_place(style, np.random.default_rng(seed))
        return place.name, drawn(place, make_camera(*VIEWS[0]))

    with ThreadPoolExecutor(2) as pool:
        (name, first), (again, second), (_, other) = pool.map(make, (5, 5, 6))
    assert name == again
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    assert (first[0] != other[0]).any()


def test_two_threads_draw_one_place_as_one_does():
    place = make_place("street", np.random.default_rng(2))
    cameras = [make_camera(*view) for view in VIEWS]
    alone = [drawn(place, camera) for camera in cameras]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda camera: drawn(place, camera), cameras))
    for one, two in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one[0], two[0])
        np.testing.assert_array_equal(one[1], two[1])


def test_a_place_takes_less_than_60_megabytes(case):
    _, place = case
    assert sum(part.nbytes for part in place.mesh) < 60e6
