"""The reference machine beside pywasm: six small programs, one table, millions of instructions a second.

Both engines do the same work in the same run, alternating, and the best of several is taken: the machine may be busy.
An instruction counts once where the reference machine executes it; ``block``, ``loop`` and ``end`` inside a function
are not counted.
"""

from __future__ import annotations

import math
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from lindref.vm.link import instantiate
from lindref.vm.machine import Machine
from lindref.vm.outcomes import Returned, Stepped
from lindref.vm.store import Store
from lindref.vm.values import FuncInst
from lindref.wasm.binary.encoder import encode
from lindref.wasm.module import Module
from lindref.wasm.text.parser import parse_module

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


class Engine(Protocol):
    """Something that runs a program: prepares it once, then runs it as often as asked."""

    name: str

    def load(self, module: Module, binary: Path) -> Callable[[int], int]:
        """The program's ``run``; results unsigned."""


class Reference:
    """The reference machine."""

    name = "lindref reference"

    def load(self, module: Module, binary: Path) -> Callable[[int], int]:  # noqa: ARG002 (the engines' interface)
        """See ``Engine``."""
        store = Store()
        func = instantiate(store, module, {}).export("run")
        assert isinstance(func, FuncInst)

        def run(n: int) -> int:
            machine = Machine(store)
            machine.call(func, [n])
            outcome = machine.run()
            assert isinstance(outcome, Returned), outcome
            return int(outcome.values[0])

        return run


class Pywasm:
    """pywasm, the other interpreter in pure Python."""

    name = "pywasm"

    def load(self, module: Module, binary: Path) -> Callable[[int], int]:  # noqa: ARG002 (the engines' interface)
        """See ``Engine``."""
        import pywasm

        runtime = pywasm.core.Runtime()
        instance = runtime.instance_from_file(str(binary))
        return lambda n: int(runtime.invocate(instance, "run", [n])[0]) & 0xFFFF_FFFF


def engines() -> list[Engine]:
    """The engines that are installed."""
    found: list[Engine] = [Reference()]
    try:
        import pywasm  # noqa: F401
    except ImportError:
        sys.stderr.write("pywasm is not installed: nothing to compare with (pip install pywasm)\n")
    else:
        found.append(Pywasm())
    return found


def count(module: Module, n: int) -> int:
    """How many instructions ``run(n)`` executes, to the nearest 1000."""
    store = Store()
    func = instantiate(store, module, {}).export("run")
    assert isinstance(func, FuncInst)
    machine = Machine(store)
    machine.call(func, [n])
    portions = 1
    while isinstance(machine.run(steps=1000), Stepped):
        portions += 1
    return portions * 1000


def measure(name: str, repeat: int, found: list[Engine]) -> dict[str, float]:
    """Millions of instructions a second, for each engine."""
    module = parse_module((PROGRAMS / f"{name}.wat").read_bytes())
    n, expected = WORK[name]
    instructions = count(module, n)
    best = dict.fromkeys((engine.name for engine in found), math.inf)
    with tempfile.TemporaryDirectory() as folder:
        binary = Path(folder) / f"{name}.wasm"
        binary.write_bytes(encode(module))
        runs = {engine.name: engine.load(module, binary) for engine in found}
        for _ in range(repeat):
            for engine, run in runs.items():
                begun = time.perf_counter()
                result = run(n)
                best[engine] = min(best[engine], time.perf_counter() - begun)
                if result != expected:
                    raise SystemExit(f"{engine}: {name}({n}) is {result:#x}, not {expected:#x}")
    return {engine: instructions / seconds / 1e6 for engine, seconds in best.items()}


def mean(values: list[float]) -> float:
    """The geometric mean."""
    return math.exp(sum(map(math.log, values)) / len(values))


def table(programs: list[str], repeat: int) -> dict[str, dict[str, float]]:
    """Measures and prints; the rows by program, ``mean`` the last."""
    found = engines()
    rows = {name: measure(name, repeat, found) for name in programs}
    names = [engine.name for engine in found]
    rows["geometric mean"] = {name: mean([row[name] for row in rows.values()]) for name in names}
    print(f"{'million instructions/s':24}" + "".join(f"{name:>20}" for name in names) + f"{'ratio':>10}")
    for label, row in rows.items():
        ratio = f"{row[names[0]] / row[names[-1]]:9.1f}x" if len(names) > 1 else ""
        print(f"{label:24}" + "".join(f"{row[name]:20.2f}" for name in names) + f"{ratio:>10}")
    return rows
