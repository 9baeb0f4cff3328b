"""Reduction against exploration without it: the same outcomes of many small worlds, from fewer states (EXP-6)."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from counts import Counts
from grate_scenes import CLOSE, GETEUID, GETPID, PIPE, READ, WRITE
from scenes import CallStep, exits, fork

from lindref.explore.exhaustive import Bounds, Search
from lindref.explore.outcomes import result_of, schedule
from lindref.posix import console
from lindref.system.boot import boot, boot_script
from lindref.system.choices import Replay, parse_schedule
from lindref.system.runtime import Config
from lindref.system.script_runner import Pointer, ResultOf, ScriptState, StoreStep
from lindref.system.system import System

DATA = Path(__file__).resolve().parents[1] / "data"
WAIT = CallStep(61, ((1 << 64) - 1, 0, 0))
OPEN, KILL, FLOCK, NANOSLEEP = 2, 62, 73, 35


def one(source: random.Random, who: int) -> tuple[Any, ...]:
    """Something that a cage does, of many kinds."""
    own = Pointer(600 + who * 16)
    made = (
        (StoreStep(512, bytes([97 + 3 * who + source.randrange(3)])), CallStep(WRITE, (1, Pointer(512), 1))),
        (CallStep(GETPID),),
        (CallStep(WRITE, (4, Pointer(512), 1)),),
        (CallStep(READ, (3, own, 1)), CallStep(WRITE, (1, own, 1))),
        (CallStep(KILL, (1 + source.randrange(3), source.choice((10, 15, 17, 18)))),),
        (CallStep(CLOSE, (3 + source.randrange(2),)),),
        (StoreStep(520, b"/f\0"), CallStep(OPEN, (Pointer(520), 0o1102, 0o600)), CallStep(WRITE, (5, Pointer(512), 1))),
        (CallStep(FLOCK, (1, source.choice((2, 6, 8)))),),
        (WAIT,),
    )
    return made[source.randrange(len(made))]


def world(seed: int) -> System:
    """A cage with one child or two, who write, read, kill, wait, lock and open."""
    source = random.Random(seed)
    children = [
        fork((*(step for _ in range(source.randrange(1, 3)) for step in one(source, who)), exits(who)))
        for who in range(1, source.choice((2, 2, 3)))
    ]
    body = [step for _ in range(source.randrange(1, 3)) for step in one(source, 0)]
    steps = (CallStep(PIPE, (Pointer(256),)), *children, *body, *((WAIT,) if source.random() < 0.6 else ()))
    return ready(ScriptState((*steps, exits(0))))


def ready(script: ScriptState, grates: tuple[Any, ...] = ()) -> System:
    system = boot_script(script, grates=grates, config=Config(accesses="shared"))
    console.end_stdin(system.kernel)
    return system


def compare(make: Any, states: int = 3000) -> tuple[int, int]:
    """Search with and without; how many states each had (0, 0: there are too many to compare)."""
    whole = Search(make(), Bounds(states=states))
    expected = whole.run()
    search = Search(make(), Bounds(states=states, reduction=True))
    found = search.run()
    assert set(found.found) <= set(expected.found) or not whole.complete
    if not whole.complete:
        return 0, 0
    assert search.complete
    assert set(found.found) == set(expected.found)
    for result, how in found.found.items():
        again = make()
        again.choices.chooser = Replay(parse_schedule(schedule(how.answers)))
        again.run()
        assert result_of(again) == result  # EXP-2
    return whole.visited, search.visited


@pytest.mark.parametrize("seed", range(12))
def test_worlds(seed: int) -> None:
    """Cages that share pipes, files, locks, signals and children."""
    compare(lambda: world(seed), 700)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(100, 400))
def test_more_worlds(seed: int) -> None:
    compare(lambda: world(seed), 6000)


def test_a_grate() -> None:
    """Calls into a grate meet in what it keeps."""
    child = (CallStep(GETEUID), exits(0))
    steps = (fork(child), CallStep(GETEUID), WAIT, CallStep(110), CallStep(231, (ResultOf(3),)))
    whole, reduced = compare(lambda: ready(ScriptState(steps), (Counts,)))
    assert 0 < reduced < whole


def test_clocks() -> None:
    """Who wakes first depends on every turn before (EXP-7)."""

    def says(text: bytes) -> tuple[Any, ...]:
        return (StoreStep(512, text), CallStep(WRITE, (1, Pointer(512), 1)))

    nap = (StoreStep(640, bytes(8) + (2000).to_bytes(8, "little")), CallStep(NANOSLEEP, (1, 0, Pointer(640), 0)))
    steps = (fork((*nap, *says(b"c"), exits(0))), *nap, *says(b"p"), WAIT, exits(0))
    compare(lambda: ready(ScriptState(steps)))


def program(name: str) -> System:
    system = boot(DATA / name, root_mode="blank", config=Config(accesses="shared"), engine="reference")
    console.end_stdin(system.kernel)
    return system


def test_threads() -> None:
    """Two additions without a lock: accesses that nobody races with are no states of their own."""
    search = Search(program("race.wasm"), Bounds(reduction=True))
    assert {r.stdout for r in search.run().found} == {b"1\n", b"2\n"}
    assert search.complete
    assert search.visited < 500


@pytest.mark.campaign
def test_philosophers() -> None:
    """Three philosophers: fed, or each with one fork."""
    search = Search(program("dining.wasm"), Bounds(reduction=True))
    found = search.run().found
    assert search.complete
    assert {(r.ending, r.stdout) for r in found} == {("exit", b"fed\n"), ("deadlock", b"")}
