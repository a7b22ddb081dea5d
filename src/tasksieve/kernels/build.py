"""Compiling a source file of this package into a shared library, once for each machine."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tasksieve.variables import kernels_wanted

FLAGS = (
    *("-O3", "-march=native", "-std=c++17", "-shared", "-fPIC"),
    # Sums may be reordered into vectors; infinities and NaNs keep their meaning.
    *("-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-fassociative-math", "-fno-signed-zeros"),
    "-freciprocal-math",
)
HEADERS = ("row.hpp", "exponential.hpp", "hops.hpp", "candidates.hpp", "ragged.hpp")
_disabled = False


@contextlib.contextmanager
def disabled() -> Iterator[None]:
    """Within this context torch operations are used throughout, as on a machine without a compiler."""
    global _disabled
    before, _disabled = _disabled, True
    try:
        yield
    finally:
        _disabled = before


def switched_off() -> bool:
    """Whether compiled pieces are unwanted now.

    Raises: UserError: if the user's environment says neither that they are nor that they are not.
    """
    return _disabled or not kernels_wanted()


@functools.cache
def compiler() -> str | None:
    """The C++ compiler: ``$CXX``, or the first of c++, g++ and clang++ on the path; None if there is none."""
    names = (os.environ.get("CXX", ""), "c++", "g++", "clang++")
    return next((found for name in names if name and (found := shutil.which(name))), None)


@functools.cache
def library(source: str, *definitions: str) -> ctypes.CDLL | None:
    """The compiled source file with these definitions; None where it cannot be built.

    Args:
        source: a file of this package.
        definitions: such as ``DIM=20``.
    """
    command = compiler()
    if command is None or os.name != "posix":
        return None
    here = Path(__file__).parent
    text = "".join((here / name).read_text(encoding="utf-8") for name in (*HEADERS, source))
    arguments = (*FLAGS, *(f"-D{definition}" for definition in definitions))
    key = hashlib.sha256("\n".join((text, *arguments, command, _machine())).encode()).hexdigest()[:24]
    for folder in _folders():
        path = folder / f"{Path(source).stem}-{key}.so"
        try:
            if not path.exists():
                _compile([command, *arguments, str(here / source)], path)
            return ctypes.CDLL(str(path))
        except (OSError, subprocess.SubprocessError):
            continue
    return None


def _compile(command: list[str], path: Path) -> None:
    """Build beside the place and move there whole, so that processes at the same work do not meet."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        built = Path(scratch, "built.so")
        subprocess.run([*command, "-o", str(built)], check=True, capture_output=True)
        built.replace(path)


def _folders() -> Iterator[Path]:
    """The user's cache, or a folder of this process if that cannot be written."""
    with contextlib.suppress(RuntimeError):  # where nobody knows the user's home
        yield Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "tasksieve", "kernels")
    yield Path(_scratch().name)


@functools.cache
def _scratch() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="tasksieve-kernels-")


def _machine() -> str:
    """What ``-march=native`` depends on: a cache may be shared by machines of different kinds."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.platform()
    kinds = ("flags", "Features", "model name")
    return platform.machine() + "".join(sorted({line for line in lines if line.startswith(kinds)}))
