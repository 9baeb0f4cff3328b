"""Writing the trace as JSON lines: a header, then one object an event, in the order of the run (docs/trace.md).

The bytes are a function of the run alone. Nothing is kept but the calls that have not come back.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import lindref
from lindref.system.choices import Chooser, Recorded, Replay, Seeded, format_answers
from lindref.system.events import EVENTS, Event
from lindref.trace.format import FORMAT, VERSION, Record
from lindref.trace.recorder import Recorder

if TYPE_CHECKING:
    from lindref.system.outcome import Outcome
    from lindref.system.runtime import Config
    from lindref.system.system import System


def header(system: System, *, memory: bool = False, **more: object) -> Record:
    """The first line: format, version, and what the run is a function of (FORMAT-1)."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "producer": f"lindref {lindref.__version__}",
        "spec": lindref.__version__,
        "profile": system.profile.name,
        "seed": system.config.seed,
        **_choices(system.choices.chooser),
        "workers": system.config.workers,
        **_outside(system.config),
        **_terminals(system),
        **more,
        "programs": list(system.images.programs()),
        "observes": [*(kind.kind for kind in EVENTS), *(["memory"] if memory else []), "outcome"],
        "order": "global",
    }


def _outside(config: Config) -> Record:
    """What of the outside the run is joined to."""
    clock = {"clock": config.clock, "start_time": config.start_time} if config.clock != "virtual" else {}
    return {**clock, **({"net": config.net} if config.net else {})}


def _terminals(system: System) -> Record:
    """Which standard streams are terminals, and of what size."""
    found = {str(number): list(stream.size) for number, stream in system.kernel.consoles.items() if stream.tty}
    return {"terminals": found} if found else {}


def _choices(chooser: Chooser) -> Record:
    if isinstance(chooser, Recorded):
        return dict(chooser.said)
    if isinstance(chooser, Replay):
        return {"choices": "replay", "schedule": format_answers(chooser.answers)}
    return {"choices": "seeded" if isinstance(chooser, Seeded) else "first"}


def dump(value: object) -> str:
    """One line of the trace."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n"


class JsonTrace:
    """Writes the trace to ``write``; implements ``Observer``.

    The header is written with the first event: then the program is loaded. ``memory``: write memory events too.
    ``places``: say where calls are made. ``more``: further fields of the header.
    """

    def __init__(
        self,
        system: System,
        write: Callable[[str], object],
        *,
        memory: bool = False,
        places: bool = False,
        **more: object,
    ) -> None:
        self._recorder = Recorder(system, memory, places)
        self._write = write
        self._more = more
        self._begun = False

    def _begin(self, first: int) -> None:
        if not self._begun:
            self._begun = True
            begins = {"begins": first} if first > 1 else {}
            recorder = self._recorder
            self._write(dump(header(recorder.system, memory=recorder.memory, **self._more, **begins)))

    def on_event(self, event: Event) -> None:
        """Write ``event``."""
        self._begin(event.n)
        for record in self._recorder.records(event):
            self._write(dump(record))

    def close(self, outcome: Outcome) -> None:
        """The run is over: write how it ended (FORMAT-5)."""
        self._begin(1)
        schedule = self._recorder.system.choices.schedule()
        text = {"text": outcome.text} if outcome.text else {}
        line = {"event": "outcome", "ending": outcome.ending, "status": outcome.status, **text, "schedule": schedule}
        self._write(dump(line))
