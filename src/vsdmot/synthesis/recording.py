"""Write rendered scenes as MOTChallenge sequences, frames in parallel, each scene in full or not at all.

====================  ==================================================================================
img1/000001.jpg ...   the frames
gt/gt.txt             frame, id, left, top, width, height, 1, 1, visibility: full extent, also if hidden
gt/visible.txt        the same around what is seen
masks/000001.png ...  on request: 16-bit, the track id of the person that a pixel shows
seqinfo.ini           as MOTChallenge has it
scene.json            the settings, and who does what; written last
====================  ==================================================================================
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vsdmot.errors import OutputError
from vsdmot.io.image_writer import write_image
from vsdmot.io.whole_files import write_whole
from vsdmot.synthesis.scene import Renderer, Scene, SceneFrame
from vsdmot.synthesis.threads import in_order
from vsdmot.synthesis.truth import Box, PersonTruth

RECORD = "scene.json"


def is_recorded(folder: Path, settings: dict[str, object]) -> bool:
    """Tell whether a scene is there already, complete and made with the same settings.

    Raises:
        OutputError: Something else is in the folder.
    """
    record = folder / RECORD
    if not record.is_file():
        if folder.exists() and any(folder.iterdir()):
            raise OutputError(f"{folder}: exists and is no complete scene; remove it, or choose another output")
        return False
    try:
        found = json.loads(record.read_text(encoding="utf-8"))["settings"]
    except (OSError, ValueError, KeyError, TypeError):
        raise OutputError(f"{record}: not readable as the record of a scene; remove the folder") from None
    different = [name for name in settings if found.get(name) != settings[name]]
    if different:
        changes = ", ".join(f"{name} {found.get(name)} instead of {settings[name]}" for name in different)
        raise OutputError(f"{folder}: holds another scene ({changes}); choose another output, or add --overwrite")
    return True


def record_scene(
    scene: Scene, folder: Path, settings: dict[str, object], *, threads: int = 1, image_format: str = "jpg", masks: bool
) -> Iterator[int]:
    """Draw a scene and write it; yields each frame's index once it is written.

    It is written beside ``folder``, under a name that begins with a dot, which becomes ``folder`` at the end. Whoever
    stops in between leaves nothing that could be taken for a scene.

    Args:
        scene: What to draw.
        folder: The new sequence; must not be there yet.
        settings: What the scene was made from, for the record.
        threads: How many frames are drawn at a time; does not change what they show.
        image_format: ``jpg`` or ``png``.
        masks: Whether to write masks too.

    Raises:
        OutputError: The folder cannot be written.
    """
    part = folder.with_name(f".{folder.name}.part")
    try:
        if part.exists():
            shutil.rmtree(part)
        (part / "gt").mkdir(parents=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made: {error.strerror}") from None
    rows: list[tuple[int, tuple[PersonTruth, ...]]] = []
    try:
        for frame in _drawn(scene, part, threads, image_format, masks):
            rows.append((frame.frame.index, frame.people))
            yield frame.frame.index
        _write_truth(part, rows)
        write_whole(part / "seqinfo.ini", _seqinfo(scene, image_format).encode())
        record = {"settings": settings, "place": scene.place.name, "camera": scene.shot.move, "people": _cast(scene)}
        write_whole(part / RECORD, (json.dumps(record, indent=1) + "\n").encode())
        try:
            part.rename(folder)
        except OSError as error:
            raise OutputError(f"{folder}: cannot be made: {error.strerror}") from None
    finally:
        with contextlib.suppress(OSError):
            if part.exists():
                shutil.rmtree(part)


def _drawn(scene: Scene, folder: Path, threads: int, image_format: str, masks: bool) -> Iterator[SceneFrame]:
    """Draw and write the frames in parallel; gives them in order, a few at a time."""
    renderer = Renderer(scene)

    def work(index: int) -> SceneFrame:
        frame = renderer.draw(index)
        write_image(folder / "img1" / f"{index:06d}.{image_format}", frame.frame.image)
        if masks:
            write_whole(folder / "masks" / f"{index:06d}.png", _png(frame.mask))
        return frame

    return in_order(work, range(1, scene.num_frames + 1), threads)


def _write_truth(folder: Path, rows: list[tuple[int, tuple[PersonTruth, ...]]]) -> None:
    full, visible = [], []
    for index, people in rows:
        for person in people:
            full.append(_row(index, person, person.box))
            if person.visible_box is not None:
                visible.append(_row(index, person, person.visible_box))
    write_whole(folder / "gt" / "gt.txt", "".join(full).encode())
    write_whole(folder / "gt" / "visible.txt", "".join(visible).encode())


def _row(index: int, person: PersonTruth, box: Box) -> str:
    """Write a line of ground truth; pixels count from 0, as `vsdmot.io.annotations` reads them."""
    left, top, right, bottom = box
    numbers = ",".join(f"{value:.2f}" for value in (left, top, right - left, bottom - top))
    return f"{index},{person.track_id},{numbers},1,1,{person.visibility:.4f}\n"


def _seqinfo(scene: Scene, image_format: str) -> str:
    lines = {
        "name": scene.name,
        "imDir": "img1",
        "frameRate": f"{scene.frame_rate:g}",
        "seqLength": scene.num_frames,
        "imWidth": scene.shot.width,
        "imHeight": scene.shot.height,
        "imExt": f".{image_format}",
    }
    return "[Sequence]\n" + "".join(f"{key}={value}\n" for key, value in lines.items())


def _cast(scene: Scene) -> list[dict[str, object]]:
    return [
        {
            "id": actor.track_id,
            "motion": actor.motion.name,
            "item": actor.body.appearance.item,
            "stature": round(actor.body.appearance.proportions.stature, 3),
        }
        for actor in scene.actors
    ]


def _png(mask: NDArray[np.uint16]) -> bytes:
    _, stream = cv2.imencode(".png", mask)
    return np.asarray(stream).tobytes()
