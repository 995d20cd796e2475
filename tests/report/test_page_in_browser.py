"""The report's page in a real browser: it opens, plays, jumps, obeys the keyboard, and keeps off the network."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import numpy as np
import pytest

from vsdmot.cli.report import ReportSettings, report
from vsdmot.cli.track import TrackSettings, track
from vsdmot.io.json_lines import JsonLinesWriter
from vsdmot.io.mot_text import read_mot
from vsdmot.io.sources import open_source
from vsdmot.io.video_writer import VideoWriter
from vsdmot.structures import FrameQuality, FrameResult, Tracks

HOSTILE = ("</script><script>window.hurt=1</script>", '\'"><img src=x onerror="window.hurt=2">&amp;')
SWITCH = 16  # the frame in which the made-up run confuses a person


def write_run(path: Path, truth: Path, *, weight: float | None) -> Path:
    """Write a run that is the ground truth, but for one identity switch and one person who is lost for a while."""
    rows = read_mot(truth)
    with JsonLinesWriter(path) as writer:
        for frame in range(1, 31):
            here = np.flatnonzero(rows.frames == frame)
            ids, boxes = rows.ids[here].copy(), rows.boxes[here].astype(np.float32)
            first = rows.ids.min()
            kept = ~((ids == first + 1) & (8 <= frame <= 12))
            if frame >= SWITCH:
                ids[ids == first] = 77
            boxes[:, 2:] += boxes[:, :2]
            tracks = Tracks(ids[kept], boxes[kept], np.full(int(kept.sum()), 0.9, np.float32))
            quality = FrameQuality(clarity=0.8, noise=0.1, contrast=0.7, score=1 - frame / 40)
            writer.write(FrameResult(frame, (frame - 1) / 25, tracks, quality, weight, 9))
    return path


@pytest.fixture(scope="module")
def runs(tmp_path_factory, clip_folder) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("runs")
    return (
        write_run(folder / "ours.jsonl", clip_folder / "gt.txt", weight=0.4),
        write_run(folder / "base.jsonl", clip_folder / "gt.txt", weight=None),
    )


@pytest.fixture(scope="module")
def page_file(tmp_path_factory, clip_folder, runs) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    report(ReportSettings(runs=runs, gt=clip_folder / "gt.txt", source=(clip_folder / "clip.mp4",), output=path))
    return path


@pytest.fixture(scope="module")
def page(browser, page_file):
    opened = browser()
    opened.resize(1200, 900)
    opened.open(page_file)
    return opened


@pytest.fixture
def draw_short():
    """Give a function that cuts the first frames out of PETS09-S2L1 and tracks them: sequence, poor copy, four runs."""

    def cut(data: Path, folder: Path, frames: int = 40) -> tuple[Path, Path, tuple[Path, ...]]:
        whole, sequence, poor = data / "mot15" / "train" / "PETS09-S2L1", folder / "PETS09-S2L1", folder / "poor.mp4"
        for part in ("img1", "gt", "det"):
            (sequence / part).mkdir(parents=True)
        for image in sorted((whole / "img1").iterdir())[:frames]:
            (sequence / "img1" / image.name).symlink_to(image)
        (sequence / "seqinfo.ini").write_text(
            re.sub(r"seqLength=\d+", f"seqLength={frames}", (whole / "seqinfo.ini").read_text())
        )
        rows = {}
        for name in ("gt/gt.txt", "det/det.txt"):
            lines = (whole / name).read_text().splitlines()
            rows[name] = [line.split(",") for line in lines if float(line.split(",")[0]) <= frames]
            (sequence / name).write_text("".join(",".join(row) + "\n" for row in rows[name]))
        scale = (480 / 768, 360 / 576) * 2
        (folder / "poor.txt").write_text(
            "".join(
                ",".join([*row[:2], *(str(float(side) * by) for side, by in zip(row[2:6], scale, strict=True)), row[6]])
                + "\n"
                for row in rows["det/det.txt"]
            )
        )
        with (
            open_source(data / "clips" / "pets09_s2l1_480x360.mp4") as source,
            VideoWriter(poor, width=480, height=360, frame_rate=source.info.frame_rate) as writer,
        ):
            for frame in itertools.islice(source, frames):
                writer.write(frame.image, frame.time)
        runs = []
        for tracker in ("bytetrack", "ocsort"):
            for source, detections in ((sequence, sequence / "det" / "det.txt"), (poor, folder / "poor.txt")):
                runs.append(folder / f"{tracker}_{source.stem}.jsonl")
                track(TrackSettings(source=str(source), tracker=tracker, detections=detections, jsonl=runs[-1]))
        return sequence, poor, tuple(runs)

    return cut


@pytest.fixture(autouse=True)
def _starts_anew(request):
    if "page" in request.fixturenames:
        request.getfixturevalue("page")("report.player.playing && report.player.pause(), report.player.seek(0)")


def test_it_opens_without_complaint_and_asks_for_nothing(page, page_file):
    assert page.complaints == []
    assert page.requests == [page_file.as_uri()]
    assert page("report.player.clips.length") == 1
    assert page("report.player.master.video.videoWidth") == 160


def test_the_pictures_show_the_video_with_boxes(page):
    def colours() -> int:
        return page("""(() => { const canvas = document.querySelector("canvas.picture"), pen = canvas.getContext("2d");
            const data = new Uint32Array(pen.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
            return new Set(data).size; })()""")

    page("report.player.seek(0.4)")
    page.wait("!report.player.master.video.seeking")
    with_boxes = page("document.querySelector('canvas.picture').toDataURL()")
    assert colours() > 500
    page("document.getElementById('show-boxes').click()")
    page.wait(f"document.querySelector('canvas.picture').toDataURL() !== {json.dumps(with_boxes)}")
    page("document.getElementById('show-boxes').click()")


def test_it_plays_and_pauses(page):
    page.press(" ")
    page.wait("report.player.master.video.currentTime > 0.3")
    assert page("report.player.playing")
    assert page("document.getElementById('play').getAttribute('aria-label')") == "Pause"
    page.press(" ")
    page.wait("!report.player.playing")
    stopped = page("report.player.time")
    assert stopped > 0
    assert page("document.querySelectorAll('.panel-state')[0].textContent").startswith("frame ")
    assert page("document.getElementById('timeline').getAttribute('aria-valuenow')") == f"{stopped:.2f}"


def test_a_click_on_the_timeline_jumps(page):
    place = page(
        "(({left, top, width}) => [left, top, width])(document.getElementById('timeline').getBoundingClientRect())"
    )
    left, top, width = place
    page.click(left + width / 2, top + 20)
    page.wait("!report.player.master.video.seeking")
    assert page("report.player.time") == pytest.approx(page("report.page.duration") / 2, abs=0.05)
    assert page("report.player.master.video.currentTime") == pytest.approx(page("report.page.duration") / 2, abs=0.05)


def test_every_key_does_what_the_page_says(page):
    frame = "report.player.master.indices[report.player.master.placeAt(report.player.time)]"
    assert page(frame) == 1
    for key, expected in (("ArrowRight", 2), ("ArrowRight", 3), ("ArrowLeft", 2), ("End", 30), ("Home", 1)):
        page.press(key)
        assert page(frame) == expected, key
    page.press("ArrowRight", shift=True)
    assert page(frame) == 26
    page.press("+")
    assert page("report.view.to - report.view.from") < page("report.page.duration") - 0.1
    page.press("0")
    assert page("report.view.isWhole")


def test_event_keys_visit_each_switch_and_fragment(page):
    said = "document.getElementById('said').textContent"
    page.press("n")
    assert re.fullmatch(r"0:00\.5: ours: fragment of (\d+); base: fragment of \1", page(said)), page(said)
    page.press("n")
    assert re.fullmatch(r"0:00\.6: ours: ID switch (\d+) to 77; base: ID switch \1 to 77", page(said)), page(said)
    page.press("n")
    assert page(said) == "no later event"
    assert page("report.player.time") == pytest.approx((SWITCH - 1) / 25, abs=1e-3)
    page.press("p")
    assert page("report.player.time") == pytest.approx(12 / 25, abs=1e-3)
    page.press("p")
    assert page(said) == "no earlier event"


def test_shown_frames_are_the_frames_that_were_asked_for(page):
    """The clip's frames differ, so what is drawn after a jump tells which frame it is."""
    seen = {}
    shot = (
        "(() => { const c = document.createElement('canvas'); c.width = 160; c.height = 96;"
        "const p = c.getContext('2d'); p.drawImage(report.player.master.video, 0, 0); return c.toDataURL(); })()"
    )
    for frame in (1, 2, 15, 16, 30, 2, 16):
        page(f"report.player.seek(report.player.master.times[{frame - 1}])")
        page.wait("!report.player.master.video.seeking")
        picture = page(shot)
        assert seen.setdefault(frame, picture) == picture
        assert page("report.player.master.place") == frame - 1
    assert len(set(seen.values())) == len(seen)


def test_a_moment_a_row_and_a_life_line_jump_to_their_frame(page):
    for selector in (".moments button", "button.jump", ".strip figure"):
        frame = page(f"Number(document.querySelector('{selector}').dataset.frame)")
        page("report.player.seek(0)")
        page(f"document.querySelector('{selector}').click()")
        assert page("report.player.master.indices[report.player.master.placeAt(report.player.time)]") == frame
    page("report.player.seek(0)")
    place = page("""(() => { const canvas = document.querySelector(".lives canvas");
        canvas.scrollIntoView({ block: "center", behavior: "instant" });
        const { left, top, width } = canvas.getBoundingClientRect(); return [left, top, width]; })()""")
    page.click(place[0] + 0.3 * place[2], place[1] + 8)  # the track that ends at the switch
    assert page("report.player.time") == pytest.approx(0.3 * page("report.page.duration"), abs=0.06)
    page.press("Escape")


def test_everything_that_can_be_used_has_a_name(page):
    nameless = page("""[...document.querySelectorAll("button, select, input, canvas, [tabindex], img")].filter((one) =>
        !(one.getAttribute("aria-label") || one.alt || one.textContent.trim() || one.closest("label") ||
          one.getAttribute("aria-hidden") || one.tagName === "VIDEO")).map((one) => one.outerHTML.slice(0, 80))""")
    assert nameless == []


def test_it_fits_a_narrow_window_and_a_dark_one(page):
    for width, dark in ((420, False), (420, True), (1200, True), (1200, False)):
        page.resize(width, 900, dark=dark)
        page.wait(f"window.innerWidth === {width}")
        assert page("document.documentElement.scrollWidth") <= width
        dark_paper = page("getComputedStyle(document.body).backgroundColor") == "rgb(20, 22, 26)"
        assert dark_paper == dark
    assert page.complaints == []


def test_hostile_names_are_only_names(browser, tmp_path, clip_folder, runs):
    folder = tmp_path / "<b onmouseover='x'>&\"q\""
    folder.mkdir()
    copies = []
    for number, path in enumerate(runs):
        copies.append(folder / f"{number}'\"<i>.jsonl")
        copies[-1].write_bytes(path.read_bytes())
    video = folder / "a'\"<u>.mp4"
    video.write_bytes((clip_folder / "clip.mp4").read_bytes())
    output = tmp_path / "page.html"
    report(ReportSettings(runs=tuple(copies), source=(video,), output=output, names=HOSTILE))
    page = browser()
    page.open(output)
    assert page("document.querySelector('h1').textContent") == " and ".join(HOSTILE)
    assert page("window.hurt") is None
    assert page("document.querySelectorAll('i, b, u, img[src=x]').length") == page(
        "document.querySelectorAll('i.mark, b').length"
    )
    assert page("document.body.textContent.includes('<b onmouseover')")
    assert page.complaints == []
    assert page.requests == [output.as_uri()]


def test_two_trackers_on_clean_and_naturally_poor_footage(browser, tmp_path, shared_data, draw_short):
    """PETS09-S2L1, the same frames in 768x576 and 480x360; ground truth is of the larger."""
    sequence, poor, runs = draw_short(shared_data, tmp_path)
    output = tmp_path / "page.html"
    contents = report(ReportSettings(runs=runs, source=(sequence, poor, sequence, poor), gt=sequence, output=output))
    assert [one.scores["HOTA"] > 0.2 for one in contents.judged] == [True] * 4
    page = browser()
    page.resize(1400, 900)
    page.open(output)
    assert page("report.player.clips.map((clip) => [clip.width, clip.height])") == [[640, 480], [480, 360]]
    assert page("document.querySelectorAll('canvas.picture').length") == 4
    page("report.player.play()")
    page.wait("report.player.clips.every((clip) => clip.video.currentTime > 0.3)")
    page("report.player.pause()")
    page.resize(420, 900)
    page.wait("window.innerWidth === 420")
    assert page("document.documentElement.scrollWidth") <= 420
    assert page.complaints == []


def test_a_run_that_found_nobody_still_makes_a_page(browser, tmp_path, clip_folder):
    with JsonLinesWriter(tmp_path / "clip.jsonl") as writer:
        for frame in range(1, 31):
            quality = FrameQuality(clarity=0.8, noise=0.1, contrast=0.7, score=0.5)
            writer.write(FrameResult(frame, frame / 25, Tracks.empty(), quality, None, 0))
    source, truth, output = clip_folder / "clip.mp4", clip_folder / "gt.txt", tmp_path / "page.html"
    report(ReportSettings(runs=(tmp_path / "clip.jsonl",), source=(source,), gt=truth, output=output))
    page = browser()
    page.open(output)
    for key in ("n", "End", "p", "Home", "+"):
        page.press(key)
    page.wait("document.querySelector('.panel-state').textContent === 'frame 1, 0 tracks'")  # once the jumps are done
    assert page("document.getElementById('said').textContent") == "no events of the chosen kinds"
    assert page.complaints == []


def test_a_key_in_a_control_is_the_control_s_own(page):
    page("document.getElementById('show-trails').focus()")
    page.press(" ")
    assert not page("report.player.playing")
    page.press("ArrowRight")
    assert page("report.player.master.placeAt(report.player.time)") == 1
    page("document.getElementById('speed').focus()")
    page.press("ArrowRight")
    assert page("report.player.master.placeAt(report.player.time)") == 1
    page("document.activeElement.blur()")


def test_runs_on_two_videos_stay_together(browser, tmp_path, clip_folder, runs):
    copy = tmp_path / "copy.mp4"
    copy.write_bytes((clip_folder / "clip.mp4").read_bytes())
    output = tmp_path / "page.html"
    report(ReportSettings(runs=runs, source=(clip_folder / "clip.mp4", copy), output=output))
    page = browser()
    page.open(output)
    assert page("report.player.clips.length") == 2
    page("report.player.seek(0.8)")
    page.wait("report.player.clips.every((clip) => !clip.video.seeking)")
    assert page("report.player.clips.map((clip) => clip.indices[clip.place])") == [21, 21]
    page("report.player.seek(0)")
    page("report.player.play()")
    page.wait("report.player.clips.every((clip) => clip.video.currentTime > 0.2)")
    page("report.player.pause()")
    page.wait("report.player.clips.every((clip) => !clip.video.seeking)")
    assert page("report.player.clips[0].place === report.player.clips[1].place")
    assert page.complaints == []
