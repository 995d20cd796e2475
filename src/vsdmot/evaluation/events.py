"""What happens to tracks: where they begin and end, and where they break on a person.

Breaks need ground truth. They are counted under the matching of CLEAR, so that a sequence has as many identity switches
and fragments as TrackEval says (IDSW, Frag):

- **identity switch**: a person is matched to another track than when last matched, however long ago that was;
- **fragment**: a person who was matched before, and was not in the frame before, is matched again, by whichever track.

A person who is lost and found again under a new id is both at once, and one `Break`. "The frame before" is the last one
that had people and reports, as in the official code.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from vsdmot.evaluation.by_frame import clear_matches
from vsdmot.evaluation.preprocess import SequenceData
from vsdmot.evaluation.tracked import TrackedBoxes
from vsdmot.io.annotations import GroundTruth

Corners = tuple[float, float, float, float]
"""A box: left, top, right, bottom in pixels."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A track in a frame.

    Attributes:
        frame: From 1.
        track_id: As the tracker numbers it.
        box: Where the tracker says the person is.
    """

    frame: int
    track_id: int
    box: Corners


@dataclass(frozen=True, slots=True)
class Break:
    """A person whose track does not simply go on.

    Attributes:
        person: The id in the ground truth.
        before: When the person was last matched.
        after: When the person is matched again; the frame that the metrics charge.
        truth_before: Where the person really was in ``before.frame``.
        truth_after: Where the person really is in ``after.frame``.
        is_switch: Whether it counts as IDSW: the ids differ.
        is_fragment: Whether it counts in Frag: there is a gap in between.
    """

    person: int
    before: Sighting
    after: Sighting
    truth_before: Corners
    truth_after: Corners
    is_switch: bool
    is_fragment: bool


@dataclass(frozen=True, slots=True)
class Life:
    """A track from its first box to its last.

    Attributes:
        track_id: As the tracker numbers it.
        first: Its first box.
        last: Its last box.
        spans: First and last frame of each stretch without a gap, in order.
        num_boxes: In how many frames it is reported.
    """

    track_id: int
    first: Sighting
    last: Sighting
    spans: tuple[tuple[int, int], ...]
    num_boxes: int


def find_breaks(data: SequenceData, truth: GroundTruth, tracks: TrackedBoxes) -> list[Break]:
    """Find every identity switch and fragment, by rising frame.

    Args:
        data: What `prepare` made of the two.
        truth: The ground truth of the sequence.
        tracks: What the tracker reported.
    """
    truth_start = np.concatenate([[0], np.cumsum([len(ids) for ids in data.truth_ids])])
    track_start = np.concatenate([[0], np.cumsum([len(ids) for ids in data.track_ids])])
    latest: dict[int, tuple[int, int]] = {}  # of each person: the rows of truth and track when last matched
    just_now: set[int] = set()
    found = []
    for frame, rows, columns in clear_matches(data):
        matched = set()
        truth_rows = data.truth_rows[truth_start[frame] + rows].tolist()
        track_rows = data.track_rows[track_start[frame] + columns].tolist()
        for truth_row, track_row in zip(truth_rows, track_rows, strict=True):
            person = int(truth.ids[truth_row])
            matched.add(person)
            if person in latest:
                truth_before, track_before = latest[person]
                before, after = _sighting(tracks, track_before), _sighting(tracks, track_row)
                is_switch, is_fragment = before.track_id != after.track_id, person not in just_now
                if is_switch or is_fragment:
                    places = _corners(truth, truth_before), _corners(truth, truth_row)
                    found.append(Break(person, before, after, *places, is_switch, is_fragment))
            latest[person] = truth_row, track_row
        just_now = matched
    return found


def find_lives(tracks: TrackedBoxes) -> list[Life]:
    """Follow every track from its first box to its last; in the order in which they begin, then by id."""
    order = np.lexsort((tracks.frames, tracks.ids))
    ids, frames = tracks.ids[order], tracks.frames[order]
    lives = []
    for rows in np.split(order, np.flatnonzero(np.diff(ids)) + 1) if len(order) else []:
        frames = tracks.frames[rows]
        stretches = np.split(frames, np.flatnonzero(np.diff(frames) > 1) + 1)
        lives.append(
            Life(
                track_id=int(tracks.ids[rows[0]]),
                first=_sighting(tracks, int(rows[0])),
                last=_sighting(tracks, int(rows[-1])),
                spans=tuple((int(stretch[0]), int(stretch[-1])) for stretch in stretches),
                num_boxes=len(rows),
            )
        )
    return sorted(lives, key=lambda life: (life.first.frame, life.track_id))


def births(lives: Iterable[Life], *, first_frame: int = 1) -> list[Sighting]:
    """Give the first box of each track, by rising frame.

    Tracks that are there in the first frame were not born in it, as far as the video shows, and are left out.
    """
    return _by_frame(life.first for life in lives if life.first.frame > first_frame)


def losses(lives: Iterable[Life], *, last_frame: int) -> list[Sighting]:
    """Give the last box of each track that does not last to the end of the video, by rising frame.

    Somebody who leaves the picture is among them: without ground truth nothing tells the two apart for certain.
    """
    return _by_frame(life.last for life in lives if life.last.frame < last_frame)


def _by_frame(sightings: Iterable[Sighting]) -> list[Sighting]:
    return sorted(sightings, key=lambda one: (one.frame, one.track_id))


def _sighting(tracks: TrackedBoxes, row: int) -> Sighting:
    return Sighting(int(tracks.frames[row]), int(tracks.ids[row]), _corners(tracks, row))


def _corners(rows: TrackedBoxes | GroundTruth, row: int) -> Corners:
    left, top, right, bottom = rows.boxes[row].tolist()
    return left, top, right, bottom
