"""The sequences that trackers are tested on: ground truth, and where their frames lie under each condition."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from vsdmot.degradation.sequences import find_images
from vsdmot.errors import SourceError
from vsdmot.evaluation.official_text import read_truth
from vsdmot.evaluation.rules import RULES, ChosenRule, RuleChoice, choose_rule
from vsdmot.evaluation.score_store import digest_of_truth
from vsdmot.evaluation.truth_files import TruthFile, find_truth
from vsdmot.io.annotations import GroundTruth
from vsdmot.io.datasets import describe_sequence
from vsdmot.io.sources import DEFAULT_FRAME_RATE
from vsdmot.io.whole_files import copy_whole, write_whole


@dataclass(frozen=True, kw_only=True, eq=False)
class Footage:
    """A clean sequence with ground truth.

    Attributes:
        name: The sequence.
        folder: Where it is.
        truth: Who is where.
        rule: What counts.
        num_frames: Its length.
        frame_rate: Frames per second.
        frames_digest: Changes with any byte of any image.
    """

    name: str
    folder: Path
    truth: GroundTruth
    rule: ChosenRule
    num_frames: int
    frame_rate: float
    frames_digest: str

    def identity(self) -> dict[str, object]:
        """Give all that scores on it depend on, but for what a tracker does."""
        return {
            "sequence": self.name,
            "truth": digest_of_truth(self.truth),
            "rule": self.rule.rule.name,
            "num_frames": self.num_frames,
        }


def find_footage(root: Path, sequences: Sequence[str] | None) -> list[TruthFile]:
    """Find the sequences of a data set that have ground truth and images.

    Raises:
        SourceError: There are none, or one has no images.
        ConfigError: A sequence that was asked for is not there.
    """
    found = find_truth(root, sequences=sequences)
    for file in found:
        if file.folder is None:
            raise SourceError(f"{file.path}: expected a sequence, with images (img1/) beside gt/gt.txt")
        find_images(file.folder)
    return found


def open_footage(file: TruthFile, rule: RuleChoice, *, every: int, sampled: Path) -> Footage:
    """Read a sequence's ground truth, and look at each image so that any change of it will be noticed.

    Args:
        file: What `find_footage` found.
        rule: Which boxes count.
        every: Take every so many frames, from the first; 1 takes all. They are counted anew, at a lower frame rate.
        sampled: Folder in which sequences of fewer frames are laid out.

    Raises:
        SourceError: An image cannot be read.
        FormatError: The ground truth cannot be read.
        OutputError: The sequence of fewer frames cannot be written.
    """
    assert file.folder is not None, "see find_footage"
    with_classes = True if rule != "auto" and RULES[rule].uses_classes else None
    truth = read_truth(file.path, with_classes=with_classes)
    chosen = choose_rule(rule, file.name, truth)
    images = find_images(file.folder)
    length = file.num_frames or images[-1][0]
    rate = describe_sequence(file.folder).frame_rate or DEFAULT_FRAME_RATE
    digest = _digest_of_images(images)
    folder = file.folder
    if every > 1:
        folder, rate = sampled / f"every{every}-{digest[:12]}" / file.name, rate / every
        _lay_out(images, folder, every, rate)
        truth = _thin_out(truth, every)
        length = (length - 1) // every + 1
        digest = f"{digest}/{every}"
    return Footage(
        name=file.name,
        folder=folder,
        truth=truth,
        rule=chosen,
        num_frames=length,
        frame_rate=rate,
        frames_digest=digest,
    )


def _digest_of_images(images: Sequence[tuple[int, Path]]) -> str:
    digest = hashlib.sha256()
    for number, path in images:
        try:
            contents = path.read_bytes()
        except OSError as error:
            raise SourceError(f"{path}: not readable: {error.strerror}") from None
        digest.update(f"{number} {len(contents)}\n".encode())
        digest.update(contents)
    return digest.hexdigest()


def _thin_out(truth: GroundTruth, every: int) -> GroundTruth:
    kept = truth.select((truth.frames - 1) % every == 0)
    return replace(kept, frames=(kept.frames - 1) // every + 1)


def _lay_out(images: Sequence[tuple[int, Path]], folder: Path, every: int, rate: float) -> None:
    """Lay out every so many images as a sequence of its own; ``seqinfo.ini`` comes last and says that all is there."""
    info = folder / "seqinfo.ini"
    if info.is_file():
        return
    taken = [((number - 1) // every + 1, path) for number, path in images if (number - 1) % every == 0]
    if not taken:
        raise SourceError(f"{images[0][1].parent}: no frame is left of every {every}, from the first")
    for number, path in taken:
        target = folder / "img1" / f"{number:06d}{path.suffix}"
        with suppress(OSError):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(path.resolve())
        if not target.is_file():  # no links on this disk
            copy_whole(path, target)
    text = f"[Sequence]\nname={folder.name}\nimDir=img1\nframeRate={rate:g}\nseqLength={taken[-1][0]}\n"
    write_whole(info, (text + f"imExt={taken[0][1].suffix}\n").encode())
