"""``vsdmot synth``: rendered scenes of people with exact ground truth, as many as anyone wants."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from vsdmot.cli.arguments import make_parser, parse
from vsdmot.cli.console import Progress, say, warn
from vsdmot.cli.cores import usable_cores
from vsdmot.cli.stopping import until_stopped
from vsdmot.config import at_least, check, to_mapping
from vsdmot.errors import OutputError
from vsdmot.synthesis.settings import STYLES, CameraChoice, SceneConfig, Style
from vsdmot.version import __version__

if TYPE_CHECKING:
    from vsdmot.synthesis.scene import Scene

_SIZE = re.compile(r"(\d+)[xX](\d+)")


@dataclass(frozen=True, kw_only=True)
class SynthSettings:
    """Render scenes of people as MOTChallenge sequences with exact ground truth.

    People walk, run, stand, talk, sit, crouch, carry and dance in places with other light, clothes and cameras in every
    scene; nothing is downloaded. Boxes are the full extent of the body, also where it is hidden, with the visible share
    beside them; gt/visible.txt holds the boxes of what is seen. The same seed gives the same files, whatever the number
    of workers. A scene is there in full or not at all: a run that was stopped goes on when the command is given again,
    and more scenes can be added with a higher --scenes.

    Attributes:
        output: Folder for the sequences; made if missing.
        scenes: How many scenes.
        frames: Length of each scene in frames.
        people: How many people at most in a scene; fewer where no more find room.
        size: Width and height of the picture in pixels, such as 960x540.
        style: dance (groups in similar clothes, as in DanceTrack), street, surveillance (from above), or mixed, all of
            them in turn.
        camera: Whether the camera stands still, moves, or either as the style has it.
        fps: Frames per second.
        seed: Another seed gives other scenes.
        format: Of the images; png is exact and large.
        masks: Write masks too: 16-bit PNG, the id of the person that a pixel shows.
        workers: Frames drawn side by side; without it, one for each core.
        overwrite: Replace scenes that are there, instead of going on or refusing.
    """

    output: Path
    scenes: int = 4
    frames: int = 100
    people: int = 8
    size: str = "640x360"
    style: Literal["mixed", "dance", "street", "surveillance"] = "mixed"
    camera: CameraChoice = "auto"
    fps: float = 25.0
    seed: int = 0
    format: Literal["jpg", "png"] = "jpg"
    masks: bool = False
    workers: int | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        check(
            self,
            scenes=at_least(1),
            size=lambda size: None if _SIZE.fullmatch(size) else "WIDTHxHEIGHT, such as 960x540",
            seed=at_least(0),
            workers=at_least(1),
        )
        self.scene_config()

    def scene_config(self) -> SceneConfig:
        """Give the part that decides what scenes look like."""
        found = _SIZE.fullmatch(self.size)
        width, height = (int(found[1]), int(found[2])) if found else (640, 360)
        return SceneConfig(
            width=width,
            height=height,
            frames=self.frames,
            frame_rate=self.fps,
            people=self.people,
            camera=self.camera,
        )


def main(arguments: Sequence[str]) -> None:
    """Run the verb from the words after ``vsdmot synth``."""
    parser = make_parser(SynthSettings, prog="vsdmot synth", short={"output": "-o"})
    synth(parse(parser, SynthSettings, arguments))


def synth(settings: SynthSettings) -> None:
    """Render the scenes that the settings ask for and that are not there yet.

    Raises:
        OutputError: The folder cannot be written, or holds something else under a scene's name.
    """
    from vsdmot.synthesis.recording import RECORD, is_recorded

    plan = list(_plan(settings))
    missing, sparse = [], list[str]()
    for number, style, folder, record in plan:
        if settings.overwrite and (folder / RECORD).is_file():  # nothing but scenes is ever removed
            _remove(folder)
        if not is_recorded(folder, record):
            missing.append((number, style, folder, record))
    if len(missing) < len(plan):
        say(f"{len(plan) - len(missing)} of {len(plan)} scenes are there already")
    if missing:
        with Progress("rendering", len(missing) * settings.frames) as progress:
            for _ in until_stopped(_render(settings, missing, sparse)):
                progress.advance()
    if sparse:
        more = f" and {len(sparse) - 3} more" if len(sparse) > 3 else ""
        warn(f"no room for {settings.people} people: {', '.join(sparse[:3])}{more}")
    say(f"{len(plan)} scenes of {settings.frames} frames are in {settings.output}")


_Planned = tuple[int, Style, Path, dict[str, object]]


def _plan(settings: SynthSettings) -> Iterator[_Planned]:
    for number in range(1, settings.scenes + 1):
        style: Style = STYLES[(number - 1) % len(STYLES)] if settings.style == "mixed" else settings.style
        record: dict[str, object] = {
            "seed": settings.seed,
            "number": number,
            "style": style,
            "format": settings.format,
            "masks": settings.masks,
            "version": __version__,
            **to_mapping(settings.scene_config()),
        }
        yield number, style, settings.output / f"{style}-{number:04d}", record


def _render(settings: SynthSettings, planned: Iterable[_Planned], sparse: list[str]) -> Iterator[int]:
    """Render scenes; yields each frame's index, and adds to ``sparse`` what scene has fewer people than asked for."""
    from vsdmot.synthesis.direction import make_scene
    from vsdmot.synthesis.recording import record_scene
    from vsdmot.synthesis.threads import in_order

    threads = settings.workers or usable_cores()
    config = settings.scene_config()

    def make(item: _Planned) -> tuple[Scene, Path, dict[str, object]]:
        number, style, folder, record = item
        return make_scene(style, config, seed=settings.seed, number=number), folder, record

    # One thread prepares the next scenes while the others draw.
    for scene, folder, record in in_order(make, planned, 1):
        if len(scene.actors) < config.people:
            sparse.append(f"{scene.name} has {len(scene.actors)}")
        yield from record_scene(
            scene, folder, record, threads=threads, image_format=settings.format, masks=settings.masks
        )


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be replaced: {error.strerror}") from None
