"""Track a clip from Python and say, second by second, how many people there are and how good the picture is.

python examples/count_people.py clip.mp4 det.txt
"""

import sys
from pathlib import Path

import vsdmot
from vsdmot.detection.files import open_detections

clip, detections = sys.argv[1:3]
tracker = vsdmot.Tracker.from_association("ocsort", proposals=open_detections(Path(detections)))
second = -1
for result in tracker.stream(clip):  # one result at a time: memory does not grow with the clip
    if int(result.time) > second:
        second = int(result.time)
        print(f"{second:>4} s  {len(result.tracks)} people  quality {result.quality.score:.2f}")
