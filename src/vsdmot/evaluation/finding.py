"""Find ground truth and results wherever they lie: files, folders, data sets, zip archives; without lists, by name.

A result belongs to a sequence because of its name, never because it is the only one there.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from vsdmot.datasets.locating import DETECTORS
from vsdmot.errors import ConfigError, FormatError, SourceError
from vsdmot.io.archives import leads_out, unpack
from vsdmot.io.datasets import sequence_folders
from vsdmot.io.images import SequenceSettings, natural_key, number_images, read_seqinfo
from vsdmot.io.problems import counted, some

PLACES = (
    "*.txt", "*.mot.txt", "*.jsonl", "data/*.txt",
    "*/*.txt", "*/*.mot.txt", "*/pred.txt", "*/tracks.txt", "*/*.jsonl",
)  # fmt: skip
"""Where the result of a sequence may lie below a folder, ``*`` being its name; the first that is there is taken."""
TREE = "*/gt/gt.txt"
"""Where it lies in a tree like that of the ground truth; looked for only where no place above holds anything, so that
results beside the sequences that they belong to are never filled up with the ground truth itself."""

_TRUTH = "a gt.txt, a sequence, a data set, a folder of NAME.txt or NAME/gt.txt, or a zip archive of these"
_RESULTS = "NAME.txt, NAME.mot.txt or NAME.jsonl for each sequence"
_DETECTOR = re.compile(rf"-(?:{'|'.join(DETECTORS)})$")


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


@dataclass(frozen=True, kw_only=True)
class Results:
    """Results of a tracker on some sequences.

    Attributes:
        files: Sequence to file, in the order in which the sequences were asked for.
        unused: Files beside them, named like results, that belong to no sequence asked for.
        notes: What was decided in doubt, a sentence each, for the user.
    """

    files: dict[str, Path]
    unused: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


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
    with _readable(path):
        without: list[str] = []
        if _is_archive(path):
            for root in _layers(_unpacked(path, unpack_to)):
                found, without = _truth_below(root)
                if found or without:
                    break
        elif path.is_dir():
            found, without = _truth_below(path)
        else:
            _require_file(path, (".txt",), f"ground truth ({_TRUTH})")
            found = [_loose_file(path)]
        if not found:
            raise SourceError(_no_truth(path, without))
        selected = found if sequences is None else _select(path, found, without, sequences)
        _refuse_equal_names(path, selected)
        return [_describe(one) for one in selected]


def find_results(path: Path, names: Sequence[str], *, unpack_to: Path | None = None) -> Results:
    """Find the result of each sequence.

    MOT17 holds each sequence once for each of three detectors. Where only one of these copies is asked for, a result
    named without detector, or else the only one named with another, is taken for it; a note says so.

    Args:
        path: A file (``.txt``, ``.jsonl`` or CVAT's zip archive) for a single sequence, whatever its name; or a folder
            or zip archive that holds the results at `PLACES` or, all of them, at `TREE`.
        names: The sequences, each once.
        unpack_to: For an archive, the folder in which a new folder with the archive's name is made.

    Raises:
        SourceError: A result is missing, or the archive is damaged or hostile.
        OutputError: The archive cannot be unpacked there.
    """
    if not names or len(set(names)) < len(names):
        raise ValueError(f"expected at least one name, and each once, got {list(names)}")
    with _readable(path):
        if _is_archive(path):
            for root in _layers(_unpacked(path, unpack_to)):
                if len(names) == 1 and (root / "gt" / "gt.txt").is_file():
                    return Results(files={names[0]: root / "gt" / "gt.txt"})
                search = _Search(root, names, path)
                if search.files:
                    break
        elif path.is_dir():
            search = _Search(path, names, path)
        else:
            _require_file(path, (".txt", ".jsonl"), f"results (a file, or a folder with {_RESULTS})")
            if len(names) > 1:
                stem = _result_name(path)
                raise SourceError(
                    f"{path}: expected a folder with {_RESULTS} ({some(names)}), got one file; "
                    f"--sequences {stem if stem in names else 'NAME'} evaluates a single one"
                )
            return Results(files={names[0]: path})
        if len(search.files) < len(names):
            raise SourceError(search.explain())
        return search.results()


class _Search:
    """A search for results below a folder: what was found, and what is there.

    Args:
        root: The folder.
        names: The sequences.
        path: What the user named: the folder, or the archive that it was in.
    """

    def __init__(self, root: Path, names: Sequence[str], path: Path) -> None:
        self.names = names
        self.path = path
        self.there = _texts_below(root)
        """Path relative to the root, as text so that upper and lower case differ everywhere, to the file."""
        self.places = {name: held for name in names if (held := self._held(name, PLACES))}
        """Sequence to the places that hold a result of it, best first."""
        self.paired: dict[str, str] = {}
        """Sequence to the other name under which its result was found."""
        self._pair_copies()
        if not self.places:
            self.places = {name: held for name in names if (held := self._held(name, (TREE,)))}
        self.files = {name: self._file(name, self.places[name][0]) for name in names if name in self.places}

    def results(self) -> Results:
        """Give what was found."""
        return Results(files=self.files, unused=tuple(self._unused()), notes=tuple(self._notes()))

    def explain(self) -> str:
        """Say in one line what is missing."""
        missing = [name for name in self.names if name not in self.files]
        if not self.there:
            contents = some(_contents(self.path)) if self.path.is_dir() else "no text files"
            return f"{self.path}: expected results ({_RESULTS}: {some(missing)}), there {_are(contents)}"
        example, found = missing[0], set(self.files.values())
        left = [relative for relative, file in self.there.items() if file not in found]
        near = next(iter(difflib.get_close_matches(f"{example}.txt", left, n=1)), "")
        what = example
        if len(self.names) > 1:
            part = f"{len(missing)} of " if found else ""
            what = f"{part}{counted(len(self.names), 'sequence')} ({some(missing)})"
            advice = f"rename {near} if it is that of {example}" if near else "name them by sequence"
            advice += ", or evaluate a part with --sequences" if found else ""
        else:
            advice = f"if {near or 'one of them'} is meant, give that file itself"
        archive = "" if self.path.is_dir() else " (only .txt is taken out of archives)"
        return (
            f"{self.path}: no results for {what}: looked for {example}.txt, .mot.txt and .jsonl, data/{example}.txt "
            f"and files in {example}/{archive}; {'besides ' if found else ''}there {_are(some(left))}; {advice}"
        )

    def _held(self, name: str, places: Sequence[str]) -> list[str]:
        return [place for place in places if place.replace("*", name) in self.there]

    def _file(self, name: str, place: str) -> Path:
        return self.there[place.replace("*", self.paired.get(name, name))]

    def _pair_copies(self) -> None:
        """Take results of other copies of the same footage for what is missing."""
        stems = [_DETECTOR.sub("", name) for name in self.names]
        for name, stem in zip(self.names, stems, strict=True):
            if name in self.places or stems.count(stem) > 1:
                continue
            others = [stem, *(f"{stem}-{detector}" for detector in DETECTORS)]
            copies = [(other, held) for other in others if (held := self._held(other, PLACES))]
            if copies and (copies[0][0] == stem or len(copies) == 1):
                self.paired[name], self.places[name] = copies[0]

    def _notes(self) -> Iterator[str]:
        if self.paired:
            pairs = some(f"{self.files[name].name} for {name}" for name in self.paired)
            yield f"{self.path}: taken for another copy of the same footage: {pairs}"
        beside: dict[tuple[str, str], list[str]] = {}
        for name, (taken, *others) in self.places.items():
            for other in others:
                beside.setdefault((taken, other), []).append(name)
        for (taken, other), names in beside.items():
            first, second = taken.replace("*", "NAME"), other.replace("*", "NAME")
            yield f"{self.path}: {first} is evaluated, {second} is there too and is not: {some(names)}"

    def _unused(self) -> Iterator[Path]:
        """Files at the places where results were found, that are no sequence's."""
        known = {self._file(name, place) for name, places in self.places.items() for place in places}
        used = {places[0] for places in self.places.values()}
        patterns = [re.compile(_as_pattern(place)) for place in used]
        for relative, file in self.there.items():
            is_truth = relative.endswith(".gt.txt")
            if file not in known and not is_truth and any(pattern.fullmatch(relative) for pattern in patterns):
                yield file


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
            without.append(_folder_name(folder))
        else:
            found.append(_Found(_folder_name(folder), truth, folder))
    return (found, without) if found or without else (_loose_files(root), [])


def _loose_files(root: Path) -> list[_Found]:
    """Find ground truth in a folder that holds no sequences as MOTChallenge lays them out."""
    truth = root / "gt.txt"
    if truth.is_file():
        return [_loose_file(truth) if _folder_name(root) == "gt" else _Found(_folder_name(root), truth, None)]
    inside = _visible(root)
    texts = [path for path in inside if path.name.endswith(".txt") and path.is_file()]
    marked = [path for path in texts if path.name.endswith(".gt.txt")]
    within = [_Found(path.name, path / "gt.txt", None) for path in inside if (path / "gt.txt").is_file()]
    plain = [path for path in texts if not path.name.endswith(".mot.txt") and path.name != "labels.txt"]
    return [_loose_file(path) for path in marked] or within or [_loose_file(path) for path in plain]


def _loose_file(path: Path) -> _Found:
    folder = path.parent
    if path.name == "gt.txt" and _folder_name(folder) == "gt":
        sequence = folder.absolute().parent
        return _Found(_folder_name(sequence), path, sequence)
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
            + (f"did you mean {near[0]}?" if near else f"there {_are(some(known))}")
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
    contents = some(_contents(path)) if path.is_dir() else "no text files of these names"
    return f"{path}: expected ground truth ({_TRUTH}), there {_are(contents)}"


def _as_pattern(place: str) -> str:
    r"""Turn a place into a regular expression, ``*/*.txt`` into ``([^/]+)/\1\.txt``."""
    return re.escape(place).replace(r"\*", "([^/]+)", 1).replace(r"\*", r"\1")


def _texts_below(root: Path) -> dict[str, Path]:
    """List what may be results in a folder, its folders and their gt/, by path relative to it."""
    inside = _visible(root)
    folders = [path for path in inside if path.is_dir()]
    deeper = [path for folder in folders for path in [*_visible(folder), folder / "gt" / "gt.txt"]]
    texts = [path for path in [*inside, *deeper] if path.suffix in (".txt", ".jsonl") and path.is_file()]
    return {path.relative_to(root).as_posix(): path for path in texts}


def _visible(folder: Path) -> list[Path]:
    inside = [path for path in folder.iterdir() if not path.name.startswith((".", "__MACOSX"))]
    return sorted(inside, key=natural_key)


def _contents(folder: Path) -> list[str]:
    return [path.name + ("/" if path.is_dir() else "") for path in _visible(folder)]


def _are(contents: str) -> str:
    """Continue "there" with what is there.

    >>> _are(""), _are("a.txt"), _are("a.txt, b.txt"), _are("no text files")
    ('is nothing', 'is a.txt', 'are a.txt, b.txt', 'are no text files')
    """
    several = "," in contents or contents.startswith("no ")
    return f"{'are' if several else 'is'} {contents or 'nothing'}"


def _layers(root: Path) -> Iterator[Path]:
    """Give a folder and, as long as it holds nothing but one folder, that one: many archives are wrapped so."""
    yield root
    inside = _visible(root)
    while len(inside) == 1 and inside[0].is_dir():
        yield inside[0]
        inside = _visible(inside[0])


def _is_archive(path: Path) -> bool:
    return path.is_file() and (path.suffix.lower() == ".zip" or zipfile.is_zipfile(path))


def _unpacked(archive: Path, folder: Path | None) -> Path:
    if folder is None:
        raise SourceError(f"{archive}: a zip archive needs a folder to be unpacked to")
    return unpack(archive, folder)


def _require_file(path: Path, suffixes: Sequence[str], expected: str) -> None:
    if not path.exists():
        raise SourceError(f"{path}: expected {expected}, there is no such file or folder")
    if not path.is_file() or path.suffix not in suffixes:
        got = f"a file {path.suffix}" if path.suffix else "a file without suffix"
        raise SourceError(f"{path}: expected {expected}, got {got}")


def _result_name(path: Path) -> str:
    return path.stem.removesuffix(".mot")


def _folder_name(folder: Path) -> str:
    """Name a folder as it is seen from outside, also ``.``; a link by its own name."""
    return os.path.basename(os.path.abspath(folder))


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SourceError(f"{error.filename or path}: not readable: {error.strerror or error}") from None
