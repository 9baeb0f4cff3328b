"""What a client looks at while the run stands still: threads, stacks, scopes, variables, memory, code."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from lindref import classes
from lindref.dap.arguments import RequestError, may, want
from lindref.dap.sources import memory_address, memory_of
from lindref.debug import disassembly, inspect
from lindref.debug.changes import change_of
from lindref.debug.expressions import Assignment, ExpressionError, assignment, evaluate, value_of
from lindref.debug.frames import GuestFrame
from lindref.debug.places import Bytes, InSlot, Unavailable
from lindref.debug.types import DOUBLE, LONG_LONG
from lindref.debug.values import Value
from lindref.system.threads import InGrate

if TYPE_CHECKING:
    from lindref.dap.adapter import Adapter
    from lindref.dap.protocol import Message

#: Bytes that one request for memory may ask for; instructions for disassembly.
MOST_MEMORY = 1 << 20
MOST_CODE = 10_000


@classes.frozen
class Shown:
    """A variable as the client sees it; ``value`` where it is one of C's, ``frame`` what it is of."""

    name: str
    text: str
    type: str = ""
    value: Value | None = None
    frame: GuestFrame | None = None
    expression: str = ""
    inner: Callable[[], Iterator[Shown]] | None = None


class Handles:
    """Numbers for frames and for what can be opened, good until the run goes on."""

    def __init__(self) -> None:
        self.frames: list[GuestFrame] = []
        self._open: list[Callable[[], Iterator[Shown]]] = []

    def frame(self, number: int) -> GuestFrame:
        """The frame of a number; raises ``RequestError``."""
        if not 0 < number <= len(self.frames):
            raise RequestError(f"no frame {number} any more")
        return self.frames[number - 1]

    def put(self, inner: Callable[[], Iterator[Shown]]) -> int:
        """The number of something that can be opened."""
        self._open.append(inner)
        return len(self._open)

    def get(self, number: int) -> Callable[[], Iterator[Shown]]:
        """What has a number; raises ``RequestError``."""
        if not 0 < number <= len(self._open):
            raise RequestError(f"nothing has the reference {number} any more")
        return self._open[number - 1]


# Threads and stacks.


def threads(adapter: Adapter, _: Message) -> Message:
    """The threads of all cages."""
    engine = adapter.debugger.engine
    listed = [{"id": t.key, "name": inspect.thread_name(engine, t)} for t in adapter.debugger.threads()]
    return {"threads": listed or [{"id": adapter.debugger.key or 1, "name": "(no thread lives)"}]}


def stack_trace(adapter: Adapter, arguments: Message) -> Message:
    """The calls of a thread, the innermost first."""
    debugger, handles = adapter.debugger, adapter.handles
    key = want(arguments, "threadId", int)
    start, levels = may(arguments, "startFrame", int, 0), may(arguments, "levels", int, 0)
    frames = debugger.stack(key)
    thread = debugger.engine.threads.get(key)
    out: list[Message] = []
    if thread is not None and isinstance(thread.status, InGrate):
        out.append({"id": 0, "name": f"[{inspect.doing(debugger.engine, thread)}]", "line": 0, "column": 0,
                    "presentationHint": "label"})  # fmt: skip
    for frame in frames:
        if frame.note:
            out.append({"id": 0, "name": f"[{frame.note}]", "line": 0, "column": 0, "presentationHint": "label"})
        source, line, column = adapter.sources.place(frame)
        handles.frames.append(frame)
        out.append(
            {
                "id": len(handles.frames),
                "name": frame.name + (" (inlined)" if frame.inlined else ""),
                "source": source,
                "line": line,
                "column": column or 1,
                "instructionPointerReference": adapter.sources.address(frame.program, frame.offset),
                "moduleId": frame.program.digest,
                "presentationHint": "normal" if "path" in source else "subtle",
            }
        )
    end = len(out) if not levels else start + levels
    return {"stackFrames": out[max(start, 0) : max(end, 0)], "totalFrames": len(out)}


def scopes(adapter: Adapter, arguments: Message) -> Message:
    """What can be looked at in a frame."""
    frame = adapter.handles.frame(want(arguments, "frameId", int))
    engine, cage = adapter.debugger.engine, frame.thread.cage

    def pairs(rows: Callable[[], list[tuple[str, str]]]) -> Callable[[], Iterator[Shown]]:
        return lambda: (Shown(name, text) for name, text in rows())

    def mapped() -> list[tuple[str, str]]:
        return [(str(n), inspect.region_text(r)) for n, r in enumerate(inspect.regions(engine, cage))]

    def legs() -> list[tuple[str, str]]:
        way = inspect.journey(adapter.debugger.session.trace, engine)
        return [
            (f"{n:>3}", "  " * leg.depth + leg.text + (f"  [{leg.rule}]" if leg.rule else ""))
            for n, leg in enumerate(way, 1)
        ]

    found: list[tuple[str, str, bool, Callable[[], Iterator[Shown]]]] = [
        ("Locals", "locals", False, lambda: variables_of(frame)),
        ("Statics", "", True, lambda: statics_of(frame)),
        ("Wasm locals", "registers", True, lambda: slots(frame, "local", frame.locals())),
        ("Operand stack", "registers", True, lambda: slots(frame, "operand", operands(frame))),
        ("Wasm globals", "registers", True, lambda: slots(frame, "global", frame.globals())),
        ("Cage", "", True, pairs(lambda: inspect.cage_facts(engine, cage))),
        ("Descriptors", "", True, pairs(lambda: [(str(d.fd), str(d)) for d in inspect.descriptors(engine, cage)])),
        ("Handler table", "", True, pairs(lambda: inspect.handler_table(engine, cage))),
        ("Memory", "", True, pairs(mapped)),
        ("Call", "", True, pairs(legs)),
    ]  # fmt: skip
    return {
        "scopes": [
            {"name": name, "variablesReference": adapter.handles.put(inner), "expensive": expensive}
            | ({"presentationHint": hint} if hint else {})
            for name, hint, expensive, inner in found
        ]
    }


# Variables.


def variables_of(frame: GuestFrame) -> Iterator[Shown]:
    """The C variables of a frame; of those of the same name the innermost."""
    seen = set()
    for variable in frame.variables():
        if variable.name and variable.name not in seen:
            seen.add(variable.name)
            yield _variable(frame, variable)


def statics_of(frame: GuestFrame) -> Iterator[Shown]:
    """The variables outside of functions in the frame's unit of compilation."""
    for variable in frame.symbols.unit_globals(frame.offset):
        yield _variable(frame, variable)


def _variable(frame: GuestFrame, variable: Any) -> Shown:
    try:
        value = frame.value(variable)
    except Unavailable as why:
        return Shown(variable.name, f"<{why}>", variable.type.name)
    return shown(variable.name, value, frame, variable.name)


def shown(name: str, value: Value, frame: GuestFrame, expression: str) -> Shown:
    """A C value with its parts."""
    try:
        parts = value.has_parts
    except Unavailable:
        parts = False

    def inner() -> Iterator[Shown]:
        try:
            for part, of in value.members():
                yield shown(part, of, frame, _expression(expression, part, value))
        except Unavailable as why:
            yield Shown("", f"<{why}>")

    return Shown(name, value.text(), value.type.name, value, frame, expression, inner if parts else None)


def _expression(expression: str, part: str, value: Value) -> str:
    if part == "*":
        return f"*({expression})"
    if part.startswith("["):
        return f"({expression}){part}"
    pointer = type(value.type.plain).__name__ == "Pointer"
    return f"({expression}){'->' if pointer else '.'}{part}"


def operands(frame: GuestFrame) -> list[tuple[str, Any]]:
    """The operand stack, the top first."""
    values = frame.operands()
    return [(f"$s{n}", values[-1 - n]) for n in range(len(values))]


def slots(frame: GuestFrame, kind: str, values: list[tuple[str, Any]]) -> Iterator[Shown]:
    """Wasm's own values."""
    for n, (name, value) in enumerate(values):
        number = len(values) - 1 - n if kind == "operand" else n
        where = InSlot(value, (kind, frame.level, number))
        of = Value(DOUBLE if isinstance(value, float) else LONG_LONG, where, frame.memory)
        text = "null" if value is None else f"{value} ({value:#x})" if isinstance(value, int) else str(value)
        expression = f"$g{n}" if kind == "global" else f"$s{n}" if kind == "operand" else f"${n}"
        yield Shown(name, text, "", of if isinstance(value, int | float) else None, frame, expression)


def described(adapter: Adapter, one: Shown) -> Message:
    """A variable as the protocol has it."""
    body: Message = {"name": one.name, "value": one.text, "variablesReference": 0}
    if one.type:
        body["type"] = one.type
    if one.expression:
        body["evaluateName"] = one.expression
    if one.inner is not None:
        body["variablesReference"] = adapter.handles.put(one.inner)
    if one.value is not None and one.frame is not None:
        address = one.value.address
        plain = one.value.type.plain
        if type(plain).__name__ == "Pointer":
            try:
                address = int(one.value.number())
            except Unavailable:
                address = None
        if address is not None:
            body["memoryReference"] = memory_address(one.frame.thread.cage, address)
        if isinstance(one.value.where, Bytes):
            body["presentationHint"] = {"attributes": ["readOnly"]}
    elif not one.inner:
        body["presentationHint"] = {"attributes": ["readOnly"]}
    return body


def variables(adapter: Adapter, arguments: Message) -> Message:
    """What something that can be opened consists of."""
    inner = adapter.handles.get(want(arguments, "variablesReference", int))
    start, count = may(arguments, "start", int, 0), may(arguments, "count", int, 0)
    found = list(inner())
    end = len(found) if not count else start + count
    return {"variables": [described(adapter, one) for one in found[max(start, 0) : max(end, 0)]]}


def set_variable(adapter: Adapter, arguments: Message) -> Message:
    """Change a variable: a new line of history begins."""
    inner = adapter.handles.get(want(arguments, "variablesReference", int))
    name = want(arguments, "name", str)
    target = next((one for one in inner() if one.name == name), None)
    if target is None or target.value is None or target.frame is None:
        raise RequestError(f"{name} cannot be changed")
    return _assign(adapter, target.value, want(arguments, "value", str), target.frame)


def set_expression(adapter: Adapter, arguments: Message) -> Message:
    """The same for any expression that can stand left of ``=``."""
    frame = frame_of(adapter, arguments)
    try:
        target = value_of(want(arguments, "expression", str), frame)
    except ExpressionError as why:
        raise RequestError(str(why)) from None
    return _assign(adapter, target, want(arguments, "value", str), frame)


def _assign(adapter: Adapter, target: Value, text: str, frame: GuestFrame) -> Message:
    try:
        change = assignment(target, value_of(text, frame))
        change_of(change, frame)  # whether it can be done
        adapter.debugger.assign(change, frame)
    except (ExpressionError, Unavailable) as why:
        raise RequestError(str(why)) from None
    adapter.changed()
    now = Value(target.type, Bytes(change.data), target.memory)
    return {"value": now.text() if not target.bits else value_of(text, frame).text(), "type": target.type.name}


def frame_of(adapter: Adapter, arguments: Message) -> GuestFrame:
    """The frame that a request names, or the innermost of the present thread."""
    number = may(arguments, "frameId", int, 0)
    if number:
        return adapter.handles.frame(number)
    frames = adapter.debugger.stack()
    if not frames:
        raise RequestError("no function is running here")
    return frames[0]


def evaluate_(adapter: Adapter, arguments: Message) -> Message:
    """A C expression; in the console also an assignment, or one of the debugger's own commands (``.help``)."""
    text = want(arguments, "expression", str).strip()
    console = may(arguments, "context", str, "") == "repl"
    if console and text.startswith("."):
        return {"result": adapter.command(text), "variablesReference": 0}
    frame = frame_of(adapter, arguments)
    try:
        found = evaluate(text, frame)
        if isinstance(found, Assignment):
            if not console:
                raise RequestError("assignments are for the console")
            change_of(found, frame)
            adapter.debugger.assign(found, frame)
            adapter.changed()
            return {"result": Value(found.target.type, Bytes(found.data), found.target.memory).text(),
                    "variablesReference": 0}  # fmt: skip
    except (ExpressionError, Unavailable) as why:
        raise RequestError(str(why)) from None
    body = described(adapter, shown("", found, frame, text))
    body["result"] = body.pop("value")
    del body["name"]
    return body


# Memory and code.


def read_memory(adapter: Adapter, arguments: Message) -> Message:
    """Bytes of a cage's memory; as many as can be read from the beginning on."""
    cage, address = memory_of(want(arguments, "memoryReference", str), adapter.cage)
    count = want(arguments, "count", int)
    if not 0 <= count <= MOST_MEMORY:
        raise RequestError(f"count {count}: 0 to {MOST_MEMORY} were expected")
    address += may(arguments, "offset", int, 0)
    memory = adapter.debugger.engine.memories.get(cage)
    if memory is None:
        raise RequestError(f"cage {cage} has no memory")
    shown_at = memory_address(cage, address) if 0 <= address < 1 << 32 else hex(max(address, 0))
    data = bytearray()
    while address >= 0 and len(data) < count and address + len(data) < 1 << 32:
        at = address + len(data)
        size = min(count - len(data), 4096 - at % 4096)
        part = memory.try_read(at, size)
        if part is None:
            break
        data += part
    body: Message = {"address": shown_at, "data": base64.b64encode(data).decode()}
    if len(data) < count:
        body["unreadableBytes"] = count - len(data)
    return body


def write_memory(adapter: Adapter, arguments: Message) -> Message:
    """Change memory: a new line of history begins."""
    cage, address = memory_of(want(arguments, "memoryReference", str), adapter.cage)
    address += may(arguments, "offset", int, 0)
    try:
        data = base64.b64decode(want(arguments, "data", str), validate=True)
    except ValueError:
        raise RequestError("data: base64 was expected") from None
    if data and not (0 <= address < 1 << 32 and adapter.debugger.write(cage, address, data)):
        raise RequestError(f"{len(data)} bytes at {address:#x} of cage {cage} cannot be written")
    adapter.changed()
    return {"offset": 0, "bytesWritten": len(data)}


def disassemble(adapter: Adapter, arguments: Message) -> Message:
    """Instructions around an address of code."""
    shift = may(arguments, "offset", int, 0)
    program, offset = adapter.sources.code(want(arguments, "memoryReference", str), shift)
    count, before = want(arguments, "instructionCount", int), -may(arguments, "instructionOffset", int, 0)
    if not 0 <= count <= MOST_CODE:
        raise RequestError(f"instructionCount {count}: 0 to {MOST_CODE} were expected")
    lines = disassembly.around(program, offset, before, count)
    code = program.module.codes
    symbols = adapter.debugger.table.of(program)
    out: list[Message] = []
    for line in lines:
        body = code[line.function - program.n_imported]
        one: Message = {
            "address": adapter.sources.address(program, line.offset),
            "instruction": "  " * line.depth + line.text,
        }
        if line.offset == (body.body[0].offset if body.body else -1):
            one["symbol"] = program.func_name(line.function) or f"func {line.function}"
        place = symbols.lines.place(line.offset)
        if place is not None and place.line:
            one["line"] = place.line
            path = adapter.sources.path(place.file)
            if path:
                one["location"] = {"name": os.path.basename(path), "path": path}
        out.append(one)
    missing = min(before, MOST_CODE) - len([line for line in lines if line.offset < offset])
    nothing = {"address": "0x0", "instruction": "(no code)", "presentationHint": "invalid"}
    out[:0] = [nothing] * max(min(missing, count - len(out)), 0)
    out += [nothing] * max(count - len(out), 0)
    return {"instructions": out[:count]}


def source(adapter: Adapter, arguments: Message) -> Message:
    """The text of a source that is no file."""
    inner = may(arguments, "source", dict, {})
    number = inner.get("sourceReference") or may(arguments, "sourceReference", int, 0)
    if not isinstance(number, int):
        raise RequestError("sourceReference: a whole number was expected")
    return {"content": adapter.sources.text(number), "mimeType": "text/x-wasm"}


def modules(adapter: Adapter, arguments: Message) -> Message:
    """The programs loaded so far."""
    start, count = may(arguments, "startModule", int, 0), may(arguments, "moduleCount", int, 0)
    found = []
    for digest, program in adapter.debugger.engine.images.programs().items():
        lines = bool(adapter.debugger.table.of(program).lines.units)
        name = program.names.module or digest[:12]
        found.append({"id": digest, "name": name, "symbolStatus": "DWARF" if lines else "none"})
    end = len(found) if not count else start + count
    return {"modules": found[max(start, 0) : max(end, 0)], "totalModules": len(found)}


def loaded_sources(adapter: Adapter, _: Message) -> Message:
    """The files that debug information names and that are here."""
    names: dict[str, None] = {}
    for program in adapter.debugger.engine.images.programs().values():
        for file in adapter.debugger.table.of(program).lines.files():
            path = adapter.sources.path(file)
            if path:
                names[path] = None
    return {"sources": [{"name": os.path.basename(path), "path": path} for path in names]}


REQUESTS: dict[str, Callable[[Adapter, Message], Message]] = {
    "threads": threads,
    "stackTrace": stack_trace,
    "scopes": scopes,
    "variables": variables,
    "setVariable": set_variable,
    "setExpression": set_expression,
    "evaluate": evaluate_,
    "readMemory": read_memory,
    "writeMemory": write_memory,
    "disassemble": disassemble,
    "source": source,
    "modules": modules,
    "loadedSources": loaded_sources,
}
