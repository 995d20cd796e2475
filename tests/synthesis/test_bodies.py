"""People: every look gives a whole body, whose surface follows the right bones."""

import dataclasses

import numpy as np
import pytest

from vsdmot.synthesis.people.appearance import Pattern, Wardrobe, draw_appearance, draw_wardrobe
from vsdmot.synthesis.people.body import make_body
from vsdmot.synthesis.people.drawing import skin
from vsdmot.synthesis.people.materials import NUM_LOOKS, SEAM, look_of, single_materials, surface
from vsdmot.synthesis.people.solids import Material
from vsdmot.synthesis.skeleton import HANDS, THIGHS, Bone, Pose, Skeleton, pose_matrices

CELL = 0.03


def person(seed=0, **changes):
    return dataclasses.replace(draw_appearance(np.random.default_rng(seed)), **changes)


LOOKS = [
    *({"top": top} for top in ("t-shirt", "shirt", "jacket", "coat", "dress")),
    *({"bottom": bottom, "top": "shirt"} for bottom in ("trousers", "wide", "leggings", "shorts", "skirt")),
    *({"hair": hair} for hair in ("short", "buzzed", "bob", "long", "ponytail", "bun", "cap", "hood")),
    *({"item": item} for item in ("backpack", "handbag", "box", "phone", "trolley")),
    {"female": True, "bulk": 0.94},
    {"female": False, "bulk": 1.36},
]


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: "-".join(map(str, look.values())))
def test_every_look_gives_a_body_as_tall_as_the_person(look):
    body = make_body(person(3, **look), CELL)
    stature = body.appearance.proportions.stature
    assert body.vertices[:, 2].max() == pytest.approx(stature, abs=0.06)
    assert body.vertices[:, 2].min() == pytest.approx(0, abs=0.03)
    np.testing.assert_allclose(body.weights.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(body.normals, axis=1), 1, atol=1e-5)
    assert np.isfinite(body.attributes).all()
    assert body.triangles.max() == len(body.vertices) - 1


@pytest.mark.parametrize("child", [False, True])
def test_the_same_draw_gives_the_same_body_and_another_draw_another(child):
    first, again, other = (
        make_body(draw_appearance(np.random.default_rng(seed), child=child), CELL) for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first.vertices, again.vertices)
    np.testing.assert_array_equal(first.attributes, again.attributes)
    assert len(first.vertices) != len(other.vertices)


def test_hands_move_with_the_arms_and_not_with_the_thighs_beside_them():
    body = make_body(person(1, item="none", top="shirt"), CELL)
    skeleton = body.skeleton
    for side in (0, 1):
        near_hand = np.linalg.norm(body.vertices - skeleton.hand_tips[side], axis=1) < 0.08
        assert near_hand.any()
        assert not np.isin(body.bones[near_hand], THIGHS)[body.weights[near_hand] > 0.01].any()
        strongest = body.bones[near_hand, 0]
        assert (strongest == HANDS[side]).all()


def test_a_raised_arm_leaves_the_rest_of_the_body_where_it_was():
    body = make_body(person(2), CELL)
    rotations = np.tile(np.eye(3), (17, 1, 1))
    rest = Pose(rotations=rotations, root_position=np.zeros(2), root_rotation=np.eye(3))
    raised = rotations.copy()
    raised[Bone.RIGHT_UPPER_ARM] = [[0, 0, -1], [0, 1, 0], [1, 0, 0]]  # turns x up
    placed = []
    for pose in (rest, dataclasses.replace(rest, rotations=raised)):
        posed, turned = np.empty_like(body.vertices), np.empty_like(body.normals)
        skin(
            body.vertices, body.normals, body.bones, body.weights, pose_matrices(body.skeleton, pose), posed, turned
        )  # fmt: skip
        placed.append(posed)
    moved = np.linalg.norm(placed[1] - placed[0], axis=1)
    legs = (body.vertices[:, 2] < 0.9) & (np.abs(body.vertices[:, 0]) < 0.25)
    assert moved[legs].max() < 1e-5
    assert moved[body.vertices[:, 0] < 0].max() < 0.02
    assert moved.max() > 0.8


def test_skinning_is_the_weighted_sum_of_what_each_bone_does():
    rng = np.random.default_rng(0)
    vertices, normals = rng.normal(size=(2, 5, 3)).astype(np.float32)
    bones = rng.integers(0, 17, (5, 4)).astype(np.int32)
    weights = rng.random((5, 4)).astype(np.float32)
    weights /= weights.sum(axis=1, keepdims=True)
    matrices = rng.normal(size=(17, 3, 4))
    posed, turned = np.empty_like(vertices), np.empty_like(normals)
    skin(vertices, normals, bones, weights, matrices, posed, turned)
    for n in range(5):
        place, turn = np.zeros(3), np.zeros(3)
        for k in range(4):
            place += weights[n, k] * (matrices[bones[n, k]] @ [*vertices[n], 1])
            turn += weights[n, k] * (matrices[bones[n, k], :, :3] @ normals[n])
        np.testing.assert_allclose(posed[n], place, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(turned[n], turn, rtol=1e-5, atol=1e-5)


def test_materials_are_where_they_belong():
    body = make_body(person(4, top="t-shirt", short_sleeves=True, bottom="shorts", hair="short", item="none"), 0.02)
    material = body.attributes[:, 5:].argmin(axis=1)
    joints = body.skeleton.joints

    def at(point):
        return material[np.linalg.norm(body.vertices - point, axis=1).argmin()]

    assert at(body.skeleton.crown) == Material.HAIR
    assert at(body.skeleton.toes[0]) == Material.SHOE
    assert at(body.skeleton.hand_tips[1]) == Material.SKIN
    assert at(joints[Bone.CHEST] + (0, 0.12, 0.05)) == Material.TOP
    assert at((joints[Bone.RIGHT_THIGH] + joints[Bone.RIGHT_CALF]) / 2 + (0, 0.1, 0.1)) == Material.BOTTOM
    assert at((joints[Bone.RIGHT_CALF] + joints[Bone.RIGHT_FOOT]) / 2 + (0, 0.1, 0)) == Material.SKIN


def test_a_wardrobe_dresses_people_alike():
    rng = np.random.default_rng(0)
    wardrobe = draw_wardrobe(rng, alike=True)
    people = [draw_appearance(rng, wardrobe) for _ in range(8)]
    assert len({p.pattern for p in people}) == 1
    tops = np.array([p.top_colour for p in people])
    assert min(np.abs(tops - colour).max(axis=1).max() for colour in wardrobe.top_colours) < 0.35
    assert draw_wardrobe(rng, alike=False) == Wardrobe()
    colours = np.array([draw_appearance(rng).top_colour for _ in range(30)])
    assert colours.std(axis=0).min() > 0.1


def colour_of(look, **values):
    array = np.full(11, 9.0)
    array[:5] = [0, 0, 0, 1, 1]
    for index, value in values.items():
        array[int(index[1:])] = value
    colour = np.zeros(4)
    surface(look, array, -1, colour)
    material = int(array[5:].argmin())
    if np.partition(array[5:], 1)[1] - array[5 + material] > SEAM:  # then the distances are not needed
        without = np.zeros(4)
        array[5:] = np.nan
        surface(look, array, material, without)
        np.testing.assert_array_equal(without, colour)
    return colour[:3].tolist()


def test_a_point_has_the_colour_of_the_nearest_material():
    appearance = person(0, pattern=Pattern.PLAIN, top="shirt")
    look = look_of(appearance)
    assert look.shape == (NUM_LOOKS,)
    for material, colour in [
        (Material.SKIN, appearance.skin),
        (Material.HAIR, appearance.hair_colour),
        (Material.TOP, appearance.top_colour),
        (Material.BOTTOM, appearance.bottom_colour),
        (Material.ITEM, appearance.item_colour),
    ]:
        assert colour_of(look, **{f"i{5 + material}": 0.0, "i2": 1.0}) == pytest.approx(colour, abs=1e-6)


def test_seams_are_darker_than_the_cloth_on_both_sides():
    look = look_of(person(0, pattern=Pattern.PLAIN, top="shirt"))
    plain = colour_of(look, i7=0.0, i8=0.05, i2=1.0)
    seam = colour_of(look, i7=0.0, i8=0.002, i2=1.0)
    assert seam == pytest.approx([0.8 * value for value in plain])


@pytest.mark.parametrize("pattern", [Pattern.STRIPES, Pattern.CHECK, Pattern.PRINT, Pattern.BLOCK])
def test_patterns_show_both_colours(pattern):
    appearance = person(0, pattern=pattern, top="shirt", top_colour=(0.9, 0.1, 0.1), accent=(0.1, 0.1, 0.9))
    look = look_of(appearance)
    blue = [
        colour_of(look, i7=0.0, i0=x, i1=0.1, i2=z)[2]
        for x in np.linspace(-0.08, 0.08, 15)
        for z in np.linspace(1.1, 1.4, 30)
    ]
    assert min(blue) < 0.15
    assert max(blue) > 0.45


def test_an_open_jacket_shows_what_is_under_it_only_in_front():
    appearance = dataclasses.replace(
        person(0), top="jacket", seed=5, top_colour=(0.9, 0.1, 0.1), accent=(0.1, 0.1, 0.9)
    )
    assert appearance.open_front
    look = look_of(appearance)
    assert colour_of(look, i7=0.0, i0=0.0, i1=0.1, i2=1.2)[2] > 0.8
    assert colour_of(look, i7=0.0, i0=0.0, i1=-0.1, i2=1.2)[2] < 0.2


def test_a_head_in_proportion_carries_the_face_where_the_reference_has_it():
    """Eyes are drawn by place on the reference body; a child's head is larger and lower."""
    child = make_body(draw_appearance(np.random.default_rng(1), child=True), 0.02)
    reference = Skeleton()
    head = np.linalg.norm(child.vertices - child.skeleton.crown, axis=1) < 0.05
    np.testing.assert_allclose(child.attributes[head, 2].max(), reference.crown[2], atol=0.03)


def test_a_triangle_has_one_material_only_if_its_corners_agree_and_lie_off_the_seam():
    distances = np.full((5, 6), 0.5)
    distances[[0, 1, 2], 2] = 0
    distances[3, 3] = 0
    distances[4, 2], distances[4, 3] = 0, SEAM / 2
    triangles = np.array([[0, 1, 2], [0, 1, 3], [0, 1, 4]], np.int32)
    assert single_materials(distances, triangles).tolist() == [2, -1, -1]
