"""Quality of each frame of the sequences that are evaluated: measured on their images, or read from results.

`vsdmot.evaluation.by_quality` splits accuracy by it. Measuring decodes every frame; JSON Lines of ``vsdmot track``
hold the quality already, as the tracker's own constants gave it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from vsdmot.errors import SourceError
from vsdmot.evaluation.truth_files import sequences_below
from vsdmot.io.images import list_images
from vsdmot.io.json_lines import read_json_lines
from vsdmot.io.problems import counted, some
from vsdmot.io.sources import VIDEO_SUFFIXES, Source, open_source

_EXPECTED = "NAME.jsonl of `vsdmot track`, a folder NAME with its images, or a video NAME.mp4"


class QualitySource(Protocol):
    """The quality of the frames of a sequence, one after another; iterating again starts again."""

    @property
    def num_frames(self) -> int | None:
        """How many frames there should be; None where that is not known beforehand."""
        ...

    def __iter__(self) -> Iterator[tuple[int, float]]:
        """Give frame index, from 1 and rising, and score ``Q`` in [0, 1]; a frame that cannot be used is left out."""
        ...


class WrittenQuality:
    """Quality as results hold it (a `QualitySource`).

    Args:
        path: A ``.jsonl`` file of ``vsdmot track``, read while it is iterated over.
    """

    num_frames: int | None = None

    def __init__(self, path: Path) -> None:
        self.path = path

    def __iter__(self) -> Iterator[tuple[int, float]]:
        """Read it.

        Raises:
            FormatError: With file and line.
        """
        for result in read_json_lines(self.path):
            yield result.index, result.quality.score


class MeasuredQuality:
    """Quality measured on images, one after another (a `QualitySource`).

    Args:
        source: The images.
    """

    def __init__(self, source: Source) -> None:
        self.source = source

    @property
    def num_frames(self) -> int | None:
        """How many frames the source promises."""
        return self.source.info.num_frames

    def __iter__(self) -> Iterator[tuple[int, float]]:
        """Decode and measure; what could not be decoded stands in ``source.report`` afterwards."""
        from vsdmot.quality import assess

        for frame in self.source:
            yield frame.index, assess(frame).score


def open_qualities(source: str | Path, names: Sequence[str]) -> dict[str, QualitySource]:
    """Find where the quality of each sequence comes from; nothing is measured yet.

    Args:
        source: For any number of sequences, a folder with one of these for each, in this order: ``NAME.jsonl`` of
            ``vsdmot track``, a sequence NAME of a data set, a folder ``NAME`` of images, a video ``NAME.*``. For a
            single one also its ``.jsonl``, or whatever `open_source` reads and ends, under any name.
        names: The sequences, each once.

    Returns:
        Sequence to source, in the order of ``names``.

    Raises:
        SourceError: A sequence is missing or there twice, or its images or video cannot be read.
        FormatError: A ``seqinfo.ini`` is malformed.
    """
    if not names or len(set(names)) < len(names):
        raise ValueError(f"expected at least one name, and each once, got {list(names)}")
    folder = Path(source)
    try:
        if folder.is_dir():
            found = _find(folder, names)
            missing = [name for name in names if name not in found]
            if not missing:
                return {name: _open(found[name]) for name in names}
            if len(names) > 1 or not (_is_sequence(folder) or list_images(folder)):
                raise SourceError(_explain(folder, names, missing))
        if len(names) > 1:
            there = "" if folder.exists() or "://" in str(source) else ", there is no such folder"
            raise SourceError(
                f"{source}: expected a folder that holds, for each of {counted(len(names), 'sequence')} "
                f"({some(names)}), {_EXPECTED}{there}"
            )
        return {names[0]: _open(source)}
    except OSError as error:
        raise SourceError(f"{error.filename or source}: not readable: {error.strerror or error}") from None


def _find(root: Path, names: Sequence[str]) -> dict[str, Path]:
    """Find sequences by name in a folder; those that are not there are left out.

    Raises:
        SourceError: A sequence is there twice, so that it is not clear which images are meant.
    """
    sequences: dict[str, list[Path]] = {}
    videos: dict[str, list[Path]] = {}
    for folder in sequences_below(root):
        if _is_sequence(folder):  # else it holds annotations only
            sequences.setdefault(folder.name, []).append(folder)
    for path in sorted(root.iterdir()):
        if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file():
            videos.setdefault(path.stem, []).append(path)
    found = {}
    for name in names:
        written, images = root / f"{name}.jsonl", root / name
        if written.is_file():
            found[name] = written
        elif name in sequences:
            found[name] = _the_only_one(root, name, sequences[name])
        elif images.is_dir() and list_images(images):
            found[name] = images
        elif name in videos:
            found[name] = _the_only_one(root, name, videos[name])
    return found


def _the_only_one(root: Path, name: str, paths: list[Path]) -> Path:
    if len(paths) > 1:
        raise SourceError(
            f"{root}: expected {name} once, it is there as {' and '.join(map(str, paths))}: give a folder that holds "
            "one of them, as the pictures may differ"
        )
    return paths[0]


def _is_sequence(folder: Path) -> bool:
    return any((folder / part).exists() for part in ("seqinfo.ini", "img1"))


def _open(source: str | Path) -> QualitySource:
    """Open what was named or found; a source that is live has no frames that annotations could belong to."""
    if str(source).endswith(".jsonl") and "://" not in str(source):
        if not Path(source).is_file():
            raise SourceError(f"{source}: expected JSON Lines of `vsdmot track`, there is no such file")
        return WrittenQuality(Path(source))
    opened = open_source(source)
    if opened.info.live:
        opened.close()
        raise SourceError(f"{source}: expected the video that was annotated, got a live source")
    return MeasuredQuality(opened)


def _explain(root: Path, names: Sequence[str], missing: Sequence[str]) -> str:
    """Say in one line which sequences are missing, and what there is."""
    inside = sorted(path.name + ("/" if path.is_dir() else "") for path in root.iterdir())
    contents = [name for name in inside if not name.startswith((".", "__MACOSX"))]
    count = f"{len(missing)} of {counted(len(names), 'sequence')} ({some(missing)})" if len(names) > 1 else missing[0]
    return (
        f"{root}: nothing to take the quality of {count} from: expected {_EXPECTED} for each; "
        f"the folder holds {some(contents) or 'nothing'}"
    )
