"""Statements about threads, workers and what several cages do at once (3i.md 9, 15, 25, 32, 41, 43, 50)."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from lindref.posix.structs import CLONE_ARGS, SIGACTION
from lindref.posix.usermem import model_base
from lindref.properties.runs import Runs, Seen
from lindref.properties.statements import states
from lindref.properties.strategies import Pass, registers, schedules
from lindref.system.script_runner import BecomeStep, CallStep, Pointer, ReturnStep, StoreStep

READ, WRITE, MMAP, BRK, SIGACTION_CALL, SIGPROCMASK, PIPE, YIELD = 0, 1, 9, 12, 13, 14, 22, 24
CLONE, EXIT, WAIT, GETUID, EXIT_GROUP = 56, 60, 61, 102, 231
_ANY = (1 << 64) - 1
_WAIT = CallStep(WAIT, (_ANY, 0, 0))
_END = CallStep(EXIT_GROUP, (0,))
_CLONE_VM = 0x100

#: Where a thread's arguments, its stack and its id stand in the memory of cage 1.
_THREAD, _STACK, _TID = 2048, 0x8000, 2304


def thread(steps: tuple[Any, ...]) -> tuple[Any, ...]:
    """Steps of cage 1 that make a thread, which does ``steps`` and ends."""
    fields = {"flags": _CLONE_VM, "stack": _STACK, "stack_size": 0x4000, "child_tid": model_base(1) + _TID}
    child = (*steps, CallStep(EXIT, (0,)))
    return (StoreStep(_THREAD, CLONE_ARGS.pack(**fields)), CallStep(CLONE, (Pointer(_THREAD),), child=child))


def _of(seen: Seen, cage: int, number: int) -> list[int | None]:
    return [made.result for made in seen.calls if made.cage == cage and made.number == number]


@states("15", "runs", "threads share one table: what one registers, the others meet")
def _(runs: Runs, data: Any) -> None:
    value, by_thread = data.draw(st.integers(0, 1000)), data.draw(st.booleans())
    put, ask = registers(1, GETUID, 1, 0), CallStep(GETUID)
    told, waits = CallStep(WRITE, (4, Pointer(0), 1)), CallStep(READ, (3, Pointer(0), 1))
    does, meanwhile = ((put, told), (waits, ask)) if by_thread else ((waits, ask), (put, told))
    steps = (BecomeStep(((ReturnStep(value),),)), CallStep(PIPE, (Pointer(640),)), *thread(does), *meanwhile)
    # exit, not exit_group: the thread may be the last.
    seen = runs.run((*steps, CallStep(EXIT, (0,))), (), data.draw(schedules()))
    assert _of(seen, 1, GETUID) == [value]


@states("25", "runs", "at most so many handlers of a grate run at once as it has workers, and no call is lost", "order")
def _(runs: Runs, data: Any) -> None:
    workers, callers = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 5))
    handler = (CallStep(YIELD), CallStep(YIELD), ReturnStep(9))
    forks = []
    for cage in range(2, 2 + callers):
        child = (registers(cage, GETUID, 1, 0, caller=1), CallStep(GETUID), _END)
        forks.append(CallStep(CLONE, (Pointer(64),), child=child))
    steps = (BecomeStep((handler,)), *forks, *[_WAIT] * callers, _END)
    seen = runs.run(steps, (), data.draw(schedules(60)), workers)
    outer = {made.call: made for made in seen.calls if made.number == GETUID}
    assert [made.result for made in outer.values()] == [9] * callers
    begins = {made.within: made.begun for made in reversed(seen.calls) if made.within in outer}
    spans = [(begins[call], made.ended) for call, made in outer.items()]
    assert all(sum(begin <= at < end for begin, end in spans) <= workers for at, _ in spans)


@states("32", "runs", "a mapping passed on by a grate is the caller's, and nobody else's")
def _(runs: Runs, data: Any) -> None:
    sizes = data.draw(st.lists(st.integers(1, 40_000), max_size=4))
    maps = tuple(CallStep(MMAP, (0, size, 3, 0x22, _ANY, 0)) for size in sizes)
    mine = (CallStep(MMAP, (0, 5000, 3, 0x22, _ANY, 0)), CallStep(BRK, (0,)))

    def with_child(does: tuple[Any, ...], answers: tuple[int, ...]) -> list[list[int | None]]:
        child = (*does, *[CallStep(BRK, (0x40000,))] * bool(does), _END)
        fork = CallStep(CLONE, (Pointer(64),), child=child)
        seen = runs.run((fork, _WAIT, *mine, _END), [Pass()], answers)
        return [_of(seen, 1, MMAP), _of(seen, 1, BRK)]

    answers = data.draw(schedules())
    assert with_child(maps, answers) == with_child((), answers)


@states("41", "runs", "the first exit_group of a cage decides, whichever thread makes it", "order")
def _(runs: Runs, data: Any) -> None:
    codes = data.draw(st.lists(st.integers(0, 255), min_size=2, max_size=4, unique=True))
    pauses = data.draw(st.lists(st.integers(0, 3), min_size=len(codes), max_size=len(codes)))
    ends = [(*[CallStep(YIELD)] * n, CallStep(EXIT_GROUP, (code,))) for n, code in zip(pauses, codes, strict=True)]
    steps = [step for does in ends[1:] for step in thread(does)]
    seen = runs.run((*steps, *ends[0]), (), data.draw(schedules()))
    first = next(made for made in seen.calls if made.number == EXIT_GROUP)
    assert seen.status == first.args[0][0]


@states("43", "runs", "a child begins with its parent's handlers and mask, and with nothing pending")
def _(runs: Runs, data: Any) -> None:
    signo, handler = data.draw(st.sampled_from([1, 10, 12, 15])), data.draw(st.integers(1, 9))
    act = SIGACTION.pack(sa_handler=handler, sa_mask=1 << data.draw(st.integers(9, 14)))
    blocked = data.draw(st.sampled_from([2, 14]))
    mask = (1 << blocked - 1).to_bytes(8, "little")
    asks = (
        CallStep(SIGACTION_CALL, (signo, 0, Pointer(900))),
        CallStep(WRITE, (1, Pointer(900), SIGACTION.size)),
        CallStep(SIGPROCMASK, (0, 0, Pointer(940))),
        CallStep(WRITE, (1, Pointer(940), 8)),
    )
    # What is pending in the parent would end the child when it unblocks it.
    sleeps = CallStep(35, (1, 0, Pointer(960), 0))
    child = (*asks, CallStep(SIGPROCMASK, (1, Pointer(840), 0)), sleeps, CallStep(EXIT_GROUP, (5,)))
    steps = (
        StoreStep(800, act),
        CallStep(SIGACTION_CALL, (signo, Pointer(800), 0)),
        StoreStep(840, mask),
        CallStep(SIGPROCMASK, (0, Pointer(840), 0)),
        CallStep(62, (1, blocked)),
        CallStep(CLONE, (Pointer(64),), child=child),
        CallStep(WAIT, (_ANY, Pointer(700), 0)),
        *asks,
        CallStep(WRITE, (1, Pointer(700), 4)),
        _END,
    )
    seen = runs.run(steps, (), data.draw(schedules()))
    assert seen.stdout == (act + mask) * 2 + (5 << 8).to_bytes(4, "little")


@states("50", "runs", "brk moves the break to a whole page, and what stood below it stays")
def _(runs: Runs, data: Any) -> None:
    grow, data_there = data.draw(st.integers(1, 30_000)), data.draw(st.binary(min_size=1, max_size=8))
    start = 16 * 4096  # behind the pages of a script
    steps = (
        CallStep(BRK, (start + 4096,)),
        StoreStep(start + 100, data_there),
        CallStep(BRK, (start + 4096 + grow,)),
        CallStep(WRITE, (1, Pointer(start + 100), len(data_there))),
        StoreStep(start + 4096 + grow - 1, b"!"),
        _END,
    )
    seen = runs.run(steps)
    assert seen.status == 0
    assert _of(seen, 1, BRK)[1] in (start + 4096 + grow, (start + 2 * 4096 + grow - 1) // 4096 * 4096)
    assert seen.stdout == data_there
