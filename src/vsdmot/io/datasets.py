"""Find annotated sequences in a folder or archive.

A sequence is a folder that holds ``seqinfo.ini``, ``img1/`` or ``gt/gt.txt``. Any of these may be given: a data set
(``MOT17/train/NAME``, DanceTrack with its 8-digit image names), one of its splits, one sequence, or a zip archive as
CVAT exports it ("MOT 1.1": ``gt/gt.txt``, ``gt/labels.txt``, ``img1/``, no ``seqinfo.ini``).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vsdmot.errors import FormatError, SourceError
from vsdmot.io.archives import leads_out, unpack
from vsdmot.io.images import SequenceSettings, natural_key, number_images, read_seqinfo

MAX_DEPTH = 3
"""Folders between what is given and a sequence: ``DATA/MOT17/train/NAME`` is found from ``DATA``."""

_TRANSPOSED = frozenset({5, 6, 7, 8})  # EXIF orientations that swap width and height
_EXIF_ORIENTATION = 0x0112
# What Pillow's readers raise on damaged headers, besides DecompressionBombError.
_DAMAGE = (OSError, SyntaxError, ValueError, LookupError, EOFError, struct.error)


@dataclass(frozen=True, kw_only=True)
class Sequence:
    """An annotated sequence on disk: what is there, and what its ``seqinfo.ini`` promises.

    Attributes:
        name: The folder's name.
        folder: The sequence.
        image_folder: Where its images are, or should be.
        frame_rate: Frames per second; None where no ``seqinfo.ini`` says so.
        size: Width and height of the first image that has a readable header, upright, in pixels; None without one.
        promised_size: Width and height as ``seqinfo.ini`` has them; None where it says nothing.
        num_frames: Frames for which there is an image.
        promised_length: Frames that ``seqinfo.ini`` promises; None where it says nothing.
        ground_truth: ``gt/gt.txt``; None where it is not there, as in a test split.
        detections: ``det/det.txt``; None where it is not there, as in DanceTrack.
    """

    name: str
    folder: Path
    image_folder: Path
    frame_rate: float | None
    size: tuple[int, int] | None
    promised_size: tuple[int, int] | None
    num_frames: int
    promised_length: int | None
    ground_truth: Path | None
    detections: Path | None


def find_sequences(root: Path, *, unpack_to: Path | None = None) -> list[Sequence]:
    """Find the sequences of a data set, in natural order of their paths.

    Args:
        root: A data set, split, sequence or zip archive.
        unpack_to: For an archive, the folder in which a new folder with the archive's name is made.

    Raises:
        SourceError: Nothing is there, or no sequence is, or the archive is damaged or hostile.
        FormatError: A ``seqinfo.ini`` is malformed.
        OutputError: The archive cannot be unpacked there.
    """
    if root.is_file():
        if unpack_to is None:
            raise SourceError(f"{root}: expected a folder; a zip archive needs a folder to be unpacked to")
        root = unpack(root, unpack_to)
    folders = sequence_folders(root)
    try:
        return [describe_sequence(folder) for folder in folders]
    except OSError as error:
        raise SourceError(f"{root}: not readable: {error}") from None


def sequence_folders(root: Path, *, passed_over: Callable[[Path], bool] = lambda _: False) -> list[Path]:
    """Find the folders of sequences, in natural order, without looking into them.

    Args:
        root: A data set, split or sequence.
        passed_over: Says which folders are not searched.

    Raises:
        SourceError: Nothing is there, or no sequence is.
    """
    if not root.is_dir():
        raise SourceError(f"{root}: no such folder")
    try:
        folders = sorted(_sequence_folders(root, MAX_DEPTH, passed_over), key=natural_key)
    except OSError as error:
        raise SourceError(f"{root}: not readable: {error}") from None
    if not folders:
        raise SourceError(
            f"{root}: expected sequences (folders with seqinfo.ini, img1/ or gt/gt.txt), at most {MAX_DEPTH} folders "
            "down; there are none"
        )
    return folders


def describe_sequence(folder: Path, *, use_seqinfo: bool = True) -> Sequence:
    """Describe one sequence; images are listed, and only as many headers read as it takes to learn the size.

    Args:
        folder: The sequence.
        use_seqinfo: Whether ``seqinfo.ini`` is read; without it the images are in ``img1/`` and nothing is promised.

    Raises:
        FormatError: ``seqinfo.ini`` is malformed, or its ``imDir`` leads out of the sequence.
    """
    info = folder / "seqinfo.ini"
    settings = read_seqinfo(info) if use_seqinfo and info.is_file() else SequenceSettings()
    if leads_out(settings.image_folder):
        raise FormatError(f"{info}: imDir: expected a folder inside the sequence, got {settings.image_folder!r}")
    image_folder = folder / settings.image_folder
    numbered, _ = number_images(image_folder)
    truth, detections = folder / "gt" / "gt.txt", folder / "det" / "det.txt"
    promised = (settings.width, settings.height)
    return Sequence(
        name=folder.resolve().name,
        folder=folder,
        image_folder=image_folder,
        frame_rate=settings.frame_rate,
        size=_first_size([path for _, path in numbered]),
        promised_size=None if promised[0] is None or promised[1] is None else (promised[0], promised[1]),
        num_frames=len({index for index, _ in numbered}),
        promised_length=settings.length,
        ground_truth=truth if truth.is_file() else None,
        detections=detections if detections.is_file() else None,
    )


def image_size(path: Path) -> tuple[int, int]:
    """Read width and height from an image's header, upright; the picture is not decoded, so damage may go unseen.

    Raises:
        SourceError: The header cannot be read.
    """
    import PIL.Image  # here, so that whoever only looks for sequences does not wait for it

    try:
        with PIL.Image.open(path) as picture:
            width, height = picture.size
            # Asking for EXIF that is not in the header would decode the whole of a PNG.
            turned = "exif" in picture.info and picture.getexif().get(_EXIF_ORIENTATION) in _TRANSPOSED
    except (*_DAMAGE, PIL.Image.DecompressionBombError):
        raise SourceError(f"{path}: not an image, or damaged at its start") from None
    return (height, width) if turned else (width, height)


def _sequence_folders(folder: Path, depth: int, passed_over: Callable[[Path], bool]) -> list[Path]:
    if passed_over(folder):
        return []
    if any((folder / part).exists() for part in ("seqinfo.ini", "img1", "gt/gt.txt")):
        return [folder]
    if depth == 0:
        return []
    inner = [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith((".", "__MACOSX"))]
    return [found for path in inner for found in _sequence_folders(path, depth - 1, passed_over)]


def _first_size(paths: list[Path]) -> tuple[int, int] | None:
    for path in paths:
        try:
            return image_size(path)
        except SourceError:
            continue  # the check names every image that cannot be read
    return None
