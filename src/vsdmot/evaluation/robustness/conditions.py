"""The conditions under which trackers are tested: clean, and each degradation at each severity."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vsdmot.degradation.operators import SEVERITIES, Operator
from vsdmot.degradation.schedule import DegradeSettings
from vsdmot.errors import ConfigError

_RANGE = re.compile(r"(\d+)(?:-(\d+))?")


@dataclass(frozen=True)
class Condition:
    """How frames are spoilt before they are tracked.

    Attributes:
        degradation: The operator; None leaves frames as they are.
        severity: 1 (mild) to 5 (hardly usable); 0 where there is no degradation.
    """

    degradation: Operator | None
    severity: int

    def __post_init__(self) -> None:
        if (self.degradation is None) != (self.severity == 0):
            raise ValueError(f"severity 0 means no degradation, got {self.degradation} at {self.severity}")

    def __str__(self) -> str:
        return "clean" if self.degradation is None else f"{self.degradation} {self.severity}"

    @property
    def folder(self) -> str:
        """Where results and frames of this condition lie: ``clean``, or ``noise/3``."""
        return "clean" if self.degradation is None else f"{self.degradation}/{self.severity}"

    def settings(self, seed: int) -> DegradeSettings:
        """Give the settings of `vsdmot degrade`: the same severity in every frame."""
        if self.degradation is None:
            raise ValueError("clean frames are not degraded")
        return DegradeSettings(mode="fixed", seed=seed, severity=self.severity, only=(self.degradation,))


CLEAN = Condition(None, 0)


def conditions(degradations: Sequence[Operator], severities: Sequence[int]) -> list[Condition]:
    """List the conditions of a test: clean once, then each degradation from mild to severe.

    >>> [str(one) for one in conditions(("blur", "noise"), (0, 2, 4))]
    ['clean', 'blur 2', 'blur 4', 'noise 2', 'noise 4']
    """
    worse = [Condition(operator, severity) for operator in degradations for severity in severities if severity]
    return [CLEAN, *worse] if 0 in severities else worse


def parse_severities(text: str) -> tuple[int, ...]:
    """Read severities as ``0-5`` or ``0,1,3-5``; 0 is clean.

    Raises:
        ConfigError: It is no such text, or holds others than 0 to 5.

    >>> parse_severities("0, 2-4")
    (0, 2, 3, 4)
    """
    found: set[int] = set()
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first > last or last > SEVERITIES[-1]:
            raise ConfigError(f"severities: must be from 0 (clean) to {SEVERITIES[-1]}, as 0-5 or 0,1,3, got {text!r}")
        found.update(range(first, last + 1))
    return tuple(sorted(found))
