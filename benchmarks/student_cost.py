"""What student and DSWR cost at inference, as a share of the time of a frame.

    python benchmarks/student_cost.py VIDEO [--model vsdmot-nano] [--frames 200]

Tracks the video once and adds up the processor time of what VSD-MOT has and MOTRv2 has not: the student and the fusion
(`VSDMOT.fuse`), and the measurement of frame quality that DSWR needs. The time of a frame runs from its decoding to its
tracks. Processor time of one thread: other work on the machine does not count.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from itertools import islice
from pathlib import Path

import torch

from vsdmot.io.sources import open_source
from vsdmot.quality import assess
from vsdmot.tracking.preprocess import preprocess
from vsdmot.tracking.pretrained import load_pretrained
from vsdmot.tracking.query_tracking import QueryTracking

WARM_UP = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--model", default="vsdmot-nano")
    parser.add_argument("--frames", type=int, default=200)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    loaded = load_pretrained(arguments.model)
    method, spent = QueryTracking.of(loaded.model, loaded.config), defaultdict(float)

    fuse = loaded.model.fuse

    def timed_fuse(*given):  # the same call, with a clock around it
        begin = time.process_time()
        result = fuse(*given)
        spent["student and fusion"] += time.process_time() - begin
        return result

    loaded.model.fuse = timed_fuse
    state, people, count = method.start(), 0, 0
    with open_source(str(arguments.video)) as frames:
        begin = time.process_time()
        for count, frame in enumerate(islice(frames, WARM_UP + arguments.frames), start=1):
            if count == WARM_UP + 1:
                spent.clear()
                begin, people = time.process_time(), 0
            before = time.process_time()
            quality = assess(frame.image)
            spent["quality"] += time.process_time() - before
            state, result = method.step(state, frame, None, quality)
            people += len(result.tracks.ids)
        total, count = time.process_time() - begin, count - WARM_UP
    shape = tuple(preprocess(frame.image, method.preprocessing, method.device).shape[2:])
    print(f"{count} frames of {frame.width}x{frame.height}, network input {shape[1]}x{shape[0]}, ", end="")
    print(f"{people / count:.1f} people a frame, {1000 * total / count:.1f} ms a frame on one thread")
    for name, seconds in spent.items():
        print(f"{name:20} {1000 * seconds / count:6.2f} ms  {100 * seconds / total:5.2f} %")


if __name__ == "__main__":
    main()
