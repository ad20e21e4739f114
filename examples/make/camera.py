"""Colours of light, and what a camera does to it on its way to a JPEG: glow, film curve, vignette,
sensor noise."""

import numpy as np

import noise


def linear(code):
    """'#rrggbb' as three numbers in proportion to light."""
    return noise.colour(code) ** 2.2


def mix(first, second, share):
    """Light: as noise.mix has it for colours as displayed."""
    return noise.mix(first, second, share, linear)


def develop(light, seed, exposure=1.0, glow=0.06, grain=0.012, warmth=0.0):
    """light (height x width x 3, linear, any range) as a displayed picture 0..1."""
    height, width = light.shape[:2]
    light = np.maximum(light, 0) * exposure
    light = light + glow * noise.blur(np.maximum(light - 0.7, 0), 0.02 * height)
    x, y = noise.grid(width, height)
    off_axis = np.hypot(x - 0.5 * width / height, y - 0.5)
    light = light * (1 - 0.28 * off_axis ** 2)[..., None]
    # A filmic curve: a toe in the shadows, a shoulder that keeps highlights from clipping.
    film = light * (2.51 * light + 0.03) / (light * (2.43 * light + 0.59) + 0.14)
    shown = np.clip(film, 0, 1) ** (1 / 2.2)
    shown = shown * np.array([1 + warmth, 1, 1 - warmth], np.float32)
    draw = np.random.default_rng(seed)
    luma = draw.standard_normal((height, width, 1)).astype(np.float32)
    chroma = draw.standard_normal((height, width, 3)).astype(np.float32)
    rough = noise.blur(luma, 1) * 1.6 + 0.5 * luma + 0.35 * chroma
    return np.clip(shown + grain * rough * (1.15 - shown), 0, 1)
