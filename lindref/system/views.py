"""The cages of a run as a person looks at them: each with its record, threads, descriptors, handlers and memory.

A view is of the moment at which it was asked for, but for ``CageView.memory``, which is the memory itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lindref import classes
from lindref.posix import flags, openfile
from lindref.posix.cage import Cage
from lindref.posix.fs import procfs
from lindref.posix.kernel import Kernel
from lindref.shown import Shown
from lindref.system.schedule import waits_for
from lindref.system.system import System as Engine
from lindref.system.threads import Idle, Ready, Retry
from lindref.threei.numbers import BENEATH
from lindref.threei.tables import Handler
from lindref.vm.memory import Memory
from lindref.vm.pages import PAGE
from lindref.vm.regions import READ, WRITE, Region


@classes.frozen
class Descriptor(Shown):
    """One descriptor: the number, the kind of what it refers to and its name (a path, ``pipe:[3]``), access mode and
    status flags as O_ names, the offset of its open file description, whether exec closes it, and how many descriptors
    of all cages share the description.
    """

    fd: int
    kind: str
    name: str
    flags: str
    offset: int
    cloexec: bool
    shared: int


class Descriptors(Shown, Mapping[int, Descriptor]):
    """A cage's descriptor table."""

    def __init__(self, cage: int, found: Mapping[int, Descriptor]) -> None:
        self.cage = cage
        self._found = found

    def __getitem__(self, fd: int) -> Descriptor:
        return self._found[fd]

    def __iter__(self) -> Iterator[int]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return f"<descriptors of cage {self.cage}: {', '.join(map(str, self._found)) or 'none'}>"


class HandlerTable(Shown, Mapping[str, "Handler | None"]):
    """A cage's handler table: who serves each call, by its name; ``None`` where the grate that did is gone."""

    def __init__(self, cage: int, found: Mapping[str, Handler | None]) -> None:
        self.cage = cage
        self._found = found

    def __getitem__(self, call: str) -> Handler | None:
        return self._found[call]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        grates = {h.cage for h in self._found.values() if h is not None and h.cage not in BENEATH}
        return f"<handlers of cage {self.cage}: {len(self)} calls, grates {sorted(grates)}>"


@classes.frozen
class ThreadView(Shown):
    """One thread: its id (a worker of a grate: its slot), and what it does: ``ready``, or what it waits for."""

    cage: int
    tid: int
    worker: bool
    doing: str


class MemoryView(Shown):
    """Some bytes of a cage's memory as they were when they were asked for; ``None`` stands for what is not mapped."""

    def __init__(self, cage: int, address: int, data: list[int | None], regions: list[Region]) -> None:
        self.cage, self.address = cage, address
        self.data = data
        #: The regions that the bytes lie in.
        self.regions = regions

    def __bytes__(self) -> bytes:
        """The bytes. ``ValueError`` where some are not mapped."""
        there = [byte for byte in self.data if byte is not None]
        if len(there) < len(self.data):
            raise ValueError(f"cage {self.cage}: not all of {len(self.data)} bytes at {self.address:#x} are mapped")
        return bytes(there)

    def __len__(self) -> int:
        return len(self.data)

    def __repr__(self) -> str:
        return f"<{len(self)} bytes of cage {self.cage} at {self.address:#x}>"


@classes.frozen
class CageView(Shown):
    """One cage at this moment."""

    record: Cage
    memory: Memory
    #: Call number -> grate, for the calls that a grate serves.
    interposed: Mapping[int, int]
    _engine: Engine = classes.field(eq=False, repr=False)

    @property
    def id(self) -> int:
        """Its number, which is its process id."""
        return self.record.id

    @property
    def program(self) -> str:
        """The path of its image."""
        return self.record.exe.decode("utf-8", "backslashreplace")

    @property
    def fds(self) -> Descriptors:
        """Its descriptors."""
        kernel = self._engine.kernel
        found = {fd: _descriptor(kernel, fd, entry) for fd, entry in self.record.fds.items()}
        return Descriptors(self.id, found)

    @property
    def handlers(self) -> HandlerTable:
        """Who serves its calls."""
        rows = self._engine.tables.rows.get(self.id)
        found = {self._engine.call_name(n): handler for n, handler in (rows.items() if rows is not None else ())}
        return HandlerTable(self.id, found)

    @property
    def threads(self) -> list[ThreadView]:
        """Its threads, and the workers that serve a call now."""
        engine = self._engine
        mine = [t for t in engine.threads.values() if t.cage == self.id and not isinstance(t.status, Idle)]
        return [
            ThreadView(
                self.id,
                thread.slot or thread.tid,
                bool(thread.slot),
                "ready" if isinstance(thread.status, Ready | Retry) else waits_for(engine, thread.status),
            )
            for thread in mine
        ]

    def bytes(self, address: int, count: int = 64) -> MemoryView:
        """``count`` bytes from ``address`` on, as far as they are mapped."""
        parts: list[int | None] = []
        at, end = address, min(address + count, 1 << 32)
        while at < end:
            size = min(PAGE - at % PAGE, end - at)
            piece = self.memory.try_read(at, size)
            parts += piece if piece is not None else [None] * size
            at += size
        pages = range(address // PAGE, (end - 1) // PAGE + 1) if end > address else range(0)
        found = dict.fromkeys(region for page in pages if (region := self.memory.region_at(page)) is not None)
        return MemoryView(self.id, address, parts, list(found))


#: The run's own streams by number.
_STREAMS = ("standard input", "standard output", "standard error")


def _descriptor(kernel: Kernel, fd: int, entry: object) -> Descriptor:
    number: int = getattr(entry, "description")  # noqa: B009 (an FdEntry; the map is of anything)
    file = openfile.get(kernel, number)
    name = procfs.description_name(kernel, number)
    return Descriptor(
        fd=fd,
        kind=file.kind,
        name=_STREAMS[file.object] if file.kind == "console" else name.decode("utf-8", "backslashreplace"),
        flags=flags.flags("open", file.flags),
        offset=file.offset,
        cloexec=bool(getattr(entry, "cloexec", False)),
        shared=file.refs,
    )


def protection(region: Region) -> str:
    """``rw-`` and the like, as /proc/self/maps has it."""
    return ("r" if region.prot & READ else "-") + ("w" if region.prot & WRITE else "-")


class Cages(Shown, Mapping[int, CageView]):
    """The living cages by id, as they are at the moment of looking."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __getitem__(self, cage: int) -> CageView:
        engine = self._engine
        rows = engine.tables.rows.get(cage)
        served = {n: h.cage for n, h in (rows.items() if rows is not None else ()) if h is not None}
        grates = {n: grate for n, grate in served.items() if grate not in BENEATH}
        return CageView(engine.kernel.cages[cage], engine.memories[cage], grates, engine)

    def __iter__(self) -> Iterator[int]:
        return iter([cage for cage in self._engine.kernel.cages if cage in self._engine.memories])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"<cages {', '.join(map(str, self)) or 'none'}>"
