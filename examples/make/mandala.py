"""A mandala: rings of petals, beads and arches, enamelled between raised gilt lines.

All is drawn in one sector (an angle and a distance from the middle) and repeated, so that the
ornament is its own mirror image left to right and top to bottom, about the middle of the picture.
Only the hand differs: the enamel's clouds, the wear of the gilt, dust and grain.
"""

import numpy as np

import camera
from camera import mix
from noise import Noise, blur, grid, smoothstep
from relief import lit, shrunk

HAND = Noise(271)
GOLD = "#8f6a2e"
NIGHT, BLUE, SEA, LEAF = "#1d2a52", "#2f5a94", "#2f8f95", "#3f7a4f"
RED, ROSE, CREAM, AMBER = "#a5352f", "#c46a6a", "#d9cfb4", "#c98a34"
LINE = 0.0032  # half the width of a gilt line, in heights of the picture


class Plate:
    """Enamel (linear light) with gilt lines; distances in heights of the picture."""

    def __init__(self, width, height):
        x, y = grid(width, height)
        self.x, self.y = x - 0.5 * width / height, y - 0.5
        self.soft = 0.6 / height
        self.far = np.hypot(self.x, self.y)
        self.angle = np.arctan2(self.x, self.y)  # from the vertical, so that both axes are mirrors
        self.enamel = np.zeros(x.shape + (3,), np.float32) + camera.linear(NIGHT)
        self.gilt = np.zeros_like(x)
        self.swell = np.zeros_like(x)  # enamel lies a little higher in the middle of its cell

    def sector(self, count, half=False):
        """Distance along the ring from the nearest of `count` rays, mirrored."""
        turns = self.angle * count / (2 * np.pi) + (0.5 if half else 0)
        return np.abs(turns - np.round(turns)) * 2 * np.pi / count * self.far

    def cell(self, outside, code, shade=None, line=LINE):
        """Enamel of a colour where `outside` is negative, deeper to `shade` inwards, and gilt
        along its edge; what was there before is covered."""
        inside = smoothstep(self.soft, -self.soft, outside)
        tone = camera.linear(code)
        if shade is not None:
            tone = mix(code, shade, smoothstep(-0.003, -0.022, outside))
        self.enamel = mix(self.enamel, tone, inside)
        edge = smoothstep(self.soft, -self.soft, np.abs(outside) - line)
        self.gilt = np.maximum(self.gilt * (1 - inside), edge)
        dome = np.clip(-outside / 0.012, 0, 1)
        self.swell = self.swell * (1 - inside) + inside * np.sqrt(dome * (2 - dome))

    def ring(self, inner, outer, code, shade=None, line=LINE):
        self.cell(np.maximum(inner - self.far, self.far - outer), code, shade, line)

    def petals(self, count, start, stop, wide, code, shade=None, half=False, point=1.0, line=LINE):
        """Petals between two distances, `wide` at their widest; point > 1: sharper tips."""
        along = np.clip((self.far - start) / (stop - start), 0, 1)
        body = 0.5 * wide * np.maximum(np.sin(np.pi * along**0.8), 0) ** (0.72 * point)
        slope = 1 / np.sqrt(1 + (1.5 * wide / (stop - start)) ** 2)
        outside = (self.sector(count, half) - body) * slope
        outside = np.maximum(outside, np.maximum(start - self.far, self.far - stop))
        self.cell(outside, code, shade, line)

    def beads(self, count, at, radius, code, shade=None, half=False, line=LINE):
        self.cell(np.hypot(self.sector(count, half), self.far - at) - radius, code, shade, line)

    def arches(self, count, at, tall, code, shade=None, half=False, line=LINE):
        """Round arches side by side that stand on a ring."""
        step = np.pi * at / count
        outside = np.hypot(self.sector(count, half) / step, np.maximum(self.far - at, 0) / tall) - 1
        self.cell(np.maximum(outside * min(step, tall), at - self.far), code, shade, line)

    def points(self, count, inner, outer, code, shade=None, half=False, line=LINE):
        """Triangles that point outwards."""
        along = np.clip((outer - self.far) / (outer - inner), 0, 1)
        step = np.pi * inner / count
        outside = (self.sector(count, half) - step * along) * 0.85
        outside = np.maximum(outside, np.maximum(inner - self.far, self.far - outer))
        self.cell(outside, code, shade, line)


def ornament(plate):
    """The drawing, from the corners in to the flower in the middle."""
    thin = 0.0022
    plate.ring(0.60, 0.90, RED, "#7d2630")
    plate.petals(32, 0.575, 0.76, 0.115, BLUE, NIGHT)
    plate.petals(32, 0.59, 0.70, 0.055, CREAM, AMBER, line=thin)
    plate.ring(0.565, 0.592, NIGHT)
    plate.beads(96, 0.5785, 0.0085, CREAM, line=thin)
    plate.ring(0.480, 0.565, SEA, "#1f6570")
    plate.arches(32, 0.482, 0.072, RED, "#7c2430")
    plate.arches(32, 0.482, 0.048, AMBER, "#e0b65c", line=thin)
    plate.beads(32, 0.500, 0.0085, NIGHT, line=thin)
    plate.beads(32, 0.545, 0.0085, CREAM, half=True, line=thin)
    plate.ring(0.462, 0.482, NIGHT)
    plate.points(64, 0.464, 0.480, CREAM, line=0.0016)
    plate.ring(0.352, 0.462, "#20355f", NIGHT)
    plate.petals(16, 0.340, 0.458, 0.085, LEAF, "#24553a", half=True)
    plate.petals(16, 0.345, 0.462, 0.112, BLUE, "#213f78")
    plate.petals(16, 0.355, 0.446, 0.074, "#7fb0bd", "#b9d0c9", line=thin)
    plate.petals(16, 0.360, 0.425, 0.040, RED, ROSE, line=thin)
    plate.beads(16, 0.440, 0.0115, AMBER, "#e2bd6c", half=True, line=thin)
    plate.beads(16, 0.416, 0.0075, CREAM, half=True, line=thin)
    plate.ring(0.332, 0.356, RED, "#84262c")
    plate.beads(48, 0.344, 0.0080, AMBER, "#e2bd6c", line=thin)
    plate.ring(0.262, 0.332, CREAM, "#cabd99")
    plate.arches(24, 0.262, 0.058, SEA, "#1f6672", half=True)
    plate.points(24, 0.264, 0.306, NIGHT, "#2c4c8c", half=True, line=thin)
    plate.petals(24, 0.272, 0.331, 0.030, RED, ROSE, line=thin)
    plate.ring(0.244, 0.264, BLUE, NIGHT)
    plate.points(48, 0.246, 0.262, AMBER, line=0.0016)
    plate.ring(0.120, 0.244, NIGHT, "#172244")
    plate.petals(16, 0.100, 0.243, 0.072, RED, "#74222c", half=True, point=1.2)
    plate.petals(16, 0.110, 0.225, 0.030, AMBER, "#e2bd6c", half=True, line=thin)
    plate.petals(8, 0.075, 0.236, 0.098, SEA, "#1d5f70", half=True)
    plate.petals(8, 0.085, 0.205, 0.052, CREAM, "#d8c28c", half=True, line=thin)
    plate.petals(8, 0.070, 0.240, 0.104, BLUE, "#223f7c")
    plate.petals(8, 0.080, 0.214, 0.064, ROSE, "#e0b0a0", line=thin)
    plate.petals(8, 0.085, 0.180, 0.030, RED, "#75202c", line=thin)
    plate.ring(0.086, 0.104, AMBER, GOLD)
    plate.beads(24, 0.095, 0.0068, RED, ROSE, line=thin)
    plate.ring(-1.0, 0.086, NIGHT)
    plate.petals(8, 0.018, 0.085, 0.050, LEAF, "#2a6a50", half=True, line=thin)
    plate.petals(8, 0.014, 0.080, 0.044, CREAM, ROSE, line=thin)
    plate.ring(-1.0, 0.030, AMBER, "#e6c67c")
    plate.beads(8, 0.021, 0.0042, RED, line=0.0014)
    plate.ring(-1.0, 0.011, RED, ROSE, line=thin)


def make(width, height):
    plate = Plate(2 * width, 2 * height)
    ornament(plate)
    x, y, gilt = plate.x, plate.y, plate.gilt
    cloud = HAND.fractal(x * 14, y * 14, 5)
    fine = HAND.fractal(x * 90, y * 90, 4)
    # Enamel pools unevenly; bubbles and specks stay in the glass.
    speck = HAND.cells(x * 70, y * 70)
    tone = plate.enamel ** 1.12 * (1 + 0.20 * cloud + 0.08 * fine)[..., None]
    tone = mix(tone, "#cfc9b8", 0.5 * (speck[2] > 0.93) * smoothstep(0.22, 0.10, speck[0]))
    tone = mix(tone, "#16131a", 0.5 * (speck[2] < 0.06) * smoothstep(0.25, 0.12, speck[0]))
    pool = smoothstep(0.0, 0.8, blur(gilt, 0.006 * 2 * height)) * (1 - gilt)
    tone = tone * (1 - 0.40 * pool)[..., None]
    worn = smoothstep(0.25, 0.75, HAND.fractal(x * 24 + 9, y * 24, 5))
    metal = mix(GOLD, "#4a331c", np.clip(0.55 * worn + 0.25 * fine, 0, 1))
    tone = mix(tone, metal, gilt)
    scale = 2 * height / 1024
    relief = scale * (3.0 * blur(gilt, 1.0 * scale) + 2.2 * plate.swell * (1 - gilt) + 0.20 * fine
                      + 0.5 * HAND.fractal(x * 30, y * 30, 3) + 1.2 * cloud)
    # A ring of lamps, so that the light is as symmetric as the ornament.
    light = sum(lit(tone, relief, lamp=(a, b, 0.9), reach=14 * scale, softness=0.6,
                    shine=0.03 + 0.26 * gilt, gloss=40) * 0.25
                for a, b in ((0.5, 0.5), (-0.5, 0.5), (0.5, -0.5), (-0.5, -0.5)))
    # One of them is a little nearer.
    light = light * (1.03 - 0.10 * (x + y))[..., None]
    return camera.develop(shrunk(light), 272, exposure=0.43, grain=0.011)
