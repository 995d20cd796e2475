"""COCO for video: COCO's JSON with ``videos``, images that know their video and frame, and boxes that know their track.

This is what MMTracking calls CocoVID: ``frame_id`` counts from 0, ``instance_id`` is the track. pycocotools reads it
as any other COCO file.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from vsdmot.errors import FormatError
from vsdmot.io.exchange.json_values import four_numbers, number, objects, whole
from vsdmot.io.exchange.table import TableBuilder, TrackTable, sequence_name
from vsdmot.io.problems import counted, some

_TRACK_KEYS = ("instance_id", "track_id", "mot_instance_id")
_FRAME_KEYS = ("frame_id", "frame_index")


def read_coco_tracks(path: Path, *, video: str | None = None) -> TrackTable:
    """Read the tracks of one video.

    Args:
        path: The JSON file.
        video: Name of the video, where there are several.

    Raises:
        FormatError: The file cannot be read, speaks of no video or of several, or an image or box is broken.
    """
    builder = TableBuilder(path)
    try:
        record = json.loads(path.read_bytes())
    except OSError as error:
        raise FormatError(f"{path}: cannot read: {error.strerror}") from None
    except json.JSONDecodeError as error:
        raise builder.fault(f":{error.lineno}", "JSON", error.msg) from None
    except (ValueError, RecursionError):
        raise builder.fault("", "JSON in UTF-8", "other bytes, or lists nested too deep") from None
    if not isinstance(record, dict) or "videos" not in record:
        found = some(record, 6) if isinstance(record, dict) else type(record).__name__
        raise builder.fault("", "COCO for video, an object with videos, images, annotations and categories", found)
    chosen = _choose(builder, objects(builder, "", record, "videos"), video)
    frames, notes, size = _images(builder, objects(builder, "", record, "images"), chosen)
    labels = {
        whole(builder, f": categories[{place}]", category, "id"): str(category.get("name", ""))
        for place, category in enumerate(objects(builder, "", record, "categories"))
    }
    lone = _add_boxes(builder, objects(builder, "", record, "annotations"), frames, labels)
    if lone:
        notes.append(f"{counted(lone, 'box', 'boxes')} without a track left out")
    name = chosen.get("name")
    return builder.build(
        name=name if isinstance(name, str) and name.strip() else sequence_name(path), size=size, notes=tuple(notes)
    )


def write_coco_tracks(table: TrackTable) -> bytes:
    """Write one video, an image for each frame and an annotation for each box.

    A box that evaluation leaves out gets ``iscrowd``, which is how COCO leaves boxes out.

    Raises:
        FormatError: The picture's size is not known.
    """
    if table.size is None:
        raise FormatError(f"{table.name}: COCO holds the picture's size, which is not known here")
    size = {"width": table.size[0], "height": table.size[1]}
    # The first frame is always there: from its number readers tell where counting begins.
    known = set(table.known_frames.tolist()) | set(table.frames.tolist()) | ({1} if table.length else set())
    frames = sorted(known) if len(table.known_frames) else range(1, table.length + 1)
    images = {frame: number for number, frame in enumerate(frames, start=1)}
    record = {
        "info": {"description": table.name},
        "licenses": [],
        "videos": [{"id": 1, "name": table.name, **size}],
        "images": [
            {
                "id": image,
                "video_id": 1,
                "frame_id": frame - 1,
                "file_name": f"{table.name}/img1/{frame:06d}.jpg",
                **size,
            }
            for frame, image in images.items()
        ],
        "annotations": [_annotation(table, row, images[int(table.frames[row])]) for row in range(len(table))],
        "categories": [{"id": place, "name": label} for place, label in enumerate(table.labels, start=1)],
    }
    return (json.dumps(record, allow_nan=False, separators=(",", ":")) + "\n").encode("ascii")


def _annotation(table: TrackTable, row: int, image: int) -> dict[str, Any]:
    box = table.boxes[row].tolist()
    track_id, ignored = int(table.ids[row]), int(not table.considered[row])
    rest = {"score": float(table.scores[row]), "visibility": float(table.visibility[row])}
    return {
        "id": row + 1,
        "image_id": image,
        "video_id": 1,
        "category_id": int(table.classes[row]) + 1,
        "instance_id": track_id,
        "track_id": track_id,
        "bbox": box,
        "area": box[2] * box[3],
        "iscrowd": ignored,
        "ignore": ignored,
        **{name: value for name, value in rest.items() if not math.isnan(value)},
    }


def _choose(builder: TableBuilder, videos: list[dict[str, Any]], name: str | None) -> dict[str, Any]:
    """Choose the video of that name or, where there is but one, that one."""
    names = [str(video.get("name", video.get("file_name", ""))) for video in videos]
    found = [video for video, own in zip(videos, names, strict=True) if own == name] or videos
    if len(found) != 1:
        raise builder.fault("", "one video, or --name to say which", some(names, 5) or "none")
    whole(builder, ": videos[0]", found[0], "id")
    return found[0]


def _images(
    builder: TableBuilder, images: list[dict[str, Any]], video: dict[str, Any]
) -> tuple[dict[int, int | None], list[str], tuple[int, int] | None]:
    """Give frame by image id (None for images of other videos), notes, and the size of the picture."""
    frames: dict[int, int | None] = {}
    size, notes = _size(video), list[str]()
    for place, image in enumerate(images):
        where = f": images[{place}]"
        key = next((key for key in _FRAME_KEYS if key in image), _FRAME_KEYS[0])
        number = whole(builder, where, image, "id")
        if number in frames:
            raise builder.fault(where, "each image id once", number)
        own = whole(builder, where, image, "video_id") == video["id"]
        frames[number] = whole(builder, where, image, key) if own else None
        size = size or (_size(image) if own else None)
    least = min((frame for frame in frames.values() if frame is not None), default=0)
    # CocoVID counts frames from 0; the converters of CenterTrack, FairMOT and ByteTrack count them from 1.
    first = 1 if least == 1 else 0
    if least > 0:
        notes.append(f"the first image has frame_id {least}; frames are taken as counted from {first}")
    shifted = {image: None if frame is None else frame + 1 - first for image, frame in frames.items()}
    for place, frame in enumerate(shifted.values()):
        if frame is not None:
            builder.add_frame(f": images[{place}]", frame)
    return shifted, notes, size


def _add_boxes(
    builder: TableBuilder,
    annotations: list[dict[str, Any]],
    frames: dict[int, int | None],
    labels: dict[int, str],
) -> int:
    """Add the boxes of the video, and count those that belong to no track.

    Raises:
        FormatError: None of its boxes belongs to a track, or one is broken.
    """
    lone = added = 0
    for index, annotation in enumerate(annotations):
        place = f": annotations[{index}]"
        image, category = (whole(builder, place, annotation, name) for name in ("image_id", "category_id"))
        if image not in frames:
            raise builder.fault(place, "the id of an image", image)
        frame = frames[image]
        if frame is None:
            continue
        key = next((key for key in _TRACK_KEYS if annotation.get(key) is not None), None)
        if key is None or annotation[key] == -1:
            lone += 1
            continue
        if category not in labels:
            raise builder.fault(place, "the id of a category", category)
        left, top, width, height = four_numbers(builder, place, annotation, "bbox")
        builder.add(
            place,
            frame,
            whole(builder, place, annotation, key),
            (left, top, width, height),
            score=number(builder, place, annotation, "score"),
            label=labels[category],
            considered=not (annotation.get("iscrowd") or annotation.get("ignore")),
            visibility=number(builder, place, annotation, "visibility"),
        )
        added += 1
    if lone and not added:
        raise builder.fault(
            "", f"boxes with {' or '.join(_TRACK_KEYS[:2])}", f"{counted(lone, 'box', 'boxes')} without"
        )
    return lone


def _size(record: dict[str, Any]) -> tuple[int, int] | None:
    width, height = record.get("width"), record.get("height")
    if not isinstance(width, int) or not isinstance(height, int) or width < 1 or height < 1:
        return None
    return width, height
