"""What there is to be seen of each thing, as a sheet."""

from __future__ import annotations

from functools import singledispatch

from lindref import classes
from lindref.api.module import Module
from lindref.posix import flags
from lindref.show.sheet import Cell, Lines, Part, Sheet, cell, lines, table
from lindref.show.trace_lines import listing
from lindref.system.asyncify import Asyncified, Spill
from lindref.system.events import Event
from lindref.system.forks import SideBySide
from lindref.system.history import Trace
from lindref.system.outcome import Outcome
from lindref.system.session import System
from lindref.system.views import (
    Cages,
    CageView,
    Descriptor,
    Descriptors,
    HandlerTable,
    MemoryView,
    ThreadView,
    protection,
)
from lindref.threei.numbers import BENEATH, RAWPOSIX_CAGE, THREEI_CAGE, UNUSED
from lindref.vm.pages import PAGE

#: How many lines of a trace a system shows of itself, and at most a trace.
LATEST, MOST = 8, 400


@singledispatch
def sheet_of(value: object) -> Part:
    """The sheet of ``value``. ``TypeError`` for what has none."""
    raise TypeError(f"{type(value).__name__} has no sheet")


@sheet_of.register(Outcome)
def _(value: Outcome) -> Part:
    how = value.ending
    if how == "exit":
        said = f"exited with {value.code}"
    elif how == "signal":
        said = f"killed by {flags.signal(value.code)}"
    else:
        said = how
    style = "" if how == "exit" else "wrong"
    text = [cell(line, "soft") for line in value.text.splitlines()]
    return lines("", [[cell(said, style), cell(f", exit status {value.status}", "soft")], *[[line] for line in text]])


@sheet_of.register(ThreadView)
def _(value: ThreadView) -> Part:
    return lines("", [f"cage {value.cage} {_thread(value)}"])


def _thread(thread: ThreadView) -> str:
    return f"{'worker' if thread.worker else 'thread'} {thread.tid}: {thread.doing}"


@sheet_of.register(Descriptor)
def _(value: Descriptor) -> Part:
    return table("", *_descriptors([value]))


@sheet_of.register(Descriptors)
def _(value: Descriptors) -> Part:
    return table(f"descriptors of cage {value.cage}", *_descriptors(list(value.values())))


def _descriptors(found: list[Descriptor]) -> tuple[list[str], list[list[object]]]:
    rows: list[list[object]] = [
        [d.fd, d.kind, cell(d.name, mono=True), d.flags, d.offset, d.shared, "yes" if d.cloexec else ""] for d in found
    ]
    return ["fd", "kind", "refers to", "flags", "offset", "shared by", "close on exec"], rows


@sheet_of.register(HandlerTable)
def _(value: HandlerTable) -> Part:
    by: dict[str, list[str]] = {}
    functions: dict[str, set[str]] = {}
    for call, handler in value.items():
        who = _who(None if handler is None else handler.cage)
        by.setdefault(who, []).append(call)
        if handler is not None and handler.cage not in BENEATH:
            functions.setdefault(who, set()).add(str(handler.address))
    rows = []
    for who, calls in sorted(by.items(), key=lambda item: (not item[0].startswith("grate"), item[0])):
        few = len(calls) <= 12
        shown = ", ".join(sorted(calls)) if few else f"{len(calls)} calls"
        rows.append([cell(who, "grate" if who.startswith("grate") else ""), shown])
    return table(f"handlers of cage {value.cage}", ["served by", "calls"], rows)


def _who(handler: int | None) -> str:
    if handler is None:
        return "nobody (the grate is gone)"
    named = {RAWPOSIX_CAGE: "RawPOSIX", THREEI_CAGE: "3i"}
    return named.get(handler, "the runtime") if handler in BENEATH else f"grate {handler}"


@sheet_of.register(MemoryView)
def _(value: MemoryView) -> Part:
    out: list[list[Cell]] = []
    for row in range(0, len(value.data), 16):
        part = value.data[row : row + 16]
        pairs = " ".join("··" if byte is None else f"{byte:02x}" for byte in part)
        text = "".join(" " if b is None else chr(b) if 32 <= b < 127 else "." for b in part)
        out.append([cell(f"{value.address + row:08x}  ", "soft"), cell(f"{pairs:<47}"), cell(f"  {text}", "soft")])
    places = [f"{r.first * PAGE:#x}–{r.end * PAGE:#x} {protection(r)}{_backing(r.backing)}" for r in value.regions]
    where = "; ".join(places) if places else "not mapped"
    return Lines(f"memory of cage {value.cage} ({where})", tuple(map(tuple, out)))


def _backing(backing: int | None) -> str:
    return "" if backing is None else f" shared store {backing}"


@sheet_of.register(CageView)
def _(value: CageView) -> Part:
    record = value.record
    family: list[list[object]] = [["id", value.id], ["parent", record.parent], ["program", value.program]]
    family += [["arguments", " ".join(word.decode("utf-8", "backslashreplace") for word in record.argv)]]
    family += [["working directory", record.cwd.decode("utf-8", "backslashreplace")]]
    if record.zombies:
        family.append(["ended children", ", ".join(str(zombie.cage) for zombie in record.zombies)])
    if record.pending:
        family.append(["pending signals", ", ".join(flags.signal(one) for one in record.pending)])
    threads = lines("threads", [_thread(thread) for thread in value.threads] or ["none"])
    return Sheet(
        f"cage {value.id}",
        (table("", ["", ""], family), threads, sheet_of(value.fds), sheet_of(value.handlers)),
    )


@sheet_of.register(Cages)
def _(value: Cages) -> Part:
    return _cages("cages", value)


def _cages(title: str, value: Cages) -> Part:
    rows = []
    for number, view in value.items():
        grates = sorted(set(view.interposed.values()))
        doing = "; ".join(t.doing if not t.worker else f"worker {t.tid} {t.doing}" for t in view.threads)
        over = cell(", ".join(map(str, grates)), "grate" if grates else "")
        rows.append([number, view.record.parent, view.program, doing or "idle", " ".join(map(str, view.fds)), over])
    return table(title, ["cage", "parent", "program", "does", "descriptors", "grates over it"], rows)


@sheet_of.register(SideBySide)
def _(value: SideBySide) -> Part:
    left, right = (f"cage {cage}" for cage in value.cages)
    rows = []
    for frame in value.frames:
        style = "wrong" if frame.left != frame.right else "strong"
        rows.append([cell(frame.left, style), "", "" if frame.left == frame.right else cell(frame.right, style)])
        for slot in frame.slots:
            style = "wrong" if slot.differs else "soft"
            sign = "≠" if slot.differs else ""
            rows.append([f"  {slot.name}", cell(_number(slot.left), style), cell(_number(slot.right), style), sign])
    rows = [[*row, *[""] * (4 - len(row))] for row in rows]
    rows = [[Cell("") if one == "" else one for one in row] for row in rows]
    count = len(value.differences)
    said = "they differ in one value" if count == 1 else f"they differ in {count} values"
    pages = f"memory: {value.shared_pages} pages are shared, {value.other_pages} are one cage's own"
    return Sheet(said, (table("", ["calls in progress", left, right, " "], rows), lines("", [pages])))


@sheet_of.register(Asyncified)
def _(value: Asyncified) -> Part:
    def frames(title: str, spills: tuple[Spill, ...]) -> Part:
        rows = [
            [cell(one.function, "strong"), one.instructions, len(one.data), cell(f"{one.address:#x}", mono=True),
             cell(_short(one.data), "soft", mono=True)]
            for one in spills
        ]  # fmt: skip
        return table(title, ["function", "instructions", "bytes", "at", "what"], rows)

    buffer = f"The buffer lies at {value.low:#x}, and may reach to the stack pointer, {value.end:#x}."
    parts = [
        _said(f"{buffer} The program is told to unwind."),
        frames("each function writes its variables and returns, the innermost first", value.unwind),
    ]
    for rewind in value.rewinds:
        who = "the parent" if rewind.cage == 1 else "the child"
        title = f"{who} begins anew; each function reads its variables and calls on, until clone gives {rewind.result}"
        parts.append(frames(title, rewind.frames))
        parts.append(_said(f"It goes on with {rewind.next_name or 'no call'}."))
    left = sorted({slot.name for rewind in value.rewinds for slot in rewind.changed})
    restored = all(rewind.functions_restored for rewind in value.rewinds)
    said = "The same functions are in progress at the same places" if restored else "The functions are not the same"
    unused = "which are needed no more, or are the instrumentation's own"
    rest = f"; other values: {', '.join(left)} ({unused})" if left else ", with the same values"
    parts.append(_said(f"{said}{rest}. {value.instructions} instructions; {value.written} bytes of memory."))
    return Sheet("the same by Asyncify", tuple(parts))


def _said(text: str) -> Part:
    """A sentence, which may be broken into lines."""
    return Lines("", ((Cell(text),),), wraps=True)


def _short(data: bytes) -> str:
    return data.hex() if len(data) <= 16 else f"{data[:15].hex()}…"


def _number(value: object) -> str:
    return hex(value) if isinstance(value, int) and value > 99_999_999 else str(value)


@sheet_of.register(Trace)
def _(value: Trace) -> Part:
    return _trace(f"{len(value)} events", value, MOST)


def _trace(title: str, value: Trace, most: int) -> Lines:
    told = listing(value, most)
    if told is None:
        told = [[cell(_event(event))] for event in value[-most:]], max(len(value) - most, 0)
    shown, left = told
    if left:
        shown = [[cell(f"… {left} lines before", "soft")], *shown]
    return lines(title, shown)


def _event(event: Event) -> str:
    said = [f"{f.name}={getattr(event, f.name)!r}" for f in classes.fields(type(event)) if f.name not in _ALL_HAVE]
    return f"{event.n} {event.kind} in cage {event.cage}: {', '.join(said)}"


_ALL_HAVE = ("n", "cage", "tid", "time")


def _field(event: Event, name: str) -> object:
    """A field of an event; of arguments those that the call has, each with its owner."""
    value = getattr(event, name)
    if name != "args":
        return value
    given = [(number, owner) for number, owner in value if number != UNUSED]
    return ", ".join(f"{hex(number) if number > 9 else number} of cage {owner}" for number, owner in given)


@sheet_of.register(Event)
def _(value: Event) -> Part:
    rows = [[f.name, _field(value, f.name)] for f in classes.fields(type(value)) if f.name not in _ALL_HAVE]
    head = f"event {value.n}: {value.kind}, cage {value.cage} thread {value.tid}, {value.time} ns"
    return table(head, ["", ""], rows)


@sheet_of.register(System)
def _(value: System) -> Part:
    outcome = value.outcome
    where = f"event {value.position}, turn {value.turn}, {value.engine.kernel.now / 1000:g} µs"
    parts: list[Part] = []
    if outcome is not None:
        parts.append(sheet_of(outcome))
    if len(value.cages):
        parts.append(_cages("cages", value.cages))
    parts.append(_trace("what happened last", value.trace, LATEST))
    return Sheet(f"system at {where}", tuple(parts))


@sheet_of.register(Module)
def _(value: Module) -> Part:
    imports = [[module, name, kind] for module, name, kind in value.imports]
    exports = [[name, kind] for name, kind in value.exports]
    syntax = value.syntax
    rows = [["functions", len(syntax.funcs)], ["data segments", len(syntax.datas)]]
    parts: list[Part] = [table("", ["", ""], rows)]
    if imports:
        parts.append(table("imports", ["module", "name", "kind"], imports))
    if exports:
        parts.append(table("exports", ["name", "kind"], exports))
    return Sheet("module", tuple(parts))
