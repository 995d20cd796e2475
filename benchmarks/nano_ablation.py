"""Variants of vsdmot-nano side by side, on the same proposals: what the student, DCSD and DSWR bring.

    python benchmarks/nano_ablation.py --row "MOTRv2-nano=runs/a1,runs/a2" --row "VSD-MOT-nano=runs/b1,runs/b2" \
        --out FOLDER --set NAME=FOLDER ...

Each row is a name and the weights of one run for each seed (folders `last` of `vsdmot train`). All share one frozen
detector, whose maps and proposals are computed once a frame; that they do is checked. Tables give the mean over the
seeds and, from two seeds on, its standard deviation. Tracks are kept in FOLDER as JSON Lines; what is there is not made
again.
"""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import torch
from nano import COLUMNS, Video, open_sequence, print_by_quality

from vsdmot.evaluation.evaluate import Evaluation, evaluate
from vsdmot.io.datasets import sequence_folders
from vsdmot.io.json_lines import JsonLinesWriter, read_json_lines
from vsdmot.io.sources import open_source
from vsdmot.quality import assess
from vsdmot.structures import FrameResult
from vsdmot.tracking.pretrained import load_pretrained
from vsdmot.tracking.query_tracking import QueryTracking


@dataclass(frozen=True)
class Run:
    """One seed of a row."""

    row: str
    seed: int
    method: QueryTracking

    def tracks(self, folder: Path, kind: str, video: Video) -> Path:
        """Say where the tracks of a video are kept."""
        return folder / "tracks" / kind / f"{self.row}, {self.seed}" / f"{video.name}.jsonl"


def open_runs(rows: Sequence[str]) -> list[Run]:
    runs = []
    for row in rows:
        name, _, folders = row.partition("=")
        for seed, folder in enumerate(folders.split(","), start=1):
            loaded = load_pretrained(folder)
            runs.append(Run(name, seed, QueryTracking.of(loaded.model, loaded.config)))
    first = runs[0].method.model.backbone.state_dict()
    for run in runs:
        other = run.method.model.backbone.state_dict()
        assert all(torch.equal(first[name], other[name]) for name in first), f"{run.row}: another detector"
    return runs


class Shared:
    """The backbone of all runs: computes the maps of a frame once, however many ask."""

    def __init__(self, runs: Sequence[Run]) -> None:
        backbone, self._known = runs[0].method.model.backbone, {}
        self._extract, self._propose = backbone.forward, backbone.detect
        for run in runs:
            run.method.model.backbone.forward = self._forward
            run.method.model.backbone.detect = self._detect

    def new_frame(self) -> None:
        """Forget the frame before."""
        self._known.clear()

    def _forward(self, images):
        if "maps" not in self._known:
            self._known["maps"] = self._extract(images)
        return self._known["maps"]

    def _detect(self, maps):
        if "found" not in self._known:
            self._known["found"] = self._propose(maps)
        return self._known["found"]


def track(runs: Sequence[Run], shared: Shared, kind: str, video: Video, folder: Path) -> None:
    """Write the tracks of all runs that have none yet."""
    missing = [run for run in runs if not run.tracks(folder, kind, video).exists()]
    if not missing:
        return
    states, parts = [run.method.start() for run in missing], []
    with ExitStack() as stack, open_source(video.source) as frames:
        writers = []
        for run in missing:
            path = run.tracks(folder, kind, video)
            path.parent.mkdir(parents=True, exist_ok=True)
            parts.append((path.with_suffix(".part"), path))
            writers.append(stack.enter_context(JsonLinesWriter(parts[-1][0])))
        for frame in frames:
            quality = assess(frame.image)
            shared.new_frame()
            for number, run in enumerate(missing):
                states[number], said = run.method.step(states[number], frame, None, quality)
                writers[number].write(
                    FrameResult(frame.index, frame.time, said.tracks, quality, said.semantic_weight, said.num_proposals)
                )
    for part, path in parts:
        os.replace(part, path)


def print_rows(kind: str, videos: Sequence[Video], runs: Sequence[Run], scores: Sequence[Evaluation]) -> None:
    columns = (*COLUMNS, "IDSW")
    print(f"\n{kind}: {len(videos)} sequence(s), {sum(video.num_frames for video in videos)} frames\n")
    print("| variant | seeds | " + " | ".join(columns) + " |\n| --- |" + " --- |" * (len(columns) + 1))
    for row in dict.fromkeys(run.row for run in runs):
        seeds = [evaluation for run, evaluation in zip(runs, scores, strict=True) if run.row == row]
        cells = []
        for column in columns:
            factor = 1 if column == "IDSW" else 100
            values = [factor * float(evaluation.combined[column]) for evaluation in seeds]
            spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
            cells.append(f"{statistics.mean(values):.1f}{spread}")
        print(f"| {row} | {len(seeds)} | " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--row", action="append", required=True, metavar="NAME=FOLDER[,FOLDER...]", dest="rows")
    parser.add_argument("--set", action="append", required=True, metavar="NAME=FOLDER", dest="sets")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    runs = open_runs(arguments.rows)
    shared = Shared(runs)
    for named in arguments.sets:
        kind, _, path = named.partition("=")
        videos = [open_sequence(folder) for folder in sequence_folders(Path(path))]
        for video in videos:
            track(runs, shared, kind, video, arguments.out)
        truth = {video.name: video.truth for video in videos}
        lengths = {video.name: video.num_frames for video in videos}
        found = [
            {video.name: list(read_json_lines(run.tracks(arguments.out, kind, video))) for video in videos}
            for run in runs
        ]
        scores = [evaluate(truth, results, num_frames=lengths) for results in found]
        print_rows(kind, videos, runs, scores)
        titles = [f"{run.row}, seed {run.seed}" for run in runs]
        print_by_quality(kind, videos, dict(zip(titles, scores, strict=True)), found[0])


if __name__ == "__main__":
    main()
