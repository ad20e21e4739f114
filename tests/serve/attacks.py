#!/usr/bin/env python3
"""What strangers and bad networks do to limn serve, and what a good client notices of it.

    attacks.py LIMN [--long] [--seconds N]

First the doors: no token, a wrong Host or Origin, addresses that are tricks. Then, one kind after
the other and at last all at once, attacks by a process of their own, while a good client measures
its answers' time and the server's memory. It fails if the 99th of a hundred answers takes longer
than 100 ms (half a second in the short form, which runs beside other tests), if the server takes
50 MB more than when it was idle, or if an answer is wrong. Prints the figures. --long: 200 drippers
and a minute for each kind; the short form takes less than half a minute. Loopback only.
"""
import json
import multiprocessing
import re
import select
import socket
import subprocess
import sys
import threading
import time

from server import Checks, Server

LONG = "--long" in sys.argv
SECONDS = 60 if LONG else 1  # for each kind of attack
if "--seconds" in sys.argv:
    SECONDS = float(sys.argv[sys.argv.index("--seconds") + 1])
DRIPPERS = 200 if LONG else 60
MOST_GROWTH = 50e6
SLOWEST = 0.1 if LONG else 0.5


# ------------------------------------------------------------------------------------- the doors --

def knock_without_token(server, checks):
    """No route and no method says more than 401, but for whether the server answers, and for the
    page's files, of which the page that asks for the token has its style."""
    unlocked = {"/healthz": 200, "/page/" + "0" * 32: 404}
    table = json.loads(subprocess.run([server.limn, "serve", "routes"], check=True,
                                      capture_output=True, text=True).stdout)
    paths = {re.sub(r"\{\w+\}", "0" * 32, route["path"]) for route in table["routes"]}
    wrong = "f" * len(server.token)
    asked = 0
    for path in sorted(paths | {"/unknown", "/api/v1/jobs/x/y/z", "/?token=" + wrong}):
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
            for fields in ({}, {"Authorization": "Bearer " + wrong},
                           {"Cookie": f"limn-token-{server.port}={wrong}"}):
                status, _, body = server.ask(method, path, headers=fields, token=False)
                asked += 1
                wanted = unlocked.get(path, 401) if method in ("GET", "HEAD") else 401
                checks.expect(status == wanted, f"{method} {path}: {status}")
                checks.expect(server.token.encode() not in body, f"{method} {path}: the token!")
    print(f"without the token: {asked} requests, none answered")


def come_from_elsewhere(server, checks):
    own = f"127.0.0.1:{server.port}"
    for host in ("evil.example", f"evil.example:{server.port}", "127.0.0.1.evil.example", "[::2]"):
        for path in ("/", "/healthz", "/api/v1/jobs"):
            status, _, _ = server.ask("GET", path, headers={"Host": host})
            checks.expect(status == 403, f"Host {host}, {path}: {status}")
    for origin in ("null", "http://evil.example", "http://127.0.0.1:1", f"http://localhost:{own}"):
        for method, path in (("GET", "/api/v1/jobs"), ("POST", "/api/v1/jobs"),
                             ("GET", "/healthz")):
            status, _, _ = server.ask(method, path, headers={"Origin": origin})
            checks.expect(status == 403, f"Origin {origin}, {path}: {status}")
    status, _, _ = server.ask("GET", "/api/v1/jobs", headers={"Origin": f"http://{own}"})
    checks.expect(status == 200, f"its own Origin: {status}")


def try_tricks(server, checks):
    """Addresses that would be files, if anything took them for such."""
    for trick in ("/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd",
                  "/api/v1/jobs/../../../token", "/api/v1/jobs/%2e%2e/result", "/token", "//token",
                  "/api/v1/jobs/..%5c..%5ctoken", "/api/v1/recipes/%2fetc%2fpasswd",
                  "/api/v1/recipes/..%252f..%252ftoken", "/api/v1/jobs/" + "0" * 32 + "/inputs/-1",
                  "/api/v1/jobs/token/result", "/%00", "/\\token"):
        status, _, body = server.ask("GET", trick)
        checks.expect(status in (400, 404), f"{trick}: {status}")
        checks.expect(b"root:" not in body and server.token.encode() not in body, f"{trick}!")


# ----------------------------------------------------------------------------------- the attacks --

def connected(port):
    connection = socket.create_connection(("127.0.0.1", port), timeout=5)
    connection.settimeout(5)
    return connection


def header(token, line, *fields):
    return "\r\n".join([f"{line} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {token}",
                        *fields, "", ""]).encode()


def drip(port, token, until, start, per_connection):
    """Connections that send a byte every 2 s, and come again when they are cut."""
    open_ = []
    while time.monotonic() < until:
        while len(open_) < DRIPPERS:
            try:
                connection = connected(port)
                connection.sendall(start)
                open_.append(connection)
            except OSError:
                break
        for connection in list(open_):
            try:
                if select.select([connection], [], [], 0)[0]:
                    raise OSError("answered, or closed")
                connection.sendall(per_connection)
            except OSError:
                connection.close()
                open_.remove(connection)
        time.sleep(2 if LONG else 0.5)


def drip_headers(port, token, until):
    drip(port, token, until, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ", b"x")


def drip_bodies(port, token, until):
    drip(port, token, until,
         header(token, "POST /api/v1/uploads", "Content-Length: 100000000"), b"x")


def drip_chunks(port, token, until):
    drip(port, token, until,
         header(token, "POST /api/v1/uploads", "Transfer-Encoding: chunked"), b"1\r\nx\r\n")


def pour(port, until, start, piece):
    """Sends without end until it is cut; again and again."""
    while time.monotonic() < until:
        try:
            with connected(port) as connection:
                connection.sendall(start)
                for _ in range(1600):
                    if time.monotonic() > until:
                        return
                    connection.sendall(piece)
        except OSError:
            pass


def many_headers(port, token, until):
    pour(port, until, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"A: b\r\n" * 100_000)


def long_line(port, token, until):
    pour(port, until, b"GET /", b"a" * (1 << 16))


def long_field(port, token, until):
    pour(port, until, b"GET / HTTP/1.1\r\nHost: ", b"a" * (1 << 16))


def endless_chunks(port, token, until):
    pour(port, until, header(token, "POST /api/v1/jobs", "Content-Type: application/json",
                             "Transfer-Encoding: chunked"), b"10000\r\n" + b" " * 65536 + b"\r\n")


def endless_upload(port, token, until):
    pour(port, until, header(token, "POST /api/v1/uploads", "Transfer-Encoding: chunked"),
         b"10000\r\n" + b"x" * 65536 + b"\r\n")


def endless_extension(port, token, until):
    pour(port, until, header(token, "POST /api/v1/uploads", "Transfer-Encoding: chunked") + b"1;",
         b"x" * 65536)


def endless_form(port, token, until):
    part = (b"--B\r\nContent-Disposition: form-data; name=\"client\"\r\n\r\n" + b"x" * 60000 +
            b"\r\n")
    pour(port, until, header(token, "POST /api/v1/jobs", "Transfer-Encoding: chunked",
                             "Content-Type: multipart/form-data; boundary=B"),
         f"{len(part):x}\r\n".encode() + part + b"\r\n")


def read_nothing(port, token, until):
    """Follows events, and asks for the list on and on, and reads none of it."""
    open_ = []
    while time.monotonic() < until:
        for i in range(20):
            try:
                connection = connected(port)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                one = header(token, "GET /api/v1/jobs?limit=200")
                events = header(token, "GET /api/v1/events?after=0")
                connection.sendall(events if i % 2 else one * 50)
                open_.append(connection)
            except OSError:
                break
        time.sleep(1)
        for connection in open_[:-100]:
            connection.close()
        open_ = open_[-100:]


def say_nothing(port, token, until):
    """Connections that are opened and left."""
    open_ = []
    while time.monotonic() < until:
        try:
            connection = connected(port)
            connection.sendall(b"GET" if len(open_) % 2 else b"\r")
            open_.append(connection)
        except OSError:
            time.sleep(0.1)
        if len(open_) > DRIPPERS:
            open_.pop(0).close()
        time.sleep(0.01)


ATTACKS = (drip_headers, drip_bodies, drip_chunks, many_headers, long_line, long_field,
           endless_chunks, endless_upload, endless_extension, endless_form, read_nothing,
           say_nothing)


def attack(names, port, token, until):
    """The attackers' process: a thread each."""
    threads = [threading.Thread(target=globals()[name], args=(port, token, until), daemon=True)
               for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0, until - time.monotonic()) + 10)


# ------------------------------------------------------------------------------- the good client --

def be_good(server, checks, until):
    """Asks now and then, each time on a new connection; returns the seconds each answer took."""
    times = []
    while time.monotonic() < until and server.process.poll() is None:
        for path in ("/healthz", "/api/v1/jobs?limit=5"):
            start = time.monotonic()
            try:
                status, _, _ = server.ask("GET", path, timeout=10)
            except OSError as error:
                status = str(error)
            times.append(time.monotonic() - start)
            checks.expect(status == 200, f"the good client got {status} for {path}")
        time.sleep(0.02)
    return sorted(times)


def withstand(server, checks, names, idle):
    until = time.monotonic() + SECONDS
    attackers = multiprocessing.Process(target=attack,
                                        args=(names, server.port, server.token, until))
    attackers.start()
    times = be_good(server, checks, until)
    grown = server.memory() - idle
    attackers.join(15)
    if attackers.is_alive():
        attackers.kill()
        attackers.join()
    ended = server.process.poll()
    if ended is not None:
        raise SystemExit(f"{names}: the server has ended with {ended}: "
                         f"{server.process.stderr.read()[-2000:]}")
    last = times[int(len(times) * 0.99)]
    label = names[0] if len(names) == 1 else "all at once"
    print(f"{label:18} {len(times):6} answers, p50 {times[len(times) // 2] * 1e3:6.1f} ms, "
          f"p99 {last * 1e3:6.1f} ms, memory {grown / 1e6:+6.1f} MB", flush=True)
    checks.expect(last < SLOWEST, f"{label}: p99 is {last * 1e3:.0f} ms")
    checks.expect(grown < MOST_GROWTH, f"{label}: the server took {grown / 1e6:.0f} MB more")


def main():
    checks = Checks()
    with Server(sys.argv[1], "--max-upload", "10M", "--connections", "1024") as server:
        knock_without_token(server, checks)
        come_from_elsewhere(server, checks)
        try_tricks(server, checks)
        for _ in range(50):  # something to list
            server.json("POST", "/api/v1/uploads")
        _, upload = server.json("POST", "/api/v1/uploads", {"not": "a picture"})
        for _ in range(200):
            server.json("POST", "/api/v1/jobs", {"photo": upload["id"], "painting": upload["id"]})
        be_good(server, checks, time.monotonic() + 1)
        idle = server.memory()
        print(f"idle: {idle / 1e6:.1f} MB")
        for kind in ATTACKS:
            withstand(server, checks, [kind.__name__], idle)
        withstand(server, checks, [kind.__name__ for kind in ATTACKS], idle)
        time.sleep(1)
        checks.expect(server.ask("GET", "/healthz")[0] == 200, "it does not answer any more")
        code, seconds = server.stop()
        checks.expect(code == 0, f"it ended with {code}")
        checks.expect(seconds < 15, f"it took {seconds:.0f} s to end")
        print(f"stopped in {seconds:.1f} s; {checks.failures} failures")
    return 1 if checks.failures else 0


if __name__ == "__main__":
    sys.exit(main())
