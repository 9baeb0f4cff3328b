"""The lines of a run so far, as strace would have shown them."""

from __future__ import annotations

from lindref.show.sheet import Cell, cell
from lindref.system.events import Event
from lindref.system.session import System
from lindref.system.system import System as Engine
from lindref.trace.recorder import Recorder
from lindref.trace.strace import StraceText

#: From so many events on, only the end of a run is passed over again: calls that began before it are not known.
_WHOLE = 20_000
#: Events that are passed over for one line, generously.
_FOR_A_LINE = 12


def listing(system: System, most: int) -> tuple[list[list[Cell]], int]:
    """The last ``most`` lines, and how many come before them (of a long run: events that were not passed over)."""
    found: list[str] = []
    text = StraceText(found.append, routes=True)
    recorders: list[Recorder] = []

    def tell(engine: Engine, event: Event) -> None:
        if not recorders:
            recorders.append(Recorder(engine))
        recorders[0].system = engine
        for record in recorders[0].records(event):
            text.on_record(record)

    position = system.position
    first = 1 if position <= _WHOLE else position - most * _FOR_A_LINE
    system.retell(tell, first)
    text.flush()
    shown = found[-most:]
    return [_pieces(line.rstrip("\n")) for line in shown], len(found) - len(shown) + first - 1


def _pieces(line: str) -> list[Cell]:
    """A line with its cage and its route in quieter type, and a failure marked."""
    tag, _, rest = line.partition("] ")
    body, arrow, route = rest.partition("  → ")
    pieces = [cell(f"{tag}] ", "soft"), cell(body, "wrong" if " = -1 E" in body else "")]
    return [*pieces, cell(f"{arrow}{route}", "grate" if "grate" in route else "soft")] if arrow else pieces
