"""Features of the teacher, kept on disk per frame, so that it runs once and not in every epoch.

A file per frame, ``FOLDER/IDENTITY/SEQUENCE/FRAME.FINGERPRINT.safetensors``: whatever decides the features is in its
name, so that another teacher, a changed picture or the same frame degraded otherwise finds nothing rather than
something stale. Files appear whole or not at all, so any number of processes may read and write at once, and a run that
was killed goes on where it was. A pooled row of ViT-L/14 takes 2.2 kB, 42,000 frames of DanceTrack some 170 MB in
blocks of 4 kB; 256 patch tokens take 0.5 MB a frame.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from vsdmot.errors import CheckpointError
from vsdmot.io.whole_files import write_whole
from vsdmot.structures import Image
from vsdmot.training.distillation.teacher import Teacher

_KEY = "teacher"
_ABANDONED_SECONDS = 3600.0


def fingerprint(picture: Image) -> str:
    """Fingerprint a picture ``(H, W, 3)`` uint8: 16 hex digits, about 7 ms for Full HD.

    Decoders of different versions may differ in a pixel; then the features are computed again.
    """
    digest = hashlib.blake2b(repr((picture.shape, picture.dtype.str)).encode(), digest_size=8)
    digest.update(np.ascontiguousarray(picture).data)
    return digest.hexdigest()


class FeatureCache:
    """Keep the features of one teacher. May be copied into worker processes.

    Args:
        folder: Of all caches; made when the first frame is kept.
        identity: Of the teacher (`vsdmot.training.distillation.teacher.Teacher.identity`).
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self.folder = folder / identity
        self.damaged: list[Path] = []
        """Files that were found unreadable, and not used."""

    def get(self, name: str, picture: Image | str) -> Tensor | None:
        """Look up a frame.

        Args:
            name: Sequence and frame, such as ``dancetrack0001/00000001``.
            picture: What the teacher was shown, or its `fingerprint`.

        Returns:
            ``(m, width)`` float32, or None: the frame is not there, or its file is damaged (see ``damaged``) and is
            replaced by the next `put`.
        """
        path = self.path(name, picture)
        try:
            with safe_open(path, framework="pt") as file:
                rows: Tensor = file.get_tensor(_KEY)
                facts = file.metadata() or {}
        except FileNotFoundError:
            return None
        except (SafetensorError, OSError):
            self.damaged.append(path)
            return None
        if facts.get("checksum") != _checksum(rows):
            self.damaged.append(path)
            return None
        return rows.float()

    def put(self, name: str, picture: Image | str, rows: Tensor) -> Tensor:
        """Keep a frame's features, in float16 where they fit.

        Args:
            name: Sequence and frame.
            picture: What the teacher was shown, or its `fingerprint`.
            rows: ``(m, width)``, finite.

        Returns:
            What `get` gives from now on, so that a first epoch sees the same numbers as the second.

        Raises:
            CheckpointError: Features are not finite.
            OutputError: The disk is full or cannot be written; what was kept before stays.
        """
        rows = rows.detach().float().cpu().contiguous()
        if not rows.isfinite().all():
            raise CheckpointError(f"{name}: the teacher gives values that are not finite; its weights may be damaged")
        stored = rows.half()
        if not stored.isfinite().all():  # float16 ends at 65504
            stored = rows
        facts = {"checksum": _checksum(stored), "frame": name}
        write_whole(self.path(name, picture), save({_KEY: stored}, facts))
        return stored.float()

    def describe(self, provenance: Mapping[str, Any]) -> None:
        """Say in ``teacher.json`` whose features these are, for the reader.

        Raises:
            OutputError: The disk is full or cannot be written.
        """
        path = self.folder / "teacher.json"
        if not path.is_file():
            write_whole(path, (json.dumps(dict(provenance), indent=2) + "\n").encode())

    def path(self, name: str, picture: Image | str) -> Path:
        """Give the file of a frame; parts of the name that a file system could not bear are spelled out (``%2E``)."""
        key = picture if isinstance(picture, str) else fingerprint(picture)
        *parents, frame = (_spelled(part) for part in name.split("/"))
        return self.folder.joinpath(*parents, f"{frame}.{key}.safetensors")


@dataclass(frozen=True)
class Precomputed:
    """What `precompute` did.

    Attributes:
        computed: Frames that the teacher was shown.
        reused: Frames that were there.
        damaged: Files that were unreadable and have been replaced.
    """

    computed: int
    reused: int
    damaged: int


def precompute(
    teacher: Teacher,
    frames: Iterable[tuple[str, Image]],
    cache: FeatureCache,
    *,
    batch_size: int = 8,
    progress: Callable[[str], None] | None = None,
) -> Precomputed:
    """Show the teacher every frame that the cache does not have.

    Args:
        teacher: Whose identity the cache has.
        frames: Names and pictures; taken one by one, at most ``batch_size`` are held.
        cache: Where features go. Several processes may fill it, with the same frames or with others.
        batch_size: Pictures of one size that are shown together. Raising it is faster on a GPU, at 25 MB for each of
            Full HD; lowering it saves memory.
        progress: Called with each name when its features are there.

    Raises:
        OutputError: The disk is full; what was kept stays, and the next run goes on there.
    """
    if cache.folder.name != teacher.identity:
        raise ValueError(f"the cache is of teacher {cache.folder.name}, not of {teacher.identity}")
    _remove_abandoned(cache.folder)
    cache.describe(teacher.provenance)
    report = progress or (lambda _: None)
    damaged, computed, reused = len(cache.damaged), 0, 0

    def missing() -> Iterator[tuple[str, str, Image]]:
        nonlocal reused
        for name, picture in frames:
            key = fingerprint(picture)
            if cache.get(name, key) is None:
                yield name, key, picture
            else:
                reused += 1
                report(name)

    for batch in _batches(missing(), max(batch_size, 1)):
        pictures = torch.from_numpy(np.stack([picture for _, _, picture in batch]))
        described = teacher(pictures.permute(0, 3, 1, 2).float() / 255)
        for (name, key, _), rows in zip(batch, described, strict=True):
            cache.put(name, key, rows)
            computed += 1
            report(name)
    return Precomputed(computed, reused, len(cache.damaged) - damaged)


def _batches(frames: Iterable[tuple[str, str, Image]], size: int) -> Iterator[list[tuple[str, str, Image]]]:
    """Group frames that follow each other and whose pictures have one size."""
    batch: list[tuple[str, str, Image]] = []
    for frame in frames:
        if batch and batch[0][2].shape != frame[2].shape:
            yield batch
            batch = []
        batch.append(frame)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _spelled(part: str) -> str:
    spelled = quote(part, safe=" ")
    return spelled.replace(".", "%2E") if not spelled.strip(".") else spelled


def _checksum(rows: Tensor) -> str:
    facts = repr((rows.dtype, tuple(rows.shape))).encode()
    return hashlib.blake2b(facts + rows.numpy().tobytes(), digest_size=8).hexdigest()


def _remove_abandoned(folder: Path) -> None:
    """Remove what killed runs left half written, but nothing that another process may be writing now."""
    for part in folder.rglob(".*.part"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > _ABANDONED_SECONDS:
                part.unlink()
