"""``vsdmot degrade``: make low-quality footage from good, with the same boxes."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from vsdmot.cli.arguments import make_parser, parse
from vsdmot.cli.console import Progress, say, show_files, warn, warn_about_reading
from vsdmot.cli.cores import usable_cores
from vsdmot.cli.stopping import until_stopped
from vsdmot.config import at_least, check
from vsdmot.degradation.operators import Operator
from vsdmot.degradation.schedule import DegradeSettings, Mode
from vsdmot.degradation.sequences import check_apart
from vsdmot.degradation.trees import carry_out_tree, plan_tree
from vsdmot.degradation.video_codec import GROUP_FRAMES
from vsdmot.degradation.videos import carry_out_video, plan_video
from vsdmot.degradation.workers import Workers
from vsdmot.errors import ConfigError, SourceError
from vsdmot.io.image_writer import write_image
from vsdmot.io.images import IMAGE_SUFFIXES
from vsdmot.io.outputs import check_output
from vsdmot.io.sources import open_source
from vsdmot.structures import Image
from vsdmot.synthesis.figure_clip import FigureClipConfig, draw_figures

_OTHER_VIDEOS = frozenset({".avi", ".flv", ".m4v", ".mkv", ".mov", ".mpg", ".mpeg", ".ts", ".webm", ".wmv"})


@dataclass(frozen=True, kw_only=True)
class DegradeCommand:
    """Make low-quality footage: Real-ESRGAN's second-order degradation (Eq. 17), or single operators.

    A video becomes a video (OUT.mp4) or a folder of images (OUT); a folder of images, a MOTChallenge sequence or a
    whole data set is mirrored in OUT, with ground truth and all other files carried along. Sizes stay, so boxes stay
    valid. degradation.json records every number of every frame. The same seed gives the same files, whatever the number
    of workers; a run that was stopped or killed goes on when the command is given again.

    Operators, in the order in which they are applied: sharpen, motion_blur, low_light, eq17 (the whole chain of
    Real-ESRGAN), blur, resize, noise, poisson, ringing, jpeg, h264, dropped_frames.

    Attributes:
        source: Video file, image, folder of images, MOTChallenge sequence or data set.
        output: Folder, or OUT.mp4 for a video (an image for an image).
        show: In place of OUT, draw every operator at every severity, on the middle frame of SOURCE, into this image;
            without SOURCE on a drawn picture.
        mode: How the degradation changes over a video: drift slowly with short bad spells, a new draw per_frame, or
            fixed.
        seed: Another seed gives other degradations; each sequence has its own under any seed.
        severity: From 1 (mild) to 5 (hardly usable); without it, numbers come from all of the published ranges, and the
            severity of single operators from 1 to 5.
        only: Operators to apply, separated by commas.
        workers: Processes that degrade frames side by side; without it, one for each core.
        overwrite: Begin anew where an output exists, instead of going on or refusing.
    """

    source: Path | None = None
    output: Path | None = None
    show: Path | None = None
    mode: Mode = "drift"
    seed: int = 0
    severity: int | None = None
    only: tuple[Operator, ...] = ("eq17",)
    workers: int | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        check(self, workers=at_least(1))
        self.degradation()

    def degradation(self) -> DegradeSettings:
        """Give the part that decides what frames look like."""
        return DegradeSettings(mode=self.mode, seed=self.seed, severity=self.severity, only=self.only)


def main(arguments: Sequence[str]) -> None:
    """Run the verb from the words after ``vsdmot degrade``."""
    parser = make_parser(DegradeCommand, prog="vsdmot degrade", positional=["source"], short={"output": "-o"})
    degrade(parse(parser, DegradeCommand, arguments))


def degrade(settings: DegradeCommand) -> None:
    """Degrade a source as the settings say.

    Raises:
        VsdmotError: The source or the output cannot be used.
    """
    if settings.show is not None:
        _show(settings.source, settings.show, settings)
        return
    if settings.source is None or settings.output is None:
        missing = "SOURCE" if settings.source is None else "--output"
        raise ConfigError(f"{missing}: missing, and there is no default")
    source, output = settings.source, settings.output
    if not source.exists():
        raise SourceError(f"{source}: no such file or folder")
    if source.is_dir() and output.suffix.lower() != ".mp4":
        _degrade_folder(source, output, settings)
    else:
        _check_kinds(source, output)
        _degrade_video(source, output, settings)


def _degrade_folder(source: Path, output: Path, settings: DegradeCommand) -> None:
    plan = plan_tree(source, output, settings.degradation(), overwrite=settings.overwrite)
    missing, total = plan.num_missing(), plan.num_frames()
    if missing < total:
        say(f"{total - missing} of {total} frames are there already")
    with ExitStack() as stack:
        workers = stack.enter_context(Workers(_num_workers(settings, missing)))
        _follow(carry_out_tree(plan, workers), missing)
    sequences = f" of {len(plan.sequences)} sequences" if len(plan.sequences) > 1 else ""
    say(f"{total} frames{sequences} are in {output}, degraded; every number is in degradation.json beside them")


def _degrade_video(source: Path, output: Path, settings: DegradeCommand) -> None:
    with ExitStack() as stack:
        video = stack.enter_context(open_source(source))
        plan = plan_video(video, output, settings.degradation(), overwrite=settings.overwrite)
        if plan.is_complete():
            say(f"{output} is there already, complete, with these settings")
            return
        workers = stack.enter_context(Workers(_num_workers(settings, plan.num_missing())))
        _follow(carry_out_video(plan, workers), plan.num_missing())
        warn_about_reading(video)
    num_frames = video.report.num_read
    say(f"{num_frames} frame{'s' * (num_frames != 1)}, degraded")
    show_files([*([output] if output.is_file() else []), plan.record])


def _follow(frames: Iterable[int], total: int | None) -> None:
    """Count frames as they are done; a stop comes between two of them."""
    try:
        with Progress("degrading", total) as progress:
            for _ in until_stopped(frames):
                progress.advance()
    except KeyboardInterrupt:
        warn("give the same command again to go on from here")
        raise


def _show(source: Path | None, sheet: Path, settings: DegradeCommand) -> None:
    """Draw what each operator does at each severity."""
    from vsdmot.report.degradation_sheet import draw_sheet

    if settings.output is not None:
        raise ConfigError("--show draws a sheet in place of an output; leave out -o or --show")
    check_output(sheet, settings.overwrite, source=source)
    write_image(sheet, draw_sheet(_frames_to_show(source), seed=settings.seed), jpeg_quality=78)
    show_files([sheet])


def _frames_to_show(source: Path | None) -> list[Image]:
    """Take the frames up to the middle of a source, or of a drawn clip, as many as one group of H.264 has."""
    frames: deque[Image] = deque(maxlen=GROUP_FRAMES)
    if source is None:
        clip = FigureClipConfig(num_frames=2 * GROUP_FRAMES, worst_severity=0.0)
        frames.extend(drawn.frame.image for drawn in itertools.islice(draw_figures(clip), GROUP_FRAMES))
        return list(frames)
    with open_source(source) as video:
        middle = min((video.info.num_frames or 1) // 2, 10 * GROUP_FRAMES)
        frames.extend(frame.image for frame in itertools.islice(video, max(1, middle)))
        warn_about_reading(video)
    if not frames:
        raise SourceError(f"{source}: no frames could be decoded")
    return list(frames)


def _check_kinds(source: Path, output: Path) -> None:
    """Make sure that the output's kind fits the source's.

    Raises:
        ConfigError: It does not.
        OutputError: The output lies inside the source.
    """
    suffix = output.suffix.lower()
    if source.is_dir():
        check_apart(source, output)
    elif source.suffix.lower() == ".zip":
        raise SourceError(f"{source}: expected a folder or a video; unpack the archive first")
    elif source.suffix.lower() in IMAGE_SUFFIXES:
        if suffix not in IMAGE_SUFFIXES:
            raise ConfigError(f"-o must end like an image, .png or .jpg, because {source} is one, got {output}")
    elif suffix in _OTHER_VIDEOS | IMAGE_SUFFIXES:
        raise ConfigError(f"-o must end in .mp4 for a video, or name a folder, got {output}")


def _num_workers(settings: DegradeCommand, num_frames: int | None) -> int:
    """Give the number of workers: as asked for, else one for each core, but none that would have nothing to do."""
    cores = usable_cores()
    return max(1, min(settings.workers or cores, num_frames if num_frames is not None else cores))
