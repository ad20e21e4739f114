"""Painting in PyTorch, many pictures at once: what students are trained on and chosen by.

A student is right on photographs long before it is right on pictures that were optimised under it:
the optimiser finds what the student mistakes for the style. So training paints with the student it
trains, again and again, and shows it what VGG-19 sees in the results.

The objective is the one of limn's recipe "limn": features compared by their mean square (relu4_2),
Gram matrices per position. The optimiser is Adam, for it needs no line search and no look back.
"""

import torch
import torch.nn.functional as F

from kit.vgg import mean_gram
import network

# Those of recipe limn when the network was trained; it measures its weights since.
STYLE_LAYERS = {"relu1_1": 64.0, "relu2_1": 16.0, "relu3_1": 4.0, "relu4_1": 1.0, "relu5_1": 1.0}
STYLE_WEIGHT = 1e-4
CONTENT_LAYER = "relu4_2"


def gram(F):
    """(N, C, H, W) -> (N, C, C), per position, in float32."""
    return mean_gram(F.float())


class TeacherFeatures:
    """VGG-19's own features as painting reads them, gradients included."""

    def __init__(self, teacher):
        self.teacher = teacher

    def __call__(self, x):
        return self.teacher.features(x)

    def content(self, features):
        return features[CONTENT_LAYER].float()

    def grams(self, features):
        return {tap: gram(features[tap]) for tap in STYLE_LAYERS}


class StudentFeatures:
    """A student's features in VGG-19's units: Q F_s, and Q G_s Q^T."""

    def __init__(self, student):
        self.student = student

    def __call__(self, x):
        return self.student(x)

    def content(self, features):
        Q = self.student.Q(CONTENT_LAYER).detach()
        return F.conv2d(features[CONTENT_LAYER].float(), Q[:, :, None, None])

    def grams(self, features):
        Qs = {tap: self.student.Q(tap).detach() for tap in STYLE_LAYERS}
        return {tap: Q @ gram(features[tap]) @ Q.T for tap, Q in Qs.items()}


def losses(network_features, x, content, grams):
    """((N,) content, (N,) style) at x, which both networks read (network.to_input)."""
    features = network_features(x)
    content_loss = (network_features.content(features) - content).square().mean((1, 2, 3))
    found = network_features.grams(features)
    style_loss = sum(weight * (found[tap] - grams[tap]).square().mean((1, 2))
                     for tap, weight in STYLE_LAYERS.items())
    return content_loss, STYLE_WEIGHT * style_loss


def paint(network_features, photos, paintings, steps, style_weight=1.0, rate=8.0, keep=(),
          half=False, start=None):
    """Paints (N, 3, H, W) photos in the manner of as many paintings, RGB in 0..255. style_weight: a
    factor, or (N,) of them. Returns the pictures after the steps in `keep` and after the last."""
    device = photos.device
    kind = "cuda" if device.type == "cuda" else "cpu"
    cast = lambda: torch.autocast(kind, torch.bfloat16, enabled=half, cache_enabled=False)
    with torch.no_grad(), cast():
        content = network_features.content(network_features(network.to_input(photos)))
        grams = network_features.grams(network_features(network.to_input(paintings)))
    x = (photos if start is None else start).clone().requires_grad_()
    optimiser = torch.optim.Adam([x], lr=rate, betas=(0.9, 0.99))
    kept = []
    for step in range(steps):
        for group in optimiser.param_groups:  # fine at the end, for what is fine in the paintings
            group["lr"] = rate * min(1.0, 2.0 * (1 - step / steps) + 0.05)
        with cast():
            content_loss, style_loss = losses(network_features, network.to_input(x), content, grams)
        x.grad, = torch.autograd.grad((content_loss + style_weight * style_loss).sum(), x)
        optimiser.step()
        if step + 1 in keep:
            kept.append(x.detach().clone())
    return kept + [x.detach()]


# --------------------------------------------------------------------------------- the judge --

@torch.no_grad()
def judge(teacher, painted, photos, paintings, seed=5):
    """How VGG-19 sees the painted pictures: {tap: style loss relative to the unpainted photo's},
    "style", their mean, and "content": the squared distance of features at relu4_2 relative to that
    of a random picture. Means over the pictures."""
    generator = torch.Generator(photos.device).manual_seed(seed)
    random = 255 * torch.rand(photos.shape, generator=generator, device=photos.device)
    view = lambda pictures: teacher(network.to_input(pictures))
    mine, photo, painting, noise = map(view, (painted, photos, paintings, random))
    distance = lambda a, b: (a.float() - b.float()).square().sum((1, 2, 3))
    figures = {}
    for tap in STYLE_LAYERS:
        A = gram(painting[tap])
        ratio = [(gram(F[tap]) - A).square().sum((1, 2)) for F in (mine, photo)]
        figures[tap] = float((ratio[0] / ratio[1]).mean())
    figures["style"] = sum(figures.values()) / len(figures)
    content = [distance(F[CONTENT_LAYER], photo[CONTENT_LAYER]) for F in (mine, noise)]
    figures["content"] = float((content[0] / content[1]).mean())
    return figures


class Easel:
    """Paints batches of crops with students, in turn, for a DeviceSource's painted pool."""

    def __init__(self, source, edge, count, steps, keep, seed, half):
        self.source, self.edge, self.count, self.steps = source, edge, count, steps
        self.keep, self.seed, self.half, self.rounds = keep, seed, half, 0

    def paint(self, network_features):
        count, atlas = self.count, self.source.pictures
        generator = torch.Generator(atlas.bytes.device).manual_seed((self.seed << 44) + self.rounds)
        self.rounds += 1
        photos = atlas.crops(generator, count, self.edge)
        # Half of them in the manner of the few paintings, the rest of any picture.
        paintings = torch.cat([atlas.crops(generator, count - count // 2, self.edge),
                               self.source.styles.crops(generator, count // 2, self.edge)])
        # From nearly the photo to nearly a texture.
        strength = torch.exp(1.5 * torch.randn(count, generator=generator, device=photos.device))
        noise = torch.randn(photos.shape, generator=generator, device=photos.device)
        noisy = torch.rand(count, 1, 1, 1, generator=generator, device=photos.device) < 0.2
        start = torch.where(noisy, photos + 40 * noise, photos)
        for pictures in paint(network_features, photos, paintings, self.steps, strength,
                              keep=self.keep, half=self.half, start=start):
            self.source.painted.add(pictures)
