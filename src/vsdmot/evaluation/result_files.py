"""Find results wherever they lie: files, folders, data sets, zip archives; by name, without lists.

A result belongs to a sequence because of its name, never because it is the only one there.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vsdmot.datasets.locating import DETECTORS
from vsdmot.errors import SourceError
from vsdmot.evaluation.looking import are, contents, is_archive, layers, readable, require_file, unpacked, visible
from vsdmot.io.problems import counted, some

PLACES = (
    "*.txt", "*.mot.txt", "*.jsonl", "data/*.txt",
    "*/*.txt", "*/*.mot.txt", "*/pred.txt", "*/tracks.txt", "*/*.jsonl",
)  # fmt: skip
"""Where the result of a sequence may lie below a folder, ``*`` being its name; the first that is there is taken."""
TREE = "*/gt/gt.txt"
"""Where it lies in a tree like that of the ground truth; looked for only where no place above holds anything, so that
results beside the sequences that they belong to are never filled up with the ground truth itself."""

_RESULTS = "NAME.txt, NAME.mot.txt or NAME.jsonl for each sequence"
_DETECTOR = re.compile(rf"-(?:{'|'.join(DETECTORS)})$")


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
    with readable(path):
        if is_archive(path):
            for root in layers(unpacked(path, unpack_to)):
                if len(names) == 1 and (root / "gt" / "gt.txt").is_file():
                    return Results(files={names[0]: root / "gt" / "gt.txt"})
                search = _Search(root, names, path)
                if search.files:
                    break
        elif path.is_dir():
            search = _Search(path, names, path)
        else:
            require_file(path, (".txt", ".jsonl"), f"results (a file, or a folder with {_RESULTS})")
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
            there = some(contents(self.path)) if self.path.is_dir() else "no text files"
            return f"{self.path}: expected results ({_RESULTS}: {some(missing)}), there {are(there)}"
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
            f"and files in {example}/{archive}; {'besides ' if found else ''}there {are(some(left))}; {advice}"
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


def _as_pattern(place: str) -> str:
    r"""Turn a place into a regular expression, ``*/*.txt`` into ``([^/]+)/\1\.txt``."""
    return re.escape(place).replace(r"\*", "([^/]+)", 1).replace(r"\*", r"\1")


def _texts_below(root: Path) -> dict[str, Path]:
    """List what may be results in a folder, its folders and their gt/, by path relative to it."""
    inside = visible(root)
    folders = [path for path in inside if path.is_dir()]
    deeper = [path for folder in folders for path in [*visible(folder), folder / "gt" / "gt.txt"]]
    texts = [path for path in [*inside, *deeper] if path.suffix in (".txt", ".jsonl") and path.is_file()]
    return {path.relative_to(root).as_posix(): path for path in texts}


def _result_name(path: Path) -> str:
    return path.stem.removesuffix(".mot")
