"""Two methods on the same sequences: the difference, and whether it exceeds the noise.

Two noises blur a difference. *Sequences*: on other footage it would have been another. *Runs*: another seed of the same
training gives other numbers. The interval is a bootstrap (Efron, 1979) that draws both:

- Sequences are drawn with replacement, the same draw for both methods, because a hard sequence is hard for both
  (paired). Each draw is scored as the official evaluation scores a data set: counts are added, then divided.
- In each draw, the runs of a method that has several are drawn with replacement too, and averaged.

Two corrections, both for small numbers, without which the interval would be too short:

- One fewer is drawn than there are, of sequences and of runs. The mean of ``n`` draws out of ``n`` varies by only
  ``(n - 1) / n`` of what the mean itself varies by, half of it for two runs; that of ``n - 1`` draws varies by exactly
  as much (McCarthy and Snowden, 1985).
- The 95 % percentile interval is stretched about the difference by ``t / 1.96``, where ``t`` is Student's quantile: a
  spread seen in few sequences is itself uncertain (Hesterberg, 2015, widens the percentiles for the same reason). The
  degrees of freedom are Welch's and Satterthwaite's, from the variances between sequences and between the runs of
  either method. Plain percentiles would exclude 0 with two sequences whenever both favour the same method, which chance
  does half of the time.

With one sequence, sequences cannot be drawn. If a method has several runs, the interval is Welch's, between runs on
that sequence, and the verdict may be that the difference is within that noise; never that it exceeds the noise. A
sequence without ground truth takes part, by its false positives, but does not count as one; draws of only such
sequences have no score and are left out.

What a single run cannot show, no interval holds: published trackers of this family vary by 1 to 2 HOTA between runs
(github.com/megvii-research/MOTRv2/issues/2, github.com/MCG-NJU/MOTIP/issues/84). `Comparison.cautions` says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from vsdmot.evaluation.runs import Run, Spread, check_sequences, num_true_boxes
from vsdmot.evaluation.scores import ALPHAS, Scores

Verdict = Literal["equal", "exceeds", "within", "undecided"]
"""``exceeds``: the interval excludes 0. ``within``: it does not. ``equal``: no difference on any sequence.
``undecided``: a difference on one sequence, where noise between sequences cannot be measured."""

RESAMPLED = ("HOTA", "DetA", "AssA", "MOTA", "IDF1")
"""The fields that can be compared."""

FEW_SEQUENCES = 8
"""Below this, the interval is called rough: its length is corrected, but differences that few sequences have not shown
are not in it. The seven training sequences of MOT17 are few."""

RUN_NOISE = 0.02
"""What published trackers vary by between runs, at most as far as reported; see the module's text."""

_COUNTS = ("CLR_TP", "CLR_FN", "CLR_FP", "IDSW", "IDTP", "IDFN", "IDFP")
_DRAWS_AT_ONCE = 1000  # 1000 x 19 floats a part of HOTA: 0.15 MB


@dataclass(frozen=True)
class Difference:
    """One field of two methods, as fractions of 1.

    Attributes:
        first: Mean and standard deviation over the runs of the first method, each combined over all sequences.
        second: The same for the second method.
        first_minus_second: Difference of the means; positive where the first method has the higher number.
        interval: 95 % interval of that difference; None where neither sequences nor runs can be drawn.
        verdict: Whether the difference exceeds the noise that the interval covers.
    """

    first: Spread
    second: Spread
    first_minus_second: float
    interval: tuple[float, float] | None
    verdict: Verdict


@dataclass(frozen=True)
class Comparison:
    """Two methods compared; ``comparison["HOTA"]`` gives a field.

    Attributes:
        differences: By field.
        num_sequences: Sequences with ground truth.
        num_runs: Of the first and of the second method.
    """

    differences: Mapping[str, Difference]
    num_sequences: int
    num_runs: tuple[int, int]

    def __getitem__(self, field: str) -> Difference:
        return self.differences[field]

    def sentence(self, field: str, names: tuple[str, str] = ("first", "second")) -> str:
        """Say in plain English, in percent points, what was found and what must be kept in mind."""
        return " ".join([self.finding(field, names), *self.cautions(field, names)])

    def finding(self, field: str, names: tuple[str, str] = ("first", "second")) -> str:
        """Say what was found: both numbers, the difference, its interval, the verdict."""
        found, where = self[field], self._where()
        decimals = 1 if abs(found.first_minus_second) >= 0.01 else 2
        if found.verdict == "equal":
            return f"{field}: {names[0]} and {names[1]} are equal, {100 * found.first.mean:.{decimals}f}, {where}."
        methods = zip(names, (found.first, found.second), self.num_runs, strict=True)
        first, second = (_with_runs(name, spread, runs, decimals) for name, spread, runs in methods)
        stem = f"{field}: {first} against {second}: {100 * found.first_minus_second:+z.{decimals}f}"
        if found.interval is None:
            return f"{stem} {where}: whether this exceeds the noise cannot be said."
        low, high = (f"{100 * end:+z.{decimals}f}" for end in found.interval)
        stem, noise = f"{stem}, 95 % interval {low} to {high}", self._noise(names)
        if self.num_sequences < 2:
            beyond = "does not exceed" if found.verdict == "within" else "is more than"
            return f"{stem} {noise} {where}: this {beyond} the noise {noise} there."
        if found.verdict == "within":
            return f"{stem} {where}: this does not exceed the noise."
        return f"{stem} {where}: this exceeds the noise {noise}."

    def cautions(self, field: str, names: tuple[str, str] = ("first", "second")) -> tuple[str, ...]:
        """Say what the numbers cannot show: one sentence for each thing that is true here, none if none is."""
        found, cautions = self[field], []
        if self.num_sequences < 2:
            which = "One sequence" if self.num_sequences else "What has no ground truth"
            cautions.append(f"{which} cannot be resampled, so nothing can be said about other footage.")
        if found.verdict == "equal":
            return tuple(cautions)
        if 2 <= self.num_sequences < FEW_SEQUENCES:
            cautions.append(f"The interval is rough: {self.num_sequences} sequences show little of how footage varies.")
        single = [name for name, runs in zip(names, self.num_runs, strict=True) if runs == 1]
        if single:
            caution = (
                f"{' and '.join(single)} {'was' if len(single) == 1 else 'were each'} run once: where training is "
                "involved, noise between training runs is not counted here, and published trackers of this family vary "
                "by 1 to 2 HOTA between runs (MOTRv2 issue 2, MOTIP issue 84)"
            )
            small = abs(found.first_minus_second) < RUN_NOISE
            cautions.append(f"{caution}: a difference below 2 points then proves little." if small else f"{caution}.")
        return tuple(cautions)

    def _where(self) -> str:
        if self.num_sequences == 0:
            return "without any ground truth"
        return "on one sequence" if self.num_sequences == 1 else f"over {self.num_sequences} sequences"

    def _noise(self, names: tuple[str, str]) -> str:
        several = [name for name, runs in zip(names, self.num_runs, strict=True) if runs > 1]
        of_runs = "between runs" if len(several) == 2 else "".join(f"between runs of {name}" for name in several)
        return " and ".join(part for part in ("between sequences" if self.num_sequences > 1 else "", of_runs) if part)


def compare(
    first: Sequence[Run],
    second: Sequence[Run],
    *,
    fields: Sequence[str] = RESAMPLED,
    resamples: int = 10_000,
    seed: int = 0,
) -> Comparison:
    """Compare two methods on the same sequences; the module's text says how.

    Args:
        first: Runs of the first method.
        second: Runs of the second, as many or not.
        fields: Any of `RESAMPLED`.
        resamples: Draws, at least 100. More make the interval repeat better under another seed, and take longer.
        seed: Of the draws; the same seed gives the same interval.

    Raises:
        ValueError: There is no run or no sequence, the runs speak of different sequences or were scored against
            different ground truth, a field is unknown, or there are too few draws.
    """
    if not first or not second:
        raise ValueError("expected at least one run of each method")
    if resamples < 100:
        raise ValueError(f"expected at least 100 resamples for a 95 % interval, got {resamples}")
    labelled = {
        f"run {number} of the {which} method": run
        for which, method in (("first", first), ("second", second))
        for number, run in enumerate(method, 1)
    }
    names = check_sequences(labelled)
    runs = [[{name: run[name] for name in names} for run in method] for method in (first, second)]
    truth = np.array([num_true_boxes(first[0][name]) for name in names])
    num_sequences = int(np.count_nonzero(truth))

    whole = [resample(method, np.ones((1, len(names)), int), fields)[:, 0] for method in runs]  # (R, F) each
    spreads = [[Spread.over(column) for column in method.T] for method in whole]
    held = drawn = np.empty((0, len(fields)))
    if num_sequences > 1:
        rng = np.random.default_rng(seed)
        draws = rng.multinomial(len(names) - 1, np.full(len(names), 1 / len(names)), size=resamples)
        draws = draws[draws @ truth > 0]
        scores = [resample(method, draws, fields) for method in runs]  # (R, B, F) each
        held = scores[0].mean(0) - scores[1].mean(0)
        drawn = _draw_runs(scores[0], rng) - _draw_runs(scores[1], rng)
    num_runs = (len(first), len(second))
    differences = {
        field: _difference(spreads[0][f], spreads[1][f], num_runs, held[:, f], drawn[:, f], num_sequences)
        for f, field in enumerate(fields)
    }
    return Comparison(differences, num_sequences, num_runs)


def resample(runs: Sequence[Run], draws: NDArray[np.integer], fields: Sequence[str] = RESAMPLED) -> NDArray[np.float64]:
    """Score sequences taken several times or not at all, each draw combined as `combine` does.

    Args:
        runs: With the same sequences, in the order of the first.
        draws: How often each sequence is taken, ``(B, S)``. A row of ones is the data set itself.
        fields: Any of `RESAMPLED`.

    Returns:
        Fractions of 1, ``(R, B, F)`` for ``R`` runs and ``F`` fields.

    Raises:
        ValueError: A field is unknown.
    """
    if unknown := [field for field in fields if field not in RESAMPLED]:
        raise ValueError(f"cannot compare {', '.join(unknown)}; known fields: {', '.join(RESAMPLED)}")
    found = np.empty((len(runs), len(draws), len(fields)))
    for r, run in enumerate(runs):
        parts = _additive_parts([run[name] for name in runs[0]])
        for start in range(0, len(draws), _DRAWS_AT_ONCE):
            several = slice(start, start + _DRAWS_AT_ONCE)
            scores = _official(draws[several] @ parts)
            found[r, several] = np.stack([scores[field] for field in fields], axis=-1)
    return found


def _additive_parts(sequences: Sequence[Scores]) -> NDArray[np.float64]:
    """Lay out, one sequence a row, everything that the fields are made of once it is summed."""
    rows = []
    for scores in sequences:
        per_alpha = scores.per_alpha
        hota = [per_alpha[name] for name in ("HOTA_TP", "HOTA_FN", "HOTA_FP")]
        hota.append(per_alpha["AssA"] * per_alpha["HOTA_TP"])  # AssA is a mean over true positives
        rows.append(np.concatenate([*hota, [scores[name] for name in _COUNTS]]))
    return np.stack(rows)


def _official(sums: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Make `RESAMPLED`, ``(B,)`` each, of summed parts; empty denominators count as 1, as in TrackEval."""
    num_alphas = len(ALPHAS)
    tp, fn, fp, ass = (sums[:, i * num_alphas : (i + 1) * num_alphas] for i in range(4))
    clr_tp, clr_fn, clr_fp, idsw, idtp, idfn, idfp = sums[:, 4 * num_alphas :].T
    det_a, ass_a = tp / np.maximum(1, tp + fn + fp), ass / np.maximum(1, tp)
    return {
        "HOTA": np.sqrt(det_a * ass_a).mean(1),
        "DetA": det_a.mean(1),
        "AssA": ass_a.mean(1),
        "MOTA": (clr_tp - clr_fp - idsw) / np.maximum(1, clr_tp + clr_fn),
        "IDF1": idtp / np.maximum(1, idtp + 0.5 * idfp + 0.5 * idfn),
    }


def _draw_runs(scores: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Average, for each of ``B`` draws, one fewer of the ``R`` runs than there are, or the only one.

    ``(R, B, F)`` to ``(B, F)``.
    """
    num_runs, num_draws, _ = scores.shape
    num_drawn = max(1, num_runs - 1)
    weights = rng.multinomial(num_drawn, np.full(num_runs, 1 / num_runs), size=num_draws) / num_drawn
    averaged: NDArray[np.float64] = np.einsum("br,rbf->bf", weights, scores)
    return averaged


def _difference(
    first: Spread,
    second: Spread,
    num_runs: tuple[int, int],
    held: NDArray[np.float64],
    drawn: NDArray[np.float64],
    num_sequences: int,
) -> Difference:
    """Find interval and verdict of one field.

    Args:
        first: Of the first method.
        second: Of the second.
        num_runs: Of either.
        held: First minus second over drawn sequences with all runs, ``(B,)``; empty if sequences cannot be drawn.
        drawn: The same with drawn runs.
        num_sequences: Sequences with ground truth.
    """
    difference = first.mean - second.mean
    noises = [
        (spread.sd**2 / runs, runs - 1)
        for spread, runs in zip((first, second), num_runs, strict=True)
        if spread.sd is not None
    ]
    interval = None
    if len(held):
        quantile = _student_quantile([(float(held.var()), num_sequences - 1), *noises])
        low, high = (np.percentile(drawn, [2.5, 97.5]) - difference) * (quantile / ndtri(0.975))
        interval = (difference + float(low), difference + float(high))
    elif noises:
        reach = _student_quantile(noises) * float(np.sqrt(sum(variance for variance, _ in noises)))
        interval = (difference - reach, difference + reach)
    same = np.allclose([difference, (first.sd or 0.0) - (second.sd or 0.0), *held], 0, rtol=0, atol=1e-12)
    return Difference(first, second, difference, interval, "equal" if same else _verdict(interval, num_sequences))


def _verdict(interval: tuple[float, float] | None, num_sequences: int) -> Verdict:
    if interval is None:
        return "undecided"
    if interval[0] <= 0 <= interval[1]:
        return "within"
    return "exceeds" if num_sequences > 1 else "undecided"


def _student_quantile(noises: Sequence[tuple[float, int]]) -> float:
    """Give Student's 97.5 % quantile for a sum of (variance, degrees of freedom), by Welch and Satterthwaite."""
    total, parts = sum(variance for variance, _ in noises), sum(variance**2 / freedom for variance, freedom in noises)
    freedom = total**2 / parts if parts > 0 else min(freedom for _, freedom in noises)
    return float(stdtrit(freedom, 0.975))


def _with_runs(name: str, spread: Spread, num_runs: int, decimals: int) -> str:
    runs = "one run" if spread.sd is None else f"{num_runs} runs, sd {100 * spread.sd:.{decimals}f}"
    return f"{name} {100 * spread.mean:.{decimals}f} ({runs})"
