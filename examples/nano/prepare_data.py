"""Make the real part of vsdmot-nano's training data: frames with pseudo-labels of a published detector.

Annotations of video leave people out; a detector that finds them would be taught not to. So each person that the
published detector is sure of and that nobody annotated is added, and clips without annotations get all of theirs from
it. PETS09-S2L1 is what the model is validated on: it is refused, however it is named.

    python examples/nano/prepare_data.py nano-data --sequences mot15/train/ETH-Sunnyday --clips walk.mp4 \
        --teacher yolox_nano.safetensors

Into the folder with the rendered `scenes`, `crowds` and `dances` come `stills` (some of their frames, for the
detector), `real` and `diverse` (frames with pseudo-labels), and `tracks` (links to the long sequences, for the
tracker).
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from vsdmot.boxes import iou
from vsdmot.detection.yolox.detector import DetectorConfig, YoloxDetector
from vsdmot.io.annotations import read_ground_truth
from vsdmot.io.datasets import describe_sequence, sequence_folders
from vsdmot.io.image_writer import write_image
from vsdmot.io.sources import open_source
from vsdmot.structures import Boxes, Frame

LONG_SIDE = 640
STILLS = {"scenes": 8, "crowds": 8, "dances": 16}
"""Folder of rendered sequences to how many of its frames make one still: neighbours are alike."""


def label(frame: Frame, annotated: Boxes, detector: YoloxDetector, sure: float) -> Boxes:
    """Give the annotated boxes, and those of the detector that scored at least ``sure`` and overlap none of them."""
    found = detector(frame).above(sure).boxes
    if len(annotated) and len(found):
        found = found[iou(found, annotated).max(axis=1) < 0.4]
    return np.concatenate([annotated, found])


def frames_of(path: Path, every: int) -> Iterator[tuple[Frame, Boxes]]:
    """Give frames and the boxes that were annotated in them; a clip has none."""
    truth = None
    if path.is_dir() and (gt := describe_sequence(path).ground_truth) is not None:
        truth = read_ground_truth(gt).people()
    with open_source(str(path)) as source:
        for number, frame in enumerate(source):
            if number % every == 0:
                boxes = np.zeros((0, 4), np.float32) if truth is None else truth.on_frame(frame.index).boxes
                yield frame, boxes.astype(np.float32)


def write(path: Path, every: int, folder: Path, detector: YoloxDetector, sure: float) -> tuple[int, int, int]:
    """Write one sequence; give frames, boxes, and how many of these are pseudo-labels."""
    lines, count, added, number = [], 0, 0, 0
    for number, (frame, annotated) in enumerate(frames_of(path, every), start=1):
        boxes = label(frame, annotated, detector, sure)
        scale = min(1.0, LONG_SIDE / max(frame.width, frame.height))
        size = round(frame.width * scale), round(frame.height * scale)
        write_image(folder / "img1" / f"{number:06d}.jpg", cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA))
        for person, (left, top, right, bottom) in enumerate(boxes * scale, start=1):
            lines.append(f"{number},{person},{left:.1f},{top:.1f},{right - left:.1f},{bottom - top:.1f},1,1,1\n")
        count, added = count + len(boxes), added + len(boxes) - len(annotated)
    (folder / "gt").mkdir(parents=True, exist_ok=True)
    (folder / "gt" / "gt.txt").write_text("".join(lines))
    return number, count, added


def thin(scenes: Path, folder: Path, every: int) -> int:
    """Link every so-manieth frame of rendered sequences, with its ground truth; give their number."""
    count = 0
    for scene in sequence_folders(scenes):
        images = sorted((scene / "img1").iterdir())[::every]
        (folder / scene.name / "img1").mkdir(parents=True, exist_ok=True)
        (folder / scene.name / "gt").mkdir(exist_ok=True)
        for image in images:
            link = folder / scene.name / "img1" / image.name
            if not link.exists():
                link.symlink_to(image.resolve())
        kept = {int(image.stem) for image in images}
        rows = (scene / "gt" / "gt.txt").read_text().splitlines(keepends=True)
        wanted = [row for row in rows if int(row.partition(",")[0]) in kept]
        (folder / scene.name / "gt" / "gt.txt").write_text("".join(wanted))
        count += len(images)
    return count


def main() -> None:
    """Run the script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="folder of the data, with scenes, crowds and dances (vsdmot synth)")
    parser.add_argument("--sequences", type=Path, nargs="*", default=[], help="long sequences with ground truth")
    parser.add_argument("--diverse", type=Path, nargs="*", default=[], help="sequences of a few frames")
    parser.add_argument("--clips", type=Path, nargs="*", default=[], help="videos without annotations")
    parser.add_argument("--every", type=int, default=5, help="take every so-manieth frame of a clip")
    parser.add_argument("--teacher", type=Path, required=True, help="YOLOX weights; copied to yolox_nano.safetensors")
    parser.add_argument("--width", type=int, default=1024, help="long side of the teacher's input")
    parser.add_argument("--sure", type=float, default=0.45, help="least score of a pseudo-label")
    arguments = parser.parse_args()
    paths = [*arguments.sequences, *arguments.diverse, *arguments.clips]
    if held_out := [str(path) for path in paths if "pets" in str(path).lower()]:
        sys.exit(f"{held_out[0]}: PETS validates the model and must not be trained on")
    root = arguments.root
    root.mkdir(parents=True, exist_ok=True)
    for name, every in STILLS.items():
        if (root / name).is_dir():
            print(f"stills/{name}: {thin(root / name, root / 'stills' / name, every)} frames", flush=True)
    shutil.copyfile(arguments.teacher, root / "yolox_nano.safetensors")
    detector = YoloxDetector.from_checkpoint(
        arguments.teacher, config=DetectorConfig(input_size=arguments.width, score_threshold=0.05)
    )
    (root / "tracks").mkdir(exist_ok=True)
    for path in paths:
        part = "diverse" if path in arguments.diverse else "real"
        every = arguments.every if path in arguments.clips else 1
        counts = write(path, every, root / part / path.stem, detector, arguments.sure)
        print("{}: {} frames, {} boxes, {} of them pseudo-labels".format(path.name, *counts), flush=True)
        link = root / "tracks" / path.name
        if path in arguments.sequences and not link.exists():
            link.symlink_to(path.resolve())


if __name__ == "__main__":
    main()
