"""Whole frames: boxes, visibility, masks, motion blur, shadows, and the same bits whoever draws them."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from vsdmot.synthesis.camera_picture import Development
from vsdmot.synthesis.direction import make_scene
from vsdmot.synthesis.light import Light
from vsdmot.synthesis.motion.make import make_motion
from vsdmot.synthesis.motion.motion import Footprint
from vsdmot.synthesis.people.appearance import draw_appearance
from vsdmot.synthesis.people.body import make_body
from vsdmot.synthesis.scene import Actor, Renderer, Scene
from vsdmot.synthesis.settings import STYLES, SceneConfig
from vsdmot.synthesis.shots import Shot
from vsdmot.synthesis.skeleton import Pose, Skeleton
from vsdmot.synthesis.staging import Stage
from vsdmot.synthesis.world.places import make_place

GROUND = 0.5


class Statue:
    """Somebody who does not move, or slides along x."""

    name = "statue"
    item = "none"

    def __init__(self, x=0.0, y=6.0, speed=0.0):
        self._x, self._y, self._speed = x, y, speed

    def at(self, time):
        place = np.array([self._x + self._speed * time, self._y])
        return Pose(rotations=np.tile(np.eye(3), (17, 1, 1)), root_position=place, root_rotation=np.eye(3))

    def footprint(self, time):
        return Footprint(self._x + self._speed * time, self._y, 0.3)

    def heading(self, time):
        return 0.0


class Plain:
    """A place that is nothing but grey ground and sky, and perhaps a wall in front of one half of the picture."""

    name = "plain"
    light_field = None
    light = Light(direction=np.array([0.6, 0.0, 0.8]), key=np.full(3, 0.9), sky=np.full(3, 0.4), ground=np.full(3, 0.2))

    def __init__(self, wall=False):
        self._wall = wall

    def draw(self, camera, colour, inverse_depth, *, offset=(0.0, 0.0)):
        rows = np.arange(camera.height) + 0.5 + offset[1] - camera.height / 2
        columns = np.arange(camera.width) + 0.5 + offset[0] - camera.width / 2
        x, y = np.meshgrid(columns / camera.focal, rows / camera.focal)
        falling = -(camera.rotation[0, 2] * x + camera.rotation[1, 2] * y + camera.rotation[2, 2])
        inverse_depth[:] = np.maximum(falling / camera.position[2], 0)
        colour[:] = np.where(falling > 0, GROUND, 1.0)[..., None]
        if self._wall:
            inverse_depth[:, : camera.width // 2] = 1.0
            colour[:, : camera.width // 2] = (0.9, 0.1, 0.1)


def bodies(count):
    rng = np.random.default_rng(11)
    return [make_body(draw_appearance(rng), 0.025) for _ in range(count)]


BODIES = bodies(2)


def scene(motions, *, place=None, shutter=0.001, **changes):
    shot = Shot(
        width=160, height=120, focal=150.0, position=np.array([0.0, 0, 1.5]), yaw=0.0, pitch=-0.12, move="still",
        speed=0.0, centre=np.zeros(2), shake=0.0, middle=0.0, phases=np.zeros((4, 6)),
    )  # fmt: skip
    settings = {
        "name": "test", "place": place or Plain(), "shot": shot, "shutter": shutter, "frame_rate": 25.0,
        "development": Development(noise=0, softness=0), "num_frames": 10, "seed": (1,),
        "actors": tuple(Actor(k + 1, BODIES[k % 2], motion) for k, motion in enumerate(motions)),
    }  # fmt: skip
    return Scene(**{**settings, **changes})


def test_the_box_of_somebody_unhidden_is_that_of_the_mask_to_a_pixel():
    for x in (-1.5, 0.0, 1.2):
        drawn = Renderer(scene([Statue(x)])).draw(1)
        (person,) = drawn.people
        rows, columns = np.nonzero(drawn.mask == 1)
        seen = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        assert person.visible_box == seen
        np.testing.assert_allclose(person.box, seen, atol=1.2)
        assert person.visibility == pytest.approx(1)


def test_somebody_beyond_the_edge_keeps_the_whole_box_and_counts_as_partly_seen():
    whole = Renderer(scene([Statue(0.0)])).draw(1).people[0]
    drawn = Renderer(scene([Statue(-3.2)])).draw(1)
    (person,) = drawn.people
    assert person.box[0] < 0 < person.box[2]
    assert person.box[2] - person.box[0] == pytest.approx(whole.box[2] - whole.box[0], rel=0.15)
    assert 0.1 < person.visibility < 0.9
    assert person.visible_box[0] == 0
    assert Renderer(scene([Statue(-9.0)])).draw(1).people == ()


def test_somebody_behind_another_is_as_visible_as_the_pixels_say():
    alone = Renderer(scene([Statue(0.15, 8.0)])).draw(1)
    behind = Renderer(scene([Statue(0.0, 5.0), Statue(0.15, 8.0)])).draw(1)
    front, hidden = behind.people
    assert front.visibility == pytest.approx(1)
    counted = (behind.mask == 2).sum() / (Renderer(scene([Statue(9, 5), Statue(0.15, 8.0)])).draw(1).mask == 2).sum()
    assert hidden.visibility == pytest.approx(counted, abs=0.06)
    assert 0.02 < hidden.visibility < 0.8
    assert len(alone.people) == 1


def test_somebody_behind_a_wall_has_a_box_and_no_visibility():
    drawn = Renderer(scene([Statue(-1.2), Statue(1.2)], place=Plain(wall=True))).draw(1)
    hidden, seen = drawn.people
    assert hidden.visibility == 0
    assert hidden.visible_box is None
    assert seen.visibility == pytest.approx(1)
    assert not (drawn.mask == 1).any()
    red = drawn.frame.image[:, :70].reshape(-1, 3).mean(axis=0)
    assert red[0] > 3 * red[1]  # the wall is all that is drawn there


def test_nobody_leaves_the_place_as_it_is():
    drawn = Renderer(scene([])).draw(1)
    assert drawn.people == ()
    assert not drawn.mask.any()
    assert len(np.unique(drawn.frame.image[100])) == 1


def test_shadows_fall_away_from_the_light_and_on_the_ground_only():
    empty = Renderer(scene([])).draw(1).frame.image.astype(int)
    drawn = Renderer(scene([Statue(0.0)])).draw(1)
    darker = (empty - drawn.frame.image.astype(int)).max(axis=2) * (drawn.mask == 0)
    _, columns = np.nonzero(darker > 15)
    assert len(columns) > 20
    middle = (drawn.people[0].box[0] + drawn.people[0].box[2]) / 2
    assert (columns < middle).mean() > 0.8  # the light comes from the right
    horizon = int(60 - 150 * np.tan(0.12)) - 3
    box = drawn.people[0].box
    sky = darker[:horizon, : max(int(box[0]) - 2, 1)]
    assert sky.max(initial=0) == 0


def test_what_moves_while_the_shutter_is_open_is_blurred_along_its_way():
    def sharpness(shutter, speed):
        image = Renderer(scene([Statue(-speed * 0.04, 5.0, speed)], shutter=shutter)).draw(2).frame.image.astype(float)
        return np.abs(np.diff(image, axis=1)).max(axis=(0, 2)).max(), np.abs(np.diff(image, axis=0)).max()

    across_short, along_short = sharpness(0.001, 6.0)
    across_long, along_long = sharpness(1 / 12, 6.0)
    assert across_long < 0.8 * across_short
    assert along_long > 0.5 * along_short
    still = [Renderer(scene([Statue(0, 5.0)], shutter=s)).draw(2).frame.image for s in (0.001, 1 / 12)]
    np.testing.assert_array_equal(*still)


def test_boxes_are_those_of_the_middle_of_the_exposure():
    moving = Renderer(scene([Statue(-0.24, 6.0, 6.0)], shutter=1 / 25)).draw(2).people[0]
    still = Renderer(scene([Statue(0.0, 6.0)], shutter=1 / 25)).draw(2).people[0]
    np.testing.assert_allclose(moving.box, still.box, atol=0.01)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("camera", ["still", "moving"])
def test_frames_are_the_same_whatever_the_order_and_the_number_of_threads(style, camera):
    config = SceneConfig(width=96, height=64, frames=4, people=3, camera=camera)
    first = make_scene(style, config, seed=3, number=2)
    assert first.shot.is_still == (camera == "still")
    in_order = [Renderer(first).draw(index) for index in (1, 2, 3, 4)]
    again = Renderer(make_scene(style, config, seed=3, number=2))
    with ThreadPoolExecutor(3) as pool:
        backwards = list(pool.map(again.draw, (4, 3, 2, 1)))[::-1]
    for one, other in zip(in_order, backwards, strict=True):
        np.testing.assert_array_equal(one.frame.image, other.frame.image)
        np.testing.assert_array_equal(one.mask, other.mask)
        assert one.people == other.people
    assert not np.array_equal(in_order[0].frame.image, in_order[3].frame.image)


def test_scenes_differ_by_number_and_seed():
    config = SceneConfig(width=96, height=64, frames=2, people=2)
    pictures = [
        Renderer(make_scene("street", config, seed=seed, number=number)).draw(1).frame.image
        for seed, number in ((0, 1), (0, 2), (1, 1))
    ]
    for k in range(3):
        assert np.abs(pictures[k].astype(int) - pictures[k - 1]).mean() > 5


@pytest.mark.parametrize("style", STYLES)
def test_people_do_not_stand_in_each_other_or_in_things(style):
    config = SceneConfig(width=96, height=64, frames=50, people=8, camera="still")
    for number in (1, 2):
        made = make_scene(style, config, seed=4, number=number)
        for time in np.linspace(0, 2, 5):
            spots = [actor.motion.footprint(float(time)) for actor in made.actors]
            for k, spot in enumerate(spots):
                sitting = made.actors[k].motion.name == "sit"
                inside = [
                    x0 < spot.x < x1 and y0 < spot.y < y1 for x0, y0, x1, y1 in made.place.obstacles
                ]  # fmt: skip
                dancing = made.actors[k].motion.name == "dance"
                assert sitting or dancing or not any(inside), (style, number, made.actors[k].motion.name)
                for other in spots[:k]:
                    assert np.hypot(spot.x - other.x, spot.y - other.y) > 0.3


def test_no_people_is_a_scene_too():
    made = make_scene("dance", SceneConfig(width=96, height=64, frames=2, people=0), seed=0, number=1)
    assert made.actors == ()
    assert Renderer(made).draw(1).people == ()


def test_a_point_of_the_stage_is_in_view_and_as_far_as_its_height_says():
    rng = np.random.default_rng(0)
    place = make_place("street", rng)
    made = make_scene("street", SceneConfig(frames=50, camera="still"), seed=1, number=1)
    stage = Stage(place, made.shot, 2.0, rng)
    camera = made.shot.at(0.0)
    heights = []
    for _ in range(100):
        x, y = stage.point(0.0, 60.0, 200.0)
        foot, head = camera.project(np.array([[x, y, 0], [x, y, 1.7]]))
        if stage.is_clear(x, y) and foot[2] > 0:
            heights.append(foot[1] - head[1])
            assert -5 < foot[0] < camera.width + 5
    assert len(heights) > 60
    assert np.median(heights) == pytest.approx((60 * 200) ** 0.5, rel=0.35)


@pytest.mark.parametrize("style", ["street", "surveillance"])
def test_in_a_long_scene_people_stay_where_they_can_be_seen(style):
    config = SceneConfig(width=96, height=64, frames=600, frame_rate=10.0, people=6, camera="still")
    made = make_scene(style, config, seed=2, number=1)
    assert len(made.actors) == 6
    renderer = Renderer(made)
    for index in (1, 300, 600):
        assert sum(person.visibility > 0.2 for person in renderer.draw(index).people) >= 3
    walking = [actor.motion for actor in made.actors if actor.motion.name == "walk"]
    assert walking
    for motion in walking:
        ways = np.array([[motion.footprint(t).x, motion.footprint(t).y] for t in np.arange(0, 60, 0.5)])
        assert np.hypot(*np.diff(ways, axis=0).T).sum() > 30  # nobody stands still for a minute


def test_a_stroll_is_long_enough_and_leads_around_things():
    made = make_scene("street", SceneConfig(people=0, camera="still"), seed=1, number=1)
    stage = Stage(made.place, made.shot, 60.0, np.random.default_rng(0))
    way = np.array(stage.stroll(50.0, 40.0, 250.0))
    assert np.hypot(*np.diff(way, axis=0).T).sum() >= 50
    for start, end in itertools.pairwise(way):
        if np.hypot(*(end - start)) > 2.6:
            assert all(stage.is_clear(x, y, 0.3) for x, y in np.linspace(start, end, 20))


def test_a_trial_that_fails_takes_nobody_in():
    made = make_scene("street", SceneConfig(frames=50, people=0, camera="still"), seed=1, number=1)
    open_place = replace(made.place, obstacles=np.empty((0, 4)), walkable=(-50.0, -50.0, 50.0, 50.0))
    stage = Stage(open_place, made.shot, 2.0, np.random.default_rng(0))
    with stage.trial() as trial:
        assert stage.try_add(Statue(0, 8))
        trial.keep = stage.try_add(Statue(0.1, 8))
    assert not trial.keep
    assert stage.try_add(Statue(0.1, 8))
    assert not stage.try_add(Statue(0, 8))
    in_the_lens = Statue(float(made.shot.position[0]), 0.5)
    assert not stage.try_add(in_the_lens)


def test_motions_of_the_factory_can_be_drawn():
    skeleton = Skeleton(BODIES[0].appearance.proportions)
    motion = make_motion(
        "stand", skeleton, np.random.default_rng(0), place=type("Spot", (), {"x": 0.0, "y": 6.0, "yaw": 3.0})()
    )
    assert Renderer(scene([motion])).draw(3).people[0].motion == "stand"
