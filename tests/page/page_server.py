"""A limn serve for the tests of the page: it can be killed, started again, and asked for jobs."""
import json
import pathlib
import signal
import sys

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1] / "serve"))
from server import Server

import samples
from browser import wait_for


class PageServer(Server):
    """A limn serve that can be killed and started again: same folder, same port."""

    def __init__(self, limn, *arguments, workers=1):
        super().__init__(limn, *arguments, workers=workers)

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(30)
        self.process.stdout.close()
        self.process.stderr.close()

    def start_again(self):
        self.arguments[1] = str(self.port)
        self.__enter__()

    def has_ended(self):
        return self.process.poll() is not None

    @property
    def host(self):
        return f"127.0.0.1:{self.port}"

    def jobs(self, state=None):
        """All jobs, or those in one of `state` ("waiting,running"), as the API tells them."""
        which = f"&state={state}" if state else ""
        return self.json("GET", f"/api/v1/jobs?limit=200{which}")[1]["jobs"]

    def job(self, number):
        return self.json("GET", f"/api/v1/jobs/{number}")[1]

    def upload(self, data):
        return self.json_bytes("/api/v1/uploads", data)["id"]

    def json_bytes(self, path, data):
        status, _, text = self.ask(
            "POST", path, data, {"Content-Type": "application/octet-stream"})
        if status != 201:
            raise RuntimeError(f"POST {path}: {status} {text!r}")
        return json.loads(text)

    def submit(self, photo=None, painting=None, iterations=3, size=64,
               names=("photo.png", "painting.png"), **more):
        """A job that somebody else has asked for; its id."""
        pictures = (photo or samples.photo(), painting or samples.painting())
        photo, painting = ({"upload": self.upload(data), "name": name}
                           for data, name in zip(pictures, names))
        request = {"photo": photo, "painting": [painting],
                   "settings": {"picture": {"size": size}, "optimiser": {"iterations": iterations}},
                   **more}
        status, job = self.json("POST", "/api/v1/jobs", request)
        if status != 201:
            raise RuntimeError(f"POST /api/v1/jobs: {status} {job}")
        return job["id"]

    def wait_for_state(self, number, state):
        wait_for(lambda: self.job(number)["state"] == state, f"job {number} to be {state}")

    def empty(self):
        """Ends and deletes all jobs, and waits until there are none. Uploads stay."""
        def none_left():
            jobs = self.jobs()
            for job in jobs:
                path = f"/api/v1/jobs/{job['id']}"
                if job["state"] in ("waiting", "running"):
                    self.ask("POST", f"{path}/cancel")
                self.ask("DELETE", path)  # refused while it is running
            return not jobs
        wait_for(none_left, "all jobs to be gone")

    def idle(self):
        """Nothing waits or runs."""
        return not self.jobs("waiting,running")
