"""A vector's program as an image: where its buffers, results and literals lie in the memory of the cage that runs it.

The layout is ours; FORMAT.md asks only that buffers 0 to 14 are contiguous pages and that literals overlap nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lindref import classes
from lindref.conformance.vectors.model import Json, Step, Steps, Vector, VectorError
from lindref.wasm.binary.encoder import encode
from lindref.wasm.text.parser import parse_module

#: clone's argument structure, for a fork.
SCRATCH = 0x400
#: What the C library keeps of threads: whether there have been any, how many mappings are free and which, and the
#: mapping of each thread slot; words of 32 bits.
HAD_THREADS = 0x500
FREE_COUNT = 0x504
FREE = 0x508
SLOT_MAPPINGS = 0x800
#: A thread's mapping: its stack, with clone's arguments and the word that is its id behind it.
MAPPING_SIZE = 131072
THREAD_BLOCK = MAPPING_SIZE - 0x600
ID_WORD = MAPPING_SIZE - 0x500
#: Structures of calls that the player makes by itself.
TIME = 0x2E00
ACTION = 0x2F00
#: The signal list: how many, then one 32-bit word each.
SIGNALS = 0x3000
MAX_SIGNALS = 1000
#: Results: 16 bytes a step, whether there is one and which.
RESULTS = 0x4000
MAX_STEPS = 3000
BUFFERS = 0x10000
BUFFER_SIZE = 8192
BUFFER_15 = BUFFERS + 15 * BUFFER_SIZE
BUFFER_15_SIZE = 262144
LITERALS = BUFFER_15 + BUFFER_15_SIZE
PAGES = 16


def buffer(number: int) -> int:
    """The guest address of a numbered buffer."""
    return BUFFER_15 if number == 15 else BUFFERS + number * BUFFER_SIZE


def _steps(steps: Steps) -> Iterator[Step]:
    """All steps of a list, those within others included."""
    for step in steps:
        yield step
        for key in ("child", "steps", "then", "else"):
            inner = step.get(key)
            if isinstance(inner, list):
                yield from _steps(inner)


def all_steps(vector: Vector) -> Iterator[Step]:
    """All steps of all programs of a vector."""
    for source in vector.programs.values():
        for steps in _lists(source):
            yield from _steps(steps)


def _lists(source: Mapping[str, Json]) -> list[Steps]:
    """The lists of steps of a program."""
    return [source["steps"], *source.get("handlers", {}).values(), *source.get("sighandlers", {}).values()]


def _literals(value: Json) -> Iterator[bytes]:
    """All strings that a value, step or list of them points to."""
    if isinstance(value, dict):
        found = literal(value)
        if found is not None:
            yield found
        for inner in value.values():
            yield from _literals(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _literals(inner)


def literal(value: Json) -> bytes | None:
    """The bytes, with their NUL, of a value that points to a literal."""
    if not isinstance(value, dict):
        return None
    if "hexstr" in value:
        return bytes.fromhex(value["hexstr"]) + b"\0"
    text = value.get("str", value.get("straddr"))
    return text.encode() + b"\0" if isinstance(text, str) else None


@classes.frozen(eq=False)
class Program:
    """A program laid out: numbers of its steps, addresses of its literals, its lists of steps by slot."""

    name: str
    steps: Steps
    handlers: dict[int, Steps]
    signal_handlers: dict[int, Steps]
    numbers: dict[str, int]
    literals: dict[bytes, int]
    #: Steps by name, in the order of their numbers.
    step_of: dict[str, Step]

    @property
    def data(self) -> bytes:
        """What lies in memory from ``LITERALS`` on when the program starts."""
        return b"".join(self.literals)

    def module(self) -> bytes:
        """The bytes of the file that, exec'd, runs this program: a module that nobody instantiates."""
        memory = f'(import "env" "memory" (memory {PAGES} 65536 shared))'
        return encode(parse_module(f'(module {memory} (global (export "{self.name}") i32 (i32.const 0)))'))


def program(name: str, source: dict[str, Json]) -> Program:
    """Lay out the program ``name`` of a vector."""
    slots = {kind: {int(k): v for k, v in source.get(kind, {}).items()} for kind in ("handlers", "sighandlers")}
    lists = _lists(source)
    numbers: dict[str, int] = {}
    step_of: dict[str, Step] = {}
    for steps in lists:
        for step in _steps(steps):
            numbers.setdefault(step["id"], len(numbers))
            step_of.setdefault(step["id"], step)
    if len(numbers) > MAX_STEPS:
        raise VectorError(f"program {name}: {len(numbers)} steps, at most {MAX_STEPS} are played")
    literals: dict[bytes, int] = {}
    end = LITERALS
    for found in _literals(lists):
        if found not in literals:
            literals[found] = end
            end += len(found)
    return Program(name, source["steps"], slots["handlers"], slots["sighandlers"], numbers, literals, step_of)
