"""A marble bust before a plain wall, by marching distance fields: a portrait in soft window light.

The head is built as a sculptor builds it in clay: large forms first, each melted into those before
it, then eyes, nose and mouth. Lengths are decimetres; y is up, the eyes at height 0, the face
looks towards -z and is then turned.
"""

import numpy as np

import camera
import rays
from camera import mix
from noise import Noise, smoothstep

STONE = Noise(81)
EYE, LOOK, FOCAL = np.array([0.0, -0.45, -9.6]), np.array([-0.62, -0.78, 0.0]), 2.12
LIGHT = np.array([-0.74, 0.50, -0.46]) / np.linalg.norm([-0.74, 0.50, -0.46])
DAYLIGHT = np.array([1.0, 0.93, 0.82]) * 2.35
TURN, NOD = -0.50, 0.07  # of the head: to the left of the picture, and down
BUST_TURN = 0.22
FOOT = -2.92  # height of the shelf that it stands on
WALL, SHELF, MARBLE, SOCLE = range(4)


def ellipsoid(x, y, z, radii):
    """About the distance to an ellipsoid around the origin."""
    a, b, c = radii
    first = np.sqrt((x / a) ** 2 + (y / b) ** 2 + (z / c) ** 2)
    second = np.sqrt((x / a**2) ** 2 + (y / b**2) ** 2 + (z / c**2) ** 2) + 1e-6
    return first * (first - 1) / second


def limb(x, y, z, start, end, thin, thick):
    """Distance to a rod from start to end that grows from one radius to another."""
    ax, ay, az = (e - s for s, e in zip(start, end))
    px, py, pz = x - start[0], y - start[1], z - start[2]
    t = np.clip((px * ax + py * ay + pz * az) / (ax * ax + ay * ay + az * az), 0, 1)
    out = np.sqrt((px - t * ax) ** 2 + (py - t * ay) ** 2 + (pz - t * az) ** 2)
    return out - (thin + (thick - thin) * t)


def melt(a, b, width):
    """The union of two forms, with a seam as soft as `width`."""
    h = np.maximum(width - np.abs(a - b), 0)
    return np.minimum(a, b) - h * h * (0.25 / width)


def carve(a, b, width):
    """Form a without form b."""
    return -melt(-a, b, width)


def turned(x, z, angle):
    cosine, sine = np.cos(angle), np.sin(angle)
    return cosine * x + sine * z, cosine * z - sine * x


def face(x, y, z):
    """Head without hair; x may be negative, both halves are alike."""
    s = np.abs(x)
    d = ellipsoid(x, y - 0.36, z - 0.12, (0.74, 0.80, 0.92))
    d = melt(d, ellipsoid(x, y + 0.22, z + 0.22, (0.585, 0.86, 0.63)), 0.22)
    d = melt(d, ellipsoid(x, y + 0.66, z + 0.20, (0.535, 0.42, 0.52)), 0.18)
    d = melt(d, ellipsoid(x, y + 0.98, z + 0.64, (0.20, 0.14, 0.14)), 0.24)
    d = melt(d, ellipsoid(s - 0.40, y + 0.26, z + 0.56, (0.20, 0.15, 0.20)), 0.20)
    d = melt(d, ellipsoid(s - 0.30, y + 0.52, z + 0.50, (0.21, 0.27, 0.24)), 0.22)
    # Brows arch over the sockets; the sockets are hollowed before the eyeballs are set in.
    d = melt(d, limb(s, y, z, (0.10, 0.135, -0.84), (0.42, 0.17, -0.66), 0.05, 0.05), 0.10)
    d = carve(d, ellipsoid(s - 0.285, y + 0.015, z + 0.93, (0.20, 0.135, 0.20)), 0.12)
    d = melt(d, ellipsoid(s - 0.285, y + 0.02, z + 0.655, (0.17, 0.16, 0.165)), 0.03)
    ball = np.sqrt((s - 0.285) ** 2 + (y + 0.02) ** 2 + (z + 0.655) ** 2)
    arch = 0.07 - 1.2 * (s - 0.275) ** 2
    upper = np.maximum(np.abs(ball - 0.168) - 0.022, arch - 0.02 - y)
    lower = np.maximum(np.abs(ball - 0.166) - 0.018, y + 0.085 - 0.9 * (s - 0.285) ** 2)
    d = melt(melt(d, upper, 0.025), lower, 0.03)
    # Nose: a straight ridge from the brow, a tip, wings, nostrils.
    d = melt(d, limb(x, y, z, (0, 0.12, -0.83), (0, -0.31, -1.045), 0.055, 0.075), 0.09)
    d = melt(d, ellipsoid(x, y + 0.345, z + 1.045, (0.095, 0.08, 0.10)), 0.05)
    d = melt(d, ellipsoid(s - 0.10, y + 0.375, z + 0.955, (0.050, 0.050, 0.085)), 0.09)
    d = carve(d, ellipsoid(s - 0.052, y + 0.435, z + 1.0, (0.030, 0.03, 0.045)), 0.03)
    # Mouth: a mound, two lips, the line between them drawn down into the corners.
    d = melt(d, ellipsoid(x, y + 0.63, z + 0.72, (0.27, 0.20, 0.19)), 0.13)
    d = carve(d, limb(x, y, z, (0, -0.47, -1.0), (0, -0.545, -0.985), 0.035, 0.035), 0.07)
    curve = 0.016 * np.cos(s * 20) + 0.28 * s * s
    d = melt(d, ellipsoid(s - 0.085, y + 0.592 - curve, z + 0.885, (0.135, 0.046, 0.065)), 0.035)
    d = melt(d, ellipsoid(x, y + 0.680, z + 0.875, (0.17, 0.056, 0.078)), 0.045)
    line = np.hypot(y + 0.633 - curve * 0.8, (z + 0.955 - 0.9 * s * s) * 0.6)
    d = carve(d, np.maximum(line - 0.013, s - 0.23), 0.035)
    d = carve(d, ellipsoid(x, y + 0.80, z + 0.93, (0.13, 0.035, 0.06)), 0.10)
    # Ears lean back.
    u, v = y + 0.10 - 0.25 * (z - 0.12), z - 0.12 + 0.25 * (y + 0.10)
    ear = ellipsoid(s - 0.735, u, v, (0.055, 0.27, 0.155))
    ear = carve(ear, ellipsoid(s - 0.80, u - 0.03, v + 0.01, (0.05, 0.17, 0.085)), 0.03)
    ear = melt(ear, ellipsoid(s - 0.735, u + 0.23, v + 0.03, (0.05, 0.06, 0.06)), 0.04)
    return melt(d, ear, 0.06)


def hair(x, y, z):
    """Waves that run from a parting down over the ears into a knot at the nape."""
    s = np.abs(x)
    up, back = y + 0.12, z - 0.36
    around = np.arctan2(up, -back)
    reach = np.arctan2(s, np.hypot(up, back))
    wave = around + 0.075 * np.sin(reach * 12 + 2.5 * around) + 0.05 * STONE.smooth(
        reach * 4, around * 3)
    lock = np.abs(STONE.smooth(wave * 3.2 + 9 * (x > 0), reach * 0.9))
    strand = np.abs(STONE.smooth(wave * 9 + 5 * (x > 0), reach * 1.3 + 8))
    fine = STONE.smooth(wave * 24, reach * 2 + 3)
    relief = 0.12 * np.clip(1 - 2.2 * lock, 0, 1) + 0.045 * (1 - 2 * strand) + 0.006 * fine
    relief = relief * smoothstep(0.05, 0.5, np.hypot(up, back))
    cap = ellipsoid(x, y - 0.38, z - 0.17, (0.86, 0.86, 0.98)) + 0.05 - 0.75 * relief
    cap = cap + 0.06 * np.exp(-((s / 0.04) ** 2)) * (z < 0.3)  # the parting
    # The hairline: high over the brow, back over the temples, down in front of the ears.
    line = 0.60 - 0.40 * s * s
    front = -0.80 + 0.95 * np.maximum(line - y, 0) - z
    cap = -melt(-cap, -(front * 0.7), 0.10)
    cap = np.maximum(cap, -(y + 0.10 + 0.50 * np.clip(z - 0.1, 0, 1.1)))
    turns = np.hypot(x, y - 0.02)
    coil = 0.035 * np.sin(13 * turns + 2 * np.arctan2(y - 0.02, x)) + 0.008 * fine
    knot = ellipsoid(x, y - 0.02, z - 1.20, (0.42, 0.40, 0.34)) - coil
    ring = ellipsoid(x, y - 0.38, z - 0.17, (0.86, 0.86, 0.98))
    ribbon = np.maximum(np.abs(ring + 0.015) - 0.035, np.abs(z + 0.18 * y - 0.13) - 0.04)
    ribbon = np.maximum(ribbon, -0.10 - y)
    return np.minimum(melt(cap, knot, 0.06), ribbon * 0.8)


def shoulders(x, y, z):
    """Neck, shoulders and breast, cut off roundly below, with folds of cloth over them."""
    s = np.abs(x)
    d = ellipsoid(x, y + 2.28, z - 0.22, (1.45, 0.52, 0.58))
    d = melt(d, ellipsoid(x, y + 2.62, z + 0.06, (1.05, 0.62, 0.56)), 0.35)
    d = melt(d, limb(s, y, z, (0.10, -1.72, 0.25), (1.02, -2.02, 0.28), 0.20, 0.24), 0.30)
    collar = limb(s, y, z, (0.12, -1.93, -0.30), (1.0, -1.86, 0.05), 0.05, 0.07)
    d = melt(d, collar, 0.16)
    slant = y + 2.06 + 0.10 * s - 0.42 * x
    fold = np.abs(STONE.smooth(slant * 3.6 + 0.5 * STONE.smooth(x * 1.6, y * 1.6), 0.45 * x + 3))
    fold2 = np.abs(STONE.smooth(slant * 7.5 + 4, 0.8 * x))
    wrap = smoothstep(0.02, -0.10, slant + 0.10 * STONE.smooth(x * 2, z * 2))
    d = d - wrap * (0.05 + 0.17 * np.clip(1 - 2.1 * fold, 0, 1) ** 1.2 + 0.045 * (1 - 2 * fold2))
    cut = ellipsoid(x, y + 1.55, z - 0.15, (1.36, 1.36, 1.0))
    return -melt(-d, -cut, 0.07)


def bust(x, y, z):
    hx, hz = turned(x, z - 0.12, TURN)
    hy, hz = y * np.cos(NOD) - hz * np.sin(NOD), hz * np.cos(NOD) + y * np.sin(NOD)
    hz = hz + 0.12
    d = melt(face(hx, hy, hz), hair(hx, hy, hz), 0.02)
    bx, bz = turned(x, z, BUST_TURN)
    neck = limb(x, y, z, (0.0, -0.45, 0.20), (0.02, -1.60, 0.24), 0.45, 0.48)
    for side in (-1, 1):  # the muscles that turn the head
        top = turned(side * 0.52, 0.15, -TURN)
        neck = melt(neck, limb(x, y, z, (top[0], -0.42, top[1]), (side * 0.10, -1.47, -0.20),
                               0.12, 0.075), 0.18)
    d = melt(d, neck, 0.10)
    return melt(d, shoulders(bx, y - 0.42, bz), 0.16)


def socle(x, y, z):
    """The turned foot: a waist between two mouldings on a block."""
    out = np.hypot(x, z - 0.12)
    up = y - FOOT
    girth = 0.30 + 0.34 * np.exp(-((up - 0.02) / 0.12) ** 2) + 0.05 * np.exp(
        -((up - 0.27) / 0.04) ** 2)
    return np.maximum((out - girth) * 0.6, np.maximum(up - 0.55, -up))


def distances(p):
    """Distance to every kind of surface at points p (count x 3), a row for each kind."""
    x, y, z = p.T
    d = np.full((4, len(p)), 9, np.float32)
    d[WALL] = 2.1 - z
    edge = np.hypot(np.maximum(y - FOOT + 0.03, 0), np.maximum(-1.35 - z, 0)) - 0.03
    d[SHELF] = np.maximum(edge, np.maximum(y - FOOT, -1.38 - z))
    bound = ellipsoid(x, y + 0.75, z - 0.1, (1.75, 2.25, 1.75))
    d[MARBLE] = bound + 0.2
    near = bound < 0.6
    if near.any():
        d[MARBLE, near] = 0.80 * bust(x[near], y[near], z[near])
    d[SOCLE] = socle(x, y, z)
    return d


def nearest(p):
    return distances(p).min(0)


def march(origin, ray):
    return rays.march(nearest, origin, ray, begin=6.4, far=16.0, close=0.0008, steps=80)


def window_light(p, normal):
    """How much of the large window each point sees."""
    light = LIGHT.astype(np.float32)
    facing = normal @ light > -0.15
    seen = rays.soft_light(nearest, p + 0.02 * normal, np.flatnonzero(facing), light, begin=0.04,
                           wide=0.20, pace=0.7, stride=(0.03, 0.25), far=5.5, steps=44)
    return smoothstep(0, 1, np.where(facing, seen, 0))


def material(kind, p):
    """Colour and how shiny it is."""
    x, y, z = p.T
    if kind == WALL:
        tone = mix("#5c7480", "#6d838b", 0.5 + 0.5 * STONE.fractal(x * 0.6, y * 0.6, 4))
        return tone * (1 + 0.035 * STONE.fractal(x * 9, y * 9, 4))[:, None], 0.0
    if kind == SHELF:
        grain = STONE.fractal(x * 0.9, z * 14 + y * 14 + STONE.smooth(x, z * 2) * 2, 5)
        return mix("#4a3222", "#8a6242", 0.5 + 0.6 * grain), 0.05
    # Marble: warm white, with grey veins along a warped sheet.
    warp = STONE.fractal(x * 0.9 + z, y * 0.9, 4)
    vein = np.exp(-np.abs(STONE.fractal(x * 1.1 + 0.7 * warp + 4, y * 1.3 - z, 5)) / 0.035)
    tone = mix("#e4dccd", "#f1ebe0", 0.5 + 0.5 * warp)
    if kind == SOCLE:
        tone = mix("#56504a", "#7c746a", 0.5 + 0.5 * warp)
    return mix(tone, "#a7a3a0", 0.20 * vein), 0.045


def shade(p, ray):
    """Light that leaves the points p towards the camera, and the kind of surface there."""
    kind = distances(p).argmin(0)
    normal = rays.normals(nearest, p, 0.002)
    seen = window_light(p, normal)
    space = rays.openness(nearest, p, normal, (0.03, 0.08, 0.20, 0.50), falloff=0.8, strength=0.40)
    tone, shiny = np.zeros_like(p), np.zeros(len(p), np.float32)
    for k in np.unique(kind):
        here = kind == k
        tone[here], shiny[here] = material(k, p[here])
    stone = (kind >= MARBLE)[:, None]
    # Light that enters the stone comes out a little further on, and warmer.
    facing = normal @ LIGHT.astype(np.float32)
    wrapped = np.stack([(facing + w) / (1 + w) for w in (0.19, 0.165, 0.15)], 1)
    direct = np.where(stone, np.clip(wrapped, 0, 1), np.clip(facing, 0, 1)[:, None])
    direct = direct * np.where(stone, np.sqrt(seen)[:, None] * 0.25 + 0.75 * seen[:, None],
                               seen[:, None])
    above, aside = 0.5 + 0.5 * normal[:, 1], 0.5 + 0.5 * normal[:, 0]
    ambient = space[:, None] * (above[:, None] * np.array([0.20, 0.23, 0.28]) + 0.05
                                + (1 - above)[:, None] * np.array([0.16, 0.12, 0.09])
                                + (aside**2)[:, None] * np.array([0.10, 0.13, 0.15]))
    light = tone * (direct * DAYLIGHT + ambient)
    half = LIGHT - ray
    half /= np.sqrt((half**2).sum(1, keepdims=True))
    gleam = np.clip((normal * half).sum(1), 0, 1) ** 38 * shiny * 5.0 * seen
    light += gleam[:, None] * DAYLIGHT
    # The window's light is a patch on the wall that fades to the right.
    fade = 0.50 + 0.62 * np.exp(-(((p[:, 0] + 2.1) / 3.0) ** 2) - ((p[:, 1] - 0.1) / 2.9) ** 2)
    return light * np.where(kind == WALL, fade, 1)[:, None], kind


def trace(x, y, aspect):
    return rays.shaded(EYE, rays.towards(x, y, aspect, EYE, LOOK, FOCAL), march, shade)


def make(width, height):
    light = rays.rendered(width, height, trace, contrast=0.10)
    return camera.develop(light, 83, exposure=0.47, grain=0.010, warmth=0.008)
