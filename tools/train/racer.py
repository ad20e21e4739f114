"""Students that are trained side by side: what each one is, its step, and a step of all of them."""

import copy
from dataclasses import dataclass

import torch

import network
from trainer import MOST_GRADIENT

AVERAGED = 0.002  # of a step's weights that go into the average


@dataclass
class Entry:
    """A student in the race."""
    name: str
    spec: str
    taps: str = ""
    gram: float = 0.0
    rate: float = 2e-3

    @staticmethod
    def parse(text):
        words = text.split()
        if len(words) < 2:
            raise ValueError(f"student '{text}' should be NAME SPEC [gram=..] [rate=..] [TAP=..]")
        entry, taps = Entry(words[0], words[1]), []
        for word in words[2:]:
            key, _, value = word.partition("=")
            if key in ("gram", "rate"):
                setattr(entry, key, float(value))
            else:
                taps.append(word)
        entry.taps = " ".join(taps)
        network.parse_taps(entry.taps, network.parse_spec(entry.spec))
        return entry


class Racer:
    """An entry with its student and Adam, whose rate is a tensor so that a graph can read it."""

    def __init__(self, entry, teacher, device, seed):
        torch.manual_seed(seed)
        levels = network.parse_spec(entry.spec)
        self.entry = entry
        self.student = network.Student(levels, network.parse_taps(entry.taps, levels),
                                       teacher.channels)
        self.student = self.student.to(device, memory_format=torch.channels_last)
        on_gpu = device != "cpu"
        self.rate = torch.tensor(entry.rate, device=device) if on_gpu else entry.rate
        more = {"capturable": True} if on_gpu else {}
        self.optimiser = torch.optim.Adam(self.student.parameters(), lr=self.rate,
                                          betas=(0.9, 0.99), **more)
        self.sums = torch.zeros(len(network.TAPS), device=device)
        # Weights averaged over the last 1 / AVERAGED steps: better than those of any one step.
        self.average = copy.deepcopy(self.student)

    def set_rate(self, value):
        if isinstance(self.rate, torch.Tensor):
            self.rate.fill_(value)
        else:
            for group in self.optimiser.param_groups:
                group["lr"] = value

    def step(self, x, targets, half):
        """One step; adds its losses by tap to sums."""
        with torch.autocast(x.device.type, torch.bfloat16, enabled=half, cache_enabled=False):
            losses = network.layer_losses(self.student, self.student(x), targets, self.entry.gram,
                                          thin=True)
        losses = torch.stack([losses[tap] for tap in network.TAPS])
        self.optimiser.zero_grad(set_to_none=True)
        losses.sum().backward()
        torch.nn.utils.clip_grad_norm_(self.student.parameters(), MOST_GRADIENT)
        self.optimiser.step()
        self.sums += losses.detach()
        with torch.no_grad():
            for mean, value in zip(self.average.parameters(), self.student.parameters()):
                mean.lerp_(value, AVERAGED)


class Stepper:
    """All that happens to a batch, as one CUDA graph where there is CUDA."""

    def __init__(self, teacher, racers, count, side, device, half):
        self.teacher, self.racers, self.half = teacher, racers, half
        self.x = torch.zeros(count, 3, side, side, device=device).contiguous(
            memory_format=torch.channels_last)
        self.graph = None

    def _run(self):
        targets = self.teacher(self.x)
        for racer in self.racers:
            racer.step(self.x, targets, self.half)

    def step(self, pictures):
        self.x.copy_(network.to_input(pictures))
        if self.graph:
            self.graph.replay()
        else:
            self._run()

    def capture(self, batches):
        """Warms up on these batches, which are trained on, and records the graph."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for pictures in batches:
                self.step(pictures)
        torch.cuda.current_stream().wait_stream(stream)
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._run()
        self.graph = graph
