"""An ink wash: mountains in mist over a river, bamboo in front, a boat, a pale red sun and a seal.

Everything is a density of ink on absorbent paper: densities add, light falls off as exp(-density).
Wet washes bleed (their outlines are bent by noise) and leave darker rims where they dried.
"""

import numpy as np
from PIL import Image, ImageDraw

from noise import Noise, blur, grid, mix, smoothstep
from strokes import outline

PAPER = Noise(51)
WET = Noise(52)


def mountain(ink, x, y, peaks, offset, strength, fall, rough):
    """Adds one range, dark along its ridge and running down into mist, with dry strokes in it, to
    the ink so far; what stands behind it shows through only a little."""
    ridge = 0 * x[0] + 2.0
    for centre, top, wide in peaks:
        across = (x[0] - centre) / wide
        bump = top + (0.62 - top) * (1 - np.exp(-np.abs(across) ** 2.3))
        ridge = np.minimum(ridge, bump + 0.04 * np.sin(across * 3
                                                       + centre * 40) * np.exp(-(across**2)))
    line = x[0]
    ridge = ridge + rough * WET.fractal(line * 6 + offset, 0 * line + offset, 7, 0.55)
    # Wet edges: the outline wanders, more where the brush was wetter.
    wander = 0.006 * WET.fractal(x * 14 + offset, y * 14, 4)
    below = y - ridge[None, :] + wander
    inside = smoothstep(-0.0015, 0.004, below)
    cloud = WET.fractal(x * 2.2 + offset, y * 3.4, 5)
    wash = np.exp(-np.maximum(below, 0) / (fall * (1 + 0.6 * cloud)))
    pool = 0.75 + 0.45 * WET.fractal(x * 5 + offset, y * 5 + offset, 6)
    rim = np.exp(-np.maximum(below, 0) / 0.006) * np.clip(
        0.35 + WET.fractal(x * 9, y * 9 + offset, 3), 0, 1)
    # Texture strokes run down from the ridge, aslant, as a half-dry brush is dragged.
    slope = np.gradient(ridge) * x.shape[0]
    run = x + below * np.clip(-slope, -1.2, 1.2)[None, :] * 0.5
    drag = WET.fractal(run * 38 + offset, below * 7, 4) + 0.5 * WET.fractal(x * 90, y * 90, 2)
    strokes = smoothstep(0.05, 0.55, drag) * np.exp(-np.maximum(below, 0) / (fall * 0.9))
    behind = ink * (1 - 0.85 * inside)
    return behind + inside * strength * (0.55 * wash * pool + 0.9 * rim + 0.9 * strokes)


def trees(x, y, ground, offset, strength, size):
    """Blots along a slope that read as trees: a mass of dabs on a line, thinning upwards."""
    above = (ground - y) / size
    crown = WET.fractal(x / size * 0.55 + offset, 0 * y + offset, 4) * 0.5 + 0.55
    dabs = WET.fractal(x / size * 2.4 + offset, y / size * 3.2, 5, 0.62)
    mass = smoothstep(0.0, 0.35, crown - above + 0.55 * dabs) * smoothstep(-0.6, 0.1, above)
    return strength * mass * (0.5 + 0.8 * smoothstep(-0.2, 0.5, dabs))


class Brush:
    """Single strokes as filled outlines, at twice the picture's size."""

    def __init__(self, width, height):
        self.scale = 2 * height
        self.image = Image.new("L", (2 * width, 2 * height), 0)
        self.pen = ImageDraw.Draw(self.image)

    def stroke(self, points, widths, ink):
        """A stroke along points whose half-width is given at each of them; ink 0..1."""
        points = outline(points, widths) * self.scale
        self.pen.polygon([tuple(p) for p in points], fill=int(255 * ink))

    def density(self):
        small = self.image.resize((self.image.width // 2, self.image.height // 2), Image.BOX)
        return np.asarray(small, np.float32) / 255


def leaf(brush, draw, x, y, angle, length, ink):
    t = np.linspace(0, 1, 14)
    bend = draw.uniform(-0.25, 0.35)
    path = np.stack([x + length * t * np.cos(angle + bend * t),
                     y + length * t * np.sin(angle + bend * t)], 1)
    brush.stroke(path, 0.085 * length * np.sin(np.pi * t**0.62) ** 0.9 + 0.0005, ink)


def bamboo(brush, draw, foot, lean, half, ink, nodes):
    """A stalk of segments with gaps at the nodes, twigs from some nodes, leaves in sprays."""
    x, y = foot
    for node in range(nodes):
        length = 0.115 + 0.028 * node - 0.002 * node * node
        t = np.linspace(0, 1, 12)
        top_x = x + lean * length * (1 + 0.12 * node)
        path = np.stack([x + (top_x - x) * t, y - length * t], 1)
        flare = 1 + 0.22 * (np.abs(2 * t - 1) ** 6)
        brush.stroke(path, half * flare * (1 - 0.03 * node), ink * draw.uniform(0.75, 1.0))
        x, y = top_x, y - length - 0.006
        brush.stroke([(x - half * 1.5, y + 0.004), (x, y + 0.006), (x + half * 1.5, y + 0.002)],
                     [0.001, 0.0032, 0.001], min(1, ink * 1.5))
        if node >= 1 and draw.random() < 0.8:
            sense = -1 if draw.random() < 0.7 else 1
            reach = draw.uniform(0.10, 0.22)
            end_x, end_y = x + sense * reach, y - draw.uniform(0.0, 0.09)
            t = np.linspace(0, 1, 10)
            twig = np.stack([x + (end_x - x) * t, y + (end_y - y) * t - 0.02 * np.sin(np.pi * t)],
                            1)
            brush.stroke(twig, 0.0028 - 0.0018 * t, ink)
            for share in (0.45, 0.75, 1.0):
                at = twig[int(share * 9)]
                for _ in range(draw.integers(3, 6)):
                    spread = np.pi / 2 - sense * draw.uniform(-0.35, 1.15)
                    leaf(brush, draw, at[0], at[1], spread, draw.uniform(0.07, 0.145),
                         np.clip(ink * draw.uniform(0.5, 1.5), 0, 1))


def boat(brush, x, y, size):
    """A flat boat with a man who poles it, and its reflection's few strokes."""
    t = np.linspace(0, 1, 16)
    hull = np.stack([x + size * (t - 0.5), y + size * (0.09 - 0.36 * (t - 0.5) ** 2) * -1
                     - 0.0 * t], 1)
    hull[:, 1] = y - 0.34 * size * (t - 0.5) ** 2 * 1.0 + 0.04 * size
    brush.stroke(hull, 0.028 * size * np.sin(np.pi * t) + 0.001, 0.95)
    brush.stroke([(x + 0.16 * size, y), (x + 0.17 * size, y - 0.13 * size), (
        x + 0.15 * size, y - 0.2 * size)], [0.045 * size, 0.04 * size, 0.012 * size], 0.85)
    brush.stroke([(x + 0.07 * size, y - 0.185 * size), (x + 0.15 * size, y - 0.235 * size),
                  (x + 0.23 * size, y - 0.185 * size)], [0.004, 0.02 * size, 0.004], 0.9)
    brush.stroke([(x + 0.30 * size, y - 0.42 * size), (x + 0.10 * size, y + 0.12 * size)],
                 [0.0012, 0.0016], 0.8)
    for k in range(4):
        brush.stroke([(x - (0.35 - 0.06 * k) * size, y + (0.08 + 0.05 * k) * size),
                      (x + (0.3 - 0.08 * k) * size, y + (0.085 + 0.05 * k) * size)],
                     [0.0008, 0.0016], 0.35 - 0.07 * k)


def seal(picture, x, y, left, top, size):
    """A red seal: a worn square with an abstract sign cut out of it."""
    u, v = (x - left) / size, (y - top) / size
    inside = (u > 0) & (u < 1) & (v > 0) & (v < 1)
    strokes = (((np.abs(u - 0.5) < 0.055) & (v > 0.15) & (v < 0.85))
               | ((np.abs(v - 0.30) < 0.05) & (np.abs(u - 0.5) < 0.32))
               | ((np.abs(v - 0.58) < 0.05) & (np.abs(u - 0.5) < 0.24))
               | ((np.abs(np.abs(u - 0.5) - 0.30) < 0.045) & (v > 0.5) & (v < 0.85)))
    worn = smoothstep(-0.75, -0.3, PAPER.fractal(x * 90, y * 90, 3))
    return mix(picture, "#b3261e", inside * ~strokes * worn * 0.88)


def make(width, height):
    x, y = grid(width, height)
    draw = np.random.default_rng(53)
    ink = mountain(0 * x, x, y, [(0.18, 0.33, 0.10), (0.62, 0.26, 0.13), (0.98, 0.36, 0.12)], 1.0,
                   0.30, 0.15, 0.018)
    ink = mountain(ink, x, y, [(0.46, 0.20, 0.10), (0.34, 0.33, 0.07), (0.80, 0.40, 0.09)], 4.0,
                   0.62, 0.12, 0.022)
    ink = mountain(ink, x, y, [(0.02, 0.30, 0.12), (0.15, 0.45, 0.08), (-0.08, 0.20, 0.1)], 8.0,
                   1.05, 0.13, 0.028)
    mist = smoothstep(0.40, 0.60, y + 0.05 * WET.fractal(x * 2, y * 5, 4))
    ink *= 1 - mist
    ink += trees(x, y, 0.640 + 0.018 * np.sin(4 * x), 2.0, 0.42, 0.045) * smoothstep(0.95, 0.3, x)
    ink += trees(x, y, 0.735 + 0.05 * (x - 0.1), 6.0, 1.0, 0.055) * smoothstep(0.46, 0.16, x)
    bank = y - 0.735 - 0.10 * x - 0.012 * WET.fractal(x * 6, 0 * x, 5)
    ink += (smoothstep(0, 0.006, bank) * np.exp(-np.maximum(bank, 0) / 0.035) * smoothstep(
        0.55, 0.1, x) * (0.75 + 0.8 * WET.fractal(x * 12, y * 40, 4)))
    # The river: a few long dry strokes, the paper does the rest.
    flow = WET.fractal(x * 1.6 + 3, y * 46, 4)
    ink += 0.30 * smoothstep(0.38, 0.75, flow) * smoothstep(0.66, 0.72, y) * smoothstep(1.0, 0.8, y)
    ink += 0.10 * smoothstep(0.72, 1.05, y) * (1 + WET.fractal(x * 2, y * 3, 4))
    far, near = Brush(width, height), Brush(width, height)
    boat(near, 0.60, 0.80, 0.17)
    for foot, lean, half, strength, nodes in (((1.30, 1.05), -0.05, 0.010, 0.30, 9),
                                              ((1.12, 1.04), 0.06, 0.008, 0.38, 8)):
        bamboo(far, draw, foot, lean, half, strength, nodes)
    for foot, lean, half, strength, nodes in (((1.20, 1.06), -0.03, 0.0155, 0.80, 8),
                                              ((1.275, 1.06), 0.05, 0.012, 0.65, 7)):
        bamboo(near, draw, foot, lean, half, strength, nodes)
    for bird in range(7):
        bx, by, size = (0.80 + 0.030 * bird + draw.uniform(-0.01, 0.01), 0.16 + 0.012 * bird * (
            -1) ** bird + draw.uniform(-0.01, 0.01), draw.uniform(0.006, 0.011))
        near.stroke([(bx - size, by - 0.4 * size), (bx, by), (bx + size, by - 0.6 * size)],
                    [0.0004, 0.0013, 0.0004], 0.7)
    dry = 0.72 + 0.5 * WET.fractal(x * 70, y * 22, 4)
    bleed = height / 768
    for layer, wet, strength in ((far.density(), 1.6, 1.5), (near.density(), 0.6, 2.3)):
        soft = blur(layer, wet * bleed * 1.5) if wet * bleed > 0.8 else layer
        rim = np.clip(soft - blur(soft, 4 * bleed), 0, 1)
        halo = blur(layer, 7 * bleed) * (0.4 + 0.5 * WET.fractal(x * 20, y * 20, 4))
        ink += strength * soft * np.clip(dry, 0.25, 1.3) + 0.5 * rim + 0.14 * np.clip(halo, 0, 1)
    for _ in range(46):  # splashes of the brush
        sx, sy, size = (draw.uniform(0, 1.34), draw.uniform(0.1, 1),
                        draw.exponential(0.0022) + 0.0008)
        ink += 0.5 * draw.random() * smoothstep(size * 1.3, size * 0.7, np.hypot(x - sx, y - sy))
    fibre = PAPER.fractal(x * 150, y * 26, 4) * 0.5 + PAPER.fractal(x * 30, y * 170, 4) * 0.5
    tooth = PAPER.fractal(x * 240, y * 240, 3)
    ink = np.clip(ink, 0, None) * (1 + 0.22 * tooth + 0.18 * fibre)
    stain = PAPER.fractal(x * 1.3, y * 1.3, 4)
    paper = mix("#f0e7d3", "#dfcfae", np.clip(0.3 + 0.45 * stain, 0, 1))
    paper = paper * (1 + 0.022 * fibre + 0.018 * tooth)[..., None]
    sun = np.hypot(x - 0.90, y - 0.235) + 0.004 * WET.fractal(x * 14, y * 14, 4)
    disc = smoothstep(0.066, 0.060, sun) * (
        0.55 + 0.25 * WET.fractal(x * 8, y * 8, 4)) + 0.25 * np.exp(-(((sun - 0.061) / 0.004) ** 2))
    paper = mix(paper, "#c2452d", np.clip(disc, 0, 1) * 0.85)
    # Thin ink is a little warm, thick ink a cool black.
    absorb = np.stack([1.00 + 0 * ink, 0.97 + 0 * ink, 0.90 + 0.03 * ink], -1)
    picture = paper * np.exp(-1.35 * ink[..., None] * absorb) + 0.035
    return np.clip(seal(picture, x, y, 0.065, 0.865, 0.062), 0, 1)
