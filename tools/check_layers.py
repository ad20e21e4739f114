#!/usr/bin/env python3
"""Checks that includes run one way, and that libraries stay behind their doors.

The layers, each including only itself and what stands to its left:

    limn.h <- base <- containers <- image <- kernels <- network <- weights
           <- recipe <- optimise <- canvas <- losses <- paint                       (src/)
           <- ranks <- show <- models <- request <- batch <- jobs <- work <- serve <- commands
           <- main.cc                                                               (app/)

The Python module (python/) is like a program that links the library: it includes the public headers
and, besides, the list of settings. And the libraries that only some files may know. Prints each
offence; exits 1 if there is any.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LAYERS = ["limn", "base", "containers", "image", "kernels", "network", "weights",
          "recipe", "optimise", "canvas", "losses", "paint",
          "ranks", "show", "models", "request", "batch", "jobs", "work", "serve", "commands",
          "main.cc"]

# The start of an included name -> the files that may include it.
DOORS = {
    "hwy/": r"src/kernels/.*(\.cc|-inl\.h)|src/base/parallel\.cc|tests/support/.*",
    "vips/": r"src/image/.*|tests/image/.*",
    "libxml/": r"src/image/xmp\.cc|tests/image/.*",
    "hdf5.h": r"tests/weights/.*",
    "zlib.h": r"src/containers/.*|tests/.*",
    "toml++/": r"src/recipe/recipe\.cc",
    "openssl/": r"src/base/digest\.cc",
    "zip.h": r"src/containers/zip_file\.cc|tests/.*",
    "CLI/": r"app/.*|tools/.*|packaging/commands/.*",
    "seccomp.h": r"app/work/system_calls\.cc",
    "curl/": r"app/models/fetch\.cc|app/commands/http_client\.cc",
    "sqlite3.h": r"app/jobs/sqlite\.cc|tests/jobs/.*",
    "pqxx/": r"app/jobs/postgresql\.cc|tests/jobs/.*",
    "boost/": r"app/serve/(server\.cc|session\.(cc|h))",
    "mpi.h": r"app/ranks/launched\.cc",
    "gtest/": r"tests/.*",
    "pybind11/": r"python/.*",
}
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.MULTILINE)


def layer_of_file(path):
    """The layer that a source file belongs to, or None for others, which may see all."""
    parts = path.relative_to(ROOT).parts
    if parts[0] == "include":
        return "limn"
    return parts[1] if parts[0] in ("src", "app") else None


def layer_of_include(name):
    """The layer that an included name belongs to, or None for other libraries."""
    if name.startswith("limn/"):
        return "limn"
    first = name.split("/")[0]
    return first if "/" in name and first in LAYERS else None


def offences_of(path):
    """The sentences to be said about one file."""
    relative = path.relative_to(ROOT).as_posix()
    layer = layer_of_file(path)
    if layer is not None and layer not in LAYERS:
        yield f"{relative}: '{layer}' is no layer of the design; add it to LAYERS or move the file"
        return
    for name in INCLUDE.findall(path.read_text(encoding="utf-8")):
        included = layer_of_include(name)
        if layer and included and LAYERS.index(included) > LAYERS.index(layer):
            yield f"{relative}: includes {name}, which stands to the right of '{layer}'"
        if layer == "limn" and name.endswith(".h") and included != "limn":
            yield (f"{relative}: the public header includes {name}; it may use the standard "
                   "library only")
        if relative.startswith("python/") and included not in (None, "limn") \
                and name != "recipe/fields.h":
            yield f"{relative}: includes {name}, which is not for programs that link the library"
        for door, allowed in DOORS.items():
            if name.startswith(door) and not re.fullmatch(allowed, relative):
                yield f"{relative}: includes {name}, which only {allowed} may know"


def main():
    files = [path for folder in ("include", "src", "app", "python", "packaging", "tests", "tools")
             for path in sorted((ROOT / folder).rglob("*")) if path.suffix in (".h", ".cc")]
    offences = [sentence for path in files for sentence in offences_of(path)]
    for sentence in offences:
        print(sentence)
    print(f"{len(files)} files, {len(offences)} includes against the layers")
    return 1 if offences or not files else 0


if __name__ == "__main__":
    sys.exit(main())
