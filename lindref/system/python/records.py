"""The records of grates written in Python: what a state holds of them."""

from __future__ import annotations

from typing import Any

from lindref import classes
from lindref.posix.call import Arg
from lindref.state.pmap import PMap
from lindref.state.records import record
from lindref.system.python.plain import Table
from lindref.system.python.store import Entries
from lindref.system.script_runner import ScriptState
from lindref.system.threads import ImageRequest

#: Cage ids of grates written in Python begin here, beyond those of programs, which so are what they would be
#: without them (PY-1).
FIRST_CAGE = 3001

#: Bytes of its own memory that a handler may fill with strings and buffers, and where the first worker's begin.
SCRATCH = 1 << 20
SCRATCH_START = 1 << 16


@record("python.recipe")
class Recipe:
    """What a grate is made of: the name of its class (``module:Class``), and its attributes, fixed once it is made."""

    name: str
    attributes: Table


@record("python.grate")
class GrateState:
    """A grate over some cages: ``shared`` is what it keeps, ``cages`` what it keeps of each cage beneath it."""

    cage: int
    recipe: Recipe
    shared: Entries = classes.field(factory=PMap)
    cages: PMap[Entries] = classes.field(factory=PMap)


@record("python.handling", version=2)
class HandlingState:
    """A handler on its way: the call it serves, and every answer it has had so far beside what it had asked (PY-4).

    ``address`` is the number of the call, -1 while the worker is free; ``target`` the cage it acts on, ``args`` its
    arguments; ``asked`` is the call it waits for.
    """

    slot: int
    address: int = -1
    target: int = 0
    args: tuple[Arg, ...] = ()
    log: tuple[tuple[Any, Any], ...] = ()
    asked: Any = None


@record("python.attaching", version=2)
class Attaching:
    """A stack of grates being put over ``cage``, one registration after the other (PY-2, PY-3).

    ``grate`` is the one under way, ``left`` its numbers still to register, ``words`` the rest of the stack. At the end
    the cage runs ``image`` (a program or a script), or, where there is none, makes the call ``then``: number, caller,
    target, six pairs. ``groups`` are the grates whose groups are open, the innermost last.
    """

    cage: int
    grate: int
    left: tuple[int, ...]
    words: tuple[str, ...]
    image: ImageRequest | ScriptState | None = None
    then: tuple[Any, ...] = ()
    groups: tuple[int, ...] = ()
