"""Five published systems of neural style transfer, each stated in PyTorch from its description.

limn has a recipe for each of them. The statements here were written from the descriptions alone,
without limn's code, so that parity.py can hold the two against each other. Each class is one
system; what it does not say itself it takes from `System`, the part that all five share.

Pictures are (3, H, W), RGB in 0..1. A system's `variable`, which its optimiser changes, is
(3, H, W) in the system's own units, always with the planes in the order red, green, blue; systems
that were written for blue, green, red turn the planes round on the way into the network, which
changes no number of theirs.

Letters: F features of the picture, P of the photo, S of the painting, each (C, H, W); C channels, M
positions; G = F F^T and A = S S^T over positions.
"""

import numpy as np
import torch

from kit import vgg
from kit.equations import positions, total_variation
from kit.vgg import gram

NOTHING, ONE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


def column(values, like):
    """Three numbers as (3, 1, 1), to be added to planes."""
    return torch.tensor(values, dtype=like.dtype).reshape(3, 1, 1)


# ------------------------------------------------------------------------- what all five share --

class System:
    """One system, given its network's filters and the two pictures at the size it works on."""

    network = "vgg19"
    pooling = "max"
    scale, mean, deviation = 255, vgg.RGB_MINUS_MEAN.mean, ONE  # of the variable
    blue_first = False  # in the network
    starts_from_photo = True
    content_layer = ""
    style_layers = {}  # layer -> its weight, applied beside style_weight
    content_weight = style_weight = variation_weight = 0.0
    variation = None  # its form in equations.py

    def __init__(self, filters, photo, painting, dtype=torch.float32):
        """photo, painting: (3, H, W) float arrays, RGB in 0..1. dtype: of all arithmetic."""
        self.dtype = dtype
        self.filters = {conv: [torch.tensor(part, dtype=dtype) for part in pair]
                        for conv, pair in filters.items()}
        with torch.no_grad():
            self.photo = self.from_rgb(torch.from_numpy(photo).to(dtype))
            self.P = self.features(self.photo)[self.content_layer]
            self.S = self.features(self.from_rgb(torch.from_numpy(painting).to(dtype)))
            self.A = {name: gram(self.S[name]) for name in self.style_layers}

    # What a system may say for itself.

    def from_rgb(self, rgb):
        """The variable that stands for a picture."""
        return (self.scale * rgb - column(self.mean, rgb)) / column(self.deviation, rgb)

    def to_rgb(self, variable):
        """The picture that a variable stands for."""
        return (variable * column(self.deviation, variable)
                + column(self.mean, variable)) / self.scale

    def network_input(self, variable):
        return variable.flip(0) if self.blue_first else variable

    def content_loss(self, F, P):
        return ((F - P) ** 2).sum()

    def style_loss(self, F, S, A):
        """Of one layer."""
        raise NotImplementedError

    def total_variation(self, variable):
        if self.variation is None:
            return variable.new_zeros(())
        return total_variation(variable, self.variation)

    def descend(self, variable, iterations):
        """Yields the variable after each iteration, a tensor that stays as it is."""
        raise NotImplementedError

    def initial_error(self, variable):
        """How far `variable` is from one that the system would begin with: of the photo, the
        largest distance, relative to its largest value. Systems that begin with noise say
        something else."""
        return float((variable - self.photo).abs().max() / self.photo.abs().max())

    # What follows from that.

    def features(self, variable):
        found = vgg.features(vgg.rows_of(vgg.BLOCKS[self.network]), self.filters.get,
                             self.network_input(variable)[None], self.pooling,
                             [self.content_layer, *self.style_layers])
        return {name: f[0] for name, f in found.items()}

    def terms(self, variable):
        """{"content", "style", "total_variation", "total"}: weighted, so that they add up."""
        f = self.features(variable)
        terms = {
            "content": self.content_weight * self.content_loss(f[self.content_layer], self.P),
            "style": self.style_weight * sum(
                weight * self.style_loss(f[name], self.S[name], self.A[name])
                for name, weight in self.style_layers.items()),
            "total_variation": self.variation_weight * self.total_variation(variable)}
        terms["total"] = sum(terms.values())
        return terms

    def losses(self, variable):
        """The terms as numbers."""
        with torch.no_grad():
            return {name: float(term) for name, term in self.terms(variable).items()}

    def gradient(self, variable):
        """Of the total by the variable."""
        x = variable.detach().clone().requires_grad_(True)
        return torch.autograd.grad(self.terms(x)["total"], x)[0]


# ---------------------------------------------------------------------------- the first noise --

def noise_error(noise, deviation):
    """The largest of: |mean|, distance from this deviation, correlation of neighbours, of planes.
    Each is about 1 / sqrt(values) for independent noise of mean 0."""
    v = noise.var()
    products = (noise[:, 1:] * noise[:, :-1], noise[:, :, 1:] * noise[:, :, :-1],
                noise[1:] * noise[:-1])
    return max(abs(float(noise.mean())), abs(float(noise.std()) - deviation),
               *(abs(float(product.mean() / v)) for product in products))


# ------------------------------------------------------------------------------ step by step --

def adam_uncorrected(system, x, iterations, rate, beta1, beta2, epsilon, after=lambda x: x):
    """TensorFlow's Adam, versions 1 and 2: epsilon is added to the root of v as it is, before v's
    bias is corrected, and both corrections go into the rate. after: applied to x after each step.
    """
    m, v = torch.zeros_like(x), torch.zeros_like(x)
    for t in range(1, iterations + 1):
        g = system.gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        step = rate * np.sqrt(1 - beta2**t) / (1 - beta1**t)
        x = after(x - step * m / (torch.sqrt(v) + epsilon))
        yield x


class Keras(System):
    """Chollet's example for Keras. Filters: Keras's .h5, which read blue, green, red."""

    blue_first = True
    content_layer = "relu5_2"
    style_layers = {f"relu{block}_1": 1 / 5 for block in range(1, 6)}
    content_weight, style_weight, variation_weight = 2.5e-8, 1e-6, 1e-6
    learning_rate = 100.0

    def style_loss(self, F, S, A):
        _, rows, columns = self.photo.shape
        return ((gram(F) - A) ** 2).sum() / (4 * 3**2 * (rows * columns) ** 2)

    def total_variation(self, x):
        """Over the pixels that have a lower and a right neighbour."""
        corner = x[:, :-1, :-1]
        down, right = x[:, 1:, :-1] - corner, x[:, :-1, 1:] - corner
        return ((down**2 + right**2) ** 1.25).sum()

    def descend(self, x, iterations):
        """Gradient descent whose rate falls continuously, by 4 % in 100 steps."""
        for step in range(iterations):
            rate = self.learning_rate * 0.96 ** (step / 100)
            x = x - rate * self.gradient(x)
            yield x


class TensorFlow(System):
    """TensorFlow's tutorial with its total variation. Filters as for Keras."""

    scale, mean = 1, NOTHING
    content_layer = "relu5_2"
    style_layers = {f"relu{block}_1": 1 / 5 for block in range(1, 6)}
    variation = "absolute"
    content_weight, style_weight, variation_weight = 1e4, 1e-2, 30.0

    def network_input(self, variable):
        return vgg.CAFFE.to_input(variable)

    def content_loss(self, F, P):
        return ((F - P) ** 2).mean()

    def style_loss(self, F, S, A):
        """The painting has a size of its own, so each Gram matrix is over its own positions."""
        return ((gram(F) / positions(F) - A / positions(S)) ** 2).mean()

    def descend(self, x, iterations):
        return adam_uncorrected(self, x, iterations, rate=0.02, beta1=0.99, beta2=0.999,
                                epsilon=1e-1, after=lambda x: x.clamp(0, 1))


class Gatys(System):
    """The L-BFGS program after Gatys, Ecker and Bethge. Filters: MatConvNet's .mat, which read red,
    green, blue. The painting has the photo's size."""

    pooling = "average"
    starts_from_photo = False
    content_layer = "relu4_2"
    style_layers = {f"relu{block}_1": 0.2 for block in range(1, 6)}
    content_weight, style_weight = 1.0, 2e2

    def content_loss(self, F, P):
        return ((F - P) ** 2).sum() / (2 * np.sqrt(F.shape[0]) * np.sqrt(positions(F)))

    def style_loss(self, F, S, A):
        return ((gram(F) - A) ** 2).sum() / (4 * F.shape[0] ** 2 * positions(F) ** 2)

    def initial_error(self, variable):
        """A tenth is uniform noise, within one deviation to each side of the mean of all the
        photo's values; the rest is the photo. Infinite where the noise leaves that range."""
        values = 255 * self.to_rgb(self.photo)
        noise = (255 * self.to_rgb(variable) - 0.9 * values) / 0.1
        noise = (noise - values.mean()) / values.std()
        return float("inf") if noise.abs().max() > 1.001 else noise_error(noise, 3**-0.5)

    def descend(self, x, iterations):
        """SciPy's L-BFGS-B in runs of 10 iterations, each with an empty history. SciPy counts in
        double precision; the network, its loss and what is kept between runs are in single."""
        from scipy.optimize import minimize

        def loss_and_gradient(flat):
            x = torch.from_numpy(flat.reshape(shape)).to(self.dtype).requires_grad_(True)
            loss = self.terms(x)["total"]
            gradient, = torch.autograd.grad(loss, x)
            return float(loss), gradient.numpy().astype(np.float64).ravel()

        shape = x.shape
        for done in range(0, iterations, 10):
            visited = []
            minimize(loss_and_gradient, x.numpy().astype(np.float64).ravel(), jac=True,
                     method="L-BFGS-B", callback=lambda flat: visited.append(flat.copy()),
                     options={"maxiter": min(10, iterations - done)})
            for flat in visited:
                x = torch.from_numpy(flat.reshape(shape)).to(self.dtype)
                yield x


class HundredLines(System):
    """The program of under a hundred lines. Filters: the VGG-16 .npz, which were trained on red,
    green, blue, but are given blue, green, red. The painting has a size of its own. M in the style
    loss is the picture's."""

    network = "vgg16"
    pooling = "average"
    starts_from_photo = False
    content_layer = "conv4_2"
    style_layers = {f"conv{block}_1": 1 / 5 for block in range(1, 6)}
    content_weight, style_weight, variation_weight = 30.0, 15.0, 0.0  # the program's
    mean, blue_first = (123.0, 117.0, 104.0), True
    variation = "squared"

    def style_loss(self, F, S, A):
        return ((gram(F) - A) ** 2).sum() / (F.shape[0] ** 2 * positions(F) ** 2)

    def initial_error(self, variable):
        """Standard normal noise."""
        return noise_error(variable, 1)

    def descend(self, x, iterations):
        return adam_uncorrected(self, x, iterations, rate=1.0, beta1=0.9, beta2=0.999, epsilon=1e-8)


class PyTorch(System):
    """The PyTorch walkthrough. Filters: torchvision's .pth. Its two weights are the user's, so
    they are set from outside; the ReLU writes over the convolution's output, so that features are
    those after it."""

    content_layer = "relu4_2"
    style_layers = {"relu1_1": 1.0, "relu2_1": 0.8, "relu3_1": 0.4, "relu4_1": 0.2, "relu5_1": 0.1}
    scale, mean, deviation = 1, vgg.TORCHVISION.mean, vgg.TORCHVISION.deviation

    def content_loss(self, F, P):
        return ((F - P) ** 2).mean()

    def style_loss(self, F, S, A):
        return ((gram(F) - A) ** 2).mean() / (4 * positions(F) ** 2)

    def descend(self, x, iterations):
        x = x.clone().requires_grad_(True)
        optimiser = torch.optim.Adam([x], lr=0.003)
        for _ in range(iterations):
            optimiser.zero_grad()
            self.terms(x)["total"].backward()
            optimiser.step()
            yield x.detach().clone()


SYSTEMS = {"keras": Keras, "tensorflow": TensorFlow, "gatys": Gatys,
           "hundred-lines": HundredLines, "pytorch": PyTorch}
