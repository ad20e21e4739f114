"""A path through meadows to wooded hills, in summer and in winter: two views of one country.

country.py has the land and its light, trees.py the trees' branches and leaves, and growth.py paints
what stands on the land. Here they are put together, from far to near.
"""

import numpy as np

import camera
import country
import growth
import trees
from camera import linear
from noise import halve

GRASS = [1.9, 2.6, 3.6, 5.0, 7.0, 9.5, 13.0, 18.0, 25.0, 36.0]  # slices that are painted in turn
GREENS = ["#5a7038", "#4e6634", "#687a40", "#536a3c"]
NEEDLES = "#2f4430"
LEAVES = 75_000  # of a broad tree near the camera

# Trees: kind, x, z, metres tall. The first stand beside the picture and send their shadows in.
SUMMER_TREES = [
    ("broad", -15, 8, 11), ("broad", -9.5, 21, 12.5), ("broad", 12.5, 30, 13),
    ("broad", 17, 33, 11), ("broad", -22, 46, 14), ("broad", -30, 52, 12), ("broad", 31, 58, 14),
    ("broad", 6, 66, 12), ("fir", -38, 72, 17), ("fir", -34, 76, 14), ("broad", -12, 84, 12),
    ("broad", 22, 92, 13), ("broad", 45, 100, 14), ("broad", -52, 100, 14), ("broad", -1, 120, 12)]
WINTER_TREES = [
    ("broad", 12, 6, 12), ("broad", 17, 9.5, 12), ("broad", 8.5, 19, 12), ("broad", -13, 30, 13),
    ("broad", -18.5, 36, 12), ("broad", 20, 44, 13), ("fir", 27, 50, 17), ("fir", 31, 54, 13),
    ("fir", 23, 57, 12), ("broad", -33, 60, 14), ("broad", 9, 74, 12), ("fir", -24, 82, 16),
    ("fir", -29, 85, 12), ("broad", -8, 96, 12), ("broad", 44, 96, 14), ("broad", -50, 100, 14)]


def planted(season, stand):
    """The trees of a stand where they grow, far to near: tree, (x, y, z), metres tall."""
    seed = season.seed
    models = {"broad": [trees.broad(seed + k, LEAVES, 9, 0.85 + 0.1 * (k % 2), 0.55)
                        for k in range(3)],
              "fir": [trees.fir(seed + k, LEAVES // 2, 0.20 + 0.03 * k) for k in range(2)]}
    there = []
    for number, (kind, x, z, tall) in enumerate(sorted(stand, key=lambda tree: -tree[2])):
        tree = models[kind][number % len(models[kind])].turned(2.4 * number)
        if kind == "broad" and season.winter:
            tree = tree.with_leaves(0)
        elif z > 35:  # farther trees need fewer
            tree = tree.with_leaves(int(len(tree.leaf) * 35 / z))
        y = float(country.ground(season, np.float32(x), np.float32(z)))
        there.append((tree, (x, y - 0.1, z), tall))
    return there


def painted(season, stand, columns, rows):
    """Light of the whole view, everything near painted in its turn."""
    draw = np.random.default_rng(season.seed + 2)
    stand = planted(season, stand)
    shadow = country.shadows(season, stand)
    distance, across = country.seen_distance(season, columns, rows)
    painting = growth.Painting(country.lit_land(season, distance, across, shadow))
    growth.paint_woods(painting, season, distance, draw)
    posts = growth.fence_posts(season)
    turns = [(at[2], "tree", k) for k, (_, at, _) in enumerate(stand)]
    turns += [(post[2], "post", k) for k, post in enumerate(posts)]
    turns += [(far, "grass", k) for k, far in enumerate(GRASS[1:])]
    for _, what, k in sorted(turns, reverse=True):
        if what == "grass":
            growth.paint_grass(painting, season, shadow, draw, GRASS[k], GRASS[k + 1])
        elif what == "post":
            nearer = posts[k + 1] if k + 1 < len(posts) else None
            growth.paint_post(painting, season, shadow, posts[k], nearer)
        else:
            tree, at, tall = stand[k]
            growth.paint_branches(painting, season, tree, at, tall, draw)
            if len(tree.leaf):
                green = linear(NEEDLES if tree.fir else GREENS[k % len(GREENS)])
                growth.paint_leaves(painting, season, tree, at, tall, draw, green)
    return painting.light()


def summer(width, height):
    season = country.Season(
        seed=301, winter=False, bend=1.0, clear=3000.0, sun=np.array([-0.72, 0.55, -0.22]),
        sunlight=np.array([1.0, 0.93, 0.78]) * 2.6, skylight=np.array([0.42, 0.55, 0.75]) * 0.62,
        haze=np.array([0.55, 0.68, 0.85]))
    light = halve(painted(season, SUMMER_TREES, 2 * width, 2 * height))
    return camera.develop(light, 304, exposure=0.62, glow=0.08, grain=0.011, warmth=0.012)


def winter(width, height):
    season = country.Season(
        seed=331, winter=True, bend=-1.0, clear=1900.0, sun=np.array([0.72, 0.30, -0.20]),
        sunlight=np.array([1.0, 0.79, 0.58]) * 3.0, skylight=np.array([0.38, 0.50, 0.74]) * 0.58,
        haze=np.array([0.84, 0.78, 0.76]))
    light = halve(painted(season, WINTER_TREES, 2 * width, 2 * height))
    return camera.develop(light, 334, exposure=0.58, glow=0.08, grain=0.011, warmth=0.008)
