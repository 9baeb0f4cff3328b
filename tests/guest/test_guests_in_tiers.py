"""Every guest in each tier: the trace of a run does not depend on the tier, byte for byte.

``compiled`` compiles all that it meets, so the whole C library that a guest uses goes through the compiler.
"""

from __future__ import annotations

import pytest

from lindref.guest.build_guests import GUESTS, Guest, load_guest
from lindref.posix import console
from lindref.system import state
from lindref.system.boot import boot
from lindref.system.choices import Chooser, FirstOption, Seeded
from lindref.system.runtime import Config
from lindref.system.system import System
from lindref.trace.jsonl import JsonTrace

NAMES = sorted(path.parent.name for path in GUESTS.glob("*/expected.json"))


def run(guest: Guest, engine: str, chooser: Chooser, quantum: int = 50_000) -> tuple[System, str]:
    """A guest to its end, and its trace."""
    lines: list[str] = []
    system = boot(
        "/" + guest.argv[0],
        guest.argv[1:],
        root=guest.folder,
        config=Config(max_ticks=50_000_000, quantum=quantum),
        chooser=chooser,
        engine=engine,
        env=guest.env,
        observe=lambda made: made.observers.append(JsonTrace(made, lines.append)),
    )
    console.feed_stdin(system.kernel, guest.stdin.encode())
    console.end_stdin(system.kernel)
    system.run()
    return system, "".join(lines)


@pytest.mark.parametrize("name", NAMES)
def test_the_trace_does_not_depend_on_the_tier(name: str) -> None:
    """Also under a random schedule with short turns, and the whole state at the end is the same."""
    guest = load_guest(GUESTS / name)
    for seed, quantum in ((None, 50_000), (3, 211)):
        ends = []
        for engine in ("reference", "compiled"):
            system, trace = run(guest, engine, FirstOption() if seed is None else Seeded(seed), quantum)
            ends.append((trace, state.freeze(system)))
        assert ends[0][0] == ends[1][0]
        assert ends[0][1] == ends[1][1]
