"""Curves of a score against severity: a panel for each degradation, a line for each tracker."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

from vsdmot.degradation.operators import OPERATORS
from vsdmot.evaluation.robustness.conditions import CLEAN
from vsdmot.evaluation.robustness.summary import Robustness

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours that show on white; with a marker each, a printout or colour-blind eyes tell them apart.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_STYLES = ("-", "--", ":")
_INK, _FAINT, _RULE = "#1e1e22", "#6e6e74", "#dcdce0"
_PANEL = (2.55, 2.15)
"""Width and height of a panel, with what stands around it, in inches."""
_LEFT, _TOP = 0.5, 0.62
"""Room for the axis and the heading in inches."""

_TITLES = {"eq17": "eq17 (Real-ESRGAN)", "h264": "H.264", "jpeg": "JPEG"}


def draw_curves(found: Robustness, metric: str, *, heading: str, dpi: int = 130) -> bytes:
    """Draw one metric against severity as a PNG.

    The first panel is the mean over all degradations. Panels share both axes, so that they can be compared; a cell that
    is missing leaves a gap.

    Args:
        found: Scores, at least of one tracker.
        metric: One of TrackEval's names, a fraction of 1.
        heading: One line above all.
        dpi: Pixels to the inch.
    """
    from matplotlib.figure import Figure  # a second to load; no pyplot, so no windows and no global state

    panels = [None, *sorted(found.degradations, key=OPERATORS.index)] if found.degradations else [None]
    across = min(5, math.ceil(math.sqrt(1.4 * (len(panels) + 1))))
    down = math.ceil((len(panels) + 1) / across)  # one place is the legend's
    width, height = across * _PANEL[0] + _LEFT, down * _PANEL[1] + _TOP
    figure = Figure(figsize=(width, height), dpi=dpi)
    figure.subplots_adjust(
        left=_LEFT / width, right=1 - 0.1 / width, top=1 - _TOP / height, bottom=0.42 / height, hspace=0.3, wspace=0.08
    )
    figure.text(0.1 / width, 1 - 0.1 / height, heading, ha="left", va="top", fontsize=11, color=_INK)
    axes = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True).ravel().tolist()
    for place, (panel, degradation) in enumerate(zip(axes, panels, strict=False)):
        lines = [_curve(panel, found, tracker, degradation, metric) for tracker in found.trackers]
        title = "mean over all" if degradation is None else _TITLES.get(degradation, degradation.replace("_", " "))
        panel.set_title(title, fontsize=9.5, loc="left", color=_INK, fontweight="bold" if degradation is None else None)
        _dress(panel, found.severities, metric, leftmost=place % across == 0, lowest=place + across >= len(panels))
    for panel in axes[len(panels) :]:
        panel.axis("off")
    names = [_legend(found, tracker, metric) for tracker in found.trackers]
    axes[len(panels)].legend(
        lines, names, loc="upper left", frameon=False, fontsize=9, title=f"{metric}: clean, degraded"
    )
    axes[len(panels)].get_legend().get_title().set_fontsize(8.5)
    axes[0].set_ylim(bottom=0)
    written = io.BytesIO()
    figure.savefig(written, format="png", facecolor="white")
    return written.getvalue()


def _curve(panel: Axes, found: Robustness, tracker: str, degradation: Any, metric: str) -> Any:
    number = list(found.trackers).index(tracker)
    values = [math.nan if one is None else 100 * one for one in found.curve(tracker, degradation, metric)]
    (line,) = panel.plot(
        found.severities,
        values,
        color=_COLOURS[number % len(_COLOURS)],
        marker=_MARKERS[number % len(_MARKERS)],
        linestyle=_STYLES[number // len(_COLOURS) % len(_STYLES)],
        linewidth=1.6,
        markersize=4,
    )
    return line


def _dress(panel: Axes, severities: list[int], metric: str, *, leftmost: bool, lowest: bool) -> None:
    panel.set_xticks(severities, ["clean" if not severity else str(severity) for severity in severities])
    panel.tick_params(labelsize=8, colors=_FAINT, length=0, labelbottom=lowest, labelleft=leftmost)
    panel.grid(axis="y", color=_RULE, linewidth=0.7)
    panel.set_axisbelow(True)
    for side in ("top", "right", "left"):
        panel.spines[side].set_visible(False)
    panel.spines["bottom"].set_color(_RULE)
    if leftmost:
        panel.set_ylabel(metric, fontsize=8.5, color=_FAINT)
    if lowest:
        panel.set_xlabel("severity", fontsize=8.5, color=_FAINT)


def _legend(found: Robustness, tracker: str, metric: str) -> str:
    clean, degraded = found.score(tracker, CLEAN, metric), found.mean_degraded(tracker, metric)
    numbers = ["-" if value is None else f"{100 * value:.1f}" for value in (clean, degraded)]
    return f"{tracker}  {numbers[0]}, {numbers[1]}"
