"""Unpack a zip archive that somebody else made, without writing anything outside a given folder.

Annotation tools export zips, CVAT's "MOT 1.1" among them. Everything is checked before the first byte is written.
"""

from __future__ import annotations

import contextlib
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from vsdmot.config import above, at_least, check
from vsdmot.errors import OutputError, SourceError
from vsdmot.io.images import IMAGE_SUFFIXES

_TEXT_SUFFIXES = frozenset({".ini", ".txt"})


@dataclass(frozen=True, kw_only=True)
class ArchiveLimits:
    """How much an archive may hold, so that a small hostile file cannot fill the disk.

    Attributes:
        max_bytes: Bytes of all files together, unpacked. Raise it for longer recordings, where the disk has room; lower
            it to protect a small disk.
        max_files: Number of files. Raise it for longer recordings; lower it where the disk has few inodes.
        max_ratio: Unpacked bytes for each byte of the archive. Images hardly shrink and annotations shrink about
            tenfold. Raise it for drawn images without detail; lower it to trust archives less.
    """

    max_bytes: int = 64 * 2**30
    max_files: int = 1_000_000
    max_ratio: float = 100.0

    def __post_init__(self) -> None:
        check(self, max_bytes=at_least(1), max_files=at_least(1), max_ratio=above(1))


def unpack(archive: Path, folder: Path, *, limits: ArchiveLimits | None = None) -> Path:
    """Unpack the images and texts of a zip archive, and nothing else, into a new folder with the archive's name.

    The folder appears when everything is there. The whole archive is judged by its table of contents before anything is
    written; unpacking never writes more than the table declares.

    Args:
        archive: A zip file.
        folder: Where the new folder is made; it is made itself where it is not there.
        limits: How much the archive may hold; None for the defaults.

    Returns:
        The new folder.

    Raises:
        SourceError: The archive is damaged or encrypted, a name leads out of the folder, a member is a link or occurs
            twice, or the contents are beyond the limits.
        OutputError: The new folder exists already or cannot be written.
    """
    target = folder / archive.stem
    partial = folder / f"{archive.stem}.partial"
    for path in (target, partial):
        if path.exists() or path.is_symlink():
            raise OutputError(f"{path}: exists already; remove it, or unpack {archive.name} to another folder")
    with open_archive(archive, limits=limits) as opened:
        members = [member for member in opened.infolist() if _is_wanted(member)]
        _write_members(archive, opened, members, partial)
    partial.rename(target)
    return target


@contextlib.contextmanager
def open_archive(archive: Path, *, limits: ArchiveLimits | None = None) -> Iterator[zipfile.ZipFile]:
    """Open a zip archive whose table of contents is harmless, to read it without unpacking.

    Args:
        archive: A zip file.
        limits: How much the archive may hold; None for the defaults.

    Raises:
        SourceError: As `unpack`, now or, for a damaged member, when it is read inside the ``with`` block.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            _refuse_hostile(archive, opened.infolist(), limits or ArchiveLimits())
            yield opened
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, EOFError, zlib.error) as error:
        raise SourceError(
            f"{archive}: expected an ordinary zip archive that is whole: {str(error) or 'cut off'}"
        ) from None
    except OSError as error:
        raise SourceError(f"{archive}: cannot read: {error.strerror or error}") from None


def leads_out(name: str) -> bool:
    """Whether a relative name may lead out of its folder, on any system: Windows knows drives too."""
    windows = PureWindowsPath(name)
    return bool(windows.drive or windows.root or ".." in windows.parts)


def _is_wanted(member: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(member.filename)
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return not member.is_dir() and not hidden and path.suffix.lower() in IMAGE_SUFFIXES | _TEXT_SUFFIXES


def _refuse_hostile(archive: Path, members: list[zipfile.ZipInfo], limits: ArchiveLimits) -> None:
    names = set()
    for member in members:
        name, kind = member.filename, stat.S_IFMT(member.external_attr >> 16)
        if leads_out(name) or "\\" in name:
            raise SourceError(f"{archive}: {name!r} would be unpacked outside the folder; nothing was unpacked")
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise SourceError(f"{archive}: {name!r} is a link or device, expected files; nothing was unpacked")
        if member.flag_bits & 1:
            raise SourceError(f"{archive}: {name!r} is encrypted; unpack the archive yourself and give the folder")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise SourceError(
                f"{archive}: {name!r} is packed in an unusual way; unpack it yourself and give the folder"
            )
        if name in names:
            raise SourceError(f"{archive}: {name!r} occurs twice; nothing was unpacked")
        names.add(name)
    if len(members) > limits.max_files:
        raise SourceError(f"{archive}: expected at most {limits.max_files} files, got {len(members)}")
    total = sum(member.file_size for member in members)
    if total > limits.max_bytes:
        raise SourceError(f"{archive}: expected at most {limits.max_bytes} bytes unpacked, it declares {total}")
    # Against the bytes on disk, because members that overlap can each look harmless.
    ratios = [member.file_size / max(1, member.compress_size) for member in members]
    ratio = max(total / archive.stat().st_size, *ratios, 0.0)
    if ratio > limits.max_ratio:
        raise SourceError(
            f"{archive}: expected at most {limits.max_ratio:g} bytes for each byte of the archive, it declares "
            f"{ratio:.0f}: unpack it yourself if you trust it, and give the folder"
        )


def _write_members(archive: Path, opened: zipfile.ZipFile, members: list[zipfile.ZipInfo], partial: Path) -> None:
    """Write members into a new folder, which is gone again if anything fails."""
    with contextlib.ExitStack() as undo:
        try:
            partial.mkdir(parents=True)
            undo.callback(shutil.rmtree, partial, ignore_errors=True)
            for member in members:
                path = partial / member.filename
                path.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(member) as packed, path.open("xb") as file:
                    shutil.copyfileobj(packed, file)
        except OSError as error:
            raise OutputError(f"{partial}: cannot unpack {archive.name}: {error.strerror or error}") from None
        undo.pop_all()
