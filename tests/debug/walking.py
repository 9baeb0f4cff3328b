"""The walk: a program with debug information that forks, waits, takes a signal, and serves one of its own calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lindref
from lindref.debug.debugger import Debugger
from lindref.state.codec import digest
from lindref.system.session import System

DATA = Path(__file__).resolve().parents[1] / "data"
SOURCE = (DATA / "walk.c").read_text().splitlines()


def line(text: str) -> int:
    """The number of the only line that contains a text."""
    found = [n for n, one in enumerate(SOURCE, 1) if text in one]
    assert len(found) == 1, (text, found)
    return found[0]


def session(name: str = "walk.wasm", **options: Any) -> System:
    return lindref.boot(name, root=DATA, **options)


def debugger(name: str = "walk.wasm", **options: Any) -> Debugger:
    return Debugger(session(name, **options))


def where(one: Debugger) -> tuple[str, int]:
    """Function and line where the present thread stands."""
    top = one.stack()[0]
    return top.name, top.line


def names(one: Debugger) -> list[str]:
    return [frame.name for frame in one.stack()]


def state(one: Debugger) -> bytes:
    """The whole system where one stands."""
    from lindref.system import state as states

    return digest(states.freeze(one.engine))
