"""Make a place of a style."""

from __future__ import annotations

from typing import Literal

import numpy as np

from vsdmot.synthesis.light import Light
from vsdmot.synthesis.world.place import Place
from vsdmot.synthesis.world.sky import outdoor_sky
from vsdmot.synthesis.world.surfaces import Material, Surfaces
from vsdmot.synthesis.world.textures import rough

Style = Literal["dance", "street", "surveillance"]


def make_place(style: Style, rng: np.random.Generator) -> Place:
    """Make a place by chance.

    Args:
        style: What is filmed in it.
        rng: The same state gives the same place, to the bit.
    """
    names: dict[Style, str] = {"dance": "square", "street": "street", "surveillance": "courtyard"}
    surfaces = Surfaces()
    ground = Material(texture=rough(rng, (0.5, 0.5, 0.48)), spacing=0.12)
    wall = Material(texture=rough(rng, (0.7, 0.66, 0.6)))
    surfaces.ground(-20, -6, 20, 40, ground)
    for x0, x1 in ((-300, -20), (20, 300)):
        surfaces.ground(x0, -6, x1, 40, ground)
    surfaces.ground(-800, 40, 800, 1500, ground)
    surfaces.quad((-30, 30, 0), (60, 0, 0), (0, 0, 12), wall)
    surfaces.box((-5, 9, 0), (-4, 11, 1.0), wall)
    azimuth, elevation = rng.uniform(-2.8, -0.4), np.deg2rad(rng.uniform(35, 60))
    direction = np.array([np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)])
    light = Light(
        direction=direction,
        key=np.array([0.75, 0.72, 0.66]),
        sky=np.array([0.48, 0.5, 0.56]),
        ground=np.array([0.3, 0.28, 0.26]),
    )
    sky = outdoor_sky(rng, (0.45, 0.62, 0.88), (0.85, 0.9, 0.96), 0.4)
    mesh = surfaces.bake(light, sky, np.array([0.8, 0.85, 0.9, 0.002], np.float32))
    return Place(
        name=names[style],
        mesh=mesh,
        light=light,
        walkable=(-12.0, 2.0, 12.0, 28.0),
        obstacles=np.array([[-5.0, 9.0, -4.0, 11.0]]),
        seats=(),
        backdrop=30.0,
    )
