"""Places of rendered scenes, without people: textured surfaces, their light, and how they are drawn."""

from vsdmot.synthesis.world.place import Place, Seat
from vsdmot.synthesis.world.places import Style, make_place

__all__ = ["Place", "Seat", "Style", "make_place"]
