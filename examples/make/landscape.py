"""A mountain lake in the morning: a height field seen column by column, mirrored in the water.

A camera that looks straight ahead keeps vertical lines vertical, so each column of pixels sees one
slice of the land. Along the slice the land's apparent height is made to rise only (what lies lower
is hidden), and each pixel then finds its distance by interpolation: no marching, no missed peaks.
Lengths are metres; x to the right, z away from the camera, water at height 0.
"""

import numpy as np
from PIL import Image

import camera
from camera import linear, mix
from noise import Noise, sample, smoothstep

EYE = 3.4  # metres above the water
FOCAL = 1.15  # in heights of the picture
HORIZON = 0.56  # from the top, in heights of the picture
NEAR, FAR, STEPS = 7.0, 14000.0, 2600
MAP_REACH, MAP_STEP = 9000, 14  # metres: the map of heights that shadows are found on
SUN = np.array([-0.70, 0.40, -0.42]) / np.linalg.norm([-0.70, 0.40, -0.42])
SUNLIGHT = np.array([1.0, 0.80, 0.58]) * 3.1
SKYLIGHT = np.array([0.36, 0.50, 0.75]) * 0.62

LAND = Noise(11)
FINE = Noise(12)
SKY = Noise(13)


def shore(x, z):
    """How far outside the lake a point is, in units of the lake's radius; negative on water."""
    bend = 0.20 * LAND.fractal(x / 230 + 3.1, z / 230, 4) + 0.05 * FINE.fractal(x / 22, z / 22, 3)
    lake = np.hypot((x - 40) / 520, (z - 460) / 445) - 1
    headland = np.hypot((x + 150) / 130, (z - 225) / 38) - 1
    return (np.minimum(np.maximum(lake, -0.9), 9) + np.clip(0.35 - 0.45 * headland, 0, 0.5) * (
        z > 100) + bend * smoothstep(30, 160, z) + 0.012 * LAND.smooth(x / 5, z / 5))


def ground(x, z, octaves):
    """Height of the bare land, and how far outside the lake it is."""
    out = shore(x, z)
    beach = np.where(out < 0, 14 * out, 20 * out + 14 * np.clip(out, 0, 3) ** 1.5)
    inland = smoothstep(0.25, 4.5, out)
    massif = (0.55 + 0.75 * np.exp(-(((x / z - 0.16) / 0.22) ** 2))
              + 0.50 * np.exp(-(((x / z + 0.50) / 0.20) ** 2)))
    crests = LAND.ridged(x / 2300 + 0.4, z / 2300 + 1.3, octaves)
    hills = LAND.fractal(x / 420, z / 420, min(octaves, 5))
    rise = inland * (massif * 1880 * np.clip(crests - 0.16, 0, 2) * smoothstep(800, 4600, z) + 120
                     + 75 * hills)
    return beach + rise * (z > 100), out


def surface(x, z, octaves=9):
    """Height with trees and stones; how far outside the lake; how much of it is tree (0..1);
    how much of the place is wood (0..1)."""
    height, out = ground(x, z, octaves)
    stones, gap, kind = FINE.cells(x / 0.8, z / 0.8)
    near = 1 - smoothstep(30, 70, z)
    height = height + near * (0.34 * kind**4 * np.clip(1 - (1.6 * stones) ** 2, 0, 1) * smoothstep(
        0.0, 0.35, gap - stones) + 0.03 * FINE.fractal(x * 2, z * 2, 4))
    apart, _, tall = FINE.cells(x / 8.5, z / 8.5)
    tall = 9 + 15 * tall
    ragged = 1 + 0.55 * FINE.fractal(x / 1.7, z / 1.7, 3)
    cone = np.clip(1 - apart * 8.5 / (0.27 * tall) * ragged, 0, 1)
    clump = LAND.fractal(x / 170 + 9, z / 170, 4)
    wood = (smoothstep(0.012, 0.05, out) * smoothstep(
        -0.45, 0.0, clump + 0.35) * (1 - smoothstep(330, 520, height + 180 * clump)) * (z > 105))
    return height + cone**0.8 * tall * wood, out, cone**0.8 * wood, wood


def slices(columns, rows, width, eye, top_only):
    """Distance at which each pixel's ray meets the land (inf: the sky), rows from the top."""
    z = np.geomspace(NEAR if eye > 0 else 90, FAR, STEPS).astype(np.float32)[:, None]
    across = ((np.arange(columns) + 0.5) / columns - 0.5) * (width / FOCAL)
    height, *_ = surface(across[None, :] * z, np.broadcast_to(z, (STEPS, columns)))
    height = np.where(height < 0, -1e6, height) if eye < 0 else np.maximum(height, -0.01)
    apparent = np.maximum.accumulate(FOCAL * (height - eye) / z, axis=0)
    level = HORIZON - (np.arange(rows) + 0.5) / rows
    distance = np.full((rows, columns), np.inf, np.float32)
    for column in range(columns):
        distance[:, column] = np.interp(level, apparent[:, column], z[:, 0], right=np.inf)
    return distance, across, level


def sky(across, level):
    """Light from the sky in the directions of a grid of pixels, clouds included."""
    rise = np.maximum(level, 0.002)[:, None] / FOCAL + 0 * across[None, :]
    glow = np.exp(-(((across[None, :] + 0.75) / 0.55) ** 2)) * np.exp(-rise / 0.3)
    blue = mix(linear("#c9dbe8") * 1.1, linear("#3f78bd") * 0.85,
               smoothstep(0.0, 0.62, rise) ** 0.8)
    blue = blue + glow[..., None] * np.array([0.55, 0.33, 0.12])
    # Clouds lie on a layer overhead: seen flatter and denser towards the horizon.
    u, v = across[None, :] / (rise + 0.13) * 0.75, 1 / (rise + 0.13)
    warp = 0.35 * SKY.fractal(u * 0.8 + 7, v * 0.8, 3)
    dense = lambda du, dv: SKY.fractal(u + warp + du, v * 0.85 + dv + 2.2, 8, 0.54)
    thick = dense(0, 0)
    cover = smoothstep(-0.02, 0.42, thick)
    lit = np.clip(0.68 + 1.15 * (thick - dense(-0.16, -0.10)), 0.1, 1.35)
    body = mix("#8492a8", np.array([1.30, 1.17, 1.02]), lit)
    veil = (0.35 * smoothstep(-0.2, 0.6,
                              SKY.fractal(u * 0.5 + 31, v * 1.7, 6)) * smoothstep(0.05, 0.3, rise))
    light = mix(blue, np.array([1.0, 0.98, 0.95]), veil)
    return mix(light, body, cover * (0.35 + 0.6 * smoothstep(0.02, 0.2, rise)))


def shade(x, z, distance, pixel, relief):
    """Light from the land at points of it; pixel is the width of a pixel there in metres,
    relief a coarse map of heights for the shadows."""
    height, out, tree, wood = surface(x, z)
    step = np.maximum(pixel * 1.5, 0.02)
    right, *_ = surface(x + step, z)
    away, *_ = surface(x, z + step)
    slope_x, slope_z = (right - height) / step, (away - height) / step
    slope = np.hypot(slope_x, slope_z)
    normal = np.stack([-slope_x, np.ones_like(slope_x), -slope_z], -1)
    normal /= np.sqrt((normal**2).sum(-1, keepdims=True))
    # Shadows of ridges: does the bare land rise above the way to the sun?
    lit = np.ones_like(height)
    for reach in np.geomspace(25, 2400, 14):
        there = sample(relief, (x + SUN[0] * reach + MAP_REACH) / MAP_STEP,
                       np.maximum(z + SUN[2] * reach, NEAR) / MAP_STEP)
        lit = np.minimum(lit, smoothstep(-0.05, 0.03,
                                         (height + 3 + SUN[1] * reach - there) / reach))
    patches = FINE.fractal(x / 30, z / 30, 5)
    grain = FINE.fractal(x / 2.2, z / 2.2, 5)
    strata = FINE.fractal(x / 160 + patches, height / 26 + 0.6 * patches, 5)
    rock = mix("#5f5a57", "#9b8f82", np.clip(0.5 + 0.6 * strata, 0, 1))
    grass = mix("#5d6b2c", "#97894a", np.clip(0.5 + 0.7 * patches + 0.2 * grain, 0, 1))
    land = mix(grass, rock, smoothstep(0.55, 0.95, slope + 0.2 * patches + height / 1500))
    snow = smoothstep(430, 760, height + 200 * patches) * (1 - smoothstep(1.25, 2.1, slope))
    land = mix(land, np.array([0.86, 0.88, 0.93]), snow)
    stone = FINE.cells(x / 0.8, z / 0.8)[2] * 0.5 + FINE.cells(x / 0.21, z / 0.21)[2] * 0.5
    shingle = mix("#4c4640", "#b0a595", stone)
    blades = smoothstep(-0.1, 0.5, FINE.fractal(x / 1.9 + 5, z / 1.9, 5) + (out - 0.03) * 20)
    shingle = mix(shingle, grass * np.array([0.62, 0.66, 0.70]) * (
        0.5
        + 0.7 * FINE.random[(np.abs(x * 37 + z * 911) * 7).astype(np.int32) % 65536][..., None]),
                  blades * smoothstep(0.003, 0.012, out))
    wet = smoothstep(0.012, 0.001, out)
    beach = (1 - smoothstep(60, 120, z)) * (1 - smoothstep(0.5, 0.9, out))
    beach = np.maximum(beach, (1 - smoothstep(0.006, 0.02, out)) * (tree < 0.05))
    land = mix(land, shingle * (1 - 0.55 * wet)[..., None], beach)
    needles = mix("#1d2b17", "#4a5a26", np.clip(0.45 + 0.5 * patches + 0.35 * grain, 0, 1))
    autumn = smoothstep(0.35, 0.6, LAND.fractal(x / 60, z / 60, 3))
    needles = mix(needles, "#9a7426", 0.55 * autumn)
    # Far away the gaps between trees are narrower than a pixel, and the wood is one cover.
    gaps = smoothstep(500, 1500, distance)
    wooded = np.maximum(smoothstep(0.02, 0.12, tree), 0.92 * gaps * wood)
    land = mix(land, needles, wooded)
    open_sky = 0.55 + 0.45 * np.clip(normal[..., 1], 0, 1)
    open_sky = open_sky * np.where(wooded > 0.5, 0.3 + 0.7 * np.maximum(tree, 0.6 * gaps), 1)
    sun = np.clip((normal * SUN).sum(-1), 0, 1) * lit
    light = land * (sun[..., None] * SUNLIGHT + open_sky[..., None] * SKYLIGHT)
    return haze(light, distance, height)


def haze(light, distance, height):
    """Light after the air between: bluish far away, and mist low over the far shore."""
    clear = np.exp(-distance / 11500)
    mist = smoothstep(420, 1500, distance) * np.exp(-np.maximum(height, 0) / 55) * 0.42
    light = mix(np.array([0.46, 0.58, 0.76]) * 0.95, light, clear)
    return mix(light, np.array([0.86, 0.84, 0.82]), mist)


def map_of_heights():
    """Heights of the bare land on a coarse grid, for the shadows of ridges."""
    across = np.arange(-MAP_REACH, MAP_REACH, MAP_STEP, dtype=np.float32)
    away = np.maximum(np.arange(0, FAR + 500, MAP_STEP, dtype=np.float32), NEAR)
    return ground(*np.meshgrid(across, away), 5)[0].astype(np.float32)


def view(columns, rows, width, eye, relief):
    """The land and the sky from a height of `eye`; below the water it is the mirror's view."""
    distance, across, level = slices(columns, rows, width, eye, eye < 0)
    light = sky(across, level)
    seen = np.isfinite(distance)
    far = distance[seen]
    x = np.broadcast_to(across[None, :], distance.shape)[seen] * far
    parts = [slice(i, i + 200_000) for i in range(0, far.size, 200_000)]
    if parts:
        light[seen] = np.concatenate([shade(x[p], far[p], far[p], far[p] / (FOCAL * rows), relief)
                                      for p in parts])
    return light, distance, across, level


def make(width, height):
    columns, rows = width * 3 // 2, height * 3 // 2
    relief = map_of_heights()
    light, distance, across, level = view(columns, rows, width / height, EYE, relief)
    mirror, _, _, _ = view(width, height, width / height, -EYE, relief)
    z = FOCAL * EYE / np.maximum(-level, 1e-4)[:, None] + 0 * across[None, :]
    x = across[None, :] * z
    water = (np.abs(z - distance) < 0.02 * z + 0.01) & (level < 0)[:, None]
    outside = shore(x, z)
    water &= outside < 0
    # Ripples tilt the mirror: what is seen comes from a little higher or lower.
    calm = 0.35 + 0.65 * smoothstep(-0.25, 0.35, FINE.fractal(x / 70, z / 190, 3))
    ripple = FINE.fractal(x / 0.9, z / 2.6,
                          5) * smoothstep(260, 10, z) + 0.7 * FINE.fractal(x / 9, z / 30, 3)
    tilt = 0.016 * calm * ripple * smoothstep(900, 60, z)
    row, column = np.mgrid[0:rows, 0:columns].astype(np.float32) / 1.5
    image = sample(mirror, column + tilt * height * 0.4, 2 * HORIZON * height - row + tilt * height)
    grazing = EYE / np.hypot(z, EYE)
    shine = 0.10 + 0.90 * (1 - grazing) ** 4
    bed = mix("#3d3b30", "#77705a", FINE.cells((x + 0.2 * ripple) / 0.6,
                                               (z + 0.2 * ripple) / 0.6)[2])
    under = mix(bed * 0.9, linear("#17383b") * 0.8, smoothstep(0.0, 0.05, -outside))
    light = np.where(water[..., None], mix(under, image * 0.93, shine), light)
    small = [Image.fromarray(np.minimum(light[..., k], 3).astype(np.float32)).resize(
        (width, height), Image.BICUBIC) for k in range(3)]
    light = np.stack([np.asarray(channel) for channel in small], -1)
    return camera.develop(light, 14, exposure=0.62, warmth=0.012)
