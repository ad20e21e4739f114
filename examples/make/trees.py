"""Trees as branches and leaves in space: where every piece is, so that a picture can light it.

A tree stands on the origin and is about 1 tall; y is up. A broad tree forks again and again, each
time into thinner and shorter branches; its leaves are scattered around the twigs. A fir carries
whorls of branches that droop, needles all along.
"""

import dataclasses

import numpy as np


@dataclasses.dataclass
class Tree:
    start: np.ndarray  # (branches x 3) where branches begin
    end: np.ndarray  # (branches x 3) where they end
    radius: np.ndarray  # (branches) at their begin
    leaf: np.ndarray  # (leaves x 3) where leaves are
    outward: np.ndarray  # (leaves x 3) which way they face
    inner: np.ndarray  # (leaves) 0 on the crown's surface .. 1 deep inside it
    fir: bool = False

    def turned(self, angle):
        """The same tree seen from another side."""
        c, s = np.cos(angle), np.sin(angle)
        turn = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]], np.float32)
        return Tree(self.start @ turn, self.end @ turn, self.radius, self.leaf @ turn,
                    self.outward @ turn, self.inner, self.fir)

    def with_leaves(self, count):
        """The same tree with so many of its leaves."""
        return dataclasses.replace(self, leaf=self.leaf[:count], outward=self.outward[:count],
                                   inner=self.inner[:count])


def unit(v):
    return v / (np.sqrt((v * v).sum(-1, keepdims=True)) + 1e-9)


def forks(draw, forking, spread, lean):
    """(start, end, radius) of all branches, and the ends of the twigs; level by level."""
    place, way = np.zeros((1, 3)), unit(np.array([[draw.normal(0, 0.05), 1, draw.normal(0, 0.05)]]))
    length, radius = np.array([0.13]), np.array([0.0185])
    starts, ends, radii, twigs = [], [], [], []
    for level in range(forking):
        bent, at = way, place
        pieces = 12 if level == 0 else 3
        for piece in range(pieces):  # a branch bends a little along its way
            swing = draw.normal(0, 0.19 / np.sqrt(pieces), way.shape)
            bent = unit(bent + swing + [0, (0.06 + 0.09 * lean) / pieces, 0])
            to = at + bent * (length / pieces)[:, None]
            starts.append(at)
            ends.append(to)
            flare = 0.7 * np.exp(-piece / 1.6) if level == 0 else 0.0  # the foot of the trunk
            radii.append(radius * (1 - 0.23 * piece / pieces + flare))
            at = to
        if level >= forking - 4:
            twigs.append(at)
        # Each forks into two or three; the first goes on nearly straight.
        count = np.where(draw.random(len(at)) < (0.75 if level < 5 else 0.35), 3, 2)
        parent = np.repeat(np.arange(len(at)), count)
        first = np.concatenate([[True], parent[1:] != parent[:-1]])
        swing = draw.normal(0, 1, (len(parent), 3))
        aside = unit(swing - (swing * bent[parent]).sum(1, keepdims=True) * bent[parent])
        wide = np.where(first, 0.26, draw.uniform(0.55, 1.10, len(parent))) * spread
        wide *= 1.25 if level == 0 else 1.0
        way = unit(bent[parent] + aside * wide[:, None] + [0, 0.10 * lean, 0])
        length = length[parent] * np.where(first, 0.84, draw.uniform(0.60, 0.90, len(parent)))
        radius = radius[parent] * np.where(first, 0.77, draw.uniform(0.42, 0.60, len(parent)))
        place = at[parent]
    return (np.concatenate(starts), np.concatenate(ends), np.concatenate(radii),
            np.concatenate(twigs))


def broad(seed, leaves, forking=7, spread=0.85, lean=1.0):
    """A broad-leaved tree with so many leaves."""
    draw = np.random.default_rng(seed)
    start, end, radius, twigs = forks(draw, forking, spread, lean)
    tall = end[:, 1].max()
    start, end, radius, twigs = start / tall, end / tall, radius / tall, twigs / tall
    clump = 0.028
    at = twigs[draw.integers(0, len(twigs), leaves)]
    off = np.clip(draw.normal(0, 1, (leaves, 3)), -1.7, 1.7) * clump * [1.1, 0.8, 1.1]
    off = off - [0, 0.012, 0]
    leaf = at + off
    middle, size = twigs.mean(0), twigs.std(0) * 1.7 + 1e-3
    out = (leaf - middle) / size
    inner = np.clip(1 - np.sqrt((out * out).sum(1)), 0, 1)
    # Bunches of twigs make the crown's lumps: a leaf also faces away from its neighbours' middle.
    bunch = np.round(at / 0.13 + 0.5 * draw.random(3))
    _, number = np.unique(bunch, axis=0, return_inverse=True)
    number = number.ravel()
    count = np.bincount(number)
    heart = np.stack([np.bincount(number, leaf[:, k]) / count for k in range(3)], 1)[number]
    outward = unit(0.45 * unit(out) + 0.85 * (leaf - heart) / 0.065
                   + draw.normal(0, 0.22, leaf.shape) + [0, 0.12, 0])
    return Tree(*(a.astype(np.float32) for a in (start, end, radius, leaf, outward, inner)))


def fir(seed, leaves, slender=0.24):
    """A spruce or fir with so many tufts of needles."""
    draw = np.random.default_rng(seed)
    whorls = 34
    level = np.repeat(np.linspace(0.06, 0.985, whorls), draw.integers(6, 9, whorls))
    level = np.clip(level + draw.normal(0, 0.008, len(level)), 0.04, 0.99)
    angle = draw.uniform(0, 2 * np.pi, len(level))
    reach = slender * (1 - level) ** 0.85 * draw.uniform(0.72, 1.12, len(level)) + 0.012
    which = draw.choice(len(level), leaves, p=(reach + 0.01) / (reach + 0.01).sum())
    t = np.sqrt(draw.random(leaves)) * 1.02
    r, a = reach[which] * t, angle[which] + draw.normal(0, 0.10, leaves) * (1.3 - t)
    y = level[which] + reach[which] * (0.10 * t - 0.55 * t * t + 0.18 * t**4)
    y = y - np.abs(draw.normal(0, 0.010, leaves))
    leaf = np.stack([r * np.cos(a), y, r * np.sin(a)], 1)
    outward = unit(np.stack([np.cos(a), 0.45 + 0.3 * draw.normal(0, 1, leaves), np.sin(a)], 1))
    trunk = np.linspace(0, 0.97, 12)
    start = np.stack([0 * trunk, trunk, 0 * trunk], 1)
    radius = 0.016 * (1 - trunk)
    parts = (start[:-1], start[1:], radius[:-1], leaf, outward, np.clip(1 - t, 0, 1))
    return Tree(*(v.astype(np.float32) for v in parts), fir=True)
