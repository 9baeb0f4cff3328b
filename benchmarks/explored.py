"""Exploring textbook programs, with reduction and without."""

from __future__ import annotations

import time
from pathlib import Path

from lindref.explore.exhaustive import Bounds, Search
from lindref.posix import console
from lindref.system.boot import boot
from lindref.system.runtime import Config

_DATA = Path(__file__).resolve().parents[1] / "tests" / "data"

#: Programs, and the states after which a search without reduction is given up.
PROGRAMS = {"race": 50_000, "twice_checked": 100_000, "lost_child": 1_000, "dining": 100_000}

#: Of those, the ones that take long.
LONG = ("twice_checked", "dining")


def measure(name: str, *, reduction: bool) -> tuple[int, int, float, bool]:
    """States, turns that were run, seconds of processor time, and whether that was all."""
    system = boot(_DATA / f"{name}.wasm", root_mode="blank", config=Config(accesses="shared"), engine="reference")
    console.end_stdin(system.kernel)
    search = Search(system, Bounds(states=PROGRAMS[name], reduction=reduction))
    began = time.process_time()
    search.run()
    return search.visited, search.running.count, time.process_time() - began, search.complete
