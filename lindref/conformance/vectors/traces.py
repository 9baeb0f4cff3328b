"""The 3i calls of a played vector beside those that the real runtime logged (FORMAT.md, section 8).

Compared are, for each cage that makes calls, their order, and of each call number, target, arguments with their owners,
who serves it, its result and how deep it is nested. Left out is the start-up of the recorder's C library: the calls
about the end of the heap behind each image's mapping. What belongs to the recorder's program (places in memory, the
size of an image) is compared as symbols: the same in one trace wherever it is the same in the other.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from lindref import classes
from lindref.conformance.vectors.model import Json, Vector, VectorError
from lindref.conformance.vectors.play import PlayingSystem, prepare
from lindref.conformance.vectors.runner import RECORDER
from lindref.posix.constants import MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE
from lindref.posix.table import NUMBERS
from lindref.system.choices import Chooser, Replay, format_answers
from lindref.system.events import Choice, Enter, Event, Exit, Route, Spawn
from lindref.threei.numbers import RAWPOSIX_CAGE, RUNTIME_CAGE, UNUSED, UNUSED_CAGE

_MMAP, _BRK = NUMBERS["mmap"], NUMBERS["brk"]
_CLONE, _EXECVE, _EXIT, _EXIT_GROUP = (NUMBERS[name] for name in ("clone", "execve", "exit", "exit_group"))
#: How the runtime maps an image: at 0, read and write.
_IMAGE = (0, 3, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
_BIT_63 = 1 << 63


@classes.frozen
class Call:
    """A call as a trace tells it: values are numbers, ``unused`` or a place (cage, offset)."""

    caller: int
    number: int
    target: int
    args: tuple[tuple[Json, Json], ...]
    handler: int | None
    result: Json
    depth: int

    def __str__(self) -> str:
        args = ", ".join(f"{value}@{owner}" for value, owner in self.args)
        return f"{self.number}({args}) to {self.target} by {self.handler}, depth {self.depth} = {self.result}"

    @property
    def maps_image(self) -> bool:
        """Whether the runtime makes it to load an image."""
        values = [value for value, _ in self.args]
        return self.number == _MMAP and (values[0], *values[2:]) == _IMAGE


# Recorded calls.


def _recorded_value(value: Json) -> Json:
    """A number, ``unused``, or a place."""
    cage, colon, offset = value.partition(":0x") if isinstance(value, str) else ("", "", "")
    return (int(cage), int(offset, 16)) if colon else value


def load_trace(path: Path) -> list[Call]:
    """The calls of a recorded trace, in its order. Raises ``VectorError``."""
    calls = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            one = json.loads(line)
            args = tuple((_recorded_value(value), owner) for value, owner in one["args"])
            calls.append(Call(one["cage"], one["n"], one["target"], args, one["handler"], one["ret"], one["depth"]))
        except (ValueError, KeyError, TypeError) as error:
            raise VectorError(f"{path}:{number}: not a recorded call: {error!r}") from None
    return list(_without_start_up(calls))


def _without_start_up(calls: Iterable[Call]) -> Iterator[Call]:
    """Without what the recorder's C library asks of the heap once its image is mapped."""
    starting = set()
    for call in calls:
        if call.maps_image:
            starting.add(call.target)
        elif call.number == _BRK and call.caller in starting:
            continue
        elif call.caller in starting:
            starting.remove(call.caller)
        yield call


# Played calls.


class CallLog:
    """An observer that keeps the calls of a run, and those that RawPOSIX makes of the runtime to finish them."""

    def __init__(self, system: PlayingSystem) -> None:
        self.system = system
        self._calls: list[Call] = []
        self._place: dict[int, int] = {}
        self._latest = 0
        self._threads: set[int] = set()
        #: How many options each choice point had.
        self.options: list[int] = []
        self._points: list[int] = []
        system.observers.append(self)

    def on_event(self, event: Event) -> None:
        """Keep what an event tells of a call."""
        match event:
            case Enter():
                depth = self._calls[self._place[event.within]].depth + 1 if event.within else 0
                args = tuple((self._value(value), self._owner(owner)) for value, owner in event.args)
                self._latest = event.call
                self._points.append(len(self.options))
                self._place[event.call] = len(self._calls)
                self._calls.append(Call(event.caller, event.number, event.target, args, None, None, depth))
            case Route():
                self._change(event.call, handler=event.handler)
            case Exit():
                threads = event.call in self._threads
                # What does not come back has done what it was to do; who made a thread learns its id from the runtime.
                self._change(event.call, result=0 if threads or event.result is None else event.result)
            case Choice():
                self.options.append(event.options)
            case Spawn() if event.child_tid > 1:
                self._threads.add(self._latest)

    def _change(self, call: int, **changes: Json) -> None:
        place = self._place[call]
        self._calls[place] = classes.evolve(self._calls[place], **changes)

    def _value(self, value: int) -> Json:
        if value == UNUSED:
            return "unused"
        place = self.system.host.resolve(value)
        if place is not None and value >> 32:
            return place.cage, place.offset
        return value - (1 << 64) if value & _BIT_63 else value

    @staticmethod
    def _owner(cage: int) -> Json:
        return "unused" if cage in (UNUSED, UNUSED_CAGE) else cage

    def _all(self) -> Iterator[tuple[int, Call]]:
        """The calls of cages, each of the runtime behind the one that it finishes; with how many there were before."""
        for place, call in enumerate(self._calls):
            if call.caller == RECORDER:
                continue
            yield place, call
            beneath = _beneath(call)
            if beneath is not None:
                yield place, beneath

    @property
    def calls(self) -> list[Call]:
        """All that would be in a trace."""
        return [call for _, call in self._all()]

    def points_before(self, place: int) -> int:
        """How many choice points there were before call ``place`` of ``calls``."""
        places = [number for number, _ in self._all()]
        return self._points[places[place]] if place < len(places) else len(self.options)


def _beneath(call: Call) -> Call | None:
    """What RawPOSIX asks of the runtime to finish a call: a new cage or thread, an image, an end."""
    if call.handler != RAWPOSIX_CAGE:
        return None
    args, number, result = list(call.args), call.number, 0
    unused = ("unused", "unused")
    if number in (_EXIT, _EXIT_GROUP):
        number, given = _EXIT, [args[0], (args[1][0], "unused")]
    elif number == _EXECVE and call.result == 0:
        given = args[:3]
    elif number == _CLONE and isinstance(call.result, int) and call.result >= 0:
        result = call.result
        # The parent's id, and as its owner the id of the thread that called.
        given = [args[0], (call.target, args[1][0]), (result, "unused")]
    else:
        return None
    padded = (*given, *[unused] * (6 - len(given)))
    return Call(RAWPOSIX_CAGE, number, RUNTIME_CAGE, padded, RUNTIME_CAGE, result, call.depth + 1)


# Comparing.


class _Symbols:
    """Which place in a recording is which place in a run, one to one within an image."""

    def __init__(self) -> None:
        self._there: dict[Json, Json] = {}
        self._here: dict[Json, Json] = {}

    def same(self, recorded: Json, played: Json) -> bool:
        """Whether two symbols can be the same."""
        known = self._there.setdefault(recorded, played), self._here.setdefault(played, recorded)
        return bool(known == (played, recorded))


def _by_image(calls: Iterable[Call]) -> list[Call]:
    """Places are (cage, image, offset): each image of a cage has an order of its own."""
    images: dict[Json, int] = {}
    found = []
    for call in calls:
        if call.maps_image and not call.depth:
            images[call.target] = images.get(call.target, 0) + 1
        args = [
            ((value[0], images.get(value[0], 0), value[1]) if isinstance(value, tuple) else value, owner)
            for value, owner in call.args
        ]
        found.append(classes.evolve(call, args=tuple(args)))
    return found


def _same_value(recorded: Json, played: Json, symbols: _Symbols) -> bool:
    if isinstance(recorded, tuple) and isinstance(played, tuple):
        return recorded[:2] == played[:2] and symbols.same(recorded, played)
    return bool(recorded == played)


def _same_call(recorded: Call, played: Call, symbols: _Symbols) -> bool:
    if recorded.maps_image and played.maps_image:
        # Its length belongs to the image.
        played = classes.evolve(played, args=(played.args[0], recorded.args[1], *played.args[2:]))
    plain = [(one.number, one.target, one.handler, one.depth) for one in (recorded, played)]
    owners = [[owner for _, owner in one.args] for one in (recorded, played)]
    if plain[0] != plain[1] or owners[0] != owners[1]:
        return False
    pairs = zip(recorded.args, played.args, strict=True)
    if not all(_same_value(one, other, symbols) for (one, _), (other, _) in pairs):
        return False
    if recorded.result == "DEST":
        place = played.args[1][0]
        return isinstance(place, tuple) and isinstance(played.result, int) and played.result & 0xFFFFFFFF == place[-1]
    return bool(recorded.result == played.result)


def _by_caller(calls: Sequence[Call]) -> Mapping[int, list[tuple[int, Call]]]:
    """The calls of each caller, with their places among all."""
    found: dict[int, list[tuple[int, Call]]] = {}
    for place, call in enumerate(calls):
        found.setdefault(call.caller, []).append((place, call))
    return found


def difference(recorded: Sequence[Call], played: Sequence[Call]) -> tuple[str, int | None]:
    """The first difference, one line, and where it is in ``played``; "" where there is none."""
    symbols = _Symbols()
    there, here = _by_caller(_by_image(recorded)), _by_caller(_by_image(played))
    found: list[tuple[int, str]] = []
    for caller in sorted({*there, *here}):
        calls = there.get(caller, []), here.get(caller, [])
        for number in range(max(map(len, calls))):
            one, other = (side[number][1] if number < len(side) else None for side in calls)
            if one is None or other is None or not _same_call(one, other, symbols):
                text = f"caller {caller}, call {number + 1}: recorded {one}, played {other}"
                found.append((calls[1][number][0] if other is not None else len(played), text))
                break
    place, text = min(found, default=(None, ""))
    return text, place


# Playing.

#: Runs after which no further order of the threads is tried.
MOST_RUNS = 500


def follow(
    recorded: Sequence[Call], vector: Vector, make: Callable[[Chooser], PlayingSystem], runs: int = MOST_RUNS
) -> tuple[str, str]:
    """Find an order of the threads in which ``vector`` makes the recorded calls: the real ones ran side by side.

    ``make`` makes a player's system. Returns what differs in the default order ("" where some order gives the calls)
    and that order as a schedule. Orders are tried by how few answers are not the default's, at most ``runs``.
    """
    told = ""
    waiting: deque[tuple[int, ...]] = deque([()])
    while waiting and runs:
        runs -= 1
        answers = waiting.popleft()
        system = make(Replay(answers))
        log = CallLog(system)
        prepare(system, vector)
        system.run()
        differs, place = difference(recorded, log.calls)
        if place is None:
            return "", format_answers(answers)
        told = told or differs
        # What was chosen after the two parted cannot have been the reason.
        for index in range(len(answers), log.points_before(place)):
            before = answers + (0,) * (index - len(answers))
            waiting.extend((*before, answer) for answer in range(1, log.options[index]))
    return told, ""
