"""What the tests of workers share: a folder with a store of jobs, workers that are started and
killed, and what becomes of the jobs. Python's standard library only.
"""
import collections
import json
import os
import pathlib
import signal
import subprocess
import time

SKIPPED = 77  # what ctest takes for "skipped"


class Workshop:
    """A folder of jobs and the workers on it."""

    def __init__(self, folder, programs, store=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.limn = programs.limn
        self.submit_jobs = programs.submit_jobs
        self.inputs = pathlib.Path(programs.inputs)
        self.store = store or str(self.folder / "jobs.db")
        self.workers = {}
        self.done_at = {}
        self.rows = {}

    def call(self, *words):
        """submit_jobs with these words; its output."""
        command = [self.submit_jobs, self.store, str(self.folder), *map(str, words)]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if ran.returncode:
            raise RuntimeError(f"{' '.join(command)}: {ran.stderr}")
        return ran.stdout

    def submit(self, count=1, kind="paint", recipe="limn", words=(), **settings):
        """Submits jobs of small pictures; their ids."""
        pictures = [f"{role}={self.inputs / role}.png" for role in ("photo", "painting")]
        values = {"picture.size": 48, "optimiser.iterations": 6, **settings}
        changes = [f"{key.replace('__', '.')}:{value}" for key, value in values.items()]
        return self.call("submit", kind, count, recipe, *pictures, *changes, *words).split()

    def start(self, name, *flags, prefix=()):
        """Starts a worker."""
        log = open(self.folder / f"{name}.log", "ab")
        # Should this test be killed, no worker outlives it.
        command = ["setpriv", "--pdeathsig", "KILL", *prefix, self.limn, "worker",
                   "--store", self.store, "--data", str(self.folder), "--name", name,
                   *map(str, flags)]
        self.workers[name] = subprocess.Popen(command, stdout=log, stderr=log,
                                              stdin=subprocess.DEVNULL)
        log.close()

    def kill(self, name):
        """SIGKILL, and waits for its end. Its painters die with it."""
        worker = self.workers.pop(name)
        worker.kill()
        worker.wait(30)

    def drain(self, name, seconds=60):
        """SIGTERM; its exit code."""
        worker = self.workers.pop(name)
        worker.terminate()
        return worker.wait(seconds)

    def painters(self):
        """The painting processes in this folder, and their jobs: {process: job}."""
        found = {}
        jobs = str((self.folder / "jobs").resolve()) + "/"
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                at = os.readlink(entry / "cwd")
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if at.startswith(jobs) and state != "Z":
                found[int(entry.name)] = pathlib.Path(at).name
        return found

    def list(self):
        """All jobs as they are; complains if one that was done is so no longer."""
        self.rows = {}
        for line in self.call("list").splitlines():
            row = json.loads(line)
            self.rows[row["id"]] = row
        for job, row in self.rows.items():
            before = self.done_at.get(job)
            if before is not None and (row["state"], row["ended"]) != ("done", before):
                raise AssertionError(f"job {job} was done at {before}, and then: {row}")
            if row["state"] == "done":
                self.done_at[job] = row["ended"]
        return self.rows

    def states(self):
        """How many jobs are in each state."""
        return collections.Counter(row["state"] for row in self.list().values())

    def until(self, what, done, seconds=60):
        """Waits until done() is true, and returns what it is."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = done()
            if found:
                return found
            time.sleep(0.1)
        logs = {path.name: path.read_text(errors="replace")[-500:]
                for path in self.folder.glob("*.log")}
        raise AssertionError(f"not within {seconds} s: {what}; {self.states()}; {logs}")

    def wait_for(self, job, state, seconds=60):
        """Waits until the job is in this state; its row."""
        return self.until(f"{job} {state}",
                          lambda: (self.list()[job]["state"] == state and self.rows[job]), seconds)

    def path(self, job, name):
        """A file in the job's folder."""
        return self.folder / "jobs" / job / name

    def log(self, job):
        """The job's log."""
        return self.path(job, "log.txt").read_text(errors="replace")

    def progress(self, job):
        """The iteration that a job has reached, or -1."""
        try:
            return json.loads(self.path(job, "progress.json").read_text())["iteration"]
        except (OSError, ValueError):
            return -1

    def close(self):
        """Ends what is left."""
        for worker in self.workers.values():
            worker.kill()
            worker.wait(30)
        self.workers = {}
        for process in self.painters():
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
