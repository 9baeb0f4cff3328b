"""Faults as patches of the live model, taken back when they are left: nothing of them stays in the code (JUDGE-9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from lindref import classes
from lindref.posix import fdtable, openfile
from lindref.posix import usermem as user
from lindref.posix.call import Arg, Call, i64
from lindref.posix.kernel import Hooks, Kernel, KernelState
from lindref.posix.openfile import OpenFile
from lindref.posix.result import Done, Refused, Result
from lindref.posix.table import CALLS, NUMBERS
from lindref.state.records import replace

#: Puts a fault in for as long as the context lasts.
Patch = Callable[[], AbstractContextManager[None]]
Handler = Callable[[Kernel, Call], Result]
When = Callable[[Kernel, Call], bool]

_STATE = tuple(name for name in KernelState.__annotations__ if name != "backings")


@classes.frozen
class Mutant:
    """The model with a fault. ``area``: what it is about; ``about``: the fault in words; ``subjects``: of generated
    scripts that can show it; ``vectors``: ids of recorded scripts (globs); ``equivalent``: why nobody can tell, where
    nobody can.
    """

    name: str
    area: str
    about: str
    patch: Patch
    subjects: tuple[str, ...] = ()
    vectors: tuple[str, ...] = ()
    equivalent: str = ""


@contextmanager
def _attribute(owner: Any, name: str, value: Any) -> Iterator[None]:
    old = getattr(owner, name)
    put = setattr if isinstance(owner, type) or type(owner).__name__ == "module" else object.__setattr__
    put(owner, name, value)
    try:
        yield
    finally:
        put(owner, name, old)


def attribute(owner: Any, name: str, make: Callable[[Any], Any]) -> Patch:
    """``owner.name`` is what ``make`` makes of it."""
    return lambda: _attribute(owner, name, make(getattr(owner, name)))


def function(owner: Any, name: str, instead: Callable[..., Any]) -> Patch:
    """``owner.name(…)`` is ``instead(old, …)``."""

    def make(old: Callable[..., Any]) -> Callable[..., Any]:
        def patched(*args: Any, **named: Any) -> Any:
            return instead(old, *args, **named)

        return patched

    return attribute(owner, name, make)


def hook(hooks: Hooks, name: str, instead: Callable[..., Any]) -> Patch:
    """What a subject does as cages come and go is ``instead(old, kernel, …)``."""
    return function(hooks, name, instead)


def call(name: str, instead: Callable[[Handler, Kernel, Call], Result]) -> Patch:
    """Call ``name`` is ``instead(old handler, kernel, call)``."""

    def patched(old: Handler, kernel: Kernel, made: Call) -> Result:
        def plainly(kernel: Kernel, made: Call) -> Result:
            try:
                return old(kernel, made)
            except Refused as refusal:
                return refusal.result

        return instead(plainly, kernel, made)

    return function(CALLS[NUMBERS[name]], "handler", patched)


def always(kernel: Kernel, call: Call) -> bool:
    """Whatever the call."""
    del kernel, call
    return True


def answers(name: str, change: Callable[[Kernel, Call, int], int], *, errors: bool = False) -> Patch:
    """A call that worked (with ``errors``: any) returns something else."""

    def instead(old: Handler, kernel: Kernel, made: Call) -> Result:
        result = old(kernel, made)
        if isinstance(result, Done) and (errors or result.value >= 0):
            return Done(change(kernel, made, result.value), result.restart, result.failures)
        return result

    return call(name, instead)


def error(name: str, was: int, becomes: int) -> Patch:
    """A call that fails with ``was`` fails with ``becomes`` (positive; 0: it works)."""
    return answers(name, lambda _k, _c, value: -becomes if value == -was else value, errors=True)


def undone(name: str, when: When = always) -> Patch:
    """A call that worked has done nothing."""

    def instead(old: Handler, kernel: Kernel, made: Call) -> Result:
        if not when(kernel, made):
            return old(kernel, made)
        before = {field: getattr(kernel, field) for field in _STATE}
        with _attribute(type(kernel.backings), "drop", lambda *_: None):  # what was there is needed again
            result = old(kernel, made)
        if isinstance(result, Done) and result.value >= 0:
            for field, value in before.items():
                setattr(kernel, field, value)
        return result

    return call(name, instead)


def argument(name: str, slot: int, change: Callable[[int], int], when: When = always) -> Patch:
    """A call takes argument ``slot`` for another."""

    def instead(old: Handler, kernel: Kernel, made: Call) -> Result:
        if not made.first() or not when(kernel, made):
            return old(kernel, made)
        args = list(made.args)
        args[slot] = Arg(change(args[slot].value) & (1 << 64) - 1, args[slot].cage)
        return old(kernel, replace(made, args=tuple(args)))

    return call(name, instead)


def pokes(name: str, slot: int, offset: int, width: int, change: Callable[[int], int]) -> Patch:
    """What a call that worked wrote at argument ``slot`` is changed: ``width`` bytes at ``offset``."""

    def then(kernel: Kernel, made: Call, value: int) -> int:
        address = made.value(slot)
        data = user.copy_in(kernel, address + offset, width) if address else None
        if data is not None:
            changed = change(int.from_bytes(data, "little", signed=True))
            user.copy_out(kernel, address + offset, (changed & (1 << 8 * width) - 1).to_bytes(width, "little"))
        return value

    return answers(name, then)


def opened(kernel: Kernel, made: Call, slot: int = 0) -> fdtable.Opened | None:
    """What the descriptor in an argument refers to."""
    return (
        fdtable.find(kernel, made.cage(slot), i64(made.args[slot].value)) if made.cage(slot) in kernel.cages else None
    )


def around(name: str, change: Callable[[OpenFile, OpenFile], dict[str, Any]], slot: int = 0) -> Patch:
    """After a call that worked its open file description is changed; ``change`` gets it as it was and as it is."""

    def instead(old: Handler, kernel: Kernel, made: Call) -> Result:
        before = opened(kernel, made, slot)
        result = old(kernel, made)
        if (
            before is not None
            and isinstance(result, Done)
            and result.value >= 0
            and before.number in kernel.descriptions
        ):
            after = openfile.get(kernel, before.number)
            openfile.change(kernel, before.number, **change(before.file, after))
        return result

    return call(name, instead)


def command(*numbers: int, slot: int = 1) -> When:
    """When a call has one of these commands."""
    return lambda _kernel, made: made.i32(slot) in numbers


def kind(name: str, slot: int = 0) -> When:
    """When a call is about an open file of this kind."""

    def when(kernel: Kernel, made: Call) -> bool:
        found = opened(kernel, made, slot)
        return found is not None and found.file.kind == name

    return when
