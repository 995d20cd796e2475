"""``det_db``: the JSON of detections that MOTRv2 reads, image names to lists of ``left,top,width,height,score``.

Files in circulation differ: five or six fields, keys with or without the data set's folder, absolute, with
back-slashes, ending in ``.txt``, ``.jpg`` or nothing; images without detections have no key. Here a frame finds its
entry by the parts of its path that both have in common.
"""

from __future__ import annotations

import json
import os.path
import re
from array import array
from pathlib import Path, PurePosixPath

import numpy as np

from vsdmot.detection.rows import usable_rows
from vsdmot.errors import FormatError
from vsdmot.structures import Frame, Proposals

Parts = tuple[str, ...]
Span = tuple[int, int]

_ENDINGS = {".txt", ".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"}
# Folder names that every sequence has: agreeing in them alone does not make two folders the same.
_EVERY_SEQUENCE_HAS = {"img1", "img", "images", "image", "frames", "rgb"}


class DetDb:
    """Detections of many sequences, found by image path, or by sequence name and number for a video.

    Args:
        path: The JSON file; an empty mapping is legal.
        sequence: Name of the sequence for frames without a path (video); not needed if all keys share one folder.

    Raises:
        FormatError: The file is no mapping to lists of detections, or two keys name the same image.
    """

    def __init__(self, path: Path, *, sequence: str | None = None) -> None:
        self.path = path
        self._sequence = sequence
        self._folders: dict[Parts, dict[str, Span]] = {}
        self._found: dict[Parts | None, Parts] = {}
        self._numbers: dict[Parts, dict[int, Span]] = {}
        numbers, classes = self._parse(_read_pairs(path))
        values = np.frombuffer(numbers, np.float64).reshape(-1, 5)
        self._rows = usable_rows(values[:, :4], values[:, 4])
        kinds = ", ".join(sorted(classes))
        notes = (f"the sixth field names several classes ({kinds}): all are used",) if len(classes) > 1 else ()
        self.notes = notes + self._rows.notes

    def __call__(self, frame: Frame) -> Proposals:
        """Give the detections of a frame; a frame without an entry in a folder that has others has none.

        Raises:
            FormatError: No folder of the file is the frame's, or several may be.
        """
        if not self._folders:
            return Proposals.empty()
        folder, name = self._locate(frame)
        span = self._folders[folder].get(name) if name else None
        if span is None and (not name or name.isdigit()):
            span = self._by_number(folder).get(int(name) if name else frame.index)
        return self._rows.between(*span) if span else Proposals.empty()

    def _locate(self, frame: Frame) -> tuple[Parts, str]:
        """Find the folder of the keys for a frame, and the image's name; the name is empty for a video."""
        if frame.path is None:
            if None not in self._found:
                self._found[None] = self._folder_of_sequence()
            return self._found[None], ""
        *parents, name = key_parts(os.path.abspath(frame.path))
        asked = tuple(parents)
        if asked not in self._found:
            self._found[asked] = self._folder_like(asked)
        return self._found[asked], name

    def _folder_like(self, asked: Parts) -> Parts:
        """Find the one folder that shares the longest end with the frame's, sequence name included."""
        shared = {folder: _shared_end(folder, asked) for folder in self._folders}
        fits = [
            folder
            for folder, length in shared.items()
            if length == len(folder) or any(part not in _EVERY_SEQUENCE_HAS for part in folder[len(folder) - length :])
        ]
        longest = max((shared[folder] for folder in fits), default=0)
        return self._only([folder for folder in fits if shared[folder] == longest], f"the folder {'/'.join(asked)}")

    def _folder_of_sequence(self) -> Parts:
        if self._sequence is None:
            if len(self._folders) > 1:
                raise FormatError(f"{self.path}: holds {len(self._folders)} folders: name the sequence of the video")
            return next(iter(self._folders))
        fits = [folder for folder in self._folders if self._sequence in folder]
        return self._only(fits, f"the sequence {self._sequence}")

    def _only(self, fits: list[Parts], wanted: str) -> Parts:
        if len(fits) == 1:
            return fits[0]
        if not fits:
            example = "/".join(next(iter(self._folders)))
            raise FormatError(f"{self.path}: no key belongs to {wanted}; keys look like '{example}/...'")
        first, second = ("/".join(folder) for folder in fits[:2])
        raise FormatError(f"{self.path}: {wanted} may be '{first}' or '{second}': both fit equally well")

    def _by_number(self, folder: Parts) -> dict[int, Span]:
        """Index a folder by the number at the end of each image name."""
        if folder not in self._numbers:
            index: dict[int, Span] = {}
            for name, span in self._folders[folder].items():
                digits = re.search(r"\d+$", name)
                if digits and int(digits[0]) in index:
                    raise FormatError(f"{self.path}: two keys of '{'/'.join(folder)}' have the number {int(digits[0])}")
                if digits:
                    index[int(digits[0])] = span
            if 0 in index:
                # Frames count from 1, so every box would be one frame late.
                raise FormatError(
                    f"{self.path}: '{'/'.join(folder)}' numbers its images from 0: track the images instead"
                )
            self._numbers[folder] = index
        return self._numbers[folder]

    def _parse(self, pairs: list[tuple[str, object]]) -> tuple[array[float], set[str]]:
        """Read all lines into one flat array of five numbers each, and note where each key's begin and end."""
        numbers: array[float] = array("d")
        classes: set[str] = set()
        for key, lines in pairs:
            *parents, name = key_parts(key) or ("",)
            folder = self._folders.setdefault(tuple(parents), {})
            if not name or name in folder:
                raise FormatError(f"{self.path}: key {key!r} {'is empty' if not name else 'names an image twice'}")
            start = len(numbers) // 5
            tokens = _tokens(self.path, key, lines, classes)
            try:
                numbers.extend(map(float, tokens))
            except ValueError as error:
                raise FormatError(f"{self.path}: key {key!r}: expected numbers: {error}") from None
            folder[name] = (start, len(numbers) // 5)
        bad = np.flatnonzero(~np.isfinite(np.frombuffer(numbers, np.float64)))
        if len(bad):
            row = int(bad[0]) // 5
            owner = next(
                "/".join((*f, n)) for f, names in self._folders.items() for n, (a, b) in names.items() if a <= row < b
            )
            raise FormatError(f"{self.path}: key {owner!r}: expected finite numbers, got {numbers[int(bad[0])]}")
        return numbers, classes


def key_parts(key: str) -> Parts:
    r"""Split an image name into its parts, without drive, leading slash and file ending.

    >>> key_parts("D:\\MOT17\\train\\MOT17-02\\img1\\000001.jpg")
    ('MOT17', 'train', 'MOT17-02', 'img1', '000001')
    >>> key_parts("dancetrack0001/img1/00000001.txt")
    ('dancetrack0001', 'img1', '00000001')
    """
    parts = [part for part in key.replace("\\", "/").split("/") if part not in ("", ".")]
    if parts and re.fullmatch(r"[A-Za-z]:", parts[0]):
        del parts[0]
    if parts and PurePosixPath(parts[-1]).suffix.lower() in _ENDINGS:
        parts[-1] = PurePosixPath(parts[-1]).stem
    return tuple(parts)


def _read_pairs(path: Path) -> list[tuple[str, object]]:
    """Read the JSON as a list, in which a key that stands there twice is still seen twice."""
    try:
        pairs = json.loads(path.read_bytes(), object_pairs_hook=list)
    except OSError as error:
        raise FormatError(f"{path}: cannot read detections: {(error.strerror or str(error)).lower()}") from None
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: not readable as JSON: {error}") from None
    if not isinstance(pairs, list) or not all(isinstance(pair, tuple) for pair in pairs):
        raise FormatError(f"{path}: expected a JSON mapping of image names to detections")
    return pairs


def _tokens(path: Path, key: str, lines: object, classes: set[str]) -> list[str]:
    """Split the detections of a key into five values each; the class, where there is one, goes to ``classes``."""
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise FormatError(f"{path}: key {key!r}: expected a list of texts 'left,top,width,height,score'")
    tokens: list[str] = []
    for line in lines:
        fields = line.split(",")
        if len(fields) not in (5, 6):
            raise FormatError(f"{path}: key {key!r}: expected 'left,top,width,height,score', got {line.strip()!r}")
        classes.update(field.strip() for field in fields[5:])
        tokens.extend(fields[:5])
    return tokens


def _shared_end(first: Parts, second: Parts) -> int:
    """Count the equal parts at the end of two folders."""
    count = 0
    for one, other in zip(reversed(first), reversed(second), strict=False):
        if one != other:
            break
        count += 1
    return count
