#!/usr/bin/python3
"""Trains a small network to imitate VGG-19 at the layers that style losses read.

  train.py --weights vgg19.h5 --pictures FOLDER... --out RUN --plan-minutes 360 --minutes 60

RUN gets checkpoint.pt every few minutes, log.jsonl, and, when the plan is done, final.pt with its
maps Q fitted in closed form. The same command again goes on where the last one stopped, also after
Ctrl-C; with --plan-steps on a CPU the numbers are those of an unbroken run, bit for bit. The rate
follows the plan, not the run: --minutes and --steps only say how much of it to do now.

See README.md for the figures to watch.
"""

import dataclasses
import json
import math
import os
import pathlib
import signal
import sys
import time

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))
import torch

from kit import command
from kit.pairs import digest
import checkpoint
import data
import network
import refit
import teacher as teachers
from trainer import Settings, Trainer, rate_at


# ------------------------------------------------------------------------------------- the run --

class Log:
    """JSON lines. Those after a resumed checkpoint's step, which will be made again, are cut."""

    def __init__(self, path, step):
        self.path = path
        if path.exists():
            kept = [line for line in path.read_text().splitlines() if self._is_before(line, step)]
            part = path.with_suffix(".part")
            part.write_text("".join(line + "\n" for line in kept))
            os.replace(part, path)

    @staticmethod
    def _is_before(line, step):
        try:
            return json.loads(line)["step"] <= step
        except (ValueError, KeyError):  # a line cut short when the run was killed
            return False

    def write(self, **entry):
        with open(self.path, "a") as file:
            file.write(json.dumps(entry) + "\n")


def rounded(losses):
    return {tap: float(f"{loss:.5g}") for tap, loss in losses.items()}


def in_words(losses):
    return "  ".join(f"{tap[4:]} {loss:.3f}" for tap, loss in losses.items())


class Run:
    """A trainer in its folder: log, checkpoints, evaluation, and when to stop."""

    def __init__(self, trainer, folder, log_every=50, save_minutes=5.0, evaluate_minutes=15.0,
                 workers=1):
        self.trainer, self.folder = trainer, folder
        self.log_every, self.workers = log_every, workers
        self.save_seconds, self.evaluate_seconds = 60 * save_minutes, 60 * evaluate_minutes
        self.stop = False  # set by a signal
        folder.mkdir(parents=True, exist_ok=True)
        if self.checkpoint.exists():
            for key, (then, now) in trainer.resume(checkpoint.load(self.checkpoint)).items():
                print(f"changed: {key} was {then}, now {now}", flush=True)
            print(f"going on from step {trainer.step}, after {trainer.seconds / 60:.1f} min")
        else:
            trainer.calibrate()
        self.log = Log(folder / "log.jsonl", trainer.step)
        self.log.write(step=trainer.step, seconds=round(trainer.seconds, 1),
                       settings=dataclasses.asdict(trainer.settings))

    @property
    def checkpoint(self):
        return self.folder / "checkpoint.pt"

    def save(self):
        checkpoint.save(self.checkpoint, self.trainer.state())

    def evaluate(self):
        trainer = self.trainer
        if not len(trainer.held_out):
            return
        errors = trainer.evaluate()
        self.log.write(step=trainer.step, seconds=round(trainer.seconds, 1),
                       held_out=rounded(errors))
        print(f"step {trainer.step}: held out: {in_words(errors)}", flush=True)

    def train(self, steps=math.inf, minutes=math.inf):
        """Until the plan is done, or so much has been done now, or a signal. Returns the number of
        steps done."""
        trainer, settings = self.trainer, self.trainer.settings
        ahead = data.Ahead(trainer.source, settings.batch, settings.crop, self.workers)
        begin, before, first = time.monotonic(), trainer.seconds, trainer.step
        next_save, next_evaluation = self.save_seconds, self.evaluate_seconds
        sums, count = dict.fromkeys(network.TAPS, 0.0), 0
        try:
            while not (self.stop or trainer.done() or trainer.step - first >= steps
                       or time.monotonic() - begin >= 60 * minutes):
                for tap, loss in trainer.train_step(ahead.batch(trainer.step)).items():
                    sums[tap] += loss
                count += 1
                now = time.monotonic() - begin
                trainer.seconds = before + now
                if trainer.step % self.log_every == 0:
                    self._log_losses({tap: loss / count for tap, loss in sums.items()},
                                     (trainer.step - first) / now)
                    sums, count = dict.fromkeys(network.TAPS, 0.0), 0
                if now >= next_evaluation:
                    self.evaluate()
                    next_evaluation = now + self.evaluate_seconds
                if now >= next_save:
                    self.save()
                    next_save = now + self.save_seconds
        finally:
            ahead.close()
        self.save()
        return trainer.step - first

    def _log_losses(self, losses, pace):
        trainer = self.trainer
        rate = rate_at(trainer.settings, trainer.step, trainer.seconds)
        self.log.write(step=trainer.step, seconds=round(trainer.seconds, 1), rate=rate,
                       losses=rounded(losses))
        print(f"step {trainer.step}  {trainer.seconds / 60:.1f} min  {pace:.2f} steps/s  rate "
              f"{rate:.1e}  {in_words(losses)}", flush=True)

    def finish(self):
        """Fits the maps Q and writes final.pt; the checkpoint keeps training's own."""
        trainer = self.trainer
        trained = {key: value.clone() for key, value in trainer.student.state_dict().items()}
        refit.refit(trainer.student, trainer.teacher, trainer.source, trainer.settings.refit_crops,
                    trainer.settings.crop, trainer.settings.batch, trainer.device)
        self.evaluate()
        checkpoint.save(self.folder / "final.pt", {**trainer.state(), "refitted": True})
        trainer.student.load_state_dict(trained)


def parse_layer_weights(words):
    """["relu4_2=2"] -> {"relu4_2": 2.0}."""
    weights = {tap: float(value) for tap, value in command.pairs_of(words).items()}
    for tap in weights:
        if tap not in network.TAPS:
            raise ValueError(f"a layer weight should be of {', '.join(network.TAPS)}, not '{tap}'")
    return weights


def parse(words):
    default = Settings()
    parser = command.parser(__doc__)
    data.add_inputs(parser)
    add = parser.add_argument
    add("--painted", nargs="+", default=[], metavar="FOLDER", help="pictures that limn painted")
    add("--out", required=True, type=pathlib.Path, metavar="FOLDER")
    add("--network", default=default.network, metavar="SPEC", help="see network.py")
    add("--taps", default=default.taps, help="e.g. relu5_1=5_2; see network.py")
    plan = parser.add_mutually_exclusive_group()
    plan.add_argument("--plan-steps", type=int, default=default.plan_steps)
    plan.add_argument("--plan-minutes", type=float, default=default.plan_minutes)
    add("--steps", type=int, default=math.inf, help="to do now")
    add("--minutes", type=float, default=math.inf, help="to train now")
    add("--rate", type=float, default=default.rate)
    add("--warm-up", type=int, default=default.warm_up, help="steps")
    add("--decay", choices=("cosine", "steps"), default=default.decay)
    add("--crop", type=int, default=default.crop, help="side in pixels, a multiple of 16")
    add("--batch", type=int, default=default.batch)
    add("--layer-weights", nargs="+", default=[], metavar="TAP=WEIGHT")
    add("--gram", type=float, default=default.gram, help="weight of Gram distances; 0 = none")
    add("--synthetic-share", type=float, default=default.synthetic_share)
    add("--painted-share", type=float, default=default.painted_share)
    add("--precision", choices=("float32", "bfloat16"))
    add("--seed", type=int, default=default.seed)
    add("--threads", type=int, help="of PyTorch on the CPU")
    add("--workers", type=int, default=1, help="threads that make crops")
    add("--memory-mb", type=int, default=4096, help="of decoded pictures to keep, per kind")
    add("--log-every", type=int, default=50, help="steps")
    add("--save-minutes", type=float, default=5.0)
    add("--evaluate-minutes", type=float, default=15.0)
    return parser.parse_args(words)


def settings_of(arguments, device):
    """Raises ValueError for what cannot be trained with."""
    names = {field.name for field in dataclasses.fields(Settings)}
    given = {key: value for key, value in vars(arguments).items() if key in names}
    given["layer_weights"] = parse_layer_weights(arguments.layer_weights)
    given["precision"] = arguments.precision or teachers.default_precision(device)
    settings = Settings(**given)
    for name in ("batch", "rate", "plan_minutes"):
        if not getattr(settings, name) > 0:
            raise ValueError(f"--{name.replace('_', '-')} should be above 0")
    if settings.crop < 32 or settings.crop % 16:
        raise ValueError("--crop should be a multiple of 16 from 32 on, so that every level halves "
                         "it evenly")
    if settings.synthetic_share + settings.painted_share > 1:
        raise ValueError("--synthetic-share and --painted-share should be at most 1 together")
    return settings


def prepare(arguments, device):
    """The run that the arguments ask for, begun or resumed."""
    settings = settings_of(arguments, device)
    levels = network.parse_spec(settings.network)
    places = network.parse_taps(settings.taps, levels)
    print(f"{settings.network}: {network.describe(levels, places)}")
    source = data.Source(
        data.Pictures(arguments.pictures, arguments.memory_mb, held_out=False),
        data.Pictures(arguments.painted, arguments.memory_mb, held_out=False),
        settings.synthetic_share, settings.painted_share, settings.seed)
    held_out = data.Pictures(arguments.pictures + arguments.painted, arguments.memory_mb,
                             held_out=True)
    print(f"training: {source.pictures.describe()}; painted: {source.painted.describe()}; held "
          f"out: {held_out.describe()}; {settings.precision} on {device}", flush=True)
    trainer = Trainer(settings, teachers.read(arguments.weights), source, held_out, device,
                      digest(arguments.weights))
    return Run(trainer, arguments.out, arguments.log_every, arguments.save_minutes,
               arguments.evaluate_minutes, arguments.workers)


def main():
    arguments = parse(sys.argv[1:])
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    run = prepare(arguments, device)

    def stop(*_):
        run.stop = True  # after the step under way, with a checkpoint

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    run.train(arguments.steps, arguments.minutes)
    if run.trainer.done() and not run.stop:
        # The checkpoint is written, so being stopped from here on loses nothing.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        print("fitting the maps Q", flush=True)
        run.finish()
        print(f"the plan is done: {run.folder / 'final.pt'}")
    else:
        run.evaluate()
        run.save()
        print(f"stopped at step {run.trainer.step}; the same command goes on from there")


if __name__ == "__main__":
    with command.errors_told():
        main()
