"""The drawing of people's triangles, against slow loops."""

import numpy as np
import pytest

from vsdmot.synthesis.camera import NEAREST, Camera, orientation
from vsdmot.synthesis.people.appearance import draw_appearance
from vsdmot.synthesis.people.drawing import project, rasterise, shade
from vsdmot.synthesis.people.materials import NUM_ATTRIBUTES, look_of

HEIGHT, WIDTH = 12, 16


def camera(**changes):
    settings = {"width": WIDTH, "height": HEIGHT, "focal": 20.0, "position": np.array([0.0, -5, 1])}
    return Camera(**{**settings, "rotation": orientation(0.1, -0.05, 0.02), **changes})


def triangles_in_view(rng, count):
    corners = rng.uniform((-1, -1, 0.2), (1, 3, 1.8), (count, 3, 3))
    return corners.reshape(-1, 3).astype(np.float32), np.arange(3 * count, dtype=np.int32).reshape(-1, 3)


def projected(vertices, view, closed=None, share=0.5):
    out = np.empty_like(vertices)
    closed = vertices if closed is None else closed
    centre = view.width / 2, view.height / 2
    project(vertices, closed, share, view.rotation, view.position, view.focal, *centre, NEAREST, out)
    return out


def test_projection_is_the_camera_s():
    vertices, _ = triangles_in_view(np.random.default_rng(0), 20)
    vertices[0] = (0, -5.1, 1)  # behind the camera
    expected = camera().project(vertices.astype(np.float64))
    seen = projected(vertices, camera())
    assert seen[0, 2] == expected[0, 2] == -1
    np.testing.assert_allclose(seen[1:], expected[1:], rtol=1e-4, atol=1e-4)


def test_a_moment_of_the_exposure_lies_between_its_ends():
    opened, _ = triangles_in_view(np.random.default_rng(1), 4)
    closed = opened + np.float32(0.5)
    np.testing.assert_allclose(
        projected(opened, camera(), closed, share=0.25), projected(opened + np.float32(0.125), camera()), rtol=1e-4
    )


def reference(points, triangles, owners, depth, num_people):
    """Find the nearest front-facing triangle of each pixel with barycentric coordinates from a linear solve."""
    nearest = np.full(depth.shape, -1)
    depth = depth.copy()
    covered = [set() for _ in range(num_people)]
    for t, corners in enumerate(triangles):
        a, b, c = points[corners].astype(np.float64)
        if min(a[2], b[2], c[2]) <= 0:
            continue
        if (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) >= 0:
            continue
        system = np.array([[a[0], b[0], c[0]], [a[1], b[1], c[1]], [1, 1, 1]])
        for row in range(depth.shape[0]):
            for column in range(depth.shape[1]):
                share = np.linalg.solve(system, [column + 0.5, row + 0.5, 1])
                if share.min() < 0:
                    continue
                covered[owners[t]].add((row, column))
                inverse = share @ [a[2], b[2], c[2]]
                if inverse > depth[row, column]:
                    depth[row, column], nearest[row, column] = inverse, t
    return nearest, depth, [len(pixels) for pixels in covered]


@pytest.mark.parametrize("seed", range(4))
def test_each_pixel_gets_the_nearest_triangle_that_faces_the_camera(seed):
    rng = np.random.default_rng(seed)
    vertices, triangles = triangles_in_view(rng, 30)
    points = projected(vertices, camera())
    owners = np.repeat(np.arange(3), 10)
    background = rng.uniform(0.1, 0.25, (HEIGHT, WIDTH)).astype(np.float32)
    depth, nearest = background.copy(), np.empty((HEIGHT, WIDTH), np.int32)
    covered = np.zeros(3, np.int64)
    stamp = np.empty((HEIGHT, WIDTH), np.int16)
    rasterise(points, triangles, np.array([0, 10, 20, 30]), depth, nearest, stamp, covered)
    expected, expected_depth, expected_covered = reference(points, triangles, owners, background, 3)
    assert (expected >= 0).any()
    assert (nearest == expected).mean() > 0.99  # a pixel centre on an edge may go either way
    np.testing.assert_allclose(depth, expected_depth, rtol=1e-3)
    np.testing.assert_allclose(covered, expected_covered, atol=2)


def shaded(nearest, normals, attributes, light, ground_shade=None):
    points = projected(np.array([[-9, 0, 9], [9, 0, 9], [0, 0, -9]], np.float32), camera())
    background = np.full((HEIGHT, WIDTH, 3), 0.25, np.float32)
    total, owner = np.ones((HEIGHT, WIDTH, 3), np.float32), np.full((HEIGHT, WIDTH), 7, np.int16)
    looks = look_of(draw_appearance(np.random.default_rng(0)))[None]
    ground = np.ones((HEIGHT, WIDTH), np.float32) if ground_shade is None else ground_shade
    shade(
        nearest, points, normals, attributes, np.array([[0, 1, 2]], np.int32), np.zeros(1, np.int16),
        np.array([-1], np.int8), looks, light[0], light[None, 1:],
        camera().rotation[2], background, ground, total, owner,
    )  # fmt: skip
    return total - 1, owner


def leg_cloth():
    attributes = np.full((3, NUM_ATTRIBUTES), 9.0, np.float32)
    attributes[:, :5] = [0, 0, 1, 1, 1]
    attributes[:, 5 + 3] = 0
    return attributes


LIGHT = np.array([[0.0, -0.6, 0.8], [0.9, 0.9, 0.9], [0.4, 0.5, 0.6], [0.2, 0.2, 0.2]])


def test_where_nobody_is_the_background_is_added_darkened_by_shadows():
    nearest = np.full((HEIGHT, WIDTH), -1, np.int32)
    ground_shade = np.linspace(0, 1, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)
    added, owner = shaded(nearest, np.zeros((3, 3), np.float32), leg_cloth(), LIGHT, ground_shade)
    np.testing.assert_allclose(added, 0.25 * ground_shade[..., None].repeat(3, axis=2), atol=1e-6)
    assert (owner == -1).all()


def test_light_falls_on_cloth_by_the_angle_of_its_normal():
    nearest = np.zeros((HEIGHT, WIDTH), np.int32)
    colour = np.array(draw_appearance(np.random.default_rng(0)).bottom_colour)
    for normal in ([0.0, -1, 0], [0, -0.6, 0.8], [0, 0, 1], [1, 0, 0]):
        added, owner = shaded(nearest, np.tile(np.float32(normal), (3, 1)), leg_cloth(), LIGHT)
        facing = np.dot(normal, LIGHT[0])
        direct = max(0, (facing + 0.08) / 1.08)
        upward = 0.5 + 0.5 * normal[2]
        expected = colour * (LIGHT[1] * direct + LIGHT[2] * upward + LIGHT[3] * (1 - upward))
        np.testing.assert_allclose(added[3, 5], expected, rtol=1e-4)
        assert (owner == 0).all()
