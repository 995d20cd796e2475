"""What clips are drawn from: annotated sequences of images, and CrowdHuman's still images."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vsdmot.config import at_least, check, within
from vsdmot.datasets.locating import DETECTORS, locate
from vsdmot.datasets.splits import SplitEntry, read_split
from vsdmot.degradation import manifest
from vsdmot.errors import ConfigError, FormatError, SourceError
from vsdmot.io import datasets
from vsdmot.io.annotations import GroundTruth, read_ground_truth
from vsdmot.io.box_checks import repeated, without_area
from vsdmot.io.crowdhuman import read_crowdhuman
from vsdmot.io.images import number_images
from vsdmot.io.problems import counted, some
from vsdmot.training.clips.proposals import ProposalFiles
from vsdmot.training.clips.sequences import BoxRows, ClipSequence

Kind = Literal["sequences", "crowdhuman"]


@dataclass(frozen=True, kw_only=True)
class ClipSourceConfig:
    """A data set to draw clips from.

    Attributes:
        root: For sequences: a list of them as `vsdmot data build` writes it (train.txt), or a folder that holds them,
            in MOTChallenge's layout. For crowdhuman: the annotations (annotation_train.odgt).
        kind: What it is: sequences, or crowdhuman, whose still images become clips by moving them.
        images: Folder of CrowdHuman's images; null means Images/ beside the annotations.
        proposals: Where proposals come from: none; own (det/det.txt of each sequence); imitated (made of the true
            boxes, with the errors of a detector on a frame of that quality); or a path: a det_db (JSON), a folder with
            SEQUENCE.txt for each, or the text of the one sequence. A frame without an entry has no proposals.
        min_score: Proposals must score above this, as at inference; raising it gives fewer and better ones.
        min_visibility: People of whom a smaller share is seen (0 to 1) count as absent. 0 takes all, as published;
            raising it keeps the network from guessing people who are wholly hidden.
        clean: Folder of the clean originals of degraded sequences, for a teacher that sees clean frames; null if
            there is none.
        max_interval: Longest distance of a clip's frames in this source, for footage of another frame rate than the
            rest; null takes that of the sampling.
        weight: Its share of the clips of an epoch, relative to the other sources'; null for all sources takes every
            clip of each once.
    """

    root: Path
    kind: Kind = "sequences"
    images: Path | None = None
    proposals: str = "none"
    min_score: float = 0.05
    min_visibility: float = 0.0
    clean: Path | None = None
    max_interval: int | None = None
    weight: float | None = None

    def __post_init__(self) -> None:
        check(
            self,
            min_score=within(0, 1),
            min_visibility=within(0, 1),
            max_interval=at_least(1),
            weight=at_least(0),
        )
        if self.kind == "sequences" and self.images is not None:
            raise ConfigError(f"images: only crowdhuman has a folder of its own for images, got {self.images}")
        if self.kind == "crowdhuman" and (self.clean is not None or self.proposals == "own"):
            raise ConfigError("kind: crowdhuman has neither own proposals (det.txt) nor clean originals elsewhere")
        if self.kind == "crowdhuman" and self.max_interval is not None:
            raise ConfigError("max_interval: crowdhuman has still images, whose clips have no interval")
        if self.kind == "crowdhuman" and self.min_visibility > 0:
            raise ConfigError("min_visibility: crowdhuman does not say how much of its people is seen; leave it at 0")


@dataclass(frozen=True, eq=False)
class ClipSource:
    """A data set that was opened.

    Attributes:
        name: Where it is.
        sequences: Its sequences; none is empty.
        weight: As configured.
        notes: What was left out or assumed, a sentence each.
    """

    name: str
    sequences: tuple[ClipSequence, ...]
    weight: float | None
    notes: tuple[str, ...]


def open_clip_source(config: ClipSourceConfig) -> ClipSource:
    """Read annotations and proposals; images are listed, not read.

    Raises:
        SourceError: A folder is missing, or there is nothing to train on.
        FormatError: Annotations, a list or proposals cannot be understood.
        ConfigError: The folder holds several parts of a data set, or a list names the same footage twice.
    """
    notes: list[str] = []
    files = ProposalFiles(config.proposals, config.min_score)
    found = _stills(config, files, notes) if config.kind == "crowdhuman" else _sequences(config, files, notes)
    sequences = tuple(sequence for sequence in found if len(sequence))
    if not sequences:
        raise SourceError(f"{config.root}: expected annotated images, found none; {'; '.join(notes) or 'it is empty'}")
    return ClipSource(str(config.root), sequences, config.weight, tuple(notes) + files.notes)


def _sequences(config: ClipSourceConfig, files: ProposalFiles, notes: list[str]) -> Iterator[ClipSequence]:
    """Read the sequences of a list or a folder."""
    entries = read_split(config.root) if config.root.is_file() else _entries_below(config.root)
    entries = _one_of_copies(entries, notes)
    degraded = [entry.name for entry in entries if entry.quality == "degraded"]
    originals = locate(config.clean, degraded) if config.clean is not None and degraded else {}
    files.expect([entry.name for entry in entries])
    for entry in entries:
        described = datasets.describe_sequence(entry.folder)
        if described.ground_truth is None:
            notes.append(f"{entry.name}: has no gt/gt.txt and is left out")
            continue
        truth = read_ground_truth(described.ground_truth)
        images = _images_between_annotations(entry.name, described.image_folder, truth, notes)
        if described.size and described.promised_size and described.size != described.promised_size:
            size, promised = ("x".join(map(str, pair)) for pair in (described.size, described.promised_size))
            notes.append(f"{entry.name}: images are {size}, seqinfo.ini says {promised}: boxes may be in other pixels")
        frames = np.array([number for number, _ in images], np.int64)
        paths = [path for _, path in images]
        clean = originals.get(entry.name)
        yield ClipSequence(
            name=entry.name,
            folder=described.image_folder,
            files=np.array([path.name for path in paths], np.str_),
            frames=frames,
            people=_people(truth, frames, entry.name, config.min_visibility, notes),
            proposals=files.of_frames(entry.name, entry.folder, frames, paths),
            quality=entry.quality,
            max_interval=config.max_interval,
            clean_folder=None if clean is None else _same_images(clean, paths),
            ground_truth=described.ground_truth,
        )


def _entries_below(root: Path) -> tuple[SplitEntry, ...]:
    """List the sequences below a folder as a list file would.

    Raises:
        ConfigError: They lie in folders of different names, such as train and val.
    """
    folders = datasets.sequence_folders(root)
    parts = sorted({folder.parent.name for folder in folders if (folder / "gt" / "gt.txt").is_file()})
    if len(parts) > 1:  # nobody should train on what validates because of a path that is one folder too short
        raise ConfigError(f"{root}: holds sequences in {some(parts)}: name one of these folders, or a list")
    names = [folder.resolve().name for folder in folders]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"{root}: holds more than one sequence of the name {some(twice)}")
    made = [(folder / manifest.NAME).is_file() for folder in folders]
    return tuple(
        SplitEntry(name, "degraded" if degraded else "clean", folder)
        for name, degraded, folder in zip(names, made, folders, strict=True)
    )


def _one_of_copies(entries: Iterable[SplitEntry], notes: list[str]) -> tuple[SplitEntry, ...]:
    """Keep one of MOT17's three copies of each sequence, which differ in nothing but ``det.txt``."""
    copies: defaultdict[str, dict[str, SplitEntry]] = defaultdict(dict)
    for entry in entries:
        stem, detector = re.fullmatch(rf"(.*?)(?:-({'|'.join(DETECTORS)}))?", entry.name, re.DOTALL).groups()  # type: ignore[union-attr]
        copies[stem][detector or ""] = entry
    kept = []
    for same in copies.values():
        first = min(same, key=lambda detector: ("", *DETECTORS).index(detector))
        kept.append(same[first])
        if others := sorted(entry.name for entry in same.values() if entry is not same[first]):
            notes.append(f"{same[first].name}: counts once; the same footage is left out as {some(others)}")
    return tuple(kept)


def _images_between_annotations(
    name: str, folder: Path, truth: GroundTruth, notes: list[str]
) -> list[tuple[int, Path]]:
    """List the images from the first to the last annotated frame, as MOTRv2 does: beyond, nobody may have looked.

    Frames between them without annotations are frames without people.
    """
    images, _ = number_images(folder)
    numbers = [number for number, _ in images]
    if len(set(numbers)) < len(numbers):
        twice = next(number for number in numbers if numbers.count(number) > 1)
        raise SourceError(f"{folder}: more than one image of frame {twice}; remove one")
    if not len(truth.people()):
        notes.append(f"{name}: shows no people and is left out")
        return []
    first, last = int(truth.frames[0]), int(truth.frames[-1])
    kept = [(number, path) for number, path in images if first <= number <= last]
    if outside := len(images) - len(kept):
        notes.append(f"{name}: {counted(outside, 'frame')} before or after the annotations (frames {first} to {last})")
    annotated = np.unique(truth.frames)
    if missing := len(annotated) - int(np.isin(annotated, numbers).sum()):
        notes.append(f"{name}: {missing} of {counted(len(annotated), 'annotated frame')} have no image: left out")
    return kept


def _people(
    truth: GroundTruth, frames: NDArray[np.int64], name: str, min_visibility: float, notes: list[str]
) -> BoxRows:
    """Take the people of the frames that there are.

    Raises:
        FormatError: A person is in a frame twice, so that nobody can say which box is meant.
    """
    people = truth.people()
    flat = without_area(people.boxes)
    if flat.any():
        notes.append(f"{name}: {counted(int(flat.sum()), 'box', 'boxes')} without area are left out")
    seen = people.visibility >= min_visibility
    people = people.select(~flat & seen & np.isin(people.frames, frames))
    if (again := repeated(people.frames, people.ids)).any():
        row = int(np.flatnonzero(again)[0])
        raise FormatError(
            f"{truth.path}:{people.line_numbers[row]}: expected each id once in a frame, got id {people.ids[row]} "
            f"again in frame {people.frames[row]}"
        )
    ends = np.searchsorted(people.frames, frames, side="right")
    return BoxRows(np.concatenate([[0], ends]).astype(np.int64), people.boxes.astype(np.float32), people.ids)


def _same_images(original: Path, paths: list[Path]) -> Path:
    """Give the folder of the original's images.

    Raises:
        SourceError: It lacks some of them.
    """
    folder = datasets.describe_sequence(original).image_folder
    there = set(os.listdir(folder)) if folder.is_dir() else set()
    if missing := [path.name for path in paths if path.name not in there]:
        raise SourceError(f"{folder}: expected the clean image of every frame, {some(missing)} is not there")
    return folder


def _stills(config: ClipSourceConfig, files: ProposalFiles, notes: list[str]) -> Iterator[ClipSequence]:
    """Read CrowdHuman: one sequence of stills; its people have the numbers 0, 1, 2 in each image."""
    folder = config.images or config.root.parent / "Images"
    if not folder.is_dir():
        raise SourceError(f"{folder}: expected CrowdHuman's images here; name their folder with images")
    there = set(os.listdir(folder))
    names, starts, boxes, missing = [], [0], [], 0
    for image in read_crowdhuman(config.root):
        path = image.image_in(folder)
        if path.name not in there:
            missing += 1
            continue
        people = image.people()
        people = people[~without_area(people)].astype(np.float32)
        names.append(path.name)
        boxes.append(people)
        starts.append(starts[-1] + len(people))
    if missing:
        notes.append(f"{config.root}: {missing} of {counted(missing + len(names), 'image')} are not there: left out")
    ids = [np.arange(len(people), dtype=np.int64) for people in boxes]
    frames = np.arange(1, len(names) + 1, dtype=np.int64)
    yield ClipSequence(
        name="crowdhuman",
        folder=folder,
        files=np.array(names, np.str_),
        frames=frames,
        people=BoxRows(
            np.array(starts, np.int64),
            np.concatenate([np.zeros((0, 4), np.float32), *boxes]),
            np.concatenate([np.zeros(0, np.int64), *ids]),
        ),
        proposals=files.of_stills([folder / name for name in names]),
        is_still=True,
    )
