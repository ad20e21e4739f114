"""Builds the Python module by CMake: pip install .

The module then holds the whole library. Offline, with Debian's packages ([build] and [python] of
packages.txt): pip install --no-build-isolation --no-index .
CMAKE_ARGS is passed on to CMake.
"""
import os
import pathlib
import re
import shlex
import subprocess
import sys

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = pathlib.Path(__file__).resolve().parent
VERSION = re.search(r"project\(limn VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text())[1]


class CMakeBuild(build_ext):
    """Has CMake build and install the whole package, where setuptools looks for the extension."""

    def build_extension(self, ext):
        build = pathlib.Path(self.build_temp).resolve()
        prefix = pathlib.Path(self.get_ext_fullpath(ext.name)).resolve().parent.parent
        options = {"CMAKE_BUILD_TYPE": "Release", "Python_EXECUTABLE": sys.executable,
                   "LIMN_PYTHON_WHOLE": "ON", "LIMN_PYTHON_DIR": ".", "LIMN_UNITY": "ON",
                   "LIMN_BUILD_TESTS": "OFF", "LIMN_SERVE": "OFF", "LIMN_MPI": "OFF"}
        self.cmake("-S", str(ROOT), "-B", str(build),
                   *(f"-D{name}={value}" for name, value in options.items()),
                   *shlex.split(os.environ.get("CMAKE_ARGS", "")))
        self.cmake("--build", str(build), "--target", "python_module", "--parallel",
                   str(self.parallel or os.cpu_count()))
        self.cmake("--install", str(build), "--component", "python", "--prefix", str(prefix))

    @staticmethod
    def cmake(*arguments):
        subprocess.run(["cmake", *arguments], check=True)


setup(version=VERSION, ext_modules=[Extension("limn._limn", sources=[])],
      cmdclass={"build_ext": CMakeBuild})
