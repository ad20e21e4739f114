"""What a tool needs and a machine may lack. A tool that lacks something says so and ends with 77,
which ctest shows as "skipped"."""

import importlib.util
import pathlib
import sys

SKIPPED = 77


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def modules(*names):
    """Looks for Python modules without importing them."""
    for name in names:
        if importlib.util.find_spec(name) is None:
            skip(f"the Python module {name} is not installed")


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
