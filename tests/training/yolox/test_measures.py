"""AP and recall on cases that are known, and recall against a slow implementation."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from vsdmot.errors import ConfigError
from vsdmot.structures import Proposals
from vsdmot.training.yolox.coco_ap import average_precision, require_pycocotools
from vsdmot.training.yolox.images import StillImage
from vsdmot.training.yolox.recall import match
from vsdmot.training.yolox.validation import measure

NOBODY = np.zeros((0, 4), np.float32)


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def proposals(*rows: tuple[float, float, float, float, float]) -> Proposals:
    values = np.array(rows, np.float32).reshape(-1, 5)
    return Proposals(boxes=values[:, :4].copy(), scores=values[:, 4].copy())


A, B = (0, 0, 10, 50), (100, 0, 110, 50)


class TestAveragePrecision:
    def test_perfect(self):
        result = average_precision([proposals((*A, 0.9), (*B, 0.3))], [boxes(A, B)], [NOBODY])
        assert (result.ap, result.ap50) == pytest.approx((1, 1))

    def test_nothing_found_and_nothing_to_find(self):
        assert average_precision([proposals()], [boxes(A)], [NOBODY]).ap == 0
        assert average_precision([proposals((*A, 0.9))], [NOBODY], [NOBODY]).ap == 0
        assert average_precision([], [], []).ap == 0

    def test_half_found(self):
        """Recall reaches 0.5 at precision 1: 51 of COCO's 101 points."""
        result = average_precision([proposals((*A, 0.9))], [boxes(A, B)], [NOBODY])
        assert result.ap == pytest.approx(51 / 101)

    def test_a_false_detection_above_the_true_one(self):
        result = average_precision([proposals((200, 0, 210, 50, 0.9), (*A, 0.8))], [boxes(A)], [NOBODY])
        assert result.ap == pytest.approx(0.5)
        below = average_precision([proposals((200, 0, 210, 50, 0.7), (*A, 0.8))], [boxes(A)], [NOBODY])
        assert below.ap == pytest.approx(1)

    def test_overlap_decides_at_which_iou_it_counts(self):
        """IoU 0.8: right at 0.50 to 0.75, wrong from 0.85; 0.80 itself is a matter of rounding."""
        result = average_precision([proposals((0, 0, 10, 41, 0.9))], [boxes(A)], [NOBODY])
        assert result.ap50 == pytest.approx(1)
        assert result.ap == pytest.approx(0.7)

    def test_boxes_beyond_the_image_are_whole(self):
        beyond = (-40.0, -10.0, 20.0, 200.0)
        assert average_precision([proposals((*beyond, 0.9))], [boxes(beyond)], [NOBODY]).ap == pytest.approx(1)

    def test_ignored_boxes_neither_ask_nor_punish(self):
        detections = proposals((200, 0, 210, 50, 0.95), (*A, 0.8))
        result = average_precision([detections], [boxes(A)], [boxes((190, 0, 300, 100))])
        assert result.ap == pytest.approx(1)

    def test_more_than_a_hundred_people_can_be_found(self):
        crowd = [(20.0 * k, 0.0, 20.0 * k + 10, 50.0) for k in range(150)]
        detections = proposals(*((*box, 0.9) for box in crowd))
        assert average_precision([detections], [boxes(*crowd)], [NOBODY]).ap == pytest.approx(1)

    def test_it_prints_nothing(self, capsys):
        average_precision([proposals((*A, 0.9))], [boxes(A)], [NOBODY])
        assert capsys.readouterr().out == ""

    def test_without_pycocotools_it_says_what_to_do(self, monkeypatch):
        require_pycocotools()
        monkeypatch.setitem(sys.modules, "pycocotools", None)
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(ConfigError, match=r"average_precision: needs pycocotools.*vsdmot\[train\]"):
            require_pycocotools()


class TestRecall:
    def test_a_person_counts_from_the_score_that_finds_them(self):
        found = match([proposals((*A, 0.9), (*B, 0.05))], [boxes(A, B)], [NOBODY])
        assert found.recall(0.05) == 0.5  # strictly above
        assert found.recall(0.04) == 1.0

    def test_one_detection_finds_one_person_and_a_second_one_is_false(self):
        found = match([proposals((*A, 0.9), (*A, 0.8))], [boxes(A, A)], [NOBODY])
        assert found.recall(0.05) == 1.0
        found = match([proposals((*A, 0.9), (*A, 0.8))], [boxes(A)], [NOBODY])
        assert found.found.tolist() == [True, False]

    def test_false_detections_per_image(self):
        detections = [proposals((200, 0, 210, 50, 0.9), (*A, 0.8), (300, 0, 310, 50, 0.7), (*B, 0.6)), proposals()]
        found = match(detections, [boxes(A, B), NOBODY], [NOBODY, NOBODY])
        assert [found.recall_at(rate) for rate in (0, 0.49, 0.5, 0.99, 1.0, 9.0)] == [0, 0, 0.5, 0.5, 1, 1]

    def test_detections_of_equal_score_come_together(self):
        found = match([proposals((*A, 0.9), (200, 0, 210, 50, 0.9))], [boxes(A)], [NOBODY])
        assert (found.recall_at(0.5), found.recall_at(1.0)) == (0, 1)

    def test_what_lies_in_an_ignored_box_is_not_false(self):
        inside, beside = (195, 0, 205, 50, 0.9), (185, 0, 194, 50, 0.9)
        ignored = [boxes((190, 0, 300, 100))]
        assert match([proposals(inside)], [boxes(A)], ignored).found.tolist() == []
        assert match([proposals(beside)], [boxes(A)], ignored).found.tolist() == [False]
        assert (
            match([proposals((*A, 0.9))], [boxes(A)], [boxes((0, 0, 50, 100))]).recall(0.05) == 1
        )  # found all the same

    def test_by_height(self):
        small, large = (0, 0, 10, 39), (100, 0, 150, 100)
        found = match([proposals((*large, 0.9))], [boxes(small, large, A)], [NOBODY])
        assert found.recall_by_height(0.05) == {"small": 0.0, "medium": 0.0, "large": 1.0}
        assert match([proposals()], [boxes(A)], [NOBODY]).recall_by_height(0.05) == {"medium": 0.0}

    def test_nobody_and_nothing(self):
        empty = match([], [], [])
        assert (empty.recall(0.05), empty.recall_at(1.0), empty.recall_by_height(0.05)) == (0, 0, {})
        quiet = match([proposals()], [NOBODY], [NOBODY])
        assert (quiet.recall(0.05), quiet.recall_at(1.0)) == (0, 0)
        assert match([proposals((*A, 0.9))], [NOBODY], [NOBODY]).found.tolist() == [False]

    def test_it_is_the_slow_way_on_random_images(self):
        rng = np.random.default_rng(0)
        for _ in range(30):
            images = [draw(rng) for _ in range(4)]
            found = match(*zip(*images, strict=True))
            for rate in (0.0, 0.3, 1.0, 3.0, 100.0):
                assert found.recall_at(rate) == pytest.approx(slow_recall_at(images, rate))
            for threshold in (0.07, 0.52):
                counts = [slow_counts(*image, threshold, strictly=True) for image in images]
                expected = sum(hits for hits, _ in counts) / max(sum(len(people) for _, people, _ in images), 1)
                assert found.recall(threshold) == pytest.approx(expected)


def draw(rng: np.random.Generator):
    def some(count: int) -> np.ndarray:
        corner, size = rng.uniform(0, 60, (count, 2)), rng.uniform(10, 40, (count, 2))
        return np.concatenate([corner, corner + size], axis=1).astype(np.float32)

    people = some(rng.integers(0, 6))
    near = (
        people[rng.integers(0, len(people), 8)] + rng.normal(0, 3, (8, 4)).astype(np.float32)
        if len(people)
        else some(3)
    )
    detected = np.concatenate([near, some(4)])
    scores = (rng.integers(0, 20, len(detected)) / 20).astype(np.float32)  # with equal ones
    return Proposals(boxes=detected, scores=scores), people, some(rng.integers(0, 2))


def slow_iou(a, b) -> float:
    common = max(min(a[2], b[2]) - max(a[0], b[0]), 0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0)
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def slow_cover(a, b) -> float:
    common = max(min(a[2], b[2]) - max(a[0], b[0]), 0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0)
    return common / ((a[2] - a[0]) * (a[3] - a[1]))


def slow_counts(detected: Proposals, people, ignored, threshold: float, *, strictly: bool) -> tuple[int, int]:
    """People found and false detections among those that score at least (or above) a threshold."""
    free, hits, false = set(range(len(people))), 0, 0
    for number in sorted(range(len(detected)), key=lambda n: -float(detected.scores[n])):
        score = float(detected.scores[number])
        if score < threshold or (strictly and score <= threshold):
            break
        box = detected.boxes[number].tolist()
        best = max(free, key=lambda g: (slow_iou(box, people[g].tolist()), -g), default=None)
        if best is not None and slow_iou(box, people[best].tolist()) >= 0.5:
            free.discard(best)
            hits += 1
        elif not any(slow_cover(box, region.tolist()) >= 0.5 for region in ignored):
            false += 1
    return hits, false


def slow_recall_at(images, rate: float) -> float:
    people = sum(len(people) for _, people, _ in images)
    best = 0
    for threshold in {float(score) for detected, _, _ in images for score in detected.scores}:
        counts = [slow_counts(*image, threshold, strictly=False) for image in images]
        if sum(false for _, false in counts) <= rate * len(images):
            best = max(best, sum(hits for hits, _ in counts))
    return best / people if people else 0.0


def test_measures_come_together_with_ap_first(tmp_path):
    image = StillImage(tmp_path / "a.png", "g", boxes(A, B), NOBODY)
    scores = measure([proposals((*A, 0.9))], [image], with_average_precision=True)
    assert list(scores) == ["AP", "AP50", "recall", "recall_at_1_false", "recall_medium"]
    assert scores["recall"] == 0.5
    assert next(iter(measure([proposals()], [image], with_average_precision=False))) == "recall"
