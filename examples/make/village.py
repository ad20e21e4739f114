"""The houses of the street as convex solids, and where rays meet them.

Every solid is the inside of a few planes, so where a ray enters is the farthest plane it crosses
inwards.
"""

import numpy as np

HOUSE, ROOF, CHIMNEY, IRON, LANTERN, PLANTER, TOWER, SPIRE, STEP = range(9)


def bend(z):
    """Where the middle of the street is at a distance z."""
    return -0.0024 * np.clip(z - 6, 0, None) ** 2


class Solid:
    """Points p with normals @ p <= reach, and where it stands: an origin and two directions."""

    def __init__(self, kind, normals, reach, origin, along, inward, size, seed):
        self.kind, self.origin, self.along, self.inward = kind, origin, along, inward
        self.normals = np.array(normals, np.float32)
        self.reach = np.array(reach, np.float32)
        self.size, self.seed = size, seed
        self.centre, self.radius = None, np.inf  # of a ball around it, where one is known


def box(kind, origin, along, inward, low, high, seed=0, size=None):
    """A box between two corners given along (along, up, inward) from its origin."""
    up = np.array([0, 1, 0])
    normals, reach = [], []
    for axis, a, b in zip((along, up, inward), low, high):
        normals += [axis, -axis]
        reach += [axis @ origin + b, -(axis @ origin) - a]
    solid = Solid(kind, normals, reach, origin, along, inward, size or high, seed)
    middle = (np.array(low) + high) / 2
    solid.centre = (origin + along * middle[0] + up * middle[1]
                    + inward * middle[2]).astype(np.float32)
    solid.radius = 0.5 * np.linalg.norm(np.array(high) - low)
    return solid


def house(origin, along, inward, wide, deep, tall, pitch, gabled, seed):
    """A house with its front on the street: body, two slabs of roof, a chimney."""
    up = np.array([0.0, 1.0, 0.0])
    across = along if gabled else inward  # the direction from eaves to eaves
    span = wide if gabled else deep
    middle = origin + across * span / 2
    rise = np.array([np.cos(pitch), np.sin(pitch)])
    left, right = -across * rise[1] + up * rise[0], across * rise[1] + up * rise[0]
    ridge = middle + up * (tall + span / 2 * np.tan(pitch))
    body = box(HOUSE, origin, along, inward, (0, -1, 0), (wide, tall + 9, deep), seed,
               (wide, tall, deep))
    body.normals = np.concatenate([body.normals, [left, right]]).astype(np.float32)
    body.centre = None
    body.reach = np.concatenate([body.reach, [left @ ridge, right @ ridge]]).astype(np.float32)
    solids = [body]
    lengthways = inward if gabled else along
    length = deep if gabled else wide
    for slope, side in ((left, -across), (right, across)):
        normals = [slope, -slope, -side, side, lengthways, -lengthways]
        eaves = span / 2 + 0.38
        reach = [slope @ ridge + 0.16, -(slope @ ridge) - 0.005, -(side @ middle) + 0.02,
                 side @ middle + eaves, lengthways @ origin + length + 0.22,
                 -(lengthways @ origin) + 0.22]
        solids.append(Solid(ROOF, normals, reach, ridge, lengthways, side, (length, 0, span), seed))
    where = origin + along * wide * (0.22 + 0.5 * ((seed * 0.37) % 1)) + inward * deep * 0.46
    high = tall + span / 2 * np.tan(pitch) + 0.7
    solids.append(box(CHIMNEY, where, along, inward, (0, tall, 0), (0.75, high, 0.6), seed))
    solids.append(box(CHIMNEY, where, along, inward, (-0.07, high, -0.07),
                      (0.82, high + 0.14, 0.67), seed))
    return solids


def village():
    """All solids of the scene."""
    draw = np.random.default_rng(92)
    solids = []
    for side in (-1, 1):
        z = 1.6 if side < 0 else 4.6
        for number in range(9):
            wide = draw.uniform(4.8, 7.2)
            tall = draw.uniform(4.9, 6.3)
            middle = z + wide / 2
            lean = np.arctan(-0.0048 * max(middle - 6, 0))
            along = np.array([np.sin(lean), 0, np.cos(lean)])
            inward = np.array([np.cos(lean), 0, -np.sin(lean)]) * side
            front = 3.15 + draw.uniform(-0.15, 0.55)
            origin = np.array([bend(z), 0, z]) + inward * front
            gabled = (number + (side > 0)) % 3 == 1
            seed = number + 10 * (side > 0)
            solids += house(origin, along, inward, wide, draw.uniform(6.5, 8), tall,
                            draw.uniform(0.72, 0.90), gabled, seed)
            door = door_place(wide, seed)
            solids.append(box(STEP, origin, along, inward, (door - 0.75, 0, -0.42),
                              (door + 0.75, 0.16, 0), seed))
            for k, place in enumerate(window_places(wide)):
                if (seed * 5 + k * 3) % 4 < 2:
                    solids.append(box(PLANTER, origin, along, inward, (place - 0.50, 2.98, -0.26),
                                      (place + 0.50, 3.20, 0.0), seed))
            z += wide + (draw.uniform(0.7, 1.5) if number % 2 else 0.03)
    for lamp_z, side in ((7.4, -1), (13.5, 1), (23.0, -1), (33.0, 1)):
        foot = np.array([bend(lamp_z) + side * 2.35, 0, lamp_z])
        x, z = np.array([1.0, 0, 0]), np.array([0, 0, 1.0])
        for low, high, kind in (((-0.11, 0, -0.11), (0.11, 0.55, 0.11), IRON),
                                ((-0.042, 0.5, -0.042), (0.042, 3.25, 0.042), IRON),
                                ((-0.24, 3.02, -0.022), (0.24, 3.07, 0.022), IRON),
                                ((-0.13, 3.25, -0.13), (0.13, 3.72, 0.13), LANTERN),
                                ((-0.19, 3.72, -0.19), (0.19, 3.78, 0.19), IRON),
                                ((-0.11, 3.78, -0.11), (0.11, 3.88, 0.11), IRON)):
            solids.append(box(kind, foot, x, z, low, high))
    turned = np.array([0.94, 0, 0.34]), np.array([-0.34, 0, 0.94])
    place = np.array([bend(58) - 1.5, 0, 62.0])
    solids.append(box(TOWER, place, *turned, (-3, 0, -3), (3, 19, 3), 3, (6, 19, 6)))
    solids.append(box(TOWER, place, *turned, (-3.3, 18.6, -3.3), (3.3, 19.2, 3.3), 3, (6, 19, 6)))
    normals, reach, top = [np.array([0, -1.0, 0])], [-19.2], place + np.array([0, 28.5, 0])
    for direction in (turned[0], -turned[0], turned[1], -turned[1]):
        n = direction * 0.94 + np.array([0, 0.34, 0])
        normals.append(n)
        reach.append(n @ top)
    solids.append(Solid(SPIRE, normals, reach, place, *turned, (6, 9, 6), 3))
    return solids


def window_places(wide):
    count = max(2, int(wide / 2.05))
    return [(k + 0.5) * wide / count for k in range(count)]


def door_place(wide, seed):
    places = window_places(wide)
    return places[(seed * 3 + 1) % len(places)]


def near_rays(solid, origin, ray):
    """The rays that pass through the ball around a solid."""
    if solid.centre is None:
        return np.arange(len(ray))
    away = solid.centre - origin
    ahead = np.einsum("ij,ij->i", away, ray)
    return np.flatnonzero((np.einsum("ij,ij->i", away, away) - ahead * ahead < solid.radius**2)
                          & (ahead > -solid.radius))


def first_hit(solids, origin, ray):
    """Distance, solid and plane that each ray meets first; -1 where it meets none."""
    best = np.full(len(ray), np.inf, np.float32)
    which, plane = np.full(len(ray), -1, np.int16), np.zeros(len(ray), np.int8)
    for number, solid in enumerate(solids):
        some = near_rays(solid, origin, ray)
        if not some.size:
            continue
        start, way = origin[some], ray[some]
        enter, leave = np.full(len(some), 1e-3, np.float32), best[some]
        face = np.full(len(some), -1, np.int8)
        for k, (normal, reach) in enumerate(zip(solid.normals, solid.reach)):
            speed = way @ normal
            with np.errstate(divide="ignore", invalid="ignore"):
                t = (reach - start @ normal) / speed
            inwards = speed < 0
            later = inwards & (t > enter)
            enter = np.where(later, t, enter)
            face[later] = k
            leave = np.where(~inwards & (t < leave), t, leave)
        hit = (enter < leave) & (face >= 0)
        at = some[hit]
        best[at], which[at], plane[at] = enter[hit], number, face[hit]
    return best, which, plane
