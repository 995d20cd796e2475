"""Labels: inside the image, clear of one another, and calm from frame to frame."""

import itertools
import pickle

import numpy as np
import pytest

from vsdmot.report.labels import Labels, label_places
from vsdmot.report.lettering import font_size, text_width
from vsdmot.report.placement import Rectangle
from vsdmot.structures import Tracks


def make_tracks(people):
    """Make tracks from a mapping of id to box."""
    boxes = np.array(list(people.values()), np.float32).reshape(-1, 4)
    return Tracks(np.array(list(people), np.int64), boxes, np.full(len(people), 0.83, np.float32))


def arrange(people, shape=(240, 320, 3)):
    """Arrange the labels of a single frame."""
    return Labels(frame_rate=25, show_scores=True).arrange(1, make_tracks(people), shape)


def arrange_clip(frames, frame_rate=10):
    """Arrange frame after frame; gives for each the labels by id."""
    labels = Labels(frame_rate=frame_rate, show_scores=True)
    arranged = (labels.arrange(index, make_tracks(people), (240, 320, 3)) for index, people in enumerate(frames, 1))
    return [{label.track_id: label for label in frame} for frame in arranged]


@pytest.mark.parametrize(("x", "y"), [(-50, -50), (0, 0), (310, 3), (310, 235), (-20, 230), (150, 100), (9999, -9999)])
def test_labels_stay_inside_the_image(x, y):
    box = np.array([x, y, x + 40, y + 100], np.float32)
    places = label_places("1234567 0.83", box, 12, 2, (240, 320, 3))
    assert len(places) == 5
    for place in places:
        assert place.left >= 0
        assert place.top >= 0
        assert place.left + place.width <= 320
        assert place.top + place.height <= 240


def test_labels_of_people_who_stand_together_do_not_hide_each_other():
    people = {8: [130, 70, 170, 170], 9: [132, 71, 172, 172], 10: [128, 69, 168, 168], 11: [150, 72, 190, 174]}
    labels = arrange(people)
    assert [label.track_id for label in labels] == [8, 9, 10, 11]
    assert not any(one.place.overlap(other.place) for one, other in itertools.combinations(labels, 2))
    assert labels[-1].text == "11 0.83"  # the nearest has the first choice
    assert {label.text for label in labels[:-1]} & {"8", "9", "10"}  # others give up their scores


def test_everybody_has_a_label_even_where_there_is_no_room():
    people = {track_id: [130, 70, 170, 170] for track_id in range(1, 30)}
    assert len(arrange(people)) == 29
    assert arrange(people, (8, 320, 3)) == []


def test_a_score_does_not_come_and_go_while_the_box_trembles():
    """The text is 2.5 times as wide as a box of this width, where a score is just written."""
    width = text_width("1 0.83", font_size(240, 320), bold=True) / 2.5
    for first in (0.9, 1.1):
        trembling = [{1: [100, 80, 100 + width * share, 180]} for share in [first] + 30 * [0.95, 1.05, 0.9, 1.1]]
        texts = [frame[1].text for frame in arrange_clip(trembling)]
        assert sum(one != other for one, other in itertools.pairwise(texts)) <= 1
        assert texts[-1] == "1 0.83"


def test_a_much_narrower_box_loses_its_score_at_once():
    texts = [frame[1].text for frame in arrange_clip([{1: [100, 80, 140, 180]}, {1: [100, 80, 108, 180]}])]
    assert texts == ["1 0.83", "1"]


FAR = {1: [100, 60, 140, 160]}


def crossing(frames_together):
    """A nearer person stands where the first one's label is, then is gone again."""
    together = FAR | {2: [100, 62, 140, 190]}
    return [FAR] * 5 + [together] * frames_together + [FAR] * 30


def test_a_label_gives_way_at_once_and_returns_after_a_second():
    usual, *rest = (frame[1] for frame in arrange_clip(crossing(frames_together=3)))
    places = [label == usual for label in rest]
    # Frames 2 to 5 as usual; it moves in frame 6, is free again in frame 9, and stays away for 10 frames in all.
    assert places == [True] * 4 + [False] * 10 + [True] * 23


def test_a_label_returns_when_the_way_is_free_after_a_long_time_together():
    usual, *rest = (frame[1] for frame in arrange_clip(crossing(frames_together=40)))
    assert [label == usual for label in rest] == [True] * 4 + [False] * 40 + [True] * 30


def hidden_part(label, others):
    return sum(label.place.overlap(o) for o in others) / (label.place.width * label.place.height)


@pytest.mark.parametrize("gap", range(-14, 6))
def test_a_label_stays_only_while_little_of_it_is_hidden(gap):
    """Something takes the place right of the label, and reaches over it where the gap is negative."""
    labels = Labels(frame_rate=10, show_scores=True)
    (before,) = labels.arrange(1, make_tracks(FAR), (240, 320, 3))
    place = before.place
    taken = Rectangle(place.left + place.width + gap, place.top, 30, place.height)
    (after,) = labels.arrange(2, make_tracks(FAR), (240, 320, 3), taken=(taken,))
    stays = hidden_part(before, [taken]) <= 0.1
    assert (after == before) == stays
    assert hidden_part(after, [taken]) <= 0.1


def test_only_the_last_frame_is_kept():
    labels = Labels(frame_rate=10, show_scores=True)
    fresh = len(pickle.dumps(labels))
    for index in range(1, 200):
        labels.arrange(index, make_tracks({index: [100, 60, 140, 160]}), (240, 320, 3))
    labels.arrange(200, make_tracks({}), (240, 320, 3))
    assert len(pickle.dumps(labels)) == fresh
