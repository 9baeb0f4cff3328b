"""Measures what there are bars for, and prints it.

    python -m benchmarks                    # everything; with --quick without what takes minutes
    python -m benchmarks fib sieve          # only these programs, on every engine there is
    python -m benchmarks --part calls       # only a part: micro, whole, calls, cages, start, linked, pythons, scripts,
                                            # judge, explore
    python -m benchmarks --repeat 5 --json FILE --check
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import cages, calls, commands, engines, explored, fork, judge, linked, micro, pythons, travel, whole
from benchmarks.bars import Bar, ratio_bars, show
from lindref.guest.toolchain import GuestBuildError

Figures = dict[str, Any]


class Measuring:
    """One run of the benchmarks: figures by part, and the bars that they were held to."""

    def __init__(self, repeat: int, programs: list[str], *, quick: bool, python_only: bool) -> None:
        self.repeat = repeat
        self.programs = programs
        self.found = [engine for engine in engines.present() if not (python_only and engine.fast)]
        self.quick = quick
        self.figures: Figures = {}
        self.bars: list[Bar] = []
        compiled = engines.has_compiled_tier()
        self.tiers = ["reference", "compiled", "auto"] if compiled else ["reference"]
        self.best_tier = "compiled" if compiled else "reference"

    def micro(self) -> None:
        """Six small programs on every engine."""
        rows = micro.table(self.programs, self.repeat, self.found)
        print(micro.show(rows))
        self.figures["million instructions/s"] = rows
        reference, compiled, hand = (engine.name for engine in (engines.REFERENCE, engines.COMPILED, engines.HAND))
        self.bars += ratio_bars("reference tier over pywasm", micro.ratios(rows, reference, "pywasm"), micro.MEAN, 8)
        self.bars += ratio_bars("compiled tier over pywasm", micro.ratios(rows, compiled, "pywasm"), micro.MEAN, 80)
        self.bars += ratio_bars("compiled tier over ppci", micro.ratios(rows, compiled, "ppci"), micro.MEAN, 12)
        slower = micro.ratios(rows, hand, compiled)
        for label, ratio in slower.items():
            most = 1.8 if label == micro.MEAN else 2.5
            self.bars.append(Bar(f"by hand over compiled tier, {label}", ratio, most=most, unit="x"))

    def whole(self) -> None:
        """Programs in C in each tier, compile time included."""
        rows = whole.measure(self.tiers, self.repeat)
        print(whole.show(rows))
        self.figures["seconds, boot to end"] = rows
        if "compiled" not in self.tiers:
            return
        for name, row in rows.items():
            if name in whole.LIBRARY:
                ratio = row["reference"] / row["compiled"]
                self.bars.append(Bar(f"{name}: compiled over reference tier, whole run", ratio, 5, unit="x"))
            ratio = row["reference"] / row["auto"]
            self.bars.append(Bar(f"{name}: auto over reference tier, whole run", ratio, 1, unit="x"))

    def calls(self) -> None:
        """System calls."""
        with tempfile.TemporaryDirectory() as folder:
            rows = calls.measure(self.repeat, [t for t in self.tiers if t != "auto"], Path(folder))
        print(calls.show(rows))
        self.figures["seconds a call"] = rows
        unit = rows["getpid"]["native"]
        for kind in ("getpid", "close"):
            self.bars.append(Bar(f"{kind} put into the model", rows[kind]["straight"] / unit, most=100, unit="x"))
        guest = self.best_tier
        for kind in ("getpid", "close"):
            self.bars.append(Bar(f"{kind} by a guest ({guest})", rows[kind][guest] / unit, most=300, unit="x"))
        self.bars.append(Bar("fork, exit, wait of a small cage", 1e3 * rows["fork"][guest], most=5, unit="ms"))

    def cages(self) -> None:
        """Fork, memory, and interrupted loops."""
        written, untouched = fork.measure(10 * self.repeat)
        deep = fork.deep(10 * self.repeat, self.best_tier)
        memory = cages.idle(self.best_tier)
        self.note("fork, 4 MiB written since the last", 1e3 * written, 1, "ms")
        self.note("fork, nothing written since the last", 1e3 * untouched, 1, "ms")
        self.note(f"fork ten calls deep in C, 4 MiB written ({self.best_tier})", 1e3 * deep, 1, "ms")
        self.note("memory of an idle cage beyond its pages", memory / 1024, 200, "KiB")
        events, back, jump = travel.measure(2_000 if self.quick else 16_000)
        self.note(f"a step back in a run of {events} events, the longest of 200", 1e3 * back, 50, "ms")
        self.note(f"a jump in a run of {events} events, the longest of 40", 1e3 * jump, 1000, "ms")
        taken, back, jump = travel.inside(100_000 if self.quick else 500_000)
        self.note(f"a step back by an instruction of {taken}, the longest of 120", 1e3 * back, 50, "ms")
        self.note(f"a jump to an instruction of {taken}, the longest of 20", 1e3 * jump, 1000, "ms")
        if self.best_tier == "compiled":
            for how in ("block", "fork", "signal"):
                share, passed = cages.share(how, cages.ROUNDS // 10 if self.quick else cages.ROUNDS)
                self.figures[f"loop with {how}, seconds"] = passed
                self.bars.append(Bar(f"share compiled of a loop with {how}", 100 * share, least=90, unit="%"))

    def start(self) -> None:
        """Commands from shell to shell."""
        self.command("lindref run hello", commands.hello(4 * self.repeat), 0.35)
        with tempfile.TemporaryDirectory() as folder:
            binary = commands.large_program(Path(folder))
            if binary is None:
                return
            warm, cold = commands.first_instruction(3 * self.repeat, binary)
        self.command("first instruction of 2 MB with debug information, warm", warm, 0.15)
        self.command("first instruction of 2 MB with debug information, cold", cold, 0.6)

    def command(self, what: str, cost: commands.Cost, most: float) -> None:
        """A command's figure: the bar is about the time that passes."""
        print(f"{what:60}{cost.passed:8.3f} s, {cost.spent:.3f} s of processor time")
        self.figures[f"{what}, s of processor time"] = cost.spent
        self.note(what, cost.passed, most, "s")

    def linked(self) -> None:
        """Static and dynamic programs as the tool chain makes them, in both its stages."""
        stages = linked.stages()
        for stage in stages:
            with linked.workshop(stage) as folder:
                for kind, most, cold_most in (("static", 0.5, None), ("dynamic", 0.8, 2.5)):
                    self.linked_kind(folder, kind, stage, most, cold_most)
        if "opt" not in stages:
            sys.stderr.write("no wasm-opt (LINDREF_WASM_OPT or on PATH): the stage after the passes is not measured\n")

    def linked_kind(self, folder: Path, kind: str, stage: str, most: float, cold_most: float | None) -> None:
        """The programs of one kind and stage."""
        what = kind if stage == "raw" else f"{kind}, instrumented"
        warm, cold = linked.command(folder, f"hello-{kind}.wasm", 3 * self.repeat)
        self.command(f"hello, {what}", warm, most)
        if cold_most is not None:
            self.command(f"hello, {what}, cold", cold, cold_most)
        fork_ = linked.forks(folder, f"forks-{kind}.wasm", 10 * self.repeat, self.tiers[-1])
        self.note(f"fork of a {what} program with 256 KiB written", 1e3 * fork_, 3, "ms")
        cost = linked.command(folder, f"threads-{kind}.wasm", self.repeat)[0]
        self.command(f"8 threads, one mutex, 10,000 pairs, {what}", cost, 5)

    def pythons(self) -> None:
        """Every other Python; pywasm is held against on the Python that it is fastest on."""
        tables = pythons.measure(self.repeat, self.programs)
        if not tables:
            sys.stderr.write("there is no other Python to run the programs on\n")
            return
        own = self.figures.get("million instructions/s")
        here = f"{sys.implementation.name}{sys.version_info[0]}.{sys.version_info[1]}"
        every = ({here: own} if own else {}) | tables
        print(pythons.show(every))
        self.figures["million instructions/s on other Pythons"] = tables
        means = [rows[micro.MEAN] for rows in every.values()]
        if own and engines.COMPILED.name in own[micro.MEAN] and (best := [m["pywasm"] for m in means if "pywasm" in m]):
            ratio = own[micro.MEAN][engines.COMPILED.name] / max(best)
            self.bars.append(Bar("compiled tier over pywasm on its best Python", ratio, least=80, unit="x"))

    def scripts(self) -> None:
        """The official scripts."""
        found = commands.scripts()
        if found is None:
            sys.stderr.write(f"the official scripts are not there ({commands.SCRIPTS}): not run\n")
            return
        cost, counts = found
        print(f"official scripts on one core: {cost.passed:.1f} s, {cost.spent:.1f} s of processor time: {counts}")
        self.note("official scripts, processor time on one core", cost.spent, 240, "s")

    def judge(self) -> None:
        """A trace judged."""
        count = 10_000 if self.quick else 100_000
        with tempfile.TemporaryDirectory() as folder:
            passed, spent = judge.measure(Path(folder), count)
        print(f"a trace of {count} calls judged: {passed:.1f} s, {spent:.1f} s of processor time")
        self.figures[f"a trace of {count} calls judged, s that pass"] = passed
        self.note(f"a trace of {count} calls judged, processor time", spent, 60 * count / 100_000, "s")

    def explore(self) -> None:
        """Textbook programs explored."""
        for name in explored.PROGRAMS:
            if self.quick and name in explored.LONG:
                continue
            states, turns, spent, _ = explored.measure(name, reduction=True)
            whole, turns_of_all, spent_on_all, complete = explored.measure(name, reduction=False)
            many = "" if complete else "more than "
            speed = f"{spent:5.1f} s, {turns / spent:5.0f} turns/s"
            print(f"{name:14} {states:6} states, {turns:6} turns, {speed}", end="; ")
            print(f"without reduction {many}{whole} states, {turns_of_all} turns, {many}{spent_on_all:.1f} s")
            self.figures[f"{name} explored, states"] = states
            self.figures[f"{name} explored, {many}states without reduction"] = whole
            if name == "dining":
                self.note("three philosophers explored, processor time", spent, 120, "s")

    def note(self, what: str, value: float, most: float, unit: str) -> None:
        """A figure that is a bar by itself."""
        self.figures[f"{what}, {unit}"] = value
        self.bars.append(Bar(what, value, most=most, unit=unit))

    def parts(self) -> dict[str, Callable[[], None]]:
        """What can be measured, by name."""
        return {
            "micro": self.micro,
            "whole": self.whole,
            "calls": self.calls,
            "cages": self.cages,
            "start": self.start,
            "linked": self.linked,
            "pythons": self.pythons,
            "scripts": self.scripts,
            "judge": self.judge,
            "explore": self.explore,
        }


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help=f"of {', '.join(engines.WORK)}")
    parser.add_argument("--repeat", type=int, default=3, help="take the best of so many runs (default %(default)s)")
    parser.add_argument("--quick", action="store_true", help="shorter loops; no other Pythons, no scripts")
    parser.add_argument("--part", action="append", default=[], help="only this part (repeatable)")
    parser.add_argument("--python-only", action="store_true", help="leave out engines of machine code")
    parser.add_argument("--check", action="store_true", help="exit with status 1 when a bar is missed")
    parser.add_argument("--json", metavar="FILE", help="also write the figures to FILE")
    options = parser.parse_args()
    if unknown := [p for p in options.programs if p not in engines.WORK]:
        parser.error(f"unknown program {unknown[0]!r}")
    if options.repeat < 1:
        parser.error("--repeat takes a number from 1")
    programs = options.programs or list(engines.WORK)
    measuring = Measuring(options.repeat, programs, quick=options.quick, python_only=options.python_only)
    parts = measuring.parts()
    if unknown := [p for p in options.part if p not in parts]:
        parser.error(f"unknown part {unknown[0]!r} (one of: {', '.join(parts)})")
    wanted = options.part or (["micro"] if options.programs else list(parts))
    if options.quick and not options.part:
        wanted = [part for part in wanted if part not in ("pythons", "scripts")]
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for line in engines.missing():
        sys.stderr.write(f"{line}\n")
    for part in wanted:
        try:
            parts[part]()
        except GuestBuildError as error:
            sys.stderr.write(f"{part}: left out, programs cannot be built: {error}\n")
        print()
    print(show(measuring.bars))
    if options.json:
        figures = measuring.figures | {"bars": {bar.what: bar.value for bar in measuring.bars}}
        Path(options.json).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if options.check and not all(bar.met for bar in measuring.bars):
        sys.exit(1)


if __name__ == "__main__":
    main()
