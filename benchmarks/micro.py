"""Six small programs on every engine there is: one table of millions of instructions a second.

All engines do the same work in the same run, taking turns, and the best of several counts: the machine may be busy.
An instruction counts once where the reference machine executes it; ``block``, ``loop`` and ``end`` inside a function
are not counted.
"""

from __future__ import annotations

import math
import tempfile
import time
from pathlib import Path

from benchmarks.engines import PROGRAMS, WORK, Engine, Run
from lindref.vm.link import instantiate
from lindref.vm.machine import Machine
from lindref.vm.outcomes import Stepped
from lindref.vm.store import Store
from lindref.vm.values import FuncInst
from lindref.wasm.binary.encoder import encode
from lindref.wasm.module import Module
from lindref.wasm.text.parser import parse_module

#: Program (``MEAN`` last) -> engine -> millions of instructions a second.
Table = dict[str, dict[str, float]]

MEAN = "geometric mean"

#: A fast engine runs a program until so many seconds have passed, at least.
LEAST = 0.02


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


def once(run: Run, n: int, expected: int, *, fast: bool) -> float:
    """Seconds for one run, and a look at its result."""
    times = 0
    begun = time.process_time()
    while True:
        result = run(n)
        times += 1
        passed = time.process_time() - begun
        if not fast or passed >= LEAST:
            break
    if result & 0xFFFF_FFFF != expected:
        raise SystemExit(f"{run}: run({n}) is {result:#x}, not {expected:#x}")
    return passed / times


def measure(program: str, repeat: int, found: list[Engine], folder: Path) -> dict[str, float]:
    """Millions of instructions a second of one program, for each engine."""
    module = parse_module((PROGRAMS / f"{program}.wat").read_bytes())
    binary = folder / f"{program}.wasm"
    binary.write_bytes(encode(module))
    n, expected = WORK[program]
    runs = {engine: engine.load(program, binary) for engine in found}
    best = dict.fromkeys(found, math.inf)
    for turn in range(repeat + 1):
        for engine, run in runs.items():
            seconds = once(run, n, expected, fast=engine.fast)
            if turn:  # the first prepares whatever an engine prepares when it first runs
                best[engine] = min(best[engine], seconds)
    instructions = count(module, n)
    return {engine.name: instructions / seconds / 1e6 for engine, seconds in best.items()}


def mean(values: list[float]) -> float:
    """The geometric mean."""
    return math.exp(sum(map(math.log, values)) / len(values))


def table(programs: list[str], repeat: int, found: list[Engine]) -> Table:
    """Every program on every engine, and the mean."""
    with tempfile.TemporaryDirectory() as folder:
        rows = {program: measure(program, repeat, found, Path(folder)) for program in programs}
    rows[MEAN] = {engine.name: mean([row[engine.name] for row in rows.values()]) for engine in found}
    return rows


def show(rows: Table, title: str = "million instructions/s") -> str:
    """The table as text."""
    names = list(rows[MEAN])
    lines = [f"{title:24}" + "".join(f"{name:>19}" for name in names)]
    lines += [f"{label:24}" + "".join(f"{row[name]:19.2f}" for name in names) for label, row in rows.items()]
    return "\n".join(lines)


def ratios(rows: Table, over: str, under: str) -> dict[str, float]:
    """How many times as fast ``over`` is as ``under``, by program; empty if one of them is not there."""
    if not {over, under} <= rows[MEAN].keys():
        return {}
    return {label: row[over] / row[under] for label, row in rows.items()}
