"""What was found in one recording, and over several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vsdmot.triage.defects import DEFECTS, Defect
from vsdmot.triage.scanning import Record
from vsdmot.triage.stretches import Stretch


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A recording that was looked through.

    Attributes:
        location: Path or URL, without password.
        width: Of its pictures, pixels.
        height: Of its pictures, pixels.
        frame_rate: Frames per second.
        num_frames: Frames that were decoded.
        key_frames_only: Whether only key frames were decoded.
        seconds: From the first frame to the end of the last.
        complete: Whether it was looked through to its end.
        record: The samples.
        stretches: Its parts, in order.
        notes: What went wrong while reading, a sentence each.
    """

    location: str
    width: int
    height: int
    frame_rate: float
    num_frames: int
    key_frames_only: bool
    seconds: float
    complete: bool
    record: Record
    stretches: Sequence[Stretch]
    notes: Sequence[str] = ()

    @property
    def usable_seconds(self) -> float:
        """How much can be used."""
        return sum(stretch.seconds for stretch in self.stretches if stretch.usable)


def seconds_by_defect(findings: Sequence[Finding], *, usable: bool | None = None) -> dict[Defect | None, float]:
    """Sum up seconds by main defect, the longest first; None stands for no defect.

    Args:
        findings: Recordings.
        usable: Count only stretches that can, or cannot, be used; None counts both.
    """
    sums: dict[Defect | None, float] = dict.fromkeys((*DEFECTS, None), 0.0)
    for finding in findings:
        for stretch in finding.stretches:
            if usable is None or stretch.usable == usable:
                sums[stretch.defect] += stretch.seconds
    return {name: total for name, total in sorted(sums.items(), key=lambda item: -item[1]) if total > 0}
