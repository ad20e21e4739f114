#!/usr/bin/env python3
"""Runs the examples of docs/server.md as they stand there: all blocks of "bash", as one script.

    documentation.py LIMN docs/server.md

Only the port is another. The server paints; photo.jpg and painting.jpg are small pictures.
"""
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import zlib

from server import Checks, Server


def write_png(path, width, height, colour):
    """A picture with some structure, without any library."""
    rows = b"".join(
        b"\0" + b"".join(bytes((colour(x, y))) for x in range(width)) for y in range(height))
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data +
                struct.pack(">I", zlib.crc32(kind + data)))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" +
                     chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
                     chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def main():
    limn, page = sys.argv[1], pathlib.Path(sys.argv[2])
    if shutil.which("curl") is None:
        print("skipped: curl is not here")
        return 77
    checks = Checks()
    blocks = re.findall(r"^```bash\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)
    checks.expect(len(blocks) > 5, "the page has few examples")
    with Server(limn, workers=1) as server:
        home = pathlib.Path(server.folder.name) / "home"
        state = home / ".local/state"
        state.mkdir(parents=True)
        (state / "limn").symlink_to(server.folder.name)
        write_png(home / "photo.jpg", 64, 48, lambda x, y: (x * 4, y * 5, 128))
        write_png(home / "painting.jpg", 64, 64, lambda x, y: (x * y % 256, x * 4, y * 4))
        script = "\n".join(blocks).replace("127.0.0.1:8080", f"127.0.0.1:{server.port}")
        result = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script], cwd=home, capture_output=True, text=True,
            timeout=240, env={"HOME": str(home), "PATH": os.environ["PATH"]}, check=False)
        said = result.stdout + result.stderr
        checks.expect(result.returncode == 0, f"the examples end with {result.returncode}")
        for expected in ("event: state", '"state":"done"', "did you mean 'style.weight'?", "\nok\n",
                         "\ndone\n", "\ntexture\n", "\n5\n"):
            checks.expect(expected in said, f"no {expected!r} in what they said")
        for name, start in (("out.png", b"\x89PNG"), ("out.jpg", b"\xff\xd8"), ("out.tif", b"II*"),
                            ("first-bytes", b"\x89PNG\r\n\x1a\n"), ("openapi.yaml", b"openapi:")):
            path = home / name
            there = path.exists() and path.read_bytes().startswith(start)
            checks.expect(there, f"{name} is not what it should be")
        if checks.failures:
            print(said)
        jobs = server.json("GET", "/api/v1/jobs")[1]["jobs"]
        checks.expect(len(jobs) == 2, f"{len(jobs)} jobs are left, not 2")
    print(f"{len(blocks)} examples, {checks.failures} failures")
    return 1 if checks.failures else 0


if __name__ == "__main__":
    sys.exit(main())
