"""A place while it is built: surfaces, what stands where, and the light of its weather."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.camera import Camera, orientation
from vsdmot.synthesis.light import Light
from vsdmot.synthesis.world.kit import Footprint, Kit, make_kit
from vsdmot.synthesis.world.light_field import LightField
from vsdmot.synthesis.world.lighting import Exposure, Lamp
from vsdmot.synthesis.world.materials import Colour
from vsdmot.synthesis.world.place import Place, Seat
from vsdmot.synthesis.world.sky import indoor_surroundings, outdoor_sky
from vsdmot.synthesis.world.surfaces import Surfaces

_MOST_ON_PEOPLE = 1.5  # light on what faces it; more would bleach skin before a dark backdrop
Weather = Literal["sunny", "overcast", "evening"]


@dataclass(frozen=True, eq=False)
class Mood:
    """Light, and what of it is seen directly.

    Attributes:
        light: Light on everything.
        sky: As in `vsdmot.synthesis.world.draw.Mesh`.
        haze: The same.
        softness: Metres over which shadows are blurred.
        brightness: Of the picture on the average, without the sky.
    """

    light: Light
    sky: NDArray[np.float32]
    haze: NDArray[np.float32]
    softness: float
    brightness: float = 0.5


@dataclass(eq=False)
class Site:
    """A place while it is built."""

    rng: np.random.Generator
    kit: Kit
    surfaces: Surfaces = field(default_factory=Surfaces)
    obstacles: list[Footprint] = field(default_factory=list)
    seats: list[Seat] = field(default_factory=list)
    lamps: list[Lamp] = field(default_factory=list)

    @classmethod
    def begin(cls, rng: np.random.Generator) -> Site:
        """Begin with nothing but materials."""
        return cls(rng, make_kit(rng))

    def chance(self, share: float) -> bool:
        """Say yes in a share of cases."""
        return bool(self.rng.random() < share)

    def pick(self, low: float, high: float) -> float:
        """Draw a number."""
        return float(self.rng.uniform(low, high))

    def one_of(self, colours: Sequence[Colour]) -> Colour:
        """Draw a colour and vary it a little."""
        colour = colours[int(self.rng.integers(len(colours)))]
        scale = self.pick(0.92, 1.06)
        return colour[0] * scale, colour[1] * scale, colour[2] * scale

    def is_free(self, footprint: Footprint, gap: float = 0.3) -> bool:
        """Say whether nothing stands there yet."""
        x0, y0, x1, y1 = footprint
        return all(x1 + gap < a or c + gap < x0 or y1 + gap < b or d + gap < y0 for a, b, c, d in self.obstacles)

    def finish(self, name: str, mood: Mood, walkable: Footprint, backdrop: float) -> Place:
        """Compute the light and hand the place over; only what stands in the walkable part is kept as an obstacle."""
        x0, y0, x1, y1 = walkable
        inside = [o for o in self.obstacles if o[0] < x1 and o[2] > x0 and o[1] < y1 and o[3] > y0]
        mesh, exposure = self.surfaces.bake(mood.light, mood.sky, mood.haze, self.lamps, mood.softness)
        light, light_field = _light_among(exposure, mood.light, walkable)
        place = Place(
            name=name,
            mesh=mesh,
            light=light,
            walkable=walkable,
            obstacles=np.array(inside, np.float64).reshape(-1, 4),
            seats=tuple(s for s in self.seats if x0 <= s.x <= x1 and y0 <= s.y <= y1),
            backdrop=backdrop,
            light_field=light_field,
        )
        return _exposed(place, mood.brightness)


def _light_among(exposure: Exposure, light: Light, walkable: Footprint) -> tuple[Light, LightField]:
    """Give the light for people: what reaches the ground that they walk on, on the average, and how it differs."""
    x, y, z = exposure.places.T
    x0, y0, x1, y1 = walkable
    ground = (z < 0.1) & (exposure.normals[:, 2] > 0.9) & (x > x0) & (x < x1) & (y > y0) & (y < y1)
    sky, key = float(exposure.sky[ground].mean()), float(exposure.key[ground].mean())
    lamps = exposure.lamps[ground].mean(axis=0)
    mean_sky, mean_key = light.sky * (0.3 + 0.7 * sky) + lamps, min(1.0, 0.2 + 1.1 * key)
    around = light.sky.mean() * (0.3 + 0.7 * exposure.sky[ground]) + exposure.lamps[ground].mean(axis=1)
    field = LightField.over(
        walkable,
        exposure.places[ground, :2],
        (0.06 + 0.94 * exposure.key[ground]) / mean_key,
        around / mean_sky.mean(),
    )
    return replace(light, sky=mean_sky, key=light.key * mean_key), field


def _exposed(place: Place, brightness: float) -> Place:
    """Set the exposure as a camera does: what is not sky has a given brightness on the average."""
    shown = []
    for yaw in (-0.35, 0.35):
        position = np.array([0.0, 0.0, 2.2])
        camera = Camera(width=96, height=54, focal=76.0, position=position, rotation=orientation(yaw, -0.12))
        colour, depth = np.empty((54, 96, 3), np.float32), np.empty((54, 96), np.float32)
        place.draw(camera, colour, depth)
        shown.append(np.minimum(colour[depth > 0], 1.0))
    mesh, light = place.mesh, place.light
    on_people = float(light.on(np.array([0.0, -0.7, 0.714])).max())
    gain = min(float(np.clip(brightness / np.concatenate(shown).mean(), 0.6, 2.2)), _MOST_ON_PEOPLE / on_people)
    lit = np.ones(len(mesh.light), bool)
    lit[mesh.kind[mesh.kind[:, 5] == 1, 4]] = False  # not lamps
    mesh.light[lit] *= gain
    mesh.sky[:] = np.minimum(mesh.sky * gain**0.5, 1.3)
    mesh.haze[:3] *= gain**0.5
    brighter = replace(light, key=light.key * gain, sky=light.sky * gain, ground=light.ground * gain)
    return replace(place, light=brighter)


def outdoor_mood(rng: np.random.Generator, *, aside: float = 0.43) -> tuple[Weather, Mood]:
    """Draw the weather; nine times in ten it is bright day.

    Args:
        rng: Source of chance.
        aside: How far the sun can stand to a side of the viewer, in half turns; a narrow street would be dark.
    """
    kinds: tuple[Weather, ...] = ("sunny", "overcast", "evening")
    weather = kinds[int(rng.choice(3, p=(0.55, 0.36, 0.09)))]
    # The sun stands behind the viewer, so that what faces the camera is lit.
    azimuth = (-0.5 + rng.uniform(-aside, aside)) * np.pi
    elevation = np.deg2rad(rng.uniform(34, 62))
    direction = np.array([np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)])
    if weather == "sunny":
        warm = rng.uniform(0, 0.1)
        key = rng.uniform(0.7, 0.95) * np.array((1.0 + 0.3 * warm, 0.97, 0.93 - warm))
        above, below = np.array((0.44, 0.47, 0.53)), np.array((0.29, 0.275, 0.255))
        sky = outdoor_sky(rng, (0.36, 0.56, 0.86), (0.82, 0.9, 0.98), rng.uniform(0.1, 0.55))
        haze = (0.80, 0.86, 0.93, 0.0016)
        softness = 0.06
    elif weather == "overcast":
        key = rng.uniform(0.1, 0.25) * np.array((1.0, 1.0, 1.0))
        level = rng.uniform(0.74, 0.9)
        above, below = level * np.array((0.97, 1.0, 1.04)), 0.4 * level * np.array((1.0, 0.98, 0.94))
        sky = outdoor_sky(rng, (0.8, 0.84, 0.9), (0.93, 0.95, 0.98), 0.85)
        haze = (0.86, 0.88, 0.91, 0.003)
        softness = 0.8
    else:
        key = rng.uniform(0.06, 0.14) * np.array((1.1, 0.9, 0.75))
        above, below = np.array((0.30, 0.34, 0.43)), np.array((0.17, 0.16, 0.16))
        sky = outdoor_sky(rng, (0.16, 0.23, 0.42), (0.55, 0.46, 0.46), 0.3)
        haze = (0.4, 0.4, 0.48, 0.002)
        softness = 0.8
    light = Light(direction=direction, key=key, sky=above, ground=below)
    brightness = 0.31 if weather == "evening" else rng.uniform(0.47, 0.55)
    return weather, Mood(light, sky, np.array(haze, np.float32), softness, brightness)


def indoor_mood(rng: np.random.Generator, *, level: float = 1.0, key: float = 0.35, tone: Colour | None = None) -> Mood:
    """Make light that comes from many lamps in a ceiling, a little more from one side.

    Args:
        rng: Source of chance.
        level: Brightness of a level surface.
        key: Part of it that has a direction.
        tone: Its colour; None draws one between warm and neutral.
    """
    warm = rng.uniform(-0.02, 0.09)
    colour = np.array(tone if tone is not None else (1.0 + 0.5 * warm, 1.0, 1.0 - warm))
    azimuth = rng.uniform(-0.85, -0.15) * np.pi
    elevation = np.deg2rad(rng.uniform(48, 68))
    direction = np.array([np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)])
    light = Light(
        direction=direction,
        key=key * level * colour,
        sky=(1 - 0.75 * key) * level * colour,
        ground=0.5 * level * colour * np.array((1.0, 0.98, 0.95)),
    )
    return Mood(light, indoor_surroundings(level), np.array((0.6, 0.6, 0.6, 0.0), np.float32), 0.5)
