"""A vector's program as the words that the puppet guest carries out (conformance/puppet/puppet.c).

A script is 32-bit words: where the main list begins, how many results there are, how many handlers and signal handlers,
their slots and lists, then the lists and the literals. A list is steps up to ``END``; a step is its operation, its
number, where the next one begins, and what it needs; a value is three words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lindref.conformance.vectors.image import Program, literal
from lindref.conformance.vectors.model import Json, Step, Steps, VectorError
from lindref.conformance.vectors.observe import wanted
from lindref.conformance.vectors.values import offset
from lindref.threei.numbers import UNUSED

#: Operations, numbered as puppet.c numbers them; the order counts.
OPERATIONS = (
    *("end", "call", "call3i", "set", "put", "poke", "peek", "fill", "fork", "exit", "thread", "join", "sigaction"),
    *("siglog", "untilsig", "until", "sleep", "dump", "argv", "eval", "add", "ifeq", "ifmem", "return", "hargs"),
)
#: Kinds of values, likewise.
KINDS = (
    *("number", "self", "own", "literal", "literal address", "buffer", "buffer address", "at", "at address", "guest"),
    *("res", "i32", "u32", "u64", "harg", "hcage"),
)
_FLAGGED = 0x80
#: Words and told values that puppet.c has room for.
MAX_WORDS = 1 << 14
MAX_TOLD = 48

_LOW = 0xFFFFFFFF
_BUFFER_SIZE = 8192
_HANDLERS = {"default": 0, "ignore": 1}
_HANDLERS_FROM = 16


class _Script:
    """The words so far, and what they are made from."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.words: list[int] = []
        #: Words that hold the place of a literal in the script, to be filled in at the end.
        self.literals: list[tuple[int, bytes]] = []

    def add(self, *words: int) -> None:
        """Append words."""
        self.words += [word & _LOW for word in words]

    def data(self, data: bytes) -> None:
        """Append bytes with their length."""
        padded = data + bytes(-len(data) % 4)
        self.add(len(data), *(int.from_bytes(padded[i : i + 4], "little") for i in range(0, len(padded), 4)))

    # Values.

    def value(self, given: Json, flags: int = 0) -> None:
        """Append a value."""
        if isinstance(given, dict) and "flag63" in given:
            self.value(given["flag63"], _FLAGGED)
            return
        if isinstance(given, list):
            given = given[0]  # of a pair, what is sent: ``wanted`` tells the destination of a copy so
        text = literal(given)
        if text is not None:
            self._literal(text, "literal address" if "straddr" in given else "literal", flags)
        elif isinstance(given, int):
            self.add(flags, given, given >> 32)
        elif isinstance(given, str):
            words = (0, UNUSED, UNUSED >> 32) if given == "unused" else (KINDS.index(given), 0, 0)
            self.add(words[0] | flags, *words[1:])
        else:
            ((kind, what),) = given.items()
            self._tagged(kind, what, flags)

    def _literal(self, text: bytes, kind: str, flags: int) -> None:
        self.add(KINDS.index(kind) | flags)
        self.literals.append((len(self.words), text))
        self.add(0, 0)

    def _tagged(self, kind: str, what: Json, flags: int) -> None:
        match kind:
            case "buf" | "bufaddr":
                name = "buffer" if kind == "buf" else "buffer address"
                self.add(KINDS.index(name) | flags, what[0] * _BUFFER_SIZE + offset(what), 0)
            case "i32" | "u32" | "u64":
                self.add(KINDS.index(kind) | flags, what[0] * _BUFFER_SIZE + offset(what), 0)
            case "at" | "res":
                self.add(KINDS.index(kind) | flags, self.number(what[0]), offset(what))
            case _:
                self.add(KINDS.index(kind) | flags, what, 0)

    def place(self, given: Json) -> None:
        """Append where in its own memory a step reads or writes: a pointer's guest address."""
        if isinstance(given, dict):
            ((kind, what),) = given.items()
            if kind in ("str", "hexstr"):
                text = literal(given)
                assert text is not None
                self._literal(text, "literal address", 0)
                return
            if kind == "guest":
                given = what & _LOW
            elif kind == "at":
                self.add(KINDS.index("at address"), self.number(what[0]), offset(what))
                return
            elif kind == "buf":
                given = {"bufaddr": what}
        self.value(given)

    def number(self, step: str) -> int:
        """A step's number; one that the program does not have never has a result, as the last number has none."""
        return self.program.numbers.get(step, len(self.program.numbers))

    def told(self, step: Step) -> None:
        """Append the values that are told with the step's result."""
        values = wanted(step)
        if len(values) > MAX_TOLD:
            raise VectorError(f"step {step['id']}: {len(values)} values to look at, at most {MAX_TOLD} can be")
        self.add(len(values))
        for each in values:
            if isinstance(each, list) and isinstance(each[1], dict) and "flag63" in each[1]:
                self._flagged(each)
            else:
                self.value(each)

    def _flagged(self, pair: Sequence[Json]) -> None:
        """A guest address that is sent as a pointer of this cage."""
        value = pair[0]
        if isinstance(value, dict) and "bufaddr" in value:
            self.value({"buf": value["bufaddr"]})
        elif isinstance(value, dict) and "straddr" in value:
            self.value({"str": value["straddr"]})
        elif isinstance(value, dict) and "res" in value:
            self.value({"at": value["res"]})
        elif isinstance(value, int):
            self.value({"guest": value})
        else:
            self.value(value)

    # Steps.

    def list_of(self, steps: Steps) -> int:
        """Append a list; where it begins."""
        begins = len(self.words)
        for step in steps:
            self.step(step)
        self.add(0)
        return begins

    def step(self, step: Step) -> None:
        """Append a step."""
        begins = len(self.words)
        self.add(OPERATIONS.index(step["op"]), self.program.numbers[step["id"]], 0)
        _FIELDS[step["op"]](self, step)
        self.words[begins + 2] = len(self.words)

    def inner(self, holder: int, steps: Steps | None) -> None:
        """Append a list within a step; word ``holder`` says where it begins."""
        self.words[holder] = self.list_of(steps or ())


def _call(script: _Script, step: Step) -> None:
    script.add(step["n"], step.get("repeat", 1), int(bool(step.get("stop_on_error"))))
    if step["op"] == "call":
        for arg in [*step["args"], *["unused"] * (6 - len(step["args"]))]:
            script.value(arg)
    else:
        script.value(step["self"])
        script.value(step["target"])
        for value, cage in [*step["pairs"], *[["unused", "unused"]] * (6 - len(step["pairs"]))]:
            script.value(value)
            script.value(cage)
    script.told(step)


def _set(script: _Script, step: Step) -> None:
    script.place(step["at"])
    script.data(bytes.fromhex(step["hex"]))


def _store(script: _Script, step: Step) -> None:
    script.add(step["width"])
    script.place(step["at"])
    script.value(step["value"])
    if step["op"] == "poke":
        script.told(step)


def _peek(script: _Script, step: Step) -> None:
    script.add(step["width"])
    script.place(step["at"])
    script.told(step)


def _fill(script: _Script, step: Step) -> None:
    script.place(step["at"])
    script.add(step["len"], step["byte"])


def _fork(script: _Script, step: Step) -> None:
    number, code = step.get("exit") or (231, 0)
    holder = len(script.words) + 1
    script.add(number, 0)
    script.value(code)
    script.told(step)
    script.inner(holder, step["child"])


def _exit(script: _Script, step: Step) -> None:
    script.add(step["n"])
    script.value(step["code"])


def _thread(script: _Script, step: Step) -> None:
    holder = len(script.words) + 1
    script.add(step["slot"], 0)
    script.told(step)
    script.inner(holder, step["steps"])


def _sigaction(script: _Script, step: Step) -> None:
    handler = _HANDLERS.get(step["handler"], _HANDLERS_FROM + (step.get("slot") or 0))
    for value in (step["sig"], handler, step.get("mask", 0), step["flags"]):
        script.value(value)
    script.told(step)


def _numbered(field: str, *, tells: bool = False) -> Callable[[_Script, Step], None]:
    """A step with one number."""

    def fields(script: _Script, step: Step) -> None:
        script.add(int(step.get(field) or 0))
        if tells:
            script.told(step)

    return fields


def _until(script: _Script, step: Step) -> None:
    script.place(step["at"])
    script.value(step["value"])
    script.told(step)


def _eval(script: _Script, step: Step) -> None:
    script.value(step["value"])
    script.told(step)


def _add(script: _Script, step: Step) -> None:
    script.place(step["at"])
    script.value(step["value"])


def _choice(script: _Script, step: Step) -> None:
    if step["op"] == "ifeq":
        script.value(step["a"])
        script.value(step["b"])
    else:
        script.place(step["at"])
        script.data(bytes.fromhex(step["hex"]))
    holder = len(script.words)
    script.add(0, 0)
    script.inner(holder, step.get("then"))
    script.inner(holder + 1, step.get("else"))


_FIELDS: dict[str, Callable[[_Script, Step], None]] = {
    "call": _call,
    "call3i": _call,
    "set": _set,
    "put": _store,
    "poke": _store,
    "peek": _peek,
    "fill": _fill,
    "fork": _fork,
    "exit": _exit,
    "thread": _thread,
    "join": _numbered("slot", tells=True),
    "sigaction": _sigaction,
    "siglog": _numbered("clear"),
    "untilsig": _numbered("count", tells=True),
    "until": _until,
    "sleep": _numbered("ms"),
    "dump": lambda script, step: script.told(step),
    "argv": lambda _script, _step: None,
    "eval": _eval,
    "add": _add,
    "ifeq": _choice,
    "ifmem": _choice,
    "return": lambda script, step: script.value(step["value"]),
    "hargs": lambda _script, _step: None,
}


def compile_script(program: Program) -> bytes:
    """The script of a program. Raises ``VectorError`` for one that the puppet has no room for."""
    script = _Script(program)
    tables = (program.handlers, program.signal_handlers)
    script.add(0, len(program.numbers), *map(len, tables))
    holders = []
    for steps_by_slot in tables:
        for slot, steps in steps_by_slot.items():
            holders.append((len(script.words) + 1, steps))
            script.add(slot, 0)
    script.inner(0, program.steps)
    for holder, steps in holders:
        script.inner(holder, steps)
    places: dict[bytes, int] = {}
    text = b""
    for holder, found in script.literals:
        if found not in places:
            places[found] = 4 * len(script.words) + len(text)
            text += found
        script.words[holder] = places[found]
    data = b"".join(word.to_bytes(4, "little") for word in script.words) + text
    if len(data) > 4 * MAX_WORDS:
        raise VectorError(f"program {program.name}: its script has {len(data)} bytes, the puppet takes {4 * MAX_WORDS}")
    return data
