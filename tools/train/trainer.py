"""One training run's numbers: settings, the rate of a step, and the steps themselves."""

import contextlib
import dataclasses
import math
from dataclasses import dataclass

import torch

import data
import evaluate
import network
import refit
import teacher as teachers

MOST_GRADIENT = 1.0  # the gradient's norm is cut to this, so that one odd batch does no harm
STEP_DECAYS = ((0.6, 0.3), (0.8, 0.1), (0.9, 0.03))  # from this part of the plan on, times the rate


@dataclass
class Settings:
    """What decides the numbers of a run. Network and taps stay as they began; the rest may be
    changed when a run is resumed."""
    taps: str = network.DEFAULT_TAPS
    network: str = network.DEFAULT_SPEC
    plan_steps: int = 0  # 0: by minutes
    plan_minutes: float = 360.0
    rate: float = 2e-3  # Adam's, at its highest
    warm_up: int = 300  # steps
    decay: str = "cosine"
    last_rate: float = 0.01  # of the highest
    crop: int = 128
    batch: int = 16
    layer_weights: dict = dataclasses.field(default_factory=dict)  # 1 where absent
    gram: float = 0.0
    synthetic_share: float = 0.15
    painted_share: float = 0.2
    calibration_crops: int = 128
    refit_crops: int = 1024
    precision: str = "float32"
    seed: int = 1


def cosine_fall(part, last):
    """From 1 at part 0 of a plan to `last` at part 1."""
    return last + (1 - last) * (1 + math.cos(math.pi * part)) / 2


def rate_at(settings, step, seconds):
    """Adam's rate for a step that begins after so many seconds of training."""
    part = progress(settings, step, seconds)
    if settings.decay == "cosine":
        falling = cosine_fall(part, settings.last_rate)
    else:
        falling = min([1.0] + [factor for begin, factor in STEP_DECAYS if part >= begin])
    return settings.rate * falling * min(1.0, (step + 1) / max(1, settings.warm_up))


def progress(settings, step, seconds):
    """0 at the plan's beginning, 1 at its end."""
    done = step / settings.plan_steps if settings.plan_steps else \
        seconds / (60 * settings.plan_minutes)
    return min(1.0, done)


class Trainer:
    """Student, optimiser and where they are in the plan. teacher reads to_input's pictures;
    held_out may be empty."""

    def __init__(self, settings, teacher, source, held_out, device="cpu", teacher_sha256=""):
        self.settings, self.source, self.held_out, self.device = settings, source, held_out, device
        self.half = settings.precision == "bfloat16"
        self.teacher = teachers.prepared(teacher, settings.precision, device)
        self.teacher_sha256 = teacher_sha256
        torch.manual_seed(settings.seed)
        levels = network.parse_spec(settings.network)
        self.student = network.Student(levels, network.parse_taps(settings.taps, levels),
                                       teacher.channels)
        self.student = self.student.to(device, memory_format=torch.channels_last)
        self.optimiser = torch.optim.Adam(self.student.parameters(), lr=settings.rate)
        self.step, self.seconds, self.held_out_errors = 0, 0.0, {}

    # ---- state

    def state(self):
        return {"network": self.settings.network, "taps": self.settings.taps,
                "settings": dataclasses.asdict(self.settings), "step": self.step,
                "seconds": self.seconds, "student": self.student.state_dict(),
                "optimiser": self.optimiser.state_dict(), "held_out": self.held_out_errors,
                "teacher_channels": self.teacher.channels, "teacher_sha256": self.teacher_sha256}

    def resume(self, state):
        """Goes on from a checkpoint. Returns {setting: (then, now)} of what differs. Raises
        ValueError where it is of another network or teacher."""
        now = dataclasses.asdict(self.settings)
        changed = {key: (then, now[key]) for key, then in state["settings"].items()
                   if key in now and now[key] != then}
        for key in ("network", "taps"):
            if key in changed:
                raise ValueError(f"the run began with {key} '{changed[key][0]}', not "
                                 f"'{changed[key][1]}'; give that, or another folder")
        if state["teacher_sha256"] != self.teacher_sha256:
            raise ValueError("the run began with other weights of VGG-19 than these; give those, "
                             "or another folder")
        self.student.load_state_dict(state["student"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.seconds = state["step"], state["seconds"]
        self.held_out_errors = state["held_out"]
        return changed

    def calibrate(self):
        """Once, before the first step."""
        refit.calibrate(self.student, self.teacher, self.source, self.settings.calibration_crops,
                        self.settings.crop, self.settings.batch, self.device)

    # ---- steps

    def input(self, pictures):
        return network.to_input(pictures.to(self.device)).contiguous(
            memory_format=torch.channels_last)

    def train_step(self, pictures):
        """One step on a batch; {tap: loss} as it was before the step."""
        settings = self.settings
        for group in self.optimiser.param_groups:
            group["lr"] = rate_at(settings, self.step, self.seconds)
        x = self.input(pictures)
        targets = self.teacher(x)
        kind = "cuda" if self.device != "cpu" else "cpu"
        with torch.autocast(kind, torch.bfloat16) if self.half else contextlib.nullcontext():
            losses = network.layer_losses(self.student, self.student(x), targets, settings.gram)
        total = sum(settings.layer_weights.get(tap, 1.0) * loss for tap, loss in losses.items())
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(self.student.parameters(), MOST_GRADIENT)
        losses = {tap: float(loss.detach()) for tap, loss in losses.items()}
        if not all(map(math.isfinite, losses.values())):
            raise ArithmeticError(f"step {self.step}: the losses are not finite: {losses}; lower "
                                  "--rate and go on from the last checkpoint")
        self.optimiser.step()
        self.step += 1
        return losses

    def evaluate(self, batches=4, batch=8):
        """{tap: imitation error} on held-out crops, also kept for the next checkpoint."""
        # Larger crops than training's, because pictures being painted are larger.
        side = 2 * self.settings.crop
        make = lambda step: data.evaluation_batch(self.held_out, step, batch, side)
        self.held_out_errors = evaluate.imitation_errors(
            self.student, self.teacher, map(make, range(batches)), self.device)
        return self.held_out_errors

    def done(self):
        return progress(self.settings, self.step, self.seconds) >= 1
