#!/usr/bin/env python3
"""An HTTP server for the tests of limn model fetch: a folder's files, with the faults of real ones.

    serve_ranges.py FOLDER PORT_FILE LOG

It takes a free port of 127.0.0.1, writes its number to PORT_FILE, and for each request a line to
LOG: "/path bytes=100-" (or "/path -" without a range). The first part of a path says how the file
that the rest names is served:

    /plain/F      as asked, ranges too           /noranges/F   always whole
    /half/F       half of what was asked, then the connection ends
    /drip/F       a quarter at once, the rest for ever a byte at a time
    /shifted/F    a range that begins one byte later than was asked for
    /endless/F    zeros without end, no length   /chunked/F    whole, no length
    /page/F       200 and a web page             /404/F        404 and a web page
    /to/N/F       on to /plain/F after N redirects
    /off/URL      on to another URL, percent-encoded
"""
import http.server
import pathlib
import re
import sys
import time
import urllib.parse

FOLDER, PORT_FILE, LOG = map(pathlib.Path, sys.argv[1:4])
PAGE = b"<!DOCTYPE html><html><body>Please log in.</body></html>"


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        """Nothing to standard error: LOG has what tests ask for."""

    def answer(self, code, headers, body=b""):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        with LOG.open("a", encoding="utf-8") as log:
            log.write(f"{self.path} {self.headers.get('Range', '-')}\n")
        _, way, rest = self.path.split("/", 2)
        if way == "off":
            self.answer(302, {"Location": urllib.parse.unquote(rest)})
        elif way == "to":
            count, name = rest.split("/", 1)
            onward = f"/to/{int(count) - 1}/{name}" if int(count) > 1 else f"/plain/{name}"
            self.answer(302, {"Location": onward}, PAGE)
        elif way in ("page", "404"):
            self.answer(200 if way == "page" else 404, {"Content-Length": len(PAGE)}, PAGE)
        elif way == "endless":
            self.answer(200, {})
            while True:
                self.wfile.write(bytes(65536))
        else:
            self.serve_file(way, (FOLDER / pathlib.Path(rest.split("?")[0]).name).read_bytes())

    def serve_file(self, way, data):
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if wanted is None or way in ("noranges", "chunked"):
            headers = {} if way == "chunked" else {"Content-Length": len(data)}
            self.answer(200, headers)
        else:
            begin = int(wanted[1]) + (way == "shifted")
            if begin >= len(data):
                self.answer(416, {"Content-Range": f"bytes */{len(data)}", "Content-Length": 0})
                return
            total = len(data)
            data = data[begin:]
            self.answer(206, {"Content-Length": len(data),
                              "Content-Range": f"bytes {begin}-{total - 1}/{total}"})
        if way == "half":
            data = data[:len(data) // 2]
        if way == "drip":
            quarter = len(data) // 4
            self.wfile.write(data[:quarter])
            for byte in data[quarter:]:
                self.wfile.write(bytes([byte]))
                time.sleep(0.05)
        else:
            self.wfile.write(data)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """That a client goes away in the middle is what some tests are about."""


server = Server(("127.0.0.1", 0), Handler)
PORT_FILE.with_suffix(".new").write_text(str(server.server_port), encoding="utf-8")
PORT_FILE.with_suffix(".new").rename(PORT_FILE)
server.serve_forever()
