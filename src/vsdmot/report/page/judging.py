"""A run judged by ground truth: the official scores, what went wrong in each frame, and every break."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsdmot.errors import ConfigError, SourceError
from vsdmot.evaluation.by_frame import FrameCounts, count_by_frame
from vsdmot.evaluation.events import Break, find_breaks
from vsdmot.evaluation.official_text import read_truth
from vsdmot.evaluation.preprocess import prepare
from vsdmot.evaluation.rules import ChosenRule, choose_rule
from vsdmot.evaluation.scores import Scores, score
from vsdmot.evaluation.tracked import TrackedBoxes
from vsdmot.evaluation.truth_files import TruthFile, find_truth
from vsdmot.io.annotations import GroundTruth
from vsdmot.io.images import read_seqinfo
from vsdmot.io.problems import some
from vsdmot.io.sources import SourceInfo, open_source
from vsdmot.report.runs import Run


@dataclass(frozen=True, eq=False)
class Truth:
    """Ground truth of the video.

    Attributes:
        file: Where it lies.
        boxes: Its rows, in pixels of the annotated pictures.
        size: Width and height of the annotated pictures.
        rule: What counts, and why.
        size_is_guessed: Whether nothing beside the ground truth tells the size, so that it was taken from the video.
    """

    file: TruthFile
    boxes: GroundTruth
    size: tuple[int, int]
    rule: ChosenRule
    size_is_guessed: bool

    def counted(self) -> GroundTruth:
        """Rows of people that count, as the rule has it."""
        return self.boxes.people() if self.rule.rule.uses_classes else self.boxes.select(self.boxes.considered)

    def boxes_in(self, size: tuple[int, int]) -> NDArray[np.float64]:
        """Rows of `counted`, ``(N, 4)`` in pixels of a picture of another size."""
        return self.counted().boxes * scale(self.size, size)


@dataclass(frozen=True, eq=False)
class Judged:
    """A run, judged.

    Attributes:
        scores: The official metrics.
        counts: What happened in each frame.
        breaks: Identity switches and fragments, by rising frame; boxes in pixels of the run's own video.
    """

    scores: Scores
    counts: FrameCounts
    breaks: Sequence[Break]


def find_truth_of(path: Path, names: Sequence[str], size: tuple[int, int]) -> Truth:
    """Find and read the ground truth of the video.

    Args:
        path: Whatever ``vsdmot eval --gt`` takes, but archives.
        names: Names of the videos: where ``path`` holds several sequences, the one of such a name is taken.
        size: Width and height that the annotated pictures have if nothing beside the ground truth tells.

    Raises:
        SourceError: There is none.
        ConfigError: There are several, and the name decides nothing.
        FormatError: It is broken.
    """
    files = find_truth(path)
    if len(files) > 1:
        named = [file for file in files if file.name in names]
        if len(named) != 1:
            raise ConfigError(
                f"{path}: expected the ground truth of one sequence, there are {len(files)} "
                f"({some(file.name for file in files)}); give the one of this video"
            )
        files = named
    boxes, known = read_truth(files[0].path), annotated_size(files[0])
    return Truth(
        file=files[0],
        boxes=boxes,
        size=known or size,
        rule=choose_rule("auto", files[0].name, boxes),
        size_is_guessed=known is None,
    )


def find_truth_of_videos(path: Path, infos: Sequence[SourceInfo]) -> Truth:
    """Find and read the ground truth of videos that show the same, maybe in different sizes; see `find_truth_of`.

    Raises:
        ConfigError: Also where the videos differ in size and nothing tells which size was annotated.
    """
    truth = find_truth_of(path, [info.name for info in infos], (infos[0].width, infos[0].height))
    if truth.size_is_guessed and len({(info.width, info.height) for info in infos}) > 1:
        raise ConfigError(
            f"{path}: the videos differ in size, and nothing beside the ground truth says which size was annotated; "
            "give the folder of the sequence, with seqinfo.ini or images"
        )
    return truth


def check_not_live(infos: Sequence[SourceInfo]) -> None:
    """Refuse a live source, whose frames no run can belong to.

    Raises:
        SourceError: One of them is live.
    """
    for info in infos:
        if info.live:
            raise SourceError(f"{info.location}: expected the video that was tracked, got a live source")


def annotated_size(file: TruthFile) -> tuple[int, int] | None:
    """Tell the size of the pictures that were annotated from the sequence's folder; None where it holds none."""
    if file.folder is None:
        return None
    if (file.folder / "seqinfo.ini").is_file():
        settings = read_seqinfo(file.folder / "seqinfo.ini")
        if settings.width is not None and settings.height is not None:
            return settings.width, settings.height
    if not (file.folder / "img1").is_dir():
        return None
    with open_source(file.folder) as images:
        return images.info.width, images.info.height


def judge(run: Run, truth: Truth, size: tuple[int, int], num_frames: int) -> Judged:
    """Score a run.

    The boxes of a run on a smaller copy of the video are scaled to the annotated size; of equal size they are taken as
    they are, so that the scores are those of ``vsdmot eval``.

    Args:
        run: The run.
        truth: Ground truth.
        size: Width and height of the run's own video.
        num_frames: Length of the sequence.

    Raises:
        FormatError: A frame lies beyond the sequence, or ids are not what they must be.
    """
    tracks = run.tracks
    if size != truth.size:
        tracks = TrackedBoxes(tracks.frames, tracks.ids, tracks.boxes * scale(size, truth.size), path=run.path)
    data = prepare(truth.file.name, truth.boxes, tracks, truth.rule.rule, num_frames)
    breaks = find_breaks(data, truth.boxes, tracks)
    if size != truth.size:
        back = scale(truth.size, size)
        breaks = [_scaled(one, back) for one in breaks]
    return Judged(score(data), count_by_frame(data), breaks)


def scale(size: tuple[int, int], other: tuple[int, int]) -> NDArray[np.float64]:
    """Give the factors, ``(4,)``, that bring ``xyxy`` from a picture of one size to the same picture of another.

    >>> scale((100, 50), (200, 50)).tolist()
    [2.0, 1.0, 2.0, 1.0]
    """
    return np.array([other[0] / size[0], other[1] / size[1]] * 2)


def _scaled(one: Break, factors: NDArray[np.float64]) -> Break:
    def moved(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        left, top, right, bottom = (np.array(box) * factors).tolist()
        return left, top, right, bottom

    return replace(
        one,
        before=replace(one.before, box=moved(one.before.box)),
        after=replace(one.after, box=moved(one.after.box)),
        truth_before=moved(one.truth_before),
        truth_after=moved(one.truth_after),
    )
