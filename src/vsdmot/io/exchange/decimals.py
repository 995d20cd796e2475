"""Numbers as people write them, so that boxes survive a change between sizes and corners to the last digit.

In binary, 794.27 + 71.245 - 794.27 is not 71.245. Files hold decimal numbers, and for these the sum is exact.
"""

from __future__ import annotations

from decimal import Decimal


def add(first: float, second: float) -> float:
    """Add two finite numbers as the decimals that they are written as.

    >>> 0.1 + 0.2, add(0.1, 0.2)
    (0.30000000000000004, 0.3)
    """
    return float(Decimal(repr(first)) + Decimal(repr(second)))


def subtract(first: float, second: float) -> float:
    """Subtract the second finite number from the first, as decimals.

    >>> 0.3 - 0.1, subtract(0.3, 0.1)
    (0.19999999999999998, 0.2)
    """
    return float(Decimal(repr(first)) - Decimal(repr(second)))


def text(value: float) -> str:
    """Write a finite number with as few digits as give it back exactly, and never with an exponent.

    >>> text(3.0), text(0.1), text(1e-7), text(-0.0)
    ('3', '0.1', '0.0000001', '0')
    """
    if value == 0:
        return "0"
    digits = format(Decimal(repr(float(value))), "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits
