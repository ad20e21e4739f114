#!/usr/bin/env python3
"""Runs the tests of the Python module, or those that arguments of pytest name. Ends with 77, which
ctest takes for skipped, where pytest is absent."""
import importlib.util
import pathlib
import sys

for needed in ("pytest", "numpy", "PIL"):
    if importlib.util.find_spec(needed) is None:
        print(f"skipped: Python has no module '{needed}' (packages.txt, [test] and [python])")
        sys.exit(77)

import pytest

sys.dont_write_bytecode = True
named = [word for word in sys.argv[1:] if not word.startswith("-")]
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:doctest",
                      *sys.argv[1:], *([] if named else [str(pathlib.Path(__file__).parent)])]))
