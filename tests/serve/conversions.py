#!/usr/bin/env python3
"""Conversions of results: one that takes long while the server is told to stop, and one that fills
the disk.

    conversions.py LIMN

The process that converts has none of the server's connections and is in a sandbox; when the server
is told to stop, it ends, and so do the conversions that wait for it: with 503. On a full disk the
answer is 507. Loopback only.
"""
import contextlib
import os
import random
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

from server import Checks, Server

SIDE = 6000
SMALL_DISK = 6 << 20  # bytes
SMALL_SIDE = 1000  # 3 MB as a .png of noise, 6 MB as a .tif of 16 bits


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def noise_png(path, side):
    rows = [b"\0" + random.Random(i).randbytes(side * 3) for i in range(16)]
    pressed = zlib.compress(b"".join(rows[i % 16] for i in range(side)), 1)
    with open(path, "wb") as png:
        png.write(b"\x89PNG\r\n\x1a\n" +
                  chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)) +
                  chunk(b"IDAT", pressed) + chunk(b"IEND", b""))


def painted(server, jobs, side):
    """A job that has a picture of noise, though nobody has painted it. jobs: the folder of their
    folders, as this process sees it."""
    _, upload = server.json("POST", "/api/v1/uploads", {"no": "picture"})
    _, job = server.json("POST", "/api/v1/jobs", {"kind": "texture", "exemplar": upload["id"]})
    database = sqlite3.connect(os.path.join(server.folder.name, "jobs.db"), timeout=10)
    with database:
        database.execute("UPDATE jobs SET state = 'done' WHERE id = ?", (job["id"],))
    database.close()
    folder = os.path.join(jobs, job["id"])
    os.makedirs(folder, exist_ok=True)
    noise_png(os.path.join(folder, "result.png"), side)
    return job["id"]


def child_of(pid):
    """The process that the server has started, if there is one."""
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as children:
            found = children.read().split()
        if found:
            return int(found[0])
    return None


def look_at(child, checks):
    """Once it is limn: before that it is a copy of the server."""
    fields = {}
    for _ in range(200):
        with open(f"/proc/{child}/status", encoding="ascii") as status:
            fields = dict(line.split(":", 1) for line in status.read().splitlines())
        with open(f"/proc/{child}/cmdline", "rb") as words:
            if b"convert" in words.read():
                break
        time.sleep(0.01)
    checks.expect(fields["NoNewPrivs"].strip() == "1", "the converter may gain rights")
    folder = f"/proc/{child}/fd"
    files = []
    for number in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):  # closed since it was listed
            files.append(os.readlink(f"{folder}/{number}"))
    checks.expect(not any(name.startswith("socket:") for name in files), f"it has {files}")
    print(f"the converter: seccomp {fields['Seccomp'].strip()}, files {files}")


def fill_the_disk(limn, checks):
    """On a disk that has room for the picture but not for another one."""
    own_disk = ("unshare", "--map-root-user", "--mount", "sh", "-c", 'mkdir -p "$3/jobs" && '
                f'mount -t tmpfs -o size={SMALL_DISK} none "$3/jobs" && exec "$0" "$@"')
    with tempfile.TemporaryDirectory() as folder:
        tried = subprocess.run([*own_disk, "true", "serve", "--data", folder], check=False)
    if tried.returncode != 0:
        print("left out: no small disk can be mounted here")
        return
    with Server(limn, before=own_disk) as server:
        jobs = f"/proc/{server.process.pid}/root{server.folder.name}/jobs"
        job = painted(server, jobs, SMALL_SIDE)
        result = f"/api/v1/jobs/{job}/result"
        status, _, body = server.ask("GET", result + "?format=tiff&bits=16")
        checks.expect(status == 507 and b"no room on the disk" in body, f"full: {status} {body}")
        checks.expect(server.ask("GET", result)[0] == 200, "the picture itself is gone")
        left = os.listdir(os.path.join(jobs, job))
        checks.expect(left == ["result.png"], f"in the job's folder: {left}")
        checks.expect(server.ask("GET", result + "?format=jpeg&quality=50")[0] == 200,
                      "there was room for a small one")
        print(f"on a full disk: {status}")


def main():
    checks = Checks()
    fill_the_disk(sys.argv[1], checks)
    with Server(sys.argv[1], "--live", "0") as server:  # no child but the converter
        job = painted(server, os.path.join(server.folder.name, "jobs"), SIDE)
        answers = []

        def ask(quality):
            path = f"/api/v1/jobs/{job}/result?format=webp&quality={quality}"
            answers.append(server.ask("GET", path, timeout=60)[0])

        threads = [threading.Thread(target=ask, args=(90 + i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        until = time.monotonic() + 20
        child = None
        while child is None and time.monotonic() < until:
            child = child_of(server.process.pid)
            time.sleep(0.01)
        if checks.expect(child is not None, "nothing converts"):
            look_at(child, checks)
            time.sleep(0.3)  # the others wait for it now
            checks.expect(server.ask("GET", f"/api/v1/jobs/{job}/result")[0] == 200,
                          "the stored picture waits for a conversion")
        code, seconds = server.stop()
        for thread in threads:
            thread.join()
        checks.expect(code == 0, f"it ended with {code}")
        checks.expect(seconds < 4, f"it took {seconds:.1f} s to end")
        checks.expect(answers == [503] * 4, f"the conversions were answered {answers}")
        checks.expect(child is None or not os.path.exists(f"/proc/{child}"), "a process is left")
        left = os.listdir(os.path.join(server.folder.name, "jobs", job))
        checks.expect(left == ["result.png"], f"in the job's folder: {left}")
        print(f"stopped in {seconds:.1f} s; {checks.failures} failures")
    return 1 if checks.failures else 0


if __name__ == "__main__":
    sys.exit(main())
