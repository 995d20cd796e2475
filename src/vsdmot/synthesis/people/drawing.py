"""Draw the meshes of all people of a frame: project, find the nearest triangle of each pixel, colour it.

One call draws one sub-frame: a moment of the exposure at one place within the pixel. Several of them, summed, give
smooth edges and real motion blur at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vsdmot.synthesis.compiled import compiled
from vsdmot.synthesis.people.materials import surface

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int32]


@compiled
def skin(
    vertices: FloatArray,
    normals: FloatArray,
    bones: IntArray,
    weights: FloatArray,
    matrices: NDArray[np.float64],
    posed: FloatArray,
    turned: FloatArray,
) -> None:
    """Move a body's vertices and turn its normals by its bones (linear blend skinning).

    Args:
        vertices: ``(V, 3)``, rest pose.
        normals: ``(V, 3)``, rest pose.
        bones: ``(V, 4)``, the bones that move each vertex.
        weights: ``(V, 4)``, their shares, of sum 1.
        matrices: ``(17, 3, 4)``, rest pose to world.
        posed: ``(V, 3)``, filled with the vertices in the world.
        turned: ``(V, 3)``, filled with the normals in the world.
    """
    for n in range(vertices.shape[0]):
        x, y, z = vertices[n, 0], vertices[n, 1], vertices[n, 2]
        a, b, c = normals[n, 0], normals[n, 1], normals[n, 2]
        for row in range(3):
            place = 0.0
            turn = 0.0
            for k in range(4):
                w = weights[n, k]
                if w < 1e-4:
                    continue
                m = matrices[bones[n, k], row]
                place += w * (m[0] * x + m[1] * y + m[2] * z + m[3])
                turn += w * (m[0] * a + m[1] * b + m[2] * c)
            posed[n, row] = place
            turned[n, row] = turn


@compiled
def project(
    opened: FloatArray,
    closed: FloatArray,
    share: float,
    rotation: NDArray[np.float64],
    position: NDArray[np.float64],
    focal: float,
    centre_x: float,
    centre_y: float,
    nearest: float,
    out: FloatArray,
) -> None:
    """Project vertices that move in a straight line while the shutter is open.

    Args:
        opened: ``(V, 3)``, where they are when the shutter opens.
        closed: ``(V, 3)``, where they are when it closes.
        share: Moment of the exposure, 0 to 1.
        rotation: Of the camera, rows right, down, forward.
        position: Of the camera.
        focal: Pixels.
        centre_x: Column of the optical axis, pixels.
        centre_y: Row of the optical axis, pixels.
        nearest: Depth before which nothing is drawn, metres.
        out: ``(V, 3)``, filled with x, y and inverse depth; -1 where too near or behind.
    """
    for n in range(opened.shape[0]):
        x = opened[n, 0] + share * (closed[n, 0] - opened[n, 0]) - position[0]
        y = opened[n, 1] + share * (closed[n, 1] - opened[n, 1]) - position[1]
        z = opened[n, 2] + share * (closed[n, 2] - opened[n, 2]) - position[2]
        depth = rotation[2, 0] * x + rotation[2, 1] * y + rotation[2, 2] * z
        if depth < nearest:
            out[n, 2] = -1.0
            continue
        inverse = 1.0 / depth
        out[n, 0] = (rotation[0, 0] * x + rotation[0, 1] * y + rotation[0, 2] * z) * inverse * focal + centre_x
        out[n, 1] = (rotation[1, 0] * x + rotation[1, 1] * y + rotation[1, 2] * z) * inverse * focal + centre_y
        out[n, 2] = inverse


@compiled
def rasterise(
    projected: FloatArray,
    triangles: IntArray,
    first_triangle: NDArray[np.int64],
    depth: FloatArray,
    nearest: IntArray,
    stamp: NDArray[np.int16],
    covered: NDArray[np.int64],
) -> None:
    """Find the nearest triangle of each pixel.

    Args:
        projected: ``(V, 3)`` from `project`.
        triangles: ``(T, 3)``, corners.
        first_triangle: ``(K + 1,)``, where the triangles of each person begin.
        depth: ``(H, W)``, inverse depth of what is there already; lowered to that of the people.
        nearest: ``(H, W)``, filled with the triangle, -1 where there is none in front.
        stamp: ``(H, W)``, scratch.
        covered: ``(K,)``, raised by the number of pixels that each person covers, hidden or not.
    """
    height, width = depth.shape
    nearest[:] = -1
    stamp[:] = -1
    for person in range(len(first_triangle) - 1):
        for t in range(first_triangle[person], first_triangle[person + 1]):
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            za, zb, zc = projected[a, 2], projected[b, 2], projected[c, 2]
            if za <= 0 or zb <= 0 or zc <= 0:
                continue
            ax, ay = projected[a, 0], projected[a, 1]
            bx, by = projected[b, 0], projected[b, 1]
            cx, cy = projected[c, 0], projected[c, 1]
            twice_area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
            if twice_area > -1e-9:  # seen from behind
                continue
            left = max(0, int(np.ceil(min(ax, min(bx, cx)) - 0.5)))
            right = min(width - 1, int(np.floor(max(ax, max(bx, cx)) - 0.5)))
            top = max(0, int(np.ceil(min(ay, min(by, cy)) - 0.5)))
            bottom = min(height - 1, int(np.floor(max(ay, max(by, cy)) - 0.5)))
            if right < left or bottom < top:
                continue
            scale = 1.0 / twice_area
            for row in range(top, bottom + 1):
                y = row + 0.5
                for column in range(left, right + 1):
                    x = column + 0.5
                    u = ((bx - x) * (cy - y) - (by - y) * (cx - x)) * scale
                    v = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) * scale
                    w = 1.0 - u - v
                    if u < -1e-6 or v < -1e-6 or w < -1e-6:
                        continue
                    if stamp[row, column] != person:
                        stamp[row, column] = person
                        covered[person] += 1
                    inverse = u * za + v * zb + w * zc
                    if inverse > depth[row, column]:
                        depth[row, column] = inverse
                        nearest[row, column] = t


@compiled
def shade(
    nearest: IntArray,
    projected: FloatArray,
    normals: FloatArray,
    attributes: FloatArray,
    triangles: IntArray,
    triangle_person: NDArray[np.int16],
    single_material: NDArray[np.int8],
    looks: FloatArray,
    direction: NDArray[np.float64],
    lights: NDArray[np.float64],
    forward: NDArray[np.float64],
    background: FloatArray,
    ground_shade: FloatArray,
    total: FloatArray,
    owner: NDArray[np.int16],
) -> None:
    """Add a sub-frame to a picture: people where they are nearest, the background elsewhere.

    Args:
        nearest: ``(H, W)`` from `rasterise`.
        projected: ``(V, 3)`` from `project`.
        normals: ``(V, 3)`` in the world, any length.
        attributes: ``(V, A)``, see `vsdmot.synthesis.people.body.Body`.
        triangles: ``(T, 3)``, corners.
        triangle_person: ``(T,)``, whose each triangle is.
        single_material: ``(T,)``, what each triangle is made of, -1 if of more than one material.
        looks: ``(K, L)``, see `vsdmot.synthesis.people.materials`.
        direction: ``(3,)``, towards the far source.
        lights: ``(K, 3, 3)``, on each person: the far source's colour, light from above, light from below.
        forward: ``(3,)``, the camera's viewing direction.
        background: ``(H, W, 3)``.
        ground_shade: ``(H, W)``, factor on the background where people shade it.
        total: ``(H, W, 3)``, to which the sub-frame is added.
        owner: ``(H, W)``, filled with the person that is seen, -1 for none.
    """
    height, width = nearest.shape
    values = np.empty(attributes.shape[1])
    colour = np.empty(4)
    hx, hy, hz = direction[0] - forward[0], direction[1] - forward[1], direction[2] - forward[2]
    length = 1.0 / np.sqrt(hx * hx + hy * hy + hz * hz + 1e-9)
    hx, hy, hz = hx * length, hy * length, hz * length
    for row in range(height):
        for column in range(width):
            t = nearest[row, column]
            if t < 0:
                owner[row, column] = -1
                shadow = ground_shade[row, column]
                for channel in range(3):
                    total[row, column, channel] += background[row, column, channel] * shadow
                continue
            owner[row, column] = triangle_person[t]
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            ax, ay, bx, by = projected[a, 0], projected[a, 1], projected[b, 0], projected[b, 1]
            cx, cy, x, y = projected[c, 0], projected[c, 1], column + 0.5, row + 0.5
            u = ((bx - x) * (cy - y) - (by - y) * (cx - x)) * projected[a, 2]
            v = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) * projected[b, 2]
            w = ((ax - x) * (by - y) - (ay - y) * (bx - x)) * projected[c, 2]
            scale = 1.0 / (u + v + w)
            u, v, w = u * scale, v * scale, w * scale
            nx = u * normals[a, 0] + v * normals[b, 0] + w * normals[c, 0]
            ny = u * normals[a, 1] + v * normals[b, 1] + w * normals[c, 1]
            nz = u * normals[a, 2] + v * normals[b, 2] + w * normals[c, 2]
            length = 1.0 / np.sqrt(nx * nx + ny * ny + nz * nz + 1e-9)
            nx, ny, nz = nx * length, ny * length, nz * length
            only = single_material[t]
            for k in range(5 if only >= 0 else attributes.shape[1]):
                values[k] = u * attributes[a, k] + v * attributes[b, k] + w * attributes[c, k]
            wrap, gloss, squarings = surface(looks[triangle_person[t]], values, only, colour)
            openness = values[3]
            facing = nx * direction[0] + ny * direction[1] + nz * direction[2]
            light = lights[triangle_person[t]]
            direct = max(0.0, (facing + wrap) / (1.0 + wrap)) * (0.55 + 0.45 * openness)
            upward = 0.5 + 0.5 * nz
            shine = 0.0
            if gloss > 0:
                shine = max(0.0, nx * hx + ny * hy + nz * hz)
                for _ in range(squarings):
                    shine *= shine
                shine *= gloss
            for channel in range(3):
                around = (light[1, channel] * upward + light[2, channel] * (1.0 - upward)) * openness
                lit = colour[channel] * (light[0, channel] * direct + around) + shine * light[0, channel]
                total[row, column, channel] += lit
