"""Bring a clean sequence into a data set: its images linked or copied, everything else copied.

Ground truth, detections and ``seqinfo.ini`` are always copied, so that what tools write beside them (proposals, say)
does not end up in the originals.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from vsdmot.errors import OutputError
from vsdmot.io.datasets import describe_sequence

Link = Literal["auto", "symlink", "hardlink", "copy"]

_UNABLE = frozenset({errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EACCES, errno.EINVAL})
"""What systems answer that know no symbolic links, or do not allow them to this user."""


def carry_sequence(source: Path, target: Path, link: Link, warn: Callable[[str], None]) -> None:
    """Make ``target`` a sequence like ``source``; it appears when it is complete, and one that is there is kept.

    A link to images that have been moved away is made anew.

    Args:
        source: A sequence.
        target: The new folder.
        link: How images get there. ``symlink`` makes one symbolic link to the folder of images; ``hardlink`` needs
            source and target on one disk; ``auto`` is symlink where the system allows it, else copy.
        warn: Told when ``auto`` has to copy.

    Raises:
        OutputError: The disk is full, or a link cannot be made.
        FormatError: ``seqinfo.ini`` is malformed.
    """
    if is_carried(source, target):
        return
    images = describe_sequence(source).image_folder
    inside = images.relative_to(source)
    partial = target.with_name(f".{target.name}.partial")
    try:
        _remove(partial)
        if target.is_dir():  # all but the images; what others put there stays
            _place_images(images, partial, link, warn)
            (target / inside).unlink(missing_ok=True)
            partial.rename(target / inside)
        else:
            partial.mkdir(parents=True)
            _copy_others(source, images, partial)
            _place_images(images, partial / inside, link, warn)
            partial.rename(target)
    except OSError as error:
        _remove(partial)
        hint = ""
        if link == "hardlink" and error.errno == errno.EXDEV:
            hint = "; hard links do not reach another disk: use --link symlink or copy"
        elif link == "symlink" and error.errno in _UNABLE:
            hint = "; use --link copy"
        reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
        raise OutputError(f"{target}: cannot be made from {source}: {reason}{hint}") from None


def is_carried(source: Path, target: Path) -> bool:
    """Whether a sequence is there, with its images or a link that leads to them."""
    return target.is_dir() and (target / describe_sequence(source).image_folder.relative_to(source)).is_dir()


def _remove(partial: Path) -> None:
    if partial.is_symlink():
        partial.unlink()
    shutil.rmtree(partial, ignore_errors=True)


def _copy_others(source: Path, images: Path, partial: Path) -> None:
    """Copy all files outside the folder of images; hidden ones are left behind."""
    for folder, inner, names in os.walk(source):
        here = Path(folder)
        inner[:] = [name for name in inner if here / name != images and not name.startswith(".")]
        for name in names:
            if not name.startswith("."):
                place = partial / here.relative_to(source) / name
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(here / name, place)


def _place_images(images: Path, target: Path, link: Link, warn: Callable[[str], None]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if link in ("auto", "symlink"):
        try:
            target.symlink_to(images.resolve(), target_is_directory=True)
        except OSError as error:
            if link == "symlink" or error.errno not in _UNABLE:
                raise
            warn(f"{images}: no symbolic links here ({error.strerror}); its images are copied")
        else:
            return
    target.mkdir()
    for image in sorted(path for path in images.iterdir() if path.is_file() and not path.name.startswith(".")):
        if link == "hardlink":
            os.link(image.resolve(), target / image.name)
        else:
            shutil.copyfile(image, target / image.name)
