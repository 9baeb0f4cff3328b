"""Hypothesis strategies: histories of handler tables, cage trees, scripts of calls, stacks of grates, schedules."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from lindref import classes
from lindref.posix.errno import EACCES
from lindref.properties.tables import DEREGISTER, Tables
from lindref.system.python.grate import Grate, Served
from lindref.system.script_runner import CallStep, Pointer, ResultOf, StoreStep
from lindref.threei.numbers import UNUSED

#: Cages and numbers that histories are about: few, so that they meet.
CAGES = st.integers(1, 5)
NUMBERS = st.sampled_from([0, 1, 39, 60, 231, 1001, 4242])
ADDRESSES = st.integers(0, 5)


@classes.frozen
class Register:
    """Call 1001; handler 500 removes the row."""

    cage: int
    number: int
    handler: int
    address: int

    def apply(self, tables: Tables) -> None:
        """Do it."""
        tables.register(self.cage, self.number, self.handler, self.address)


@classes.frozen
class Copy:
    """Call 1003."""

    source: int
    target: int

    def apply(self, tables: Tables) -> None:
        """Do it."""
        tables.copy(self.source, self.target)


@classes.frozen
class Fork:
    """A fork."""

    parent: int
    child: int

    def apply(self, tables: Tables) -> None:
        """Do it."""
        tables.fork(self.parent, self.child)


@classes.frozen
class Exit:
    """The end of a cage."""

    cage: int

    def apply(self, tables: Tables) -> None:
        """Do it."""
        tables.exit(self.cage)


Operation = Register | Copy | Fork | Exit


def operations() -> st.SearchStrategy[Operation]:
    """One thing that happens to handler tables."""
    register = st.builds(Register, CAGES, NUMBERS, CAGES | st.just(DEREGISTER), ADDRESSES)
    return st.one_of(
        register, register, st.builds(Copy, CAGES, CAGES), st.builds(Fork, CAGES, CAGES), st.builds(Exit, CAGES)
    )


def histories(most: int = 8) -> st.SearchStrategy[list[Operation]]:
    """What happened to handler tables before: any operations in any order."""
    return st.lists(operations(), max_size=most)


def schedules(most: int = 30) -> st.SearchStrategy[tuple[int, ...]]:
    """Answers to choice points (``lindref.system.choices.Replay``)."""
    return st.lists(st.integers(0, 2), max_size=most).map(tuple)


# Scripts.


@classes.frozen
class Ask:
    """A call without arguments."""

    number: int


@classes.frozen
class Say:
    """Some bytes to standard output."""

    data: bytes


@classes.frozen
class Keep:
    """A file is made, written, and closed."""

    name: str
    data: bytes


@classes.frozen
class Through:
    """Some bytes through a pipe of one's own."""

    data: bytes


@classes.frozen
class Child:
    """A forked child does ``does``, exits with ``status``; the parent does ``meanwhile``, then waits for it."""

    does: tuple[Any, ...]
    status: int
    meanwhile: tuple[Any, ...] = ()


def actions() -> st.SearchStrategy[Any]:
    """What a script does that makes no cage; every result is a function of the script alone."""
    data = st.binary(min_size=1, max_size=6)
    return st.one_of(
        st.sampled_from([39, 102, 104, 107, 108, 110]).map(Ask),
        st.builds(Say, data),
        st.builds(Keep, st.sampled_from(["/a", "/b"]), data),
        st.builds(Through, data),
    )


def cage_trees(depth: int = 2) -> st.SearchStrategy[tuple[Any, ...]]:
    """Actions of a cage, of its children and theirs: at most ``depth`` generations below it."""
    plain = st.lists(actions(), max_size=3).map(tuple)
    if not depth:
        return plain
    child = st.builds(Child, cage_trees(depth - 1), st.integers(0, 300), plain)
    return st.lists(actions() | child, max_size=4).map(tuple)


def call_scripts(depth: int = 1) -> st.SearchStrategy[tuple[Any, ...]]:
    """Scripts (steps for ``ScriptState``) that always end, with children of children down to ``depth``."""
    return cage_trees(depth).map(lambda tree: (*compile_tree(tree), CallStep(231, (0,))))


def registers(cage: int, number: int, handler: int, address: int, caller: int = 0) -> CallStep:
    """Call 1001 as the C library makes it, through the table of ``caller`` (0: the script's own)."""
    return CallStep(1001, (cage, UNUSED, address), cages=(number, handler, UNUSED), caller=caller, target=caller)


_DATA, _PATH, _PIPE, _BACK, _STATUS, _ARGS = 512, 600, 640, 704, 760, 64


def compile_tree(tree: tuple[Any, ...], base: int = 0) -> list[Any]:
    """The steps of a tree of actions, ``base`` steps of the same script coming before."""
    steps: list[Any] = []

    def add(step: Any) -> ResultOf:
        steps.append(step)
        return ResultOf(base + len(steps) - 1)

    def write(fd: Any, data: bytes) -> None:
        add(StoreStep(_DATA, data))
        add(CallStep(1, (fd, Pointer(_DATA), len(data))))

    for action in tree:
        match action:
            case Ask(number):
                add(CallStep(number))
            case Say(data):
                write(1, data)
            case Keep(name, data):
                add(StoreStep(_PATH, name.encode() + b"\0"))
                made = add(CallStep(2, (Pointer(_PATH), 0o1101, 0o600)))
                write(made, data)
                add(CallStep(3, (made,)))
            case Through(data):
                add(CallStep(22, (Pointer(_PIPE),)))
                # In a script with no descriptors open but the standard ones, the ends are 3 and 4.
                write(4, data)
                add(CallStep(0, (3, Pointer(_BACK), len(data))))
                add(CallStep(3, (3,)))
                add(CallStep(3, (4,)))
            case Child(does, status, meanwhile):
                at = base + len(steps) + 1
                child = (*compile_tree(does, at), CallStep(231, (status,)))
                pid = add(CallStep(56, (Pointer(_ARGS),), child=child))
                steps += compile_tree(meanwhile, base + len(steps))
                add(CallStep(61, (pid, Pointer(_STATUS), 0)))
                add(CallStep(1, (1, Pointer(_STATUS), 4)))
    return steps


# Grates.


class Pass(Grate):
    """Passes every call on."""

    def any_call(self, call: Served) -> int:
        """Pass it on."""
        return self.forward()


class Deny(Grate):
    """Refuses some calls."""

    def __init__(self, numbers: tuple[int, ...] = ()) -> None:
        self.numbers = numbers

    def any_call(self, call: Served) -> int:
        """Refuse it, or pass it on."""
        return -EACCES if call.number in self.numbers else self.forward()


DENIABLE = st.frozensets(st.sampled_from([1, 2, 22, 39, 102, 107, 110]), max_size=3).map(lambda s: tuple(sorted(s)))


def grate_stacks(most: int = 3) -> st.SearchStrategy[tuple[Grate, ...]]:
    """Stacks of grates that pass on or refuse."""
    grates: st.SearchStrategy[Grate] = st.one_of(st.builds(Pass), st.builds(Deny, DENIABLE))
    return st.lists(grates, max_size=most).map(tuple)
