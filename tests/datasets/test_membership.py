"""Who trains, who validates, who is degraded; and the file in which a user says otherwise."""

from __future__ import annotations

import itertools

import pytest

from vsdmot.datasets.membership import PAPER, Membership, Ratio, read_membership, write_membership
from vsdmot.errors import ConfigError, FormatError


def test_the_papers_sets_have_the_papers_numbers():
    dance, mot = PAPER["lqdancetrack"], PAPER["lqmot"]
    assert (len(dance.train), len(dance.validation)) == (40, 25)
    assert (len(mot.train), len(mot.validation)) == (7, 4)
    assert [sum(name.startswith(kind) for name in mot.train) for kind in ("MOT17", "MOT20")] == [5, 2]
    numbers = {int(name.removeprefix("dancetrack")) for name in (*dance.train, *dance.validation)}
    assert len(numbers) == 65
    assert "dancetrack0058" in dance.validation  # Fig. 6 shows it as a validation sequence


@pytest.mark.parametrize(
    ("text", "of_40", "of_7"),
    [("2:1", 27, 5), ("1:1", 20, 4), ("0:1", 0, 0), ("1:0", 40, 7), ("1:2", 13, 2), ("3:1", 30, 5), ("4:2", 27, 5)],
)
def test_the_ratios_of_table_vi_and_others_give_whole_sequences(text, of_40, of_7):
    ratio = Ratio.parse(text)
    assert (ratio.num_low(40), ratio.num_low(7), ratio.num_low(0)) == (of_40, of_7, 0)
    assert len(PAPER["lqdancetrack"].choose(ratio, 0).degraded or ()) == of_40


@pytest.mark.parametrize("text", ["", "2", "2:", ":1", "0:0", "-1:2", "2/1", "1.5:1", "2:1:1", "²:1"])
def test_what_is_no_ratio_is_refused(text):
    with pytest.raises(ValueError, match=r"LOW:HIGH, two whole numbers such as 2:1"):
        Ratio.parse(text)


def test_a_ratio_that_yaml_read_as_a_time_is_explained():
    with pytest.raises(ValueError, match="in a YAML file it needs quotes"):
        Ratio.parse("121")


def test_the_seed_decides_who_is_degraded_and_higher_ratios_only_add():
    dance = PAPER["lqdancetrack"]
    chosen = [set(dance.choose(Ratio.parse(text), 7).degraded or ()) for text in ("0:1", "1:1", "2:1", "1:0")]
    for smaller, larger in itertools.pairwise(chosen):
        assert smaller < larger
    draws = {dance.choose(Ratio(2, 1), seed).degraded for seed in range(20)}
    assert len(draws) == 20
    # Fixed for all time: data sets of the same seed must not differ between versions.
    assert PAPER["lqmot"].choose(Ratio(2, 1), 0).degraded == (
        "MOT17-02",
        "MOT17-04",
        "MOT17-05",
        "MOT17-10",
        "MOT20-01",
    )


def test_a_choice_that_was_made_stays():
    membership = Membership(train=("a", "b"), validation=(), degraded=())
    assert membership.choose(Ratio(1, 0), 0) is membership


@pytest.mark.parametrize("membership", [*PAPER.values(), Membership(train=("0001", "ä b"), validation=(), degraded=())])
def test_what_is_written_is_read_back(tmp_path, membership):
    path = tmp_path / "split.yaml"
    for written in (membership, membership.choose(Ratio(2, 1), 1)):
        path.write_text(write_membership(written))
        assert read_membership(path) == written


def test_names_that_look_like_numbers_stay_names(tmp_path):
    path = tmp_path / "split.yaml"
    path.write_text("train: [0001, 1e5, yes]\nvalidation:\n- 2024-01-01\n")
    assert read_membership(path) == Membership(train=("0001", "1e5", "yes"), validation=("2024-01-01",))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", ["expected the lists train and validation"]),
        ("train", ["expected the lists train and validation"]),
        ("train: []", ["expected names of sequences under train or validation, found none"]),
        ("train: [a]\nvaldation: [b]", [":2: valdation: unknown; did you mean validation?"]),
        ("train: a", [":1: train: expected a list"]),
        ("train:\n- a\n- b\n- a", [":4: a is also in line 2"]),
        ("train:\n- a\nvalidation:\n- a", [":4: a validates and trains (line 2)"]),
        ("train: [a]\ndegraded: [b]", [":2: b is degraded, but not listed under train"]),
        ("train:\n- ../a\n- .\n- [b]", [":2: expected the name", ":3: expected the name", ":4: expected the name"]),
        ("train:\n- 'a, b'\n- 'c#'\n- ''", [":2: expected the name", ":3: expected the name", ":4: expected the name"]),
    ],
)
def test_every_problem_of_a_file_is_told_with_its_line(tmp_path, text, lines):
    path = tmp_path / "split.yaml"
    path.write_text(text)
    with pytest.raises(FormatError) as raised:
        read_membership(path)
    told = str(raised.value).splitlines()
    assert len(told) == len(lines)
    for line, expected in zip(told, lines, strict=True):
        assert line.startswith(str(path))
        assert expected in line


@pytest.mark.parametrize("content", [b"train: [a", b"\xff\xfe", b"!!python/object/apply:os.system [ls]\n- ]"])
def test_what_is_no_yaml_is_refused(tmp_path, content):
    (tmp_path / "split.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match="not readable as YAML"):
        read_membership(tmp_path / "split.yaml")
    with pytest.raises(ConfigError, match="no such file"):
        read_membership(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    "lists", [{"train": ("a", "a")}, {"train": ("a",), "validation": ("a",)}, {}, {"train": ("a",), "degraded": ("b",)}]
)
def test_a_membership_cannot_contradict_itself(lists):
    with pytest.raises(ValueError, match="expected"):
        Membership(**{"train": (), "validation": (), **lists})
