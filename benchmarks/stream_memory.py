"""Memory of a long stream: max resident size at frame 500 and at the end must agree within 5 %.

    python benchmarks/stream_memory.py [--frames 5000] [--tracker vsdmot]

A clip of drawn figures is decoded again and again from a video file, assessed, tracked by a small VSD-MOT (random
weights) or by an association tracker, drawn over and written as video, MOT text and JSON Lines: everything that
`vsdmot track` does.
"""

import argparse
import contextlib
import dataclasses
import resource
import tempfile
from pathlib import Path

import torch

import vsdmot
from vsdmot.cli.demo import write_clip
from vsdmot.config import load
from vsdmot.detection.files import open_detections
from vsdmot.io.json_lines import JsonLinesWriter
from vsdmot.io.mot_text import MotTextWriter
from vsdmot.io.video_writer import VideoWriter
from vsdmot.models.vsdmot import VSDMOT
from vsdmot.report.overlay import Overlay
from vsdmot.synthesis.figure_clip import FigureClipConfig, draw_figures
from vsdmot.tracking.pretrained import TrackerConfig
from vsdmot.tracking.query_tracking import QueryTracking

PRESET = Path(__file__).parents[1] / "configs" / "vsdmot_small.yaml"
CLIP = FigureClipConfig(num_frames=250, width=320, height=192)


def make_tracker(name: str, proposals) -> vsdmot.Tracker:
    if name != "vsdmot":
        return vsdmot.Tracker.from_association(name, proposals=proposals)
    config = load(
        TrackerConfig,
        PRESET,
        {
            "preprocessing.short_side": 96,
            "preprocessing.long_side": 160,
            "lifecycle.max_tracks": 40,
            "lifecycle.miss_tolerance": 3,
        },
    )
    torch.manual_seed(0)
    model = VSDMOT(config.model)
    with torch.no_grad():  # spread the random heads, so that tracks are born and die all the time
        model.decoder.class_heads[-1].weight.normal_(std=0.5)
        model.decoder.class_heads[-1].bias.zero_()
    return vsdmot.Tracker(QueryTracking(model, config.lifecycle, config.preprocessing), proposals)


def resident_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=5000)
    parser.add_argument("--tracker", default="vsdmot")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, contextlib.ExitStack() as stack:
        folder = Path(temporary)
        write_clip(draw_figures(CLIP), CLIP, folder / "clip.mp4", folder / "gt.txt", folder / "det.txt")
        detections = open_detections(folder / "det.txt")
        latest = {"index": 1}
        tracker = make_tracker(
            arguments.tracker, lambda frame: detections(dataclasses.replace(frame, index=latest["index"]))
        )
        overlay = Overlay(frame_rate=25)
        video = stack.enter_context(VideoWriter(folder / "o.mp4", width=320, height=192, frame_rate=25))
        mot = stack.enter_context(MotTextWriter(folder / "o.txt"))
        jsonl = stack.enter_context(JsonLinesWriter(folder / "o.jsonl"))
        number, people, early = 0, set(), 0.0
        while number < arguments.frames:
            with vsdmot.open_source(folder / "clip.mp4") as source:
                for shown in source:
                    number += 1
                    latest["index"] = shown.index
                    frame = dataclasses.replace(shown, index=number, time=(number - 1) / 25)
                    result = tracker.update(frame)
                    video.write(overlay.draw(frame, result), frame.time)
                    mot.write(result)
                    jsonl.write(result)
                    people.update(result.tracks.ids.tolist())
                    early = resident_mb() if number == min(500, arguments.frames) else early
                    if number % 500 == 0:
                        print(f"frame {number:>6}: {resident_mb():8.1f} MB, {len(people)} ids so far", flush=True)
                    if number >= arguments.frames:
                        break
    late = resident_mb()
    print(f"{arguments.tracker}: {late:.1f} MB at frame {number} / {early:.1f} MB at frame 500 = {late / early:.3f}")


if __name__ == "__main__":
    main()
