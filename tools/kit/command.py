"""What the tools' command lines have in common."""

import argparse
import contextlib
import functools
import pathlib
import sys

PROJECT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = PROJECT / "examples"
INTERRUPTED = 130

say = functools.partial(print, flush=True)


class Failure(Exception):
    """Something went wrong that is no mistake of the tool's; the text says what."""


def parser(documentation):
    """A parser whose help is the tool's own documentation."""
    return argparse.ArgumentParser(description=documentation,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)


def example_parser(documentation, out):
    """A parser for a tool that paints one example with limn: writes to `out`, puts a table into a
    page, and a sheet where it is told, or beside the rest."""
    its = parser(documentation)
    add = its.add_argument
    add("--limn", required=True, type=existing_file, metavar="PROGRAM")
    add("--photo", type=existing_file, metavar="FILE", default=EXAMPLES / "photos" / "harbour.jpg")
    add("--painting", type=existing_file, metavar="FILE",
        default=EXAMPLES / "paintings" / "oil.jpg")
    add("--out", type=pathlib.Path, default=pathlib.Path(out), metavar="FOLDER")
    add("--markdown", type=pathlib.Path, metavar="FILE")
    add("--sheet", type=pathlib.Path, metavar="FILE.jpg", help="FOLDER/sheet.jpg")
    return its


def existing_file(text):
    path = pathlib.Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"there is no file '{text}'")
    return path


def need_files(*paths):
    """Raises ValueError unless all are there."""
    for path in paths:
        if not pathlib.Path(path).is_file():
            raise ValueError(f"there is no file '{path}'")


@contextlib.contextmanager
def usage_checked(parser):
    """What goes wrong here is bad usage."""
    try:
        yield
    except (ValueError, OSError) as error:
        parser.error(str(error))


def pairs_of(words):
    """["a=1", "b=2"] -> {"a": "1", "b": "2"}; what has no '=' stands for nothing."""
    return dict(word.partition("=")[::2] for word in words)


@contextlib.contextmanager
def errors_told():
    """Ends the program with a sentence where the user or the machine is at fault."""
    try:
        yield
    except KeyboardInterrupt:
        print("\ninterrupted; give the same command to go on", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except (Failure, ValueError, OSError, ArithmeticError) as error:
        sys.exit(f"error: {error}")
