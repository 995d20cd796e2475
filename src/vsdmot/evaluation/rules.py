"""Which boxes count: the rules of the benchmarks, and which of them a sequence is judged by.

The rules differ in what they do before anything is measured:

- ``mot15``: ground truth with the flag 0 is left out; classes are not looked at, because the files hold none.
- ``mot16``, ``mot17``, ``dancetrack``: besides, only pedestrians (class 1) are asked for, and what a tracker reports on
  a person on a vehicle, a static person, a distractor or a reflection is neither right nor wrong.
- ``mot20``: the same, and non-motorised vehicles are such distractors too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from vsdmot.io.annotations import PEDESTRIAN, UNKNOWN_CLASS, GroundTruth

RuleName = Literal["mot15", "mot16", "mot17", "mot20", "dancetrack"]
RuleChoice = Literal["auto", "mot15", "mot16", "mot17", "mot20", "dancetrack"]


@dataclass(frozen=True)
class Rule:
    """How a benchmark treats the classes of its ground truth.

    Attributes:
        name: The benchmark.
        uses_classes: Whether ground truth that is no pedestrian is left out.
        distractors: Classes on which a report is neither right nor wrong.
    """

    name: RuleName
    uses_classes: bool
    distractors: frozenset[int] = frozenset()


_PEOPLE_IN_DOUBT = frozenset({2, 7, 8, 12})  # on a vehicle, static, distractor, reflection
_NON_MOT_VEHICLE = 6
RULES: dict[str, Rule] = {
    "mot15": Rule("mot15", uses_classes=False),
    "mot16": Rule("mot16", uses_classes=True, distractors=_PEOPLE_IN_DOUBT),
    "mot17": Rule("mot17", uses_classes=True, distractors=_PEOPLE_IN_DOUBT),
    "mot20": Rule("mot20", uses_classes=True, distractors=_PEOPLE_IN_DOUBT | {_NON_MOT_VEHICLE}),
    "dancetrack": Rule("dancetrack", uses_classes=True, distractors=_PEOPLE_IN_DOUBT),
}


@dataclass(frozen=True)
class ChosenRule:
    """A rule, and why it was taken.

    Attributes:
        rule: The rule.
        reason: A clause that follows "because".
    """

    rule: Rule
    reason: str


def choose_rule(choice: RuleChoice, name: str, truth: GroundTruth) -> ChosenRule:
    """Take the rule that was asked for or, for ``auto``, the one that suits the ground truth.

    The name of the sequence, or else its path, decides only between rules that use classes: sequences of MOT15 lie in
    folders of any name, and have no classes wherever they lie.

    Args:
        choice: A rule, or ``auto``.
        name: The sequence.
        truth: Its ground truth.
    """
    if choice not in get_args(RuleChoice):
        raise ValueError(f"rule must be one of {', '.join(get_args(RuleChoice))}, got {choice!r}")
    if choice != "auto":
        return ChosenRule(RULES[choice], "it was asked for")
    if truth.is_labelled:
        return ChosenRule(RULES["mot17"], "labels.txt names the classes")
    if not len(truth):
        return ChosenRule(RULES["mot15"], "the ground truth is empty")
    if (truth.classes == UNKNOWN_CLASS).all():
        return ChosenRule(RULES["mot15"], "the ground truth holds no classes")
    benchmarks = [rule for rule in RULES if rule != "mot15"]
    for where, text in (("name", name), ("path", str(truth.path.absolute().parent))):
        named = [rule for rule in benchmarks if rule in text.lower()]
        if len(named) == 1:
            return ChosenRule(RULES[named[0]], f"the sequence's {where} says so")
    if (truth.classes == PEDESTRIAN).all():
        return ChosenRule(RULES["mot17"], "every box is of class 1, where all rules with classes agree")
    return ChosenRule(RULES["mot17"], "the ground truth holds classes, and no name speaks of another benchmark")
