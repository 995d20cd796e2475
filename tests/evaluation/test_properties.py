"""What must hold of the metrics on any input, and their definitions written the slow way."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vsdmot.evaluation.by_frame import FrameCounts, count_by_frame
from vsdmot.evaluation.preprocess import SequenceData, box_overlaps, prepare
from vsdmot.evaluation.rules import RULES
from vsdmot.evaluation.scores import ALPHAS, COUNTS, FIELDS, Scores, combine, score
from vsdmot.evaluation.tracked import TrackedBoxes
from vsdmot.io.annotations import GroundTruth

SETTINGS = settings(max_examples=80, deadline=None, database=None, derandomize=True)
FAR = 5000.0


@dataclass(frozen=True)
class Box:
    """A row of either file: a box ``xyxy`` and whose it is."""

    frame: int
    owner: int
    corners: tuple[float, float, float, float]
    flag: int = 1
    kind: int = 1


@dataclass(frozen=True)
class Scene:
    """A short sequence with results."""

    truth: tuple[Box, ...]
    tracks: tuple[Box, ...]
    num_frames: int

    def data(self, rule: str = "mot17") -> SequenceData:
        truth, tracks = (sorted(rows, key=lambda row: row.frame) for rows in (self.truth, self.tracks))
        return prepare(
            "S",
            GroundTruth(
                path=Path("gt.txt"),
                frames=np.array([row.frame for row in truth], np.int64),
                ids=np.array([row.owner for row in truth], np.int64),
                boxes=np.array([row.corners for row in truth]).reshape(-1, 4),
                considered=np.array([row.flag != 0 for row in truth], bool),
                classes=np.array([row.kind for row in truth], np.int64),
                visibility=np.ones(len(truth)),
                line_numbers=np.arange(1, len(truth) + 1),
            ),
            TrackedBoxes(
                np.array([row.frame for row in tracks], np.int64),
                np.array([row.owner for row in tracks], np.int64),
                np.array([row.corners for row in tracks]).reshape(-1, 4),
            ),
            RULES[rule],
            self.num_frames,
        )

    def scores(self, rule: str = "mot17") -> Scores:
        return score(self.data(rule))


@st.composite
def scenes(draw: st.DrawFn, *, kinds: tuple[int, ...] = (1, 1, 1, 1, 1, 8, 6, 13), most_people: int = 4) -> Scene:
    """People walk past one another; tracks shiver, miss them, change their ids, and report what is not there."""
    num_frames = draw(st.sampled_from((1, 2, 4, 6, 7)))
    num_people = draw(st.sampled_from((0, *range(1, most_people + 1), most_people)))
    missing, switching, ignored = (draw(st.sampled_from((0.0, 0.1, 0.3))) for _ in range(3))
    shiver, num_false = draw(st.sampled_from((0.5, 4.0, 8.0))), draw(st.integers(0, 2))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    truth, tracks = [], []
    for person in range(1, num_people + 1):
        kind = int(random.choice(kinds))
        corners, speed = random.uniform(0, 60, 2), random.uniform(-9, 9, 2)
        track_id = 10 * person
        for frame in range(1, num_frames + 1):
            corners = corners + speed
            size = random.uniform(25, 45, 2)
            if random.random() < missing:
                continue
            flag = int(random.random() >= ignored)
            truth.append(Box(frame, person, (*corners.tolist(), *(corners + size).tolist()), flag, kind))
            track_id += int(random.random() < switching)
            if random.random() >= missing:
                seen = np.concatenate([corners, corners + size]) + random.normal(0, shiver, 4)
                tracks.append(Box(frame, track_id, tuple(seen.tolist())))
    for number in range(num_false):
        frame, corners = int(random.integers(1, num_frames + 1)), random.uniform(0, 90, 2)
        tracks.append(Box(frame, 900 + number, (*corners.tolist(), *(corners + 30).tolist())))
    return Scene(tuple(truth), tuple(tracks), num_frames)


def require_equal(found: Scores, expected: Scores, *, leave_out: frozenset[str] = frozenset()) -> None:
    names = set(FIELDS) - leave_out
    assert {name: found[name] for name in names} == pytest.approx({name: expected[name] for name in names}, abs=1e-9)
    for name, array in expected.per_alpha.items():
        np.testing.assert_allclose(found.per_alpha[name], array, rtol=0, atol=1e-9, err_msg=name)


@SETTINGS
@given(scenes(), st.sampled_from(sorted(RULES)))
def test_hota_is_bounded_by_detection_and_association(scene, rule):
    scores = scene.scores(rule)
    arrays = scores.per_alpha
    assert (arrays["HOTA"] <= np.sqrt(arrays["DetA"] * arrays["AssA"]) + 1e-12).all()
    assert scores["HOTA"] <= np.sqrt(scores["DetA"] * scores["AssA"]) + 1e-12  # Cauchy-Schwarz
    for name in ("HOTA", "DetA", "AssA", "DetRe", "DetPr", "AssRe", "AssPr", "LocA", "IDF1", "IDR", "IDP", "CLR_F1"):
        assert 0 <= scores[name] <= 1 + 1e-12, name
    assert scores["MOTA"] <= scores["MODA"] <= 1
    assert scores["CLR_TP"] + scores["CLR_FN"] == scores["IDTP"] + scores["IDFN"] == len_of(scene.data(rule).truth_ids)
    assert scores["CLR_TP"] + scores["CLR_FP"] == scores["IDTP"] + scores["IDFP"] == len_of(scene.data(rule).track_ids)


def len_of(ids: list[np.ndarray]) -> int:
    return sum(map(len, ids))


@SETTINGS
@given(scenes(), st.sampled_from(("mot15", "mot17", "mot20")), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_the_numbers_of_ids_change_nothing(scene, rule, chance):
    other = []
    for rows in (scene.truth, scene.tracks):
        owners = sorted({row.owner for row in rows})
        renamed = dict(zip(owners, chance.sample(range(10_000), len(owners)), strict=True))
        moved = [replace(row, owner=renamed[row.owner]) for row in rows]
        chance.shuffle(moved)
        other.append(tuple(moved))
    require_equal(Scene(*other, scene.num_frames).scores(rule), scene.scores(rule))


@SETTINGS
@given(scenes())
def test_results_equal_to_the_truth_score_one(scene):
    people = [row for row in scene.truth if row.flag and row.kind == 1]
    scores = replace(scene, tracks=tuple(replace(row, owner=row.owner + 70) for row in people)).scores()
    if not people:
        assert scores["CLR_TP"] == scores["CLR_FN"] == scores["CLR_FP"] == 0
        return
    assert scores["CLR_TP"] == scores["IDTP"] == len(people)
    assert all(scores[name] == 0 for name in ("CLR_FP", "CLR_FN", "IDSW", "IDFP", "IDFN", "PT", "ML"))
    for name in ("HOTA", "DetA", "AssA", "AssRe", "AssPr", "LocA", "MOTA", "MOTP", "IDF1", "MTR"):
        assert scores[name] == pytest.approx(1, abs=1e-12), name


@SETTINGS
@given(st.lists(scenes(), min_size=1, max_size=3), st.sampled_from(("mot15", "mot17", "mot20")))
def test_frames_add_up_to_sequences_and_sequences_to_all(several, rule):
    data = [scene.data(rule) for scene in several]
    scores, counts = [score(one) for one in data], [count_by_frame(one) for one in data]
    pairs = [*zip(scores, counts, strict=True)]
    pairs.append((combine({str(k): one for k, one in enumerate(scores)}), FrameCounts.joined(counts)))
    for expected, found in pairs:
        official = {name: expected[name] for name in found.scores()}
        if not found.num_truth.any():
            official["MOTA"] = 0.0  # as officially for one sequence without people; for several it is -CLR_FP
        assert found.scores() == pytest.approx(official, abs=1e-9)
        np.testing.assert_array_equal(found.hits.sum(axis=0), expected.per_alpha["HOTA_TP"])
        assert found.id_matches.sum() == expected["IDTP"]
    for one, found in zip(data, counts, strict=True):
        assert len(found) == one.num_frames
        assert (found.matches <= np.minimum(found.num_truth, found.num_tracks)).all()
        assert (found.switches <= found.matches).all()


@SETTINGS
@given(scenes(), st.integers(1, 9), st.integers(0, 7))
def test_frames_without_anybody_change_only_their_number(scene, num_empty, after):
    def later(rows: tuple[Box, ...]) -> tuple[Box, ...]:
        return tuple(replace(row, frame=row.frame + num_empty * (row.frame > after)) for row in rows)

    longer = Scene(later(scene.truth), later(scene.tracks), scene.num_frames + num_empty)
    short, long = scene.scores(), longer.scores()
    require_equal(long, short, leave_out=frozenset(("CLR_Frames", "FP_per_frame")))
    if short["CLR_Frames"]:  # officially 0 where one side is empty
        assert long["CLR_Frames"] == short["CLR_Frames"] + num_empty


@SETTINGS
@given(scenes())
def test_a_sequence_taken_twice_keeps_its_fractions(scene):
    scores = scene.scores()
    assume(scores["CLR_TP"] + scores["CLR_FN"])  # without people, official accuracies are no fractions
    once, twice = combine({"one": scores}), combine({"one": scores, "two": scores})
    for name in FIELDS:
        if name in COUNTS or name == "MOTP_sum":
            assert twice[name] == pytest.approx(2 * once[name], abs=1e-9), name
        elif name != "MOTAL":  # takes the logarithm of the number of switches
            assert twice[name] == pytest.approx(once[name], abs=1e-9), name
    if scores["CLR_Frames"]:
        require_equal(once, scores)


@SETTINGS
@given(scenes(), st.integers(1, 13), st.sampled_from(sorted(RULES)), st.booleans())
def test_a_report_on_a_distractor_is_neither_right_nor_wrong(scene, kind, rule, is_flagged):
    box = (FAR, FAR, FAR + 30, FAR + 60)
    frames = range(1, scene.num_frames + 1)
    distractor = tuple(Box(frame, 800, box, flag=int(is_flagged), kind=kind) for frame in frames)
    report = tuple(Box(frame, 801, box) for frame in frames)
    unreported = replace(scene, truth=scene.truth + distractor)
    without, reported = unreported.scores(rule), replace(unreported, tracks=scene.tracks + report).scores(rule)
    is_forgiven = rule != "mot15" and (kind in (2, 7, 8, 12) or (kind == 6 and rule == "mot20"))
    is_person = is_flagged and (rule == "mot15" or kind == 1)
    if is_forgiven:
        require_equal(reported, without)
    elif is_person:
        assert reported["CLR_TP"] == without["CLR_TP"] + scene.num_frames
        assert reported["CLR_FP"] == without["CLR_FP"]
    else:
        assert reported["CLR_TP"] == without["CLR_TP"]
        assert reported["CLR_FP"] == without["CLR_FP"] + scene.num_frames


def test_a_distractor_forgives_one_report_and_only_where_nobody_is_nearer():
    person, statue = (0.0, 0.0, 30.0, 60.0), (6.0, 0.0, 36.0, 60.0)
    truth = (Box(1, 1, person), Box(1, 2, statue, kind=7))
    near_both, near_statue, far = (2.0, 0.0, 32.0, 60.0), (7.0, 0.0, 37.0, 60.0), (22.0, 0.0, 52.0, 60.0)
    for boxes, num_wrong in (((near_both,), 0), ((near_both, near_statue), 0), ((near_both, near_statue, far), 1)):
        scores = Scene(truth, tuple(Box(1, k, box) for k, box in enumerate(boxes)), 1).scores()
        assert (scores["CLR_TP"], scores["CLR_FP"], scores["CLR_FN"]) == (1, num_wrong, 0)


@pytest.mark.parametrize("threshold", ALPHAS)
def test_an_overlap_a_hair_below_a_threshold_reaches_it_but_not_for_identity(threshold):
    """Officially all thresholds but that of Identity have a tolerance of one rounding error."""
    for overlap, is_reached in ((np.nextafter(threshold, 0), True), (threshold - 1e-12, False)):
        row = np.array([0])
        data = SequenceData("S", [row], [row], [np.array([[overlap]])], 1, 1, row, row)
        scores, counts = score(data), count_by_frame(data)
        reached = threshold - 0.01 > ALPHAS
        reached[np.isclose(ALPHAS, threshold)] = is_reached
        np.testing.assert_array_equal(scores.per_alpha["HOTA_TP"], reached)
        np.testing.assert_array_equal(counts.hits[0], reached)
        is_right = bool(reached[np.isclose(ALPHAS, 0.5)])
        assert scores["CLR_TP"] == counts.matches[0] == is_right
        assert scores["IDTP"] == counts.id_matches[0] == (overlap >= 0.5)


def slow_overlap(first: tuple[float, ...], second: tuple[float, ...]) -> float:
    """Area of the intersection over area of the union."""
    wide = min(first[2], second[2]) - max(first[0], second[0])
    high = min(first[3], second[3]) - max(first[1], second[1])
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    if min(areas) <= 0 or wide <= 0 or high <= 0:
        return 0.0
    return wide * high / (sum(areas) - wide * high)


corner = st.integers(-6, 6).map(float)


@SETTINGS
@given(st.lists(st.tuples(corner, corner, corner, corner), max_size=5), st.lists(st.tuples(*[corner] * 4), max_size=5))
def test_overlaps_are_intersection_over_union(first, second):
    found = box_overlaps(np.array(first).reshape(-1, 4), np.array(second).reshape(-1, 4))
    assert found.shape == (len(first), len(second))
    for i, j in np.ndindex(found.shape):
        assert found[i, j] == pytest.approx(slow_overlap(first[i], second[j]), abs=1e-12)


Pairs = dict[tuple[int, int], float]
"""For each person and track of a frame, a number."""


def slow_frames(scene: Scene) -> list[tuple[list[int], list[int], Pairs]]:
    """For each frame: who is there, which tracks, and how far each two overlap."""
    frames = []
    for frame in range(1, scene.num_frames + 1):
        here = [row for row in scene.truth if row.frame == frame and row.flag]
        there = [row for row in scene.tracks if row.frame == frame]
        overlaps = {(a.owner, b.owner): slow_overlap(a.corners, b.corners) for a in here for b in there}
        frames.append(([row.owner for row in here], [row.owner for row in there], overlaps))
    return frames


def slow_matching(people: list[int], tracks: list[int], worth: Pairs) -> list[tuple[int, int]]:
    """Try every way to pair people with tracks; of the best, the pairs that are worth anything."""
    return max(
        ([pair for pair in matching if worth[pair] > 0] for matching in _matchings(people, tracks)),
        key=lambda matching: sum(worth[pair] for pair in matching),
    )


def _matchings(people: list[int], tracks: list[int]) -> Iterator[list[tuple[int, int]]]:
    if len(people) <= len(tracks):
        for chosen in itertools.permutations(tracks, len(people)):
            yield list(zip(people, chosen, strict=True))
    else:
        for chosen in itertools.permutations(people, len(tracks)):
            yield list(zip(chosen, tracks, strict=True))


@SETTINGS
@given(scenes(kinds=(1,), most_people=3))
def test_clear_is_its_definition(scene):
    """Bernardin and Stiefelhagen 2008: who was matched stays matched while that is allowed, the others anew."""
    right = wrong = missed = switches = 0
    closeness = 0.0
    last: dict[int, int] = {}
    just_now: dict[int, int] = {}
    for people, tracks, overlaps in slow_frames(scene):
        if not people or not tracks:
            wrong, missed = wrong + len(tracks), missed + len(people)
            continue
        kept = [
            (person, track)
            for person, track in just_now.items()
            if person in people and track in tracks and overlaps[person, track] >= 0.5
        ]
        free = [person for person in people if person not in dict(kept)]
        unused = [track for track in tracks if track not in dict(kept).values()]
        worth = {pair: overlap if overlap >= 0.5 else 0 for pair, overlap in overlaps.items()}
        matches = kept + slow_matching(free, unused, worth)
        switches += sum(last.get(person, track) != track for person, track in matches)
        right, wrong, missed = right + len(matches), wrong + len(tracks), missed + len(people)
        wrong, missed = wrong - len(matches), missed - len(matches)
        closeness += sum(overlaps[pair] for pair in matches)
        just_now = dict(matches)
        last |= just_now
    scores = scene.scores("mot15")
    assert (scores["CLR_TP"], scores["CLR_FP"], scores["CLR_FN"], scores["IDSW"]) == (right, wrong, missed, switches)
    if right + missed and right + wrong:
        assert scores["MOTA"] == pytest.approx(1 - (missed + wrong + switches) / (right + missed))
        assert scores["MOTP"] == pytest.approx(closeness / max(1, right))


@SETTINGS
@given(scenes(kinds=(1,), most_people=3), st.integers(0, len(ALPHAS) - 1))
def test_hota_is_its_definition(scene, number):
    """Luiten et al. 2021: HOTA is the root of the sum of A(c) over the hits c, by hits, misses and false reports.

    Pairs are found as the authors' code does: by overlap times how well the two go together over the sequence.
    """
    frames = slow_frames(scene)
    together: Pairs = {}
    for people, tracks, overlaps in frames:
        for person, track in itertools.product(people, tracks):
            around = sum(overlaps[person, other] for other in tracks) + sum(overlaps[other, track] for other in people)
            overlap = overlaps[person, track]
            if overlap > 0:
                together[person, track] = together.get((person, track), 0) + overlap / (around - overlap)

    def seen(side: int, owner: int) -> int:
        return sum(owner in frame[side] for frame in frames)

    hits, num_boxes = [], 0
    for people, tracks, overlaps in frames:
        num_boxes += len(people) + len(tracks)
        worth = {}
        for (person, track), overlap in overlaps.items():
            shared = together.get((person, track), 0)
            worth[person, track] = overlap * shared / (seen(0, person) + seen(1, track) - shared)
        hits += [pair for pair in slow_matching(people, tracks, worth) if overlaps[pair] >= ALPHAS[number] - 1e-15]
    agreement = [
        hits.count((person, track)) / (seen(0, person) + seen(1, track) - hits.count((person, track)))
        for person, track in hits
    ]
    found = scene.scores("mot15").per_alpha
    assert found["HOTA_TP"][number] == len(hits)
    expected = np.sqrt(sum(agreement) / (num_boxes - len(hits))) if num_boxes else 0
    assert found["HOTA"][number] == pytest.approx(expected, abs=1e-12)
    assert found["AssA"][number] == pytest.approx(sum(agreement) / max(1, len(hits)), abs=1e-12)
