"""Several trackers on the same frames, each frame read and assessed once; one that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from vsdmot.detection.proposals import ProposalSource
from vsdmot.errors import OutputError
from vsdmot.evaluation.robustness.entrants import Entrant
from vsdmot.io.mot_text import MotTextWriter
from vsdmot.quality import QualityConfig, assess
from vsdmot.structures import Frame, FrameQuality, FrameResult
from vsdmot.tracking.method import TrackingMethod


class TrackersSideBySide:
    """Trackers that go through a sequence together, and write a file each; a context manager.

    Args:
        entrants: The trackers.
        frame_rate: Frames per second of the sequence.
        folder: Where the files are written.
        shared: Proposals for those that take them; None if none does.
        least: They are given proposals that score above this; None gives all.
    """

    def __init__(
        self,
        entrants: Sequence[Entrant],
        frame_rate: float,
        folder: Path,
        shared: ProposalSource | None,
        least: float | None,
    ) -> None:
        self._entrants = entrants
        self._frame_rate = frame_rate
        self._folder = folder
        self._shared = shared
        self._least = least
        self._running: dict[str, _Running] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        for number, entrant in enumerate(self._entrants):
            path = self._folder / f"{number}.txt"
            writer = self._stack.enter_context(MotTextWriter(path))
            self._running[entrant.name] = _Running(entrant, path, writer)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def step(self, frame: Frame) -> Iterator[tuple[str, str]]:
        """Give the next frame to every tracker that still runs; yields name and reason of those that fail.

        Raises:
            OutputError: Tracks cannot be written.
        """
        proposals = None if self._shared is None else self._shared(frame)
        if proposals is not None and self._least is not None:
            proposals = proposals.above(self._least)
        qualities: dict[QualityConfig, FrameQuality] = {}
        for name, running in list(self._running.items()):
            config = running.entrant.quality
            if config not in qualities:
                qualities[config] = assess(frame.image, config)
            given = proposals if running.entrant.takes_proposals else None
            try:
                if running.method is None:
                    running.begin(self._frame_rate)
                running.step(frame, given, qualities[config])
            except OutputError:
                raise
            except Exception as error:  # noqa: BLE001  whatever a tracker dies of, the others' hours are not lost
                del self._running[name]
                reason = " ".join(str(error).split()) or "no message"
                yield name, f"frame {frame.index}: {type(error).__name__}: {reason}"

    def finished(self) -> list[tuple[Entrant, Path]]:
        """List the trackers that came to the end, with their files, which are complete once the context is left."""
        return [(running.entrant, running.path) for running in self._running.values()]


class _Running:
    """A tracker on its way."""

    def __init__(self, entrant: Entrant, path: Path, writer: MotTextWriter) -> None:
        self.entrant = entrant
        self.path = path
        self.method: TrackingMethod[Any] | None = None
        self._writer = writer
        self._state: Any = None

    def begin(self, frame_rate: float) -> None:
        self.method = self.entrant.make(frame_rate)
        self._state = self.method.start()

    def step(self, frame: Frame, proposals: Any, quality: FrameQuality) -> None:
        assert self.method is not None, "begun"
        self._state, found = self.method.step(self._state, frame, proposals, quality)
        result = FrameResult(
            index=frame.index,
            time=frame.time,
            tracks=found.tracks,
            quality=quality,
            semantic_weight=found.semantic_weight,
            num_proposals=found.num_proposals,
        )
        self._writer.write(result)
