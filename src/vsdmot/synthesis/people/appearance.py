"""How a person looks: build, skin, hair, clothes, and what is carried.

People of one scene may be dressed alike (`Wardrobe`), which is what makes DanceTrack hard: a tracker cannot tell them
apart by their colours.
"""

from __future__ import annotations

import colorsys
import dataclasses
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.motion.motion import Item
from vsdmot.synthesis.skeleton import Proportions

Hair = Literal["short", "buzzed", "bob", "long", "ponytail", "bun", "cap", "hood"]
Top = Literal["t-shirt", "shirt", "jacket", "coat", "dress"]
Bottom = Literal["trousers", "wide", "leggings", "shorts", "skirt"]
Colour = tuple[float, float, float]
T = TypeVar("T")


class Pattern(IntEnum):
    """What is on the cloth of the top."""

    PLAIN = 0
    STRIPES = 1
    CHECK = 2
    PRINT = 3
    BLOCK = 4


_SKIN: tuple[Colour, ...] = (
    (0.90, 0.72, 0.61),
    (0.82, 0.63, 0.50),
    (0.72, 0.52, 0.39),
    (0.55, 0.37, 0.26),
    (0.37, 0.24, 0.17),
)
_HAIR: tuple[Colour, ...] = (
    (0.05, 0.04, 0.035),
    (0.10, 0.07, 0.05),
    (0.20, 0.13, 0.08),
    (0.42, 0.31, 0.18),
    (0.36, 0.35, 0.34),
)
_TROUSERS: tuple[Colour, ...] = (
    (0.13, 0.16, 0.26),
    (0.21, 0.27, 0.39),
    (0.08, 0.08, 0.09),
    (0.32, 0.29, 0.23),
    (0.48, 0.43, 0.34),
    (0.17, 0.17, 0.18),
    (0.34, 0.40, 0.50),
)
_SHOES: tuple[Colour, ...] = ((0.06, 0.06, 0.06), (0.80, 0.80, 0.80), (0.26, 0.16, 0.10), (0.16, 0.17, 0.22))


@dataclass(frozen=True, kw_only=True)
class Appearance:
    """One person's looks; colours are red, green, blue in [0, 1].

    Attributes:
        proportions: Stature and build of the bones.
        female: Shape of the body.
        bulk: Thickness of limbs and trunk; 1 is slim, 1.3 stout.
        skin: Colour.
        hair: Style.
        hair_colour: Colour of the hair, cap or hood.
        top: What covers the trunk.
        top_colour: Its colour.
        accent: Colour of its pattern, of what is under an open jacket, and of a backpack.
        pattern: What is on it.
        short_sleeves: Whether the forearms are bare.
        hem: Where the top ends: metres above the ground on a body of 1.755 m.
        bottom: What covers the legs.
        bottom_colour: Its colour.
        shoe_colour: Colour of the shoes.
        item: What is carried.
        item_colour: Its colour.
        beard: Whether the chin is darker.
        seed: Of the folds in the cloth.
    """

    proportions: Proportions
    female: bool
    bulk: float
    skin: Colour
    hair: Hair
    hair_colour: Colour
    top: Top
    top_colour: Colour
    accent: Colour
    pattern: Pattern
    short_sleeves: bool
    hem: float
    bottom: Bottom
    bottom_colour: Colour
    shoe_colour: Colour
    item: Item
    item_colour: Colour
    beard: bool
    seed: int

    @property
    def open_front(self) -> bool:
        """Whether a jacket or coat is worn open, so that the accent shows under it."""
        return self.top in ("jacket", "coat") and self.seed % 5 < 3


@dataclass(frozen=True, kw_only=True)
class Wardrobe:
    """What the people of a scene have in common; None leaves it to each of them.

    Attributes:
        top: Kind of top.
        top_colours: The tops have one of these colours.
        bottom: Kind of bottom.
        bottom_colours: The bottoms have one of these colours.
        hair_colour: Colour of all hair.
        pattern: Pattern of all tops.
    """

    top: Top | None = None
    top_colours: tuple[Colour, ...] | None = None
    bottom: Bottom | None = None
    bottom_colours: tuple[Colour, ...] | None = None
    hair_colour: Colour | None = None
    pattern: Pattern | None = None


def draw_wardrobe(rng: np.random.Generator, *, alike: bool) -> Wardrobe:
    """Draw what the people of a scene wear: costumes that hardly differ, or everybody's own clothes."""
    if not alike:
        return Wardrobe()
    first = draw_cloth(rng)
    second = tuple(float(np.clip(value * rng.uniform(0.85, 1.15), 0.03, 0.92)) for value in first)
    return Wardrobe(
        top=_one(rng, ("t-shirt", "shirt", "shirt", "dress"), (0.4, 0.25, 0.2, 0.15)),
        top_colours=(first,) if rng.random() < 0.6 else (first, cast(Colour, second)),
        bottom=_one(rng, ("trousers", "wide", "leggings", "skirt"), (0.45, 0.25, 0.2, 0.1)),
        bottom_colours=(_vary(rng, _TROUSERS[rng.integers(len(_TROUSERS))], 0.1),),
        hair_colour=_HAIR[rng.integers(3)] if rng.random() < 0.7 else None,
        pattern=Pattern.PLAIN if rng.random() < 0.7 else Pattern(int(rng.integers(1, len(Pattern)))),
    )


def draw_appearance(
    rng: np.random.Generator, wardrobe: Wardrobe | None = None, *, item: Item = "none", child: bool = False
) -> Appearance:
    """Draw a person.

    Args:
        rng: Source of every draw.
        wardrobe: What is given; None leaves all to chance.
        item: What is carried.
        child: Whether it is a child of 1.0 to 1.4 m.
    """
    wardrobe = wardrobe or Wardrobe()
    female = bool(rng.random() < 0.47)
    top = wardrobe.top or _draw_top(rng, female)
    if top == "dress" and not female:
        top = "shirt"
    bottom = wardrobe.bottom or _draw_bottom(rng, female)
    if bottom == "skirt" and not female:
        bottom = "trousers"
    coat_hem, jacket_hem, other_hem = rng.uniform(0.50, 0.66), rng.uniform(0.74, 0.88), rng.uniform(0.82, 0.93)
    hems = {"coat": coat_hem, "jacket": jacket_hem, "dress": rng.uniform(0.42, 0.60)}
    hair_colour = wardrobe.hair_colour or _one(rng, _HAIR, (0.3, 0.28, 0.2, 0.12, 0.10))
    hair = _draw_hair(rng, female)
    if hair in ("cap", "hood"):
        hair_colour = draw_cloth(rng)
    return Appearance(
        proportions=Proportions.child(rng) if child else Proportions.adult(rng, female=female),
        female=female,
        bulk=float(np.clip(rng.normal(1.10, 0.09), 0.94, 1.36)) * (0.95 if female else 1.0),
        skin=_vary(rng, _SKIN[rng.integers(len(_SKIN))], 0.05),
        hair=hair,
        hair_colour=hair_colour,
        top=top,
        top_colour=_vary(rng, _pick(rng, wardrobe.top_colours) or draw_cloth(rng), 0.03),
        accent=draw_cloth(rng),
        pattern=wardrobe.pattern if wardrobe.pattern is not None else _draw_pattern(rng),
        short_sleeves=top in ("t-shirt", "dress") and bool(rng.random() < 0.85),
        hem=float(hems.get(top, other_hem)),
        bottom=bottom,
        bottom_colour=_vary(rng, _pick(rng, wardrobe.bottom_colours) or _draw_bottom_colour(rng, bottom), 0.05),
        shoe_colour=_SHOES[rng.integers(len(_SHOES))],
        item=item,
        item_colour=_vary(rng, draw_cloth(rng), 0.1) if rng.random() < 0.5 else (0.09, 0.09, 0.10),
        beard=not female and not child and bool(rng.random() < 0.3),
        seed=int(rng.integers(1 << 16)),
    )


def carrying(appearance: Appearance, item: Item) -> Appearance:
    """Give the same person another thing to carry."""
    return dataclasses.replace(appearance, item=item)


def draw_cloth(rng: np.random.Generator) -> Colour:
    """Draw a colour of cloth: as many greys, blacks and whites as colours."""
    if rng.random() < 0.45:
        value = float(rng.choice([rng.uniform(0.05, 0.25), rng.uniform(0.3, 0.6), rng.uniform(0.7, 0.92)]))
        return value, value * float(rng.uniform(0.96, 1.02)), value * float(rng.uniform(0.95, 1.07))
    return colorsys.hsv_to_rgb(rng.random(), 0.75 * rng.random() ** 0.8 + 0.1, rng.uniform(0.22, 0.8))


def _muted(colour: Colour, share: float) -> Colour:
    """Take a share of a colour's strength away, and some of its light: few people wear bright trousers."""
    grey = sum(colour) / 3
    red, green, blue = (0.8 * ((1 - share) * value + share * grey) for value in colour)
    return red, green, blue


def _draw_top(rng: np.random.Generator, female: bool) -> Top:
    if female:
        return _one(rng, ("t-shirt", "shirt", "jacket", "coat", "dress"), (0.27, 0.25, 0.24, 0.12, 0.12))
    return _one(rng, ("t-shirt", "shirt", "jacket", "coat"), (0.32, 0.28, 0.32, 0.08))


def _draw_bottom(rng: np.random.Generator, female: bool) -> Bottom:
    if female:
        return _one(rng, ("trousers", "wide", "leggings", "shorts", "skirt"), (0.36, 0.14, 0.25, 0.10, 0.15))
    return _one(rng, ("trousers", "wide", "shorts"), (0.66, 0.18, 0.16))


def _draw_hair(rng: np.random.Generator, female: bool) -> Hair:
    if female:
        return _one(
            rng, ("bob", "long", "ponytail", "bun", "short", "cap", "hood"), (0.2, 0.34, 0.2, 0.1, 0.08, 0.05, 0.03)
        )
    return _one(rng, ("short", "buzzed", "bob", "cap", "hood"), (0.60, 0.16, 0.08, 0.11, 0.05))


def _draw_pattern(rng: np.random.Generator) -> Pattern:
    return Pattern(int(rng.choice(len(Pattern), p=(0.56, 0.12, 0.08, 0.14, 0.10))))


def _draw_bottom_colour(rng: np.random.Generator, bottom: Bottom) -> Colour:
    if bottom == "skirt" or rng.random() < 0.15:
        return _muted(draw_cloth(rng), 0.45)
    return _TROUSERS[rng.integers(len(_TROUSERS))]


def _one(rng: np.random.Generator, choices: tuple[T, ...], weights: tuple[float, ...]) -> T:
    return choices[int(rng.choice(len(choices), p=np.divide(weights, sum(weights))))]


def _pick(rng: np.random.Generator, colours: tuple[Colour, ...] | None) -> Colour | None:
    return colours[int(rng.integers(len(colours)))] if colours else None


def _vary(rng: np.random.Generator, colour: Colour, spread: float) -> Colour:
    factor = rng.uniform(1 - spread, 1 + spread)
    red, green, blue = (float(np.clip(value * factor, 0.02, 0.95)) for value in colour)
    return red, green, blue


def as_array(colours: list[Colour]) -> NDArray[np.float32]:
    """Give colours one after the other, as the drawing loops want them."""
    return np.array(colours, np.float32).ravel()
