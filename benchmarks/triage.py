"""Measure how often triage names the defect that was put into a clip, and how many frames a second it goes through.

Every clip is degraded by one operator of `vsdmot degrade` at a time, at one severity for all of it; the name must be
that of the operator's defect. Clips as they are must get no name. ``--data`` names a folder with videos and
MOTChallenge sequences; without it, figures are drawn. Those in `CHOSEN_ON` chose the limits and are left out.

    python benchmarks/triage.py --data path/to/data
    python benchmarks/triage.py --speed
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from vsdmot.degradation.frames import spoil, transmit
from vsdmot.degradation.operators import ON_VIDEO, Operator
from vsdmot.degradation.schedule import DegradeSettings, Schedule
from vsdmot.degradation.video_codec import GROUP_FRAMES
from vsdmot.io.glances import Glance, skim
from vsdmot.io.sources import open_source
from vsdmot.io.video_writer import VideoWriter
from vsdmot.structures import Image
from vsdmot.synthesis.figure_clip import FigureClipConfig, draw_figures
from vsdmot.triage.defects import Defect
from vsdmot.triage.recordings import find_recordings
from vsdmot.triage.scanning import Record, Scanner
from vsdmot.triage.stretches import find_stretches

CHOSEN_ON = ("ETH-Sunnyday", "TUD-Campus", "MOT17-04-FRCNN")
"""Real clips on which the limits were chosen, besides rendered scenes."""
SAME_SCENES = {"mot17_04_first8": "MOT17-04-FRCNN"}
"""Clips of the very frames of one of these, in another coding."""

EXPECTED: dict[Operator, Defect] = {
    "blur": "blur",
    "ringing": "blur",
    "motion_blur": "motion blur",
    "resize": "enlarged",
    "noise": "noise",
    "poisson": "noise",
    "low_light": "dark",
    "jpeg": "compression",
    "h264": "compression",
    "dropped_frames": "repeated frames",
}
"""``ringing`` is an ideal low-pass, so blur. ``sharpen`` is no loss, ``eq17`` is many defects at once."""

FOG = {1: 0.4, 2: 0.3, 3: 0.22, 4: 0.15, 5: 0.1}
"""Contrast that fog of each severity leaves; `vsdmot degrade` has no such operator."""
SEVERITIES = (1, 2, 3, 4, 5)
FRAME_RATE = 12.0
LARGE = 1000
"""Pixels across; the clips here that are larger were coded coarsely before."""
LONG_ENOUGH = 4 * GROUP_FRAMES
"""Frames that a clip must have for dropped frames to be a matter of chance no more."""


def freed(image: Image) -> Image:
    """Halve a large picture, which wipes out the blocks of an earlier coding and leaves no period of its own."""
    height, width = image.shape[:2]
    if width <= LARGE:
        return image
    return cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA)


def clips(data: Path | None) -> Iterator[tuple[str, list[Image]]]:
    """Give the clips that may be reported, their first frames at most, as they are."""
    if data is None:
        for seed in (1, 2):
            config = FigureClipConfig(num_frames=LONG_ENOUGH, worst_severity=0.0, seed=seed)
            yield f"figures {seed}", [drawn.frame.image for drawn in draw_figures(config)]
        return
    for location in find_recordings(str(data)):
        name = Path(location).stem
        if SAME_SCENES.get(name, name) not in CHOSEN_ON:
            with open_source(location) as source:
                yield name, [frame.image for frame in itertools.islice(source, LONG_ENOUGH)]


def degraded(images: Sequence[Image], operator: Operator, severity: int, name: str) -> list[Image]:
    """Degrade a clip by one operator, the same all the way."""
    schedule = Schedule(DegradeSettings(mode="fixed", severity=severity, only=(operator,)), name)
    numbered = enumerate(images, start=1)
    spoilt = ((schedule.at(n), spoil(image, schedule.at(n), schedule.noise(n))) for n, image in numbered)
    return [image for _, _, image in transmit(spoilt, schedule)]


def fogged(images: Sequence[Image], contrast: float) -> list[Image]:
    """Mix a clip with light grey."""
    return [np.rint(image * contrast + 190.0 * (1 - contrast)).astype(np.uint8) for image in images]


def judge(images: Sequence[Image], every: float) -> Defect | None:
    """Name what spoils most of a clip."""
    scanner, record = Scanner(every, frame_rate=FRAME_RATE), Record()
    for index, image in enumerate(images, start=1):
        glance = Glance(index, (index - 1) / FRAME_RATE, lambda i=image: i[::4, ::4, 1], lambda i=image: i)
        if (sample := scanner.see(glance)) is not None:
            record.add(sample)
    end = len(images) / FRAME_RATE
    return _main(find_stretches(record, end=end, least_quality=0.4, shortest=2.0))


def _main(stretches: Sequence) -> Defect | None:
    sums: defaultdict[Defect | None, float] = defaultdict(float)
    for stretch in stretches:
        sums[stretch.defect] += stretch.seconds
    return max(sums, key=lambda name: sums[name])


def cases(images: list[Image], name: str) -> Iterator[tuple[str, int, Defect | None, Defect | None]]:
    """Degrade and judge a clip in every way: what was done, how severely, the right name, the name that came out."""
    few = images[:: max(1, len(images) // 3)][:3]
    yield "none", 0, None, judge(images, every=2.0)
    for operator, expected in EXPECTED.items():
        if operator == "dropped_frames" and len(images) < LONG_ENOUGH:
            continue
        for severity in SEVERITIES:
            if operator == "dropped_frames":
                shown = degraded(images, operator, severity, name)
            elif operator in ON_VIDEO:
                shown = degraded(images[:GROUP_FRAMES], operator, severity, name)[1::8]
            else:
                shown = degraded(few, operator, severity, name)
            yield operator, severity, expected, judge(shown, every=2.0 if operator == "dropped_frames" else 0.0)
    for severity, contrast in FOG.items():
        yield "fog", severity, "low contrast", judge(fogged(few, contrast), every=0.0)


def names(data: Path | None) -> None:
    """Print how often the right name comes out.

    The large frames of MOT17 were coded coarsely before, so clips are degraded after `freed` took that away, and
    "nothing put in" is told of both.
    """
    as_they_are: list[str] = []
    right: defaultdict[tuple[str, int], list[bool]] = defaultdict(list)
    wrong: defaultdict[str, Counter[str]] = defaultdict(Counter)
    number = 0
    for name, images in clips(data):
        number += 1
        print(f"{name}: {len(images)} frames of {images[0].shape[1]}x{images[0].shape[0]}", flush=True)
        if (found := judge(images[:: max(1, len(images) // 3)], every=0.0)) is not None:
            as_they_are.append(f"{name}: {found}")
        for what, severity, expected, found in cases([freed(image) for image in images], name):
            right[what, severity].append(found == expected)
            if found != expected:
                wrong[what][f"{found or 'nothing'} ({severity})"] += 1
    print(f"\n{number} clips, none of which chose a limit; right names at severity 1 to 5\n")
    print(f"{'put in':<16}{'called':<18}" + "".join(f"{severity:>8}" for severity in SEVERITIES) + "   wrong names")
    untouched = right.pop(("none", 0))
    for what in dict.fromkeys(what for what, _ in right):
        rows = [right[what, severity] for severity in SEVERITIES]
        called = "low contrast" if what == "fog" else EXPECTED[what]  # type: ignore[index]
        mistakes = ", ".join(f"{name} {count}" for name, count in wrong[what].most_common(4))
        print(f"{what:<16}{called:<18}" + "".join(f"{sum(row):>4}/{len(row):<3}" for row in rows) + f"   {mistakes}")
    print(f"\nnothing put in, nothing named: {sum(untouched)} of {len(untouched)}; {dict(wrong['none'])}")
    print(f"as they are, a defect is named in {len(as_they_are)} of {number}: {', '.join(as_they_are) or '-'}")
    for least in (1, 2, 3):
        every = [ok for (_, severity), row in right.items() if severity >= least for ok in row]
        print(f"severity {least} to 5: {100 * np.mean(every):.1f} % of {len(every)} clips")


def speed(width: int, height: int, num_frames: int) -> None:
    """Print how fast a video is gone through, with every frame decoded and with key frames only."""
    config = FigureClipConfig(num_frames=num_frames, width=width, height=height, worst_severity=0.0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        with VideoWriter(path, width=width, height=height, frame_rate=25.0, crf=20) as writer:
            grain = np.random.default_rng(0).integers(0, 13, (8, height, width, 1), np.uint8)
            for number, drawn in enumerate(draw_figures(config)):  # a sensor's noise costs a decoder most
                writer.write(np.minimum(drawn.frame.image, 242) + grain[number % 8])
        bits = 8 * path.stat().st_size / (num_frames / 25.0) / 1e6
        print(f"{num_frames} frames of {width}x{height}, H.264 at {bits:.1f} Mbit/s")
        for key_frames_only in (False, True):
            scanner, record = Scanner(0.5, frame_rate=25.0), Record()
            started, processor = time.perf_counter(), time.process_time()
            with open_source(path) as source:
                for glance in skim(source, key_frames_only=key_frames_only):
                    if (sample := scanner.see(glance)) is not None:
                        record.add(sample)
            seconds, busy = time.perf_counter() - started, time.process_time() - processor
            print(
                f"{'key frames only' if key_frames_only else 'every frame':<16}{num_frames / seconds:8.0f} frames/s, "
                f"{1e3 * busy / num_frames:.2f} ms of processor a frame, {len(record)} pictures measured"
            )


def main() -> None:
    """Print the table of names, or the speed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with videos and sequences; drawn clips without it")
    parser.add_argument("--speed", action="store_true", help="measure speed instead")
    parser.add_argument("--size", default="1280x720", help="of the video whose speed is measured")
    parser.add_argument("--frames", type=int, default=500, help="of the video whose speed is measured")
    words = parser.parse_args()
    if words.speed:
        width, height = map(int, words.size.split("x"))
        speed(width, height, words.frames)
    else:
        names(words.data)


if __name__ == "__main__":
    main()
