"""What came in from outside, as a trace writes it and a replay reads it (TRACE-1, TRACE-2)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lindref import classes
from lindref.posix.outside import STDIN, Heard
from lindref.system.choices import Recorded
from lindref.system.runtime import Config
from lindref.trace.reader import Reader, TraceError

#: Which fields of what happens on the network are bytes (see `posix.net.hostnet`).
_BYTES: Mapping[str, frozenset[int]] = {
    "accept": frozenset({3}),
    "connected": frozenset({3}),
    "data": frozenset({2}),
    "datagram": frozenset({2, 3}),
}
_NONE: frozenset[int] = frozenset()


def fields(what: str, data: Any) -> dict[str, Any]:
    """The fields of an input event that say what came; bytes in answers are text, one character a byte."""
    if what == STDIN:
        return {"data": data.hex()}
    if isinstance(data, Heard):
        data = [data.elapsed, data.input, [[_plain(value) for value in event] for event in data.net]]
    return {"answer": list(data) if isinstance(data, tuple) else data}


def _plain(value: Any) -> Any:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def answer(record: Mapping[str, Any]) -> Any:
    """The inverse of `fields`; raises `ValueError`, `TypeError`, `LookupError` or `AttributeError` for what it cannot
    have given.
    """
    if record["what"] == STDIN:
        return bytes.fromhex(record["data"])
    data = record["answer"]
    if record["what"] == "wait":
        elapsed, given, events = data
        return Heard(int(elapsed), bool(given), tuple(map(_event, events)))
    return tuple(data) if isinstance(data, list) else data


def _event(fields: list[Any]) -> tuple[Any, ...]:
    packed = _BYTES.get(fields[0], _NONE)
    return tuple(v.encode("latin-1") if i in packed else v for i, v in enumerate(fields))


@classes.frozen
class Recording:
    """What a trace holds of what a run is a function of: its header, the answers to choice points, what came in."""

    header: Mapping[str, Any]
    choices: Mapping[int, int]
    pieces: tuple[bytes, ...]
    answers: Mapping[int, tuple[str, Any]]

    @property
    def chooser(self) -> Recorded:
        """Answers choice points as they were."""
        said = {name: str(self.header[name]) for name in ("choices", "schedule") if name in self.header}
        return Recorded(self.choices, said)

    @property
    def profile(self) -> str:
        """The name of the profile."""
        return "lind" if self.header.get("profile") == "lind" else "spec"

    @property
    def terminals(self) -> dict[int, tuple[int, int]]:
        """The standard streams that were terminals: rows and columns; `ValueError` or the like for none such."""
        found = self.header.get("terminals", {})
        return {int(stream) % 3: (int(rows), int(columns)) for stream, (rows, columns) in found.items()}

    def config(self, given: Config) -> Config:
        """``given`` with what the recorded run was a function of; `ValueError` or `TypeError` where that is none."""
        header = self.header
        clock, net = header.get("clock", "virtual"), header.get("net", "")
        if clock not in ("virtual", "real") or net not in ("", "loopback", "any"):
            raise ValueError("clock or net")
        return classes.evolve(
            given,
            seed=int(header["seed"]) if "seed" in header else 0,
            workers=min(max(int(header.get("workers", given.workers)), 1), given.workers),
            start_time=int(header.get("start_time", 0)),
            clock=clock,
            net=net,
        )


def read_recording(path: Path) -> Recording:
    """Read a trace to replay it. Raises `TraceError` for a file that is none, `OSError` for one that cannot be read."""
    choices: dict[int, int] = {}
    pieces: dict[int, bytes] = {}
    answers: dict[int, tuple[str, Any]] = {}
    with path.open("rb") as stream:
        reader = Reader(stream, str(path))
        for record in reader:
            try:
                if record["event"] == "choice" and record["answer"]:
                    choices[record["index"]] = record["answer"]
                elif record["event"] == "input":
                    heard = answer(record)
                    if record["what"] == STDIN:
                        pieces[record["index"]] = heard
                    else:
                        answers[record["index"]] = (record["what"], heard)
            except (ValueError, TypeError, AttributeError, LookupError):
                raise TraceError(f"{path}:{reader.line}: not what came in from outside") from None
    return Recording(reader.header, choices, tuple(pieces[n] for n in sorted(pieces)), answers)
