#!/usr/bin/env python3
"""SIGKILL of limn serve itself, at random moments, while clients submit jobs and it paints them.

    kills.py --limn build/limn --submit-jobs build/tests/submit_jobs --inputs FOLDER
             [--jobs 6] [--kills 6] [--clients 3] [--workers 2] [--seed 1]      the short form
    kills.py ... --long                    60 kills, 60 jobs

Clients upload pictures and submit jobs, by forms and by ids of uploads, and send a request that got
no answer again under its key, as docs/server.md says. The server is killed again and again, its
painters die with it, and it is started anew on the same folder. In the end every job that was
accepted is there once and done, none was done twice or tried again without a cause, and every
picture is, byte for byte, the one that the server paints when nobody kills it. Loopback only.
"""
import argparse
import http.client
import json
import pathlib
import random
import shutil
import socket
import sys
import threading
import time

from server import Checks, Server

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1] / "work"))
from workshop import Workshop

MOST_LOSSES = 7  # a job fails at its 10th


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("limn", "submit-jobs", "inputs"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--long", action="store_true", help="60 kills, 60 jobs")
    for name, value in (("jobs", None), ("kills", None), ("clients", 3), ("workers", 2),
                        ("seed", 1), ("iterations", 100), ("size", 64)):
        parser.add_argument(f"--{name}", type=int, default=value)
    arguments = parser.parse_args()
    arguments.jobs = arguments.jobs or (60 if arguments.long else 6)
    arguments.kills = arguments.kills or (60 if arguments.long else 6)
    return arguments


class KilledServer(Server):
    """One that always comes back: in the same folder, at the same port."""

    def __init__(self, arguments):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        # Should this test be killed, the server does not outlive it.
        super().__init__(arguments.limn, "--checkpoint-every", "0.05", workers=arguments.workers,
                         port=port, before=("setpriv", "--pdeathsig", "KILL"))
        self.killed = 0
        self.is_asked = threading.Event()  # a client is about to send something

    def kill(self):
        self.process.kill()
        self.process.wait(30)
        self.process.stdout.close()
        self.process.stderr.close()
        self.killed += 1


class Client(threading.Thread):
    """Submits its jobs, spread out over the kills, each again until it is accepted."""

    def __init__(self, server, keys, arguments):
        super().__init__(daemon=True)
        self.server, self.keys, self.arguments = server, keys, arguments
        self.accepted = {}  # key: id
        self.unanswered = self.again = 0  # requests; those that were sent again after an answer
        self.failure = None
        self.uploads = {}
        self.pictures = {role: (pathlib.Path(arguments.inputs) / f"{role}.png").read_bytes()
                         for role in ("photo", "painting")}

    def settings(self, number):
        return {"picture": {"size": self.arguments.size, "seed": 1 + number, "init": "noise"},
                "optimiser": {"iterations": self.arguments.iterations, "plateau": 0}}

    def form(self, number):
        parts = [(f'name="{role}"; filename="{role}.png"', bytes_)
                 for role, bytes_ in self.pictures.items()]
        parts.append(('name="settings"', json.dumps(self.settings(number)).encode()))
        body = b"".join(b"--B\r\nContent-Disposition: form-data; " + head.encode() + b"\r\n\r\n" +
                        bytes_ + b"\r\n" for head, bytes_ in parts) + b"--B--\r\n"
        return body, "multipart/form-data; boundary=B"

    def by_ids(self, number):
        for role, bytes_ in self.pictures.items():
            if role not in self.uploads:
                status, _, body = self.server.ask("POST", "/api/v1/uploads", bytes_)
                if status != 201:
                    raise AssertionError(f"an upload was answered {status} {body}")
                self.uploads[role] = json.loads(body)["id"]
        return json.dumps({**self.uploads, "settings": self.settings(number)}), "application/json"

    def submit(self, key, number):
        """The job's id. OSError or HTTPException: there was no answer."""
        self.server.is_asked.set()
        body, kind = self.form(number) if number % 2 else self.by_ids(number)
        status, _, answer = self.server.ask("POST", "/api/v1/jobs", body,
                                            {"Content-Type": kind, "Idempotency-Key": key})
        if status != 201:
            raise AssertionError(f"{key} was answered {status} {answer}")
        return json.loads(answer)["id"]

    def submit_until_answered(self, key, number):
        while True:
            try:
                return self.submit(key, number)
            except (OSError, http.client.HTTPException):
                self.unanswered += 1
                time.sleep(0.05)

    def wait_for_kills(self, count):
        while self.server.killed < min(count, self.arguments.kills):
            time.sleep(0.02)

    def run(self):
        try:
            for key, number in self.keys:
                self.wait_for_kills(number * self.arguments.kills // self.arguments.jobs)
                self.accepted[key] = self.submit_until_answered(key, number)
                if number % 3 == 0:  # as if the answer had been lost, with the server
                    self.wait_for_kills(self.server.killed + 1)
                    same = self.submit_until_answered(key, number)
                    if same != self.accepted[key]:
                        raise AssertionError(f"{key} is {self.accepted[key]} and {same}")
                    self.again += 1
        except Exception as error:  # for the main thread to tell
            self.failure = f"{type(error).__name__}: {error}"


def clients_of(server, arguments, prefix):
    keys = [(f"{prefix}-{number}", number) for number in range(arguments.jobs)]
    return [Client(server, keys[i::arguments.clients], arguments)
            for i in range(arguments.clients)]


def join(clients, seconds, checks):
    """{key: id} of all that they submitted."""
    accepted = {}
    end = time.monotonic() + seconds
    for client in clients:
        client.join(max(0.1, end - time.monotonic()))
        checks.expect(not client.is_alive(), "a client's jobs were never all accepted")
        checks.expect(client.failure is None, f"a client: {client.failure}")
        accepted.update(client.accepted)
    return accepted


def wait_for_state(shop, seconds):
    """Until a job that is painted has saved a state, or for so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if any(shop.path(job, "state.limn").exists() for job in shop.painters().values()):
            return
        time.sleep(0.01)


def kill_again_and_again(server, shop, arguments):
    """Every second time just after a painter has saved a state; otherwise at any moment, at times
    while it starts, or while it has a request. Returns how many kills hit a running job."""
    chance = random.Random(arguments.seed)
    hit = 0
    while server.killed < arguments.kills:
        kind = chance.random()
        if server.killed % 2 == 0:
            wait_for_state(shop, 20)
        elif kind < 0.4:
            server.is_asked.clear()
            server.is_asked.wait(1)
            time.sleep(chance.uniform(0, 0.03))
        else:
            time.sleep(chance.uniform(0, 0.2) if kind < 0.5 else chance.uniform(0.2, 2))
        rows = [row for row in shop.list().values() if row["state"] == "running"]
        if any(row["losses"] >= MOST_LOSSES for row in rows):
            continue
        server.kill()
        hit += bool(rows)
        shop.until("the painters died with their server", lambda: not shop.painters(), 10)
        server.__enter__()
    return hit


def check_jobs(shop, accepted, checks):
    rows = shop.list()
    checks.expect(sorted(rows) == sorted(accepted.values()),
                  f"{len(rows)} jobs are there, {len(accepted)} were accepted")
    for row in rows.values():
        checks.expect(row["state"] == "done", f"not done: {row}")
        checks.expect(row["attempts"] == 1 + row["losses"] and row["kills"] == 0,
                      f"attempts without a cause: {row}")
    return rows


def compare(server, shop, accepted, arguments, checks):
    """The same jobs again, undisturbed; how many of the first had gone on from a state."""
    calm = clients_of(server, arguments, "calm")
    for client in calm:
        client.start()
    again = join(calm, 120, checks)
    shop.until("all jobs done", lambda: shop.states()["done"] == 2 * arguments.jobs, 600)
    for key, job in accepted.items():
        same = again[key.replace("killed", "calm")]
        status, _, picture = server.ask("GET", f"/api/v1/jobs/{job}/result")
        checks.expect(status == 200 and picture == shop.path(same, "result.png").read_bytes(),
                      f"{job} ({key}) is another picture than {same}")
    return sum("continuing from iteration" in shop.log(job) for job in accepted.values())


def main():
    arguments = parse()
    checks = Checks()
    if shutil.which("setpriv") is None:
        print("skipped: setpriv is not here")
        return 77
    with KilledServer(arguments) as server, \
            Workshop(server.folder.name, arguments) as shop:
        began = time.monotonic()
        clients = clients_of(server, arguments, "killed")
        for client in clients:
            client.start()
        hit = kill_again_and_again(server, shop, arguments)
        accepted = join(clients, 120, checks)
        shop.until("all jobs done", lambda: shop.states()["done"] >= len(accepted), 600)
        took = time.monotonic() - began
        rows = check_jobs(shop, accepted, checks)
        losses = [row["losses"] for row in rows.values()]
        unanswered = sum(client.unanswered for client in clients)
        again = sum(client.again for client in clients)
        resumed = compare(server, shop, accepted, arguments, checks)
        code, _ = server.stop()
        checks.expect(code == 0, f"it ended with {code}")
        checks.expect(hit > 0 and resumed > 0, "no kill met a painting: nothing was tested")
    broken_off = sum(1 for loss in losses if loss)
    print(f"limn serve killed {server.killed} times, {hit} times while it painted, in "
          f"{took:.0f} s: {len(accepted)} jobs of {arguments.clients} clients ({unanswered} "
          f"requests had no answer; {again} that had one were sent again after the next kill, and "
          f"were the same job), all done, none twice; {broken_off} were broken off, one at most "
          f"{max(losses)} times, {resumed} went on from a state; all the same bytes as "
          f"undisturbed; {checks.failures} failures")
    return 1 if checks.failures else 0


if __name__ == "__main__":
    sys.exit(main())
