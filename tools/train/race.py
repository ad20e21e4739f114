#!/usr/bin/python3
"""Trains several students side by side on a GPU, on the same crops, and keeps the best.

  race.py --weights vgg19.h5 --pictures FOLDER... --out RUN --minutes 9 --survey-minutes 2 \\
      --student 'a 16x2/32x2/64x3/160x3/256' --student 'b 16x2/32x2/96,96/160x2/256 gram=0.1'

What train.py does for one student on a processor, for a GPU whose time is short: crops are made on
the GPU (device_crops.py), the teacher sees each of them once for all students, a step is one CUDA
graph, and students paint pictures that all are trained on (painting.py). After the survey the
student that paints best, as VGG-19 judges, goes on alone until the time is over. A student is
NAME SPEC [gram=WEIGHT] [rate=RATE] [TAP=PLACE...], spec and taps as in network.py.

RUN gets log.jsonl and, for each student, NAME.pt of the last stage that it saw: a final.pt as
train.py writes it, maps Q fitted in closed form, for evaluate.py and export.py.
"""

import copy
import fnmatch
import json
import math
import os
import pathlib
import sys
import time

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))
import numpy as np
import torch
from PIL import Image

from kit import command, images, sheet
from kit.pairs import digest
import checkpoint
import data
import device_crops
import evaluate
import network
import painting
import refit
import teacher as teachers
from racer import Entry, Racer, Stepper
from trainer import Settings, cosine_fall

LAST_RATE = 0.01  # of the highest
WARM_UP = 200  # steps
LOOK_EVERY = 25  # steps between looks at the clock, which wait for the device


class Race:
    def __init__(self, arguments, teacher, source, held_out, device, teacher_sha256):
        self.arguments, self.teacher, self.source = arguments, teacher, source
        self.held_out, self.device, self.teacher_sha256 = held_out, device, teacher_sha256
        self.half = device != "cpu"
        self.racers = [Racer(entry, teacher, device, arguments.seed) for entry in arguments.student]
        self.easel = painting.Easel(source, arguments.edge, arguments.paint_count,
                                    arguments.paint_steps, arguments.paint_keep, arguments.seed,
                                    self.half)
        self.judged = None  # (photos, paintings) of the judge
        self.begin, self.steps = time.monotonic(), 0
        self.log_path = arguments.out / "log.jsonl"

    def seconds(self):
        """Since the race began; every plan here is made of them."""
        return time.monotonic() - self.begin

    def log(self, **entry):
        entry = {"step": self.steps, "seconds": round(self.seconds(), 1), **entry}
        with open(self.log_path, "a") as file:
            file.write(json.dumps(entry) + "\n")
        print(json.dumps(entry), flush=True)

    def calibrate(self):
        for racer in self.racers:
            refit.calibrate(racer.student, self.teacher, self.source, 4 * self.arguments.batch,
                            self.arguments.crop, self.arguments.batch, self.device)
            racer.average.load_state_dict(racer.student.state_dict())

    def _batch(self, step, larger=1):
        """Of as many pixels, however large the crops are."""
        count = max(1, round(self.arguments.batch / larger**2))
        return self.source.batch(step, count, round(larger * self.arguments.crop))

    # ---- stages

    def run(self, racers, until, plan_end, larger=1):
        """Trains these racers until so many seconds, on crops so many times as large; the rate
        falls towards plan_end."""
        make = lambda: self._batch(self.steps, larger)
        count, _, side, _ = make().shape
        stepper = Stepper(self.teacher, racers, count, side, self.device, self.half)
        if self.device != "cpu":
            stepper.capture([make() for _ in range(3)])
            self.steps += 3
        painted_at, logged_at, logged_step = self.seconds(), self.seconds(), self.steps
        while self.seconds() < until:
            falling = cosine_fall(min(1.0, self.seconds() / plan_end), LAST_RATE)
            for racer in racers:
                racer.set_rate(racer.entry.rate * falling * min(1.0, (self.steps + 1) / WARM_UP))
            for _ in range(LOOK_EVERY):
                stepper.step(make())
                self.steps += 1
            if self.device != "cpu":
                torch.cuda.synchronize()
            now = self.seconds()
            if now > self.arguments.paint_from and now - painted_at > self.arguments.paint_every:
                racer = racers[self.easel.rounds % len(racers)]
                self.easel.paint(painting.StudentFeatures(racer.student))
                painted_at = self.seconds()
            if now - logged_at > self.arguments.log_every:
                self._log_losses(racers, logged_step, logged_at)
                logged_at, logged_step = now, self.steps

    def _log_losses(self, racers, since_step, since):
        count = self.steps - since_step
        losses = {}
        for racer in racers:
            means = (racer.sums / count).tolist()
            racer.sums.zero_()
            losses[racer.entry.name] = {tap: round(mean, 4)
                                        for tap, mean in zip(network.TAPS, means)}
            if not all(map(math.isfinite, means)):
                raise ArithmeticError(f"{racer.entry.name}: the losses are not finite: {means}")
        pace = count / (self.seconds() - since)
        memory = torch.cuda.max_memory_allocated() / 2**30 if self.device != "cpu" else 0
        self.log(steps_per_second=round(pace, 2), painted=self.source.painted.filled,
                 gib=round(memory, 1), losses=losses)

    def finish(self, racer):
        """Fits Q, judges, writes NAME.pt. Returns what the judge says of style."""
        student = copy.deepcopy(racer.average)
        count = self.arguments.batch
        refit.refit(student, self.teacher, self.source, self.arguments.refit_batches * count,
                    self.arguments.crop, count, self.device)
        errors = evaluate.imitation_errors(student, self.teacher, self.held_out, self.device)
        figures = self._judge(painting.StudentFeatures(student))
        self.log(student=racer.entry.name, held_out={k: round(v, 4) for k, v in errors.items()},
                 judged={k: round(v, 4) for k, v in figures.items()})
        settings = Settings(network=racer.entry.spec, taps=racer.entry.taps,
                            rate=racer.entry.rate, gram=racer.entry.gram,
                            crop=self.arguments.crop, batch=self.arguments.batch,
                            synthetic_share=self.source.synthetic_share,
                            painted_share=self.source.painted_share, seed=self.arguments.seed,
                            precision="bfloat16" if self.half else "float32")
        checkpoint.save(self.arguments.out / f"{racer.entry.name}.pt", {
            "network": racer.entry.spec, "taps": racer.entry.taps, "settings": vars(settings),
            "step": self.steps, "seconds": self.seconds(),
            "student": {key: value.cpu() for key, value in student.state_dict().items()},
            "held_out": errors, "judged": figures, "teacher_channels": self.teacher.channels,
            "teacher_sha256": self.teacher_sha256, "refitted": True})
        return figures["style"]

    def _judge(self, network_features):
        photos, paintings = self.judged
        painted = painting.paint(network_features, photos, paintings, self.arguments.judge_steps)
        if self.arguments.pictures_too:
            save_pictures(self.arguments.out, f"painted-{self.steps}", painted[-1])
        return painting.judge(self.teacher, painted[-1], photos, paintings)

    def whole(self):
        """Survey and stages, from the first step to the last."""
        arguments, self.begin = self.arguments, time.monotonic()
        self.calibrate()
        self.log(calibrated=True)
        if arguments.judge_teacher:
            self.log(judged_teacher=self._judge(painting.TeacherFeatures(self.teacher)))
        end, survey = 60 * arguments.minutes, 60 * arguments.survey_minutes
        racers = self.racers
        if len(racers) > 1 and survey:
            self.run(racers, survey, end)
            styles = [self.finish(racer) for racer in racers]
            racers = [racers[min(range(len(racers)), key=lambda i: styles[i])]]
            self.log(goes_on=racers[0].entry.name)
            self.racers = racers  # the others' memory is free again
        # Small crops are all edge to the deep layers; their end is on larger ones.
        middle = survey + (end - survey) * arguments.small_share
        stages = [(survey + (middle - survey) / 2, 1), (middle, 1), ((middle + end) / 2, 4 / 3),
                  (end, 4 / 3)]
        for until, larger in stages:
            self.run(racers, until, end, larger)
            for racer in racers:
                self.finish(racer)
            if self.seconds() >= end:
                break


def save_pictures(folder, name, pictures):
    """As one PNG, in rows of five."""
    cells = [("", "", Image.fromarray(picture)) for picture in
             pictures.clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()]
    sheet.compose([cells[i:i + 5] for i in range(0, len(cells), 5)], pictures.shape[3],
                  folder / f"{name}.png")


# --------------------------------------------------------------------------------- the program --

def judged_pictures(photos, paintings, size, device):
    """Every photo with every painting, at the first photo's shape."""
    def read(path, shape=None):
        image = images.read(path)
        if shape is None:
            scale = size / max(image.size)
            shape = [max(16, round(side * scale / 16) * 16) for side in image.size]
        return np.asarray(image.resize(shape, Image.LANCZOS)), shape

    _, shape = read(photos[0])
    pairs = [(photo, art) for photo in photos for art in paintings]
    return tuple(data.as_batch([read(path, shape)[0] for path in kind]).float().to(device)
                 for kind in zip(*pairs))


def prepare(arguments, device):
    training = data.Pictures(arguments.pictures, held_out=False)
    if not len(training):
        raise ValueError("there is no picture to train on")
    decoded = [training.kept[i] for i in sorted(training.kept)]
    made = device_crops.synthetic_pictures(arguments.seed, arguments.synthetic_count,
                                           arguments.edge, decoded, arguments.processes)
    teacher = teachers.prepared(teachers.read(arguments.weights),
                                "bfloat16" if device != "cpu" else "float32", device)
    pictures = device_crops.Atlas(decoded, device)
    styles = [training.kept[i] for i in sorted(training.kept)
              if fnmatch.fnmatch(training.paths[i].name, arguments.styles)]
    styles = device_crops.Atlas(styles, device) if styles else pictures
    source = device_crops.DeviceSource(
        pictures, styles, device_crops.Atlas(made, device),
        device_crops.PaintedPool(arguments.pool, arguments.edge, device),
        arguments.synthetic_share, arguments.painted_share, arguments.seed)
    unseen = data.Pictures(arguments.pictures, held_out=True)
    held_out = [data.evaluation_batch(unseen, step, 8, 256) for step in range(4)] \
        if len(unseen) else []
    race = Race(arguments, teacher, source, held_out, device, digest(arguments.weights))
    race.judged = judged_pictures(arguments.judge_photos, arguments.judge_paintings,
                                  arguments.judge_size, device)
    return race


def parse(words):
    parser = command.parser(__doc__)
    data.add_inputs(parser)
    add = parser.add_argument
    add("--styles", default="*", metavar="PATTERN", help="names of the pictures to paint like")
    add("--out", required=True, type=pathlib.Path, metavar="FOLDER")
    add("--student", action="append", required=True, metavar="'NAME SPEC ...'")
    add("--minutes", type=float, required=True, help="in all, from the first step on")
    add("--survey-minutes", type=float, default=0.0, help="after which the best goes on alone")
    add("--judge-photos", nargs="+", required=True, metavar="FILE")
    add("--judge-paintings", nargs="+", required=True, metavar="FILE")
    add("--judge-size", type=int, default=256)
    add("--judge-steps", type=int, default=150)
    add("--judge-teacher", action="store_true", help="VGG-19 itself too, to compare with")
    add("--pictures-too", action="store_true", help="keep what the judge was shown")
    add("--crop", type=int, default=192, help="side in pixels, a multiple of 48")
    add("--small-share", type=float, default=0.5, help="of the time; then crops are a third larger")
    add("--batch", type=int, default=64)
    add("--edge", type=int, default=256, help="side of synthetic and painted pictures")
    add("--synthetic-count", type=int, default=2000)
    add("--synthetic-share", type=float, default=0.2)
    add("--painted-share", type=float, default=0.3)
    add("--pool", type=int, default=3072, help="painted pictures to keep")
    add("--paint-from", type=float, default=15.0, help="seconds")
    add("--paint-every", type=float, default=10.0, help="seconds")
    add("--paint-count", type=int, default=64)
    add("--paint-steps", type=int, default=80)
    add("--paint-keep", type=int, nargs="*", default=[12, 35])
    add("--refit-batches", type=int, default=64)
    add("--log-every", type=float, default=10.0, help="seconds")
    add("--processes", type=int, default=max(1, (os.cpu_count() or 1) - 1))
    add("--seed", type=int, default=1)
    arguments = parser.parse_args(words)
    arguments.student = [Entry.parse(text) for text in arguments.student]
    return arguments


def main():
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device != "cpu":
        torch.backends.cudnn.benchmark = True
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True
    arguments = parse(sys.argv[1:])
    arguments.out.mkdir(parents=True, exist_ok=True)
    prepare(arguments, device).whole()


if __name__ == "__main__":
    with command.errors_told():
        main()
