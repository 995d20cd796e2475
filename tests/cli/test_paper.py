"""``vsdmot paper``: runs in their rows, what is missing with commands that work, and no number of the paper as ours."""

from __future__ import annotations

import csv
import json
import re
import shlex
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from vsdmot.cli.arguments import make_parser, parse
from vsdmot.cli.data import BuildSettings
from vsdmot.cli.detect import DetectSettings
from vsdmot.cli.main import main
from vsdmot.cli.paper import SUBVERBS
from vsdmot.cli.track import TrackSettings, check_conflicts
from vsdmot.cli.train import TrainSettings
from vsdmot.report.compare.marks import WRONG
from vsdmot.report.paper_layout import TABLES
from vsdmot.report.paper_quotes import QUOTED, QUOTED_EFFICIENCY
from vsdmot.training.recipe import read_recipe

NAMES = ("MOT17-09", "MOT17-13", "MOT20-03", "MOT20-05")


@pytest.fixture
def data(playground, monkeypatch, draw_sequence) -> Path:
    """The validation sets of LQMOT, as `vsdmot data build` lays them out, in the current folder."""
    monkeypatch.chdir(playground)
    for split in ("val", "val_clean"):
        for name in NAMES:
            draw_sequence(playground / "data" / "LQMOT" / split / name, num_frames=3)
        entries = "".join(f"{name}, clean, {split}/{name}\n" for name in NAMES)
        (playground / "data" / "LQMOT" / f"{split}.txt").write_text(entries)
    return playground / "data"


def put_results(run: str, set_name: str, *, missing: int = 0, names: tuple[str, ...] = NAMES) -> None:
    """Write results of a run that miss the first so many boxes of each sequence, and are perfect else."""
    folder = Path("runs", run, set_name)
    folder.mkdir(parents=True, exist_ok=True)
    split = {"LQMOT": "val", "MOT": "val_clean"}[set_name]
    for name in names:
        lines = Path("data/LQMOT", split, name, "gt/gt.txt").read_text().splitlines()[missing:]
        (folder / f"{name}.txt").write_text("".join(line.replace(",1,1,1", ",0.9,-1,-1,-1\n") for line in lines))


def rows(out: str) -> list[list[str]]:
    """Read the lines of a plain table, its title and column names left out."""
    lines = out.splitlines()[2:]
    return [re.split(r" {2,}", line.strip()) for line in lines[: lines.index("")]]


@pytest.fixture
def paper(vsdmot, data):
    def call(*words: object):
        table, *rest = words
        return vsdmot("paper", table, "--root", "data", "--runs", "runs", "--recipes", "configs/train", *rest)

    return call


# Rows that were run


def test_a_row_holds_what_vsdmot_eval_gives_for_its_results(vsdmot, paper):
    put_results("lqmot", "LQMOT", missing=1)
    assert vsdmot("eval", "--gt", "data/LQMOT/val", "--pred", "runs/lqmot/LQMOT", "--json", "by_hand.json").code == 0
    by_hand = json.loads(Path("by_hand.json").read_text())["combined"]
    outcome = paper("table3", "--csv", "t.csv", "--decimals", "3")
    assert outcome.code == 0, outcome.err
    with Path("t.csv").open(newline="") as file:
        ours = {row["tracker"]: row for row in csv.DictReader(file)}
    for column in ("HOTA", "DetA", "AssA", "MOTA", "IDF1"):
        assert float(ours["VSD-MOT"][column]) == by_hand[column] < 1
        assert ours["ByteTrack"][column] == ""
    assert ["VSD-MOT", *(f"{100 * by_hand[one]:.3f}" for one in ("HOTA", "DetA", "AssA", "MOTA", "IDF1"))] in rows(
        outcome.out
    )


def test_a_run_that_several_tables_show_stands_in_all_of_them(paper):
    for set_name in ("LQMOT", "MOT"):
        put_results("lqmot", set_name)
    for table, filled in (("table3", 1), ("table4", 1), ("table5", 2), ("table6", 2), ("table7", 2)):
        found = rows(paper(table).out)
        assert len(found) == len(TABLES[table].rows)
        assert sum(row[-5:] == ["100.0"] * 5 for row in found) == filled
        assert sum("not run" in row for row in found) == len(found) - filled


def test_results_that_change_are_scored_anew_and_others_are_not(paper):
    put_results("lqmot", "LQMOT")
    assert "100.0" in paper("table3").out
    kept = {path: path.stat().st_mtime_ns for path in Path("runs/.scores").iterdir()}
    assert len(kept) == len(NAMES)
    assert "100.0" in paper("table3").out
    assert {path: path.stat().st_mtime_ns for path in Path("runs/.scores").iterdir()} == kept
    put_results("lqmot", "LQMOT", missing=2, names=NAMES[:1])
    assert "100.0" not in paper("table3").out
    assert len(list(Path("runs/.scores").iterdir())) == len(NAMES) + 1


def test_saved_scores_do_as_well(vsdmot, paper, refused):
    put_results("memotr", "LQMOT", missing=1)
    assert vsdmot("eval", "--gt", "data/LQMOT/val", "--pred", "runs/memotr/LQMOT", "--json", "runs/memotr/LQMOT.json")
    from_results = rows(paper("table3").out)[0]
    for path in Path("runs/memotr/LQMOT").iterdir():
        path.unlink()
    Path("runs/memotr/LQMOT").rmdir()
    assert rows(paper("table3").out)[0] == from_results
    saved = Path("runs/memotr/LQMOT.json")
    plain = json.loads(saved.read_text())
    del plain["sequences"]["MOT20-05"]
    saved.write_text(json.dumps(plain))
    command = ("paper", "table3", "--root", "data", "--runs", "runs")
    assert "for LQMOT (MOT17-09, MOT17-13, MOT20-03 and 1 more), got MOT17-09, MOT17-13, MOT20-03" in refused(*command)
    saved.write_text("{}")
    assert "runs/memotr/LQMOT.json: expected what `vsdmot eval --json` writes" in refused(*command)


def test_a_damaged_result_is_named(paper, refused):
    put_results("lqmot", "LQMOT")
    Path("runs/lqmot/LQMOT/MOT17-13.txt").write_text("1,1,nowhere\n")
    assert "runs/lqmot/LQMOT/MOT17-13.txt:1: expected" in refused("paper", "table3", "--root", "data", "--runs", "runs")


# Rows that were not


def test_part_of_the_results_is_no_row(paper):
    put_results("lqmot", "LQMOT", names=NAMES[:3])
    outcome = paper("table7")
    assert "missing: lqmot on LQMOT: runs/lqmot/LQMOT: 1 result of 4" in outcome.out
    assert "100.0" not in outcome.out
    assert outcome.out.count("data/LQMOT/val/MOT20-05") == 0  # its weights are not there either: training comes first
    Path("runs/lqmot/best").mkdir()
    assert paper("table7").out.count("data/LQMOT/val/MOT20-05 ") == 1


def test_code_of_others_is_asked_for_its_results(paper):
    out = paper("table1").out
    assert out.count("LQDanceTrack: data/LQDanceTrack/val: the data is not built") == 1  # once for all rows
    assert "missing: co-mot on LQDanceTrack\n  made by its authors' code: put SEQUENCE.txt into runs/co-mot/LQ" in out


@pytest.mark.parametrize("table", TABLES)
def test_every_command_that_is_named_is_one_of_ours(paper, table):
    """Each is read by the parser of its verb, with a recipe that is there and is valid."""
    assert paper(table, "--commands", "all.sh").code == 0
    lines = [line for line in Path("all.sh").read_text().splitlines() if line.startswith("vsdmot ")]
    assert len(lines) == len(set(lines)) > 8
    trained = {row.run for row in TABLES[table].rows if row.origin == "recipe"}
    for line in lines:
        _, verb, *words = shlex.split(line)
        if verb == "train":
            change = next(word for word in words if word.startswith("root="))
            settings = parse(make_parser(TrainSettings, prog="", positional=["recipe"], short={"output": "-o"}),
                             TrainSettings, [word for word in words if word != change])  # fmt: skip
            read_recipe(settings.recipe, {"root": change.partition("=")[2]})
            trained.discard(settings.recipe.stem)
        elif verb == "data":
            assert words[0] == "build"
            parser = make_parser(BuildSettings, prog="", positional=["name"], short={"output": "-o"})
            parse(parser, BuildSettings, words[1:])
        elif verb == "detect":
            parser = make_parser(DetectSettings, prog="", positional=["source"], short={"output": "-o"})
            parse(parser, DetectSettings, words)
        else:
            assert verb == "track"
            parser = make_parser(TrackSettings, prog="", positional=["source"], short={"output": "-o"})
            check_conflicts(parse(parser, TrackSettings, words))
    assert not trained


def test_the_commands_make_the_row(vsdmot, paper):
    """Those of ByteTrack from proposals on, and of VSD-MOT from weights on; earlier ones take days."""
    weights = Path("runs/yolox_lqmot/best")
    weights.mkdir(parents=True)
    (weights / "model.safetensors").symlink_to(Path("yolox.safetensors").resolve())
    Path("runs/lqmot").mkdir()
    Path("runs/lqmot/best").symlink_to(Path("weights").resolve())
    Path("data/LQMOT/train.txt").write_text("MOT17-09, clean, val/MOT17-09\n")
    assert paper("table3", "--commands", "all.sh").code == 0
    lines = Path("all.sh").read_text().splitlines()
    wanted = [line for line in lines if "proposals/val" in line and ("bytetrack" in line or "runs/lqmot/" in line)]
    wanted = [line for line in lines if line.startswith("vsdmot detect data/LQMOT/val.txt")] + wanted
    assert len(wanted) == 1 + 2 * len(NAMES)
    for line in wanted:
        assert main(shlex.split(line)[1:]) == 0
    outcome = paper("table3", "--commands", "all.sh", "--overwrite")
    numbers = {row[0]: row[1] for row in rows(outcome.out)}
    assert numbers["ByteTrack"] != "not run" != numbers["VSD-MOT"]
    assert "bytetrack" not in Path("all.sh").read_text()


# Numbers of the paper


def test_no_number_of_the_paper_stands_in_the_table_unless_it_is_asked_for(paper):
    put_results("lqmot", "LQMOT")
    for table in TABLES:
        printed = set(re.findall(r"\b\d\d\.\d\b", paper(table).out)) - {"100.0"}
        assert not printed & {f"{value:.1f}" for row in QUOTED[table] for value in row}


def test_quoted_numbers_stand_apart_and_say_so(paper):
    put_results("lqmot", "LQMOT")
    files = ("--markdown", "t.md", "--latex", "t.tex", "--csv", "t.csv")
    outcome = paper("table3", "--with-paper", *files)
    assert rows(outcome.out)[-1] == ["VSD-MOT", *["100.0"] * 5, "58.6", "63.1", "54.6", "69.4", "65.2"]
    for text in (outcome.out, Path("t.md").read_text(), Path("t.tex").read_text()):
        assert "HOTA (quoted)" in text
        assert "quoted: Table III of Du" in text
    with Path("t.csv").open(newline="") as file:
        last = list(csv.DictReader(file))[-1]
    assert (last["HOTA"], last["quoted_HOTA_percent"]) == ("1.0", "58.6")
    assert "t.md exists; add --overwrite" in paper("table3", *files[:2]).err


def test_quotes_are_what_the_paper_prints():
    path = Path(__file__).resolve().parents[3] / "shared" / "paper" / "VSD-MOT.txt"
    if not path.is_file():
        pytest.skip("needs the paper's text beside the checkout (shared/paper/VSD-MOT.txt)")
    text = path.read_text(encoding="utf-8").replace("<b>", "").replace("</b>", "")
    printed: dict[str, list[tuple[float, ...]]] = {}
    number = ""
    for line in text.splitlines():
        heading = re.fullmatch(r"TABLE ([IVX]+)", line.strip())
        number = heading[1] if heading else number
        values = [float(cell) for cell in line.split("\t") if re.fullmatch(r"\d+\.\d", cell)]
        if len(values) >= 5:
            printed.setdefault(number, []).append(tuple(values[-5:]))
        elif number == "VIII" and len(values) == 2:
            printed.setdefault(number, []).append(tuple(values))
    assert printed.pop("VIII") == list(QUOTED_EFFICIENCY)
    assert printed == {TABLES[name].number: list(quoted) for name, quoted in QUOTED.items()}


# Table VIII


class TestTable8:
    PRESET = (
        "model: {backbone: resnet18, hidden_dim: 64, num_heads: 4, encoder_layers: 1, decoder_layers: 1,"
        " feedforward_dim: 64, num_learned_queries: 2, student: {hidden_dim: 16, num_layers: 1, feedforward_dim: 16}}\n"
        "preprocessing: {short_side: 64, long_side: 128}\n"
    )

    @pytest.fixture(autouse=True)
    def _here(self, playground, monkeypatch):
        monkeypatch.chdir(playground)
        Path("small.yaml").write_text(self.PRESET)

    def test_it_is_measured_kept_and_shown_again(self, vsdmot):
        command = ["paper", "table8", "--runs", "runs"]
        outcome = vsdmot(*command)
        assert outcome.code == 0
        assert "missing: runs/table8.json" in outcome.out
        (advice,) = [line.strip() for line in outcome.out.splitlines() if line.startswith("  vsdmot")]
        assert shlex.split(advice)[1:] == [*command, "--measure"]
        how = ["--preset", "small.yaml", "--frames", "2", "--source", "clip.mp4", "--proposals", "3", "--device", "cpu"]
        measured = vsdmot(*command, "--measure", *how)
        assert measured.code == 0, measured.err
        kept = json.loads(Path("runs/table8.json").read_text())
        assert len(kept["settings"]["seconds"]) == kept["settings"]["frames"] == 2
        counts = [one["parameters"] for one in kept["variants"]]
        assert counts[2] == counts[1] + 2  # DSWR has a slope and a bias
        assert counts[0] < counts[1]
        assert all(one["fps"] > 0 for one in kept["variants"])
        assert kept["variants"][0]["relative_speed"] == 1
        again = vsdmot(*command, "--csv", "t.csv", "--markdown", "t.md", "--latex", "t.tex", "--overwrite")
        assert rows(again.out) == rows(measured.out)
        with Path("t.csv").open(newline="") as file:
            assert [int(row["parameters"]) for row in csv.DictReader(file)] == counts
        assert "measured on cpu" in Path("t.md").read_text()
        assert r"\toprule" in Path("t.tex").read_text()
        quoted = vsdmot(*command, "--with-paper")
        assert rows(quoted.out)[0][-2:] == ["41.9", "15.8"]
        assert "15.8" not in again.out

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["--frames", "3"], "are for --measure, which is not given"),
            (["--measure", "--preset", "configs/motrv2.yaml"], "expected the whole network, with student and dswr"),
            (["--measure", "--preset", "small.yaml", "--source", "clip.mp4", "--frames", "99"], "at least 100 frames"),
            (["--measure", "--source", "nowhere.mp4"], "nowhere.mp4: no such file"),
            (["--csv", "t", "--latex", "t"], "must name different files"),
        ],
    )
    def test_mistakes_are_told_in_one_line(self, refused, words, message):
        assert message in refused("paper", "table8", "--runs", "runs", *words)

    def test_a_kept_file_that_is_damaged_is_named(self, refused):
        Path("runs").mkdir()
        Path("runs/table8.json").write_text('{"variants": []}')
        assert "runs/table8.json: expected what --measure writes" in refused("paper", "table8", "--runs", "runs")


# Figures


class TestFigures:
    @pytest.fixture(autouse=True)
    def _runs(self, playground, monkeypatch, draw_sequence):
        """A sequence of both validation sets, a perfect run of VSD-MOT and one of MOTRv2 that switches an id."""
        monkeypatch.chdir(playground)
        for split, set_name in (("val", "LQDanceTrack"), ("val_clean", "DanceTrack")):
            folder = draw_sequence(playground / "data/LQDanceTrack" / split / "dancetrack0058", num_frames=8)
            lines = (folder / "gt/gt.txt").read_text().replace(",1,1,1\n", ",0.9,-1,-1,-1\n").splitlines()
            switched = [re.sub(r"^([5-8]),1,", r"\1,7,", line) for line in lines]
            for run, text in (("lqdancetrack", lines), ("motrv2_lqdancetrack", switched)):
                path = playground / "runs" / run / set_name / "dancetrack0058.txt"
                path.parent.mkdir(parents=True)
                path.write_text("\n".join(text) + "\n")

    COMMON = ("--root", "data", "--runs", "runs", "--recipes", "configs/train")

    @pytest.mark.parametrize("figure", ["fig6", "fig7"])
    def test_the_baseline_stands_above_vsd_mot_and_its_switch_is_marked(self, vsdmot, figure):
        size = ("--columns", "2", "--cell-width", "96")
        assert vsdmot("paper", figure, *self.COMMON, *size, "-o", "strip.png").code == 0
        with PIL.Image.open("strip.png") as picture:
            pixels = np.asarray(picture.convert("RGB")).astype(int)
        red = (np.abs(pixels - WRONG) < 25).all(axis=2)
        middle = len(pixels) // 2 + 13  # below a heading of 26 pixels, two rows of the same height
        assert red[:middle].sum() > 20
        assert not red[middle:].any()

    def test_frames_can_be_chosen(self, vsdmot):
        words = ("paper", "fig6", *self.COMMON, "--cell-width", "96")
        assert vsdmot(*words, "--frames", "2,3,6", "--output", "three.png").code == 0
        assert vsdmot(*words, "--frames", "2", "--output", "one.png").code == 0
        with PIL.Image.open("three.png") as three, PIL.Image.open("one.png") as one:
            assert three.width > one.width + 150
        assert "one.png exists; add --overwrite" in vsdmot(*words, "--output", "one.png").err
        assert vsdmot(*words, "--output", "one.png", "--overwrite").code == 0

    def test_a_run_that_is_missing_is_named_with_the_commands_that_make_it(self, vsdmot):
        Path("runs/lqdancetrack/DanceTrack/dancetrack0058.txt").unlink()
        outcome = vsdmot("paper", "fig7", *self.COMMON, "-o", "strip.png")
        assert outcome.code == 2
        assert "runs/lqdancetrack/DanceTrack: expected the results of dancetrack0058, there are none" in outcome.err
        assert "vsdmot train configs/train/lqdancetrack.yaml root=data -o runs/lqdancetrack" in outcome.err
        assert "motrv2_lqdancetrack" not in outcome.err
        assert not Path("strip.png").exists()

    def test_a_sequence_that_is_not_there_is_named(self, vsdmot):
        outcome = vsdmot("paper", "fig6", *self.COMMON, "--sequence", "dancetrack0004", "-o", "strip.png")
        assert outcome.code == 2
        assert "data/LQDanceTrack/val/dancetrack0004: expected a sequence of the validation set" in outcome.err


# Mistakes


def test_unknown_tables_name_the_nearest(refused):
    assert refused("paper", "tabel3") == "paper tabel3: did you mean table3?"
    assert refused("paper", "zzz") == f"paper zzz: one of {', '.join(SUBVERBS)}"


def test_settings_come_from_a_file(vsdmot, data):
    Path("paper.yaml").write_text("root: data\nruns: runs\nwith_paper: true\n")
    outcome = vsdmot("paper", "table7", "--config", "paper.yaml")
    assert outcome.code == 0
    assert "HOTA (quoted)" in outcome.out


def test_help_lists_the_tables(capsys):
    with pytest.raises(SystemExit):
        main(["paper"])
    out = capsys.readouterr().out
    assert all(name in out for name in SUBVERBS)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--root", "gt.txt"], "--root: expected a folder, gt.txt is a file"),
        (["--csv", "t", "--latex", "t"], "must name different files"),
        (["--decimals", "9"], "--decimals: must be from 0 to 6"),
    ],
)
def test_mistakes_are_told_in_one_line(refused, data, words, message):
    assert message in refused("paper", "table3", "--root", "data", "--runs", "runs", *words)
