"""Find ground truth wherever it lies: files, folders, data sets, zip archives; by name, without lists."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from vsdmot.errors import ConfigError, FormatError, SourceError
from vsdmot.evaluation.looking import (
    are,
    contents,
    folder_name,
    is_archive,
    layers,
    readable,
    require_file,
    unpacked,
    visible,
)
from vsdmot.io.archives import leads_out
from vsdmot.io.datasets import sequence_folders
from vsdmot.io.images import SequenceSettings, number_images, read_seqinfo
from vsdmot.io.problems import some

_TRUTH = "a gt.txt, a sequence, a data set, a folder of NAME.txt or NAME/gt.txt, or a zip archive of these"


@dataclass(frozen=True, kw_only=True)
class TruthFile:
    """Ground truth of a sequence.

    Attributes:
        name: The sequence.
        path: Its ``gt.txt``.
        folder: The folder of the sequence, with its images if there are any; None for a loose file.
        num_frames: Its length, as ``seqinfo.ini`` or else the number of the last image says; None where neither does.
        num_frames_from: ``"seqinfo.ini"``, ``"images"`` or, for None, ``""``.
    """

    name: str
    path: Path
    folder: Path | None
    num_frames: int | None
    num_frames_from: str


class _Found(NamedTuple):
    name: str
    path: Path
    folder: Path | None


def find_truth(path: Path, *, unpack_to: Path | None = None, sequences: Sequence[str] | None = None) -> list[TruthFile]:
    """Find ground truth, in natural order of its paths. No image is opened.

    Args:
        path: A text file (``SEQUENCE/gt/gt.txt``, ``NAME.gt.txt`` or ``NAME.txt``); a sequence, split or data set, of
            which sequences without ``gt/gt.txt``, as test splits hold, are passed over; a folder of ``NAME.gt.txt``,
            ``NAME/gt.txt`` or ``NAME.txt``; a zip archive of any of these, as CVAT exports it ("MOT 1.1").
        unpack_to: For an archive, the folder in which a new folder with the archive's name is made.
        sequences: Only these; None for all.

    Raises:
        SourceError: There is no ground truth, two sequences have the same name, or the archive is damaged or hostile.
        ConfigError: A sequence that was asked for is not there.
        FormatError: A ``seqinfo.ini`` is malformed.
        OutputError: The archive cannot be unpacked there.
    """
    with readable(path):
        without: list[str] = []
        if is_archive(path):
            for root in layers(unpacked(path, unpack_to)):
                found, without = _truth_below(root)
                if found or without:
                    break
        elif path.is_dir():
            found, without = _truth_below(path)
        else:
            require_file(path, (".txt",), f"ground truth ({_TRUTH})")
            found = [_loose_file(path)]
        if not found:
            raise SourceError(_no_truth(path, without))
        selected = found if sequences is None else _select(path, found, without, sequences)
        _refuse_equal_names(path, selected)
        return [_describe(one) for one in selected]


def sequences_below(root: Path) -> list[Path]:
    """Find the folders of sequences as `sequence_folders` does; none is legal.

    Raises:
        SourceError: A folder cannot be read.
    """
    try:
        return sequence_folders(root)
    except SourceError as error:
        if isinstance(error.__context__, OSError):  # a folder that cannot be read is not one without sequences
            raise
        return []


def _truth_below(root: Path) -> tuple[list[_Found], list[str]]:
    """Find ground truth in a folder, and the names of the sequences that have none."""
    found, without = [], []
    for folder in sequences_below(root):
        truth = next((folder / part for part in ("gt/gt.txt", "gt.txt") if (folder / part).is_file()), None)
        if truth is None:
            without.append(folder_name(folder))
        else:
            found.append(_Found(folder_name(folder), truth, folder))
    return (found, without) if found or without else (_loose_files(root), [])


def _loose_files(root: Path) -> list[_Found]:
    """Find ground truth in a folder that holds no sequences as MOTChallenge lays them out."""
    truth = root / "gt.txt"
    if truth.is_file():
        return [_loose_file(truth) if folder_name(root) == "gt" else _Found(folder_name(root), truth, None)]
    inside = visible(root)
    texts = [path for path in inside if path.name.endswith(".txt") and path.is_file()]
    marked = [path for path in texts if path.name.endswith(".gt.txt")]
    within = [_Found(path.name, path / "gt.txt", None) for path in inside if (path / "gt.txt").is_file()]
    plain = [path for path in texts if not path.name.endswith(".mot.txt") and path.name != "labels.txt"]
    return [_loose_file(path) for path in marked] or within or [_loose_file(path) for path in plain]


def _loose_file(path: Path) -> _Found:
    folder = path.parent
    if path.name == "gt.txt":
        if folder_name(folder) == "gt":
            sequence = folder.absolute().parent
            return _Found(folder_name(sequence), path, sequence)
        return _Found(folder_name(folder), path, None)
    return _Found(path.stem.removesuffix(".gt") or path.stem, path, None)


def _describe(found: _Found) -> TruthFile:
    num_frames, origin = (None, "") if found.folder is None else _length(found.folder)
    return TruthFile(
        name=found.name, path=found.path, folder=found.folder, num_frames=num_frames, num_frames_from=origin
    )


def _length(folder: Path) -> tuple[int | None, str]:
    """Tell the length of a sequence, and what says so."""
    info = folder / "seqinfo.ini"
    settings = read_seqinfo(info) if info.is_file() else SequenceSettings()
    if settings.length is not None:
        return settings.length, "seqinfo.ini"
    if leads_out(settings.image_folder):
        raise FormatError(f"{info}: imDir: expected a folder inside the sequence, got {settings.image_folder!r}")
    images, _ = number_images(folder / settings.image_folder)
    return (images[-1][0], "images") if images else (None, "")


def _select(path: Path, found: list[_Found], without: list[str], names: Sequence[str]) -> list[_Found]:
    if not names:
        raise ConfigError("sequences: expected at least one name, got none")
    known = [one.name for one in found]
    for name in names:
        if name in known:
            continue
        if name in without:
            raise ConfigError(f"sequences: {name} in {path} has no gt/gt.txt, so it cannot be evaluated")
        near = difflib.get_close_matches(name, known, n=1)
        raise ConfigError(
            f"sequences: there is no {name!r} in {path}; "
            + (f"did you mean {near[0]}?" if near else f"there {are(some(known))}")
        )
    return [one for one in found if one.name in names]


def _refuse_equal_names(path: Path, found: list[_Found]) -> None:
    first: dict[str, _Found] = {}
    for one in found:
        if other := first.get(one.name):
            folders = " and ".join(str((each.folder or each.path).parent) for each in (other, one))
            raise SourceError(
                f"{path}: expected sequences of different names, {one.name} is in {folders}: give one of these folders"
            )
        first[one.name] = one


def _no_truth(path: Path, without: list[str]) -> str:
    """Say in one line that there is no ground truth, and what there is."""
    if without:
        return (
            f"{path}: expected sequences with gt/gt.txt, there is none in {some(without)}, as in a test split; give a "
            "split that is annotated"
        )
    there = some(contents(path)) if path.is_dir() else "no text files of these names"
    return f"{path}: expected ground truth ({_TRUTH}), there {are(there)}"
