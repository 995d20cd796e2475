"""The picture of a triage: quality over time, what can be used, and what spoils the rest."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vsdmot.report.triage_tables import headline
from vsdmot.triage.defects import DEFECTS, Defect
from vsdmot.triage.findings import Finding

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours and two greys, so that colour-blind eyes tell neighbours apart.
COLOURS: dict[Defect, str] = {
    "dark": "#1e1e22",
    "low contrast": "#9a9aa2",
    "noise": "#E69F00",
    "blur": "#0072B2",
    "motion blur": "#56B4E9",
    "enlarged": "#009E73",
    "compression": "#D55E00",
    "small picture": "#8C6D31",
    "repeated frames": "#CC79A7",
}
assert set(COLOURS) == set(DEFECTS)
_NONE, _INK, _FAINT, _RULE = "#e8efe9", "#1e1e22", "#6e6e74", "#dcdce0"
_BAD = "#fbe3dc"
_WIDTH, _ROW = 11.0, 1.75  # inches
_POINTS = 900  # places along the axis at which quality is drawn
MOST_ROWS = 60


def draw_plot(findings: Sequence[Finding], least_quality: float, *, dpi: int = 120) -> bytes:
    """Draw every recording as a row, in a PNG; of very many, the first `MOST_ROWS`.

    Args:
        findings: At least one, with samples.
        least_quality: ``Q`` from which on a picture can be used.
        dpi: Pixels to the inch.
    """
    from matplotlib.figure import Figure  # a second to load; no pyplot, so no windows and no global state
    from matplotlib.patches import Patch

    shown = list(findings)[:MOST_ROWS]
    figure = Figure(figsize=(_WIDTH, 0.75 + _ROW * len(shown)), dpi=dpi, layout="constrained")
    rows = figure.subplots(len(shown), 1, squeeze=False)[:, 0].tolist()
    for panel, finding in zip(rows, shown, strict=True):
        _draw_row(panel, finding, least_quality)
    names = [name for name in DEFECTS if any(s.defect == name for f in shown for s in f.stretches)]
    patches = [Patch(color=_NONE, label="no defect"), *(Patch(color=COLOURS[name], label=name) for name in names)]
    patches.append(Patch(color=_BAD, label="not usable"))
    figure.legend(handles=patches, loc="outside lower left", ncols=8, frameon=False, fontsize=8.5)
    if len(findings) > len(shown):
        figure.suptitle(f"the first {MOST_ROWS} of {len(findings)} recordings", x=0.01, ha="left", fontsize=10)
    written = io.BytesIO()
    figure.savefig(written, format="png", facecolor="white")
    return written.getvalue()


def _draw_row(panel: Axes, finding: Finding, least_quality: float) -> None:
    unit, name = _unit(finding.seconds)
    for stretch in finding.stretches:
        span = (stretch.start / unit, stretch.end / unit)
        if not stretch.usable:
            panel.axvspan(*span, color=_BAD, linewidth=0)
        colour = _NONE if stretch.defect is None else COLOURS[stretch.defect]
        panel.axvspan(*span, ymax=0.09, color=colour, linewidth=0)
    times, low, middle, high = _course(finding)
    panel.fill_between(times / unit, low, high, color="#0072B2", alpha=0.22, linewidth=0)
    panel.plot(times / unit, middle, color="#0072B2", linewidth=1.1)
    panel.axhline(least_quality, color=_INK, linewidth=0.8, linestyle=(0, (4, 3)))
    panel.set_ylim(-0.1, 1.0)
    panel.set_xlim(0, max(finding.seconds / unit, 1e-6))
    panel.set_yticks([0, 0.5, 1])
    panel.set_ylabel("Q", fontsize=9, color=_FAINT, rotation=0, labelpad=8)
    panel.set_xlabel(name, fontsize=8.5, color=_FAINT)
    panel.tick_params(labelsize=8, colors=_FAINT, length=0)
    title = headline(finding)
    panel.set_title(title if len(title) < 150 else f"{title[:148]} …", fontsize=9.5, loc="left", color=_INK)
    for side in ("top", "right", "left"):
        panel.spines[side].set_visible(False)
    panel.spines["bottom"].set_color(_RULE)


def _course(finding: Finding) -> tuple[NDArray[np.float64], ...]:
    """Give times, and the lowest, the middle and the highest quality around each, at most `_POINTS` of them."""
    times, score = finding.record.column("time"), finding.record.column("score")
    parts = np.array_split(np.arange(len(times)), min(_POINTS, len(times)))
    middle = np.array([np.median(score[part]) for part in parts])
    low, high = (np.array([edge(score[part]) for part in parts]) for edge in (np.min, np.max))
    return np.array([times[part].mean() for part in parts]), low, middle, high


def _unit(seconds: float) -> tuple[float, str]:
    """Choose the unit of time, in seconds, and its name."""
    if seconds < 180:
        return 1.0, "seconds"
    return (60.0, "minutes") if seconds < 3 * 3600 else (3600.0, "hours")
