"""What differs between a recorded observation and a played one."""

from __future__ import annotations

from collections.abc import Mapping

from lindref.conformance.vectors.model import Json, Vector

#: A tag: the answer was left over from something else, and any error will do.
STALE = "the Lind value is a stale host errno, any error is acceptable"


def _entry(given: Mapping[str, Json]) -> dict[str, Json]:
    """An entry without what only one recorder could know."""
    entry = dict(given)
    dumps = entry.get("dump")
    if isinstance(dumps, list):
        entry["dump"] = [{k: v for k, v in d.items() if k != "raw"} if isinstance(d, dict) else d for d in dumps]
    return entry


def difference(vector: Vector, played: Mapping[str, Json]) -> str:
    """The first difference to what Lind-Wasm answered, one line; "" where there is none."""
    recorded = vector.lind
    for key in ("outcome", "code"):
        if recorded.get(key) != played.get(key) and (key == "outcome" or recorded.get("outcome") != "hang"):
            return f"{key}: recorded {recorded.get(key)!r}, played {played.get(key)!r}{_where(vector, played)}"
    if "log-lost" in vector.tags:
        return ""
    return _logs(vector, played) or _text("stdout", recorded.get("stdout", ""), played.get("stdout", ""))


def _error(entry: Mapping[str, Json]) -> bool:
    """Whether a call failed."""
    ret = entry.get("ret")
    return isinstance(ret, int) and ret < 0


def _where(vector: Vector, played: Mapping[str, Json]) -> str:
    """Where the logs part, to go with another difference."""
    parted = _logs(vector, played)
    return f" ({parted})" if parted else ""


def _text(what: str, recorded: Json, played: Json) -> str:
    return "" if recorded == played else f"{what}: recorded {recorded!r}, played {played!r}"


def _logs(vector: Vector, played: Mapping[str, Json]) -> str:
    """The first entry that differs; where the recording is partial, entries that are not in it count for nothing."""
    wanted = [_entry(entry) for entry in vector.lind["log"]]
    found = [_entry(entry) for entry in played["log"]]
    if vector.lind.get("partial"):
        found = [entry for entry in found if entry in wanted]
    for i in range(max(len(wanted), len(found))):
        one = wanted[i] if i < len(wanted) else None
        other = found[i] if i < len(found) else None
        if STALE in vector.tags and one and other and _error(one) and _error(other):
            continue
        if one != other:
            return f"entry {i}: recorded {one}, played {other}"
    return ""
