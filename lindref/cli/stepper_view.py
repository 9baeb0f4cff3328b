"""What the stepper shows, as text: made of a debugger alone, whatever draws it."""

from __future__ import annotations

import os
from typing import Any

from lindref import classes
from lindref.debug import disassembly, inspect
from lindref.debug.debugger import Debugger
from lindref.debug.frames import GuestFrame
from lindref.debug.places import Unavailable
from lindref.debug.transcript import Transcript
from lindref.debug.words import written
from lindref.posix import console
from lindref.system.session import System
from lindref.trace.strace import plain

#: The panes below the source, in the order of their tabs: name and heading.
PANES = (
    *(("calls", "Calls"), ("journey", "Call"), ("stack", "Stack"), ("memory", "Memory"), ("cages", "Cages")),
    *(("files", "Files"), ("handlers", "Handlers"), ("output", "Output"), ("breaks", "Breaks")),
)


@classes.frozen
class Row:
    """A line of a pane; ``target`` is what a click on it means: kind and value."""

    text: str
    target: tuple[str, Any] = ("", None)


class View:
    """The panes of one session. ``folders`` are where sources may lie; ``memory`` is the address that is shown."""

    def __init__(self, system: System, folders: tuple[str, ...] = (".",)) -> None:
        self.debugger = Debugger(system)
        self.transcript = Transcript(system)
        self.folders = folders
        self.memory: int | None = None
        self.level = 0
        self._sources: dict[str, list[str] | None] = {}

    @property
    def system(self) -> System:
        """The session."""
        return self.debugger.session

    def frame(self) -> GuestFrame | None:
        """The frame that is looked at."""
        frames = self.debugger.stack()
        return frames[min(self.level, len(frames) - 1)] if frames else None

    @property
    def cage(self) -> int:
        """The cage of the present thread."""
        thread = self.debugger.engine.threads.get(self.debugger.key)
        return 1 if thread is None else thread.cage

    def where(self) -> str:
        """One line: where one stands."""
        debugger, system = self.debugger, self.system
        outcome = debugger.outcome
        at = f"event {system.position} turn {debugger.position.turn}"
        if debugger.position.tick or debugger.position.step:
            at += f"+{debugger.position.tick}.{debugger.position.step}"
        if outcome is not None:
            return f"{at} · ended: {outcome.ending}, status {outcome.status}"
        thread = debugger.engine.threads.get(debugger.key)
        who = "" if thread is None else f" · {inspect.thread_name(debugger.engine, thread)}"
        return f"{at}{who}"

    # Source.

    def _lines(self, file: str) -> list[str] | None:
        if file not in self._sources:
            self._sources[file] = None
            for folder in self.folders:
                path = os.path.join(folder, file)
                if os.path.isfile(path):
                    with open(path, encoding="utf-8", errors="backslashreplace") as stream:
                        self._sources[file] = [plain(one.expandtabs(4)) for one in stream.read().splitlines()]
                    break
        return self._sources[file]

    def title(self) -> str:
        """What the source pane shows: function and file, or why not."""
        frame = self.frame()
        if frame is None:
            return "no function is running here"
        where = f"{frame.file.rpartition('/')[2]}:{frame.line}" if frame.line else f"{frame.offset:#x}"
        return f"{frame.name} · {where}" + (" · inlined" if frame.inlined else "")

    def source(self, height: int, *, code: bool = False) -> list[Row]:
        """The source around where one stands, or (``code``, or where there is none) the disassembly; ``▶`` marks the
        place, ``●`` a breakpoint."""
        frame = self.frame()
        if frame is None:
            return []
        lines = self._lines(frame.file) if frame.line and not code else None
        if lines is None:
            return self._disassembly(frame, height)
        marks = {b.line for b in self.debugger.breakpoints.values() if b.line and b.file == frame.file}
        first = max(min(frame.line - 1 - height // 3, len(lines) - height), 0)
        out = []
        for number, text in enumerate(lines[first : first + height], first + 1):
            mark = ("●" if number in marks else " ") + ("▶" if number == frame.line else " ")
            out.append(Row(f"{mark}{number:>4} {text}", ("line", (frame.file, number))))
        return out

    def _disassembly(self, frame: GuestFrame, height: int) -> list[Row]:
        marks = {b.offset for b in self.debugger.breakpoints.values()}
        out = []
        for line in disassembly.around(frame.program, frame.offset, height // 3, height):
            mark = ("●" if line.offset in marks else " ") + ("▶" if line.offset == frame.offset else " ")
            out.append(Row(f"{mark}{line.offset:06x} {'  ' * min(line.depth, 6)}{line.text}", ("offset", line.offset)))
        return out

    def values(self) -> list[Row]:
        """C locals, then wasm's operand stack and locals."""
        frame = self.frame()
        if frame is None:
            return []
        out = []
        for variable in frame.variables():
            try:
                value = frame.value(variable)
                out.append(Row(f"{variable.name} = {value.text()}", ("memory", value.address)))
            except Unavailable as why:
                out.append(Row(f"{variable.name} = <{why}>"))
        operands = [_number(v) for v in reversed(frame.operands())]
        out.append(Row("— operands, top first —"))
        out.append(Row(" ".join(operands) or "(none)"))
        out.append(Row("— wasm locals —"))
        out += [Row(f"{name} = {_number(value)}") for name, value in frame.locals()]
        return out

    # Below.

    def pane(self, name: str, height: int) -> list[Row]:
        """A pane by its name."""
        make = self.memory_pane if name == "memory" else getattr(self, name)
        rows: list[Row] = make(max(height, 1))
        return rows

    def calls(self, height: int) -> list[Row]:
        """The calls up to the present, the last one marked, and as many of the known future as fit."""
        written_ = self.transcript
        now = written_.known()
        first = max(0, min(now - max(height * 2 // 3, 1), len(written_.lines) - height))
        out = []
        for i in range(first, min(first + height, len(written_.lines))):
            mark = "▶" if i == now - 1 else " " if i < now else "·"
            out.append(Row(f"{mark} {written_.lines[i]}", ("event", written_.numbers[i])))
        return out

    def journey(self, _: int) -> list[Row]:
        """The way of the last call, from the cage that made it, through grates, and back, with the rule of each leg."""
        way = inspect.journey(self.system.trace, self.debugger.engine)
        return [Row(str(leg), ("event", leg.event)) for leg in way] or [Row("no call so far")]

    def stack(self, _: int) -> list[Row]:
        """The calls that the present thread is in, then the other threads."""
        out = []
        engine = self.debugger.engine
        for level, frame in enumerate(self.debugger.stack()):
            where = f"{frame.file.rpartition('/')[2]}:{frame.line}" if frame.line else f"+{frame.offset:#x}"
            note = f"  [{frame.note}]" if frame.note else ""
            out.append(Row(f"{'▶' if level == self.level else ' '} {frame.name}  {where}{note}", ("level", level)))
        for thread in self.debugger.threads():
            mark = "▶" if thread.key == self.debugger.key else " "
            text = f"{mark} {inspect.thread_name(engine, thread)}: {inspect.doing(engine, thread)}"
            out.append(Row(text, ("thread", thread.key)))
        return out

    def memory_at(self) -> int:
        """The address that the memory pane shows: the one that was asked for, or the top of the stack."""
        if self.memory is not None:
            return self.memory
        frame = self.frame()
        found = {} if frame is None else dict(frame.globals())
        top = found.get("__stack_pointer", 0)
        return top if isinstance(top, int) else 0

    def memory_pane(self, height: int) -> list[Row]:
        """Memory in hexadecimal, then the regions with their protections."""
        engine = self.debugger.engine
        regions = [Row(inspect.region_text(r), ("memory", r.first * 4096)) for r in inspect.regions(engine, self.cage)]
        count = max(height - min(len(regions), 3), 2)
        start = self.memory_at() & ~15
        lines = inspect.hex_lines(engine, self.cage, start, count)
        return [Row(line) for line in lines] + regions

    def cages(self, _: int) -> list[Row]:
        """The tree of cages: each with its program, its threads and what they wait for."""
        engine = self.debugger.engine
        out = []
        for depth, cage in inspect.cage_tree(engine):
            pad = "  " * depth
            names = f"{inspect.text(cage.exe)}  in {inspect.text(cage.cwd)}"
            out.append(Row(f"{pad}cage {cage.id} ← {cage.parent}  {names}"))
            for thread in self.debugger.threads():
                if thread.cage == cage.id:
                    who = f"worker {thread.slot}" if thread.slot else f"thread {thread.tid}"
                    out.append(Row(f"{pad}  {who}: {inspect.doing(engine, thread)}", ("thread", thread.key)))
        return out or [Row("no cage lives")]

    def files(self, _: int) -> list[Row]:
        """The descriptors of the present cage."""
        return [Row(str(one)) for one in inspect.descriptors(self.debugger.engine, self.cage)] or [Row("none")]

    def handlers(self, _: int) -> list[Row]:
        """Who serves the calls of each cage."""
        out = []
        for number in self.debugger.engine.tables.rows:
            out.append(Row(f"cage {number}"))
            out += [Row(f"  {call}: {who}") for call, who in inspect.handler_table(self.debugger.engine, number)]
        return out

    def output(self, height: int) -> list[Row]:
        """The end of what the run wrote, standard output and error."""
        kernel = self.debugger.engine.kernel
        data = console.output(kernel, console.STDOUT) + console.output(kernel, console.STDERR)
        return [Row(plain(line)) for line in data.decode("utf-8", "backslashreplace").splitlines()[-height:]]

    def breaks(self, _: int) -> list[Row]:
        """The breakpoints."""
        out = []
        for one in self.debugger.breakpoints.values():
            out.append(Row(f"{one.id} {'●' if one.enabled else '○'} {written(one)}", ("breakpoint", one.id)))
        return out or [Row("none; b adds one, a click on a line too")]


def _number(value: object) -> str:
    if isinstance(value, int):
        return f"{value:#x}" if value > 9 else str(value)
    return "null" if value is None else str(value)
