"""What a script as C tells of its run (``scripts.c_prelude``), as an observation (FORMAT.md, section 6)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lindref import classes
from lindref.conformance.vectors import observe
from lindref.conformance.vectors.model import Vector
from lindref.posix.table import NUMBERS

_LINE = re.compile(rb"(\d+) (\S+) = (-?\d+)(?: x(\d+))?((?: :(?:[0-9a-f]{2})*)*)")
_MAPS = frozenset(NUMBERS[name] for name in ("mmap", "shmat"))
#: Calls whose result is the id of a process.
_PIDS = frozenset(NUMBERS[name] for name in ("getpid", "getppid", "wait4", "clone", "getpgid"))
_MAX_ERRNO = 4095


@classes.frozen
class Line:
    """A step as the program told it; ``tries`` is 0 where it was to be tried once."""

    cage: int
    step: str
    result: int
    tries: int
    dumps: tuple[bytes, ...]


@classes.frozen
class Where:
    """A step, and whose it is: the main program's, a handler's, that of a thread or of a signal handler."""

    step: Mapping[str, Any]
    kind: str = ""
    slot: int = 0

    @property
    def order(self) -> tuple[int, int]:
        """Where entries of this kind stand among those of a cage."""
        return ({"": 0, "signal": 0, "handler": 1, "thread": 2}[self.kind], self.slot)


def lines(told: bytes) -> Iterator[Line]:
    """The lines that steps told; others, which the runtime or the program itself wrote, are left out."""
    for one in told.split(b"\n"):
        found = _LINE.fullmatch(one)
        if found:
            dumps = tuple(bytes.fromhex(word[1:].decode()) for word in found[5].split())
            yield Line(int(found[1]), found[2].decode("utf-8", "replace"), int(found[3]), int(found[4] or 0), dumps)


def places(vector: Vector) -> dict[str, Where]:
    """All steps of a script by their ids."""
    found: dict[str, Where] = {}
    for program in vector.programs.values():
        _walk(program["steps"], "", 0, found)
        for kind, key in (("handler", "handlers"), ("signal", "sighandlers")):
            for steps in program.get(key, {}).values():
                _walk(steps, kind, 0, found)
    return found


def _walk(steps: Sequence[Mapping[str, Any]], kind: str, slot: int, found: dict[str, Where]) -> None:
    for step in steps:
        found.setdefault(step["id"], Where(step, kind, slot))
        for key in ("child", "then", "else"):
            if isinstance(step.get(key), list):
                _walk(step[key], kind, slot, found)
        if step["op"] == "thread":
            _walk(step["steps"], "thread", step["slot"], found)


def observation(
    vector: Vector, told: Iterable[Line], ended: tuple[str, int | None], stdout: bytes, *, native: bool
) -> dict[str, Any]:
    """The observation of a run that ended as ``ended`` says (outcome and code).

    ``native``: ids are those of processes, which get the numbers of cages in the order of their birth, and addresses
    are the host's, which are told as ``addr``.
    """
    steps = places(vector)
    kept = [line for line in told if line.step in steps]
    cages = _numbered(kept, steps) if native else {}
    log = []
    results: dict[tuple[int, str], int] = {}
    latest: dict[str, int] = {}
    for line in kept:
        where = steps[line.step]
        earlier = observe.earlier_step(where.step)
        before = None
        if earlier is not None:
            before = results.get((line.cage, earlier), latest.get(earlier, 0))
        results[line.cage, line.step] = latest[line.step] = line.result
        cage = cages.get(line.cage, line.cage)
        entry = {"cage": cage, "step": line.step, **({"in": where.kind} if where.kind else {})}
        entry |= _entry(where.step, line, before)
        if native:
            _as_cages(where.step, entry, cages)
        log.append(((cage, *where.order), entry))
    outcome, code = ended
    found: dict[str, Any] = {"outcome": outcome, "log": [entry for _, entry in sorted(log, key=lambda one: one[0])]}
    if code is not None:
        found["code"] = code
    if stdout:
        found["stdout"] = stdout.decode("utf-8", "backslashreplace")
    return found


def _entry(step: Mapping[str, Any], line: Line, earlier: int | None) -> dict[str, Any]:
    """What a line shows."""
    match step["op"]:
        case "siglog":
            return {"signals": observe.words(line.dumps[0])}
        case "argv":
            told = observe.strings(line.dumps)
            given = {"argv": told[: line.result]}
            return {**given, "env": told[line.result :]} if step.get("env") else given
        case "hargs":
            values, owners = (
                [int.from_bytes(data[at : at + 8], "little") for at in range(0, 48, 8)] for data in line.dumps
            )
            pairs = [word for pair in zip(values, owners, strict=True) for word in pair]
            return observe.handled(step, line.result, pairs)
    dumps: Sequence[bytes] = line.dumps
    destination = None
    if observe.destination_of(step) is not None:
        destination, dumps = int.from_bytes(dumps[0], "little"), dumps[1:]
    found = observe.entry(step, line.result, earlier, destination, dumps)
    return {**found, "count": line.tries} if "repeat" in step else found


# Natively.


def _numbered(told: Sequence[Line], steps: Mapping[str, Where]) -> dict[int, int]:
    """Which process is which cage. A namespace of their own gives them rising ids."""
    born = {line.cage for line in told}
    born |= {line.result for line in told if steps[line.step].step["op"] == "fork" and line.result > 0}
    return {pid: number for number, pid in enumerate(sorted(born), 1)}


def _as_cages(step: Mapping[str, Any], entry: dict[str, Any], cages: Mapping[int, int]) -> None:
    """Put cages and ``addr`` where processes and addresses are."""
    ret = entry.get("ret")
    if not isinstance(ret, int):
        return
    number = step.get("n") if step["op"] == "call" else None
    if number in _PIDS or step["op"] == "fork" or step.get("ret_as") == "pid":
        entry["ret"] = cages.get(ret, ret)
    elif (number in _MAPS or step.get("ret_as") == "addr") and not -_MAX_ERRNO <= ret < 0:
        entry["ret"] = "addr"
    for place, how in enumerate(step.get("dump", ())):
        if how.get("as") == "pid32":
            entry["dump"][place] = [cages.get(pid, pid) for pid in entry["dump"][place]]
