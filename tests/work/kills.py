#!/usr/bin/python3
"""Many jobs, several workers, and SIGKILL at random moments: for workers, whose painters die with
them, and for painters alone. In the end every job is done, none was done twice, and every picture
is, byte for byte, the one that is painted when nothing is killed.

    kills.py --limn build/limn --submit-jobs build/tests/submit_jobs --inputs FOLDER
             [--jobs 40] [--kills 20] [--workers 2] [--painters 1] [--clients 4] [--seed 1]

No painter is killed twice over the same job, and no worker that has a job which has lost many
workers: such jobs are failed on purpose (workers.py). With --kills 0 it measures: jobs a second.
"""
import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time

from workshop import Workshop

LEASE = ("--beat", 0.3, "--lease", 2, "--checkpoint-every", 0.05, "--grace", 10)

MOST_LOSSES = 8  # a job fails at its 10th


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("limn", "submit-jobs", "inputs"):
        parser.add_argument(f"--{name}", required=True)
    for name, value in (("jobs", 40), ("kills", 20), ("workers", 2), ("painters", 1),
                        ("clients", 4), ("seed", 1), ("iterations", 12), ("compare", 1)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--pause", type=float, default=0.5, help="most seconds between kills")
    parser.add_argument("--size", type=int, default=48)
    parser.add_argument("--most-seconds", type=float, default=120)
    return parser.parse_args()


class Killer:
    """Kills now a worker, now a painter, and starts workers again."""

    def __init__(self, shop, arguments):
        self.shop = shop
        self.random = random.Random(arguments.seed)
        self.names = [f"worker-{i}" for i in range(arguments.workers)]
        self.flags = (*LEASE, "--painters", arguments.painters)
        self.pause = arguments.pause
        self.hit = set()  # jobs whose painter was killed
        self.workers = self.painters = 0
        for name in self.names:
            shop.start(name, *self.flags)

    def kill_painter(self):
        """One whose job has lost none yet; False if there is none."""
        painters = [(process, job) for process, job in self.shop.painters().items()
                    if job not in self.hit]
        if not painters:
            return False
        process, job = self.random.choice(painters)
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            return False
        self.hit.add(job)
        self.painters += 1
        return True

    def kill_worker(self):
        """One whose jobs have not lost nearly as many as fail a job on purpose."""
        spared = {row["worker"] for row in self.shop.list().values()
                  if row["state"] == "running" and row["losses"] >= MOST_LOSSES}
        names = [name for name in self.names if name not in spared]
        if not names:
            return
        name = self.random.choice(names)
        self.shop.kill(name)
        self.workers += 1
        # Under its own name it takes its jobs back at once; under another their lease has to end.
        if self.random.random() < 0.3:
            index = self.names.index(name)
            self.names[index] = name = f"worker-{index}-{self.workers}"
        self.shop.start(name, *self.flags)

    def strike(self):
        time.sleep(self.random.uniform(0.05, self.pause))
        if self.random.random() < 0.5 and self.kill_painter():
            return
        self.kill_worker()


def submit_all(shop, arguments):
    """Shared out among clients, as they might come; every job has a seed of its own."""
    each = -(-arguments.jobs // arguments.clients)
    ids = []
    for client in range(arguments.clients):
        count = min(each, arguments.jobs - len(ids))
        if count > 0:
            ids += shop.submit(count, words=(f"client=client-{client}",),
                               **{"picture.size": arguments.size,
                                  "optimiser.iterations": arguments.iterations,
                                  "picture.seed": 1 + len(ids), "picture.init": "noise"})
    return ids


def finish(shop, killer, ids, most_seconds):
    def all_done():
        states = shop.states()
        if states["failed"] or states["cancelled"]:
            bad = [row for row in shop.rows.values() if row["state"] in ("failed", "cancelled")]
            raise AssertionError(f"jobs are not done: {bad[:3]}")
        return states["done"] == len(ids)

    shop.until("all jobs done", all_done, most_seconds)
    for name in killer.names:
        code = shop.drain(name)
        if code != 0:
            raise AssertionError(f"worker {name} drained with code {code}")
    if shop.painters():
        raise AssertionError(f"painters are left: {shop.painters()}")


def compare(shop, ids, arguments, folder):
    """Paints the same jobs again, undisturbed; how many of the pictures had been broken off."""
    resumed = [job for job in ids if "continuing from iteration" in shop.log(job)]
    disturbed = [job for job in ids if shop.rows[job]["attempts"] > 1]
    with Workshop(folder, arguments) as calm:
        again = submit_all(calm, arguments)
        for i in range(2):
            calm.start(f"calm-{i}")
        calm.until("all jobs done", lambda: calm.states()["done"] == len(again),
                   arguments.most_seconds)
        for job, same in zip(ids, again):
            if shop.path(job, "result.png").read_bytes() != calm.path(same,
                                                                      "result.png").read_bytes():
                raise AssertionError(f"{job} is another picture than {same}")
    print(f"the same bytes as undisturbed: {len(ids)} pictures, {len(disturbed)} of which were "
          f"broken off, {len(resumed)} continued from a state")
    return len(resumed)


def main():
    arguments = parse()
    folder = tempfile.mkdtemp(prefix="limn-kills-")
    try:
        with Workshop(f"{folder}/shop", arguments) as shop:
            began = time.monotonic()
            ids = submit_all(shop, arguments)
            submitted = time.monotonic() - began
            killer = Killer(shop, arguments)
            while killer.workers + killer.painters < arguments.kills:
                killer.strike()
                if shop.states()["done"] == len(ids):
                    break  # nothing is left to be disturbed
            finish(shop, killer, ids, arguments.most_seconds)
            took = time.monotonic() - began - submitted
            attempts = sum(row["attempts"] for row in shop.rows.values())
            print(f"{len(ids)} jobs of {arguments.clients} clients, {arguments.workers} workers, "
                  f"{killer.workers} of them and {killer.painters} painters killed: all done, none "
                  f"twice; {attempts} attempts, {took:.1f} s, {len(ids) / took:.1f} jobs/s")
            if arguments.compare:
                resumed = compare(shop, ids, arguments, f"{folder}/calm")
                if arguments.kills >= 20 and resumed == 0:
                    raise AssertionError("no kill came after a checkpoint: nothing was tested")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
