"""A village street on a summer afternoon: houses as convex solids, one ray of sun per sample.

village.py has the houses. Walls, roofs and paving get their texture from where they are hit.
Metres; y is up, z runs down the street.
"""

import numpy as np

import camera
from camera import linear, mix
from noise import Noise, smoothstep
from village import (CHIMNEY, HOUSE, LANTERN, PLANTER, ROOF, SPIRE, STEP, TOWER, bend, door_place,
                     first_hit, village, window_places)

GRIT = Noise(91)
EYE, FOCAL, HORIZON = np.array([0.55, 1.75, -1.0], np.float32), 1.02, 0.60
SUN = np.array([-0.50, 0.70, -0.42]) / np.linalg.norm([-0.50, 0.70, -0.42])
SUNLIGHT = np.array([1.0, 0.84, 0.63]) * 3.0
SKYLIGHT = np.array([0.50, 0.66, 0.95]) * 0.62
PLASTER = ["#d9c39a", "#c9a37c", "#e3d6bd", "#b98a66", "#d2b48c", "#c7bca6", "#dcb487", "#bfae92"]
SHUTTERS = ["#3f5f57", "#5a7186", "#6b3a2e", "#4c6a3a", "#7a6a4a", "#2f4f6a"]


def sky(ray):
    """The afternoon sky, with fair-weather clouds and wooded hills at the end of the street."""
    rise = np.clip(ray[:, 1], 0.0, 1)
    flat = ray[:, 0] / np.maximum(ray[:, 2], 0.1)
    light = mix(linear("#d5e4ee") * 1.25, linear("#4a86c8") * 1.0,
                smoothstep(0.0, 0.60, rise) ** 0.7)
    u, v = ray[:, 0] / (rise + 0.22) * 1.7, ray[:, 2] / (rise + 0.22) * 1.7
    thick = GRIT.fractal(u + 4.4, v + 1.0, 8, 0.53)
    lit = np.clip(0.75 + 1.1 * (thick - GRIT.fractal(u + 4.25, v + 0.86, 8, 0.53)), 0.2, 1.25)
    cloud = mix("#97a3b5", np.array([1.35, 1.30, 1.22]), lit)
    light = mix(light, cloud, smoothstep(0.04, 0.45, thick) * 0.92 * smoothstep(0.02, 0.12, rise))
    hills = 0.115 + 0.05 * GRIT.fractal(flat * 2.2 + 5, 0 * flat, 7) + 0.05 * flat
    wood = mix("#3d5548", "#71825a", 0.5 + 0.6 * GRIT.fractal(flat * 30, rise * 70, 4))
    wood = mix(wood, "#a9bccb", 0.42 + 0 * rise)
    return mix(light, wood, smoothstep(0.002, -0.002, ray[:, 1] - hills))


def wall(solid, l, h, front):
    """Plaster, stone, windows, shutters and door at l along the wall and h up it. Returns colour,
    and how much a place shines."""
    wide, tall, _ = solid.size
    seed = solid.seed
    a, b = l + 13.7 * seed, h + 3.1 * seed
    stain = GRIT.fractal(a * 0.55, b * 0.4, 6)
    tone = (linear(PLASTER[seed % len(PLASTER)]) * (
        1 + 0.20 * stain + 0.10 * GRIT.fractal(a * 9, b * 9, 4))[:, None])
    streak = smoothstep(0.15, 0.6, GRIT.fractal(a * 3.2, b * 0.22, 4))
    tone = mix(tone, tone * np.array([0.62, 0.60, 0.58]), 0.7 * streak)
    # Where plaster has fallen off, rubble shows; the plinth and the corners are dressed stone.
    first, second, chance = GRIT.cells(a * 2.6, b * 4.2)
    rubble = (mix("#6f6455", "#b3a48a",
                  chance) * (0.45 + 0.55 * smoothstep(0.03, 0.16, second - first))[:, None])
    bare = smoothstep(0.20, 0.30, stain * 0.8 + 0.4 * GRIT.fractal(a * 2, b * 2, 4)
                      + 0.28 * (seed % 3 == 0) - 0.05 * h)
    tone = mix(tone, rubble, bare)
    block = np.floor(h / 0.42)
    corner = np.minimum(l, wide - l) < 0.30 + 0.16 * (block % 2)
    joint = np.abs(h / 0.42 - block - 0.5) > 0.47
    stone = (linear("#b5a78d") * (0.85 + 0.3 * ((block * 7.3 + seed) % 1)
                                  + 0.12 * GRIT.fractal(a * 6, b * 6, 3))[:, None])
    tone = mix(tone, stone * np.where(joint, 0.5, 1)[:, None], (corner | (h < 0.55)) * 0.92)
    tone = mix(tone, tone * 0.45, smoothstep(0.9, 0.0, h + 0.25 * GRIT.fractal(a * 2, b, 3)) * 0.6)
    shine = np.zeros_like(l)
    if not front:
        return tone, shine
    shutter = linear(SHUTTERS[seed % len(SHUTTERS)])
    for k, place in enumerate(window_places(wide)):
        for level, sill, high in ((0, 1.05, 1.35), (1, 3.25, 1.40)):
            if level == 0 and place == door_place(wide, seed):
                tone, shine = door(tone, shine, l - place, h, seed)
            else:
                tone, shine = window(tone, shine, l - place, h - sill, high, shutter,
                                     seed * 7 + 2 * k + level)
    return tone, shine


def window(tone, shine, x, y, high, shutter, seed):
    """A window x from its middle and y above its sill: surround, frame, panes, shutters."""
    half = 0.46
    near = (np.abs(x) < 1.3) & (y > -0.6) & (y < high + 0.5)
    if not near.any():
        return tone, shine
    tone, shine = tone.copy(), shine.copy()
    x, y, part, gleam = x[near], y[near], tone[near], shine[near]
    inside = (np.abs(x) < half) & (y > 0) & (y < high)
    frame = (np.abs(x) < half + 0.13) & (y > -0.10) & (y < high + 0.16)
    rough = 1 + 0.12 * GRIT.fractal(x * 9 + seed, y * 9, 4)
    part = mix(part, linear("#c5b79c") * rough[:, None], frame * 1.0)
    streak = smoothstep(0.0, -0.55, y) * smoothstep(0.62, 0.35, np.abs(x)) * (y < -0.1)
    part = mix(part, part * 0.6, 0.5 * streak * (0.6 + GRIT.smooth(x * 9 + seed, y)))
    part = mix(part, linear("#9c927c") * 0.9, ((y < -0.02) & (y > -0.12)
                                               & (np.abs(x) < half + 0.2)) * 1.0)
    under = (y < -0.12) & (y > -0.20) & (np.abs(x) < half + 0.2)
    part = mix(part, part * 0.45, under * 1.0)
    glass = mix("#0f1418", "#2d3b48", 0.5 + 0.5 * GRIT.smooth(x * 1.5 + seed, y * 1.5))
    curtain = (np.abs(x) > 0.16 + 0.10 * (y / high)) & (seed % 3 != 0)
    fold = 0.75 + 0.3 * np.sin(x * 70 + 2 * np.sin(y * 3))
    glass = mix(glass, linear("#b9b3a4") * 0.55 * fold[:, None], curtain * 0.8)
    sash = ((np.abs(x) < 0.028) | (np.abs(np.abs(x) - half + 0.03) < 0.032)
            | (np.abs(y - 0.66 * high) < 0.024) | (np.abs(y - 0.33 * high) < 0.02) | (y < 0.05)
            | (y > high - 0.05))
    part = mix(part, glass, inside * 1.0)
    gleam = np.where(inside & ~sash & ~curtain, 1.0, gleam)
    part = mix(part, "#d9d3c5", inside & sash)
    # The opening is deep: its upper edge and the edge towards the sun shade the pane.
    part = mix(part, part * 0.30, inside * np.maximum(smoothstep(0.20, 0.05, high - y),
                                                      smoothstep(0.16, 0.03, x + half)))
    if seed % 5:
        u = np.abs(x) - half - 0.02
        leaf = (u > 0) & (u < 0.47) & (y > -0.03) & (y < high + 0.03)
        slat = np.abs((y * 13) % 1 - 0.5) * 2
        rail = ((np.abs(u - 0.235) > 0.19) | (np.abs(y - 0.5 * high) < 0.05) | (y < 0.06)
                | (y > high - 0.06))
        board = (shutter * (0.80 + 0.25 * np.where(rail, 0.8, slat)
                            + 0.12 * GRIT.fractal(x * 14 + seed, y * 3, 4))[:, None])
        worn = smoothstep(0.25, 0.6, GRIT.fractal(x * 7 + seed * 3, y * 11, 4))
        part = mix(part, mix(board, "#a89c86", worn * 0.5), leaf * 1.0)
        shade = (u > 0.47) & (u < 0.52) & (x > 0) & (y > -0.06) & (y < high)
        part = mix(part, part * 0.5, shade * 1.0)
    tone[near], shine[near] = part, gleam
    return tone, shine


def door(tone, shine, x, h, seed):
    """A plank door in a stone arch."""
    arch = 2.05 + 0.28 * np.sqrt(np.clip(1 - (x / 0.60) ** 2, 0, 1))
    surround = (np.abs(x) < 0.80) & (h < arch + 0.24)
    inside = (np.abs(x) < 0.56) & (h < arch)
    angle = np.floor(np.where(h > 2.05, np.arctan2(h - 2.0, x) * 4, h * 2.6))
    stone = (linear("#b0a48c") * (0.85 + 0.30 * ((angle * 0.618) % 1)
                                  + 0.12 * GRIT.fractal(x * 7 + seed, h * 7, 4))[:, None])
    tone = mix(tone, stone, surround * 1.0)
    plank = np.abs((x * 6.2) % 1 - 0.5) > 0.45
    wood = (mix("#3f2616", linear(SHUTTERS[(seed + 2) % len(SHUTTERS)]),
                0.55 + 0 * x) * (1 + 0.25 * GRIT.fractal(x * 16 + seed, h * 1.5, 5))[:, None]
            * np.where(plank, 0.45, 1)[:, None])
    wood = mix(wood, "#1c1a18", (np.hypot(x - 0.40, h - 1.05) < 0.04)
               | (np.abs(np.abs(h - 1.1) - 0.7) < 0.03))
    wood = mix(wood, wood * 0.25, np.maximum(smoothstep(0.25, 0.05, arch - h),
                                             smoothstep(0.16, 0.02, x + 0.56)))
    return mix(tone, wood, inside * 1.0), shine


def paving(x, z):
    """Cobbles in the street, slabs along the houses; colour, and the slopes of their faces."""
    away = x - bend(z)
    first, second, chance = GRIT.cells(x * 6.0, z * 5.4 + 0.25 * np.sin(x * 3))
    gap = smoothstep(0.02, 0.16, second - first)
    cobble = mix("#57514b", "#a0968a",
                 np.clip(chance * 0.8 + 0.25 * GRIT.fractal(x * 0.7, z * 0.7, 4), 0, 1))
    cobble = cobble * (1 + 0.14 * GRIT.fractal(x * 30, z * 30, 3))[:, None]
    cobble = mix("#2d2a22", cobble, gap)
    moss = smoothstep(0.1, 0.5, GRIT.fractal(x * 0.9 + 7, z * 0.9, 5)
                      + 0.25 * (np.abs(away) > 1.9)) * (1 - gap)
    cobble = mix(cobble, "#4d5a2a", moss)
    step = 0.01
    slope_x = GRIT.cells((x + step) * 6.0, z * 5.4 + 0.25 * np.sin(x * 3))[0] - first
    slope_z = GRIT.cells(x * 6.0, (z + step) * 5.4 + 0.25 * np.sin(x * 3))[0] - first
    slope = np.stack([slope_x, slope_z], -1) / step * 0.085
    row = np.floor(z / 0.9)
    seam = (np.abs(z / 0.9 - row - 0.5) > 0.485) | (
        np.abs((np.abs(away) - 2.0 + 0.35 * (row % 2)) / 0.7 % 1 - 0.5) > 0.48)
    slab = (linear("#a3988a") * (0.80 + 0.3 * ((row * 0.618) % 1)
                                 + 0.18 * GRIT.fractal(x * 3, z * 3, 6))[:, None])
    slab = slab * np.where(seam, 0.4, 1)[:, None]
    kerb = np.abs(np.abs(away) - 2.02) < 0.11
    side = np.abs(away) > 2.02
    tone = mix(cobble, slab, side * 1.0)
    tone = mix(tone, linear("#8d857a") * (0.85 + 0.3 * GRIT.fractal(x * 5, z * 1.1, 4))[:, None],
               kerb * 1.0)
    tone = mix(tone, tone * 0.5, 0.8 * smoothstep(0.16, 0.0, np.abs(np.abs(away) - 1.86)))
    dirt = smoothstep(-0.1, 0.6, GRIT.fractal(x * 0.5, z * 0.35 + 3, 5))
    return (mix(tone, tone * np.array([0.72, 0.68, 0.62]), dirt),
            slope * (1 - side)[:, None] * gap[:, None])


def roofing(solid, p):
    """Rows of clay tiles: colour, and a slope along the row for their round backs."""
    q = p - solid.origin
    along, down = q @ solid.along, np.hypot(q @ solid.inward, q[:, 1])
    row = np.floor(down / 0.30)
    column = along / 0.21
    each = (np.sin(np.floor(column) * 12.99 + row * 78.2 + solid.seed) * 43758.5) % 1
    tone = mix("#7a3f2a", "#c07a4e", np.clip(
        each * 0.8 + 0.4 * GRIT.fractal(along * 0.6, down * 0.6 + solid.seed * 5, 4), 0, 1))
    lichen = smoothstep(0.15, 0.5, GRIT.fractal(along * 1.3 + 7 * solid.seed, down * 1.3, 6))
    tone = mix(tone, "#6f6a4e", 0.65 * lichen)
    lip = smoothstep(0.80, 0.98, down / 0.30 - row)
    return tone * (1 - 0.55 * lip)[:, None], np.cos(2 * np.pi * column) * 0.55


def solid_look(solid, face, p, distance):
    """Where rays enter a solid: colour, how much it shines, how open it is, and which way it faces.
    """
    tone, shine, space = np.full_like(p, 0.3), 0.0, 1.0
    flat = solid.normals[face]
    local = p - solid.origin
    l, h, d = local @ solid.along, p[:, 1], local @ solid.inward
    if solid.kind in (HOUSE, TOWER):
        front = face == 5
        colours, gleam = np.zeros_like(p), np.zeros(len(p), np.float32)
        for is_front in (True, False):
            some = front == is_front
            if some.any():
                along = l[some] if is_front else d[some]
                colours[some], gleam[some] = wall(solid, along, h[some], is_front
                                                  and solid.kind == HOUSE)
        if solid.kind == TOWER:
            side = np.where(np.abs(flat @ solid.along) > 0.5, d, l)
            opening = ((np.abs(side) < 0.7) & (h > 13.5)
                       & (h < 16.6 + np.sqrt(np.clip(0.49 - side**2, 0, 1))))
            light = 0.85 + 0.3 * GRIT.fractal(side * 2, h * 2, 5)
            colours = mix(linear("#b8a88c") * light[:, None], "#2a2622", opening * 1.0)
        tone, shine = colours, gleam
        eaves = smoothstep(0.9, 0.05, solid.size[1] - h) if solid.kind == HOUSE else 0
        space = ((0.42 + 0.58 * smoothstep(0, 8, h)) * (1 - 0.45 * eaves)
                 * (0.6 + 0.4 * smoothstep(0, 0.7, h)))
    elif solid.kind in (ROOF, SPIRE):
        colours, back = roofing(solid, p)
        top = (face == 0) if solid.kind == ROOF else (face > 0)
        if solid.kind == SPIRE:
            colours = linear("#5c6470") * (1 + 0.25 * GRIT.fractal(l * 2, h * 5, 4))[:, None]
        tone = mix(linear("#5f4a38") * 0.8, colours, top * 1.0)
        bumps = back * top * (solid.kind == ROOF) * np.exp(-distance / 30)
        flat = flat + bumps[:, None] * solid.along
    elif solid.kind == CHIMNEY:
        course = np.floor(h / 0.09)
        brick = np.abs(((l + d) / 0.24 + 0.5 * course) % 1 - 0.5) < 0.46
        light = 0.7 + 0.4 * GRIT.fractal(l * 9, h * 9, 3) + 0.3 * brick
        tone = linear("#9a5a40") * light[:, None]
    elif solid.kind == PLANTER:
        tone, space = linear("#7a4a30"), 0.7
    elif solid.kind == STEP:
        light = 0.85 + 0.25 * GRIT.fractal(l * 6, d * 6 + h * 9, 4)
        tone, space = linear("#a09684") * light[:, None], 0.55
    elif solid.kind == LANTERN:
        bar = np.minimum(np.abs(np.abs(l) - 0.12), np.abs(np.abs(d) - 0.12)) < 0.012
        bar &= np.abs(np.abs(l) - np.abs(d)) < 0.03
        tone = np.where(bar[:, None], 0.02, linear("#cfc7ae") * 0.8)
    else:
        tone = linear("#23282a")
    return tone, shine, space, flat


def shade(solids, origin, ray, sun):
    """Light along each ray."""
    distance, which, plane = first_hit(solids, origin, ray)
    with np.errstate(divide="ignore"):
        floor = np.where(ray[:, 1] < -1e-5, -origin[:, 1] / ray[:, 1], np.inf)
    ground = (floor < distance) & (floor < 160)
    distance = np.where(ground, floor, distance)
    light = sky(ray)
    hit = ground | (which >= 0)
    if not hit.any():
        return light
    ray, distance, which, plane, ground = (ray[hit], distance[hit], which[hit], plane[hit],
                                           ground[hit])
    p = origin[hit] + distance[:, None] * ray
    normal = np.tile(np.array([0, 1, 0], np.float32), (len(p), 1))
    tone, shine = np.full_like(p, 0.3), np.zeros(len(p), np.float32)
    space = np.ones(len(p), np.float32)
    if ground.any():
        x, z = p[ground, 0], p[ground, 2]
        tone[ground], slope = paving(x, z)
        fade = np.exp(-distance[ground] / 14)[:, None]
        normal[ground] = np.stack([-slope[:, 0], np.ones(len(x)), -slope[:, 1]],
                                  -1) * np.concatenate([fade, 1 + 0 * fade, fade], 1)
        space[ground] = 0.34 + 0.66 * smoothstep(3.5, 1.2, np.abs(x - bend(z)))
    for number in np.unique(which[~ground]):
        here = (which == number) & ~ground
        tone[here], shine[here], space[here], normal[here] = solid_look(
            solids[number], plane[here], p[here], distance[here])
    tone, normal = greenery(p, tone, normal, which, solids, ground)
    normal = normal / np.sqrt((normal**2).sum(1, keepdims=True))
    facing = np.clip(normal @ SUN, 0, 1)
    lit = np.zeros(len(p), np.float32)
    towards = np.flatnonzero(facing > 0)
    blocked, _, _ = first_hit(solids, p[towards] + 0.004 * normal[towards], sun[hit][towards])
    lit[towards] = ~np.isfinite(blocked)
    ambient = SKYLIGHT * (0.55 + 0.45 * np.clip(normal[:, 1], -0.6, 1))[:, None]
    # Sunlit walls and paving on the right warm what faces them.
    warm = np.clip(normal[:, 0] * 0.6 - normal[:, 1] * 0.4 + 0.35,
                   0, 1)[:, None] * np.array([0.34, 0.25, 0.16])
    result = tone * ((facing * lit)[:, None] * SUNLIGHT + (ambient + warm) * space[:, None])
    back = ray - 2 * (ray * normal).sum(1, keepdims=True) * normal
    cosine = np.abs((ray * normal).sum(1))
    glass = (shine * (0.10 + 0.75 * (1 - cosine) ** 4))[:, None]
    seen = mix(linear("#8f7a62") * 0.8, linear("#b7cfe4") * 1.1,
               smoothstep(0.05, 0.25, back[:, 1] + 0.04 * GRIT.smooth(p[:, 2] * 3, p[:, 1] * 3)))
    result = result + glass * seen
    air = np.exp(-distance / 260)
    light[hit] = mix(np.array([0.62, 0.70, 0.80]), result, air)
    return light


def greenery(p, tone, normal, which, solids, ground):
    """Ivy on some walls and flowers over the planters' edges, as texture that bends the normal."""
    x, y, z = p.T
    ivy = np.zeros(len(p), bool)
    for number in np.unique(which[~ground]):
        solid = solids[number]
        here = (which == number) & ~ground
        if solid.kind == HOUSE and solid.seed in (0, 3, 11, 14):
            l = (p[here] - solid.origin) @ solid.along
            climb = GRIT.fractal(l * 0.8 + solid.seed, y[here] * 0.5,
                                 5) + 0.30 * GRIT.fractal(l * 6, y[here] * 6, 3)
            ivy[here] = climb > 0.02 + 0.07 * y[here] + 0.22 * np.minimum(l, solid.size[0] - l)
        if solid.kind == PLANTER:
            ivy[here] = True
    if not ivy.any():
        return tone, normal
    q = p[ivy]
    u, v = q[:, 0] + q[:, 2], q[:, 1]
    near, _, chance = GRIT.cells(u * 13, v * 13)
    leaf = mix("#25401a", "#7d9a3a", chance) * (1.15 - 0.9 * near)[:, None]
    planter = np.array([which[i] >= 0 and solids[which[i]].kind == PLANTER
                        for i in np.flatnonzero(ivy)])
    petals = [linear("#c9283a"), linear("#e886a4"), linear("#e9e2d2")]
    bloom = np.array(petals)[(chance * 977).astype(int) % 3]
    leaf = mix(leaf, bloom * (1.25 - near)[:, None], planter & (chance > 0.45))
    tone[ivy] = leaf
    normal[ivy] += (np.stack([chance - 0.5, (chance * 7) % 1 - 0.3, (chance * 13) % 1 - 0.5],
                             -1) * 1.1)
    return tone, normal


def make(width, height):
    solids = village()
    draw = np.random.default_rng(93)
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    x, y = x.ravel(), y.ravel()
    total = np.zeros((width * height, 3))
    offsets = ((0.375, 0.125), (0.875, 0.375), (0.625, 0.875), (0.125, 0.625))
    for dx, dy in offsets:
        for part in range(0, len(x), 24_000):
            here = slice(part, part + 24_000)
            across, up = (x[here] + dx) / height - 0.5 * width / height, HORIZON - (
                y[here] + dy) / height
            ray = np.stack([across, up, np.full(across.shape, FOCAL)], -1).astype(np.float32)
            ray /= np.sqrt((ray**2).sum(1, keepdims=True))
            sun = SUN + draw.normal(0, 0.006, ray.shape)  # the sun is a disc
            sun = (sun / np.sqrt((sun**2).sum(1, keepdims=True))).astype(np.float32)
            light = shade(solids, np.broadcast_to(EYE, ray.shape), ray, sun)
            total[here] += np.minimum(light, 3) / len(offsets)
    return camera.develop(total.reshape(height, width, 3).astype(np.float32), 94, exposure=0.66,
                          warmth=0.012)
