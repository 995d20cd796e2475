"""``vsdmot eval``: score results against ground truth, whoever made them."""

from __future__ import annotations

import contextlib
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsdmot.cli.arguments import make_parser, parse
from vsdmot.cli.console import Progress, show_files, warn
from vsdmot.cli.eval_report import as_latex, as_markdown, default_names, show, to_json, write_text
from vsdmot.config import at_least, check, within
from vsdmot.errors import ConfigError, SourceError
from vsdmot.evaluation.by_quality import QualityGroup, split_by_quality
from vsdmot.evaluation.comparison import compare
from vsdmot.evaluation.evaluate import Evaluation, SequenceEvaluation, evaluate_sequence
from vsdmot.evaluation.official_text import read_truth
from vsdmot.evaluation.outcome import Method, Outcome
from vsdmot.evaluation.result_files import Results, find_results
from vsdmot.evaluation.rules import RULES, ChosenRule, RuleChoice, choose_rule
from vsdmot.evaluation.scores import FIELDS, Scores, combine
from vsdmot.evaluation.tracked import TrackedBoxes
from vsdmot.evaluation.tracked_files import read_tracked
from vsdmot.evaluation.truth_files import TruthFile, find_truth
from vsdmot.io.annotations import GroundTruth
from vsdmot.io.outputs import check_output
from vsdmot.io.problems import counted, some
from vsdmot.report.score_tables import to_csv

COLUMNS = ("HOTA", "DetA", "AssA", "MOTA", "IDF1", "IDSW", "Frag", "MT", "ML", "CLR_FP", "CLR_FN")


@dataclass(frozen=True, kw_only=True)
class EvalSettings:
    """Score tracks by the official metrics: HOTA, DetA, AssA, MOTA, IDF1 and all others that TrackEval knows.

    Ground truth and results may be files, folders, sequences as MOTChallenge lays them out, or zip archives (CVAT
    "MOT 1.1"). The numbers are TrackEval's own, to the last digit.

    Several --pred are runs of one method (seeds): means and standard deviations. With --against, another method on the
    same sequences, a bootstrap over the sequences says whether the difference exceeds the noise.

    Attributes:
        gt: Ground truth: a gt.txt, a sequence, a split of a data set, a folder with NAME.txt for each sequence, or a
            zip archive of these.
        pred: Results: a file for a single sequence (MOT text, or JSON Lines of `vsdmot track`), or a folder or zip
            archive with NAME.txt for each sequence. Several are several runs of one method.
        against: Results of another method, one or several runs.
        names: What the methods are called in the tables, separated by commas: that of --pred, then that of --against;
            null names them after their files.
        rule: Which boxes count: the rule of a benchmark; auto takes the one that suits the ground truth and says why.
        sequences: Evaluate only these, separated by commas; null takes all.
        length: Frames of each sequence; null takes it from seqinfo.ini or the images and, without these, ends with the
            last box.
        by_quality: Also split the results by frame quality, which is measured on this: a video or folder of images, a
            data set with the sequences, or JSON Lines of `vsdmot track`, which hold it.
        columns: Numbers in the tables, under TrackEval's names, separated by commas.
        decimals: Decimals of percentages in the tables.
        json: Also write everything to this file, fractions in full and HOTA's parts at each threshold.
        csv: Also write each number of each sequence and run to this file.
        markdown: Also write the tables to this file.
        latex: Also write the tables to this file, for the package booktabs.
        resamples: Draws of the bootstrap.
        seed: Decides the draws of the bootstrap.
        overwrite: Replace files that exist.
    """

    gt: Path
    pred: tuple[Path, ...]
    against: tuple[Path, ...] = ()
    names: tuple[str, ...] | None = None
    rule: RuleChoice = "auto"
    sequences: tuple[str, ...] | None = None
    length: int | None = None
    by_quality: str | None = None
    columns: tuple[str, ...] = COLUMNS
    decimals: int = 2
    json: Path | None = None
    csv: Path | None = None
    markdown: Path | None = None
    latex: Path | None = None
    resamples: int = 10_000
    seed: int = 0
    overwrite: bool = False

    def __post_init__(self) -> None:
        check(
            self,
            pred=lambda paths: None if paths else "at least one path",
            length=at_least(1),
            decimals=within(0, 6),
            resamples=at_least(100),
            seed=at_least(0),
            columns=_known_fields,
        )
        expected = 2 if self.against else 1
        if self.names is not None and len(self.names) != expected:
            raise ConfigError(f"names: must be {counted(expected, 'name')}, got {len(self.names)}")


def main(arguments: Sequence[str]) -> None:
    """Run the verb from the words after ``vsdmot eval``."""
    parser = make_parser(EvalSettings, prog="vsdmot eval")
    evaluate_files(parse(parser, EvalSettings, arguments))


def evaluate_files(settings: EvalSettings) -> Outcome:
    """Score the files that the settings name, print tables and write files.

    Raises:
        VsdmotError: Something is missing, unreadable, or not what the official evaluation takes.
    """
    outputs = [path for path in (settings.json, settings.csv, settings.markdown, settings.latex) if path is not None]
    if len({path.resolve() for path in outputs}) < len(outputs):
        raise ConfigError(f"--json, --csv, --markdown and --latex must name different files, got {some(outputs, 4)}")
    for path in outputs:
        check_output(path, settings.overwrite)
    with contextlib.ExitStack() as stack:
        unpacked = _Unpacked(stack)
        truth = find_truth(settings.gt, unpack_to=unpacked.next(), sequences=settings.sequences)
        names = [file.name for file in truth]
        found = [
            [find_results(path, names, unpack_to=unpacked.next()) for path in paths]
            for paths in (settings.pred, settings.against)
        ]
        outcome = _score(settings, truth, found)
    show(outcome, settings.columns, settings.decimals)
    if settings.json is not None:
        write_text(settings.json, to_json(outcome))
    if settings.csv is not None:
        write_text(settings.csv, to_csv(outcome))
    if settings.markdown is not None:
        write_text(settings.markdown, as_markdown(outcome, settings.columns, settings.decimals))
    if settings.latex is not None:
        write_text(settings.latex, as_latex(outcome, settings.columns, settings.decimals))
    show_files(outputs)
    return outcome


class _Unpacked:
    """A new temporary folder for each archive, all of them gone at the end."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vsdmot-")))
        self._count = 0

    def next(self) -> Path:
        self._count += 1
        return self._folder / str(self._count)


def _score(settings: EvalSettings, files: list[TruthFile], found: list[list[Results]]) -> Outcome:
    """Score every run of every method."""
    for note in dict.fromkeys(note for runs in found for run in runs for note in run.notes):
        warn(note)
    for run in (run for runs in found for run in runs):
        if run.unused and settings.sequences is None:
            warn(f"{counted(len(run.unused), 'result')} without ground truth: {some(p.name for p in run.unused)}")
        for file in files:
            if run.files[file.name].samefile(file.path):
                warn(f"{file.path}: this is the ground truth itself, given as a result too")
    runs = [run for runs in found for run in runs]
    results: list[dict[str, SequenceEvaluation]] = [{} for _ in runs]
    rules: dict[str, ChosenRule] = {}
    with Progress("evaluating", len(files) * len(runs), unit="sequence") as progress:
        for file in files:
            truth = _read_truth(file, settings.rule)
            rule = rules[file.name] = choose_rule(settings.rule, file.name, truth)
            tracks = [_read_tracks(run.files[file.name]) for run in runs]
            length = settings.length or file.num_frames or _length(file, truth, tracks)
            for one, reported in zip(results, tracks, strict=True):
                one[file.name] = evaluate_sequence(
                    file.name, truth, reported, rule, length, by_frame=settings.by_quality is not None
                )
                _warn_if_nothing_fits(file, reported, one[file.name])
                progress.advance()
    evaluations = [_evaluation(one) for one in results]
    names = settings.names or default_names(settings.pred, settings.against)
    count = len(settings.pred)
    methods = [Method(names[0], settings.pred, evaluations[:count])]
    if settings.against:
        methods.append(Method(names[1], settings.against, evaluations[count:]))
    comparison = None
    if settings.against:
        ours, theirs = ([_scores(run) for run in method.runs] for method in methods)
        comparison = compare(ours, theirs, resamples=settings.resamples, seed=settings.seed)
    return Outcome(
        truth=settings.gt,
        rules=rules,
        methods=methods,
        by_quality=[] if settings.by_quality is None else _split(settings.by_quality, evaluations),
        comparison=comparison,
    )


def _scores(run: Evaluation) -> dict[str, Scores]:
    return {name: one.scores for name, one in run.sequences.items()}


def _evaluation(sequences: dict[str, SequenceEvaluation]) -> Evaluation:
    return Evaluation(combine({name: one.scores for name, one in sequences.items()}), sequences)


def _read_truth(file: TruthFile, rule: RuleChoice) -> GroundTruth:
    with_classes = True if rule != "auto" and RULES[rule].uses_classes else None
    return read_truth(file.path, with_classes=with_classes)


def _read_tracks(path: Path) -> TrackedBoxes:
    tracks, notes = read_tracked(path)
    for note in notes:
        warn(f"{path}: {note}")
    return tracks


def _length(file: TruthFile, truth: GroundTruth, tracks: list[TrackedBoxes]) -> int:
    """Where nothing says how long a sequence is, let it end with the last box, and say if that is no annotated one."""
    last = int(truth.frames.max(initial=0))
    end = max(last, *(int(reported.frames.max(initial=0)) for reported in tracks))
    if end > last > 0:
        warn(
            f"{file.name}: results go on to frame {end} after the last annotated frame, {last}, and count as false "
            "there; --length says how long a sequence is"
        )
    return end


def _warn_if_nothing_fits(file: TruthFile, tracks: TrackedBoxes, result: SequenceEvaluation) -> None:
    """Point at what is likely to be wrong with the files, not with the tracker."""
    scores = result.scores
    if scores["CLR_TP"] or not scores["CLR_FN"] or not len(tracks):
        return
    where = tracks.path or file.name
    if np.abs(tracks.boxes).max() <= 2:
        warn(f"{where}: no result fits anybody: the boxes look like fractions of the image, expected pixels")
    else:
        warn(
            f"{where}: no result fits anybody: are these boxes left, top, width, height in pixels of the annotated "
            "size, and frames counted from 1?"
        )


def _split(source: str, runs: list[Evaluation]) -> list[QualityGroup]:
    """Measure the quality of the frames, and split every run by it."""
    qualities = _measure(source, {name: one.num_frames for name, one in runs[0].sequences.items()})
    counts = []
    for run in runs:
        by_frame = {name: one.by_frame for name, one in run.sequences.items()}
        counts.append({name: frames for name, frames in by_frame.items() if frames is not None})
    return split_by_quality(qualities, counts)


def _measure(source: str, lengths: Mapping[str, int]) -> dict[str, NDArray[np.float64]]:
    """Give ``(T,)`` quality for each sequence; NaN for frames that could not be had."""
    from vsdmot.evaluation.frame_quality import open_qualities

    sources = open_qualities(source, list(lengths))
    numbers = [one.num_frames for one in sources.values()]
    total = None if any(number is None for number in numbers) else sum(number or 0 for number in numbers)
    qualities = {}
    with Progress("measuring quality", total) as progress:
        for name, one in sources.items():
            quality = np.full(lengths[name], math.nan)
            for frame, score in one:
                if frame <= len(quality):
                    quality[frame - 1] = score
                progress.advance()
            missing = int(np.isnan(quality).sum())
            if missing == len(quality):
                raise SourceError(f"{source}: holds no frame from 1 to {len(quality)} of {name}")
            if missing:
                frames = counted(len(quality), "frame")
                warn(f"{name}: {missing} of {frames} are not in {source} and left out of the split")
            qualities[name] = quality
    return qualities


def _known_fields(names: tuple[str, ...]) -> str | None:
    unknown = [name for name in names if name not in FIELDS]
    if unknown or not names:
        return f"names of TrackEval ({', '.join(FIELDS)})"
    return None
