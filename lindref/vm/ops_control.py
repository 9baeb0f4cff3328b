"""Branches inside a function (spec §4.4.8): ``prepare`` has resolved every label to a place in the code.

A branch whose operands already lie where its label wants them is a *jump*: one assignment. Others carry a ``Dest``
and cut the stack. A branch to a loop's head goes *back*: that is a tick, and a delivery point.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lindref.vm.outcomes import Attention, Stop

if TYPE_CHECKING:
    from lindref.vm.machine import Machine


class Dest(NamedTuple):
    """Where a branch goes: its ``arity`` topmost operands move down to ``height``."""

    pc: int
    arity: int
    height: int
    back: bool


def loop(m: Machine, _: None) -> None:
    """``loop``, entered from above: a delivery point (no tick)."""
    if m.attention:
        raise Stop(Attention())


def jump(m: Machine, pc: int) -> None:
    """A forward branch without a cut; also what ends a then-branch and a ``try`` body."""
    m.pc = pc


def jump_if(m: Machine, pc: int) -> None:
    """``br_if`` forward without a cut."""
    if m.stack.pop():
        m.pc = pc


def jump_unless(m: Machine, pc: int) -> None:
    """``if``: to the else-branch, or behind the end."""
    if not m.stack.pop():
        m.pc = pc


def jump_back(m: Machine, pc: int) -> None:
    """``br`` to a loop's head without a cut."""
    m.pc = pc
    m.fuel -= 1
    if not m.fuel or m.attention:
        m.at_tick()


def jump_back_if(m: Machine, pc: int) -> None:
    """``br_if`` to a loop's head without a cut."""
    if m.stack.pop():
        m.pc = pc
        m.fuel -= 1
        if not m.fuel or m.attention:
            m.at_tick()


def branch(m: Machine, dest: Dest) -> None:
    """Any branch."""
    pc, arity, height, back = dest
    s = m.stack
    if len(s) != height + arity:
        del s[height : len(s) - arity]
    m.pc = pc
    if back:
        m.fuel -= 1
        if not m.fuel or m.attention:
            m.at_tick()


def branch_if(m: Machine, dest: Dest) -> None:
    """``br_if`` in general."""
    if m.stack.pop():
        branch(m, dest)


def branch_table(m: Machine, dests: tuple[Dest, ...]) -> None:
    """``br_table``: the last one is for every index beyond."""
    index = m.stack.pop()
    branch(m, dests[index] if index < len(dests) else dests[-1])


def branch_on_null(m: Machine, dest: Dest) -> None:
    """``br_on_null``: the null is dropped when branching, the reference kept when not."""
    if m.stack[-1] is None:
        m.stack.pop()
        branch(m, dest)


def branch_on_non_null(m: Machine, dest: Dest) -> None:
    """``br_on_non_null``: the reference is the label's last operand; the null is dropped."""
    if m.stack[-1] is None:
        m.stack.pop()
    else:
        branch(m, dest)
