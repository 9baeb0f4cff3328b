"""Measures what there are bars for, and prints it.

    python -m benchmarks                    # everything; with --quick without the official scripts
    python -m benchmarks fib sieve          # only these programs, on the reference machine and on pywasm
    python -m benchmarks --repeat 5 --json FILE
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from benchmarks import commands, engines, fork


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help=f"of {', '.join(engines.WORK)}")
    parser.add_argument("--repeat", type=int, default=3, help="take the best of so many runs (default %(default)s)")
    parser.add_argument("--quick", action="store_true", help="leave out the official scripts")
    parser.add_argument("--json", metavar="FILE", help="also write the figures to FILE")
    options = parser.parse_args()
    if unknown := [p for p in options.programs if p not in engines.WORK]:
        parser.error(f"unknown program {unknown[0]!r}")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    figures: dict[str, object] = {"instructions": engines.table(options.programs or list(engines.WORK), options.repeat)}
    if not options.programs:
        figures |= whole(options.repeat, quick=options.quick)
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def whole(repeat: int, *, quick: bool) -> dict[str, float]:
    """What is not a matter of instructions alone."""
    written, untouched = fork.measure(10 * repeat)
    figures = {"fork, 4 MiB written": written, "fork, nothing written since the last": untouched}
    figures["lindref run hello"] = commands.hello(repeat)
    for label, seconds in figures.items():
        print(f"{label:40}{1000 * seconds:10.2f} ms")
    scripts = None if quick else commands.scripts()
    if scripts is not None:
        passed, spent, counts = scripts
        print(f"{'lindref wast, one core':40}{passed:10.1f} s ({spent:.1f} s of processor time): {counts}")
        figures["lindref wast"] = spent
    return figures


main()
