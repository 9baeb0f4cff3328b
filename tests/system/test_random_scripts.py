"""Any calls with any arguments, in any cages, in either profile: an outcome, never an exception of ours; and a function
of its inputs, whose states save and go on.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from scenes import CallStep, Recorder, ReturnStep, World, scripted

from lindref.posix.params import CallRow, Direction, Param, ParamKind
from lindref.posix.table import CALLS
from lindref.profile import LIND, SPEC
from lindref.state.codec import decode, encode, same
from lindref.system import state as states
from lindref.system.choices import Seeded
from lindref.system.events import Enter
from lindref.system.runtime import Config
from lindref.system.script_runner import Given, Pointer, StoreStep
from lindref.system.state import SystemState

#: A world to do something in: paths and structures in memory, a file, a pipe, a directory.
PATHS = {0x100: b"/a\0", 0x140: b"/dev/null\0", 0x180: b"/tmp/x\0", 0x1C0: b"/tmp\0", 0x1E0: b"a\0"}
BEGIN = (
    *(StoreStep(place, path) for place, path in PATHS.items()),
    StoreStep(0x200, b"".join(n.to_bytes(4, "little") for n in (0, 0, 5, 0, 3, 1, 4, 4, 0, 1000, 0, 0))),
    CallStep(2, (Pointer(0x100), 0x42, 0o644)),
    CallStep(22, (Pointer(0x800),)),
    CallStep(83, (Pointer(0x180), 0o755)),
)
NUMBERS = st.sampled_from([*CALLS, 1001, 1002, 1003, 9999]) | st.sampled_from([0, 1, 2, 22, 56, 61, 62, 231, 1001])
#: Where scripts keep paths, structures and buffers.
PLACES = st.sampled_from([0x100, 0x140, 0x180, 0x200, 0x300, 0x800, 0xFF8, 0xFFFF, 0x10000, 1 << 31])
SMALL = st.integers(-3, 12)
ODD = st.sampled_from([0, 1, 0x41, 4096, 0x7FFFFFFF, 1 << 31, (1 << 32) - 1, (1 << 63) - 1, 1 << 63, (1 << 64) - 1])
VALUES = st.one_of(SMALL, SMALL, PLACES.map(Pointer), PLACES.map(Pointer), ODD, st.integers(0, (1 << 64) - 1))
CAGES = st.sampled_from([0, 0, 0, 0, 1, 2, 3, 99])
DATA = st.one_of(
    st.sampled_from([b"/a\0", b"/dev/null\0", b"/tmp/x\0", b"..//.\0", b"", b"/proc/self\0", b"\xff\0"]),
    st.binary(max_size=40),
    st.lists(st.integers(0, 3) | st.integers(0, (1 << 32) - 1), min_size=1, max_size=8).map(
        lambda words: b"".join(w.to_bytes(4, "little") for w in words)
    ),
)
STORES = st.builds(StoreStep, st.sampled_from([0x100, 0x140, 0x180, 0x200, 0x300, 0x800]), DATA)


_BY_KIND = {
    ParamKind.PATH: st.sampled_from(list(PATHS)).map(Pointer),
    ParamKind.FD: st.integers(0, 6),
    ParamKind.DIRFD: st.just(-100) | st.integers(0, 6),
    ParamKind.SIZE: st.integers(0, 64),
    ParamKind.SIGNAL: st.sampled_from([0, 2, 10, 15, 17, 18, 19]),
    ParamKind.PID: st.integers(-1, 4),
    ParamKind.FLAGS: st.sampled_from([0, 1, 2, 3, 0x22, 0x40, 0x42, 0x440, 0x800, 0x80000]),
    ParamKind.ENUM: st.integers(0, 10),
}
_POINTED = st.sampled_from([0x200, 0x210, 0x300, 0x800, 0xFF8]).map(Pointer) | st.just(0)


def argument(param: Param) -> st.SearchStrategy[Any]:
    """Something of the kind that a parameter wants."""
    found = _BY_KIND.get(param.kind)
    if found is not None:
        return found
    return SMALL if param.direction is Direction.IN and param.struct is None and param.length is None else _POINTED


def sensible(row: CallRow) -> st.SearchStrategy[CallStep]:
    """A call of ``row`` that may well succeed."""
    return st.tuples(*map(argument, row.params)).map(lambda args: CallStep(row.number, args))


_ROWS = [row for row in CALLS.values() if row.handler is not None and row.name not in ("exit", "exit_group", "execve")]
SENSIBLE = st.sampled_from(_ROWS).flatmap(sensible)


def calls(arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[CallStep]:
    """Calls with up to six arguments."""
    own: st.SearchStrategy[tuple[int, ...]] = st.just(())
    cages = own | st.lists(CAGES, max_size=6).map(tuple)
    return st.builds(CallStep, NUMBERS, st.lists(arguments, max_size=6).map(tuple), CAGES, CAGES, cages)


STEPS = st.lists(SENSIBLE | calls(VALUES) | STORES, max_size=8).map(tuple)
FORKS = st.builds(lambda child: CallStep(56, (Pointer(0x7000),), child=child), STEPS)
SCRIPTS = st.lists(SENSIBLE | calls(VALUES) | STORES | FORKS, min_size=1, max_size=14).map(lambda s: (*BEGIN, *s))
HANDLERS = st.lists(
    st.lists(calls(VALUES | st.builds(Given, st.integers(0, 5))) | st.builds(ReturnStep, SMALL), max_size=3).map(tuple),
    min_size=1,
    max_size=3,
).map(tuple)
TURNS = 400
LIMITS = Config(max_memory=64 << 20, workers=2)


def started(script: Any, handlers: Any, lind: bool, seed: int) -> World:
    profile = LIND if lind else SPEC
    return scripted(*script, handlers=handlers, profile=profile, config=LIMITS, chooser=Seeded(seed))


@given(SCRIPTS, HANDLERS, st.booleans(), st.integers(0, 99), st.integers(0, 40))
def test_random_scripts(script: Any, handlers: Any, lind: bool, seed: int, stop: int) -> None:
    """STATE-1, SCHED-2 over everything that can be called."""
    run = started(script, handlers, lind, seed)
    middle: tuple[int, SystemState] | None = None
    for turn in range(TURNS):
        if turn == stop:
            middle = len(run.recorder.events), states.freeze(run.system)
        if not run.system.step():
            break
    again = started(script, handlers, lind, seed)
    for _ in range(TURNS):
        if not again.system.step():
            break
    assert again.recorder.events == run.recorder.events
    assert len({e.call for e in run.recorder.of(Enter)}) == len(run.recorder.of(Enter))
    if middle is not None:
        seen, state = middle
        back = decode(encode(state))
        assert isinstance(back, SystemState)
        system = states.thaw(back, chooser=Seeded(seed))
        recorder = Recorder(system)
        for _ in range(TURNS - stop):
            if not system.step():
                break
        assert recorder.events == run.recorder.events[seen:]
        assert same(states.freeze(system), states.freeze(run.system))


