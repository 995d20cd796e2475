"""Image folders, MOTChallenge sequences and single images as sources (Pillow decodes)."""

from __future__ import annotations

import configparser
import itertools
import math
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vsdmot.errors import FormatError, SourceError
from vsdmot.io.sources import DEFAULT_FRAME_RATE, ReadReport, Source, SourceInfo
from vsdmot.structures import Frame, Image

IMAGE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".jp2", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})

# All that Pillow's readers are known to raise on damaged files, besides DecompressionBombError.
_DAMAGE = (OSError, SyntaxError, ValueError, IndexError, KeyError, struct.error)


class ImageFiles(Source):
    """Image files as frames.

    A file that cannot be decoded, or that has another size than the first usable one, is left out, counted as broken
    and named in the report; the others keep their index. (Resizing it would make its boxes lie.)
    """

    def __init__(self, files: Sequence[tuple[int, Path]], info: SourceInfo, notes: Sequence[str] = ()) -> None:
        """Take the frames.

        Args:
            files: Frame index and file, by rising index.
            info: What the source says about itself.
            notes: Remarks that the report begins with.
        """
        self.info = info
        self.report = ReadReport(notes=list(notes))
        self._files = tuple(files)
        self._notes = tuple(notes)

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the usable images from the first on."""
        self.report.restart(self._notes)
        for index, path in self._files:
            try:
                image = read_image(path)
            except SourceError as error:
                self.report.num_broken += 1
                self.report.note(f"frame {index}: {error}")
                continue
            if image.shape[:2] != (self.info.height, self.info.width):
                self.report.num_broken += 1
                self.report.note(
                    f"frame {index}: {path}: expected {self.info.width}x{self.info.height} like the first image, "
                    f"got {image.shape[1]}x{image.shape[0]}; left out"
                )
                continue
            self.report.num_read += 1
            yield Frame(index, (index - self._files[0][0]) / self.info.frame_rate, image, path)

    def close(self) -> None:
        """Do nothing: no file stays open between frames."""


@dataclass(frozen=True, kw_only=True)
class SequenceSettings:
    """The ``[Sequence]`` section of a MOTChallenge ``seqinfo.ini``; None for what it does not say.

    Attributes:
        image_folder: ``imDir``, relative to the sequence.
        frame_rate: ``frameRate``, frames per second.
        length: ``seqLength``, frames; real files often promise more than exist.
        width: ``imWidth``, pixels.
        height: ``imHeight``, pixels.
    """

    image_folder: str = "img1"
    frame_rate: float | None = None
    length: int | None = None
    width: int | None = None
    height: int | None = None


def read_image(path: Path) -> Image:
    """Read an image file as upright RGB, ``(H, W, 3)`` uint8.

    EXIF orientation is applied, alpha is dropped (not composited), 16-bit samples give their high byte, and grey,
    palette and CMYK images become RGB.

    Raises:
        SourceError: The file is missing, damaged or of a kind that is not supported.
    """
    import PIL.Image  # here, so that whoever only lists images does not wait for it
    import PIL.ImageOps

    try:
        with PIL.Image.open(path) as picture:
            PIL.ImageOps.exif_transpose(picture, in_place=True)
            if picture.mode == "F":
                raise ValueError("floating-point images are not supported")
            if picture.mode.startswith("I"):  # 16-bit grey; Pillow's own conversion would clip it to white
                grey = (np.asarray(picture).clip(0, 65535) >> 8).astype(np.uint8)
                return np.repeat(grey[:, :, None], 3, axis=2)
            return np.array(picture.convert("RGB"))  # a copy, because Pillow's own array cannot be written to
    except PIL.UnidentifiedImageError:
        raise SourceError(f"{path}: not an image, or damaged at its start") from None
    except (*_DAMAGE, PIL.Image.DecompressionBombError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise SourceError(f"{path}: not readable as an image: {reason}") from None


def natural_key(path: Path) -> tuple[tuple[int, int | str], ...]:
    """Sort key that orders numbers by value.

    >>> [p.name for p in sorted([Path("10.jpg"), Path("2.jpg"), Path("a.jpg")], key=natural_key)]
    ['2.jpg', '10.jpg', 'a.jpg']
    """
    parts = re.split(r"([0-9]+)", path.as_posix())
    return tuple((0, int(part)) if part.isdigit() and part.isascii() else (1, part) for part in parts if part)


def read_seqinfo(path: Path) -> SequenceSettings:
    """Read a MOTChallenge ``seqinfo.ini``.

    Raises:
        FormatError: It has no ``[Sequence]`` section, or a value is not a number.
    """
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(path.read_text(encoding="utf-8-sig"))
        section = parser["Sequence"]
    except (configparser.Error, UnicodeDecodeError, KeyError):
        raise FormatError(f"{path}: expected a text file with the section [Sequence]") from None

    def number(key: str) -> float | None:
        text = section.get(key, "").strip()
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value > 0):
            raise FormatError(f"{path}: {key}: expected a number greater than 0, got {text!r}")
        return value

    whole = [None if value is None else int(value) for value in map(number, ("seqLength", "imWidth", "imHeight"))]
    return SequenceSettings(
        image_folder=section.get("imDir", "").strip() or "img1",
        frame_rate=number("frameRate"),
        length=whole[0],
        width=whole[1],
        height=whole[2],
    )


def open_folder(folder: Path, *, frame_rate: float | None = None) -> ImageFiles:
    """Open a MOTChallenge sequence (``seqinfo.ini`` or ``img1``) or a plain folder of images.

    Frames of a sequence take their index from the number in the file name, so that they stay aligned with ground
    truth where a file is missing; images of a plain folder are counted 1, 2, 3.

    Raises:
        SourceError: There are no images, or none can be decoded.
        FormatError: ``seqinfo.ini`` is malformed.
    """
    name = folder.resolve().name
    settings = SequenceSettings()
    if (folder / "seqinfo.ini").is_file():
        settings = read_seqinfo(folder / "seqinfo.ini")
    elif not (folder / "img1").is_dir() or list_images(folder):
        paths = list_images(folder)
        if not paths:
            raise SourceError(f"{folder}: expected images or a MOTChallenge sequence, found {_contents(folder)}")
        return _counted(paths, name, str(folder), frame_rate)
    image_folder = folder / settings.image_folder
    if not image_folder.is_dir():
        raise SourceError(f"{folder}: expected the image folder {settings.image_folder}/, it is not there")
    files, notes = _numbered(image_folder)
    if settings.length is not None and settings.length != len(files):
        notes.append(f"seqinfo.ini promises {settings.length} frames, {len(files)} are there")
    if frame_rate is None and settings.frame_rate is None:
        notes.append(f"the frame rate is not known; taken as {DEFAULT_FRAME_RATE:g} frames/s")
    rate = frame_rate or settings.frame_rate or DEFAULT_FRAME_RATE
    info = _describe(files, name, str(folder), rate)
    if (settings.width or info.width, settings.height or info.height) != (info.width, info.height):
        notes.append(
            f"seqinfo.ini says {settings.width}x{settings.height}, the images are {info.width}x{info.height}: "
            "ground truth may be in other pixels"
        )
    return ImageFiles(files, info, notes)


def open_pattern(pattern: Path, matches: Sequence[Path], *, frame_rate: float | None = None) -> ImageFiles:
    """Open the images that a glob pattern matched, in natural order.

    Raises:
        SourceError: Nothing matched, or no image did.
    """
    paths = sorted((path for path in matches if _is_image(path)), key=natural_key)
    if not paths:
        found = f"{len(matches)} files, none of them an image" if matches else "nothing"
        raise SourceError(f"{pattern}: expected a pattern that matches images, it matches {found}")
    return _counted(paths, paths[0].resolve().parent.name, str(pattern), frame_rate)


def open_image(path: Path, *, frame_rate: float | None = None) -> ImageFiles:
    """Open one image as a source of one frame.

    Raises:
        SourceError: It cannot be decoded.
    """
    return _counted([path], path.stem, str(path), frame_rate)


def _counted(paths: Sequence[Path], name: str, location: str, frame_rate: float | None) -> ImageFiles:
    files = list(enumerate(paths, start=1))
    return ImageFiles(files, _describe(files, name, location, frame_rate or DEFAULT_FRAME_RATE))


def _describe(files: Sequence[tuple[int, Path]], name: str, location: str, frame_rate: float) -> SourceInfo:
    """Describe image files; the first that can be decoded gives the size.

    Raises:
        SourceError: Not one of them can be decoded.
    """
    reason = ""
    for _, path in files:
        try:
            height, width, _ = read_image(path).shape
        except SourceError as error:
            reason = reason or str(error)
            continue
        return SourceInfo(
            name=name,
            width=width,
            height=height,
            frame_rate=frame_rate,
            num_frames=len(files),
            live=False,
            location=location,
        )
    raise SourceError(f"{location}: no frames could be decoded; {reason}")


def number_images(folder: Path) -> tuple[list[tuple[int, Path]], list[Path]]:
    """List the images of a sequence with their frame indices.

    The index is the last number in the name; where the lowest is 0, as in exports of CVAT, all are one higher.
    A number of more than 15 digits is no frame number (but a time in nanoseconds, or a hash).

    Returns:
        Frame index and file by rising index, and the images whose name has no number. An index may occur twice. Both
        are empty where the folder is not there.
    """
    found, unnumbered = [], []
    for path in list_images(folder) if folder.is_dir() else []:
        number = _frame_number(path)
        if number is None:
            unnumbered.append(path)
        else:
            found.append((number, path))
    shift = 1 if any(number == 0 for number, _ in found) else 0
    return sorted(((number + shift, path) for number, path in found), key=lambda pair: pair[0]), unnumbered


def _frame_number(path: Path) -> int | None:
    digits = re.findall(r"[0-9]+", path.stem)
    return int(digits[-1]) if digits and len(digits[-1]) <= 15 else None


def _numbered(folder: Path) -> tuple[list[tuple[int, Path]], list[str]]:
    """Images of a sequence by frame index, with remarks about what is odd.

    Raises:
        SourceError: No image has a number, or two share one.
    """
    numbered, unnumbered = number_images(folder)
    if not numbered:
        raise SourceError(f"{folder}: expected images named by frame, such as 000001.jpg, found {_contents(folder)}")
    for (index, path), (following, other) in itertools.pairwise(numbered):
        if index == following:
            number = _frame_number(path)
            raise SourceError(f"{folder}: {path.name} and {other.name} are both frame {number}; remove one")
    notes = []
    if unnumbered:
        notes.append(f"{folder.name}: {len(unnumbered)} images without a number in the name are left out")
    indices = [index for index, _ in numbered]
    first, last = indices[0], indices[-1]
    if _frame_number(numbered[0][1]) == 0:
        notes.append(f"{folder.name}: files are numbered from 0; frame indices are one higher")
    if (missing := last - first + 1 - len(indices)) > 0:
        gap = next(before + 1 for before, after in itertools.pairwise(indices) if after > before + 1)
        notes.append(f"{folder.name}: {missing} frames are missing between {first} and {last}, the first is {gap}")
    return numbered, notes


def list_images(folder: Path) -> list[Path]:
    """List the images right in a folder, in natural order of their names."""
    return sorted((path for path in folder.iterdir() if _is_image(path)), key=natural_key)


def _is_image(path: Path) -> bool:
    # Names with a leading dot are the shadow files (._000001.jpg) that macOS leaves on foreign disks.
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file()


def _contents(folder: Path) -> str:
    """Say in a few words what a folder holds."""
    names = sorted(path.name + ("/" if path.is_dir() else "") for path in folder.iterdir())
    if not names:
        return "an empty folder"
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
