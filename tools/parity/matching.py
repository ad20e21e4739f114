"""Two published systems that match features, NNST and STROTSS, stated in PyTorch.

NNST (Kolkin and others, arXiv 2203.13215) matches hypercolumns first, then each layer by itself:
`Hypercolumns` and `Splitting`. STROTSS (Kolkin, Salavon and Shakhnarovich, arXiv 1904.12785)
compares features at places of both pictures: `Strotss`. They were written from descriptions alone,
without limn's code, so that neighbours.py can hold limn's recipes against them. What limn draws at
random is given to them.

Pictures are (3, H, W), RGB in 0..1. Columns are (C, n): the features of n places, one beside the
other. Each class has `parts(x, matched)`: its loss at a picture x in parts that add up, of which
CONTENT count as content and all others as style. `matched` are columns of the painting; `searches`
says among which they are to be found, and for which of the picture's.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from kit import vgg

CONTENT = ("structure",)
NNST_LAYERS = tuple(f"relu{conv}" for conv in vgg.convolutions("vgg16") if int(conv[0]) <= 4)
STROTSS_LAYERS = tuple(f"relu{conv}" for conv in vgg.convolutions("vgg16")
                       if int(conv[0]) <= 3 or conv in ("4_3", "5_3"))

# Colours whose squared distance is less are as far apart as this, so that the root has a slope.
LEAST_SQUARE = 1e-5

# An orthogonal basis of colours: grey, and two that differ by hue.
COLOUR_AXES = ((3**-0.5, 3**-0.5, 3**-0.5), (2**-0.5, -(2**-0.5), 0.0),
               (6**-0.5, 6**-0.5, -2 * 6**-0.5))


class Reader:
    """{layer: (C, h, w)} of a picture, at some layers of a network that pools by maxima."""

    def __init__(self, network, layers, dtype=torch.float64):
        self.network, self.layers, self.dtype = network, tuple(layers), dtype
        self.filters = {row: [torch.from_numpy(part).to(dtype) for part in pair]
                        for row, pair in network.filters.items()}

    def __call__(self, rgb):
        found = vgg.features(self.network.rows, self.filters.get,
                             self.network.convention.to_input(rgb)[None], "max", self.layers)
        return {name: found[name][0] for name in self.layers}


# ------------------------------------------------------------------------------------ columns --

def unit(columns):
    return columns / columns.norm(dim=0).clamp(min=1e-12)


def cosines(a, b):
    """Of all columns of a with all of b: (n, m)."""
    return unit(a).T @ unit(b)


def cosines_of_pairs(a, b):
    return (unit(a) * unit(b)).sum(0)


def centred(columns):
    """Without their mean."""
    return columns - columns.mean(1, keepdim=True)


@dataclass
class Search:
    """For each of the columns `sought` (C, n) the nearest by cosine of the `candidates` (C, m) is
    looked for; the loss then compares with the same one of `compared` (C, m)."""
    sought: object
    candidates: object
    compared: object

    def nearest(self):
        """(indices of candidates, their cosines), n of each."""
        found = cosines(self.sought, self.candidates).max(1)
        return found.indices, found.values

    def matched(self):
        return self.compared[:, self.nearest()[0]]


# --------------------------------------------------------------------------------------- NNST --

class Hypercolumns:
    """NNST's first stage at one size. layers: {name: weight}; turned: whether the painting is also
    searched turned by 90, 180 and 270 degrees."""

    def __init__(self, read, painting, layers, turned, weight=1.0):
        self.read, self.layers, self.weight = read, layers, weight
        with torch.no_grad():
            maps = [self.columns(torch.rot90(painting, quarter, (1, 2)))
                    for quarter in range(4 if turned else 1)]
        self.compared = torch.cat(maps, 1)
        self.candidates = centred(self.compared)

    def columns(self, rgb):
        """All layers, each divided by its channels, on a grid of a quarter of the picture's rows
        and columns, whose corners are the corners of every map."""
        found = self.read(rgb)
        size = [side // 4 for side in rgb.shape[1:]]
        maps = [weight / len(found[name]) * F.interpolate(
            found[name][None], size, mode="bilinear", align_corners=True)[0]
            for name, weight in self.layers.items()]
        return torch.cat(maps).flatten(1)

    def searches(self, picture):
        with torch.no_grad():
            return [Search(centred(self.columns(picture)), self.candidates, self.compared)]

    def parts(self, x, matched):
        apart = 1 - cosines_of_pairs(self.columns(x), matched[0])
        return {"hypercolumns": self.weight * apart.mean()}


class Splitting:
    """NNST's last stage: each layer by itself, at its own resolution. layers: {name: weight};
    places: {name: (the picture's, the painting's)}, rows and columns of the map, (2, n) each; a
    layer without them is compared everywhere."""

    def __init__(self, read, painting, layers, places, weight=1.0):
        self.read, self.layers, self.places, self.weight = read, layers, places, weight
        with torch.no_grad():
            self.candidates = {name: centred(self.taken(name, f, 1))
                               for name, f in read(painting).items()}

    def taken(self, name, f, side):
        if name not in self.places:
            return f.flatten(1)
        rows, columns = self.places[name][side]
        return f[:, rows, columns]

    def columns(self, rgb):
        """{layer: what is compared of a picture}."""
        return {name: centred(self.taken(name, f, 0)) for name, f in self.read(rgb).items()}

    def searches(self, picture):
        with torch.no_grad():
            found = self.columns(picture)
        return [Search(found[name], self.candidates[name], self.candidates[name])
                for name in self.layers]

    def parts(self, x, matched):
        found = self.columns(x)
        return {name: self.weight * weight * (1 - cosines_of_pairs(found[name], there)).mean()
                for (name, weight), there in zip(self.layers.items(), matched)}


# ------------------------------------------------------------------------------------ STROTSS --

def at_places(f, places):
    """(C, n) of a map (C, h, w) between its cells: places are rows and columns in cells, (2, n)
    and not whole; beyond the last cell it stays as it is there."""
    low, high, share = [], [], []
    for place, side in zip(places, f.shape[1:]):
        place = place.clamp(0, side - 1)
        low.append(place.floor().long())
        high.append((low[-1] + 1).clamp(max=side - 1))
        share.append((place - low[-1]).to(f.dtype))
    (y0, x0), (y1, x1), (v, u) = low, high, share
    upper = f[:, y0, x0] * (1 - u) + f[:, y0, x1] * u
    lower = f[:, y1, x0] * (1 - u) + f[:, y1, x1] * u
    return upper * (1 - v) + lower * v


def columns_at(read, layers, rgb, places, whole=False):
    """RGB and all layers, each times its weight, one below the other, at places in pixels. A place
    is half as far from the corner after each pooling. whole: in the cell above and to the left, not
    between cells."""
    found = read(rgb)
    in_map = lambda name: places / 2 ** (int(name[4]) - 1)
    return torch.cat([at_places(rgb, places), *(
        weight * at_places(found[name], in_map(name).floor() if whole else in_map(name))
        for name, weight in layers.items())])


def relaxed_distance(x, s, all_pairs, pairs):
    """The relaxed earth mover's distance: how far it is to the nearest, from whichever side that is
    farther in the mean. all_pairs(x, s): distances (n, m); pairs: of columns that go together."""
    with torch.no_grad():
        d = all_pairs(x, s)
    return torch.maximum(pairs(x, s[:, d.min(1).indices]).mean(),
                         pairs(x[:, d.min(0).indices], s).mean())


def remd(x, s):
    return relaxed_distance(x, s, lambda a, b: 1 - cosines(a, b),
                            lambda a, b: 1 - cosines_of_pairs(a, b))


def covariance(columns):
    """(mean, covariance), divided by their number."""
    mean = columns.mean(1, keepdim=True)
    return mean, (columns - mean) @ (columns - mean).T / columns.shape[1]


def moments(x, s):
    return sum((a - b).abs().mean() for a, b in zip(covariance(x), covariance(s)))


def palette(x, s):
    """Of colours (3, n) and (3, m)."""
    axes = torch.tensor(COLOUR_AXES, dtype=x.dtype)
    root = lambda squares: (squares.clamp(min=LEAST_SQUARE) / 3).sqrt()
    return relaxed_distance(
        axes @ x, axes @ s,
        lambda a, b: 1 - cosines(a, b) + root(((a[:, :, None] - b[:, None]) ** 2).sum(0)),
        lambda a, b: 1 - cosines_of_pairs(a, b) + root(((a - b) ** 2).sum(0)))


def resemblance(columns):
    """How far each place is from each other, relative to how far all are from it."""
    d = 1 - cosines(columns, columns)
    return d / d.sum(0, keepdim=True)


def structure(x, c):
    return x.shape[1] * (resemblance(x) - resemblance(c)).abs().mean()


@dataclass
class Drawn:
    """Places in pixels, (2, n) each: of the picture, and with it of the photo, for either loss; of
    the painting."""
    transport: object = None
    painting: object = None
    structure: object = None


class Strotss:
    """STROTSS at one size and one draw of places. layers: {name: weight}, the weights 1 as it was
    published. A loss whose weight is 0 has no parts."""

    def __init__(self, read, photo, painting, drawn, layers, transport=0.0, palette_weight=0.0,
                 structure_weight=0.0):
        self.read, self.drawn, self.layers = read, drawn, layers
        self.transport, self.palette_weight = transport, palette_weight
        self.structure_weight = structure_weight
        with torch.no_grad():
            if transport:
                self.S = columns_at(read, layers, painting, drawn.painting, whole=True)
            if structure_weight:
                self.C = columns_at(read, layers, photo, drawn.structure)

    def searches(self, picture):
        return []

    def parts(self, x, matched=()):
        found = {}
        if self.transport:
            X, S = columns_at(self.read, self.layers, x, self.drawn.transport), self.S
            found["remd"] = self.transport * remd(X, S)
            found["moments"] = self.transport * moments(X, S)
            found["palette"] = self.transport * self.palette_weight * palette(X[:3], S[:3])
        if self.structure_weight:
            X = columns_at(self.read, self.layers, x, self.drawn.structure)
            found["structure"] = self.structure_weight * structure(X, self.C)
        return found


# --------------------------------------------------------------------------------- evaluation --

@dataclass
class Evaluation:
    """losses: content, style and total; gradient: (3, H, W), of the total by the picture; parts:
    the loss of each; shares: its gradient's L2 norm over the whole one's, empty unless asked for.
    """
    losses: dict
    gradient: object
    parts: dict
    shares: dict


def evaluate(system, picture, matched, shares=False):
    x = picture.clone().requires_grad_(True)
    parts = system.parts(x, matched)
    slope = lambda loss: torch.autograd.grad(loss, x, retain_graph=True)[0]
    gradient = slope(sum(parts.values()))
    numbers = {name: float(part) for name, part in parts.items()}
    content = sum(number for name, number in numbers.items() if name in CONTENT)
    total = sum(numbers.values())
    return Evaluation(
        {"content": content, "style": total - content, "total": total}, gradient.numpy(), numbers,
        {name: float(slope(part).norm() / gradient.norm()) for name, part in parts.items()}
        if shares else {})
