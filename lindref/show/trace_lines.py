"""The lines of a run so far, as strace would have shown them."""

from __future__ import annotations

import re

from lindref.show.sheet import Cell, cell
from lindref.system.events import Event
from lindref.system.history import Trace
from lindref.system.system import System as Engine
from lindref.trace.recorder import Recorder
from lindref.trace.strace import StraceText

#: From so many events on, only the end of a run is passed over again: calls that began before it are not known.
_WHOLE = 20_000
#: Events that are passed over for one line, generously.
_FOR_A_LINE = 12


def listing(trace: Trace, most: int) -> tuple[list[list[Cell]], int] | None:
    """The last ``most`` lines, and how many come before them (of a long run: events that were not passed over);
    ``None`` where the run does not know these events any more.
    """
    system = trace.system
    if system is None or (trace and system.event_at(trace[-1].n) is not trace[-1]):
        return None
    wanted = {event.n for event in trace}
    found: list[tuple[int, str]] = []
    now = 0
    text = StraceText(lambda line: found.append((now, line)), routes=True)
    recorders: list[Recorder] = []

    def tell(engine: Engine, event: Event) -> None:
        nonlocal now
        if event.n > last:
            return
        now = event.n
        if not recorders:
            recorders.append(Recorder(engine))
        recorders[0].system = engine
        for record in recorders[0].records(event):
            text.on_record(record)

    last = trace[-1].n if trace else 0
    first = 1 if last <= _WHOLE else max(last - most * _FOR_A_LINE, 1)
    system.retell(tell, first, last)
    text.flush()
    lines = [line for n, line in found if n in wanted]
    shown = lines[-most:]
    return [_pieces(line.rstrip("\n")) for line in shown], len(lines) - len(shown) + first - 1


_ROUTE = re.compile(r"(grate \d+( \S+)?|RawPOSIX|3i|runtime)$")


def _pieces(line: str) -> list[Cell]:
    """A line with its cage and its route in quieter type, and a failure marked."""
    tag, _, rest = line.partition("] ")
    body, arrow, route = rest.rpartition(" → ")
    if not _ROUTE.match(route):
        body, arrow, route = rest, "", ""
    pieces = [cell(f"{tag}] ", "soft"), cell(body, "wrong" if " = -1 E" in body else "")]
    return [*pieces, cell(f"{arrow}{route}", "grate" if route.startswith("grate") else "soft")] if arrow else pieces
