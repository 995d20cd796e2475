"""How long an evaluation takes, by `vsdmot eval` and by the official package alone: MOT17's rule, several sequences.

    python benchmarks/evaluation.py --data DATA [--tracker noisysort] [--rounds 7]

DATA holds folders of sequences, each with `gt.txt` and a result, `TRACKER.txt`. They are laid out as MOTChallenge does
before the clock starts. The package brings no command for MOTChallenge, so its side is what the project's own script,
`run_mot_challenge.py`, does with it: HOTA, CLEAR and Identity, tables printed, two files written; without plots. Ours
prints its table and writes its JSON file. In each round both run once in a process of their own, and once more in this
process, where their steps are timed. Both must give the same numbers.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from vsdmot.evaluation.official_text import read_tracks, read_truth
from vsdmot.evaluation.preprocess import prepare
from vsdmot.evaluation.rules import RULES
from vsdmot.evaluation.scores import Scores, combine, score

OFFICIAL = """
import sys
from pathlib import Path

import trackeval


def evaluate(folder):
    quiet = {"PRINT_CONFIG": False}
    evaluator = trackeval.Evaluator({**quiet, "PLOT_CURVES": False})
    dataset = trackeval.datasets.MotChallenge2DBox({
        **quiet, "GT_FOLDER": f"{folder}/gt", "TRACKERS_FOLDER": f"{folder}/trackers", "OUTPUT_FOLDER": f"{folder}/out",
    })
    metrics = trackeval.metrics
    results, _ = evaluator.evaluate([dataset], [metrics.HOTA(), metrics.CLEAR(quiet), metrics.Identity(quiet)])
    return results["MotChallenge2DBox"]["tracker"]


if __name__ == "__main__":
    evaluate(Path(sys.argv[1]))
"""
STEPS = ("reading", "overlaps and preprocessing", "HOTA", "CLEAR", "Identity")
SHOWN = ("HOTA", "MOTA", "IDF1")


def lay_out(data: Path, tracker: str, folder: Path) -> int:
    """Copy the files to where both sides look for them; gives the number of sequences."""
    truth, tracks = folder / "gt" / "MOT17-train", folder / "trackers" / "MOT17-train" / "tracker" / "data"
    tracks.mkdir(parents=True)
    (folder / "out").mkdir()
    names = sorted(path.parent.name for path in data.glob("*/gt.txt"))
    for name in names:
        (truth / name / "gt").mkdir(parents=True)
        shutil.copy(data / name / "gt.txt", truth / name / "gt")
        shutil.copy(data / name / f"{tracker}.txt", tracks / f"{name}.txt")
        length = max(int(read(path).frames[-1]) for read, path in files(folder, name))
        (truth / name / "seqinfo.ini").write_text(f"[Sequence]\nname={name}\nseqLength={length}\n")
    (folder / "gt" / "seqmaps").mkdir()
    (folder / "gt" / "seqmaps" / "MOT17-train.txt").write_text("\n".join(["name", *names, ""]))
    return len(names)


def files(folder: Path, name: str) -> tuple[tuple[Callable, Path], tuple[Callable, Path]]:
    truth = folder / "gt" / "MOT17-train" / name / "gt" / "gt.txt"
    return (read_truth, truth), (read_tracks, folder / "trackers" / "MOT17-train" / "tracker" / "data" / f"{name}.txt")


def ours_in_process(folder: Path, spent: dict[str, float]) -> Scores:
    """Score all sequences as the command does."""
    results = {}
    for path in sorted((folder / "gt" / "MOT17-train").iterdir()):
        start = time.perf_counter()
        truth, tracks = (read(file) for read, file in files(folder, path.name))
        middle = time.perf_counter()
        data = prepare(path.name, truth, tracks, RULES["mot17"], int(max(truth.frames[-1], tracks.frames[-1])))
        spent["reading"] += middle - start
        spent["overlaps and preprocessing"] += time.perf_counter() - middle
        results[path.name] = score(data)
    return combine(results)


def official_in_process(folder: Path, spent: dict[str, float]) -> dict[str, dict]:
    """Do what the official script does; what it prints is dropped."""
    from trackeval.datasets import MotChallenge2DBox

    names: dict[str, object] = {"__name__": "official"}
    exec(compile(OFFICIAL, "official", "exec"), names)
    inner: dict[str, float] = defaultdict(float)
    steps = ("_load_raw_file", "get_raw_seq_data", "get_preprocessed_seq_data")
    with contextlib.ExitStack() as stack:
        for step in steps:
            stack.enter_context(timed(MotChallenge2DBox, step, inner, step))
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        results = names["evaluate"](folder)
    load, both, preprocess = (inner[step] for step in steps)
    spent["reading"] += load
    spent["overlaps and preprocessing"] += both - load + preprocess
    return results


@contextmanager
def timed(owner: type, method: str, spent: dict[str, float], name: str) -> Iterator[None]:
    """Add up the time of a method's calls."""
    original = getattr(owner, method)

    def run(*arguments, **settings):
        start = time.perf_counter()
        result = original(*arguments, **settings)
        spent[name] += time.perf_counter() - start
        return result

    setattr(owner, method, run)
    try:
        yield
    finally:
        setattr(owner, method, original)


def seconds_in_process(side: Callable, folder: Path) -> tuple[dict[str, float], object]:
    from trackeval.metrics import CLEAR, HOTA, Identity

    spent: dict[str, float] = defaultdict(float)
    with contextlib.ExitStack() as stack:
        for metric in (HOTA, CLEAR, Identity):
            stack.enter_context(timed(metric, "eval_sequence", spent, metric.__name__))
        start = time.perf_counter()
        result = side(folder, spent)
        total = time.perf_counter() - start
    spent["the rest"] = total - sum(spent.values())
    spent["all"] = total
    return spent, result


def seconds_of_command(words: Sequence[str]) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    return time.perf_counter() - start


def check_commands(folder: Path, written: Path) -> None:
    """Require the same numbers of the files that the two commands wrote."""
    with (folder / "out" / "tracker" / "pedestrian_detailed.csv").open() as file:
        official = {row["seq"]: row for row in csv.DictReader(file)}
    ours = json.loads(written.read_text())
    for name, row in official.items():
        mine = ours["combined"] if name == "COMBINED" else ours["sequences"][name]
        for field, column in (("HOTA", "HOTA___AUC"), ("MOTA", "MOTA"), ("IDF1", "IDF1")):
            if mine[field] != float(row[column]):
                raise SystemExit(f"{name} {field}: {mine[field]} for {row[column]}")


def check_in_process(ours: Scores, official: dict[str, dict]) -> str:
    found = {
        key: value
        for metric in official["COMBINED_SEQ"]["pedestrian"].values()
        for key, value in metric.items()
        if key in SHOWN
    }
    found["HOTA"] = found["HOTA"].mean()
    for name in SHOWN:
        if ours[name] != found[name]:
            raise SystemExit(f"{name}: {ours[name]} for {found[name]}")
    return ", ".join(f"{name} {100 * ours[name]:.3f}" for name in SHOWN)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tracker", default="noisysort", help="name of the results")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    commands: dict[str, list[float]] = {"official": [], "ours": []}
    inside: dict[str, list[dict[str, float]]] = {"official": [], "ours": []}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        count = lay_out(arguments.data, arguments.tracker, folder)
        script, written = folder / "official.py", folder / "ours.json"
        script.write_text(OFFICIAL)
        ours = ["-m", "vsdmot.cli.main", "eval", "--gt", str(folder / "gt" / "MOT17-train"), "--rule", "mot17"]
        ours += ["--pred", str(folder / "trackers" / "MOT17-train" / "tracker" / "data")]
        ours += ["--json", str(written), "--overwrite"]
        for number in range(arguments.rounds + 1):  # the first warms up: files in memory, modules compiled
            sides = [("official", [str(script), str(folder)], official_in_process), ("ours", ours, ours_in_process)]
            results = {}
            for side, words, function in sides if number % 2 else reversed(sides):
                took = seconds_of_command(words)
                steps, results[side] = seconds_in_process(function, folder)
                if number:
                    commands[side].append(took)
                    inside[side].append(steps)
            numbers = check_in_process(results["ours"], results["official"])
        check_commands(folder, written)
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"{count} sequences, median of {arguments.rounds} rounds, {os.cpu_count()} cores{load}, {platform.machine()}")
    print(f"both: {numbers}")
    report(commands, inside)


def report(commands: dict[str, list[float]], inside: dict[str, list[dict[str, float]]]) -> None:
    rows = {"command": commands, "in process": {side: [one["all"] for one in every] for side, every in inside.items()}}
    for step in (*STEPS, "the rest"):
        rows[f"- {step}"] = {side: [one[step] for one in every] for side, every in inside.items()}
    print("\n| | official s | range | ours s | range | ratio |\n| --- | --- | --- | --- | --- | --- |")
    for name, sides in rows.items():
        cells = []
        for values in sides.values():
            cells += [f"{statistics.median(values):.3f}", f"{min(values):.3f} - {max(values):.3f}"]
        ratio = statistics.median(sides["official"]) / statistics.median(sides["ours"])
        print(f"| {name} | {' | '.join(cells)} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
