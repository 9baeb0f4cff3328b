"""Finding a clang and a wasm-ld that can build guests.

They come from ``PATH`` or from the ``ziglang`` wheel, which carries both.  Nothing is asked of them but what plain LLVM
has: no sysroot, no driver configuration, no compiler-rt.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import shutil
import subprocess
import sys

from lindref import classes

OLDEST_CLANG = 18
"""The first clang whose output the kit's setjmp support knows."""

NEWEST_NAMED = 22
"""``clang-22`` … ``clang-18`` are looked for, besides plain ``clang``."""

INSTALL_HINT = (
    "lindref cc: no clang and wasm-ld (LLVM 18 or newer) found: run `pip install ziglang`, "
    "or install your system's clang and lld"
)


class GuestBuildError(Exception):
    """A guest could not be built; the message is one line for the user."""

    def __init__(self, message: str, status: int = 1) -> None:
        """``status`` is the exit status that fits: 2 for wrong usage or a missing tool, 1 for a failed step."""
        super().__init__(message)
        self.status = status


@classes.frozen
class Toolchain:
    """A compiler and a linker as command prefixes."""

    clang: tuple[str, ...]
    """Words that start clang."""

    linker: tuple[str, ...]
    """Words that start wasm-ld."""

    version: str
    """First line of ``clang --version``: part of the cache key of the compiled kit."""

    major: int
    """LLVM's major version."""


def _clang_version(command: tuple[str, ...]) -> tuple[str, int] | None:
    """The version line and the major number, or None when this is no usable clang."""
    try:
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    line = done.stdout.partition("\n")[0].strip()
    found = re.search(r"clang version (\d+)\.", line)
    if done.returncode != 0 or found is None or "Apple" in line:
        return None
    return line, int(found.group(1))


def _knows_wasm(command: tuple[str, ...]) -> bool:
    """Whether this clang was built with the WebAssembly back end."""
    probe = [*command, "--target=wasm32", "-nostdinc", "-x", "c", "-S", "-o", os.devnull, os.devnull]
    return subprocess.run(probe, capture_output=True, timeout=60, check=False).returncode == 0


def _on_path(name: str) -> list[str]:
    """The program under its plain name and its versioned ones, those that exist, newest first."""
    names = [name, *(f"{name}-{number}" for number in range(NEWEST_NAMED, OLDEST_CLANG - 1, -1))]
    return [found for each in names if (found := shutil.which(each)) is not None]


def _from_environment() -> Toolchain | None:
    """What ``LINDREF_CLANG`` and ``LINDREF_WASM_LD`` name, when both are set."""
    clang, linker = os.environ.get("LINDREF_CLANG"), os.environ.get("LINDREF_WASM_LD")
    if not clang or not linker:
        return None
    words = tuple(clang.split())
    version = _clang_version(words)
    if version is None:
        raise GuestBuildError(f"lindref cc: LINDREF_CLANG={clang}: does not answer like clang", 2)
    return Toolchain(words, tuple(linker.split()), *version)


def _from_path() -> Toolchain | None:
    """The first clang on PATH that is new enough and knows wasm, with a wasm-ld beside it."""
    linkers = _on_path("wasm-ld")
    if not linkers:
        return None
    for clang in _on_path("clang"):
        version = _clang_version((clang,))
        if version is not None and version[1] >= OLDEST_CLANG and _knows_wasm((clang,)):
            return Toolchain((clang,), (linkers[0],), *version)
    return None


def _from_wheel() -> Toolchain | None:
    """The ``ziglang`` wheel of this Python."""
    spec = importlib.util.find_spec("ziglang")
    if spec is None or spec.origin is None:
        return None
    program = shutil.which("zig", path=os.path.dirname(spec.origin))
    zig = (program,) if program else (sys.executable, "-m", "ziglang")
    version = _clang_version((*zig, "clang"))
    if version is None or version[1] < OLDEST_CLANG:
        return None
    return Toolchain((*zig, "clang"), (*zig, "wasm-ld"), *version)


def find_toolchain() -> Toolchain:
    """The tools to use: named by the environment, else from PATH, else from the wheel.

    Raises:
        GuestBuildError: there are none; the message says what to install.
    """
    return _find(*(os.environ.get(name) for name in ("LINDREF_CLANG", "LINDREF_WASM_LD", "PATH")))


@functools.lru_cache(maxsize=4)
def _find(*environment: str | None) -> Toolchain:
    """What is found in an environment is found there again."""
    del environment
    found = _from_environment() or _from_path() or _from_wheel()
    if found is None:
        raise GuestBuildError(INSTALL_HINT, 2)
    return found
