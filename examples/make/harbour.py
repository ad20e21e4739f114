"""A small harbour at evening: moored boats, a pier with its light, still water, a large even sky.

Rays are marched through distance fields, and those that meet the water are mirrored by its ripples
and marched once more. Lengths are metres; x to the right, y up, z away, water at height 0.
"""

import numpy as np

import camera
import rays
from camera import linear, mix
from noise import Noise, smoothstep

SEA = Noise(91)
EYE, FOCAL, HORIZON = np.array([0.2, 2.9, -14.0]), 1.34, 0.575
SUN = np.array([-0.80, 0.30, -0.52]) / np.linalg.norm([-0.80, 0.30, -0.52])
SUNLIGHT = np.array([1.0, 0.74, 0.47]) * 2.5
PIER, TOWER, HULL, CABIN, WOOD, BUOY, HILL = range(7)

# Boats: where, heading, length, width, height at the middle, height of the mast, cabin, colours.
BOATS = [dict(x=-3.3, z=1.6, turn=0.38, long=5.6, wide=1.9, high=0.62, mast=5.3, cabin=True,
              side="#20557e", strake="#e9e2cf", below="#8f2f24"),
         dict(x=2.6, z=-0.6, turn=-0.50, long=4.3, wide=1.55, high=0.50, mast=0.0, cabin=False,
              side="#b5402c", strake="#efe6d2", below="#2f3c38"),
         dict(x=5.6, z=7.5, turn=2.72, long=6.6, wide=2.1, high=0.75, mast=7.0, cabin=True,
              side="#e8e3d6", strake="#2c6b62", below="#7d2b22")]


def own(boat, x, z):
    """Coordinates along and across a boat."""
    cosine, sine = np.cos(boat["turn"]), np.sin(boat["turn"])
    px, pz = x - boat["x"], z - boat["z"]
    return cosine * px + sine * pz, cosine * pz - sine * px


def station(boat, u, y):
    """Where along the hull a point lies, from -1 at the stern to 1 at the bow, which rakes."""
    half = 0.5 * boat["long"]
    return (u - 0.42 * (y - 0.2) * smoothstep(0.2 * half, half, u)) / half


def sheer(boat, t):
    """Height of the rail; t runs from -1 at the stern to 1 at the bow."""
    return boat["high"] * (1 + 0.95 * np.clip(t, 0, 1.2) ** 2 + 0.22 * np.clip(-t, 0, 1.2) ** 2)


def beam(boat, t, y):
    """Half the width of the hull at a height: full at the rail, drawn in below, fine at the bow."""
    rail = np.maximum(sheer(boat, t), 0.1)
    rise = np.clip((y + 0.35) / (rail + 0.35), 0, 1)
    fore = np.clip(1 - np.clip((t - 0.12 * (rise - 1)) / 1.0, 0, 1.2) ** 2.3, 0, 1)
    aft = 1 - 0.30 * np.clip(-t, 0, 1) ** 2.5
    half = 0.5 * boat["wide"] * np.where(t > 0, fore, aft)
    return half * rise ** (0.38 + 0.35 * np.clip(t, 0, 1))


def box(x, y, z, half):
    """Distance to a box around the origin."""
    a, b, c = np.abs(x) - half[0], np.abs(y) - half[1], np.abs(z) - half[2]
    outside = np.sqrt(np.maximum(a, 0) ** 2 + np.maximum(b, 0) ** 2 + np.maximum(c, 0) ** 2)
    return outside + np.minimum(np.maximum(a, np.maximum(b, c)), 0)


def rod(x, y, z, start, end, radius):
    ax, ay, az = (e - s for s, e in zip(start, end))
    px, py, pz = x - start[0], y - start[1], z - start[2]
    t = np.clip((px * ax + py * ay + pz * az) / (ax * ax + ay * ay + az * az), 0, 1)
    return np.sqrt((px - t * ax) ** 2 + (py - t * ay) ** 2 + (pz - t * az) ** 2) - radius


def boat_distances(boat, u, y, v):
    """Hull, cabin, and woodwork of one boat in its own coordinates."""
    half = 0.5 * boat["long"]
    t = station(boat, u, y)
    rail = sheer(boat, t)
    outer = np.abs(v) - beam(boat, t, y)
    ends = np.maximum(-half * 0.97 - u, 0.7 * half * (t - 0.995))
    hull = np.maximum(np.maximum(outer * 0.75, y - rail), np.maximum(ends, -0.5 - y))
    hollow = np.maximum(np.abs(v) - beam(boat, t, y) + 0.07, 0.22 * boat["high"] + 0.08 - y)
    hollow = np.maximum(hollow, np.maximum(-half * 0.90 - u, u - half * 0.90))
    hull = np.maximum(hull, -hollow * 0.8)
    gunwale = np.maximum(np.abs(np.abs(v) - beam(boat, t, rail)) - 0.055, np.abs(y - rail) - 0.035)
    wood = np.maximum(gunwale * 0.75, ends)
    for at in (-0.45, 0.05, 0.5) if not boat["cabin"] else (-0.72,):
        bench = np.maximum(np.abs(y - rail + 0.16) - 0.025, np.abs(u - at * half) - 0.13)
        wood = np.minimum(wood, np.maximum(bench, outer + 0.03))
    cabin = np.full_like(u, 9)
    if boat["cabin"]:
        base = boat["high"] * 0.7
        cabin = box(u + 0.18 * half, y - base - 0.62, v, (0.62, 0.66, 0.31 * boat["wide"])) - 0.03
        roof = box(u + 0.16 * half, y - base - 1.33, v, (0.80, 0.03, 0.36 * boat["wide"])) - 0.03
        wood = np.minimum(wood, roof)
    if boat["mast"]:
        foot = 0.30 * half
        top = boat["mast"]
        wood = np.minimum(wood, rod(u, y, v, (foot, 0.3, 0), (foot - 0.08, top, 0), 0.055))
        wood = np.minimum(wood, rod(u, y, v, (foot - 0.1, 1.5, 0),
                                    (-half * 0.7, top * 0.50, 0.05), 0.033))
        for end in ((half * 1.10, sheer(boat, 0.98)), (-half * 0.9, boat["high"])):
            wood = np.minimum(wood, rod(u, y, v, (foot - 0.08, top * 0.97, 0),
                                        (end[0], end[1], 0), 0.013))
        for side in (-1, 1):
            wood = np.minimum(wood, rod(u, y, v, (foot - 0.07, top * 0.80, 0), (
                foot - 0.3, boat["high"], side * 0.46 * boat["wide"]), 0.011))
    return hull, cabin, wood


def pier(x, y, z):
    """The mole: a wall of stone with a low parapet, its end rounded, its face leaning back."""
    batter = 0.16 * (1.25 - y)
    body = np.hypot(np.maximum(x - 4.2, 0), z - 16.0) - 1.9 - batter
    body = np.where(x < 4.2, np.abs(z - 16.0) - 1.9 - batter, body)
    top = np.maximum(body, y - 1.25)
    wall = np.maximum(np.maximum(np.abs(z - 17.4) - 0.25, x - 4.4), y - 2.05)
    return np.minimum(top * 0.9, wall)


def tower(x, y, z):
    """The light at the end of the pier."""
    out = np.hypot(x - 4.5, z - 15.9)
    girth = 0.98 - 0.085 * y + 0.28 * smoothstep(1.75, 1.55, y)
    shaft = np.maximum((out - girth) * 0.95, y - 6.3)
    gallery = np.maximum(out - 0.86, np.abs(y - 6.35) - 0.08)
    lantern = np.maximum(out - 0.42, np.abs(y - 6.9) - 0.5)
    dome = np.sqrt((x - 4.5) ** 2 + (z - 15.9) ** 2 + ((y - 7.4) * 1.15) ** 2) - 0.50
    dome = np.maximum(dome, 7.36 - y)
    rail = np.maximum(np.abs(out - 0.82) - 0.02, np.minimum(
        np.abs(y - 6.78) - 0.018, np.abs(y - 6.62) - 0.012))
    return np.minimum.reduce([shaft, gallery, lantern, dome, rail, rod(
        x, y, z, (4.5, 7.7, 15.9), (4.5, 8.35, 15.9), 0.03)])


def hills(x, y, z):
    """A far shore."""
    top = 5.0 + 5.2 * SEA.fractal(x / 70 + 2, 0 * x + 3.1, 6)
    top = top + 5.5 * np.exp(-(((x + 70) / 60) ** 2))
    rise = smoothstep(190, 330, z + 15 * SEA.smooth(x / 40, 0 * x))
    return (y + 25 - (1.5 * top + 25) * rise) * 0.7


def distances(p):
    x, y, z = p.T
    d = np.full((7, len(p)), 60, np.float32)
    d[PIER] = pier(x, y, z)
    d[TOWER] = tower(x, y, z)
    far = z > 120
    if far.any():
        d[HILL, far] = hills(x[far], y[far], z[far])
    d[HILL, ~far] = np.maximum(125 - z[~far], 3)
    for boat in BOATS:
        u, v = own(boat, x, z)
        reach = 0.5 * boat["long"] + 0.5
        tall = max(boat["mast"], 2.4) + 0.2
        bound = box(u, y - 0.5 * tall + 0.3, v, (reach, 0.5 * tall + 0.3, 0.5 * boat["wide"] + 0.2))
        near = bound < 0.25
        for kind in (HULL, CABIN, WOOD):
            d[kind, ~near] = np.minimum(d[kind, ~near], bound[~near] + 0.1)
        if near.any():
            for kind, found in zip((HULL, CABIN, WOOD),
                                   boat_distances(boat, u[near], y[near], v[near])):
                d[kind, near] = np.minimum(d[kind, near], found)
    bob = np.sqrt((x + 0.2) ** 2 + ((y - 0.12) * 1.0) ** 2 + (z + 2.6) ** 2)
    d[BUOY] = np.minimum(bob - 0.27, rod(x, y, z, (-0.2, 0.3, -2.6), (-0.17, 0.52, -2.6), 0.03))
    return d


def nearest(p):
    return distances(p).min(0)


def march(origin, ray, begin, far=420.0, steps=110):
    """How far each ray goes until it meets something solid; inf: never."""
    gone = np.full(len(ray), begin, np.float32)
    active = np.arange(len(ray))
    found = np.full(len(ray), np.inf, np.float32)
    for _ in range(steps):
        step = nearest(origin[active] + gone[active, None] * ray[active])
        hit = step < 0.0006 * np.maximum(gone[active], 2)
        found[active[hit]] = gone[active[hit]]
        gone[active] += step
        rise = origin[active, 1] + gone[active] * ray[active, 1]
        rising = (rise > 9) & (ray[active, 1] > 0.075)
        active = active[~hit & (gone[active] < far) & (rise > -3) & ~rising]
        if not active.size:
            break
    return found


def sky(ray):
    """An even evening sky: deep above, pale and warm low down, warmer towards the sun."""
    rise = np.clip(ray[:, 1], 0, 1)
    light = mix(linear("#e9cfae") * 1.05, "#a9c0cd", smoothstep(-0.02, 0.20, rise))
    light = mix(light, linear("#5f92b8") * 0.92, smoothstep(0.10, 0.60, rise))
    aside = np.exp(-(((ray[:, 0] + 0.75) / 0.75) ** 2)) * np.exp(-rise / 0.22)
    light = light + aside[:, None] * np.array([0.40, 0.22, 0.07])
    u, v = ray[:, 0] / (rise + 0.10), 1 / (rise + 0.10)
    veil = smoothstep(0.15, 0.75, SEA.fractal(0.35 * u + 0.5 * v, 1.5 * v - 0.3 * u, 5))
    return mix(light, np.array([1.0, 0.86, 0.74]), 0.16 * veil * smoothstep(0.02, 0.10, rise))


def planks(u, y, width):
    """Dark seams between planks, and a tone for each."""
    row = np.floor(y / width)
    seam = np.exp(-(((y / width - row - 0.5) / 0.46) ** 16))
    return 1 - 0.35 * (1 - seam), SEA.smooth(row * 3.7, 0 * row + 1.3)


def stonework(kind, p, normal, grime):
    """Courses of stone, weed at the water; the tower above is plastered, with red bands, windows
    and a lantern."""
    x, y, z = p.T
    around = np.where(kind == TOWER, np.arctan2(x - 4.5, -(z - 15.9)) * 1.0, x)
    course = np.floor(y / 0.36)
    along = (around if kind == TOWER else x + z) / 0.75 + 0.5 * (course % 2) + 0.1 * SEA.smooth(
        course * 7.1, 0 * x)
    stone = SEA.random[((np.floor(along) * 37 + course * 101).astype(np.int64)) % 65536]
    joint = np.maximum(smoothstep(0.455, 0.49, np.abs(along - np.floor(along) - 0.5)),
                       smoothstep(0.43, 0.48, np.abs(y / 0.36 - course - 0.5)))
    flat = np.abs(normal[:, 1]) > 0.7
    tone = mix("#8a8072", "#b5a892", np.clip(stone + 0.4 * grime, 0, 1))
    tone = tone * (1 - 0.45 * joint * ~flat)[:, None]
    weed = smoothstep(0.62, 0.18, y + 0.10 * SEA.fractal(x * 2, z * 2, 4))
    tone = mix(tone, "#2c3222", 0.9 * weed)
    if kind == TOWER:
        plaster = linear("#efe9da") * (1 + 0.07 * grime - 0.10 * np.clip(SEA.fractal(
            around * 5, y * 0.5, 4), 0, 1))[:, None]
        red = linear("#b23a2a") * (1 + 0.10 * grime)[:, None]
        banded = np.where((((y > 2.9) & (y < 4.3)) | (y > 5.6))[:, None], red, plaster)
        window = (np.abs(around + 0.25) < 0.16) & ((np.abs(y - 3.6) < 0.3)
                                                   | (np.abs(y - 5.0) < 0.26))
        banded = np.where(window[:, None], linear("#1d262c"), banded)
        glass = (y > 6.45) & (y < 7.36) & (np.hypot(x - 4.5, z - 15.9) < 0.6)
        bars = np.abs((around * 4 / np.pi) % 1 - 0.5) < 0.43
        banded = np.where((glass & bars)[:, None], linear("#8fa3a8"), banded)
        tone = np.where((y > 1.7)[:, None], banded, tone)
    return tone


def boats_paint(kind, p):
    """Hulls, cabins and spars, each boat in its own colours."""
    x, y, z = p.T
    tone = np.zeros_like(p)
    owner = np.argmin([np.hypot(*own(b, x, z)) / b["long"] for b in BOATS], axis=0)
    for k, boat in enumerate(BOATS):
        here = owner == k
        if not here.any():
            continue
        u, v = own(boat, x[here], z[here])
        t, high = station(boat, u, y[here]), y[here]
        rail = sheer(boat, t)
        seam, tint = planks(u, high - 0.5 * (rail - boat["high"]), 0.14)
        worn = SEA.fractal(u * 3, high * 9 + k * 5, 5)
        if kind == HULL:
            inside = np.abs(v) < beam(boat, t, high) - 0.03
            paint = np.tile(linear(boat["side"]), (len(u), 1))
            paint = np.where((rail - high < 0.15)[:, None], linear(boat["strake"]), paint)
            line = 0.13 + 0.02 * t
            paint = np.where((np.abs(high - line) < 0.022)[:, None], linear("#e9e4d6"), paint)
            paint = np.where((high < line - 0.02)[:, None], linear(boat["below"]), paint)
            paint = np.where(inside[:, None], mix("#8d7350", "#b79a6e", 0.5 + 0.5 * worn), paint)
            rust = smoothstep(0.25, 0.6, SEA.fractal(u * 4, high * 0.8 + k, 4))
            rust = rust * smoothstep(rail - 0.1, rail - 0.6, high)
            paint = mix(paint, "#6d4526", 0.30 * rust)
            tone[here] = paint * (seam * (1 + 0.10 * worn + 0.06 * tint))[:, None]
        elif kind == CABIN:
            base = boat["high"] * 0.7
            up = high - base
            paint = np.tile(linear("#e6dfcd" if k == 0 else "#2f6f68"), (len(u), 1))
            pane = (np.abs(up - 0.86) < 0.20) & (
                (np.abs(np.abs(u + 0.09 * boat["long"]) - 0.28) < 0.20)
                | (np.abs(np.abs(v) - 0.24) < 0.17) & (np.abs(u + 0.09 * boat["long"]) > 0.6))
            paint = np.where(pane[:, None], linear("#182227"), paint)
            tone[here] = paint * (1 + 0.10 * worn)[:, None] * (
                1 - 0.2 * smoothstep(0.25, 0.0, up))[:, None]
        else:
            tone[here] = mix("#6a4a2c", "#a97f4d", 0.5 + 0.6 * SEA.fractal(
                u * 1.5, (v + high) * 18, 4))
    return tone


def material(kind, p, normal):
    x, y, z = p.T
    if kind in (PIER, TOWER):
        return stonework(kind, p, normal, SEA.fractal(x * 1.3 + z, y * 2.3, 5))
    if kind == HILL:
        return mix("#4e5a3c", "#7f7752", 0.5 + 0.6 * SEA.fractal(x / 14, y / 3 + z / 14, 5))
    if kind == BUOY:
        band = (np.abs(y - 0.14) < 0.055)[:, None]
        return np.where(band, linear("#e7e0d0"), linear("#d2591f")) * (
            1 - 0.4 * smoothstep(0.08, -0.02, y))[:, None]
    return boats_paint(kind, p)


def shadow(p, normal):
    """How much of the low sun each point sees."""
    sun = SUN.astype(np.float32)
    facing = np.flatnonzero((normal @ sun > 0) & (p[:, 2] < 100))
    return smoothstep(0, 1, rays.soft_light(
        nearest, p + 0.03 * normal, facing, sun, begin=0.05, wide=0.025, pace=1,
        stride=(0.02, 2.0), far=25, steps=34))


def solid(p, ray, gone):
    """Light from solid things at p towards the camera."""
    kind = distances(p).argmin(0)
    size = np.maximum(0.0012 * np.minimum(gone, 60), 0.003)[:, None].astype(np.float32)
    normal = rays.normals(nearest, p, size)
    space = np.ones(len(p), np.float32)
    for reach in (0.10, 0.30, 0.8):
        space -= 0.24 * np.clip(1 - nearest(p + reach * normal) / reach, 0, 1)
    tone = np.zeros_like(p)
    for k in np.unique(kind):
        here = kind == k
        tone[here] = material(k, p[here], normal[here])
    facing = np.clip(normal @ SUN.astype(np.float32), 0, 1) * shadow(p, normal)
    up = 0.5 + 0.5 * normal[:, 1:2]
    ambient = space[:, None] * (up * np.array([0.36, 0.45, 0.55])
                                + (1 - up) * np.array([0.22, 0.20, 0.17]) + 0.06)
    light = tone * (facing[:, None] * SUNLIGHT + ambient)
    air = np.exp(-np.maximum(gone, 0) / 520)
    return mix(np.array([0.74, 0.66, 0.60]), light, air)


def look(origin, ray, begin):
    """Light along rays that meet no water."""
    light, gone = sky(ray), march(origin, ray, begin)
    hit = np.isfinite(gone)
    if hit.any():
        light[hit] = solid(origin[hit] + gone[hit, None] * ray[hit], ray[hit], gone[hit])
    return light, gone


def ripples(x, z, gone):
    """Slopes of the water: long swell, small waves in cat's paws, all smoothed with distance."""
    paws = 0.35 + 0.65 * smoothstep(-0.3, 0.5, SEA.fractal(x / 13, z / 5, 3))
    slope_x, slope_z = 0.0, 0.0
    for size, steep in ((3.1, 0.016), (0.95, 0.030), (0.34, 0.040), (0.12, 0.030)):
        fade = np.clip(size * 90 / np.maximum(gone, 1), 0, 1) ** 0.6
        fade = fade * (1 if size > 1 else paws) * steep
        slope_x = slope_x + 0.6 * fade * SEA.smooth(x / size + 7, z / size * 1.3)
        slope_z = slope_z + fade * SEA.smooth(x / size * 0.7 + 40, z / size * 1.3 + 9)
    return slope_x, slope_z


def trace(x, y, aspect):
    """Light for picture coordinates x, y in heights of the picture."""
    # The lens looks level and is shifted, which keeps masts upright.
    ray = np.stack([x - 0.5 * aspect, HORIZON - y, FOCAL + 0 * x], 1).astype(np.float32)
    ray /= np.sqrt((ray**2).sum(1, keepdims=True))
    result = np.zeros((len(x), 3))
    for part in range(0, len(ray), 16_384):
        here = slice(part, part + 16_384)
        result[here] = one(ray[here])
    return result, np.zeros(len(x))


def one(ray):
    origin = np.broadcast_to(EYE.astype(np.float32), ray.shape)
    light, gone = look(origin, ray, 5.0)
    down = ray[:, 1] < -1e-4
    surface = np.where(down, -EYE[1] / np.where(down, ray[:, 1], -1), np.inf)
    wet = surface < gone
    if not wet.any():
        return light
    s = surface[wet].astype(np.float32)
    p = (EYE + s[:, None] * ray[wet]).astype(np.float32)
    slope_x, slope_z = ripples(p[:, 0], p[:, 2], s)
    normal = np.stack([-slope_x, np.ones_like(s), -slope_z], 1).astype(np.float32)
    normal /= np.sqrt((normal**2).sum(1, keepdims=True))
    cosine = np.clip(-(ray[wet] * normal).sum(1), 0.02, 1)
    back = ray[wet] + 2 * cosine[:, None] * normal
    back[:, 1] = np.abs(back[:, 1]) + 0.003
    back /= np.sqrt((back**2).sum(1, keepdims=True))
    mirrored, _ = look(p, back, 0.02)
    fresnel = 0.03 + 0.97 * (1 - cosine) ** 4.2
    deep = mix("#17363c", "#2b5350", 0.5 + 0.5 * SEA.fractal(p[:, 0] / 9, p[:, 2] / 6, 3))
    water = mix(deep * 0.55, mirrored, fresnel)
    light[wet] = mix(np.array([0.74, 0.66, 0.60]), water, np.exp(-s / 900))
    return light


def make(width, height):
    light = rays.rendered(width, height, trace, contrast=0.06)
    return camera.develop(light, 93, exposure=0.72, grain=0.010, warmth=0.012)
