"""What differs between a recorded observation and a played one, entry by entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from lindref import classes
from lindref.conformance.vectors.image import all_steps
from lindref.conformance.vectors.model import Json, Step, Vector

#: A tag: the answer was left over from something else, and any error will do.
STALE = "the Lind value is a stale host errno, any error is acceptable"
#: A tag: the recorder of Lind-Wasm could not keep its entries; only how the run ended is known.
LOG_LOST = "log-lost"

_MAX_ERRNO = 4095


@classes.frozen
class Row:
    """Something observed, as recorded and as played; ``None`` where one side has nothing.

    ``what`` is ``outcome``, ``stdout``, or a step's id in ``cage``; ``step`` is that step.
    """

    what: str
    cage: int
    step: Step | None
    recorded: Json
    played: Json
    same: bool

    def __str__(self) -> str:
        at = f"cage {self.cage} {self.what}" if self.cage else self.what
        name = f" {self.step.get('name') or self.step['op']}" if self.step is not None else ""
        return f"{at}{name}: recorded {_plain(self.recorded)}, played {_plain(self.played)}"


def _plain(given: Json) -> str:
    """An entry without what the row says already."""
    if isinstance(given, dict):
        given = {key: value for key, value in given.items() if key not in ("cage", "step")}
    return f"{given!r:.300}"


def _ended(observation: Mapping[str, Json]) -> tuple[str, int | None]:
    """How a run ended; a first process that died of a signal is an exit with 128 and its number, as lind-boot says."""
    outcome, code = observation["outcome"], observation.get("code")
    if outcome == "signal" and isinstance(code, int):
        return "exit", 128 + code
    return outcome, None if outcome == "hang" else code


def _key(entry: Mapping[str, Json]) -> tuple[Json, Json, Json]:
    """What an entry is about."""
    return entry.get("cage"), entry.get("in"), entry.get("step")


def _error(entry: Mapping[str, Json]) -> bool:
    """Whether a call failed."""
    ret = entry.get("ret")
    return isinstance(ret, int) and ret < 0


def _same_stat(recorded: Mapping[str, Json], played: Mapping[str, Json]) -> bool:
    """Two stat structures; bytes that change from run to run are ``?`` in the recording, which may have no bytes."""
    raw, found = recorded.get("raw"), played.get("raw")
    if isinstance(raw, str) and isinstance(found, str):
        if len(raw) != len(found) or any(a not in (b, "?") for a, b in zip(raw, found, strict=True)):
            return False
    fields = {key: value for key, value in played.items() if key != "raw"}
    return fields == {key: value for key, value in recorded.items() if key != "raw"}


def _same_dump(recorded: Json, played: Json) -> bool:
    if isinstance(recorded, dict) and isinstance(played, dict) and "mode" in recorded:
        return _same_stat(recorded, played)
    return bool(recorded == played)


def _same_result(recorded: Json, played: Json) -> bool:
    """Results; an address that was somewhere is any address (no error)."""
    if recorded == "addr":
        return isinstance(played, int) and not -_MAX_ERRNO <= played < 0
    return bool(recorded == played)


def _same(recorded: Json, played: Json, *, stale: bool) -> bool:
    """Whether two entries agree."""
    if recorded is None or played is None:
        return False
    if stale and _error(recorded) and _error(played):
        return True
    if recorded.keys() != played.keys() or not _same_result(recorded.get("ret"), played.get("ret")):
        return False
    dumps = recorded.get("dump", []), played.get("dump", [])
    if len(dumps[0]) != len(dumps[1]) or not all(map(_same_dump, *dumps)):
        return False
    return all(recorded[key] == played[key] for key in recorded if key not in ("ret", "dump"))


def _aligned(recorded: Sequence[Json], played: Sequence[Json]) -> Iterator[tuple[Json, Json]]:
    """The entries of two logs side by side."""
    keys = [_key(one) for one in recorded], [_key(one) for one in played]
    for _, a, b, c, d in SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
        if b - a == d - c:
            yield from zip(recorded[a:b], played[c:d], strict=True)
        else:
            yield from ((one, None) for one in recorded[a:b])
            yield from ((None, one) for one in played[c:d])


def _in_recording(recorded: Sequence[Json], played: Sequence[Json]) -> list[Json]:
    """What was played, as often as a partial recording has it."""
    left = Counter(map(_key, recorded))
    kept = []
    for entry in played:
        if left[_key(entry)] > 0:
            left[_key(entry)] -= 1
            kept.append(entry)
    return kept


def rows(vector: Vector, recorded: Mapping[str, Json], played: Mapping[str, Json]) -> list[Row]:
    """All that was observed, how the run ended first. ``recorded`` is the vector's ``lind`` or ``linux``."""
    steps = {step["id"]: step for step in all_steps(vector)}
    tags = vector.tags if recorded is vector.lind else ()
    ends = _ended(recorded), _ended(played)
    found = [Row("outcome", 0, None, *ends, same=ends[0][0] == ends[1][0] and ends[0][1] in (None, ends[1][1]))]
    if LOG_LOST in tags:
        return found
    logs = recorded["log"], played["log"]
    if recorded.get("partial"):
        logs = logs[0], _in_recording(*logs)
    for one, other in _aligned(*logs):
        about = one or other
        same = _same(one, other, stale=STALE in tags)
        found.append(Row(about["step"], about["cage"], steps.get(about["step"]), one, other, same))
    texts = recorded.get("stdout", ""), played.get("stdout", "")
    found.append(Row("stdout", 0, None, *texts, same=texts[0] == texts[1]))
    return found


def difference(vector: Vector, played: Mapping[str, Json]) -> str:
    """The first difference to what Lind-Wasm answered, one line; "" where there is none."""
    return next((str(row) for row in rows(vector, vector.lind, played) if not row.same), "")
