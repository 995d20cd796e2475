"""Broken MOT text: a number for every file, or one clear line; never another number than the official reader gives.

Texts are taken apart by chance. The default run takes seconds; ``VSDMOT_FUZZ_SECONDS=300`` sets how long it goes on,
and the same five minutes are a slow test.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import resource
import time
import tracemalloc
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from trackeval.datasets import MotChallenge2DBox
from trackeval.metrics import CLEAR, HOTA, Identity

from vsdmot.errors import FormatError, VsdmotError
from vsdmot.evaluation.evaluate import SequenceEvaluation, evaluate_sequence
from vsdmot.evaluation.official_text import read_tracks, read_truth
from vsdmot.evaluation.preprocess import prepare
from vsdmot.evaluation.rules import RULES, choose_rule
from vsdmot.evaluation.scores import FIELDS
from vsdmot.evaluation.tracked import MOST_FRAMES
from vsdmot.io.mot_text import LONGEST_LINE, MOST_COLUMNS

LENGTH = 6


def _draw(num_columns: int, delimiter: str = ",", *, of_tracker: bool = False) -> bytes:
    """Three people on their way, a distractor and a vehicle; a tracker sees all with an offset, and changes one id."""
    rows = []
    for frame in range(1, LENGTH + 1):
        for person, kind in ((1, 1), (2, 1), (3, 8), (4, 6)):
            left, top = 100 * person + 7 * frame, 40 + 3 * frame * person
            if of_tracker:
                track_id = 10 + person + 10 * (person == 1 and frame > 3)
                row = [frame, track_id, left + person * 2.5, top - 1, 38, 81, 0.9, -1, -1, -1]
            else:
                row = [frame, person, left, top, 40, 80, int(frame + person != 5), kind, 0.75, -1, -1]
            rows.append(delimiter.join(map(str, row[:num_columns])))
    return "\n".join(rows).encode() + b"\n"


TRUTHS = [_draw(9), _draw(9), _draw(8), _draw(10), _draw(7), _draw(9, " "), _draw(9, "\t"), _draw(9, ";"), b""]
TRACKS = [
    *(_draw(10, of_tracker=True), _draw(10, of_tracker=True), _draw(7, of_tracker=True), _draw(8, of_tracker=True)),
    *(_draw(10, delimiter, of_tracker=True) for delimiter in (" ", "\t", ";", ", ")),
    b"",
]

NUMBER_LIKE = (
    "nan -nan inf -inf infinity 1e400 -1e400 1e308 1e200 1e-17 1e-300 5e-324 -0 -0.0 0 0.4 0.5 0.999 .5 5. +1 1e0 "
    "10e-1 -1 -3 1.9 2 3 4 6 7 8 13 14 99999 1000001 1e12 1e15 1e18 1e19 9007199254740993 18446744073709551616 00001 . "
    "++1 -+1 1.2.3 1e 1e+ 0x10 0b1 1_0 1__0 1j 1d0 1L True None one # '1' \\1"
)
NUMBERS = [
    *NUMBER_LIKE.split(),
    *("", '"1"', '"1', "1'", "1\x00", "\x001", "\x00", "1\x1f", "\x1c1"),
    *("\u0663", "1\u0663", "\uff11", "\u00b2", "\u2160", "\u00bd", "\u0131nf", "\u22121"),
]
GAPS = [*"\x0b\x0c\x1c\x1f\x85\xa0\u2003\u2028\u3000\ufeff\t ", "  ", " \t"]
DELIMITERS = [*",;\t :|\xa0\x0be.", "  ", ", ", " ,", ",,", ";\t", "\t ", " \t"]
BYTES = b"\x00\n\r\t ,;.-+eE0123456789\"'#_\xff\xc3\xe2\xef\x80\x1c\x0b"


def mutate(text: bytes, chance: random.Random) -> bytes:
    """Break a text in one to three ways."""
    ways = (_change_bytes, _change_token, _change_line, _change_layout)
    for _ in range(chance.choice((1, 1, 1, 1, 2, 2, 3))):
        text = chance.choices(ways, weights=(1, 4, 1, 1))[0](text, chance)
    return text


def _change_bytes(text: bytes, chance: random.Random) -> bytes:
    at, end = sorted(chance.randrange(len(text) + 1) for _ in range(2))
    kind = chance.randrange(6)
    if kind == 0:
        return text[:at]
    if kind == 1:
        return text[:at] + bytes([chance.randrange(256)]) + text[at + 1 :]
    if kind == 2:
        return text[:at] + bytes([chance.choice(BYTES)]) + text[at:]
    if kind == 3:
        return text[:at] + bytes([chance.choice(BYTES)]) + text[at + 1 :]
    end = min(end, at + 40)
    return text[:at] + text[end:] if kind == 4 else text[:end] + text[at:]


def _change_token(text: bytes, chance: random.Random) -> bytes:
    lines = text.decode("utf-8", "surrogateescape").split("\n")
    at = chance.randrange(len(lines))
    delimiter = next((one for one in (",", ";", "\t", " ") if one in lines[at]), ",")
    tokens = lines[at].split(delimiter)
    column, other = (chance.randrange(len(tokens)) for _ in range(2))
    kind = chance.randrange(9)
    if kind <= 2:
        tokens[column] = chance.choice(NUMBERS)
    elif kind <= 4:
        tokens[column] = _nudge(tokens[column], chance)
    elif kind == 5:
        before, after = chance.choice(((chance.choice(GAPS), ""), ("", chance.choice(GAPS))))
        tokens[column] = before + tokens[column] + after
    elif kind == 6:
        del tokens[column]
    elif kind == 7:
        tokens.insert(column, chance.choice((tokens[other], *NUMBERS)))
    else:
        tokens[column], tokens[other] = tokens[other], tokens[column]
    lines[at] = delimiter.join(tokens)
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def _nudge(token: str, chance: random.Random) -> str:
    if not re.fullmatch(r" *\d{1,9}(\.\d+)?", token, re.ASCII):
        return "5"
    return f"{float(token) + chance.choice((-9.5, -1, -0.4, 0, 0.3, 1, 9)):.9g}"


def _change_line(text: bytes, chance: random.Random) -> bytes:
    lines = text.split(b"\n")
    at, other = (chance.randrange(len(lines)) for _ in range(2))
    kind = chance.randrange(9)
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines.insert(at, lines[other])
    elif kind == 2:
        chance.shuffle(lines)
    elif kind == 3:
        lines.insert(at, chance.choice((b"", b" ", b"\t", b",", b"# rows", b"frame,id,x", b"\x1a", b"\r", b'"')))
    elif kind == 4:
        lines[at] = lines[at] + lines[other]
    elif kind == 5:
        lines[at] += chance.choice(
            (b",", b" ", b"\t", b";", b",,", b", ", b",\t", b" ,", b"\t ", b"\r", b"\x00", b"\x0b")
        )
    elif kind == 6:
        lines[at] = chance.choice((b" ", b"  ", b"\t", b",", b"\xef\xbb\xbf", b"\r", b"\x0c")) + lines[at]
    elif kind == 7:
        lines[at] += b",1" * chance.choice((1, 5, MOST_COLUMNS, 30_000))
    else:
        lines[at] = lines[at][:1] + b"0" * chance.choice((20, 5_000, LONGEST_LINE + 1)) + lines[at][1:]
    return b"\n".join(lines)


def _change_layout(text: bytes, chance: random.Random) -> bytes:
    kind = chance.randrange(7)
    if kind == 0:
        return b"\xef\xbb\xbf" + text
    if kind == 1:
        return text.replace(
            b"\n", chance.choice((b"\r\n", b"\r", b"\n\r", b"\n\n", b",\n", b" \n", b"\x0b", b"\xc2\x85"))
        )
    if kind == 2:
        return text.rstrip(b"\n") + chance.choice((b"", b"\n\n", b"\n \n", b"\r", b"\x00", b"\x1a"))
    if kind == 3:
        return chance.choice((b"", b"\n", b" ", b"\r\n", b"\x00", text[: len(text) // 2]))
    if kind == 4:
        return text.decode("utf-8", "replace").encode(chance.choice(("utf-16", "utf-16-le", "utf-32")))
    old, new = (chance.choice(DELIMITERS).encode() for _ in range(2))
    old = next((one for one in (b",", b";", b"\t", b" ", old) if one in text), old)
    if kind == 5:
        return text.replace(old, new)
    lines = text.split(b"\n")
    at = chance.choice((0, 0, chance.randrange(len(lines))))
    lines[at] = lines[at].replace(old, new, chance.choice((1, -1)))
    return b"\n".join(lines)


@dataclass(frozen=True)
class Bench:
    """A folder laid out as the official evaluation wants it, and both evaluations of what lies in it."""

    folder: Path

    @property
    def truth(self) -> Path:
        return self.folder / "gt/S/gt/gt.txt"

    @property
    def tracks(self) -> Path:
        return self.folder / "trackers/T/data/S.txt"

    def write(self, truth: bytes, tracks: bytes, *, with_labels: bool = False) -> None:
        for path, text in ((self.truth, truth), (self.tracks, tracks)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
        labels = self.truth.with_name("labels.txt")
        labels.unlink(missing_ok=True)
        if with_labels:
            labels.write_text("person\ncar\nstatic_person\n" + "bag\n" * 5)

    def evaluate(self, rule_name: str, num_frames: int | None = LENGTH) -> SequenceEvaluation | VsdmotError:
        """Evaluate as we do; a warning is an exception like any other."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                uses_classes = rule_name != "auto" and RULES[rule_name].uses_classes
                truth = read_truth(self.truth, with_classes=uses_classes or None)
                rule = choose_rule(rule_name, "S", truth)
                return evaluate_sequence("S", truth, read_tracks(self.tracks), rule, num_frames, by_frame=True)
            except VsdmotError as error:
                return error

    def evaluate_officially(self, rule_name: str, num_frames: int = LENGTH) -> dict[str, float] | Exception:
        """Evaluate by the package's own reader and preprocessing."""
        config = {
            "GT_FOLDER": str(self.folder / "gt"), "TRACKERS_FOLDER": str(self.folder / "trackers"),
            "TRACKERS_TO_EVAL": ["T"], "BENCHMARK": rule_name.upper(), "SEQ_INFO": {"S": num_frames},
            "SKIP_SPLIT_FOL": True, "PRINT_CONFIG": False,
        }  # fmt: skip
        with contextlib.ExitStack() as quiet:
            nowhere = quiet.enter_context(open(os.devnull, "w"))
            quiet.enter_context(contextlib.redirect_stdout(nowhere))
            quiet.enter_context(contextlib.redirect_stderr(nowhere))
            quiet.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
            try:
                dataset = MotChallenge2DBox(config)
                raw = dataset.get_raw_seq_data("T", "S")
                if max(int(ids.max(initial=0)) for ids in raw["gt_ids"] + raw["tracker_ids"]) > 10**7:
                    return MemoryError(LARGE_IDS)
                data = dataset.get_preprocessed_seq_data(raw, "pedestrian")
                found = {name: one for metric in METRICS for name, one in metric.eval_sequence(data).items()}
                return {name: float(np.mean(found[name])) for name in FIELDS}
            except Exception as error:  # noqa: BLE001 (whatever it fails with, it gives no number)
                return error


METRICS = (HOTA(), CLEAR({"PRINT_CONFIG": False}), Identity({"PRINT_CONFIG": False}))
LARGE_IDS = "the package makes an array as long as the largest id"
NO_CLASSES = "GT data is not in a valid format, there is not enough rows"
WE_READ_MORE = (LARGE_IDS, NO_CLASSES)
"""What the package fails with and we do not: ids beyond its memory; ground truth of 7 columns, by the rule mot15."""


@pytest.fixture
def bench(tmp_path) -> Bench:
    return Bench(tmp_path)


def require_one_line(error: VsdmotError, bench: Bench) -> None:
    """The message names one of the two files, and the line unless the file as a whole is meant."""
    message = str(error)
    paths = "|".join(re.escape(str(path)) for path in (bench.truth, bench.tracks))
    assert re.match(rf"({paths}):(\d+:| expected UTF-8)", message), message
    assert len(message.splitlines()) == 1
    assert len(message) < 2500


def require_numbers(evaluation: SequenceEvaluation) -> None:
    """All are finite, and the frames add up to them."""
    assert np.isfinite(list(evaluation.scores.values.values())).all()
    assert all(np.isfinite(array).all() for array in evaluation.scores.per_alpha.values())
    assert evaluation.by_frame is not None
    for name, value in evaluation.by_frame.scores().items():
        assert value == pytest.approx(evaluation.scores[name], abs=1e-9), name


def draw(chance: random.Random) -> tuple[bytes, bytes]:
    """A broken ground truth, broken results, or both."""
    truth, tracks = chance.choice(TRUTHS), chance.choice(TRACKS)
    broken = chance.choices(("truth", "tracks", "both"), weights=(4, 4, 1))[0]
    truth = truth if broken == "tracks" else mutate(truth, chance)
    return truth, tracks if broken == "truth" else mutate(tracks, chance)


def fuzz(bench: Bench, *, seed: int, seconds: float = np.inf, most: float = np.inf) -> None:
    chance, end, count = random.Random(seed), time.monotonic() + seconds, 0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    while count < most and time.monotonic() < end:
        count += 1
        truth, tracks = draw(chance)
        rule, num_frames = chance.choice(("auto", *RULES)), chance.choice((LENGTH, LENGTH, 8, None))
        bench.write(truth, tracks, with_labels=chance.random() < 0.1)
        started = time.monotonic()
        try:
            found = bench.evaluate(rule, num_frames)
            if isinstance(found, VsdmotError):
                require_one_line(found, bench)
            else:
                require_numbers(found)
        except BaseException as error:
            error.add_note(f"seed {seed}, text {count}, rule {rule}, {num_frames} frames:\n{truth!r}\n{tracks!r}")
            raise
        longest = 60 + (0 if isinstance(found, VsdmotError) else 1e-4 * found.num_frames)
        assert time.monotonic() - started < longest, (truth, tracks)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 1_200_000, f"{grown} kB; the longest sequence may take 0.9 GB"


def test_broken_text_gives_numbers_or_one_line(bench):
    seconds = os.environ.get("VSDMOT_FUZZ_SECONDS")
    seed = int(os.environ.get("VSDMOT_FUZZ_SEED", "0"))
    if seconds is None:
        fuzz(bench, seed=seed, most=600)
    else:
        fuzz(bench, seed=seed, seconds=float(seconds))


@pytest.mark.slow
def test_broken_text_gives_numbers_or_one_line_for_five_minutes(bench):
    fuzz(bench, seed=1, seconds=300)


def test_broken_text_gives_the_official_numbers_or_an_error(bench):
    chance = random.Random(2)
    agreed = refused = 0
    for _ in range(1000):
        truth, tracks = draw(chance)
        rule = chance.choice(("mot15", "mot16", "mot17", "mot20"))
        bench.write(truth, tracks)
        ours, official = bench.evaluate(rule), bench.evaluate_officially(rule)
        if isinstance(ours, VsdmotError):
            refused += 1
        elif isinstance(official, Exception):
            assert str(official).startswith(WE_READ_MORE), (truth, tracks, rule)
        else:
            agreed += 1
            assert dict(ours.scores.values) == pytest.approx(official, abs=1e-9), (truth, tracks, rule)
    assert agreed > 150
    assert refused > 150


def change(text: bytes, line: int, column: int, value: str) -> bytes:
    lines = text.decode().split("\n")
    tokens = lines[line - 1].split(",")
    tokens[column] = value
    return "\n".join([*lines[: line - 1], ",".join(tokens), *lines[line:]]).encode()


def grow(text: bytes) -> bytes:
    return change(change(text, 3, 4, "1e200"), 3, 5, "1e200")


TRUTH, REPORT = TRUTHS[0], TRACKS[0]


@pytest.mark.parametrize(
    ("truth", "tracks", "message"),
    [
        (TRUTH, change(REPORT, 3, 1, "-1"), "S.txt:3: expected an id of 0 or more, got -1"),
        (change(TRUTH, 2, 1, "-1"), REPORT, "gt.txt:2: expected an id of 0 or more in ground truth, got id -1 in"),
        (TRUTH, change(REPORT, 3, 1, "nan"), "S.txt:3: expected an id, a number, got nan"),
        (TRUTH, change(REPORT, 3, 7, "inf"), "S.txt:3: expected class 1 (a person) or -1 (no class) in the eighth"),
        (change(TRUTH, 3, 6, "nan"), REPORT, "gt.txt:3: expected a flag that is a number, 0 to ignore the box, got"),
        (change(TRUTH, 3, 4, "inf"), REPORT, "gt.txt:3: expected a box of finite numbers in ground truth, got 307"),
        (b"", change(REPORT, 2, 2, "nan"), "S.txt:2: expected a box of numbers, got nan, 45"),
        (TRUTH, change(REPORT, 3, 2, "3_00"), "S.txt:3: expected numbers, got '3_00' in '1,13,3_00,"),
        (TRUTH, REPORT.replace(b",", b":"), "S.txt:1: expected numbers, got '1:11:"),
        (TRUTH, REPORT.replace(b",", b"\x0b"), r"S.txt:1: expected numbers, got '1\x0b11"),
        (TRUTH, REPORT.replace(b"1,11,", b'1,"11",', 1), "S.txt:1: expected numbers, got '\"11\"' in"),
        (TRUTH, REPORT.replace(b"\n", b",1" * MOST_COLUMNS + b"\n"), "S.txt:1: expected at most 100 values, got 110"),
    ],
    ids=[
        "negative track", "negative person", "id nan", "class inf", "flag nan", "infinite truth",
        "nan where nobody is", "underscore", "colons", "vertical tabs", "quotes", "wide",
    ],
)  # fmt: skip
def test_what_the_package_gives_a_number_for_and_we_refuse(bench, truth, tracks, message):
    bench.write(truth, tracks)
    assert isinstance(bench.evaluate_officially("mot17"), dict)
    assert message in str(bench.evaluate("mot17"))


def test_ids_of_distractors_may_be_negative(bench):
    bench.write(change(TRUTH, 3, 1, "-1"), REPORT)
    assert dict(bench.evaluate("mot17").scores.values) == pytest.approx(bench.evaluate_officially("mot17"), abs=1e-9)


@pytest.mark.parametrize(
    ("truth", "tracks", "is_read"),
    [
        (TRUTH, REPORT.replace(b",", b" ", 9).replace(b",", b"\t"), False),
        (TRUTH, REPORT.replace(b",", b"\t", 9).replace(b",", b" "), False),
        (TRUTH, REPORT.replace(b",", b";\t"), False),
        (TRUTH, REPORT.replace(b",", b"   "), True),
        (TRUTH, REPORT.replace(b",", b" \t"), True),
        (TRUTH, REPORT.replace(b",", b",\t"), True),
        (TRUTH, REPORT.replace(b"\n", b" , \n"), True),
        (TRUTH, REPORT.replace(b"\n", b",\t\n"), False),
        (TRUTH, REPORT.replace(b"\n", b",,\n"), False),
        (TRUTH, REPORT.replace(b"\n", b"\n\r"), False),
        (TRUTH, change(REPORT, 3, 2, "\uff13\u0660\uff10"), True),
        (TRUTH, change(REPORT, 3, 2, "\u00b2"), False),
        (TRUTH, change(REPORT, 3, 2, "300\x1f"), False),
        (TRUTH, change(REPORT, 3, 2, "300\x00"), False),
        (TRUTH, change(REPORT, 3, 2, "0" * (LONGEST_LINE + 1)), False),
        (TRUTH, change(REPORT, 3, 2, "0" * (LONGEST_LINE - 100)), True),
        (TRUTH, grow(REPORT), True),
        (change(TRUTH, 3, 4, "1e308"), change(REPORT, 3, 5, "1e308"), True),
        (grow(TRUTH), grow(REPORT), False),
    ],
    ids=[
        "spaces then tabs", "tabs then spaces", "semicolons and tabs", "three spaces", "spaces and tabs",
        "commas and tabs", "space and comma at the end", "comma and tab at the end", "two commas at the end",
        "reversed line ends", "other digits", "superscript", "unit separator", "null", "too long", "long",
        "infinite area", "large sides", "two infinite areas",
    ],
)  # fmt: skip
def test_odd_text_is_read_where_the_package_reads_it(bench, truth, tracks, is_read):
    bench.write(truth, tracks)
    ours, official = bench.evaluate("mot17"), bench.evaluate_officially("mot17")
    assert isinstance(official, dict) == is_read
    if is_read:
        assert dict(ours.scores.values) == pytest.approx(official, abs=1e-9)
    else:
        require_one_line(ours, bench)


def test_what_the_package_has_no_number_for_and_we_have(bench):
    for truth, tracks, rule in ((TRUTH, change(REPORT, 3, 1, "1e15"), "mot17"), (_draw(7), REPORT, "mot15")):
        bench.write(truth, tracks)
        assert str(bench.evaluate_officially(rule)).startswith(WE_READ_MORE)
        require_numbers(bench.evaluate(rule))


@pytest.mark.parametrize("frame", ["1000001", "1e12", "1e15"])
@pytest.mark.parametrize("side", ["truth", "tracks"])
def test_a_frame_far_out_is_refused_before_anything_is_made_for_it(bench, frame, side):
    texts = {"truth": TRUTH, "tracks": REPORT}
    bench.write(**texts | {side: change(texts[side], 3, 0, frame)})
    tracemalloc.start()
    found = bench.evaluate("mot17", None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert f"{getattr(bench, side)}:3: expected a frame of at most {MOST_FRAMES}, got " in str(found)
    assert peak < 10e6


def test_a_length_far_out_is_refused(bench):
    bench.write(TRUTH, REPORT)
    with pytest.raises(FormatError, match=r"^S: expected at most 1000000 frames, got 1000000000000$"):
        prepare("S", read_truth(bench.truth), read_tracks(bench.tracks), RULES["mot17"], 10**12)


@pytest.mark.parametrize(
    ("tracks", "message"),
    [
        (REPORT + b"6,99," + b"1" * (LONGEST_LINE - 5), "25: expected at least 7 values"),
        (REPORT + b"6,99," + b"1" * LONGEST_LINE, f"25: expected at most {LONGEST_LINE} characters"),
        (REPORT + b"6,99," + b"1" * 100_000 + b"x", "25: expected numbers, got '1111"),
        (REPORT * 500 + b"1," * 60_000 + b"1", f"12001: expected at most {MOST_COLUMNS} values"),
        (change(REPORT, 2, 2, "\u0131nf"), "2: expected numbers, got '\u0131nf'"),
        (change(REPORT, 2, 2, "\u2028"), r"2: expected numbers, got '\u2028' in '1,12,\u2028,45"),
    ],
    ids=["a long number", "a longer line", "a long word", "many columns", "dotless i", "line separator"],
)
def test_endless_and_odd_values_are_refused_at_once(bench, tracks, message):
    bench.write(TRUTH, tracks)
    started = time.monotonic()
    found = bench.evaluate("mot17")
    assert time.monotonic() - started < 60  # with a quadratic pattern it would be minutes
    require_one_line(found, bench)
    assert f"S.txt:{message}" in str(found)
