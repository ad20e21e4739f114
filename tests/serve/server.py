"""A limn serve on a folder of its own, for the scripts in this folder."""
import http.client
import json
import os
import re
import signal
import subprocess
import tempfile
import time


class Server:
    """Starts with the `with` block, and is stopped with it."""

    def __init__(self, limn, *arguments, workers=0, port=0, before=()):
        """before: a command that starts the server's."""
        self.limn = limn
        self.before = before
        self.arguments = ["--port", str(port), "--workers", str(workers), *arguments]
        self.folder = tempfile.TemporaryDirectory(prefix="limn-serve-")
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(
            [*self.before, self.limn, "serve", "--data", self.folder.name, *self.arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        link = self.process.stdout.readline()
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?token=(\S+)\n", link)
        if not found:
            self.process.kill()
            raise RuntimeError(f"limn serve printed {link!r}; {self.process.stderr.read()}")
        self.port, self.token = int(found[1]), found[2]
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()
        self.folder.cleanup()

    def stop(self):
        """Ends it politely; returns its exit code and the seconds that took."""
        start = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30), time.monotonic() - start

    def memory(self):
        """Its resident bytes."""
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def ask(self, method, path, body=None, headers=None, token=True, timeout=30):
        """One request on a connection of its own: status, fields, bytes."""
        fields = {"Authorization": f"Bearer {self.token}"} if token else {}
        fields.update(headers or {})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body=body, headers=fields)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def json(self, method, path, value=None, headers=None):
        """The same with JSON both ways."""
        body = None if value is None else json.dumps(value)
        fields = {"Content-Type": "application/json"} if body else {}
        status, _, text = self.ask(method, path, body, {**fields, **(headers or {})})
        return status, json.loads(text) if text else None


class Checks:
    """What was expected, and did not come."""

    def __init__(self):
        self.failures = 0

    def expect(self, condition, message):
        if not condition:
            self.failures += 1
            print(f"FAILED: {message}", flush=True)
        return condition
