"""The country of the seasons' pictures: hills, meadows, fields, a path, the sky and the air.

The land is a height field seen column by column (as in landscape.py). Lengths are metres; x to the
right, y up, z away from the camera. Where a function takes a `shadow`, it is the map of what trees
leave of the sun's light on the ground.
"""

import dataclasses

import numpy as np

from camera import linear, mix
from noise import Noise, blur, sample, smoothstep

EYE, FOCAL, HORIZON = 1.75, 1.05, 0.47  # metres; heights of the picture; from the top
NEAR, FAR, STEPS = 1.6, 5200.0, 1500
MAP_STEP, MAP_WIDE, MAP_DEEP = 0.10, 160, 150  # metres: the map of shadows on the ground
LEAF_SIZE = 0.95  # how wide a tree's leaves would be as one, in heights of the tree


@dataclasses.dataclass
class Season:
    seed: int
    winter: bool
    sun: np.ndarray  # towards the sun
    sunlight: np.ndarray
    skylight: np.ndarray
    haze: np.ndarray  # light of the air far away
    clear: float  # metres after which the air hides two thirds
    bend: float  # which way the path turns

    def __post_init__(self):
        self.land, self.fine = Noise(self.seed), Noise(self.seed + 1)
        self.sun = self.sun / np.linalg.norm(self.sun)


def path_middle(season, z):
    return season.bend * (0.35 + 1.5 * np.sin(z / 13 + 0.6) * smoothstep(2, 16, z) + 0.055 * z)


def ground(season, x, z):
    """Height of the land."""
    land = season.land
    gentle = 0.8 * land.fractal(x / 26, z / 26, 2) * smoothstep(6, 40, z)
    roll = 5.0 * land.fractal(x / 150 + 3, z / 150, 3) * smoothstep(45, 200, z)
    hills = (smoothstep(150, 900, z) * 75 * (0.7 + 0.9 * land.fractal(x / 520, z / 520 + 7, 4))
             + smoothstep(800, 3000, z) * 400 * (0.72 + land.fractal(x / 1300 + 5, z / 1300, 5)))
    worn = np.exp(-(((x - path_middle(season, z)) / 1.1) ** 2))
    return gentle + roll + hills - 0.10 * worn


def place(x, y, z, columns, rows):
    """Pixel coordinates of points in space."""
    across = 0.5 * columns + rows * FOCAL * x / z
    return across, rows * (HORIZON - FOCAL * (y - EYE) / z)


def through_air(season, light, distance):
    share = np.exp(-np.asarray(distance) / season.clear)
    return mix(season.haze, light, share)


def sky(season, columns, rows):
    level = HORIZON - (np.arange(rows, dtype=np.float32) + 0.5) / rows
    across = ((np.arange(columns, dtype=np.float32) + 0.5) - 0.5 * columns) / rows
    rise = np.maximum(level, 0.001)[:, None] / FOCAL + 0 * across[None, :]
    u, v = across[None, :] / (rise + 0.16), 1.0 / (rise + 0.16)
    noise, warp = season.fine, season.land.fractal(u * 0.9, v * 0.9, 3) * 0.3
    if season.winter:
        blue = mix(np.array([1.25, 0.98, 0.74]), linear("#7b9dc6") * 1.0,
                   smoothstep(-0.02, 0.36, rise))
        streaks = noise.fractal(u * 0.7 + warp, v * 2.6 + 4, 6)
        return mix(blue, np.array([1.15, 1.0, 0.92]), 0.55 * smoothstep(-0.05, 0.7, streaks))
    blue = mix(linear("#b9d3ea") * 1.1, linear("#4f86c4") * 1.0, smoothstep(0.0, 0.5, rise) ** 0.8)
    dense = lambda du, dv: noise.fractal(u * 0.95 + warp + du, v * 0.9 + dv + 1.3, 7, 0.52)
    thick = dense(0, 0)
    lit = np.clip(0.75 + 1.2 * (thick - dense(-0.12, -0.09)), 0.15, 1.25)
    body = mix("#8f9db2", np.array([1.30, 1.27, 1.20]), lit)
    return mix(blue, body, smoothstep(-0.10, 0.22, thick) * 0.96)


def seen_distance(season, columns, rows):
    """How far the land is at every pixel (inf: the sky)."""
    z = np.geomspace(NEAR, FAR, STEPS).astype(np.float32)[:, None]
    across = ((np.arange(columns) + 0.5 - 0.5 * columns) / (FOCAL * rows)).astype(np.float32)
    height = ground(season, across[None, :] * z, np.broadcast_to(z, (STEPS, columns)))
    apparent = np.maximum.accumulate(FOCAL * (height - EYE) / z, axis=0)
    level = HORIZON - (np.arange(rows) + 0.5) / rows
    distance = np.full((rows, columns), np.inf, np.float32)
    for column in range(columns):
        distance[:, column] = np.interp(level, apparent[:, column], z[:, 0], right=np.inf)
    return distance, across


def shadows(season, stand):
    """A map of the sun's light on the ground (z by x): what the trees leave of it."""
    cover = np.zeros((int(MAP_DEEP / MAP_STEP), int(MAP_WIDE / MAP_STEP)), np.float32)
    sun = season.sun
    cell = MAP_STEP**2
    for tree, (x, _, z), tall in stand:
        t = (np.arange(9) + 0.5)[:, None, None] / 9
        limbs = (tree.start * (1 - t) + tree.end * t).reshape(-1, 3)
        long = np.sqrt(((tree.end - tree.start) ** 2).sum(1))
        leaf_area = np.full(len(tree.leaf), 0.5 * LEAF_SIZE**2 / max(len(tree.leaf), 1))
        points = np.concatenate([tree.leaf, limbs]) * tall
        weights = np.concatenate([leaf_area, np.tile(2 * tree.radius * long / 9, 9)])
        weights = weights * tall**2 / cell
        gone = points[:, 1] / sun[1]
        i = ((z + points[:, 2] - gone * sun[2]) / MAP_STEP).astype(np.int32)
        j = ((x + points[:, 0] - gone * sun[0] + MAP_WIDE / 2) / MAP_STEP).astype(np.int32)
        good = (i >= 0) & (j >= 0) & (i < cover.shape[0]) & (j < cover.shape[1])
        np.add.at(cover, (i[good], j[good]), weights[good])
    return np.exp(-0.6 * blur(cover, 1.1) - 0.4 * blur(cover, 3))


def sun_on(shadow, x, z):
    return sample(shadow, (x + MAP_WIDE / 2) / MAP_STEP, z / MAP_STEP)


def field(season, x, z, distance):
    """Colour of the land, and how much of it is path."""
    land, fine = season.land, season.fine
    off = (x - path_middle(season, z)) / (0.85 + 0.12 * fine.fractal(x * 1.1, z * 0.6, 3))
    path = smoothstep(1.15, 0.80, np.abs(off))
    near = smoothstep(40, 8, distance)
    broad_patch = land.fractal(x / 9, z / 9, 5)
    tuft = fine.fractal(x * 1.6, z * 1.6, 5)
    close = smoothstep(16, 3, distance)
    grain = close * fine.fractal(x * 26, z * 22, 4)
    if season.winter:
        blown = fine.fractal(x * 0.8 + 0.5 * broad_patch, z * 2.6, 4)
        tone = mix(np.array([0.80, 0.82, 0.86]), np.array([0.90, 0.90, 0.91]),
                   np.clip(0.5 + 0.4 * blown, 0, 1))
        stubble = smoothstep(0.40, 0.75, tuft + 0.35 * broad_patch) * (1 - path)
        tone = mix(tone, "#8d7a58", 0.55 * stubble * near)
        rut = np.exp(-(((np.abs(off) - 0.52) / 0.16) ** 2)) * (0.7 + 0.5 * tuft)
        tone = mix(tone, "#8f8a86", np.clip(0.75 * rut + 0.25 * rut * grain, 0, 0.75))
        tone = tone * (1 + 0.05 * grain)[..., None]
    else:
        tone = mix("#566a30", "#868a4c", np.clip(0.45 + 0.6 * broad_patch + 0.3 * tuft, 0, 1))
        earth = mix("#7f6e58", "#aa9a80", np.clip(0.45 + 0.4 * fine.fractal(x * 5, z * 5, 4)
                                                  + 0.25 * tuft + 0.30 * grain, 0, 1))
        stone = fine.cells(x * 15, z * 12)
        pebbles = close * (stone[2] > 0.72) * smoothstep(0.36, 0.24, stone[0])
        earth = mix(earth, mix("#6f675c", "#c5bba8", stone[2] * 7 % 1), 0.8 * pebbles)
        strip = smoothstep(0.30, 0.12, np.abs(off) + 0.16 * tuft)
        path = path * (1 - 0.85 * strip)
        tone = mix(tone, earth, path)
    # Fields on the slopes, each of its own crop, with hedges between.
    first, second, crop = land.cells(x / 95 + 0.25 * land.smooth(x / 90, z / 90), z / 190)
    if season.winter:
        crops = mix(np.array([0.84, 0.86, 0.90]), "#a79f92", np.where(crop > 0.72, 0.35, 0.0))
        hedge_tone = "#5d5650"
    else:
        grown = mix("#5f7a33", "#93a04e", crop)
        crops = np.where((crop > 0.72)[..., None], linear("#c7ad63"), grown)
        crops = crops * (1 + 0.10 * fine.fractal(x / 3, z / 14, 3))[..., None]
        hedge_tone = "#2c3d1d"
    tone = mix(tone, crops, smoothstep(70, 120, z))
    hedge = smoothstep(0.045, 0.020, second - first) * smoothstep(90, 140, z)
    return mix(tone, hedge_tone, 0.9 * hedge), path


def forest(season, x, z):
    """Where the hills are wooded, 0..1."""
    return smoothstep(0.05, 0.25, season.land.fractal(x / 260 + 11, z / 420, 4)
                      + 0.5 * smoothstep(500, 1600, z) - 0.42 * smoothstep(420, 150, z))


def lit_land(season, distance, across, shadow):
    light = sky(season, *distance.shape[::-1])
    seen = np.isfinite(distance)
    z = distance[seen]
    x = np.broadcast_to(across[None, :], distance.shape)[seen] * z
    step = np.maximum(z * 0.004, 0.015)
    here = ground(season, x, z)
    bumps = (0.055 if season.winter else 0.10) * smoothstep(60, 5, z)
    rough = lambda dx, dz: bumps * (season.fine.fractal((x + dx) * 0.9, (z + dz) * 1.3, 5)
                                    + 0.12 * season.fine.fractal((x + dx) * 9, (z + dz) * 11, 4))
    slope_x = (ground(season, x + step, z) + rough(step, 0) - here - rough(0, 0)) / step
    slope_z = (ground(season, x, z + step) + rough(0, step) - here - rough(0, 0)) / step
    facing = (season.sun[1] - slope_x * season.sun[0] - slope_z * season.sun[2]) / np.sqrt(
        1 + slope_x**2 + slope_z**2)
    tone, _ = field(season, x, z, z)
    wood = forest(season, x, z)
    tone = mix(tone, "#3a3733" if season.winter else "#27381d", 0.85 * wood)
    inside = (z < MAP_DEEP - 2) & (np.abs(x) < MAP_WIDE / 2 - 2)
    sun = np.clip(facing, 0, 1) * np.where(inside, sun_on(shadow, x, z), 1)
    # Clouds shade the hills in passing.
    if not season.winter:
        sun = sun * (1 - 0.65 * smoothstep(0.0, 0.5, season.fine.fractal(x / 500, z / 700, 3))
                     * smoothstep(60, 260, z))
    own = tone * (sun[..., None] * season.sunlight + season.skylight)
    light[seen] = through_air(season, own, z)
    return light
