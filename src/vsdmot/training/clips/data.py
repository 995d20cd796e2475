"""Training clips: from files on disk to what the network sees, each a function of seed, epoch and place in the epoch.

    sources > which clip > decode > (move a still) > (degrade) > quality > crop, scale, mirror, recolour > normalise

Quality, proposals and what the teacher sees belong to the frame as it was decoded (and degraded): a crop or another
size is not another quality.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from vsdmot.config import at_least, check
from vsdmot.errors import ConfigError, SourceError
from vsdmot.quality import QualityConfig, assess
from vsdmot.structures import Image, Proposals
from vsdmot.training.clips.augment import AugmentConfig, ClipView, draw_view
from vsdmot.training.clips.clip import Clip
from vsdmot.training.clips.drawn_clip import DrawnClip, DrawnFrame
from vsdmot.training.clips.online_degradation import (
    ClipDegradation,
    OnlineDegradationConfig,
    draw_degradation,
    imitate_proposals,
)
from vsdmot.training.clips.pictures import read_alike, read_picture
from vsdmot.training.clips.pseudo_clip import PseudoClipConfig, draw_windows, look_through, move_boxes
from vsdmot.training.clips.sampling import (
    ClipIndex,
    SamplingConfig,
    check_weights,
    clip_rng,
    draw_positions,
    epoch_items,
)
from vsdmot.training.clips.sequences import ClipSequence
from vsdmot.training.clips.sources import ClipSourceConfig, open_clip_source

TeacherFeatures = Callable[[str, Image], Tensor]
"""Say what a teacher sees, ``(m, width)`` float32: called with the name of a frame, such as
``dancetrack0001/00000001``, and the picture. A frame that was degraded while it was drawn has that in its name
(``...+degraded-1f-12``). It is called in worker processes, so it must be picklable and keep off the GPU."""

_MOST_REPLACEMENTS = 20


@dataclass(frozen=True, kw_only=True)
class ClipDataConfig:
    """What is trained on.

    Attributes:
        sources: Data sets that clips are drawn from.
        sampling: How clips are cut from them.
        augment: How clips are augmented.
        pseudo: How still images move.
        degradation: Which clips are degraded while they are drawn.
        teacher_view: same shows the teacher the frame that the student tracks in; clean shows it the frame before it
            was degraded, now or on disk (then sources need clean): privileged information, which exists in training
            only, so that the student learns to say of a poor frame what a teacher says of a good one. A frame that was
            never degraded is its own original. Paper note: the paper does not say which its teacher sees.
        skip_damaged: Whether a clip with an image that cannot be read is replaced by another, which is counted and
            told, instead of ending the run.
        seed: Another seed gives other clips in another order.
    """

    sources: tuple[ClipSourceConfig, ...]
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    pseudo: PseudoClipConfig = field(default_factory=PseudoClipConfig)
    degradation: OnlineDegradationConfig = field(default_factory=OnlineDegradationConfig)
    teacher_view: Literal["same", "clean"] = "same"
    skip_damaged: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        check(self, sources=lambda sources: None if sources else "one or more data sets", seed=at_least(0))


class ClipDataset(Dataset[Clip]):
    """All clips of a training set; ``dataset[epoch, slot]`` is the clip at a place of an epoch.

    Nothing is remembered from one clip to the next but the quality of frames, which all worker processes share.

    Args:
        config: What is trained on.
        quality: Constants of frame quality, which belong to the model; None for the defaults.
        teacher: Says what the teacher sees; None without distillation.

    Raises:
        VsdmotError: A source cannot be opened (see `open_clip_source`), weights are given for some sources only, or a
            teacher is to see clean frames and some are not known.
    """

    def __init__(
        self,
        config: ClipDataConfig,
        *,
        quality: QualityConfig | None = None,
        teacher: TeacherFeatures | None = None,
    ) -> None:
        self.config = config
        check_weights([source.weight for source in config.sources])
        self.sources = tuple(open_clip_source(source) for source in config.sources)
        self.sequences = tuple(sequence for source in self.sources for sequence in source.sequences)
        self.index = ClipIndex(self.sources, config.sampling.length)
        self._quality_config, self._teacher = quality or QualityConfig(), teacher
        self._first_frames = np.cumsum([0, *map(len, self.sequences)])
        self._qualities = torch.full((int(self._first_frames[-1]),), torch.nan, dtype=torch.float64)
        self._qualities.share_memory_()  # type: ignore[no-untyped-call]
        self._epoch: tuple[int, NDArray[np.int64]] | None = None
        if teacher is not None and config.teacher_view == "clean":
            unknown = [sequence.name for sequence in self.sequences if sequence.clean_path(0) is None]
            if unknown:
                raise ConfigError(
                    f"teacher_view: {unknown[0]} and {len(unknown) - 1} other sequences are degraded: name the folder "
                    "of their originals with clean, or use teacher_view: same"
                )

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out or assumed, a sentence each."""
        return tuple(note for source in self.sources for note in source.notes)

    def __len__(self) -> int:
        """Clips of an epoch."""
        return self.config.sampling.clips_per_epoch or len(self.index)

    def __getitem__(self, place: tuple[int, int]) -> Clip:
        """Give the clip at a place: epoch and slot, both from 0.

        Raises:
            SourceError: An image cannot be read.
        """
        return self.draw(*place).finish()

    def items(self, epoch: int) -> NDArray[np.int64]:
        """Give the clips of an epoch, ``(len(self),)`` numbers of `index`, in their order."""
        if self._epoch is None or self._epoch[0] != epoch:
            weights = [source.weight for source in self.sources]
            items = epoch_items(self.index.sizes, weights, seed=self.config.seed, epoch=epoch, total=len(self))
            self._epoch = epoch, items
        return self._epoch[1]

    def draw(self, epoch: int, slot: int) -> DrawnClip:
        """Draw the clip at a place, with 8-bit pictures.

        Raises:
            SourceError: An image cannot be read and nothing is to be skipped, or very many cannot.
        """
        rng = clip_rng(self.config.seed, epoch, slot)
        items = self.items(epoch)
        item = int(items[slot])
        skipped: list[str] = []
        while True:
            try:
                take = self._take(item, rng)
            except SourceError as error:
                if not self.config.skip_damaged:
                    raise SourceError(f"{error}; replace it, or set skip_damaged to go on without") from None
                skipped.append(str(error))
                if len(skipped) > _MOST_REPLACEMENTS:
                    raise SourceError(f"{len(skipped)} clips drawn one after another are damaged; {error}") from None
                item = int(items[rng.integers(len(items))])
            else:
                view = take.view
                pictures = torch.empty((len(take.positions), view.height, view.width, 3), dtype=torch.uint8)
                frames = [self._frame(take, t, pictures[t].numpy(), rng) for t in range(len(take.positions))]
                return DrawnClip(pictures, tuple(frames), tuple(skipped))

    def teacher_pictures(self) -> Iterator[tuple[str, Image]]:
        """Give each frame once as the teacher would see it, to compute its features before training.

        Frames that are degraded while they are drawn, for ``teacher_view: same``, cannot be known before.
        """
        for sequence in self.sequences:
            for position in range(len(sequence)):
                clean = sequence.clean_path(position) if self.config.teacher_view == "clean" else None
                yield sequence.label(position), read_picture(clean or sequence.path(position))

    def _take(self, item: int, rng: np.random.Generator) -> _Take:
        """Draw what a clip consists of, and read its images."""
        number, start = self.index.find(item)
        sequence, config = self.sequences[number], self.config
        positions = [start] * config.sampling.length
        if not sequence.is_still:
            sampling = config.sampling.up_to(sequence.max_interval)
            positions = draw_positions(sequence.frames, start, sampling, rng).tolist()
        decoded = read_alike([sequence.path(position) for position in positions])
        height, width = decoded[0].shape[:2]
        is_still, is_clean = sequence.is_still, sequence.quality == "clean"
        return _Take(
            number=number,
            sequence=sequence,
            positions=positions,
            decoded=decoded,
            windows=draw_windows(height, width, len(positions), config.pseudo, rng) if is_still else None,
            degradation=draw_degradation(config.degradation, rng) if is_clean else None,
            view=draw_view(height, width, config.augment, rng),
        )

    def _frame(self, take: _Take, t: int, out: Image, rng: np.random.Generator) -> DrawnFrame:
        """Make frame ``t`` of a clip; its picture goes to ``out``."""
        position, image = take.positions[t], take.decoded[t]
        height, width = image.shape[:2]
        name = take.sequence.label(position)
        people, ids = take.sequence.people.at(position)
        rows = None if take.sequence.proposals is None else take.sequence.proposals.at(position)
        proposals = None if rows is None else Proposals(*rows)
        if take.windows is not None:
            image = look_through(image, take.windows[t])
            people = move_boxes(people, take.windows[t], height, width)
            if proposals is not None:
                moved = move_boxes(proposals.boxes, take.windows[t], height, width)
                proposals = Proposals(moved, proposals.scores)
        if take.degradation is None:
            quality = self._quality(take.number, position, take.decoded[t])
        else:
            image = take.degradation.apply(image, take.offset(t))
            quality = assess(image, self._quality_config).score
            name = f"{name}+{take.degradation.label(take.offset(t))}"
        if proposals is None:
            proposals = imitate_proposals(people, image, quality, rng)
        take.view.show(image, out)
        boxes, kept = take.view.move_people(people)
        proposed, usable = take.view.move_proposals(proposals.boxes)
        return DrawnFrame(
            boxes=boxes,
            ids=ids[kept],
            proposals=proposed,
            scores=proposals.scores[usable],
            quality=quality,
            teacher=self._features(take, t, image, name),
            name=name,
        )

    def _quality(self, number: int, position: int, image: Image) -> float:
        """Give ``Q`` of a frame as it is on disk; a still that moves keeps that of the whole still."""
        row = int(self._first_frames[number]) + position
        known = float(self._qualities[row])
        if np.isnan(known):
            # Processes that get here at once write the same number.
            known = assess(image, self._quality_config).score
            self._qualities[row] = known
        return known

    def _features(self, take: _Take, t: int, image: Image, name: str) -> Tensor | None:
        """Ask the teacher about a frame; of a still that moves and is not degraded, about the whole still."""
        if self._teacher is None:
            return None
        wants_clean = self.config.teacher_view == "clean"
        name = take.sequence.label(take.positions[t]) if wants_clean else name
        if name not in take.features:
            picture = image if take.degradation is not None and not wants_clean else take.decoded[t]
            if wants_clean and take.sequence.quality == "degraded":
                original = take.sequence.clean_path(take.positions[t])
                assert original is not None  # made sure of at the start
                picture = read_picture(original)
            take.features[name] = self._teacher(name, picture)
        return take.features[name]


@dataclass(frozen=True, eq=False)
class _Take:
    """What was drawn for a clip, and read.

    Attributes:
        number: Of the sequence.
        sequence: It.
        positions: Of its frames.
        decoded: Their images.
        windows: What each shows, if it is a still that moves.
        degradation: What happens to them, if anything.
        view: What all are shown through.
        features: What the teacher said so far, by name.
    """

    number: int
    sequence: ClipSequence
    positions: list[int]
    decoded: list[Image]
    windows: NDArray[np.int64] | None
    degradation: ClipDegradation | None
    view: ClipView
    features: dict[str, Tensor] = field(default_factory=dict)

    def offset(self, t: int) -> int:
        """Frames of the video from the first of the clip to frame ``t`` of it."""
        if self.sequence.is_still:
            return t
        return int(self.sequence.frames[self.positions[t]] - self.sequence.frames[self.positions[0]])
