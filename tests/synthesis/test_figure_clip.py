"""The drawn clip: exact boxes, chance from the seed alone, crossings, and a bad spell in the middle."""

import itertools

import cv2
import numpy as np
import pytest

from vsdmot.boxes import iou
from vsdmot.errors import ConfigError
from vsdmot.quality import assess
from vsdmot.synthesis.figure_clip import FigureClipConfig, degrade, draw_figures

SMALL = {"num_frames": 40, "width": 320, "height": 180}


def test_the_same_seed_gives_the_same_bits_and_another_seed_another_clip():
    first, again, other = (list(draw_figures(FigureClipConfig(**SMALL, seed=s))) for s in (3, 3, 4))
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.frame.image, two.frame.image)
        np.testing.assert_array_equal(one.truth.boxes, two.truth.boxes)
        np.testing.assert_array_equal(one.truth.ids, two.truth.ids)
    assert all((a.frame.image != b.frame.image).any() for a, b in zip(first, other, strict=True))


def test_frames_are_numbered_timed_and_sized_as_asked():
    frames = list(draw_figures(FigureClipConfig(num_frames=5, width=99, height=61, frame_rate=10.0)))
    assert [f.frame.index for f in frames] == [1, 2, 3, 4, 5]
    assert [f.frame.time for f in frames] == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])
    assert {f.frame.image.shape for f in frames} == {(61, 99, 3)}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_boxes_enclose_the_drawn_pixels_tightly(seed):
    clean = {"num_frames": 24, "width": 480, "height": 270, "worst_severity": 0.0, "seed": seed}
    street = next(draw_figures(FigureClipConfig(**clean, num_people=0))).frame.image.astype(int)
    checked = 0
    for drawn in draw_figures(FigureClipConfig(**clean, num_people=1)):
        left, top, right, bottom = drawn.truth.boxes[0] if len(drawn.truth) else (-1, 0, 0, 0)
        if left < 0 or right > 480:
            continue
        changed = np.abs(drawn.frame.image.astype(int) - street).max(axis=2) > 12
        rows, columns = np.nonzero(changed)
        mask = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        np.testing.assert_allclose(mask, (left, top, right, bottom), atol=1.6)
        checked += 1
    assert checked >= 8


def test_who_is_nearer_is_drawn_over_who_is_farther():
    """Where two boxes overlap, the picture with both shows the nearer figure as if it were alone."""
    clean = {"num_frames": 60, "width": 320, "height": 180, "worst_severity": 0.0, "seed": 5}
    alone = list(draw_figures(FigureClipConfig(**clean, num_people=1)))
    both = list(draw_figures(FigureClipConfig(**clean, num_people=2)))
    street = next(draw_figures(FigureClipConfig(**clean, num_people=0))).frame.image.astype(int)
    overlaps = 0
    for one, two in zip(alone, both, strict=True):
        if len(two.truth) < 2 or not iou(two.truth.boxes[:1], two.truth.boxes[1:]).any():
            continue
        first_is_nearer = two.truth.boxes[0, 3] > two.truth.boxes[1, 3]
        core = (np.abs(one.frame.image.astype(int) - street).max(axis=2) > 12).astype(np.uint8)
        core = cv2.erode(core, np.ones((3, 3), np.uint8)).astype(bool)  # without the smoothed edge
        same = (one.frame.image == two.frame.image).all(axis=2)[core].mean()
        assert (same > 0.97) == first_is_nearer
        overlaps += 1
    assert overlaps >= 3


def test_a_figure_keeps_its_id_and_moves_little_from_frame_to_frame():
    frames = list(draw_figures(FigureClipConfig()))
    for before, after in itertools.pairwise(frames):
        old = dict(zip(before.truth.ids.tolist(), before.truth.boxes, strict=True))
        for track_id, box in zip(after.truth.ids.tolist(), after.truth.boxes, strict=True):
            if track_id in old:
                assert iou(old[track_id][None], box[None])[0, 0] > 0.4
                assert abs(old[track_id][3] - box[3]) < 1e-3  # the ground does not move


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_people_enter_leave_and_cross(seed):
    frames = [f.truth for f in draw_figures(FigureClipConfig(width=160, height=90, seed=seed))]
    present = [set(t.ids.tolist()) for t in frames]
    assert set().union(*present) == {1, 2, 3, 4, 5, 6}
    assert sum(len(after - before) for before, after in itertools.pairwise(present)) >= 2
    assert sum(len(before - after) for before, after in itertools.pairwise(present)) >= 2
    assert crossings(frames) >= 2


def crossings(frames):
    """Count pairs that change sides while their boxes overlap."""
    count, sides = 0, {}
    for tracks in frames:
        middles = dict(zip(tracks.ids.tolist(), (tracks.boxes[:, 0] + tracks.boxes[:, 2]) / 2, strict=True))
        boxes = dict(zip(tracks.ids.tolist(), tracks.boxes, strict=True))
        for pair in itertools.combinations(middles, 2):
            side = middles[pair[0]] < middles[pair[1]]
            overlap = iou(boxes[pair[0]][None], boxes[pair[1]][None])[0, 0] > 0
            count += overlap and sides.get(pair, side) != side
            sides[pair] = side
    return count


def test_everybody_in_the_truth_shows_in_the_picture():
    for drawn in draw_figures(FigureClipConfig(width=160, height=90)):
        boxes = drawn.truth.boxes
        inside = boxes.clip(0, [160, 90, 160, 90])
        parts = (inside[:, 2:] - inside[:, :2]).prod(axis=1) / (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
        assert (parts >= 0.199).all()
        assert (drawn.truth.scores == 1).all()


def test_an_empty_street_is_legal():
    frames = list(draw_figures(FigureClipConfig(**SMALL, num_people=0)))
    assert len(frames) == 40
    assert all(len(f.truth) == 0 for f in frames)


def test_the_middle_of_the_clip_is_the_worst_and_both_ends_are_clean():
    frames = list(draw_figures(FigureClipConfig(**SMALL)))
    severities = [f.severity for f in frames]
    assert max(severities[:5] + severities[-5:]) == 0
    assert max(severities) == max(severities[16:24]) == pytest.approx(0.65, abs=0.02)
    light = [f.frame.image.mean() for f in frames]
    noise = [grain(f.frame.image) for f in frames]
    assert max(light[18:22]) < 0.7 * min(light[0], light[-1])
    assert min(noise[18:22]) > 4 * max(noise[0], noise[-1])


def test_the_measured_quality_falls_and_recovers():
    scores = [assess(f.frame).score for f in draw_figures(FigureClipConfig(num_frames=30))]
    assert max(scores[13:17]) < min(scores[0], scores[-1]) - 0.3
    assert abs(scores[0] - scores[-1]) < 0.15


def grain(image):
    """Median difference between a pixel and the middle of its surroundings: noise, hardly edges."""
    return float(np.median(np.abs(image.astype(float) - cv2.medianBlur(image, 5))))


def test_a_worse_severity_blurs_an_edge_wider():
    image = np.zeros((60, 120, 3), np.uint8)
    image[:, 60:] = 255
    widths = []
    for severity in (0.1, 0.4, 0.7, 1.0):
        line = degrade(image, severity, np.random.default_rng(0)).mean(axis=(0, 2))
        low, high = line[:30].mean(), line[90:].mean()
        share = (line - low) / (high - low)
        widths.append(np.sum((share > 0.1) & (share < 0.9)))
    assert widths == sorted(widths)
    assert widths[-1] >= 2 * widths[0]


def test_worst_severity_0_leaves_every_frame_clean():
    assert {f.severity for f in draw_figures(FigureClipConfig(**SMALL, worst_severity=0.0))} == {0.0}


def test_degrading_leaves_its_input_alone_and_severity_0_changes_nothing():
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    before = image.copy()
    np.testing.assert_array_equal(degrade(image, 0.0, np.random.default_rng(1)), before)
    assert (degrade(image, 0.5, np.random.default_rng(1)) != before).any()
    np.testing.assert_array_equal(image, before)


def test_settings_out_of_range_are_refused_together():
    with pytest.raises(ConfigError) as caught:
        FigureClipConfig(num_frames=0, num_people=-1, worst_severity=1.5, frame_rate=0)
    assert len(str(caught.value).splitlines()) == 4
