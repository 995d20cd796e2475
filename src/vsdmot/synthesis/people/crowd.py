"""All people of a scene as one set of vertices and triangles, posed together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.people.body import Body
from vsdmot.synthesis.people.drawing import skin
from vsdmot.synthesis.people.materials import NUM_ATTRIBUTES, NUM_LOOKS
from vsdmot.synthesis.skeleton import Pose, pose_matrices


@dataclass(frozen=True, eq=False)
class Crowd:
    """The bodies of a scene; the arrays of `vsdmot.synthesis.people.body.Body` one after the other.

    Attributes:
        bodies: The people.
        first_vertex: ``(K + 1,)``, where the vertices of each begin.
        first_triangle: ``(K + 1,)``, where the triangles of each begin.
        triangles: ``(T, 3)`` int32, corners among all vertices.
        owners: ``(T,)`` int16, whose each triangle is.
        attributes: ``(V, NUM_ATTRIBUTES)`` float32.
        looks: ``(K, NUM_LOOKS)`` float32.
        single_material: ``(T,)`` int8.
    """

    bodies: tuple[Body, ...]
    first_vertex: NDArray[np.int64]
    first_triangle: NDArray[np.int64]
    triangles: NDArray[np.int32]
    owners: NDArray[np.int16]
    attributes: NDArray[np.float32]
    looks: NDArray[np.float32]
    single_material: NDArray[np.int8]

    @classmethod
    def of(cls, bodies: Sequence[Body]) -> Crowd:
        """Put bodies together; there may be none."""
        first_vertex = np.cumsum([0, *(len(body.vertices) for body in bodies)])
        counts = [len(body.triangles) for body in bodies]
        shifted = [body.triangles + np.int32(first) for body, first in zip(bodies, first_vertex, strict=False)]
        return cls(
            bodies=tuple(bodies),
            first_vertex=first_vertex.astype(np.int64),
            first_triangle=np.cumsum([0, *counts]).astype(np.int64),
            triangles=np.concatenate([*shifted, np.empty((0, 3), np.int32)]),
            owners=np.repeat(np.arange(len(bodies), dtype=np.int16), counts),
            attributes=np.concatenate(
                [*(body.attributes for body in bodies), np.empty((0, NUM_ATTRIBUTES), np.float32)]
            ),
            single_material=np.concatenate([*(body.single_material for body in bodies), np.empty(0, np.int8)]),
            looks=np.array([body.look for body in bodies], np.float32).reshape(-1, NUM_LOOKS),
        )

    @property
    def num_vertices(self) -> int:
        """Of all people together."""
        return int(self.first_vertex[-1])

    def pose(self, poses: Sequence[Pose], posed: NDArray[np.float32], turned: NDArray[np.float32]) -> None:
        """Fill ``(V, 3)`` arrays with the vertices and normals of everybody's pose, in the world."""
        for k, (body, pose) in enumerate(zip(self.bodies, poses, strict=True)):
            own = slice(self.first_vertex[k], self.first_vertex[k + 1])
            matrices = pose_matrices(body.skeleton, pose)
            skin(body.vertices, body.normals, body.bones, body.weights, matrices, posed[own], turned[own])
