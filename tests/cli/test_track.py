"""``vsdmot track``: every flag does something, every bad input is one line, a killed run leaves its files."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from vsdmot.detection.yolox.releases import RELEASES, Release
from vsdmot.io.downloads import RemoteFile
from vsdmot.io.json_lines import read_json_lines
from vsdmot.io.mot_text import read_mot
from vsdmot.io.run_record import read_record
from vsdmot.tracking import model_names
from vsdmot.tracking.model_names import shipped_folder


@pytest.fixture
def base(playground, monkeypatch):
    """The shortest command that works, in a folder of its own."""
    monkeypatch.chdir(playground)
    return ["track", "clip.mp4", "--tracker", "ocsort", "--detections", "det.txt"]


def frames_of(path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def results(path="r.jsonl"):
    return list(read_json_lines(Path(path)))


def test_without_names_all_files_land_beside_the_source(vsdmot, playground, tmp_path_factory, clip_folder):
    folder = tmp_path_factory.mktemp("own")
    for name in ("clip.mp4", "det.txt"):
        (folder / name).write_bytes((clip_folder / name).read_bytes())
    outcome = vsdmot("track", folder / "clip.mp4", "--tracker", "ocsort", "--detections", folder / "det.txt")
    assert outcome.code == 0
    for name in ("clip.tracked.mp4", "clip.mot.txt", "clip.jsonl", "clip.run.json"):
        assert (folder / name).stat().st_size > 0
        assert str(folder / name) in outcome.out
    assert len(frames_of(folder / "clip.tracked.mp4")) == 30
    lines = results(folder / "clip.jsonl")
    assert [result.index for result in lines] == list(range(1, 31))
    rows = read_mot(folder / "clip.mot.txt")
    assert len(rows) == sum(len(result.tracks) for result in lines) > 0


def test_only_the_outputs_that_are_named_are_written(vsdmot, base, playground):
    before = set(playground.iterdir())
    assert vsdmot(*base, "--mot", "deep/r.txt").code == 0
    assert {path.name for path in set(playground.iterdir()) - before} == {"deep"}
    assert [path.name for path in (playground / "deep").iterdir()] == ["r.txt"]


def test_the_record_says_what_made_the_files(vsdmot, base, playground):
    words = [*base, "--conf", "0.3", "--association.minimum-iou-threshold", "0.2"]
    assert vsdmot(*words, "--jsonl", "r.jsonl", "--mot", "r.mot.txt", "--record", "r.run.json").code == 0
    record = read_record(Path("r.run.json"))
    assert record["settings"] == {
        "source": "clip.mp4", "tracker": "ocsort", "detections": "det.txt", "conf": 0.3,
        "association.minimum_iou_threshold": 0.2,
    }  # fmt: skip
    for name in ("r.jsonl", "r.mot.txt"):
        assert record["files"][name] == hashlib.sha256(Path(name).read_bytes()).hexdigest()
    assert record["detections"]["sha256"] == hashlib.sha256(Path("det.txt").read_bytes()).hexdigest()
    assert record["frames"] == record["source"]["frames_read"] == 30
    assert record["weights"] is None
    assert set(record["versions"]) == {"vsdmot", "torch", "numpy", "python", "trackers"}


def test_the_record_names_the_weights_whatever_file_they_came_from(vsdmot, playground, monkeypatch):
    monkeypatch.chdir(playground)
    digests = []
    for weights in ("vsdmot-nano", str(shipped_folder("vsdmot-nano"))):
        words = ["track", "clip.mp4", "--weights", weights, "--device", "cpu", "--overwrite"]
        assert vsdmot(*words, "--record", "w.run.json", "--lifecycle.birth-threshold", "0.7").code == 0
        record = read_record(Path("w.run.json"))
        assert record["settings"]["lifecycle.birth_threshold"] == 0.7
        assert record["weights"]["trained"] is True
        digests.append(record["weights"]["sha256"])
    assert digests[0] == digests[1]


@pytest.mark.parametrize("tracker", ["sort", "bytetrack", "ocsort", "botsort"])
def test_every_association_tracker_names_people(vsdmot, base, tracker):
    assert vsdmot(*base[:3], tracker, *base[4:], "--jsonl", "r.jsonl").code == 0
    seen = {track_id for result in results() for track_id in result.tracks.ids.tolist()}
    assert seen
    assert min(seen) == 1
    assert all(result.semantic_weight is None for result in results())


def test_the_network_of_the_paper_runs_through_every_module(vsdmot, base):
    outcome = vsdmot(
        "track", "clip.mp4", "--tracker", "vsdmot", "--weights", "weights", "--detector", "yolox.safetensors",
        "--device", "cpu", "--yolox.input-size", 128, "--output", "r.mp4", "--mot", "r.txt", "--jsonl", "r.jsonl",
    )  # fmt: skip
    assert outcome.code == 0
    assert "never trained" in outcome.err
    assert len(frames_of("r.mp4")) == 30
    weights = [result.semantic_weight for result in results()]
    assert all(0 < weight < 1 for weight in weights)
    by_quality = sorted((result.quality.score, result.semantic_weight) for result in results())
    assert by_quality[0][1] > by_quality[-1][1]  # the worst frame leans most on semantics
    assert all(result.num_proposals > 0 for result in results())


def test_weights_of_the_other_kind_are_refused(refused, base, playground, tmp_path):
    line = refused("track", "clip.mp4", "--tracker", "motrv2", "--weights", "weights", "--detections", "det.txt")
    assert line == "weights has a student, so this is VSD-MOT; use --tracker vsdmot"


def test_conf_filters_proposals_of_a_file(vsdmot, base):
    assert vsdmot(*base, "--jsonl", "all.jsonl").code == 0
    assert vsdmot(*base, "--conf", "0.5", "--jsonl", "sure.jsonl").code == 0
    every, sure = (sum(result.num_proposals for result in results(name)) for name in ("all.jsonl", "sure.jsonl"))
    assert 0 < sure < every


def test_conf_filters_proposals_of_a_detector(vsdmot, base):
    words = [*base[:4], "--detector", "yolox.safetensors", "--yolox.input-size", "64"]
    assert vsdmot(*words, "--jsonl", "all.jsonl").code == 0
    assert vsdmot(*words, "--conf", "1", "--jsonl", "none.jsonl").code == 0
    assert vsdmot(*words, "--yolox.score-threshold", "1", "--jsonl", "same.jsonl").code == 0
    every, none, same = (
        sum(result.num_proposals for result in results(f"{name}.jsonl")) for name in ("all", "none", "same")
    )
    assert every > 0
    assert none == same == 0


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--yolox.nms-threshold", "0.2"),
        ("--yolox.convention", "current"),
        ("--yolox.max-proposals", "1"),
        ("--yolox.input-size", "96,160"),
    ],
)
def test_each_detector_setting_changes_the_proposals(vsdmot, base, flag, value):
    words = ["track", "clip.mp4", "--tracker", "sort", "--association.minimum-consecutive-frames", "1"]
    words += ["--detector", "yolox.safetensors"]
    if flag != "--yolox.input-size":
        words += ["--yolox.input-size", "64"]
    assert vsdmot(*words, "--jsonl", "a.jsonl").code == 0
    assert vsdmot(*words, flag, value, "--jsonl", "b.jsonl").code == 0
    assert Path("a.jsonl").read_text() != Path("b.jsonl").read_text()


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--lifecycle.birth-threshold", "1"),
        ("--lifecycle.keep-threshold", "1"),
        ("--lifecycle.update-threshold", "1"),
        ("--lifecycle.report-threshold", "0.9999"),
        ("--lifecycle.miss-tolerance", "1"),
        ("--lifecycle.min-area", "1e6"),
        ("--lifecycle.max-tracks", "1"),
    ],
)
def test_each_lifecycle_setting_changes_the_tracks(vsdmot, base, flag, value):
    words = ["track", "clip.mp4", "--weights", "weights", "--detections", "det.txt"]
    if flag == "--lifecycle.miss-tolerance":  # without misses, tolerance is idle
        words += ["--lifecycle.keep-threshold", "0.9"]
    assert vsdmot(*words, "--jsonl", "a.jsonl").code == 0
    assert vsdmot(*words, flag, value, "--jsonl", "b.jsonl").code == 0
    assert Path("a.jsonl").read_text() != Path("b.jsonl").read_text()


def test_lifecycle_flags_keep_what_else_the_weights_say(vsdmot, base, playground, tracker_folder, tmp_path):
    folder = tmp_path / "changed"
    folder.mkdir()
    facts = json.loads((tracker_folder / "config.json").read_text())
    facts["lifecycle"]["report_threshold"] = 1.0  # nobody is ever reported
    (folder / "config.json").write_text(json.dumps(facts))
    (folder / "model.safetensors").symlink_to(tracker_folder / "model.safetensors")
    words = ["track", "clip.mp4", "--weights", folder, "--detections", "det.txt", "--jsonl", "r.jsonl"]
    assert vsdmot(*words, "--lifecycle.miss-tolerance", "5").code == 0
    assert sum(len(result.tracks) for result in results()) == 0


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--association.lost-track-buffer", "0"),
        ("--association.minimum-consecutive-frames", "9"),
        ("--association.minimum-iou-threshold", "0.95"),
        ("--association.track-activation-threshold", "0.95"),
        ("--association.high-conf-det-threshold", "0.95"),
    ],
)
def test_each_association_setting_changes_the_tracks(vsdmot, base, flag, value):
    words = [*base[:3], "bytetrack", *base[4:]]
    assert vsdmot(*words, "--jsonl", "a.jsonl").code == 0
    assert vsdmot(*words, flag, value, "--jsonl", "b.jsonl").code == 0
    assert Path("a.jsonl").read_text() != Path("b.jsonl").read_text()


def test_an_association_setting_that_the_tracker_lacks_is_refused(refused, base):
    line = refused(*base, "--association.track-activation-threshold", "0.5", "--mot", "r.txt")
    assert line == "association.track_activation_threshold is not a setting of ocsort; remove it"


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--overlay.trail-seconds", "0"),
        ("--overlay.show-scores", "false"),
        ("--overlay.show-quality", "false"),
        ("--overlay.sparkline-seconds", "0.2"),
    ],
)
def test_each_overlay_setting_changes_the_picture(vsdmot, base, flag, value, tmp_path):
    from vsdmot.cli.demo import write_clip
    from vsdmot.synthesis.figure_clip import FigureClipConfig, draw_figures

    # The smallest picture in which the full meter fits.
    config = FigureClipConfig(num_frames=20, width=640, height=360, num_people=3)
    write_clip(
        draw_figures(config), config,
        tmp_path / "large.mp4", tmp_path / "large.gt.txt", tmp_path / "large.det.txt",
    )  # fmt: skip
    words = ["track", "large.mp4", "--tracker", "bytetrack", "--detections", "large.gt.txt"]
    assert vsdmot(*words, "-o", "a.mp4").code == 0
    assert vsdmot(*words, flag, value, "-o", "b.mp4").code == 0
    difference = np.abs(frames_of("a.mp4")[-1].astype(int) - frames_of("b.mp4")[-1])
    assert (difference > 60).any()


def test_settings_come_from_a_file_and_flags_win(vsdmot, base, playground):
    (playground / "run.yaml").write_text(
        "source: clip.mp4\ntracker: sort\ndetections: det.txt\njsonl: a.jsonl\nconf: 0.99\n"
        "association: {minimum_consecutive_frames: 1}\n"
    )
    assert vsdmot("track", "--config", "run.yaml").code == 0
    assert vsdmot("track", "--config", "run.yaml", "--conf", "0.1", "--jsonl", "b.jsonl").code == 0
    assert sum(result.num_proposals for result in results("a.jsonl")) == 0
    assert sum(result.num_proposals for result in results("b.jsonl")) > 0


def test_fps_sets_the_times_of_a_folder_of_images(vsdmot, base, playground):
    from PIL import Image

    (playground / "pictures").mkdir()
    for number in range(1, 5):
        Image.new("RGB", (64, 48), (40 * number, 90, 90)).save(playground / "pictures" / f"{number}.png")
    assert vsdmot(
        "track", "pictures", "--tracker", "sort", "--detections", "det.txt", "--fps", "2", "--jsonl", "r.jsonl"
    ).code == 0  # fmt: skip
    assert [result.time for result in results()] == [0.0, 0.5, 1.0, 1.5]


def test_an_empty_detections_file_is_legal_and_tracks_nobody(vsdmot, base, playground):
    (playground / "empty.txt").write_text("")
    outcome = vsdmot(*base[:-1], "empty.txt", "--mot", "r.txt", "--jsonl", "r.jsonl")
    assert outcome.code == 0
    assert "nobody was reported" in outcome.out
    assert Path("r.txt").read_text() == ""
    assert len(results()) == 30


def test_an_output_that_exists_is_kept_unless_overwrite_is_given(refused, vsdmot, base, playground):
    (playground / "r.txt").write_text("precious")
    assert refused(*base, "--mot", "r.txt") == "r.txt exists; add --overwrite to replace it"
    assert Path("r.txt").read_text() == "precious"
    assert vsdmot(*base, "--mot", "r.txt", "--overwrite").code == 0
    assert len(read_mot(playground / "r.txt")) > 0


def bad_checkpoint(path):
    torch.save({"model": {"layer.weight": torch.ones(2)}}, path)


def unsafe_checkpoint(path):
    import os

    class Harm:
        def __reduce__(self):
            return os.mkdir, (str(path) + ".harmed",)

    torch.save({"model": Harm()}, path)


BAD_INPUTS = {
    "missing source": (["none.mp4"], "none.mp4: no such file"),
    "text as video": (["det.txt"], "det.txt"),
    "empty file as video": (["empty.mp4"], "empty.mp4"),
    "folder without images": (["nothing"], "nothing"),
    "pattern without match": (["*.nope"], "*.nope"),
    "no camera": (["97"], "camera 97"),
    "no server": (["rtsp://127.0.0.1:9/x"], "rtsp://127.0.0.1:9/x"),
    "unknown tracker": (["clip.mp4", "--tracker", "deepsort"], "--tracker: expected one of vsdmot, motrv2"),
    "missing detections": (["clip.mp4", "--detections", "none.txt"], "none.txt: cannot read detections"),
    "broken detections": (["clip.mp4", "--detections", "broken.txt"], "broken.txt:2: expected"),
    "missing detector": (["clip.mp4", "--detector", "none.pth"], "exclude each other"),
    "conf out of range": (["clip.mp4", "--conf", "7"], "--conf: must be from 0 to 1, got 7.0"),
    "conf no number": (["clip.mp4", "--conf", "high"], "--conf: expected a number, got 'high'"),
    "unknown flag": (["clip.mp4", "--wieghts", "x"], "--wieghts: unknown flag; did you mean --weights?"),
    "flag without value": (["clip.mp4", "--conf"], "expected one argument"),
    "two sources": (["clip.mp4", "other.mp4"], "other.mp4: unknown argument"),
    "same output twice": (["clip.mp4", "--mot", "a", "--jsonl", "a"], "must name different files"),
    "output is the source": (["clip.mp4", "-o", "clip.mp4", "--overwrite"], "clip.mp4: this is the source itself"),
    "output in a file": (["clip.mp4", "-o", "det.txt/x.mp4"], "a part of det.txt is a file"),
    "missing config": (["clip.mp4", "--config", "none.yaml"], "none.yaml: no such settings file"),
    "weights for ocsort": (["clip.mp4", "--weights", "weights"], "--tracker ocsort has none"),
    "lifecycle for ocsort": (["clip.mp4", "--lifecycle.min-area", "5"], "not for ocsort"),
    "yolox for a file": (["clip.mp4", "--yolox.input-size", "64"], "--yolox.* is for --detector"),
    "device for nothing": (["clip.mp4", "--device", "cpu"], "--device has nothing to place"),
    "overlay without video": (["clip.mp4", "--mot", "r.txt", "--overlay.trail-seconds", "1"], "which is not written"),
    "fps of zero": (["clip.mp4", "--fps", "0"], "--fps: must be greater than 0"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_INPUTS)
def test_bad_input_is_one_clear_line(refused, base, playground, case):
    (playground / "empty.mp4").touch()
    (playground / "nothing").mkdir()
    (playground / "broken.txt").write_text("1,-1,5,5,10,10,0.9\n1,-1,5,five,10,10,0.9\n")
    words, expected = BAD_INPUTS[case]
    command = ["track", *words]
    if "--tracker" not in words:
        command += ["--tracker", "ocsort"]
    if "--detections" not in words:
        command += ["--detections", "det.txt"]
    assert expected in refused(*command)


BAD_WEIGHTS = {
    "missing": ("none.pth", None, "none.pth: no such weights"),
    "text": ("w.pth", lambda path: path.write_text("hello"), "not a"),
    "another network": ("w.pth", bad_checkpoint, "not a MOTRv2 checkpoint"),
    "runs code": ("w.pth", unsafe_checkpoint, "refused"),
    "folder without config": ("w", lambda path: path.mkdir(), "has no config.json"),
    "a detector": ("yolox.safetensors", None, "looks like a YOLOX detector; give it to --detector"),
}


@pytest.mark.parametrize("case", BAD_WEIGHTS)
def test_bad_weights_are_one_clear_line_and_run_nothing(refused, base, playground, case):
    name, make, expected = BAD_WEIGHTS[case]
    if make:
        make(playground / name)
    assert expected in refused("track", "clip.mp4", "--weights", name, "--detections", "det.txt", "--mot", "r.txt")
    assert not list(playground.glob("*.harmed"))


@pytest.mark.parametrize("case", ["missing", "text", "another network", "runs code"])
def test_bad_detectors_are_one_clear_line_and_run_nothing(refused, base, playground, case):
    name, make, _ = BAD_WEIGHTS[case]
    if make:
        make(playground / name)
    line = refused("track", "clip.mp4", "--tracker", "sort", "--detector", name, "--mot", "r.txt")
    assert line.startswith(f"{name}: ")
    assert not list(playground.glob("*.harmed"))


def test_without_weights_the_default_tracker_says_what_to_do(refused, base, monkeypatch, tmp_path):
    monkeypatch.setattr(model_names, "weights_folder", lambda: tmp_path / "nothing")
    line = refused("track", "clip.mp4", "--detections", "det.txt")
    assert "--tracker vsdmot needs --weights" in line
    assert "--tracker ocsort" in line


def test_a_network_with_a_detector_inside_needs_nothing_else(vsdmot, base):
    outcome = vsdmot("track", "clip.mp4", "--weights", "nano", "--device", "cpu", "--jsonl", "r.jsonl")
    assert outcome.code == 0
    lines = results()
    assert len(lines) == 30
    assert all(result.num_proposals > 0 for result in lines)
    assert any(len(result.tracks) for result in lines)


def test_conf_is_the_threshold_of_the_detector_inside(vsdmot, base):
    words = ["track", "clip.mp4", "--weights", "nano"]
    counts = []
    for conf in ("0", "0.2", "1"):
        assert vsdmot(*words, "--conf", conf, "--jsonl", f"{conf}.jsonl").code == 0
        counts.append(sum(result.num_proposals for result in results(f"{conf}.jsonl")))
    assert counts[0] > counts[1] > counts[2] == 0


@pytest.mark.parametrize("source", [("--detections", "det.txt"), ("--detector", "yolox.safetensors")])
def test_given_proposals_replace_those_of_the_detector_inside(vsdmot, base, source):
    words = ["track", "clip.mp4", *source]
    if "--detector" in source:
        words += ["--yolox.input-size", "64"]
    assert vsdmot(*words, "--tracker", "sort", "--jsonl", "given.jsonl").code == 0
    assert vsdmot(*words, "--weights", "nano", "--jsonl", "network.jsonl").code == 0
    given, used = ([result.num_proposals for result in results(f"{name}.jsonl")] for name in ("given", "network"))
    assert given == used


def test_a_network_without_detector_says_what_it_needs(refused, base):
    line = refused("track", "clip.mp4", "--weights", "weights", "--mot", "r.txt")
    assert line.startswith("weights has no detector inside; give --detector (YOLOX weights) or --detections")
    assert not Path("r.txt").exists()


def test_a_tracker_that_links_proposals_asks_for_them(refused, base):
    assert refused(*base[:4]).startswith("give --detector (YOLOX weights) or --detections")


def test_settings_of_a_detector_that_is_not_there_are_refused(refused, base):
    line = refused("track", "clip.mp4", "--weights", "nano", "--yolox.input-size", "64")
    assert line == "--yolox.* is for --detector, which is not given"


def test_the_weights_of_the_package_are_taken_where_none_are_named(vsdmot, base, monkeypatch, tmp_path, playground):
    monkeypatch.setattr(model_names, "weights_folder", lambda: tmp_path / "shipped")
    (tmp_path / "shipped").mkdir()
    (tmp_path / "shipped" / "vsdmot-nano").symlink_to(playground / "nano")
    assert vsdmot("track", "clip.mp4", "--jsonl", "default.jsonl").code == 0
    assert vsdmot("track", "clip.mp4", "--weights", "vsdmot-nano", "--jsonl", "named.jsonl").code == 0
    assert vsdmot("track", "clip.mp4", "--weights", "nano", "--jsonl", "path.jsonl").code == 0
    texts = {Path(f"{name}.jsonl").read_text() for name in ("default", "named", "path")}
    assert len(texts) == 1


@pytest.mark.parametrize("name", ["nano", "nano/model.safetensors", "vsdmot-nano"])
def test_the_detector_inside_a_tracker_serves_other_trackers(vsdmot, base, monkeypatch, tmp_path, playground, name):
    monkeypatch.setattr(model_names, "weights_folder", lambda: tmp_path / "shipped")
    (tmp_path / "shipped").mkdir()
    (tmp_path / "shipped" / "vsdmot-nano").symlink_to(playground / "nano")
    words = ["track", "clip.mp4", "--tracker", "sort", "--detector", name, "--yolox.input-size", "128"]
    outcome = vsdmot(*words, "--jsonl", "r.jsonl")
    assert outcome.code == 0
    assert "as that of the tracker whose backbone it is" in outcome.out
    assert sum(result.num_proposals for result in results()) > 0


def test_a_published_detector_is_downloaded_once(vsdmot, base, monkeypatch, tmp_path, playground):
    """By its name, from a server on this machine; the second run finds it in the cache."""
    monkeypatch.setenv("VSDMOT_CACHE", str(tmp_path / "cache"))
    handler = partial(SimpleHTTPRequestHandler, directory=playground)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/yolox.safetensors"
    release = Release(file=RemoteFile(url=url), convention="legacy", version="0.1.0")
    monkeypatch.setitem(RELEASES, "yolox-s", release)
    words = ["track", "clip.mp4", "--tracker", "sort", "--detector", "yolox-s", "--yolox.input-size", "64"]
    first = vsdmot(*words, "--jsonl", "a.jsonl")
    server.shutdown()
    server.server_close()
    assert first.code == 0
    digest = hashlib.sha256((playground / "yolox.safetensors").read_bytes()).hexdigest()
    assert f"downloaded {release.cached} from {url}\n  sha256 {digest}\n" in first.out
    second = vsdmot(*words, "--jsonl", "b.jsonl")
    assert second.code == 0
    assert "downloaded" not in second.out
    assert Path("a.jsonl").read_text() == Path("b.jsonl").read_text()


def test_a_published_detector_without_a_network_is_one_clear_line(refused, base, monkeypatch, tmp_path):
    monkeypatch.setenv("VSDMOT_CACHE", str(tmp_path / "cache"))
    file = RemoteFile(url="http://127.0.0.1:9/yolox_s.pth")
    monkeypatch.setitem(RELEASES, "yolox-s", Release(file=file, convention="current", version="0.1.1rc0"))
    line = refused("track", "clip.mp4", "--tracker", "sort", "--detector", "yolox-s", "--mot", "r.txt")
    assert line.startswith("http://127.0.0.1:9/yolox_s.pth: cannot be downloaded (")
    assert f"give its path, or put it at {tmp_path / 'cache' / 'yolox-0.1.1rc0' / 'yolox_s.pth'}" in line


def test_several_problems_are_all_told_at_once(vsdmot, base):
    outcome = vsdmot("track", "clip.mp4", "--conf", "7", "--fps", "-1", "--lifecycle.min-area", "x")
    assert outcome.code == 2
    assert len(outcome.err.splitlines()) == 3


def start_long_run(playground) -> subprocess.Popen:
    """Track a folder of many images in a process of its own, and wait until it is well under way."""
    from PIL import Image

    (playground / "many").mkdir()
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 255, (240, 320, 3), dtype=np.uint8))
    picture.save(playground / "many" / "1.png")
    for number in range(2, 2001):
        (playground / "many" / f"{number}.png").symlink_to("1.png")
    words = ["track", "many", "--tracker", "sort", "--detections", "det.txt", "-o", "r.mp4", "--mot", "r.txt",
             "--jsonl", "r.jsonl"]  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "vsdmot.cli.main", *words], cwd=playground, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        path = playground / "r.jsonl"
        if path.exists() and path.read_bytes().count(b"\n") > 100:
            return process
        time.sleep(0.05)
    raise AssertionError(f"did not get under way: {process.communicate()}")


def test_a_killed_run_leaves_readable_files(playground):
    process = start_long_run(playground)
    process.kill()
    process.wait()
    lines = results(playground / "r.jsonl")
    assert len(lines) >= 100
    read_mot(playground / "r.txt")
    with av.open(str(playground / "r.mp4")) as container:
        decoded = sum(1 for _ in container.decode(video=0))
    assert decoded >= 25  # all but the last second or two


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_completes_its_files_and_says_where_they_are(playground, sent):
    process = start_long_run(playground)
    process.send_signal(sent)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    count = len(results(playground / "r.jsonl"))
    assert len(frames_of(playground / "r.mp4")) in (count, count - 1, count + 1)
    data = (playground / "r.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # fast start


def test_damage_is_counted_and_what_is_whole_is_tracked(vsdmot, base, playground):
    whole = (playground / "clip.mp4").read_bytes()
    (playground / "cut.mp4").write_bytes(whole[: int(len(whole) * 0.6)])
    outcome = vsdmot("track", "cut.mp4", *base[2:], "--jsonl", "r.jsonl")
    assert outcome.code == 0
    assert "note: cut.mp4: the file is damaged or cut off: it promises 30 frames" in outcome.err
    assert 5 < len(results()) < 30
