"""limn's objective a second time: written out from include/limn/limn.h, without a look at limn's
code, and differentiated by PyTorch."""

import math
from dataclasses import dataclass

import torch

from kit import vgg

TERMS = ("content", "style", "total_variation")
GRAMS = {"raw": vgg.gram, "per-position": vgg.mean_gram}


def positions(f):
    return f.shape[-2] * f.shape[-1]


def content_loss(f, p, form, channels):
    """sum (F - P)^2 for features f, p of shape (C, H, W), scaled by `form` for so many channels."""
    M = positions(f)
    scale = {"sum": 1.0, "half-sum": 1 / 2, "mean": 1 / (channels * M),
             "root": 1 / (2 * math.sqrt(channels) * math.sqrt(M))}[form]
    return scale * ((f - p) ** 2).sum()


def style_loss(f, s, gram, form, pixels, channels):
    """sum (G - A)^2 for the picture's features f (C, H, W) and the painting's s (C, H', W'). M
    counts f's positions; `pixels` is the number of pixels of the picture."""
    M = positions(f)
    scale = {"mean": 1 / channels**2, "paper": 1 / (4 * channels**2 * M**2),
             "paper-times-4": 1 / (channels**2 * M**2), "image": 1 / (4 * 3**2 * pixels**2)}[form]
    return scale * ((GRAMS[gram](f) - GRAMS[gram](s)) ** 2).sum()


def total_variation(x, form):
    """Variation of x (3, H, W): right and lower differences, summed over channels."""
    dx, dy = x[:, :, 1:] - x[:, :, :-1], x[:, 1:, :] - x[:, :-1, :]
    if form == "absolute":
        return dx.abs().sum() + dy.abs().sum()
    if form == "squared":
        return ((dx**2).sum() + (dy**2).sum()) / 2
    if form == "power":
        return ((dx[:, :-1, :] ** 2 + dy[:, :, :-1] ** 2) ** 1.25).sum()
    raise KeyError(form)


@dataclass
class Evaluation:
    """losses: TERMS and "total", weighted. gradient: (3, H, W), of the total by the picture in 0..1
    RGB. features: the picture's, by layer. shares: the L2 norm of each term's own gradient over
    that of the total, for terms of nonzero weight; empty unless asked for."""
    losses: dict
    gradient: object
    features: dict
    shares: dict


def gradient_shares(terms, recipe, x):
    norm = lambda term: float(torch.autograd.grad(term, x, retain_graph=True)[0].norm())
    whole = norm(terms["total"])
    return {name: norm(terms[name]) / whole for name in TERMS
            if recipe[name]["weight"] != 0 and whole != 0}


def evaluate(network, photo, painting, picture, recipe, dtype=torch.float64, shares=False):
    """The objective for float32 arrays (3, H, W) of RGB in 0..1, computed in `dtype`."""
    photo, painting, x = (torch.from_numpy(array).to(dtype) for array in (photo, painting, picture))
    content, style, variation = (recipe[key] for key in TERMS)
    pooling = recipe["network"]["pooling"]
    with torch.no_grad():
        p, s = network.features(photo, pooling), network.features(painting, pooling)
    x.requires_grad_(True)
    f = network.features(x, pooling)

    def weighted(table, loss, others):
        """Of a table of layers and their weights."""
        losses = []
        for name, weight in table["layers"].items():
            (ours, channels), (theirs, _) = (network.compared(found, name) for found in (f, others))
            losses.append(weight * loss(ours, theirs, channels))
        return table["weight"] * sum(losses)

    variable = x if recipe["optimiser"]["space"] == "rgb" else network.convention.to_input(x)
    terms = {
        "content": weighted(content, lambda a, b, C: content_loss(a, b, content["form"], C), p),
        "style": weighted(style, lambda a, b, C: style_loss(
            a, b, style["gram"], style["form"], positions(x), C), s),
        "total_variation": variation["weight"] * total_variation(variable, variation["form"])}
    terms["total"] = sum(terms.values())
    return Evaluation(
        losses={name: float(term) for name, term in terms.items()},
        shares=gradient_shares(terms, recipe, x) if shares else {},
        gradient=torch.autograd.grad(terms["total"], x)[0].numpy(),
        features={name: feature.detach().numpy() for name, feature in f.items()})


def only(recipe, term, weight=None):
    """The recipe with the weights of all terms but this one set to 0, and its own if one is given.
    """
    kept = {} if weight is None else {"weight": weight}
    return {key: {**table, **(kept if key == term else {"weight": 0.0})} if key in TERMS else table
            for key, table in recipe.items()}
