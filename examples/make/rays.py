"""Rays through distance fields: how far they go, what light their ends see, and finer edges.

A scene says `nearest(p)`, the distance from points p (count x 3) to the nearest surface, so that a
ray may step that far at once.
"""

import numpy as np

CORNERS = np.array([(1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)], np.float32)


def towards(x, y, aspect, eye, look, focal):
    """Rays through picture coordinates x, y (heights of the picture) of a camera at `eye`."""
    ahead = (look - eye) / np.linalg.norm(look - eye)
    right = np.cross([0, 1, 0], ahead)
    right /= np.linalg.norm(right)
    up = np.cross(ahead, right)
    ray = (ahead * focal + (x - 0.5 * aspect)[:, None] * right + (0.5 - y)[:, None] * up).astype(
        np.float32)
    return ray / np.sqrt((ray**2).sum(1, keepdims=True))


def march(nearest, origin, ray, begin, far, close, steps):
    """How far each ray goes until it is as `close` to a surface, or beyond `far`."""
    gone = np.full(len(ray), begin, np.float32)
    active = np.arange(len(ray))
    for _ in range(steps):
        step = nearest(origin[active] + gone[active, None] * ray[active])
        gone[active] += step
        active = active[(step > close) & (gone[active] < far)]
        if not active.size:
            break
    return gone


def normals(nearest, p, size):
    """Which way the surfaces at p face, from four points about `size` away."""
    normal = np.zeros_like(p)
    for corner in CORNERS:
        normal += corner * nearest(p + size * corner)[:, None]
    return normal / (np.sqrt((normal**2).sum(1, keepdims=True)) + 1e-9)


def soft_light(nearest, start, active, light, begin, wide, pace, stride, far, steps):
    """How much of a light each point sees, 0..1: soft shadows from the nearest misses on the way
    from `start`. active: the points that face it; wide: the light's size over its distance; pace:
    the part of a step that is gone; stride: its least and its most."""
    seen, gone = np.ones(len(start), np.float32), np.full(len(start), begin, np.float32)
    for _ in range(steps):
        step = nearest(start[active] + gone[active, None] * light)
        seen[active] = np.minimum(seen[active], 0.5 + 0.5 * step / (wide * gone[active]))
        gone[active] += np.clip(pace * step, *stride)
        active = active[(seen[active] > 0.01) & (gone[active] < far)]
        if not active.size:
            break
    return np.clip(seen, 0, 1)


def openness(nearest, p, normal, reaches, falloff, strength):
    """Ambient light left over by what stands close by."""
    closed, weight = 0.0, 1.0
    for reach in reaches:
        closed = closed + weight * np.clip(reach - nearest(p + reach * normal), 0, reach) / reach
        weight *= falloff
    return np.clip(1 - strength * closed, 0.05, 1)


def shaded(origin, ray, march_, shade):
    """Light and kinds of surface at the rays' ends, in parts that stay in the cache."""
    light, kind = np.zeros_like(ray), np.zeros(len(ray), np.int32)
    origin = np.broadcast_to(origin.astype(np.float32), ray.shape)
    for part in range(0, len(ray), 16_384):
        here = slice(part, part + 16_384)
        p = origin[here] + march_(origin[here], ray[here])[:, None] * ray[here]
        light[here], kind[here] = shade(p, ray[here])
    return light, kind


def rendered(width, height, trace, contrast):
    """The picture (height x width x 3) of trace(x, y, aspect), which returns light and kinds of
    surface: a ray to a pixel, and four where kinds meet or neighbours differ by `contrast`."""
    x, y = np.meshgrid((np.arange(width) + 0.5) / height, (np.arange(height) + 0.5) / height)
    light, kind = trace(x.ravel(), y.ravel(), width / height)
    light, kind = light.reshape(height, width, 3), kind.reshape(height, width)
    shown = np.clip(light, 0, 1).mean(-1) ** 0.45
    edge = np.zeros(kind.shape, bool)
    for axis in (0, 1):
        for way in (1, -1):
            edge |= np.roll(kind, way, axis) != kind
            edge |= np.abs(np.roll(shown, way, axis) - shown) > contrast
    total = np.zeros((int(edge.sum()), 3))
    for dx, dy in ((-0.125, -0.375), (0.375, -0.125), (0.125, 0.375), (-0.375, 0.125)):
        again, _ = trace(x[edge] + dx / height, y[edge] + dy / height, width / height)
        total += np.minimum(again, 2.5) / 4
    light[edge] = total
    return light.astype(np.float32)
