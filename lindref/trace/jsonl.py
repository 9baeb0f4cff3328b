"""The trace as JSON lines: a header, then one object an event, in the order of the run.

The bytes are a function of the run alone. Addresses are numbers, pairs are ``[value, owning cage]``; what can be
decoded stands beside them as text in ``shown``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs

from lindref.posix import errno
from lindref.system.events import Enter, Event, Exit
from lindref.trace.decode import Decoder

if TYPE_CHECKING:
    from lindref.system.system import System

FORMAT = "lindref-trace"
VERSION = 1

#: JSON names of event fields that read better there.
_NAMES = {"caller": "self", "result": "ret"}


def header(system: System, **more: object) -> dict[str, Any]:
    """The first line: format, version, and what the run is a function of."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "profile": system.profile.name,
        "seed": system.config.seed,
        "workers": system.config.workers,
        **more,
    }


def dump(value: object) -> str:
    """One line of the trace."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n"


class JsonTrace:
    """Writes the trace to ``write``; implements ``Observer``."""

    def __init__(self, system: System, write: Callable[[str], object], **more: object) -> None:
        self._system = system
        self._write = write
        self._decoder = Decoder(self._read)
        self._calls: dict[int, Enter] = {}
        write(dump(header(system, **more)))

    def _read(self, address: int, count: int) -> bytes | None:
        place = self._system.host.resolve(address)
        memory = self._system.memory(place.cage) if place else None
        return memory.try_read(place.offset, count) if memory is not None and place is not None else None

    def on_event(self, event: Event) -> None:
        """Write ``event``."""
        fields = attrs.asdict(event, recurse=False)
        out: dict[str, Any] = {"n": fields.pop("n"), "event": event.kind}
        for name, value in fields.items():
            if value in ("", None) and name in ("rule", "trap"):
                continue
            out[_NAMES.get(name, name)] = value
        rows = self._system.kernel.rows
        if isinstance(event, Enter):
            self._calls[event.call] = event
            row = rows.get(event.number)
            if row is not None:
                out["shown"] = self._decoder.before(row, event.args)
        elif isinstance(event, Exit):
            enter = self._calls.pop(event.call, None)
            if event.result is not None and -4096 < event.result < 0:
                out["errno"] = errno.name_of(-event.result)
            row = rows.get(enter.number) if enter is not None else None
            if row is not None and enter is not None and event.result is not None:
                shown = self._decoder.after(row, enter.args, event.result)
                if shown:
                    out["shown"] = {str(k): v for k, v in shown.items()}
        self._write(dump(out))
