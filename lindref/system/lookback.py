"""Looking back from where a run stands: what last changed a place in memory, which descriptors a call is about.

A page that is the same object in two states was not written between them; where it is another, the turns between are
taken again, and writes to the bytes are watched (TRAVEL-5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref import classes
from lindref.posix.call import i32
from lindref.posix.params import ParamKind
from lindref.system.events import Enter, Event
from lindref.system.position import Position
from lindref.vm.pages import PAGE, Page

if TYPE_CHECKING:
    from lindref.system.session import System
    from lindref.system.state import SystemState
    from lindref.system.system import System as Engine


@classes.frozen
class Write:
    """A change of memory: the turn that made it, the thread that ran (cage and thread id), the bytes before and after
    it, and the last event of that turn, if it has any: the call that wrote, where ``position`` is ``None``. Else that
    is the place before the instruction that wrote, and ``where`` its function, and line if known."""

    turn: int
    cage: int
    tid: int
    before: bytes | None
    after: bytes
    event: Event | None
    position: Position | None = None
    where: str = ""


def descriptors(engine: Engine, call: Enter) -> list[int]:
    """The descriptors among a call's arguments."""
    row = engine.kernel.rows.get(call.number)
    kinds = (ParamKind.FD, ParamKind.DIRFD)
    params = row.params if row is not None else ()
    return [i32(value) for param, (value, _) in zip(params, call.args, strict=False) if param.kind in kinds]


def _page(state: SystemState, cage: int, number: int) -> Page | None:
    """Page ``number`` of a cage's memory as an object; ``None`` where it was never written."""
    memory = state.memories.get(cage)
    if memory is None:
        return None
    own = memory.pages.get(number)
    found = memory.regions.floor(number)
    if own is not None or found is None or found[1].backing is None:
        return own
    region = found[1]
    backed = state.kernel.backings.pages.get(region.backing)
    page: Page | None = None if backed is None else backed.get(region.backing_page + number - region.first)
    return page


def _touched(before: SystemState, after: SystemState, cage: int, address: int, size: int) -> bool:
    """Whether the bytes may have been written between two states."""
    old, new = before.memories.get(cage), after.memories.get(cage)
    if old is None or new is None:
        return old is not new
    if old.regions is not new.regions and old.regions != new.regions:
        return True
    pages = range(address // PAGE, (address + size - 1) // PAGE + 1)
    return any(_page(before, cage, n) is not _page(after, cage, n) for n in pages)


def last_write(system: System, address: int, cage: int, size: int) -> Write | None:
    """See ``System.last_write``."""
    end = system.turn
    for begin, before, after in list(system.segments()):
        if _touched(before, after, cage, address, size):
            found = _in(system, begin, end, cage, address, size)
            if found is not None:
                return found
        end = begin
    return None


def _in(system: System, begin: int, end: int, cage: int, address: int, size: int) -> Write | None:
    """The last change between two turns."""
    from lindref.system.cursor import Cursor
    from lindref.system.scan import Change, Range, Scan

    here = system.branch()
    cursor = Cursor(here)
    here.goto_turn(begin)
    changes: list[Change] = []
    Scan(here, ranges=[Range(cage, address, size)], change=changes.append).run(Position(begin), Position(end))
    if not changes:
        return None
    last = changes[-1]
    turn = last.position.turn + (not last.late)
    here.goto_turn(turn)
    thread = here.engine.threads.get(here.engine.current)
    event = here.event_at(here.position)
    event = event if event is not None and here.turn_of(event.n) == turn else None
    runs = (thread.cage, thread.tid) if thread is not None else (event.cage, event.tid) if event else (0, 0)
    if last.late:
        return Write(turn, *runs, last.before, last.after, event)
    cursor.goto(last.position)
    made = cursor.turn
    assert made is not None
    assert made.thread is not None
    where = next(iter(made.thread.runner.where()), "")
    return Write(turn, made.thread.cage, made.thread.tid, last.before, last.after, event, last.position, where)
