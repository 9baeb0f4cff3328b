"""Statements about signals (3i.md 9, 45 to 48)."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from lindref.posix.structs import SIGACTION
from lindref.properties.runs import Runs
from lindref.properties.statements import states
from lindref.properties.strategies import schedules
from lindref.system.script_runner import BecomeStep, CallStep, Pointer, ReturnStep, StoreStep

WRITE, SIGACTION_CALL, SIGPROCMASK, KILL, EXIT_GROUP = 1, 13, 14, 62, 231
BLOCK, UNBLOCK = 0, 1
_END = CallStep(EXIT_GROUP, (0,))
#: Signals that end a process unless it handles them.
_SIGNALS = st.sampled_from([1, 2, 10, 12, 15])
_ACT, _MASK, _OLD, _LETTER = 800, 840, 860, 1000


def _says(letter: bytes) -> tuple[Any, ...]:
    """A handler that writes a letter."""
    return (StoreStep(_LETTER, letter), CallStep(WRITE, (1, Pointer(_LETTER), 1)), ReturnStep(0))


#: Handlers by the number that sigaction gives them; 0 and 1 are C's own.
_HANDLERS = ((), (), _says(b"A"), _says(b"B"))


def _handles(signo: int, handler: int, mask: int = 0) -> tuple[Any, ...]:
    act = SIGACTION.pack(sa_handler=handler, sa_mask=mask)
    return (StoreStep(_ACT, act), CallStep(SIGACTION_CALL, (signo, Pointer(_ACT), 0)))


def _masks(how: int, *signals: int) -> tuple[Any, ...]:
    mask = sum(1 << signo - 1 for signo in signals)
    return (StoreStep(_MASK, mask.to_bytes(8, "little")), CallStep(SIGPROCMASK, (how, Pointer(_MASK), 0)))


#: Writes the mask.
_TELLS = (CallStep(SIGPROCMASK, (BLOCK, 0, Pointer(_OLD))), CallStep(WRITE, (1, Pointer(_OLD), 8)))


@states("45", "runs", "what is ignored by default changes nothing; a handler runs as often as its signal is sent")
def _(runs: Runs, data: Any) -> None:
    signo, times = data.draw(_SIGNALS), data.draw(st.integers(0, 4))
    ignored = data.draw(st.lists(st.sampled_from([17, 23, 28]), max_size=3))
    kills = [CallStep(KILL, (1, number)) for number in (*ignored, *[signo] * times)]
    steps = (BecomeStep(_HANDLERS), *_handles(signo, 2), *data.draw(st.permutations(kills)), *_TELLS, _END)
    seen = runs.run(steps, (), data.draw(schedules()))
    assert (seen.stdout, seen.status) == (b"A" * times + bytes(8), 0)


@states("46", "runs", "a blocked signal waits; once it is not blocked any more it comes")
def _(runs: Runs, data: Any) -> None:
    signo, times, handled = data.draw(_SIGNALS), data.draw(st.integers(1, 3)), data.draw(st.booleans())
    kills = [CallStep(KILL, (1, signo))] * times
    says = (StoreStep(_LETTER, b"."), CallStep(WRITE, (1, Pointer(_LETTER), 1)))
    first = (BecomeStep(_HANDLERS), *(_handles(signo, 2) if handled else ()), *_masks(BLOCK, signo))
    seen = runs.run((*first, *kills, *says, *_masks(UNBLOCK, signo), *says, _END), (), data.draw(schedules()))
    if handled:
        came = seen.stdout.count(b"A")
        assert 1 <= came <= times  # standard signals that wait may be one
        assert (seen.stdout, seen.status) == (b"." + b"A" * came + b".", 0)
    else:
        assert (seen.stdout, seen.status) == (b".", 128 + signo)


@states("47", "runs", "after a handler the mask is what it was, whatever the handler did to it")
def _(runs: Runs, data: Any) -> None:
    signo, other, blocked = data.draw(st.permutations([1, 2, 10, 12, 15]))[:3]
    meddles = (*_masks(data.draw(st.sampled_from([BLOCK, UNBLOCK])), other, blocked), ReturnStep(0))
    steps = (
        BecomeStep(((), (), meddles)),
        *_handles(signo, 2, 1 << other - 1),
        *_masks(BLOCK, blocked),
        CallStep(KILL, (1, signo)),
        *_TELLS,
        _END,
    )
    assert runs.run(steps, (), data.draw(schedules())).stdout == (1 << blocked - 1).to_bytes(8, "little")


@states("48", "runs", "of two signals that wait the second's handler runs in the first's, unless that one masks it")
def _(runs: Runs, data: Any) -> None:
    first, second = data.draw(st.permutations([1, 2, 10, 12, 15]))[:2]
    masked = data.draw(st.booleans())
    kills = (CallStep(KILL, (1, first)), CallStep(KILL, (1, second)))
    steps = (
        BecomeStep(_HANDLERS),
        *_handles(first, 2, 1 << second - 1 if masked else 0),
        *_handles(second, 3),
        *_masks(BLOCK, first, second),
        *kills,
        *_masks(UNBLOCK, first, second),
        _END,
    )
    seen = runs.run(steps, (), data.draw(schedules()))
    # Which of the two is taken first is not promised, but that the other one comes before its handler's first step.
    assert seen.stdout in ((b"AB",) if masked else (b"BA", b"AB"))
