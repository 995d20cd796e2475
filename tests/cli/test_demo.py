"""``vsdmot demo`` and the top level."""

from __future__ import annotations

import av

from vsdmot.io.json_lines import read_json_lines
from vsdmot.io.mot_text import read_mot

SMALL = ["--clip.num-frames", "20", "--clip.width", "160", "--clip.height", "96"]


def test_the_demo_writes_all_its_files_and_says_plainly_what_it_shows(vsdmot, tmp_path):
    outcome = vsdmot("demo", "-o", tmp_path / "d", *SMALL)
    assert outcome.code == 0
    assert "Rendering" in outcome.out
    assert "Tracking it with vsdmot-nano" in outcome.out
    assert "HOTA   DetA   AssA   MOTA   IDF1" in outcome.out
    assert "By frame quality Q, the poorest quarter first" in outcome.out
    for name in ("clip.mp4", "clip.gt.txt", "clip.tracked.mp4", "clip.mot.txt", "clip.jsonl", "report.html"):
        assert str(tmp_path / "d" / name) in outcome.out
        assert (tmp_path / "d" / name).stat().st_size > 0
    with av.open(str(tmp_path / "d" / "clip.tracked.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
    assert len(list(read_json_lines(tmp_path / "d" / "clip.jsonl"))) == 20
    assert outcome.out.rstrip().splitlines()[-1].startswith(f"Open {tmp_path / 'd' / 'report.html'} in a browser")


def test_a_second_demo_replaces_the_first(vsdmot, tmp_path):
    for _ in range(2):
        assert vsdmot("demo", "--output", tmp_path / "d", *SMALL).code == 0


def test_every_setting_of_the_clip_changes_it(vsdmot, tmp_path):
    def truth_and_size(*words):
        assert vsdmot("demo", "-o", tmp_path / "d", *SMALL, *words).code == 0
        return (tmp_path / "d" / "clip.gt.txt").read_text(), (tmp_path / "d" / "clip.mp4").read_bytes()

    plain = truth_and_size()
    assert truth_and_size() == plain
    for words in (
        ["--clip.num-people", "2"],
        ["--clip.frame-rate", "12"],
        ["--clip.worst-severity", "0.1"],
        ["--clip.seed", "5"],
    ):
        assert truth_and_size(*words) != plain, words


def test_settings_come_from_a_file(vsdmot, tmp_path):
    (tmp_path / "demo.yaml").write_text(
        f"output: {tmp_path / 'd'}\nclip: {{num_frames: 5, width: 96, height: 64, num_people: 1}}\n"
    )
    assert vsdmot("demo", "--config", tmp_path / "demo.yaml").code == 0
    assert read_mot(tmp_path / "d" / "clip.gt.txt").frames.max(initial=0) <= 5


def test_unknown_verbs_name_the_nearest(refused):
    assert refused("trak") == "unknown verb 'trak'; did you mean track?"
    assert (
        refused("zzz")
        == "unknown verb 'zzz'; one of track, detect, degrade, synth, data, train, eval, robustness, paper, report, "
        "compare, triage, convert, info, demo"
    )


def test_the_version_is_told(capsys):
    import pytest

    from vsdmot.cli.main import main
    from vsdmot.version import __version__

    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert __version__ in capsys.readouterr().out
