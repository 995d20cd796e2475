"""``vsdmot triage``: every flag, what is told, and the mistakes that people make."""

from __future__ import annotations

import csv
import itertools
import json
import re

import numpy as np
import PIL.Image
import pytest

from vsdmot.cli import triage as triage_verb
from vsdmot.degradation.operators import apply_operator, values_at
from vsdmot.io.video_writer import VideoWriter
from vsdmot.synthesis.figure_clip import FigureClipConfig, draw_figures

SIZE = (416, 320)


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    """Six seconds at 10 frames/s, of which the middle two are full of noise."""
    folder = tmp_path_factory.mktemp("footage")
    config = FigureClipConfig(num_frames=60, width=SIZE[0], height=SIZE[1], frame_rate=10.0, worst_severity=0.0)
    with VideoWriter(folder / "walk.mp4", width=SIZE[0], height=SIZE[1], frame_rate=10.0, crf=16) as writer:
        for drawn in draw_figures(config):
            image = drawn.frame.image
            if 21 <= drawn.frame.index <= 40:
                noise = np.random.default_rng(drawn.frame.index)
                image = apply_operator("noise", image, values_at("noise", 5), noise)
            writer.write(image, drawn.frame.time)
    return folder


@pytest.fixture
def pictures(tmp_path):
    """A folder of pictures, all dark."""
    folder = tmp_path / "night"
    folder.mkdir()
    config = FigureClipConfig(num_frames=12, width=SIZE[0], height=SIZE[1], worst_severity=0.0)
    for drawn in draw_figures(config):
        dark = (drawn.frame.image * 0.2).astype(np.uint8)
        PIL.Image.fromarray(dark).save(folder / f"{drawn.frame.index:06d}.png")
    return folder


def test_stretches_are_printed_and_written_with_what_spoils_them(vsdmot, footage, tmp_path):
    files = [tmp_path / name for name in ("a.csv", "a.json", "a.png", "pictures.csv")]
    words = ["--csv", files[0], "--json", files[1], "--plot", files[2], "--samples", files[3]]
    outcome = vsdmot("triage", footage / "walk.mp4", "--every", "0.2", "--shortest", "1", *words)
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert lines[0].startswith(f"{footage / 'walk.mp4'}: 0:06.0, 67 % usable; not usable: noise 33 %")
    assert "pictures of 416x320 measured, 60 frames decoded" in outcome.out
    assert all(str(path) in outcome.out for path in files)

    rows = list(csv.DictReader(files[0].open()))
    assert [(row["usable"], row["defect"] == "noise") for row in rows] == [("yes", 0), ("no", 1), ("yes", 0)]
    assert float(rows[1]["start"]) == pytest.approx(2.0, abs=0.4)
    assert float(rows[1]["end"]) == pytest.approx(4.0, abs=0.4)
    assert float(rows[1]["strength"]) > 3

    plain = json.loads(files[1].read_text())
    assert plain["settings"]["every"] == 0.2
    (recording,) = plain["recordings"]
    assert (recording["frames"], recording["complete"], recording["width"]) == (60, True, 416)
    assert recording["usable_seconds"] == pytest.approx(4.0, abs=0.5)
    assert [stretch["defect"] for stretch in recording["stretches"]].count("noise") == 1

    samples = list(csv.DictReader(files[3].open()))
    assert len(samples) == recording["samples"] == pytest.approx(30, abs=2)
    assert float(samples[12]["fine_noise"]) > 10 > 5 > float(samples[2]["fine_noise"])
    with PIL.Image.open(files[2]) as drawn:
        assert drawn.width > 1000


def test_the_limit_and_the_shortest_change_are_the_users(vsdmot, footage):
    walk = footage / "walk.mp4"
    assert "0 % usable" in vsdmot("triage", walk, "--usable", "1").out
    assert "100 % usable" in vsdmot("triage", walk, "--usable", "0").out
    assert "noise" not in vsdmot("triage", walk, "--shortest", "20").out


def test_key_frames_are_faster_and_it_is_said_what_they_do_not_show(vsdmot, footage):
    outcome = vsdmot("triage", footage / "walk.mp4", "--key-frames")
    assert outcome.code == 0
    found = re.search(r"(\d+) pictures of 416x320 measured, (\d+) key frames decoded; repeats are seen", outcome.out)
    assert found
    assert 3 <= int(found[1]) == int(found[2]) <= 6  # one in 2 seconds, and where the noise begins and ends
    assert "noise" in outcome.out


def test_duration_stops_early_and_says_so(vsdmot, footage):
    outcome = vsdmot("triage", footage / "walk.mp4", "--duration", "1.5")
    assert "0:01.5, 100 % usable" in outcome.out
    assert "15 frames decoded; stopped before the end" in outcome.out


def test_folders_of_pictures_take_the_rate_that_is_given(vsdmot, pictures):
    outcome = vsdmot("triage", pictures, "--fps", "4", "--every", "0")
    assert outcome.out.startswith(f"{pictures}: 0:03.0, ")
    assert "dark" in outcome.out
    assert "12 pictures of" in outcome.out


def test_many_recordings_are_summed_up_and_a_broken_one_stops_nothing(vsdmot, footage, pictures, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"not a video at all")
    (tmp_path / "all.txt").write_text(f"{footage / 'walk.mp4'}\nbroken.mp4\nnight\n")
    outcome = vsdmot("triage", tmp_path / "all.txt", "--csv", tmp_path / "all.csv")
    assert outcome.code == 2
    assert f"note: {tmp_path / 'broken.mp4'}: " in outcome.err
    assert outcome.err.splitlines()[-1] == f"vsdmot: {tmp_path / 'all.txt'}: 1 of 3 recordings cannot be read"
    assert "All recordings" in outcome.out
    assert "TOTAL" in outcome.out
    assert {row["recording"] for row in csv.DictReader((tmp_path / "all.csv").open())} == {
        str(footage / "walk.mp4"),
        str(pictures),
    }


def test_ctrl_c_keeps_what_was_seen(vsdmot, footage, tmp_path, monkeypatch):
    def interrupted(items):
        yield from itertools.islice(items, 30)
        raise KeyboardInterrupt

    monkeypatch.setattr(triage_verb, "until_stopped", interrupted)
    outcome = vsdmot("triage", footage / "walk.mp4", "--json", tmp_path / "a.json")
    assert outcome.code == 130
    assert "stopped before the end" in outcome.out
    (recording,) = json.loads((tmp_path / "a.json").read_text())["recordings"]
    assert not recording["complete"]
    assert recording["seconds"] == pytest.approx(3.0)


def test_settings_come_from_a_file_and_outputs_are_kept(vsdmot, refused, footage, tmp_path):
    (tmp_path / "t.yaml").write_text("every: 1.0\nshortest: 1.0\n")
    words = ["triage", footage / "walk.mp4", "--config", tmp_path / "t.yaml", "--csv", tmp_path / "t.csv"]
    assert vsdmot(*words).code == 0
    assert refused(*words) == f"{tmp_path / 't.csv'} exists; add --overwrite to replace it"
    assert vsdmot(*words, "--overwrite").code == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nowhere.mp4"], "nowhere.mp4: no such file"),
        (["{walk}", "--every", "-1"], "--every"),
        (["{walk}", "--usable", "1.5"], "--usable"),
        (["{walk}", "--duration", "0"], "--duration"),
        (["{walk}", "--plot", "plot.pdf"], ".png"),
        (["{walk}", "--csv", "a.csv", "--samples", "a.csv"], "must name different files"),
        (["{night}", "--key-frames"], "--key-frames is for video files"),
    ],
)
def test_mistakes_are_told_in_a_line(refused, footage, pictures, tmp_path, monkeypatch, words, told):
    monkeypatch.chdir(tmp_path)
    places = {"walk": footage / "walk.mp4", "night": pictures}
    assert told in refused("triage", *(word.format(**places) for word in words))
