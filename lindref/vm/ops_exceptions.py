"""Exceptions (spec §4.4.8, and the older encoding): throwing searches static tables, frame by frame.

A ``Region`` is the code of a ``try`` body. Nothing is done when it is entered or left; a throw looks up the innermost
region around the place where its frame stands, and then outwards. A legacy ``catch`` keeps its exception in a hidden
local of the function, where ``rethrow`` finds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref import classes
from lindref.vm.handler import Handler
from lindref.vm.outcomes import Stop, Thrown
from lindref.vm.traps import NULL_EXCEPTION, Trap
from lindref.vm.values import ExnInst, TagInst

if TYPE_CHECKING:
    from lindref.vm.frame import Frame
    from lindref.vm.machine import Machine


@classes.frozen
class Clause:
    """What catches: ``tag`` (an index of the module, ``None``: any), and what happens then.

    The stack is cut to ``height``; the exception's values follow if a tag was named, then the exception itself if
    ``ref``; ``pc`` is where it goes on, which is a backward branch if ``back``; ``hidden`` is the local that keeps
    the exception of a legacy ``catch`` (-1: none).
    """

    tag: int | None
    ref: bool
    pc: int
    height: int
    back: bool
    hidden: int = -1


@classes.define(eq=False)
class Region:
    """The code from ``start`` until before ``end``, protected by ``clauses``; ``outer`` is where a search goes on.

    For ``delegate`` there are no clauses, and ``outer`` is that of the label it names.
    """

    start: int
    end: int
    outer: Region | None
    clauses: tuple[Clause, ...] = ()


def find(frame: Frame, tag: TagInst) -> Clause | None:
    """The clause of this frame that catches an exception thrown where it stands."""
    regions = frame.body.regions
    if not regions:
        return None
    pc = frame.pc - 1  # the instruction that throws, or calls what does
    region = next((r for r in reversed(regions) if r.start <= pc < r.end), None)
    assert frame.view is not None
    tags = frame.view.instance.tags
    while region is not None:
        for clause in region.clauses:
            if clause.tag is None or tags[clause.tag] == tag:
                return clause
        region = region.outer
    return None


def unwind(m: Machine, exn: ExnInst) -> None:
    """The machine goes on where the exception is caught; leaves the run loop if the host's frame is met first."""
    frame = m.frame
    assert frame is not None
    frame.pc = m.pc
    while frame.view is not None:
        clause = find(frame, exn.tag)
        if clause is not None:
            _catch(m, frame, clause, exn)
            return
        assert frame.parent is not None
        frame = frame.parent
    barrier, awaiting, _func = frame.locals
    m.cut(frame.parent, awaiting)
    raise Stop(Thrown(exn, barrier))


def _catch(m: Machine, frame: Frame, clause: Clause, exn: ExnInst) -> None:
    """Goes on at a clause of this frame; those above it are gone."""
    m.load(frame)
    s = m.stack
    del s[clause.height :]
    if clause.tag is not None:
        s += exn.values
    if clause.ref:
        s.append(exn)
    if clause.hidden >= 0:
        m.locals[clause.hidden] = exn
    m.pc = clause.pc
    if clause.back:
        m.fuel -= 1
        if not m.fuel or m.attention:
            m.at_tick()


def throw(m: Machine, index: int) -> None:
    """``throw x``."""
    assert m.view is not None
    tag = m.view.instance.tags[index]
    count = len(m.store.tag_type(tag).params)
    s = m.stack
    values = tuple(s[len(s) - count :])
    unwind(m, ExnInst(tag, values))


def throw_ref(m: Machine, _: None) -> None:
    """``throw_ref``."""
    exn = m.stack[-1]
    if exn is None:
        raise Trap(NULL_EXCEPTION)
    unwind(m, exn)


def rethrow(m: Machine, hidden: int) -> None:
    """``rethrow l``: the exception that the catch around it is handling."""
    unwind(m, m.locals[hidden])


HANDLERS: dict[str, Handler] = {"throw": throw, "throw_ref": throw_ref}
