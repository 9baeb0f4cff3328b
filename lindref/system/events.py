"""What happens in a run, as values: the one stream that strace text, JSON traces and judges are views of.

Every event has a number ``n`` (from 1, in the order of the run) and the thread it belongs to. Rules EVENT-1 … in
spec/system.md.
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from lindref import classes
from lindref.shown import Shown

#: A call's argument: the value (unsigned, 64 bits) and the cage that owns it.
Pair = tuple[int, int]


@classes.frozen(kw_only=True)
class Event(Shown):
    """What all events have: number, cage, thread id in that cage, virtual time in ns."""

    kind: ClassVar[str] = ""
    n: int
    cage: int
    tid: int
    time: int


@classes.frozen(kw_only=True)
class Enter(Event):
    """A call leaves a cage. ``call`` numbers it: ``Route`` and ``Exit`` of the same call carry the same number.

    ``caller`` is the self id that names the handler table, ``cage`` the cage that really makes the call.
    ``within`` is the call that the calling worker serves, 0 if none.
    """

    kind: ClassVar[str] = "enter"
    call: int
    number: int
    name: str
    caller: int
    target: int
    args: tuple[Pair, ...]
    within: int = 0


@classes.frozen(kw_only=True)
class Route(Event):
    """Who serves a call (3I-ROUTE-2): a grate, or 777777 RawPOSIX, 999999 3i itself."""

    kind: ClassVar[str] = "route"
    call: int
    handler: int
    address: int
    worker: int = 0
    rule: str = "3I-ROUTE-2"


@classes.frozen(kw_only=True)
class Exit(Event):
    """A call comes back with ``result`` (signed, 32 bits); ``None`` for one that never does (exit, exec)."""

    kind: ClassVar[str] = "exit"
    call: int
    result: int | None
    rule: str = ""


@classes.frozen(kw_only=True)
class Choice(Event):
    """A choice point was answered."""

    kind: ClassVar[str] = "choice"
    index: int
    point: str
    options: int
    answer: int


@classes.frozen(kw_only=True)
class Spawn(Event):
    """A cage (``child_tid`` 1) or a further thread of the same cage came to be."""

    kind: ClassVar[str] = "spawn"
    child: int
    child_tid: int
    rule: str = "FORK-1"


@classes.frozen(kw_only=True)
class Exec(Event):
    """A cage runs a new image."""

    kind: ClassVar[str] = "exec"
    path: str
    argv: tuple[str, ...]
    digest: str
    rule: str = "LOAD-1"


@classes.frozen(kw_only=True)
class End(Event):
    """A thread (``whole`` false) or a whole cage ended: ``status`` is an exit code, ``signal`` what killed it."""

    kind: ClassVar[str] = "end"
    whole: bool
    status: int
    signal: int = 0
    trap: str = ""
    rule: str = "EXIT-1"


@classes.frozen(kw_only=True)
class Signal(Event):
    """A signal is delivered: ``action`` is ``handler``, ``terminate``, ``ignore``, ``stop`` or ``return``."""

    kind: ClassVar[str] = "signal"
    signo: int
    action: str
    rule: str = "SIG-1"


@classes.frozen(kw_only=True)
class Note(Event):
    """Something a person should know: a call that is not built, a soft panic."""

    kind: ClassVar[str] = "note"
    text: str


@classes.frozen(kw_only=True)
class Input(Event):
    """Something came in from outside (TRACE-1): ``what`` was asked, piece ``index`` of standard input or question
    ``index`` of the run; ``data`` is the answer.
    """

    kind: ClassVar[str] = "input"
    what: str
    index: int
    data: Any
    rule: str = "TRACE-1"


class Observer(Protocol):
    """Is told every event at the moment it happens, when the cages' memories are still as the event saw them."""

    def on_event(self, event: Event) -> None:
        """``event`` has just happened."""


EVENTS: tuple[type[Event], ...] = (Enter, Route, Exit, Choice, Spawn, Exec, End, Signal, Note, Input)
