"""How large the report of a long clip is, and how long a browser takes to open it and to jump in it.

    python benchmarks/report.py [--minutes 20] [--rate 25] [--keep FOLDER]

Makes a noisy moving clip and two runs on it, whose tracks break now and then, with ground truth; makes the page; opens
it in headless Chromium, where one is installed, through the driver of the tests. Other programs on the machine matter:
the load is printed too.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from vsdmot.cli.report import ReportSettings, report
from vsdmot.io.json_lines import JsonLinesWriter
from vsdmot.io.mot_text import MotTextWriter
from vsdmot.io.video_writer import VideoWriter
from vsdmot.structures import FrameQuality, FrameResult, Tracks

WIDTH, HEIGHT, PEOPLE, STAY = 640, 360, 12, 1500


def boxes_at(frame: int) -> tuple[np.ndarray, np.ndarray]:
    """Give ids and boxes of the people in a frame: each stays for 1,500 frames, and walks to and fro."""
    ids, boxes = [], []
    for place in range(PEOPLE):
        shifted = frame + place * STAY // PEOPLE
        age, number = shifted % STAY, shifted // STAY
        x = 40 + (WIDTH - 80) * (0.5 + 0.5 * np.sin(0.01 * age + place))
        y = 60 + 20 * place + 10 * np.sin(0.05 * age)
        ids.append(1 + place + PEOPLE * number)
        boxes.append((x - 10, y, x + 10, y + 55))
    return np.array(ids, np.int64), np.array(boxes, np.float32)


def make_clip(folder: Path, num_frames: int, rate: float) -> None:
    """Write clip, ground truth and two runs."""
    chance = np.random.default_rng(0)
    ground = cv2.resize(
        chance.integers(60, 190, (24, 42, 3), np.uint8), (2 * WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC
    )
    grain = [np.clip(chance.normal(8, 4, (HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8) for _ in range(8)]
    with (
        VideoWriter(folder / "clip.mp4", width=WIDTH, height=HEIGHT, frame_rate=rate, preset="ultrafast") as video,
        MotTextWriter(folder / "gt.txt") as truth,
        JsonLinesWriter(folder / "first.jsonl") as first,
        JsonLinesWriter(folder / "second.jsonl") as second,
    ):
        for frame in range(1, num_frames + 1):
            ids, boxes = boxes_at(frame)
            left = int(WIDTH / 2 * (1 + np.sin(frame / 3000)))
            image = cv2.add(ground[:, left : left + WIDTH], grain[frame % 8])
            for track_id, (x0, y0, x1, y1) in zip(ids.tolist(), boxes.astype(int).tolist(), strict=True):
                colour = (60 + 37 * track_id % 160, 40 + 61 * track_id % 160, 90)
                cv2.rectangle(image, (x0, y0), (x1, y1), colour, cv2.FILLED)
            video.write(image, (frame - 1) / rate)
            quality = FrameQuality(clarity=0.7, noise=0.2, contrast=0.6, score=0.5 + 0.4 * np.sin(frame / 900))
            everyone = Tracks(ids, boxes, np.ones(len(ids), np.float32))
            truth.write(FrameResult(frame, (frame - 1) / rate, everyone, quality, None, 0))
            for writer, spell, weight in ((first, 400, 0.4), (second, 150, None)):
                found = ids + 10_000 * ((frame + 31 * ids) // spell)  # a new number every now and then
                kept = (frame + 17 * ids) % spell > 6
                shaken = boxes[kept] + chance.normal(0, 1, (int(kept.sum()), 4)).astype(np.float32)
                scores = np.full(int(kept.sum()), 0.8, np.float32)
                tracks = Tracks(found[kept], shaken, scores)
                writer.write(FrameResult(frame, (frame - 1) / rate, tracks, quality, weight, len(ids)))


def in_browser(path: Path) -> dict[str, float] | None:
    """Give seconds to open the page and to jump in it, and the memory of its script; None without a browser."""
    driver = Path(__file__).resolve().parents[1] / "tests" / "report" / "conftest.py"
    specification = importlib.util.spec_from_file_location("browser_driver", driver)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    program = module.find_browser()
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as profile, module.running_browser(program, Path(profile)) as open_page:
        page = open_page()
        page.resize(1400, 900)
        started = time.monotonic()
        page.call("Page.navigate", url=path.as_uri())
        page.wait(f"location.href.endsWith('{path.name}') && document.readyState !== 'loading'", 300)
        read = time.monotonic() - started
        page.wait("document.documentElement.dataset.ready", 300)
        ready = time.monotonic() - started
        jump = page("""(async () => { const times = [], { player } = report;
            for (let i = 1; i <= 20; i++) {
                const start = performance.now();
                player.seek(report.page.duration * ((i * 0.618) % 1));
                await new Promise((go) => player.master.video.addEventListener("seeked", go, { once: true }));
                times.push(performance.now() - start);
            }
            return times.sort((a, b) => a - b)[10] / 1000; })()""")
        draw = page("""(() => { const start = performance.now();
            for (let i = 0; i < 10; i++) report.timeline.redraw();
            return (performance.now() - start) / 10000; })()""")
        memory = page("performance.memory.usedJSHeapSize / 1e6")
        assert page.complaints == [], page.complaints
    return {"read": read, "ready": ready, "jump": jump, "timeline": draw, "memory": memory}


def main() -> None:
    """Measure and print a row of the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--rate", type=float, default=25, help="frames per second")
    parser.add_argument("--keep", type=Path, help="a folder for the files; clip and runs that are there are used again")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "done").exists():
            make_clip(folder, round(60 * given.rate * given.minutes), given.rate)
            (folder / "done").touch()
        cpu, wall = time.process_time(), time.monotonic()
        output = folder / "report.html"
        runs = (folder / "first.jsonl", folder / "second.jsonl")
        source, truth = (folder / "clip.mp4",), folder / "gt.txt"
        contents = report(ReportSettings(runs=runs, source=source, gt=truth, output=output, overwrite=True))
        cpu, wall = time.process_time() - cpu, time.monotonic() - wall
        breaks = sum(len(one.breaks) for one in contents.judged)
        tracks = sum(len(run.lives) for run in contents.runs)
        load = os.getloadavg()[0]
        print(f"{given.minutes:g} min at {given.rate:g} frames/s, {tracks} tracks, {breaks} breaks, load {load:.1f}")
        print(f"page {output.stat().st_size / 1e6:.1f} MB, made in {cpu:.0f} s of CPU time, {wall:.0f} s")
        measured = in_browser(output)
        if measured is None:
            sys.exit("no browser is installed: the page was not opened")
        print(f"text on screen {measured['read']:.1f} s, ready {measured['ready']:.1f} s", end=", ")
        print(
            f"a jump {1000 * measured['jump']:.0f} ms, timeline drawn in {1000 * measured['timeline']:.0f} ms", end=", "
        )
        print(f"script memory {measured['memory']:.0f} MB")


if __name__ == "__main__":
    main()
