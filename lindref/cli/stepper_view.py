"""What the stepper shows, as text: made of a session alone, whatever draws it."""

from __future__ import annotations

from lindref.posix import console
from lindref.system.events import Choice, Enter, Event, Exit, Route
from lindref.system.schedule import waits_for
from lindref.system.session import System
from lindref.system.threads import Idle, Ready
from lindref.threei.numbers import BENEATH, RAWPOSIX_CAGE, THREEI_CAGE
from lindref.trace.recorder import Recorder
from lindref.trace.strace import StraceText, plain


class View:
    """The panes of one session. The lines of the trace are made once, as the events happen."""

    def __init__(self, system: System) -> None:
        self.system = system
        #: Lines of the trace with the number of the event at which each appeared.
        self.lines: list[tuple[int, str]] = []
        self._now = 0
        self._recorder = Recorder(system.engine)
        self._text = StraceText(lambda line: self.lines.append((self._now, line.rstrip("\n"))), routes=True)
        for event in system.trace:
            self.on_event(event)
        system.engine.observers.append(self)

    def on_event(self, event: Event) -> None:
        """Take down the line of ``event`` (``Observer``; told once, however often one passes it)."""
        self._now = event.n
        self._recorder.system = self.system.engine
        for record in self._recorder.records(event):
            self._text.on_record(record)

    def where(self) -> str:
        """One line: where one stands."""
        system = self.system
        outcome = system.outcome
        end = f" · ended: {outcome.ending}, status {outcome.status}" if outcome is not None else ""
        return f"event {system.position} · turn {system.turn} · {system.engine.kernel.now / 1000:.3f} µs{end}"

    def trace(self, height: int) -> str:
        """The lines up to the present, the last one marked, and as many of the known future as fit."""
        position = self.system.position
        now = sum(n <= position for n, _ in self.lines)
        first = max(0, now - max(height * 2 // 3, 1))
        shown = self.lines[first : first + height]
        marks = ["▶" if first + i == now - 1 else " " if first + i < now else "·" for i in range(len(shown))]
        return "\n".join(f"{mark} {line}" for mark, (_, line) in zip(marks, shown, strict=True))

    def cages(self) -> str:
        """Each living cage: its threads and what they wait for, its descriptors, who serves its calls."""
        engine = self.system.engine
        out = []
        for number, cage in self.system.cages.items():
            record = cage.record
            out.append(f"cage {number} ← {record.parent}  {plain(record.exe.decode('utf-8', 'backslashreplace'))}")
            for thread in engine.threads.values():
                if thread.cage == number and not isinstance(thread.status, Idle):
                    who = f"worker {thread.slot}" if thread.slot else f"thread {thread.tid}"
                    ready = isinstance(thread.status, Ready)
                    doing = "ready" if ready else waits_for(engine, thread.status)
                    out.append(f"  {who}: {doing}")
            out.append(f"  descriptors: {', '.join(map(str, record.fds)) or 'none'}")
            served: dict[int, list[str]] = {}
            for call, grate in cage.interposed.items():
                served.setdefault(grate, []).append(engine.call_name(call))
            out += [f"  → grate {grate}: {', '.join(names)}" for grate, names in served.items()]
        return "\n".join(out) or "no cage lives"

    def journey(self) -> str:
        """The call that the last event belongs to: from the cage that made it, through grates, and back."""
        events = self.system.trace
        last = next((e for e in reversed(events) if not isinstance(e, Choice)), None)
        if last is None:
            return ""
        rule = getattr(last, "rule", "")
        head = f"{last.kind} in cage {last.cage}" + (f"  [{rule}]" if rule else "")
        if not isinstance(last, Enter | Route | Exit):
            return head
        entered = {e.call: e for e in events if isinstance(e, Enter)}
        top = last.call
        while entered[top].within in entered:
            top = entered[top].within
        return "\n".join([head, *self._way(top, entered, events, 0)])

    def _way(self, call: int, entered: dict[int, Enter], events: tuple[Event, ...], depth: int) -> list[str]:
        mine = [e for e in events if isinstance(e, Route | Exit) and e.call == call]
        enter, pad = entered[call], "  " * depth
        out = [f"{pad}cage {enter.cage} {enter.name}"]
        for event in mine:
            if isinstance(event, Route):
                who = {RAWPOSIX_CAGE: "RawPOSIX", THREEI_CAGE: "3i"}.get(event.handler, f"cage {event.handler}")
                kind = "" if event.handler in BENEATH else "grate: "
                out.append(f"{pad}→ {kind}{who}  [{event.rule}]")
        for inner in [e for e in entered.values() if e.within == call]:
            out += self._way(inner.call, entered, events, depth + 1)
        for event in mine:
            if isinstance(event, Exit):
                result = "never returns" if event.result is None else str(event.result)
                out.append(f"{pad}= {result}" + (f"  [{event.rule}]" if event.rule else ""))
        return out

    def output(self, height: int) -> str:
        """The end of what the run wrote, standard output and error."""
        kernel = self.system.engine.kernel
        data = console.output(kernel, console.STDOUT) + console.output(kernel, console.STDERR)
        lines = data.decode("utf-8", "backslashreplace").splitlines()[-height:]
        return "\n".join(map(plain, lines))
