"""Settings: every problem at once, in the user's spelling."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from vsdmot.config import at_least, attribute_help, check, from_mapping, load, to_mapping, within
from vsdmot.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Lens:
    """A lens.

    Attributes:
        zoom: How much nearer; raising it narrows the view,
            lowering it widens it.
        coating: Kind of coating.
    """

    zoom: float = 1.0
    coating: Literal["none", "blue"] = "none"

    def __post_init__(self) -> None:
        check(self, zoom=within(0.5, 10))


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A camera.

    Attributes:
        name: What it is called.
        shots: How many.
        size: Width and height.
        tags: Words.
        lens: Its lens.
        spare: Another lens.
        folder: Where pictures go.
        flash: Light up.
    """

    name: str
    shots: int = 1
    size: tuple[int, int] = (640, 480)
    tags: tuple[str, ...] = ()
    lens: Lens = field(default_factory=Lens)
    spare: Lens | None = None
    folder: Path | None = None
    flash: bool = False

    def __post_init__(self) -> None:
        check(self, shots=at_least(1))


def problems(values: dict[str, object]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        from_mapping(Camera, values)
    return str(caught.value).splitlines()


def test_all_problems_are_reported_together():
    lines = problems({"shots": "many", "nmae": "x", "lens": {"zom": 2}, "flash": 3})
    assert lines == [
        "shots: expected a whole number, got 'many'",
        "nmae: unknown setting; did you mean 'name'?",
        "lens.zom: unknown setting; did you mean 'lens.zoom'?",
        "flash: expected true or false, got 3",
        "name: missing, and there is no default",
    ]


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"shots": 0}, "shots: must be at least 1, got 0"),
        ({"shots": 1.5}, "shots: expected a whole number, got 1.5"),
        ({"shots": True}, "shots: expected a whole number, got True"),
        ({"lens": {"zoom": 99}}, "lens.zoom: must be from 0.5 to 10, got 99.0"),
        ({"lens": {"coating": "red"}}, "lens.coating: expected one of none, blue, got 'red'"),
        ({"lens": 3}, "lens: expected the settings of Lens, got 3"),
        ({"size": [1, 2, 3]}, "size: expected 2 values, each a whole number, got [1, 2, 3]"),
        ({"name": ["a"]}, "name: expected text, got ['a']"),
        ({"zzzz": 1}, "zzzz: unknown setting; known: flash, folder, lens, name, shots, size, spare, tags"),
    ],
)
def test_each_problem_says_what_was_expected_and_found(values, line):
    assert problems({"name": "a", **values}) == [line]


def test_text_from_the_command_line_becomes_the_right_type():
    overrides = {"name": "7", "shots": "3", "size": "1,2", "tags": "a,b", "lens.zoom": "1e0", "flash": "true",
                 "folder": "out", "spare.coating": "blue"}  # fmt: skip
    camera = load(Camera, None, overrides)
    assert camera == Camera(
        name="7", shots=3, size=(1, 2), tags=("a", "b"), lens=Lens(zoom=1.0), flash=True, folder=Path("out"),
        spare=Lens(coating="blue"),
    )  # fmt: skip


def test_overrides_win_over_the_file_and_errors_name_their_origin(tmp_path):
    path = tmp_path / "camera.yaml"
    path.write_text("name: front\nshots: 0\nlens: {zoom: 3}\n")
    with pytest.raises(ConfigError) as caught:
        load(Camera, path, {"lens.zoom": "50"}, lambda dotted: "--" + dotted)
    assert str(caught.value).splitlines() == [
        "--lens.zoom: must be from 0.5 to 10, got 50.0",
        f"{path}: shots: must be at least 1, got 0",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- 1\n- 2\n", "expected a mapping of names to values, got list"),
        ("a: [1\n", "not readable as YAML"),
        ("!!python/object/apply:os.system ['true']\n", "not readable as YAML"),
        ("name: a\nlens: 3\n", "lens: expected a mapping, because lens.zoom is set too, got 3"),
    ],
)
def test_bad_files_are_one_clear_line(tmp_path, text, message):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(Camera, path, {"lens.zoom": 1})
    assert str(path) in str(caught.value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(ConfigError, match="no such settings file"):
        load(Camera, tmp_path / "none.yaml")


def test_settings_survive_a_round_trip_through_plain_values():
    camera = Camera(name="a", spare=Lens(zoom=2.0), folder=Path("x"), tags=("p",))
    assert from_mapping(Camera, to_mapping(camera)) == camera


def test_help_texts_come_from_the_docstring_on_one_line():
    assert attribute_help(Lens)["zoom"] == "How much nearer; raising it narrows the view, lowering it widens it."


@dataclass(frozen=True, kw_only=True)
class Bag:
    """A bag of lenses.

    Attributes:
        lenses: What is in it.
    """

    lenses: tuple[Lens, ...] = ()


def test_a_list_of_settings_is_filled_one_by_one_and_every_problem_names_its_place():
    bag = from_mapping(Bag, {"lenses": [{"zoom": 3}, {}]})
    assert bag.lenses == (Lens(zoom=3), Lens())
    assert from_mapping(Bag, to_mapping(bag)) == bag
    with pytest.raises(ConfigError) as caught:
        from_mapping(Bag, {"lenses": [{"zom": 3}, {"zoom": "long"}]}, where="bag.yaml")
    assert [line.partition(": expected")[0] for line in str(caught.value).splitlines()] == [
        "bag.yaml: lenses[0].zom: unknown setting; did you mean 'lenses[0].zoom'?", "bag.yaml: lenses[1].zoom",
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="lenses: expected a list of the settings of Lens, got 3"):
        from_mapping(Bag, {"lenses": 3})
