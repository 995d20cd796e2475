"""Which sequences train and which validate, and how many of the former are degraded (Sec. IV-A, Table VI).

Paper note: the paper says how many sequences of MOT17 and MOT20 train (5 and 2), not which. Here MOT17-09 (still
camera), MOT17-13 (moving camera), MOT20-03 and MOT20-05 validate; MOT20-01 and MOT20-02 show the same place and both
train. A file can say otherwise (`read_membership`).
"""

from __future__ import annotations

import difflib
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import yaml

from vsdmot.errors import ConfigError, FormatError


@dataclass(frozen=True, kw_only=True)
class Membership:
    """Names of sequences, each in one set only.

    Attributes:
        train: Sequences to train on.
        validation: Sequences to validate on; all of them are degraded, beside the clean originals.
        degraded: Training sequences that are degraded; None leaves the choice to ratio and seed.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    degraded: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        names = [*self.train, *self.validation]
        if not names or len(set(names)) < len(names):
            raise ValueError("expected at least one sequence, and each sequence in one set and once only")
        if not set(self.degraded or ()) <= set(self.train):
            raise ValueError("expected degraded sequences to be training sequences")

    def choose(self, ratio: Ratio, seed: int) -> Self:
        """Settle which training sequences are degraded, unless that is settled already.

        Sequences are put into an order that depends on the seed and their names alone, and the first ones are taken. So
        with one seed the sequences degraded at 1:1 are among those degraded at 2:1, and ratios compare like with like.
        """
        if self.degraded is not None:
            return self
        order = sorted(self.train, key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest())
        chosen = set(order[: ratio.num_low(len(order))])
        degraded = tuple(name for name in self.train if name in chosen)
        return type(self)(train=self.train, validation=self.validation, degraded=degraded)


@dataclass(frozen=True)
class Ratio:
    """Low-quality to high-quality sequences, as in Table VI: 2:1 means that two of three are degraded.

    Attributes:
        low: Parts that are degraded.
        high: Parts that stay clean.
    """

    low: int
    high: int

    def __post_init__(self) -> None:
        if self.low < 0 or self.high < 0 or self.low + self.high == 0:
            raise ValueError(f"expected two whole numbers that are not both 0, got {self.low} and {self.high}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``LOW:HIGH``.

        Raises:
            ValueError: It is no such text; the message says what is expected.

        >>> Ratio.parse("2:1")
        Ratio(low=2, high=1)
        """
        match = re.fullmatch(r"([0-9]{1,6}):([0-9]{1,6})", text.strip())
        if match is None or int(match[1]) + int(match[2]) == 0:
            # YAML reads an unquoted 2:1 as 2 minutes and 1 second.
            quotes = "; in a YAML file it needs quotes" if text.isdigit() else ""
            raise ValueError(f"LOW:HIGH, two whole numbers such as 2:1, 1:1, 0:1 (all clean) or 1:0{quotes}")
        return cls(int(match[1]), int(match[2]))

    def num_low(self, count: int) -> int:
        """Tell how many of ``count`` sequences are degraded: the nearest number, halves upwards.

        >>> [Ratio(2, 1).num_low(count) for count in (40, 7)], Ratio(1, 1).num_low(7)
        ([27, 5], 4)
        """
        parts = self.low + self.high
        return (2 * count * self.low + parts) // (2 * parts)

    def __str__(self) -> str:
        return f"{self.low}:{self.high}"


def _dancetrack(numbers: str) -> tuple[str, ...]:
    return tuple(f"dancetrack{int(number):04d}" for number in numbers.split())


PAPER = {
    # The official sets of DanceTrack; its 35 test sequences have no public ground truth.
    "lqdancetrack": Membership(
        train=_dancetrack(
            "1 2 6 8 12 15 16 20 23 24 27 29 32 33 37 39 44 45 49 51 52 53 55 57 61 62 66 68 69 72 74 75 80 82 83 86 "
            "87 96 98 99"
        ),
        validation=_dancetrack("4 5 7 10 14 18 19 25 26 30 34 35 41 43 47 58 63 65 73 77 79 81 90 94 97"),
    ),
    # MOT17 holds every sequence three times, once for each detector; the names here mean any one of the copies.
    "lqmot": Membership(
        train=("MOT17-02", "MOT17-04", "MOT17-05", "MOT17-10", "MOT17-11", "MOT20-01", "MOT20-02"),
        validation=("MOT17-09", "MOT17-13", "MOT20-03", "MOT20-05"),
    ),
}
"""The paper's data sets by name."""


def write_membership(membership: Membership) -> str:
    """Write the YAML that `read_membership` reads.

    >>> print(write_membership(Membership(train=("a", "b"), validation=("c",), degraded=("b",))), end="")
    train: [a, b]
    validation: [c]
    degraded: [b]
    """
    values = {"train": list(membership.train), "validation": list(membership.validation)}
    if membership.degraded is not None:
        values["degraded"] = list(membership.degraded)
    return yaml.safe_dump(values, sort_keys=False, default_flow_style=None, width=100, allow_unicode=True)


def read_membership(path: Path) -> Membership:
    """Read which sequences train and validate from a YAML file that somebody edited.

    It holds the lists ``train`` and ``validation`` and, if the file is to say it, ``degraded``.

    Raises:
        ConfigError: The file is missing or not YAML.
        FormatError: It holds something else; every problem is told, with its line.
    """
    try:
        tree = yaml.compose(path.read_text(encoding="utf-8-sig"), Loader=yaml.SafeLoader)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: not readable as YAML: {' '.join(str(error).split())}") from None
    reader = _Reader(path)
    lists = reader.lists(tree)
    train, validation, degraded = (lists.get(key) for key in _KEYS)
    reader.compare(train or {}, validation or {}, degraded or {})
    if reader.problems:
        raise FormatError("\n".join(reader.problems))
    return Membership(
        train=tuple(train or ()),
        validation=tuple(validation or ()),
        degraded=None if degraded is None else tuple(degraded),
    )


_KEYS = ("train", "validation", "degraded")


class _Reader:
    """Take names and their lines from a YAML tree, and note every problem."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[str] = []

    def lists(self, tree: yaml.Node | None) -> dict[str, dict[str, int]]:
        """Give each list as a mapping from name to line."""
        if not isinstance(tree, yaml.MappingNode):
            self.problems.append(f"{self.path}: expected the lists train and validation, got something else")
            return {}
        found: dict[str, dict[str, int]] = {}
        for key, value in tree.value:
            if key.value not in _KEYS:
                near = difflib.get_close_matches(str(key.value), _KEYS, n=1)
                hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(_KEYS)}"
                self._note(key, f"{key.value}: unknown; {hint}")
            elif not isinstance(value, yaml.SequenceNode):
                self._note(value, f"{key.value}: expected a list of sequences")
            else:
                found[key.value] = self._names(value)
        return found

    def _names(self, node: yaml.SequenceNode) -> dict[str, int]:
        names: dict[str, int] = {}
        for item in node.value:
            # A folder's name, as it was written: 0001 is no number here.
            if not isinstance(item, yaml.ScalarNode) or not re.fullmatch(r"[^\s.,#/\\\x00][^,#/\\\x00]*", item.value):
                self._note(
                    item, f"expected the name of a sequence (no comma, # or slash), got {str(item.value)[:60]!r}"
                )
            elif item.value in names:
                self._note(item, f"{item.value} is also in line {names[item.value]}")
            else:
                names[item.value] = item.start_mark.line + 1
        return names

    def compare(self, train: dict[str, int], validation: dict[str, int], degraded: dict[str, int]) -> None:
        """Note sequences that are in both sets, or degraded without being in training."""
        for name in validation.keys() & train.keys():
            place = f"{self.path}:{validation[name]}"
            self.problems.append(f"{place}: {name} validates and trains (line {train[name]}); take it out of one list")
        for name in degraded.keys() - train.keys():
            self.problems.append(f"{self.path}:{degraded[name]}: {name} is degraded, but not listed under train")
        if not train and not validation and not self.problems:
            self.problems.append(f"{self.path}: expected names of sequences under train or validation, found none")

    def _note(self, node: yaml.Node, message: str) -> None:
        self.problems.append(f"{self.path}:{node.start_mark.line + 1}: {message}")
