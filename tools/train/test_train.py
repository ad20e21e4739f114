#!/usr/bin/python3
"""Tests of the training tools; they need no pictures and no weights, and take under a minute.

Exit status 77, as ctest's "skipped", where PyTorch or Pillow is absent.
"""

import json
import math
import pathlib
import sys
import unittest

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))
from kit import needs

needs.modules("numpy", "torch", "PIL")
import numpy as np
import torch
from PIL import Image

from kit import trying, vgg
import checkpoint
import data
import evaluate
import export
import network
import refit
import synthetic
import teacher as teachers
import train
import trainer as trainers

SPEC = "16x2/16/32/32x2/32"
TEACHER_WIDTH = 16  # channels: 16, 32, 64, 128, 128; at least the student's, as folding asks for


def settings(**changes):
    return trainers.Settings(**{
        "network": SPEC, "taps": "", "plan_steps": 12, "crop": 32, "batch": 2, "warm_up": 3,
        "calibration_crops": 4, "refit_crops": 16, **changes})


def teacher():
    return teachers.narrow(7, TEACHER_WIDTH)


def no_pictures():
    return data.Pictures([])


def trainer(**changes):
    chosen = settings(**changes)
    return trainers.Trainer(chosen, teacher(), data.Source(no_pictures(), seed=chosen.seed),
                         no_pictures())


class TemporaryFolder(trying.InFolder):
    def write_pictures(self, count, side=48):
        draw = np.random.default_rng(0)
        for i in range(count):
            pixels = synthetic.noise(draw, side).astype(np.uint8)
            Image.fromarray(pixels).save(self.folder / f"picture{i}.png")
        return self.folder


class Network(unittest.TestCase):
    def test_specs(self):
        self.assertEqual(network.parse_spec("16x2/32,48/64/64/64"),
                         [[16, 16], [32, 48], [64], [64], [64]])
        for wrong in ("16", "16/32/64/64/20", "16/32/64/64/a", "16/32/64/64/", "16/32/64/64/1024",
                      "16x9/32/64/64/64", "16/32/64/64/64/64"):
            with self.assertRaises(ValueError, msg=wrong):
                network.parse_spec(wrong)

    def test_taps(self):
        levels = network.parse_spec(network.DEFAULT_SPEC)
        self.assertEqual(network.parse_taps("", levels)["relu4_2"], "4_2")
        self.assertEqual(network.parse_taps("relu4_2=4_3", levels)["relu4_2"], "4_3")
        for wrong in ("relu4_2=4_4", "relu9_1=1_1", "relu4_2"):
            with self.assertRaises(ValueError, msg=wrong):
                network.parse_taps(wrong, levels)
        with self.assertRaises(ValueError):  # no conv4_2
            network.parse_taps("", network.parse_spec("16/16/16/16/16"))

    def test_default_is_small(self):
        levels = network.parse_spec(network.DEFAULT_SPEC)
        gflop, _, weights, maps = network.cost(levels, network.parse_taps("", levels))
        self.assertLess(gflop, 189.1 / 14)
        self.assertLess(weights + maps, 2_000_000)

    def test_cost_counts_the_students_weights(self):
        levels = network.parse_spec(SPEC)
        student = trainer().student
        self.assertEqual(sum(p.numel() for p in student.convs.parameters()),
                         network.cost(levels, {})[2])

    def test_teacher_in_half_precision(self):
        x = network.to_input(torch.rand(1, 3, 32, 32) * 255)
        whole, half = teacher()(x), teachers.prepared(teacher(), "bfloat16")(x)
        for tap in network.TAPS:
            self.assertEqual(half[tap].dtype, torch.bfloat16)
            distance = (half[tap].float() - whole[tap]).norm() / whole[tap].norm()
            self.assertLess(float(distance), 0.03, tap)

    def test_tap_is_where_it_is_said(self):
        levels = network.parse_spec("16/16/16/16x2/16x2")
        places = network.parse_taps("relu5_1=5_2", levels)
        student = network.Student(levels, places, teacher().channels)
        x = network.to_input(torch.rand(1, 3, 32, 48) * 255)
        found = student(x)
        self.assertEqual(list(found), list(network.TAPS))
        self.assertEqual(found["relu5_1"].shape, (1, 16, 2, 3))
        by_hand = x / network.INPUT_UNIT
        for id, _, _ in network.convolutions(levels):
            if id in ("2_1", "3_1", "4_1", "5_1"):
                by_hand = torch.max_pool2d(by_hand, 2)
            by_hand = torch.relu(student.convs[id](by_hand))
        self.assertTrue(torch.equal(found["relu5_1"], by_hand))


class Data(TemporaryFolder):
    def test_batch_depends_on_seed_and_step_alone(self):
        pictures = data.Pictures([self.write_pictures(6)])
        first = data.Source(pictures, synthetic_share=0.5, seed=3)
        again = data.Source(data.Pictures([self.folder], memory_mb=0), synthetic_share=0.5, seed=3)
        a = [first.batch(step, 8, 32) for step in (0, 1, 2)]
        b = [again.batch(step, 8, 32) for step in (2, 1, 0)][::-1]
        for one, other in zip(a, b):
            self.assertTrue(torch.equal(one, other))
        self.assertFalse(torch.equal(a[0], a[1]))
        self.assertFalse(torch.equal(a[0], data.Source(pictures, seed=4).batch(0, 8, 32)))

    def test_made_ahead_is_the_same(self):
        source = data.Source(no_pictures(), seed=5)
        ahead = data.Ahead(source, 2, 32, workers=2)
        for step in range(7, 12):
            self.assertTrue(torch.equal(ahead.batch(step), source.batch(step, 2, 32)))
        ahead.close()

    def test_held_out_pictures_are_never_trained_on(self):
        self.write_pictures(60)
        names = lambda held_out: {p.name for p in data.Pictures([self.folder],
                                                                held_out=held_out).paths}
        self.assertTrue(names(True) and names(False))
        self.assertFalse(names(True) & names(False))
        self.assertEqual(len(names(True) | names(False)), 60)

    def test_memory_is_bounded(self):
        self.write_pictures(4, side=512)  # 0.75 MiB each
        pictures = data.Pictures([self.folder], memory_mb=2)
        self.assertEqual((len(pictures), len(pictures.kept)), (4, 2))

    def test_files_that_are_no_pictures_are_left_out(self):
        self.write_pictures(2)
        (self.folder / "broken.png").write_bytes(b"no picture")
        (self.folder / "notes.txt").write_text("text")
        self.assertEqual(len(trying.silent(data.Pictures, [self.folder])), 2)
        with self.assertRaises(ValueError):
            data.Pictures([self.folder / "absent"])

    def test_synthetic_pictures_are_pictures(self):
        for kind in synthetic.KINDS:
            for seed in range(5):
                picture = kind(np.random.default_rng(seed), 32)
                self.assertEqual(picture.shape, (32, 32, 3))
                self.assertTrue(0 <= picture.min() and picture.max() <= 255, kind.__name__)
                self.assertGreater(picture.std(), 0, kind.__name__)


class Training(TemporaryFolder):
    def test_overfits_one_batch(self):
        learner = trainer(plan_steps=400, warm_up=5, rate=5e-3)
        learner.calibrate()
        pictures = learner.source.batch(0, 2, 32)
        first = sum(learner.train_step(pictures).values())
        for _ in range(150):
            last = sum(learner.train_step(pictures).values())
        self.assertLess(last, first / 3)

    def test_refit_is_the_least_squares_solution(self):
        learner = trainer()
        learner.calibrate()
        make = lambda: (learner.source.batch(refit.FIRST_STEP + i, 8, 32) for i in range(2))
        arguments = (learner.teacher, learner.source, 16, 32)
        refit.refit(learner.student, *arguments, ridge=1e-8)
        best = evaluate.imitation_errors(learner.student, learner.teacher, make())
        torch.manual_seed(0)
        for size in (1e-2, -1e-2):
            for tap in network.TAPS:
                Q = learner.student.Q(tap)
                learner.student.set_Q(tap, Q + size * Q.std() * torch.randn_like(Q))
            worse = evaluate.imitation_errors(learner.student, learner.teacher, make())
            for tap in network.TAPS:
                self.assertLess(best[tap], worse[tap])
            refit.refit(learner.student, *arguments, ridge=1e-8)

    def test_resumed_run_is_the_unbroken_one_bit_for_bit(self):
        unbroken = train.Run(trainer(), self.folder / "unbroken", log_every=1)
        trying.silent(unbroken.train)
        parted = self.folder / "parted"
        trying.silent(lambda: train.Run(trainer(), parted, log_every=1).train(steps=5))
        # A step whose checkpoint was never written: its line is cut.
        with open(parted / "log.jsonl", "a") as log:
            log.write(json.dumps({"step": 6, "losses": {}}) + '\n{"step": 7, "lo')
        second = trying.silent(lambda: train.Run(trainer(), parted, log_every=1))
        trying.silent(second.train)
        self.assertEqual((unbroken.trainer.step, second.trainer.step), (12, 12))
        losses = [[(entry["step"], entry["losses"]) for entry in
                   map(json.loads, (folder / "log.jsonl").read_text().splitlines())
                   if "losses" in entry] for folder in (self.folder / "unbroken", parted)]
        self.assertEqual(losses[0], losses[1])
        self.assertEqual(len(losses[0]), 12)
        a, b = unbroken.trainer.state(), second.trainer.state()
        for name, value in a["student"].items():
            self.assertTrue(torch.equal(value, b["student"][name]), name)
        for i, moments in a["optimiser"]["state"].items():
            for name in ("exp_avg", "exp_avg_sq"):
                self.assertTrue(torch.equal(moments[name], b["optimiser"]["state"][i][name]))

    def test_other_network_is_refused_and_other_settings_told(self):
        state = trainer().state()
        with self.assertRaisesRegex(ValueError, "network"):
            trainer(network="16x2/16/32/32x2/48").resume(state)
        self.assertEqual(trainer(batch=4).resume(state), {"batch": (2, 4)})

    def test_rate_follows_the_plan(self):
        plan = settings(plan_steps=1000, warm_up=10)
        for step, part in ((0, 0.1), (500, 0.505), (1000, plan.last_rate)):
            self.assertAlmostEqual(trainers.rate_at(plan, step, 0) / plan.rate, part, places=5)
        plan = settings(plan_steps=0, plan_minutes=10, warm_up=0, decay="steps")
        for minutes, part in ((0, 1), (7, 0.3), (8.5, 0.1), (9.5, 0.03)):
            rate = trainers.rate_at(plan, 5, 60 * minutes)
            self.assertAlmostEqual(rate / plan.rate, part)

    def test_gram_term(self):
        torch.manual_seed(0)
        F = torch.rand(2, 8, 4, 4)
        self.assertEqual(float(network.relative_gram_distance(F, F)), 0)
        self.assertAlmostEqual(float(network.relative_gram_distance(2 * F, F)), 9, places=4)
        shuffled = F.flatten(2)[:, :, torch.randperm(16)].reshape(F.shape)
        self.assertLess(float(network.relative_gram_distance(shuffled, F)), 1e-10)

    def test_finished_run(self):
        run = train.Run(trainer(plan_steps=2), self.folder / "run")
        trying.silent(run.train)
        self.assertTrue(run.trainer.done())
        trying.silent(run.finish)
        final = checkpoint.load(self.folder / "run" / "final.pt")
        trained = checkpoint.load(self.folder / "run" / "checkpoint.pt")
        self.assertTrue(final["refitted"])
        self.assertFalse(torch.equal(final["student"]["maps.relu1_1"],
                                     trained["student"]["maps.relu1_1"]))
        self.assertTrue(torch.equal(trained["student"]["maps.relu1_1"],
                                    run.trainer.student.maps["relu1_1"].detach()))

    def test_other_files_are_no_checkpoints(self):
        path = self.folder / "checkpoint.pt"
        path.write_bytes(b"not a checkpoint")
        with self.assertRaises(ValueError):
            checkpoint.load(path)
        torch.save({"step": 1}, path)
        with self.assertRaises(ValueError):
            checkpoint.load(path)


class Export(TemporaryFolder):
    def exported(self, type):
        run = train.Run(trainer(plan_steps=3), self.folder / "run")
        trying.silent(run.train)
        state = checkpoint.load(run.checkpoint)
        path = self.folder / "builtin.safetensors"
        return state, path, export.export(state, path, type)

    def test_folding_keeps_distances(self):
        draw = np.random.default_rng(2)
        Q = draw.standard_normal((64, 16)) * draw.uniform(0.01, 100, 16)
        Q[:, 3] = 0  # a channel that Q ignores
        Q[:, 5] = Q[:, 4]  # and two that it cannot tell apart
        R = export.fold(Q)
        self.assertTrue(np.array_equal(R, np.triu(R)))
        self.assertLess(abs(R.T @ R - Q.T @ Q).max(), 1e-10 * abs(Q.T @ Q).max())
        self.assertLess(export.identity_error(Q, R), export.IDENTITY_LIMIT)
        R[0, 1] += 0.02 * R[0, 0]
        self.assertGreater(export.identity_error(Q, R), export.IDENTITY_LIMIT)
        with self.assertRaises(ValueError):
            export.fold(Q.T)

    def test_exported_student_has_the_losses_of_the_trained_one(self):
        state, path, (exact, rounded) = self.exported(np.float32)
        self.assertLess(exact, export.IDENTITY_LIMIT)
        trained = checkpoint.student_of(state)
        read = export.read_student(path)
        x = network.to_input(torch.rand(2, 3, 32, 32) * 255)
        a, b = trained(x), read(x)
        for tap in network.TAPS:
            # Single precision's 2^-24, through some 300 products per value and the square.
            for which in (lambda F: vgg.mean_gram(F.double()), lambda F: F):
                mapped = [which(s.rms(tap) * s.imitated(tap, f[tap])).detach()
                          for s, f in ((trained, a), (read, b))]
                ours, theirs = (float(evaluate.pair_distances(F)) for F in mapped)
                self.assertLess(abs(ours - theirs), 1e-4 * ours)

    def test_balancing_changes_no_mapped_feature(self):
        learner = trainer()
        with torch.no_grad():  # channels of very different sizes
            learner.student.convs["3_1"].weight[:16] *= 1e-3
            learner.student.maps["relu3_1"][:, :16] *= 1e3
        # Two taps at one convolution, and one at the network's last.
        learner.student.places = {**learner.student.places, "relu4_1": "4_2"}
        learner.student.set_rms(dict.fromkeys(network.TAPS, 50.0))
        tensors, factors = export.tensors_of(learner.student)
        for tap in network.TAPS:
            norms = np.linalg.norm(tensors[f"tap.{tap}"], axis=0)
            if tap not in ("relu4_1", "relu4_2"):
                self.assertTrue((norms > 32).all() and (norms < 128).all())
        exact, _ = export.check(learner.student, tensors, factors, np.float32)
        self.assertLess(exact, export.IDENTITY_LIMIT)

    def test_file(self):
        state, path, (_, rounded) = self.exported(np.float16)
        self.assertLess(rounded, export.HALF_LIMIT)
        self.assertTrue(vgg.is_safetensors(path))
        tensors, metadata = vgg.read_tensors(path)
        self.assertEqual(tensors["conv1_1.weight"].shape, (16, 3, 3, 3))
        self.assertEqual(tensors["tap.relu4_2"].shape, (32, 32))
        self.assertEqual(metadata["channel_order"], "bgr")
        self.assertEqual(metadata["widths"], "16,16/16/32/32,32/32")
        self.assertEqual(json.loads(metadata["training"])["steps"], 3)
        self.assertTrue(all(isinstance(value, str) for value in metadata.values()))
        content = path.read_bytes()
        length = int.from_bytes(content[:8], "little")
        self.assertEqual(length % 8, 0)
        header = json.loads(content[8:8 + length])
        del header["__metadata__"]
        self.assertEqual(max(entry["data_offsets"][1] for entry in header.values()),
                         len(content) - 8 - length)

    def test_values_beyond_half_precision_are_refused(self):
        state, path, _ = self.exported(np.float16)
        state["student"]["convs.2_1.bias"][0] = 1e12
        with self.assertRaisesRegex(ValueError, "conv2_1.bias"):
            export.export(state, path)
        state["student"]["convs.2_1.bias"][0] = math.nan
        with self.assertRaisesRegex(ValueError, "conv2_1.bias"):
            export.export(state, path, np.float32)

    def test_evaluation_of_checkpoint_and_file_agree(self):
        state, path, _ = self.exported(np.float32)
        folder = self.folder / "pictures"
        folder.mkdir()
        draw = np.random.default_rng(1)
        for i in range(3):
            Image.fromarray(synthetic.noise(draw, 64).astype(np.uint8)).save(folder / f"{i}.png")
        pictures = data.Pictures([folder])
        figures = [evaluate.evaluate(file, teacher(), pictures, 3, 4, 32)
                   for file in (self.folder / "run" / "checkpoint.pt", path)]
        for tap in network.TAPS:
            self.assertLess(figures[0][tap]["least"], figures[0][tap]["error"])
            for which in ("style", "content"):
                self.assertAlmostEqual(figures[0][tap][which][0], figures[1][tap][which][0],
                                       delta=1e-3 * figures[0][tap][which][0])


if __name__ == "__main__":
    trying.main()
