#!/usr/bin/python3
"""Measures what one loss and gradient costs limn and PyTorch, in time and in memory.

  compare_torch.py --limn build/limn --weights vgg19.h5 --photo photo.jpg --painting painting.jpg \\
      [--sizes 256,512,1024] [--rounds 5] [--evaluations 4] [--threads N] \\
      [--json OUT.json] [--markdown OUT.md]

The work is that of the recipe 'limn': VGG-19 down to its deepest loss layer, one content layer,
five Gram layers, backward to the picture, in float32. Both sides read the same three square PNGs of
the working size, so that neither resizes. Before anything is timed at a size, both must find the
same losses and the same length of gradient there.

Each round runs every side once, one after the other, each in a process of its own. A process
evaluates once to warm up and then --evaluations times for the record. The ratios are those of
neighbours in one round, so that a machine that slows down for a while slows both. The peak of
memory is that of the whole process, as the kernel counts it (ru_maxrss).

  limn     `limn paint` with a learning rate so small that the picture stays. The time between two
           records of its report is one loss and gradient, and also one (idle) step.
  PyTorch  the same network in plain PyTorch: oneDNN convolutions, targets computed beforehand,
           frozen weights, ReLU in place, no layer below the deepest in use. Twice: as it comes, and
           with malloc told to keep the memory it has (see SIDES).

Nothing is installed. Exit status: 0 measured, 1 the two sides disagree or one failed, 77 something
needed is not here or PyTorch's matrix products would run on the reference BLAS, 2 bad usage.
"""

import argparse
import datetime
import importlib.util
import json
import multiprocessing
import os
import pathlib
import platform
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
from kit.needs import SKIPPED

# PyTorch frees and takes its large buffers anew in each evaluation, and by default malloc gives
# them back to the kernel in between: about a tenth of the time goes into fresh pages. Told not to
# use mmap (a threshold cannot say so: glibc caps it at 32 MB, and the first layers' maps are
# larger), not to trim, and to grow by 256 MB, it keeps them. Tried at 512 x 512 with one thread, in
# processor seconds (PyTorch 1.13, AVX-512): as it comes 3.3, with memory kept 3.0; with memory kept
# and oneDNN's own layout 3.0, huge pages (GLIBC_TUNABLES) 3.3, channels-last layout 3.7.
KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 60),
               "MALLOC_TOP_PAD_": str(256 << 20), "MALLOC_ARENA_MAX": "1"}

# The sides in the order of a round: limn stands between the two, next to both. None: limn; else
# what PyTorch's environment has in addition.
TORCH, LIMN, TORCH_KEPT = "PyTorch", "limn", "PyTorch, memory kept"
SIDES = {TORCH: {}, LIMN: None, TORCH_KEPT: KEEP_MEMORY}

# Relative. A loss is a sum over many rounded values whose errors mostly cancel. In the gradient,
# rounding sends a few cells through another maximum or sign, and each is then wrong as a whole.
LOSS_LIMIT = 1e-4
GRADIENT_LIMIT = 5e-3
STILL_LIMIT = 1e-2  # how far limn's loss may drift in a run while its picture counts as still
TERMS = ("content", "style", "total_variation", "total")

# The forms of the recipe 'limn', which evaluation_of() states with mse_loss and gram().
EXPECTED_FORMS = {"network": {"name": "vgg19", "pooling": "max"}, "content": {"form": "mean"},
                  "style": {"gram": "per-position", "form": "mean"},
                  "total_variation": {"weight": 0.0}, "optimiser": {"space": "rgb"}}


class Skipped(Exception):
    """Something needed is not here; the text says what."""


class Failed(Exception):
    """A side failed, or the sides disagree."""


# ---------------------------------------------------------------------------- PyTorch's process --
#
# Only the worker process imports torch. The one that measures stays small: a child's ru_maxrss
# begins with the size of the process that started it.

def blas_in_use(torch):
    """The library or libraries that torch's matrix products run on."""
    torch.ones(64, 64) @ torch.ones(64, 64)
    mapped = {row.split()[-1] for row in open("/proc/self/maps") if row.count("/")}
    name = re.compile(r"/lib[^/]*(blas|mkl_|blis|flame|atlas|armpl)[^/]*$")
    found = sorted(path for path in mapped
                   if name.search(path) and not re.search(r"(numpy|scipy)\.libs/", path))
    built_in = re.search(r"BLAS_INFO=(\w+)", torch.__config__.show())
    if not found and built_in and built_in[1] != "generic":
        return f"{built_in[1]}, part of libtorch"
    fast = [path for path in found if "/blas/" not in path and
            not re.search(r"/libblas\.so|/liblapack|lapacke", path)]
    if not fast:
        raise Skipped("PyTorch's matrix products would run on the reference BLAS "
                      f"({', '.join(found) or 'no other is loaded'}), which is unfair to it; on "
                      "Debian, apt-get install libopenblas0-pthread")
    return ", ".join(fast)


def describe_torch(torch):
    """Versions and settings for the record."""
    config = torch.__config__.show()
    one_dnn = re.search(r"(?:MKL-DNN|oneDNN) v([\d.]+)", config)
    capability = re.search(r"CPU capability usage: (\S+)", config)
    return {"torch": torch.__version__, "blas": blas_in_use(torch),
            "onednn": one_dnn[1] if one_dnn else "?",
            "cpu_capability": capability[1] if capability else "?",
            "threads": torch.get_num_threads()}


def check_forms(recipe):
    for table, keys in EXPECTED_FORMS.items():
        for key, value in keys.items():
            if recipe[table][key] != value:
                raise Failed(f"this benchmark states {table}.{key} = {value} only, but the recipe "
                             f"has {recipe[table][key]}")
    taps = [*recipe["content"]["layers"], *recipe["style"]["layers"]]
    if not all(tap.startswith("relu") for tap in taps):
        raise Failed(f"ReLU runs in place here, so losses can read relu layers only, not {taps}")


class Vgg:
    """The rows of VGG-19 down to the deepest layer that a loss reads, with frozen weights."""

    def __init__(self, torch, vgg, job, taps):
        self.torch, self.vgg, self.taps = torch, vgg, set(taps)
        rows = vgg.rows_of(vgg.BLOCKS["vgg19"])
        deepest = max(i for i, (kind, row) in enumerate(rows)
                      if kind == "conv" and f"relu{row}" in self.taps)
        self.rows = rows[:deepest + 1]
        self.filters = self.read_filters(pathlib.Path(job["filters"]), job["weights"])

    def read_filters(self, kept, weights):
        """The filters of the rows: {row: (kernel, bias)}. The first worker, which is not measured,
        reads the .h5 file and keeps them in PyTorch's own format. So the copies that Keras's order
        of axes asks for are not part of anyone's peak."""
        if not kept.exists():
            filters = self.vgg.read_h5(weights)
            self.torch.save({row: tuple(self.torch.from_numpy(part) for part in filters[row])
                             for kind, row in self.rows if kind == "conv"}, kept)
        return self.torch.load(kept)

    def features(self, rgb):
        """The features (C, H, W) of the taps, for (3, H, W) RGB in 0..1."""
        F, found = self.torch.nn.functional, {}
        x = self.vgg.CAFFE.to_input(rgb)[None]
        for kind, row in self.rows:
            if kind == "pool":
                x = F.max_pool2d(x, 2)
                continue
            x = F.relu(F.conv2d(x, *self.filters[row], padding=1), inplace=True)
            if f"relu{row}" in self.taps:
                found[f"relu{row}"] = x[0]
        return found

    def flop(self, side, style_layers):
        """Floating-point operations of one evaluation at side x side pixels: {part: count}."""
        convolutions = grams = 0
        for kind, row in self.rows:
            if kind == "pool":
                side //= 2
                continue
            out, channels = self.filters[row][0].shape[:2]
            convolutions += 2 * 9 * channels * out * side**2
            if f"relu{row}" in style_layers:
                grams += 2 * out**2 * side**2
        return {"convolutions": 2 * convolutions, "grams": 2 * grams}


def evaluation_of(torch, equations, vgg, recipe, photo, painting, picture):
    """A function that computes the losses and leaves the gradient in picture.grad."""
    content, style = recipe["content"], recipe["style"]
    mse_loss, gram = torch.nn.functional.mse_loss, equations.GRAMS[style["gram"]]
    with torch.no_grad():
        features = vgg.features(photo)
        targets = {name: features[name] for name in content["layers"]}
        features = vgg.features(painting)
        grams = {name: gram(features[name]) for name in style["layers"]}
        del features

    def forward():
        f = vgg.features(picture)
        return {
            "content": content["weight"] * sum(
                weight * mse_loss(f[name], targets[name])
                for name, weight in content["layers"].items()),
            "style": style["weight"] * sum(
                weight * mse_loss(gram(f[name]), grams[name])
                for name, weight in style["layers"].items())}

    def evaluate():
        picture.grad = None
        losses = forward()
        losses["total"] = losses["content"] + losses["style"]
        losses["total"].backward()
        return {name: loss.detach() for name, loss in losses.items()}

    return evaluate


def read_picture(torch, path):
    """(3, H, W) RGB in 0..1."""
    import numpy as np
    from PIL import Image
    bytes_of = np.asarray(Image.open(path).convert("RGB"))
    return torch.from_numpy(bytes_of.transpose(2, 0, 1).astype(np.float32) / np.float32(255))


def run_worker(job):
    """Does the PyTorch side of one run. Returns what goes into its result file."""
    import torch
    from kit import equations
    from kit import vgg as published
    if not torch.backends.mkldnn.is_available():
        raise Skipped("this PyTorch has no oneDNN (MKL-DNN), which is unfair to it")
    torch.set_num_threads(job["threads"])
    recipe = job["recipe"]
    check_forms(recipe)
    taps = [*recipe["content"]["layers"], *recipe["style"]["layers"]]
    vgg = Vgg(torch, published, job, taps)
    photo, painting, picture = (read_picture(torch, path) for path in job["pictures"])
    side = picture.shape[-1]
    loaded = resident_bytes()

    with torch.backends.mkldnn.flags(enabled=True):
        evaluate = evaluation_of(torch, equations, vgg, recipe, photo, painting,
                                 picture.requires_grad_(True))
        losses, seconds = evaluate(), []
        for _ in range(job["evaluations"]):
            start = time.perf_counter()
            evaluate()
            seconds.append(time.perf_counter() - start)
    return {"seconds": seconds, "loaded_bytes": loaded,
            "losses": {"total_variation": 0.0,
                       **{name: float(loss) for name, loss in losses.items()}},
            "gradient_norm": float(picture.grad.double().norm()),
            "flop": vgg.flop(side, recipe["style"]["layers"]), "versions": describe_torch(torch)}


def resident_bytes():
    """What this process has in memory now."""
    return 1024 * int(read_field("/proc/self/status", "VmRSS").split()[0])


def worker_main(job_file):
    """What `compare_torch.py --worker JOB.json` does: the job's result goes to job["result"]."""
    job = json.loads(pathlib.Path(job_file).read_text())
    try:
        result = run_worker(job)
    except Skipped as reason:
        print(reason)
        return SKIPPED
    pathlib.Path(job["result"]).write_text(json.dumps(result))
    return 0


# --------------------------------------------------------------------------- running both sides --

@dataclass
class Run:
    """What one process did. seconds: one per evaluation, without the first. extra: what only its
    side tells."""
    seconds: list
    losses: dict
    peak_bytes: int
    extra: dict

    def median(self):
        return statistics.median(self.seconds)


def run_process(command, environment=None):
    """Runs to the end and returns (peak of resident memory in bytes, output)."""
    command = [str(part) for part in command]
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT,
                                   stdin=subprocess.DEVNULL, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().strip()
    if process.returncode == SKIPPED:
        raise Skipped(text)
    if process.returncode != 0:
        raise Failed(f"{' '.join(command)}\nended with status {process.returncode}:\n{text}")
    return 1024 * usage.ru_maxrss, text


def clean_environment(threads, more=None):
    """This process's environment without settings of malloc and preloaded libraries, with the
    number of threads for all that reads it there, and `more`."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("MALLOC_") and name not in ("GLIBC_TUNABLES", "LD_PRELOAD")}
    counts = {name: str(threads) for name in
              ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    return {**kept, **counts, **(more or {})}


def run_limn(options, folder, evaluations):
    """`evaluations` timed evaluations of folder/picture.png by limn."""
    report_file = folder / "limn.json"
    peak, _ = run_process(
        [options.limn, "paint", folder / "photo.png", folder / "painting.png", "--recipe", "gram",
         "--init", folder / "picture.png", "--weights", options.weights, "--size", "0",
         "--optimiser", "sgd", "--learning-rate", "1e-12", "--iterations", evaluations,
         "--threads", options.threads, "--quiet", "--report", report_file,
         "-o", folder / "limn.png"], clean_environment(options.threads))
    report = json.loads(report_file.read_text())
    history = report["history"]
    first, last = history[0], history[-1]
    if len(history) != evaluations + 1 or report["rejected_steps"] != 0:
        raise Failed(f"limn made {len(history) - 1} iterations of {evaluations} and took "
                     f"{report['rejected_steps']} back: its records are not one evaluation each")
    if not relative_error(last["total"], first["total"]) <= STILL_LIMIT:
        raise Failed(f"limn's picture moved: its loss was {first['total']}, then {last['total']}")
    return Run(seconds=[b["seconds"] - a["seconds"] for a, b in zip(history, history[1:])],
               losses={term: first[term] for term in TERMS}, peak_bytes=peak,
               extra={"recipe": report["recipe"], "instruction_set": report["instruction_set"],
                      "width": report["width"], "height": report["height"]})


def run_torch(options, folder, evaluations, recipe, environment):
    """`evaluations` timed evaluations of folder/picture.png by PyTorch."""
    job_file, result_file = folder / "torch_job.json", folder / "torch.json"
    job_file.write_text(json.dumps({
        "weights": options.weights, "recipe": recipe, "threads": options.threads,
        "evaluations": evaluations, "result": str(result_file),
        "filters": str(folder / "filters.pt"),
        "pictures": [str(folder / f"{name}.png") for name in PICTURES]}))
    peak, _ = run_process([sys.executable, __file__, "--worker", job_file],
                          clean_environment(options.threads, environment))
    result = json.loads(result_file.read_text())
    return Run(seconds=result.pop("seconds"), losses=result.pop("losses"), peak_bytes=peak,
               extra=result)


# ------------------------------------------------------------------------------------- pictures --

PICTURES = ("photo", "painting", "picture")


def draw_pictures(options, side, folder):
    """Writes the three PNGs of side x side pixels: the middle square of photo and painting, and a
    mixture of both with noise, like no picture that a loss could vanish at."""
    from PIL import Image, ImageOps
    photo, painting = (
        ImageOps.fit(Image.open(path).convert("RGB"), (side, side), Image.LANCZOS)
        for path in (options.photo, options.painting))
    noise = Image.frombytes("RGB", (side, side), random.Random(7).randbytes(3 * side * side))
    picture = Image.blend(Image.blend(photo, painting, 0.4), noise, 0.15)
    for name, image in zip(PICTURES, (photo, painting, picture)):
        image.save(folder / f"{name}.png", compress_level=1)


def make_pictures(options, side, folder):
    """draw_pictures in a process of its own, which keeps this one small."""
    def draw():
        try:
            draw_pictures(options, side, folder)
        except (OSError, ValueError) as error:
            sys.exit(f"error: {error}")
    process = multiprocessing.get_context("fork").Process(target=draw)
    process.start()
    process.join()
    if process.exitcode != 0:
        raise Failed(f"no pictures of {side} x {side} pixels could be made of {options.photo} and "
                     f"{options.painting}")


# ------------------------------------------------------------------------------------ agreement --

def relative_error(value, reference):
    """|value - reference| / |reference|; against 0, 0 for 0 and infinite for anything else."""
    if reference == 0:
        return 0.0 if value == 0 else float("inf")
    return abs(value - reference) / abs(reference)


def check_losses(limn, torch):
    """The largest relative error of any term; Failed if one is beyond its limit."""
    errors = {term: relative_error(limn.losses[term], torch.losses[term]) for term in TERMS}
    for term, error in errors.items():
        if not error <= LOSS_LIMIT:
            raise Failed(f"the sides disagree on the {term} loss: limn {limn.losses[term]:.9g}, "
                         f"PyTorch {torch.losses[term]:.9g}, {error:.1e} apart; allowed "
                         f"{LOSS_LIMIT:.0e}")
    return max(errors.values())


def verify(options, folder):
    """Both sides must find the same losses and length of gradient. Returns (the recipe as limn
    reports it, PyTorch's Run, errors)."""
    limn = run_limn(options, folder, 1)
    recipe = limn.extra["recipe"]
    torch = run_torch(options, folder, 0, recipe, {})
    _, text = run_process(
        [options.limn, "evaluate", *(folder / f"{name}.png" for name in PICTURES), "--json",
         "--recipe", "gram", "--weights", options.weights, "--threads", options.threads],
        clean_environment(options.threads))
    errors = {"losses": check_losses(limn, torch),
              "gradient_norm": relative_error(json.loads(text)["gradient_norm"],
                                              torch.extra["gradient_norm"])}
    if not errors["gradient_norm"] <= GRADIENT_LIMIT:
        raise Failed(f"the sides disagree on the gradient's length: {errors['gradient_norm']:.1e} "
                     f"apart; allowed {GRADIENT_LIMIT:.0e}")
    return recipe, torch, errors


# ------------------------------------------------------------------------------------ measuring --

def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def summary_of(runs, gflop):
    """What the tables say about a size. runs: {side: [Run of each round]}."""
    summary = {}
    for side, rounds in runs.items():
        seconds = spread([second for run in rounds for second in run.seconds])
        entry = {"seconds": seconds, "peak_bytes": max(run.peak_bytes for run in rounds),
                 "gflop_per_second": gflop / seconds["median"]}
        if side != LIMN:
            pairs = list(zip(rounds, runs[LIMN]))
            entry["time_ratio"] = spread([torch.median() / limn.median() for torch, limn in pairs])
            entry["memory_ratio"] = spread([torch.peak_bytes / limn.peak_bytes
                                            for torch, limn in pairs])
        summary[side] = entry
    return summary


def measure_size(options, size, folder):
    """Verifies, then times one size. Returns its entry of the JSON."""
    make_pictures(options, size, folder)
    recipe, verified, errors = verify(options, folder)
    print(f"\n{size} x {size}: the sides agree (losses within {errors['losses']:.0e}, the "
          f"gradient's length within {errors['gradient_norm']:.0e})", flush=True)
    gflop = sum(verified.extra["flop"].values()) / 1e9
    runs = {side: [] for side in SIDES}
    for number in range(1, options.rounds + 1):
        for side, environment in SIDES.items():
            run = (run_limn(options, folder, options.evaluations) if side == LIMN else
                   run_torch(options, folder, options.evaluations, recipe, environment))
            runs[side].append(run)
            print(f"  round {number}  {side:22}{run.median():9.3f} s{megabytes(run):8,.0f} MB",
                  flush=True)
        for side in (TORCH, TORCH_KEPT):
            check_losses(runs[LIMN][-1], runs[side][-1])
    return {"size": size, "errors": errors, "gflop": gflop, "flop": verified.extra["flop"],
            "recipe": recipe, "versions": {**verified.extra["versions"], "instruction_set":
                                           runs[LIMN][0].extra["instruction_set"]},
            "torch_loaded_bytes": runs[TORCH][0].extra["loaded_bytes"],
            "summary": summary_of(runs, gflop),
            "runs": {side: [{"seconds": run.seconds, "peak_bytes": run.peak_bytes,
                             "losses": run.losses} for run in rounds]
                     for side, rounds in runs.items()}}


def megabytes(run):
    return run.peak_bytes / 1e6


# -------------------------------------------------------------------------------------- reports --

def read_field(file, name):
    """The value after `name :` in a file like /proc/cpuinfo."""
    found = re.search(rf"^{name}\s*:\s*(.+)$", pathlib.Path(file).read_text(), re.MULTILINE)
    return found[1].strip() if found else "unknown"


def describe_machine(options):
    """What the numbers were measured on, and when."""
    _, version = run_process([options.limn, "--version"])
    memory = read_field("/proc/meminfo", "MemTotal").split()[0]
    return {"cpu": read_field("/proc/cpuinfo", "model name"),
            "cores": len(os.sched_getaffinity(0)),
            "memory_bytes": 1024 * int(memory) if memory.isdigit() else None,
            "kernel": f"{platform.system()} {platform.release()}",
            "python": platform.python_version(), "limn": version.removeprefix("limn "),
            "threads": options.threads, "load_before": round(os.getloadavg()[0], 2),
            "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")}


def machine_text(machine):
    memory = f"{machine['memory_bytes'] / 1e9:.0f} GB" if machine["memory_bytes"] else "? memory"
    return (f"{machine['cpu']}, {machine['cores']} cores, {memory}, {machine['kernel']}; "
            f"{machine['threads']} threads; {machine['date']}")


def warn_if_busy(machine):
    if machine["load_before"] > 0.3:
        print(f"note: the load average was {machine['load_before']} before this began: something "
              "else runs here. Seconds and ratios will be wrong: sharing a core costs the two "
              "sides differently")


def range_text(values, form):
    return "{} ({}..{})".format(*(format(values[key], form) for key in ("median", "min", "max")))


def table_rows(entry):
    """Rows of a size for both tables: side, seconds, ratio, memory, ratio, GFLOP/s."""
    for side, summary in entry["summary"].items():
        ratios = ["1", "1"] if side == LIMN else [range_text(summary["time_ratio"], ".2f"),
                                                  f"{summary['memory_ratio']['median']:.2f}"]
        yield [side, range_text(summary["seconds"], ".3f"), ratios[0],
               f"{summary['peak_bytes'] / 1e6:,.0f}", ratios[1],
               f"{summary['gflop_per_second']:.0f}"]


HEADINGS = ["", "seconds", "over limn's", "peak MB", "over limn's", "GFLOP/s"]


def print_table(entries):
    widths = (22, 24, 20, 9, 12, 9)
    row_text = lambda row: "  ".join(f"{cell:<{width}}" if i == 0 else f"{cell:>{width}}"
                                     for i, (cell, width) in enumerate(zip(row, widths))).rstrip()
    for entry in entries:
        title = f"{entry['size']} x {entry['size']}, {entry['gflop']:.0f} GFLOP"
        print("\n" + row_text([title, *HEADINGS[1:]]))
        for row in table_rows(entry):
            print(row_text(row))


def notes(result):
    """What a reader must know to judge the tables: a list of sentences."""
    options, versions = result["settings"], result["sizes"][0]["versions"]
    loaded = max(entry["torch_loaded_bytes"] for entry in result["sizes"]) / 1e6
    return [
        f"{machine_text(result['machine'])}.",
        f"limn {result['machine']['limn']} on {versions['instruction_set']}. PyTorch "
        f"{versions['torch']} ({versions['cpu_capability']} by its own account), oneDNN "
        f"{versions['onednn']} (which looks for itself), {versions['threads']} threads, BLAS "
        f"{versions['blas']}.",
        f"{options['rounds']} rounds, interleaved, each side in a fresh process with one "
        f"evaluation to warm up and {options['evaluations']} timed. Seconds: median (least..most) "
        "of all timed evaluations. Ratios: of medians, pair by pair within a round; median "
        "(least..most) over rounds.",
        "Memory: the peak of the whole process, weights and program included, the largest of all "
        f"rounds. Of PyTorch's, Python, PyTorch and the weights alone take {loaded:,.0f} MB.",
        "GFLOP: direct convolutions, 2 * 9 * in * out for each output position, once forward and "
        "once backward to the picture, and each Gram layer's two products, 2 * C^2 for each "
        "position. A method that needs fewer operations for the same result (Winograd's, a "
        "symmetric product) shows as more GFLOP/s.",
        "Memory kept: " + ", ".join(f"{name}={value}" for name, value in KEEP_MEMORY.items())
        + "."]


def markdown(result):
    """The result as a fragment for docs/speed.md."""
    lines = ["| size | " + " | ".join(HEADINGS) + " |", "|---:|---" + "|---:" * 5 + "|"]
    for entry in result["sizes"]:
        for i, row in enumerate(table_rows(entry)):
            size = f"{entry['size']}, {entry['gflop']:.0f} GFLOP" if i == 0 else ""
            lines.append(f"| {size} | " + " | ".join(row) + " |")
    return "\n".join([*lines, "", *(f"- {note}" for note in notes(result)), ""])


# ----------------------------------------------------------------------------------------- main --

def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def side_length(text):
    value = int(text)
    if value < 32:
        raise argparse.ArgumentTypeError("sizes must be at least 32")
    return value


def list_of(parse):
    """A parser of comma-separated values."""
    def parse_list(text):
        return [parse(part) for part in text.split(",")]
    parse_list.__name__ = "list"
    return parse_list


def add_inputs(parser):
    """The flags that every benchmark here has."""
    parser.add_argument("--limn", metavar="PROGRAM", required=True, help="build/limn")
    parser.add_argument("--weights", metavar="FILE", required=True, help="VGG-19, Keras .h5")
    parser.add_argument("--photo", metavar="FILE", required=True)
    parser.add_argument("--painting", metavar="FILE", required=True)
    parser.add_argument("--evaluations", type=positive, default=4, metavar="N",
                        help="timed in each process (4)")
    parser.add_argument("--threads", type=positive, metavar="N",
                        help="of each side (one for each core)")
    parser.add_argument("--json", metavar="OUT", help="write everything measured")


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    add_inputs(parser)
    parser.add_argument("--sizes", type=list_of(side_length), default=[256, 512, 1024],
                        metavar="S,...", help="sides of the square pictures (256,512,1024)")
    parser.add_argument("--rounds", type=positive, default=5, metavar="N", help="(5)")
    parser.add_argument("--markdown", metavar="OUT", help="write a fragment for docs/speed.md")
    return prepared(parser.parse_args())


def prepared(options):
    options.threads = options.threads or len(os.sched_getaffinity(0))
    options.limn = os.path.abspath(options.limn)
    return options


def check_inputs(options, modules):
    """Skipped if a file or a Python module is not here. Modules are looked for, not imported."""
    for name in ("limn", "weights", "photo", "painting"):
        if not os.path.isfile(getattr(options, name)):
            raise Skipped(f"there is no file {getattr(options, name)} (--{name})")
    for module, package in modules.items():
        if importlib.util.find_spec(module) is None:
            raise Skipped(f"the Python module {module} is not installed (Debian: {package})")


def write_json(path, result):
    pathlib.Path(path).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def compare(options):
    check_inputs(options, {"PIL": "python3-pil", "numpy": "python3-numpy", "h5py": "python3-h5py",
                           "torch": "python3-torch"})
    result = {"machine": describe_machine(options),
              "settings": {"rounds": options.rounds, "evaluations": options.evaluations,
                           "photo": options.photo, "painting": options.painting,
                           "weights": options.weights, "memory_kept": KEEP_MEMORY},
              "sizes": []}
    print(machine_text(result["machine"]))
    warn_if_busy(result["machine"])
    with tempfile.TemporaryDirectory() as folder:
        for size in options.sizes:
            result["sizes"].append(measure_size(options, size, pathlib.Path(folder)))
    print_table(result["sizes"])
    print("\n" + "\n".join(notes(result)))
    if options.json:
        write_json(options.json, result)
    if options.markdown:
        pathlib.Path(options.markdown).write_text(markdown(result), encoding="utf-8")


def run_benchmark(benchmark, options):
    """Runs it and returns the exit status."""
    try:
        benchmark(options)
    except Skipped as reason:
        print(f"skipped: {reason}")
        return SKIPPED
    except Failed as reason:
        print(f"error: {reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        sys.exit(worker_main(sys.argv[2]))
    sys.exit(run_benchmark(compare, parse_options()))
