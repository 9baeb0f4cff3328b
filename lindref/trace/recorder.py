"""Events of a live run as records of the trace: what an event says, and what the cages' memories say at that moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lindref import classes
from lindref.posix import errno
from lindref.posix.params import CallRow, Direction, ReturnKind
from lindref.system.backtrace import backtrace
from lindref.system.events import End, Enter, Event, Exit, Input, Route
from lindref.threei.numbers import BENEATH, COPY_DATA_BETWEEN_CAGES, DEREGISTER, UNUSED
from lindref.trace import inputs
from lindref.trace.decode import Decoder
from lindref.trace.filters import THREEI_NAMES
from lindref.trace.format import Record
from lindref.trace.functions import function_name
from lindref.trace.reads import copied, pieces

if TYPE_CHECKING:
    from lindref.system.system import System

#: JSON names of event fields that read better there.
_NAMES = {"caller": "self", "result": "ret"}
_THREEI = frozenset(THREEI_NAMES.values())
#: Largest errno; what is more negative is no error of RawPOSIX.
ERRNOS = 134
#: Most bytes of one argument that a memory event shows.
MEMORY_MAX = 256


def is_error(row: CallRow | None, result: int) -> bool:
    """Whether a result is an errno: a high address looks like one."""
    address = row is not None and row.returns is ReturnKind.ADDRESS and result % 4096 == 0
    return -ERRNOS < result < 0 and not address


@classes.define
class Recorder:
    """Makes the record of each event; to be told of every event as it happens, in order.

    ``memory``: also make records of what calls change in memory. ``places``: say where in the program a call is made.
    """

    system: System
    memory: bool = False
    places: bool = False
    _calls: dict[int, Enter] = classes.field(factory=dict, init=False)
    _before: dict[int, list[tuple[int, bytes]]] = classes.field(factory=dict, init=False)
    _decoder: Decoder = classes.field(init=False)
    _lines: dict[str, Any] = classes.field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self._decoder = Decoder(self._read)

    def _read(self, address: int, count: int) -> bytes | None:
        place = self.system.host.resolve(address)
        memory = self.system.memory(place.cage) if place else None
        return memory.try_read(place.offset, count) if memory is not None and place is not None else None

    def records(self, event: Event) -> list[Record]:
        """The records of ``event``: itself, and after an exit what the call changed, where that is wanted."""
        record: Record = {"n": event.n, "event": event.kind}
        for field in classes.fields(type(event)):
            value = getattr(event, field.name)
            if field.name != "n" and (value not in ("", None) or field.name not in ("rule", "trap")):
                record[_NAMES.get(field.name, field.name)] = value
        changed: list[Record] = []
        if isinstance(event, Input):
            del record["data"]
            record |= inputs.fields(event.what, event.data)
        elif isinstance(event, Enter):
            self._enter(event, record)
        elif isinstance(event, Route):
            if event.handler not in BENEATH:
                name = function_name(self.system, event.handler, event.address)
                record |= {"function": name} if name else {}
        elif isinstance(event, Exit):
            changed = self._exit(event, record)
        elif isinstance(event, End) and event.whole:
            for call in [call for call, enter in self._calls.items() if enter.cage == event.cage]:
                del self._calls[call]
                self._before.pop(call, None)
        return [record, *changed]

    def _enter(self, event: Enter, record: Record) -> None:
        self._calls[event.call] = event
        row = self.system.kernel.rows.get(event.number)
        if self.places:
            record |= self._place(event)
        if row is not None:
            record["shown"] = self._decoder.before(row, event.args)
            data = pieces(self._decoder, row, event.args)
            if data:
                record["data"] = data
            if self.memory:
                self._before[event.call] = self._written(row, event)
        elif event.number in _THREEI:
            record["shown"] = threei_args(event, self.system)
            if event.number == COPY_DATA_BETWEEN_CAGES and (data := copied(self._read, event.args)):
                record["data"] = data
        else:
            record["shown"] = [hex(value) for value, _ in event.args if value != UNUSED]

    def _place(self, event: Enter) -> Record:
        """Where in its program the thread that runs makes this call, if it runs one in wasm."""
        from lindref.system.wasm_runner import WasmRunner

        thread = self.system.threads.get(self.system.current)
        runner = None if thread is None or thread.cage != event.cage else thread.runner
        if not isinstance(runner, WasmRunner):
            return {}
        found = backtrace(runner.machine, lines=self._lines)
        return {"where": list(found)} if found else {}

    def _exit(self, event: Exit, record: Record) -> list[Record]:
        enter = self._calls.pop(event.call, None)
        row = self.system.kernel.rows.get(enter.number) if enter is not None else None
        if event.result is None:
            self._before.pop(event.call, None)
            return []
        if is_error(row, event.result):
            record["errno"] = errno.name_of(-event.result)
        if row is None or enter is None:
            return []
        shown = self._decoder.after(row, enter.args, event.result)
        if shown:
            record["shown"] = {str(k): v for k, v in shown.items()}
        return [
            self._change(event, address, before, after)
            for address, before in self._before.pop(event.call, ())
            if (after := self._read(address, len(before))) is not None and after != before
        ]

    def _written(self, row: CallRow, event: Enter) -> list[tuple[int, bytes]]:
        """What lies where the call may write, by address."""
        out: list[tuple[int, bytes]] = []
        for param, (value, _) in zip(row.params, event.args, strict=False):
            if param.direction is not Direction.IN and value:
                data = self._read(value, min(self._decoder.size(param, row, event.args), MEMORY_MAX))
                if data:
                    out.append((value, data))
        return out

    def _change(self, event: Exit, address: int, before: bytes, after: bytes) -> Record:
        place = self.system.host.resolve(address)
        assert place is not None, "it was read"
        return {
            "n": event.n, "event": "memory", "cage": event.cage, "tid": event.tid, "time": event.time,
            "owner": place.cage, "offset": place.offset, "before": before.hex(), "after": after.hex(),
            "call": event.call,
        }  # fmt: skip


def threei_args(event: Enter, system: System) -> list[str]:
    """The arguments of a call of 3i itself, which travel in cage positions too (3i.md 1.6)."""
    args = event.args
    match event.number:
        case 1001:
            (cage, number), (_, grate), (address, _) = args[0], args[1], args[2]
            if grate == DEREGISTER:
                return [f"cage {cage}", system.call_name(number), "remove"]
            name = function_name(system, grate, address) or f"fn {address}"
            return [f"cage {cage}", system.call_name(number), f"grate {grate}", name]
        case 1003:
            return [f"from cage {args[0][0]}", f"to cage {args[0][1]}"]
        case _:
            (source, source_cage), (dest, dest_cage), (length, _), (kind, _) = args[:4]
            return [
                f"cage {source_cage} {source:#x}",
                f"cage {dest_cage} {dest:#x}",
                str(length),
                {0: "bytes", 1: "string"}.get(kind, str(kind)),
            ]


__all__ = ["ERRNOS", "Recorder", "is_error", "threei_args"]
