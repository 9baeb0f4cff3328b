"""What runs the six small programs: lindref's tiers, the same by hand, and the engines that are installed beside it.

An engine prepares a program once and then runs it as often as asked. Which of them there are depends on what is
installed; what is not is said by ``missing``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import lindref
from benchmarks import hand

PROGRAMS = Path(__file__).parent / "programs"

#: Program -> (argument, expected result); each is between 0.2 and 2.2 million instructions.
WORK: dict[str, tuple[int, int]] = {
    "fib": (20, 6765),
    "sieve": (30_000, 3245),
    "crc32": (65_536, 0x7FAA50D3),
    "xorshift": (20_000, 0xD696D7F0),
    "nbody": (1_000, 0xFFA14650),
    "indirect": (30_000, 0x480CA6A6),
}

Run = Callable[[int], int]


class Engine(Protocol):
    """Something that runs a program."""

    name: str
    fast: bool
    """So fast that a program must be run many times to take a time at all."""

    def load(self, program: str, binary: Path) -> Run:
        """The program's ``run``; its results may be signed or not."""


class Lindref:
    """One of lindref's tiers, as a user gets it."""

    fast = False

    def __init__(self, tier: str) -> None:
        self.tier = tier
        self.name = f"lindref {tier}"

    def load(self, program: str, binary: Path) -> Run:
        """See ``Engine``."""
        del program
        run: Run = lindref.instantiate(lindref.Module.from_file(binary), {}, engine=self.tier).exports["run"]
        return run


class ByHand:
    """The program as a person writes it in Python."""

    name = "by hand"
    fast = False

    def load(self, program: str, binary: Path) -> Run:
        """See ``Engine``."""
        del binary
        run: Run = getattr(hand, program)
        return run


class Pywasm:
    """pywasm, an interpreter in pure Python."""

    name = "pywasm"
    fast = False

    def load(self, program: str, binary: Path) -> Run:
        """See ``Engine``."""
        import pywasm

        del program
        runtime = pywasm.core.Runtime()
        instance = runtime.instance_from_file(str(binary))
        return lambda n: int(runtime.invocate(instance, "run", [n])[0])


class Ppci:
    """ppci, which translates a module to Python as a whole."""

    name = "ppci"
    fast = False

    def load(self, program: str, binary: Path) -> Run:
        """See ``Engine``."""
        from ppci.wasm import Module, instantiate

        del program
        instance = instantiate(Module(binary.read_bytes()), imports={}, target="python")
        run: Run = instance.exports["run"]
        return run


class Pywasm3:
    """wasm3, an interpreter in C."""

    name = "pywasm3"
    fast = True

    def load(self, program: str, binary: Path) -> Run:
        """See ``Engine``."""
        import wasm3

        del program
        runtime = wasm3.Environment().new_runtime(65536)
        runtime.load(wasm3.Environment().parse_module(binary.read_bytes()))
        run: Run = runtime.find_function("run")
        return run


class Wasmtime:
    """wasmtime, a compiler to machine code."""

    name = "wasmtime"
    fast = True

    def load(self, program: str, binary: Path) -> Run:
        """See ``Engine``."""
        import wasmtime

        del program
        store = wasmtime.Store()
        module = wasmtime.Module.from_file(store.engine, str(binary))
        run = wasmtime.Instance(store, module, []).exports(store)["run"]
        return lambda n: int(run(store, n))


REFERENCE, COMPILED, HAND = Lindref("reference"), Lindref("compiled"), ByHand()

#: Engine -> the module that it needs; compared with, or only reported.
OTHERS: dict[Engine, str] = {Pywasm(): "pywasm", Ppci(): "ppci.wasm", Pywasm3(): "wasm3", Wasmtime(): "wasmtime"}


def has_compiled_tier() -> bool:
    """Whether this lindref has a compiled tier."""
    try:
        lindref.instantiate(lindref.Module.from_text("(module)"), {}, engine="compiled")
    except ValueError:
        return False
    return True


def present() -> list[Engine]:
    """The engines there are, lindref's first."""
    own: list[Engine] = [REFERENCE, *([COMPILED] if has_compiled_tier() else []), HAND]
    return own + [engine for engine, module in OTHERS.items() if not _why_not(module)]


def missing() -> list[str]:
    """What is not there, one line each."""
    lines = [] if has_compiled_tier() else ["this lindref has no compiled tier"]
    for engine, module in OTHERS.items():
        if why := _why_not(module):
            lines.append(f"{engine.name} is left out: {why} (pip install '.[bench]')")
    return lines


def _why_not(module: str) -> str:
    """Why a module cannot be imported; empty if it can."""
    try:
        importlib.import_module(module)
    except ImportError as error:
        return str(error)
    return ""
