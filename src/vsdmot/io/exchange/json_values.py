"""Values of JSON objects that somebody else wrote, checked as they are taken."""

from __future__ import annotations

import math
from typing import Any

from vsdmot.io.exchange.table import TableBuilder


def whole(builder: TableBuilder, place: str, record: dict[str, Any], name: str) -> int:
    """Take a whole number.

    Raises:
        FormatError: It is missing or something else.
    """
    value = record.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise builder.fault(place, f"{name} that is a whole number", repr(value))
    return value


def number(builder: TableBuilder, place: str, record: dict[str, Any], name: str) -> float:
    """Take a number; NaN where it is null or missing.

    Raises:
        FormatError: It is something else.
    """
    value = record.get(name)
    if value is None:
        return math.nan
    if not _is_number(value):
        raise builder.fault(place, f"{name} that is a number or null", repr(value))
    return float(value)


def four_numbers(builder: TableBuilder, place: str, record: dict[str, Any], name: str) -> tuple[float, ...]:
    """Take a list of 4 numbers.

    Raises:
        FormatError: It is missing or something else.
    """
    value = record.get(name)
    if not isinstance(value, list) or len(value) != 4 or not all(map(_is_number, value)):
        raise builder.fault(place, f"{name} that is a list of 4 numbers", repr(value))
    return tuple(map(float, value))


def objects(builder: TableBuilder, place: str, record: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Take a list of objects.

    Raises:
        FormatError: It is missing or something else.
    """
    value = record.get(name)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise builder.fault(place, f"{name} that is a list of objects", repr(value))
    return value


def _is_number(value: object) -> bool:
    """Tell numbers from all else; NaN and infinity, which Python's JSON reads, and what no float64 holds, are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
