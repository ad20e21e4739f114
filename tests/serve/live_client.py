"""A reader of POST /api/v1/live, for the scripts here and bench/live.py."""
import http.client
import json
import time


class Refused(RuntimeError):
    """Answered with a problem rather than with pictures."""

    def __init__(self, status, problem):
        super().__init__(f"{status}: {problem}")
        self.status, self.problem = status, problem


class Part:
    """One part: its fields (names in lower case) and bytes."""

    def __init__(self, fields, body):
        self.fields, self.body = fields, body

    @property
    def progress(self):
        return json.loads(self.fields["limn-progress"])

    @property
    def is_picture(self):
        return self.fields["content-type"] == "image/jpeg"


class Live:
    """Asks at once, and reads the parts as they come."""

    def __init__(self, server, wanted, timeout=120):
        self.asked = time.monotonic()
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=timeout)
        self.connection.request("POST", "/api/v1/live", json.dumps(wanted), {
            "Authorization": f"Bearer {server.token}", "Content-Type": "application/json"})
        self.answer = self.connection.getresponse()
        if self.answer.status != 200:
            text = self.answer.read()
            self.close()
            raise Refused(self.answer.status, json.loads(text))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.connection.close()

    def since_asked(self):
        return time.monotonic() - self.asked

    def part(self):
        """The next part; None after the last."""
        line = self.answer.readline()
        if line != b"--limn\r\n":
            if line == b"--limn--\r\n" and self.answer.read() == b"":
                return None
            raise RuntimeError(f"no boundary: {line!r:.200}")
        fields = {}
        while (line := self.answer.readline()) != b"\r\n":
            name, _, value = line.decode("ascii").partition(":")
            fields[name.lower()] = value.strip()
        body = self.answer.read(int(fields["content-length"]))
        if self.answer.read(2) != b"\r\n":
            raise RuntimeError("a part is longer than its Content-Length")
        return Part(fields, body)

    def first(self):
        """Seconds from asking until the first picture was here."""
        part = self.part()
        if part is None or not part.is_picture:
            raise RuntimeError(f"no picture: {part and part.body}")
        return self.since_asked()

    def rest(self):
        """The parts that follow, as they come."""
        while (part := self.part()) is not None:
            yield part
