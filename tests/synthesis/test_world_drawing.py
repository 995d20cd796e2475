"""Drawing surfaces: depth against rays cast one by one, clipping, cut-outs, layers, light, reflections."""

import numpy as np
import pytest

from vsdmot.synthesis.camera import NEAREST, Camera, orientation
from vsdmot.synthesis.light import Light
from vsdmot.synthesis.world.materials import Material, Texture
from vsdmot.synthesis.world.place import Place
from vsdmot.synthesis.world.surfaces import Surfaces

LIGHT = Light(
    direction=np.array([0.0, -0.6, 0.8]),
    key=np.array([0.5, 0.45, 0.4]),
    sky=np.array([0.4, 0.42, 0.44]),
    ground=np.array([0.2, 0.2, 0.2]),
)
WHITE = Material(texture=Texture(np.full((1, 1, 4), 255, np.uint8)))
SKY = np.full((256, 1024, 3), 0.9, np.float32)


def make_place(surfaces):
    mesh, _ = surfaces.bake(LIGHT, SKY, np.zeros(4, np.float32))
    return Place(
        name="test", mesh=mesh, light=LIGHT, walkable=(-5, 1, 5, 9), obstacles=np.zeros((0, 4)), seats=(), backdrop=20.0
    )


def make_camera(position=(0.3, 0.0, 2.0), yaw=0.1, pitch=-0.2, roll=0.0, width=96, height=64, focal=80.0):
    rotation = orientation(yaw, pitch, roll)
    return Camera(width=width, height=height, focal=focal, position=np.array(position), rotation=rotation)


def drawn(place, camera, offset=(0.0, 0.0)):
    colour = np.full((camera.height, camera.width, 3), np.nan, np.float32)
    inverse_depth = np.full((camera.height, camera.width), np.nan, np.float32)
    place.draw(camera, colour, inverse_depth, offset=offset)
    return colour, inverse_depth


def rays(camera, offset=(0.0, 0.0)):
    """The ray through each pixel, one metre long along the camera's axis, ``(H, W, 3)``."""
    y, x = np.mgrid[0 : camera.height, 0 : camera.width] + 0.5
    x, y = x + offset[0] - camera.width / 2, y + offset[1] - camera.height / 2
    seen = np.stack([x / camera.focal, y / camera.focal, np.ones_like(x)], axis=-1)
    return seen @ camera.rotation


def cast(camera, boxes, offset=(0.0, 0.0)):
    """Inverse depth of the plane z = 0 and of boxes, by slabs: another way than the one under test."""
    way = rays(camera, offset)
    with np.errstate(divide="ignore", invalid="ignore"):
        depth = np.where(way[..., 2] < 0, -camera.position[2] / way[..., 2], np.inf)
        for low, high in boxes:
            to_low, to_high = (np.array(low) - camera.position) / way, (np.array(high) - camera.position) / way
            enter = np.minimum(to_low, to_high).max(axis=-1)
            leave = np.maximum(to_low, to_high).min(axis=-1)
            depth = np.where((enter < leave) & (enter > NEAREST) & (enter < depth), enter, depth)
    return 1 / depth


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll"), [(0, 0, 0), (0.5, -0.3, 0.0), (-0.4, 0.05, 0.2), (0.1, -0.6, -0.1), (0.0, -1.4, 0.0)]
)
def test_depth_is_that_of_rays_cast_one_by_one(yaw, pitch, roll):
    boxes = [((-2, 5, 0), (-1, 6, 1.5)), ((0.5, 4, 0), (2.5, 4.4, 0.5)), ((-0.2, 9, 0), (0.0, 9.2, 4.0))]
    surfaces = Surfaces()
    surfaces.ground(-2000, -2000, 2000, 2000, WHITE)
    for low, high in boxes:
        surfaces.box(low, high, WHITE)
    camera = make_camera(yaw=yaw, pitch=pitch, roll=roll)
    _, inverse_depth = drawn(make_place(surfaces), camera)
    expected = cast(camera, boxes)
    expected[expected < 1 / 1500] = 0  # beyond the ground's edge, which is finite
    close = np.abs(inverse_depth - expected) < 1e-5 * np.maximum(expected, 1 / 1500) + 1 / 1500 * (expected == 0)
    # A pixel centre that lies within rounding of an edge may fall to either side.
    assert close.mean() > 0.999
    assert (inverse_depth[rays(camera)[..., 2] < -0.01] > 0).all()


def test_what_crosses_the_nearest_depth_is_cut_off_exactly_there():
    """A wall that runs past the camera: its near part would project behind the picture plane."""
    surfaces = Surfaces()
    surfaces.quad((0.4, -5.0, 0.0), (0.0, 0, 4.0), (0, 25.0, 0.0), WHITE)
    camera = make_camera(position=(0.0, 0.0, 1.5), yaw=0.0, pitch=0.0, width=160, height=120, focal=60.0)
    _, inverse_depth = drawn(make_place(surfaces), camera)
    way = rays(camera)
    with np.errstate(divide="ignore"):
        depth = 0.4 / way[..., 0]
    z = 1.5 + depth * way[..., 2]
    inside = (depth > NEAREST) & (depth < 20) & (z > 0) & (z < 4)
    np.testing.assert_allclose(inverse_depth, np.where(inside, 1 / depth, 0), rtol=1e-5, atol=1e-6)
    assert inside.any()
    assert inverse_depth.max() <= 1 / NEAREST + 1e-4


def test_an_offset_moves_the_samples_within_the_pixels():
    """Four offsets of a quarter pixel are the pixels of a picture twice as large."""
    surfaces = Surfaces()
    surfaces.ground(-50, -5, 50, 60, WHITE)
    surfaces.box((-1, 4, 0), (0.7, 5, 1.2), WHITE)
    place = make_place(surfaces)
    _, large = drawn(place, make_camera(width=192, height=128, focal=160.0))
    for row in (0, 1):
        for column in (0, 1):
            _, small = drawn(place, make_camera(), offset=(column / 2 - 0.25, row / 2 - 0.25))
            np.testing.assert_allclose(small, large[row::2, column::2], rtol=1e-6)


def test_holes_of_a_cut_out_show_what_is_behind():
    pixels = np.full((64, 64, 4), 200, np.uint8)
    pixels[:, 32:, 3] = 0  # the right half is not there
    surfaces = Surfaces()
    surfaces.quad((-1, 4, 0), (2, 0, 0), (0, 0, 2), Material(texture=Texture(pixels, cut=True)))
    surfaces.quad((-9, 8, -9), (18, 0, 0), (0, 0, 18), WHITE)
    camera = make_camera(position=(0.0, 0.0, 1.0), yaw=0.0, pitch=0.0, width=120, height=60, focal=100.0)
    _, inverse_depth = drawn(make_place(surfaces), camera)
    row = inverse_depth[30]
    np.testing.assert_allclose(row[36:60], 1 / 4, rtol=1e-5)  # x from -1 m to 0
    np.testing.assert_allclose(row[60:], 1 / 8, rtol=1e-5)
    np.testing.assert_allclose(row[:35], 1 / 8, rtol=1e-5)


@pytest.mark.parametrize("distance", [3.0, 13.0, 37.0])
def test_thin_bars_do_not_vanish_with_distance(distance):
    """As many of a railing's pixels are covered from afar as in its picture, to the eye."""
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[..., :3] = 128
    pixels[:, ::16, 3] = 255
    pixels[:, 1::16, 3] = 255
    bars = Material(texture=Texture(pixels, (1.0, 1.0), cut=True))
    surfaces = Surfaces()
    surfaces.quad((-20, distance, -20), (40, 0, 0), (0, 0, 40), bars)
    camera = make_camera(position=(0.0, 0.0, 1.0), yaw=0.0, pitch=0.0, width=200, height=100, focal=160.0)
    _, inverse_depth = drawn(make_place(surfaces), camera)
    assert (inverse_depth > 0).mean() == pytest.approx(1 / 8, abs=0.07)


def test_a_decal_covers_the_ground_and_keeps_its_depth():
    red = WHITE.tinted((1.0, 0.0, 0.0))
    surfaces = Surfaces()
    surfaces.ground(-50, -5, 50, 60, WHITE)
    plain = make_place(surfaces)
    surfaces.ground(-3, 2, 3, 30, Material(texture=red.texture, tint=red.tint, layer=1, casts=False))
    with_decal = make_place(surfaces)
    camera = make_camera()
    before, depth_before = drawn(plain, camera)
    after, depth_after = drawn(with_decal, camera)
    np.testing.assert_allclose(depth_after, depth_before, rtol=1e-6)
    point = camera.position + rays(camera) / np.maximum(depth_before, 1e-9)[..., None]
    inside = (depth_before > 0) & (np.abs(point[..., 0]) < 2.9) & (point[..., 1] > 2.1) & (point[..., 1] < 29)
    assert (after[inside][:, 1:] < 0.01).all()
    outside = (depth_before > 0) & ((np.abs(point[..., 0]) > 3.1) | (point[..., 1] < 1.9))
    np.testing.assert_allclose(after[outside], before[outside], atol=1e-5)


def test_open_ground_and_walls_get_the_light_that_people_get():
    surfaces = Surfaces()
    surfaces.ground(-10, -5, 10, 25, WHITE)
    colour, _ = drawn(make_place(surfaces), make_camera(pitch=-0.7, yaw=0.0))
    np.testing.assert_allclose(colour[32, 48], LIGHT.on(np.array([0.0, 0.0, 1.0])), rtol=0.02)
    surfaces = Surfaces()
    surfaces.quad((-3, 5, 0), (6, 0, 0), (0, 0, 5), WHITE)
    colour, _ = drawn(make_place(surfaces), make_camera(pitch=0.0, yaw=0.0))
    np.testing.assert_allclose(colour[32, 48], LIGHT.on(np.array([0.0, -1.0, 0.0])), rtol=0.02)


def test_a_box_shades_the_ground_behind_it_from_the_sun():
    surfaces = Surfaces()
    surfaces.ground(-10, -5, 10, 25, Material(texture=WHITE.texture, spacing=0.1))
    surfaces.box((-2, 5, 0), (2, 6, 2), WHITE)
    place = make_place(surfaces)
    # The sun stands at (0, -0.6, 0.8): the shadow of the upper rear edge falls 1.5 m behind it.
    camera = make_camera(position=(0.0, 7.0, 6.0), yaw=0.0, pitch=-1.55, width=80, height=160, focal=120.0)
    colour, inverse_depth = drawn(place, camera)
    point = camera.position + rays(camera) / inverse_depth[..., None]
    lit = colour[..., 0]
    ground = (np.abs(point[..., 2]) < 1e-3) & (np.abs(point[..., 0]) < 1)
    shaded, free = ground & (point[..., 1] > 6.2) & (point[..., 1] < 7.3), ground & (point[..., 1] > 8.0)
    assert lit[shaded].max() < 0.5
    assert lit[free].min() > 0.65


def test_a_polished_floor_shows_the_wall_behind_it_mirrored():
    surfaces = Surfaces()
    surfaces.ground(-30, -5, 30, 12, Material(texture=WHITE.texture, tint=(0.1, 0.1, 0.1), mirror=1.0))
    surfaces.quad((-30, 12, 0), (30, 0, 0), (0, 0, 40), Material(texture=WHITE.texture, tint=(1, 0, 0), glow=1.0))
    surfaces.quad((0, 12, 0), (30, 0, 0), (0, 0, 40), Material(texture=WHITE.texture, tint=(0, 0, 1), glow=1.0))
    camera = make_camera(position=(0.0, 0.0, 1.0), yaw=0.0, pitch=-0.1, width=160, height=90, focal=120.0)
    colour, _ = drawn(make_place(surfaces), camera)
    left, right = colour[60, 40], colour[60, 120]
    assert left[0] > left[2] + 0.2
    assert right[2] > right[0] + 0.2


def test_a_texture_lies_as_its_corners_say():
    """The first row of the picture is up, the first column left."""
    pixels = np.full((2, 2, 4), 255, np.uint8)
    pixels[0, 0, :3], pixels[0, 1, :3], pixels[1, 0, :3], pixels[1, 1, :3] = (255, 0, 0), (0, 255, 0), (0, 0, 255), 0
    surfaces = Surfaces()
    surfaces.quad((-1, 4, 0), (2, 0, 0), (0, 0, 2), Material(texture=Texture(pixels), glow=1.0))
    camera = make_camera(position=(0.0, 0.0, 1.0), yaw=0.0, pitch=0.0, width=100, height=100, focal=100.0)
    colour, _ = drawn(make_place(surfaces), camera)
    expected = {(35, 35): (1, 0, 0), (35, 65): (0, 1, 0), (65, 35): (0, 0, 1), (65, 65): (0, 0, 0)}
    for (y, x), value in expected.items():
        np.testing.assert_allclose(colour[y, x], value, atol=0.35)
        assert colour[y, x].argmax() == np.argmax(value) or sum(value) == 0
