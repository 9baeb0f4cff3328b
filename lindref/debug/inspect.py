"""What cages hold, for people: identity, memory, descriptors, signals, handler tables, and the way of a call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lindref import classes
from lindref.posix import flags, openfile
from lindref.posix.cage import Cage
from lindref.posix.fs import procfs
from lindref.system.events import Enter, Event, Exit, Route
from lindref.system.schedule import waits_for
from lindref.system.threads import Ready, Retry, Thread
from lindref.threei.numbers import BENEATH, RAWPOSIX_CAGE, RUNTIME_CAGE, THREEI_CAGE
from lindref.trace.strace import plain
from lindref.vm.pages import PAGE
from lindref.vm.regions import READ, WRITE, Region

if TYPE_CHECKING:
    from lindref.system.system import System as Engine

_SERVERS = {RAWPOSIX_CAGE: "RawPOSIX", THREEI_CAGE: "3i", RUNTIME_CAGE: "the runtime"}


def text(data: bytes) -> str:
    """Bytes of a path as text that is safe to show."""
    return plain(data.decode("utf-8", "backslashreplace"))


def server(cage: int) -> str:
    """Who serves calls under a cage's number."""
    return _SERVERS.get(cage, f"grate {cage}")


def thread_name(engine: Engine, thread: Thread) -> str:
    """``cage 2 · thread 1 · app.wasm``; a worker of a grate is called so."""
    cage = engine.kernel.cages.get(thread.cage)
    exe = text(cage.exe).rpartition("/")[2] if cage is not None and cage.exe else ""
    who = f"worker {thread.slot}" if thread.slot else f"thread {thread.tid}"
    return f"cage {thread.cage} · {who}" + (f" · {exe}" if exe else "")


def doing(engine: Engine, thread: Thread) -> str:
    """What a thread does or waits for."""
    if isinstance(thread.status, Ready | Retry):
        if engine.stopped(thread.cage):
            return "stopped by a signal"
        return "ready"
    return waits_for(engine, thread.status)


def cage_tree(engine: Engine) -> Iterator[tuple[int, Cage]]:
    """The cages with how deep each lies below the first that has no parent here, parents before children."""
    cages = engine.kernel.cages
    children: dict[int, list[int]] = {}
    for number, cage in cages.items():
        at_top = cage.parent == number or cage.parent not in cages
        children.setdefault(0 if at_top else cage.parent, []).append(number)
    todo = [(0, number) for number in reversed(children.get(0, []))]
    while todo:
        depth, number = todo.pop()
        yield depth, cages[number]
        todo += [(depth + 1, child) for child in reversed(children.get(number, []))]


@classes.frozen
class Descriptor:
    """A descriptor: number, kind of what it refers to, how it is open, path (empty if none), offset, how many
    descriptors share the description."""

    fd: int
    kind: str
    flags: str
    path: str
    offset: int
    refs: int
    cloexec: bool

    def __str__(self) -> str:
        where = f" {self.path}" if self.path else ""
        more = [f"at {self.offset}"] if self.offset else []
        more += [f"shared by {self.refs}"] if self.refs > 1 else []
        more += ["close-on-exec"] if self.cloexec else []
        return f"{self.fd}: {self.kind}{where} {self.flags}" + (f" ({', '.join(more)})" if more else "")


def descriptors(engine: Engine, number: int) -> list[Descriptor]:
    """A cage's descriptors by number."""
    cage = engine.kernel.cages.get(number)
    out = []
    for fd, entry in cage.fds.items() if cage is not None else ():
        file = openfile.get(engine.kernel, entry.description)
        path = procfs.path_of(engine.kernel, file.inode) if file.inode else None
        out.append(
            Descriptor(
                fd, file.kind, flags.flags("open", file.flags), "" if path is None else text(path), file.offset,
                file.refs, entry.cloexec,
            )
        )  # fmt: skip
    return out


def cage_facts(engine: Engine, number: int) -> list[tuple[str, str]]:
    """What there is to say of a cage, as pairs of name and text."""
    cage = engine.kernel.cages.get(number)
    if cage is None:
        return []
    identity = engine.kernel.identity
    pending = sum(1 << signo - 1 for signo in set(cage.pending))
    return [
        ("cage", str(number)),
        ("parent", str(cage.parent)),
        ("program", text(cage.exe)),
        ("arguments", " ".join(text(word) for word in cage.argv)),
        ("directory", text(cage.cwd)),
        ("uid, gid", f"{identity.uid}, {identity.gid}"),
        ("umask", f"{cage.umask:03o}"),
        ("threads", ", ".join(map(str, cage.threads))),
        ("children", f"{cage.children} alive, {len(cage.zombies)} not waited for"),
        ("blocked", flags.signal_set(cage.mask)),
        ("pending", flags.signal_set(pending)),
        ("handled", ", ".join(flags.signal(n) for n, a in cage.actions.items() if a.handler > 1) or "none"),
        ("ignored", ", ".join(flags.signal(n) for n, a in cage.actions.items() if a.handler == 1) or "none"),
        ("break", f"{cage.heap_start:#x} to {cage.brk:#x}"),
        ("state", "stopped" if cage.stopped else "running"),
    ]


def handler_table(engine: Engine, number: int) -> list[tuple[str, str]]:
    """Who serves the calls of a cage: those that grates do by name, and how many RawPOSIX and 3i do."""
    rows = engine.tables.rows.get(number)
    out: list[tuple[str, str]] = []
    beneath: dict[int, int] = {}
    for call, handler in rows.items() if rows is not None else ():
        if handler is not None and handler.cage in BENEATH:
            beneath[handler.cage] = beneath.get(handler.cage, 0) + 1
        elif handler is None:
            out.append((engine.call_name(call), "nobody: its grate has gone"))
        else:
            out.append((engine.call_name(call), f"{server(handler.cage)} at {handler.address:#x}"))
    out += [(f"{count} others" if out else f"{count} calls", server(cage)) for cage, count in beneath.items()]
    return out


def region_text(region: Region) -> str:
    """A region: its addresses, protection, and what it shows."""
    prot = ("r" if region.prot & READ else "-") + ("w" if region.prot & WRITE else "-")
    shows = "" if region.backing is None else f" {'private' if region.private else 'shared'} backing {region.backing}"
    return f"{region.first * PAGE:08x}-{region.end * PAGE:08x} {prot}{shows}"


def regions(engine: Engine, number: int) -> list[Region]:
    """The regions of a cage's memory."""
    memory = engine.memories.get(number)
    return [] if memory is None else list(memory.regions.values())


def hex_lines(engine: Engine, number: int, address: int, count: int, width: int = 16) -> list[str]:
    """``count`` lines of a cage's memory in hexadecimal and as text; what cannot be read shows as ``--``."""
    memory = engine.memories.get(number)
    out = []
    for at in range(address, min(address + count * width, 1 << 32), width):
        cells = [None if memory is None else memory.try_read(at + i, 1) for i in range(width)]
        digits = " ".join("--" if c is None else f"{c[0]:02x}" for c in cells)
        shown = "".join(" " if c is None else chr(c[0]) if 32 <= c[0] < 127 else "." for c in cells)
        out.append(f"{at:08x}  {digits}  {shown}")
    return out


# The way of a call.


@classes.frozen
class Leg:
    """One leg of a call's way: how deep within other calls, what happens, by which rule, at which event."""

    depth: int
    text: str
    rule: str
    event: int

    def __str__(self) -> str:
        return "  " * self.depth + self.text + (f"  [{self.rule}]" if self.rule else "")


def journey(events: Sequence[Event], engine: Engine) -> list[Leg]:
    """The way of the call that the last event belongs to (and of those around it): from the cage that made it, through
    grates, and back."""
    last = next((e for e in reversed(events) if isinstance(e, Enter | Route | Exit)), None)
    if last is None:
        return []
    entered: dict[int, Enter] = {}
    mine: dict[int, list[Event]] = {}
    for event in reversed(events):
        if isinstance(event, Enter | Route | Exit):
            mine.setdefault(event.call, []).append(event)
            if isinstance(event, Enter):
                entered[event.call] = event
    top = last.call
    while top in entered and entered[top].within in entered:
        top = entered[top].within
    inner: dict[int, list[int]] = {}
    for call in sorted(entered):
        inner.setdefault(entered[call].within, []).append(call)
    return list(_way(top, entered, mine, inner, 0, engine))


def _way(
    call: int,
    entered: dict[int, Enter],
    mine: dict[int, list[Event]],
    inner: dict[int, list[int]],
    depth: int,
    engine: Engine,
) -> Iterator[Leg]:
    enter = entered.get(call)
    if enter is None or depth > 40:
        return
    yield Leg(depth, f"cage {enter.cage} calls {enter.name}", "", enter.n)
    own = sorted(mine[call], key=lambda e: e.n)
    for event in own:
        if isinstance(event, Route):
            yield Leg(depth, f"→ {server(event.handler)}", event.rule, event.n)
    for other in inner.get(call, ()):
        yield from _way(other, entered, mine, inner, depth + 1, engine)
    for event in own:
        if isinstance(event, Exit):
            result = "never returns" if event.result is None else str(event.result)
            yield Leg(depth, f"= {result}", event.rule, event.n)


__all__ = ["Descriptor", "Leg", "cage_facts", "cage_tree", "descriptors", "handler_table", "journey"]
