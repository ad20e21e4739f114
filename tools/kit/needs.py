"""What a tool needs and a machine may lack. A tool that lacks something says so and ends with 77,
which ctest shows as "skipped"."""

import importlib.util
import pathlib
import sys

SKIPPED = 77


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def has_module(name):
    """Whether there is this Python module. Without importing it."""
    return importlib.util.find_spec(name) is not None


def modules(*names):
    """Looks for Python modules."""
    for name in names:
        if not has_module(name):
            skip(f"the Python module {name} is not installed")


def scipy_version():
    """For what is printed. Debian's SciPy and the Boost that limn serve needs exclude each other
    (packages.txt), so the tools that can do without it leave out a part and say so."""
    if not has_module("scipy"):
        return "none"
    import scipy
    return scipy.__version__


def files(**options):
    """Looks for the file that each option names."""
    for name, path in options.items():
        flag = "--" + name.replace("_", "-")
        if path is None:
            skip(f"no {flag} given")
        if not pathlib.Path(path).is_file():
            skip(f"there is no file {path} ({flag})")


def hdf5(path):
    modules("h5py")
    import h5py
    if not h5py.is_hdf5(path):
        skip(f"{path} is not an HDF5 file")
