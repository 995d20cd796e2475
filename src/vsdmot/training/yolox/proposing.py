"""Proposals of many sequences by a detector: a file for each, and a record of who made it.

``OUT/NAME.txt`` holds the proposals of a sequence as MOTChallenge detections; ``OUT/made_by/NAME.json`` says by which
weights and settings. A sequence is done when both are there and the record is what would be written now, so a run that
was cut off goes on with what is missing, and several detectors can fill one folder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vsdmot.config import to_mapping
from vsdmot.datasets.splits import SplitEntry, read_split
from vsdmot.detection.files import MotDetections
from vsdmot.detection.writers import DetDbWriter, DetTextWriter
from vsdmot.detection.yolox.detector import DetectorConfig, YoloxDetector
from vsdmot.errors import CheckpointError, OutputError, SourceError
from vsdmot.io.datasets import describe_sequence, sequence_folders
from vsdmot.io.images import number_images, open_folder
from vsdmot.io.whole_files import write_whole
from vsdmot.structures import Frame

RECORDS = "made_by"
DET_DB = "det_db.json"

_SPOT = np.zeros((1, 1, 3), np.uint8)  # a frame's image, where only its path is looked at


@dataclass(frozen=True, eq=False)
class Proposer:
    """A detector, and what to remember of it.

    Attributes:
        detector: Gives the proposals.
        record: What made them: weights and settings, as plain values.
        trained_on: Names of the sequences that it was trained on; None where its weights do not say.
    """

    detector: YoloxDetector
    record: dict[str, Any]
    trained_on: tuple[str, ...] | None


def open_proposer(weights: Path, *, config: DetectorConfig, device: str | torch.device = "cpu") -> Proposer:
    """Load a detector and identify its weights.

    Raises:
        CheckpointError: The weights cannot be read or are not YOLOX, or the ``config.json`` beside them is damaged.
    """
    detector = YoloxDetector.from_checkpoint(weights, device=device, config=config)
    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    record = {"weights": weights.name, "sha256": digest, "detector": to_mapping(detector.config)}
    return Proposer(detector, record, _trained_on(weights.with_name("config.json")))


def sequences_of(path: Path) -> tuple[SplitEntry, ...]:
    """List the sequences of a data set, or of a list of sequences (``.txt``).

    Raises:
        SourceError: There are none, or two have the same name.
        FormatError: The list cannot be read.
    """
    if path.suffix == ".txt":
        return read_split(path)
    entries: dict[str, SplitEntry] = {}
    for folder in sequence_folders(path):
        name = folder.resolve().name
        if name in entries:
            raise SourceError(
                f"{path}: two sequences are called {name} ({entries[name].folder}, {folder}): take one split at a time"
            )
        entries[name] = SplitEntry(name, "clean", folder)
    return tuple(entries.values())


def left_to_do(
    entries: Sequence[SplitEntry], proposer: Proposer, output: Path, *, overwrite: bool
) -> tuple[SplitEntry, ...]:
    """Give the sequences that are not done yet.

    Args:
        entries: Sequences that are asked for.
        proposer: Who is to make their proposals.
        output: Folder of the results.
        overwrite: Whether to begin anew, whatever is there.

    Raises:
        OutputError: There are proposals of a sequence that were made otherwise, and ``overwrite`` is False.
    """
    left = []
    for entry in entries:
        text = _text(output, entry)
        if text.exists() and not overwrite:
            found, wanted = _read_record(_record(output, entry)), _wanted(entry, proposer)
            if found == wanted:
                continue
            raise OutputError(
                f"{text}: exists and was made {_otherwise(found, wanted)}; choose another output, or add --overwrite"
            )
        left.append(entry)
    return tuple(left)


def propose(
    entries: Sequence[SplitEntry], proposer: Proposer, output: Path, *, warn: Callable[[str], None]
) -> Iterator[int]:
    """Make the proposals of sequences; yields the number of boxes of each frame.

    Args:
        entries: Sequences; what there is of them in ``output`` is replaced.
        proposer: Who makes their proposals.
        output: Folder of the results; made if missing.
        warn: Is told what went wrong while images were read.

    Raises:
        SourceError: A sequence has no images.
        OutputError: The folder cannot be written.
    """
    for entry in entries:
        with open_folder(entry.folder, frame_rate=1.0) as source:  # nobody looks at the times
            _text(output, entry).unlink(missing_ok=True)  # else it would for a while be taken for what the record says
            write_whole(_record(output, entry), (json.dumps(_wanted(entry, proposer), indent=2) + "\n").encode())
            with DetTextWriter(_text(output, entry)) as writer:
                for frame in source:
                    proposals = proposer.detector(frame)
                    writer.write(frame, proposals)
                    yield len(proposals)
        for note in source.report.notes:
            warn(f"{entry.folder}: {note}")


def write_det_db(entries: Sequence[SplitEntry], output: Path, root: Path) -> Path:
    """Join the proposals of sequences into ``OUT/det_db.json``, the form that MOTRv2 reads.

    Args:
        entries: Sequences that are done.
        output: Folder of the results.
        root: Keys are paths below this folder; those of sequences that lie elsewhere are absolute.

    Raises:
        FormatError: The proposals of a sequence cannot be read.
        OutputError: The file cannot be written.
    """
    path = output / DET_DB
    with DetDbWriter(path) as writer:
        for entry in entries:
            detections = MotDetections(_text(output, entry))
            for index, image in number_images(describe_sequence(entry.folder).image_folder)[0]:
                key = image.relative_to(root) if image.is_relative_to(root) else image.absolute()
                frame = Frame(index, 0.0, _SPOT, key)
                writer.write(frame, detections(frame))
    return path


def num_frames(entries: Sequence[SplitEntry]) -> int:
    """Count the frames of sequences."""
    return sum(describe_sequence(entry.folder).num_frames for entry in entries)


def _text(output: Path, entry: SplitEntry) -> Path:
    return output / f"{entry.name}.txt"


def _record(output: Path, entry: SplitEntry) -> Path:
    return output / RECORDS / f"{entry.name}.json"


def _wanted(entry: SplitEntry, proposer: Proposer) -> dict[str, Any]:
    record = {**proposer.record, "sequence": str(entry.folder.resolve())}
    decoded: dict[str, Any] = json.loads(json.dumps(record))  # as it will be read back
    return decoded


def _read_record(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _otherwise(found: dict[str, Any] | None, wanted: dict[str, Any]) -> str:
    """Say how a record differs from what is wanted."""
    if found is None:
        return "by something else"
    different = [name for name, value in wanted.items() if found.get(name) != value]
    return f"with another {' and '.join(different)}"


def _trained_on(path: Path) -> tuple[str, ...] | None:
    """Read the names of sequences from the ``config.json`` of an exported detector; None where it names none."""
    if not path.is_file():
        return None
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: not readable as JSON: {error}") from None
    names = facts.get("sequences") if isinstance(facts, dict) else None
    return tuple(map(str, names)) if isinstance(names, list) else None
