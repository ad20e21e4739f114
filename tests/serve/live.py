#!/usr/bin/env python3
"""Live painting over real connections, by real painters.

    live.py LIMN examples

Pictures come and grow, another setting supersedes, a reader that goes ends the painting, hostile
pictures and killed painters cost one request, and a reader that is slow costs the server no memory.
"""
import json
import os
import pathlib
import signal
import socket
import struct
import sys
import time
import zlib

from live_client import Live, Refused
from server import Checks, Server


def upload(server, content):
    status, _, text = server.ask("POST", "/api/v1/uploads", content,
                                 {"Content-Type": "application/octet-stream"})
    assert status == 201, text
    return json.loads(text)["id"]


def painters(server):
    """The processes that paint live."""
    found = []
    for task in pathlib.Path(f"/proc/{server.process.pid}/task").iterdir():
        for child in (task / "children").read_text(encoding="ascii").split():
            try:
                command = pathlib.Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if command[1:3] == [b"serve", b"live"]:
                found.append(int(child))
    return found


def figure(server, name):
    text = server.ask("GET", "/metrics")[2].decode()
    return float(next(line for line in text.splitlines() if line.startswith(name + " ")).split()[1])


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def huge_png(side):
    """A PNG of so many pixels a side, all black: small as a file, gigabytes when decoded."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data +
                struct.pack(">I", zlib.crc32(kind + data)))
    rows = zlib.compressobj()
    data = b"".join(rows.compress(b"\0" * (3 * side + 1)) for _ in range(side)) + rows.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) +
            chunk(b"IEND", b""))


def pictures_grow(server, live, checks):
    with Live(server, dict(live, size=192)) as answer:
        parts = []
        while (part := answer.part()) is not None:
            parts.append(part)
    pictures = [part for part in parts if part.is_picture]
    sizes = [part.progress["width"] for part in pictures]
    checks.expect(sizes == sorted(sizes) and sizes[0] == 128 and sizes[-1] == 192,
                  f"the sizes are {sizes}")
    checks.expect(all(part.body[:3] == b"\xff\xd8\xff" for part in pictures), "no JPEGs")
    checks.expect(len({part.body for part in pictures}) > 2, "all pictures are the same")
    done = [part.progress["done"] for part in pictures]
    checks.expect(done == sorted(done) and done[-1] == 1, f"done is {done}")
    end = json.loads(parts[-1].body)
    checks.expect(end["done"] is True and end["width"] == 192 and end["seconds"] > 0,
                  f"the end is {end}")


def another_setting_supersedes(server, live, checks):
    first = Live(server, dict(live, size=512, settings={}))
    first.first()
    with Live(server, live) as second:
        second.first()
        *_, last = first.rest()
        first.close()
        checks.expect(json.loads(last.body)["problem"]["status"] == 409, "it was not superseded")
        *_, last = second.rest()
        checks.expect(json.loads(last.body).get("done"), "the second one was not painted")


def a_reader_goes(server, live, checks):
    answer = Live(server, dict(live, size=512, settings={}))
    answer.first()
    checks.expect(figure(server, "limn_live_painting") == 1, "nothing is painted")
    answer.close()
    checks.expect(wait_for(lambda: figure(server, "limn_live_painting") == 0, 5),
                  "it is still painted, for nobody")


def a_slow_reader(server, live, checks):
    """Asks, and reads nothing: what is painted meanwhile is not kept for it."""
    body = json.dumps(dict(live, size=256, settings={"optimiser": {"iterations": 72}}))
    before = server.memory()
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall((f"POST /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
                            f"Authorization: Bearer {server.token}\r\nContent-Length: {len(body)}"
                            f"\r\nContent-Type: application/json\r\n\r\n{body}").encode())
        wait_for(lambda: figure(server, "limn_live_painting") == 1)
        checks.expect(wait_for(lambda: figure(server, "limn_live_painting") == 0, 120),
                      "the painting waits for its reader")
        checks.expect(server.memory() - before < 8e6,
                      f"the server took {server.memory() - before} bytes more")


def refused(server, wanted, status, words, checks):
    try:
        with Live(server, wanted) as answer:
            *_, last = iter(answer.part, None)
            problem = json.loads(last.body).get("problem")
    except Refused as error:
        problem = error.problem
    checks.expect(problem is not None and problem["status"] == status and
                  words in problem["detail"], f"expected {status} with '{words}': {problem}")


def hostile_pictures(server, live, checks):
    refused(server, dict(live, photo=upload(server, b"\xff\xd8\xff, or so")), 422, "", checks)
    photo = {"upload": upload(server, huge_png(16000)), "name": "beach.png"}
    refused(server, dict(live, photo=photo), 422, "beach.png", checks)
    with Live(server, live) as answer:
        answer.first()


def killed_painters(server, live, checks):
    answer = Live(server, dict(live, size=512, settings={}))
    answer.first()
    for painter in painters(server):
        os.kill(painter, signal.SIGKILL)
    *_, last = answer.rest()
    answer.close()
    problem = json.loads(last.body)["problem"]
    checks.expect(problem["status"] == 503 and "died of signal 9" in problem["detail"],
                  f"the end is {problem}")
    with Live(server, live) as again:
        again.first()


def old_http(server, checks):
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall((f"POST /api/v1/live HTTP/1.0\r\nHost: 127.0.0.1:{server.port}\r\n"
                            f"Authorization: Bearer {server.token}\r\nContent-Length: 2\r\n"
                            "Content-Type: application/json\r\n\r\n{}").encode())
        checks.expect(connection.recv(12) == b"HTTP/1.1 505", "HTTP/1.0 is not refused")


def main():
    limn, examples = sys.argv[1], pathlib.Path(sys.argv[2])
    checks = Checks()
    with Server(limn) as server:
        live = {"photo": upload(server, (examples / "photos/harbour.jpg").read_bytes()),
                "painting": upload(server, (examples / "paintings/oil.jpg").read_bytes()),
                "size": 64, "seat": "test", "settings": {"optimiser": {"iterations": 12}}}
        for test in (pictures_grow, another_setting_supersedes, a_reader_goes, a_slow_reader,
                     hostile_pictures, killed_painters):
            test(server, live, checks)
        old_http(server, checks)
        server.stop()
        checks.expect(wait_for(lambda: server.process.poll() is not None), "it does not end")
    with Server(limn, "--live", "0") as server:
        refused(server, {"photo": upload(server, b"a"), "painting": upload(server, b"b")}, 503,
                "--live 0", checks)
        checks.expect(not painters(server), "there are painters all the same")
    print(f"{checks.failures} failures")
    return 1 if checks.failures else 0


if __name__ == "__main__":
    sys.exit(main())
