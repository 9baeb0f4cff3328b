"""The trace as a published format: what a line may hold (rules FORMAT-* in spec/trace.md, docs/trace.md).

A trace is JSON lines: a header, then one object an event. The tables here are the one source of what fields there are:
the reader's checks, the JSON Schema that is published (``trace-1.schema.json``) and the tables of docs/trace.md
derive from them. Other fields than these are allowed and mean nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

from lindref import classes
from lindref.system.outcome import Ending

FORMAT = "lindref-trace"
#: The version that is written; all from 1 on are read.
VERSION = 1

#: One line of a trace, as JSON gives it.
Record = dict[str, Any]

_U64 = (1 << 64) - 1
_HEX = re.compile(r"(?:[0-9a-f]{2})*")
_CAGE = re.compile(r"[0-9]{1,7}")
_DIGITS = re.compile(r"[0-5]")
_COUNT = {"type": "integer", "minimum": 0, "maximum": _U64}


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= _U64


def _is_text(value: object) -> bool:
    return isinstance(value, str)


class Kind(Enum):
    """What a field's value is; the value of the member says it in words."""

    COUNT = "a whole number from 0 to 2^64-1"
    NUMBER = "a whole number, signed"
    TEXT = "text"
    TEXTS = "a list of texts"
    FLAG = "true or false"
    RETURN = "a signed whole number, or null for a call that never returns"
    ARGS = "up to six [value, owning cage]; null for an owner that was not observed"
    SHOWN = "a list of texts; null where the result brings it"
    WRITTEN = 'texts by position ("0" to "5")'
    HEX = "bytes as hexadecimal text"
    PIECES = "a list of [host address, bytes as hexadecimal text]"
    ANY = "any JSON value"
    ORDER = '"global" or "thread"'
    ADDRESSES = '"host" or "offset"'
    BASES = "an object from cage to the host address of its memory"

    def holds(self, value: object) -> bool:
        """Whether ``value`` is one of this kind."""
        match self:
            case Kind.COUNT:
                return _is_count(value)
            case Kind.NUMBER:
                return type(value) is int and -(1 << 63) <= value <= _U64
            case Kind.TEXT:
                return isinstance(value, str)
            case Kind.TEXTS:
                return isinstance(value, list) and all(map(_is_text, value))
            case Kind.FLAG:
                return isinstance(value, bool)
            case Kind.RETURN:
                return value is None or (type(value) is int and -(1 << 63) <= value <= _U64)
            case Kind.ARGS:
                return isinstance(value, list) and len(value) <= 6 and all(map(_is_pair, value))
            case Kind.SHOWN:
                return isinstance(value, list) and all(v is None or isinstance(v, str) for v in value)
            case Kind.WRITTEN:
                return isinstance(value, dict) and all(
                    _DIGITS.fullmatch(k) and isinstance(v, str) for k, v in value.items()
                )
            case Kind.PIECES:
                return isinstance(value, list) and all(map(_is_piece, value))
            case Kind.HEX:
                return isinstance(value, str) and _HEX.fullmatch(value) is not None
            case Kind.ORDER:
                return value in ("global", "thread")
            case Kind.ADDRESSES:
                return value in ("host", "offset")
            case Kind.BASES:
                return isinstance(value, dict) and all(_CAGE.fullmatch(k) and _is_count(v) for k, v in value.items())
            case Kind.ANY:
                return True

    @property
    def schema(self) -> dict[str, Any]:
        """The same as JSON Schema."""
        number = {"type": "integer", "minimum": -(1 << 63), "maximum": _U64}
        shapes: dict[Kind, dict[str, Any]] = {
            Kind.COUNT: _COUNT,
            Kind.NUMBER: number,
            Kind.TEXT: {"type": "string"},
            Kind.TEXTS: {"type": "array", "items": {"type": "string"}},
            Kind.FLAG: {"type": "boolean"},
            Kind.RETURN: {**number, "type": ["integer", "null"]},
            Kind.ARGS: {
                "type": "array",
                "maxItems": 6,
                "items": {
                    "type": "array",
                    "prefixItems": [_COUNT, {**_COUNT, "type": ["integer", "null"]}],
                    "minItems": 2,
                    "maxItems": 2,
                },
            },
            Kind.SHOWN: {"type": "array", "items": {"type": ["string", "null"]}},
            Kind.WRITTEN: {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "propertyNames": {"pattern": "^[0-5]$"},
            },
            Kind.HEX: {"type": "string", "pattern": "^([0-9a-f]{2})*$"},
            Kind.PIECES: {
                "type": "array",
                "items": {
                    "type": "array",
                    "prefixItems": [_COUNT, {"type": "string", "pattern": "^([0-9a-f]{2})*$"}],
                    "minItems": 2,
                    "maxItems": 2,
                },
            },
            Kind.ORDER: {"enum": ["global", "thread"]},
            Kind.ADDRESSES: {"enum": ["host", "offset"]},
            Kind.BASES: {
                "type": "object",
                "additionalProperties": _COUNT,
                "propertyNames": {"pattern": f"^{_CAGE.pattern}$"},
            },
            Kind.ANY: {},
        }
        return shapes[self]


def _is_pair(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and _is_count(value[0])
        and (value[1] is None or _is_count(value[1]))
    )


def _is_piece(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and _is_count(value[0]) and Kind.HEX.holds(value[1])


@classes.frozen
class Field:
    """A field of the header or of an event; one that is not ``required`` is left out where it was not observed."""

    name: str
    kind: Kind
    about: str
    required: bool = False


@classes.frozen
class EventKind:
    """An event: its own fields, beside those that all have (`COMMON`) unless it belongs to no thread."""

    name: str
    about: str
    fields: tuple[Field, ...]
    threaded: bool = True

    @property
    def all(self) -> tuple[Field, ...]:
        """Its fields, the common ones first."""
        return COMMON + self.fields if self.threaded else self.fields


HEADER = (
    Field("format", Kind.TEXT, "`lindref-trace`", required=True),
    Field("version", Kind.COUNT, "of this format", required=True),
    Field("producer", Kind.TEXT, "what made the trace: a name and a version"),
    Field("spec", Kind.TEXT, "version of the specification that the rules come from"),
    Field("profile", Kind.TEXT, "`spec` or `lind`"),
    Field("seed", Kind.COUNT, "of the random bytes"),
    Field("choices", Kind.TEXT, "how choice points are answered: `first`, `seeded` or `replay`"),
    Field("schedule", Kind.TEXT, "the answers that are replayed"),
    Field("workers", Kind.COUNT, "the most workers of a grate"),
    Field("clock", Kind.TEXT, "`virtual` (default), or `real` where time passes as outside"),
    Field("start_time", Kind.NUMBER, "virtual time at which the run began, ns"),
    Field("terminals", Kind.ANY, "the standard streams that are terminals, by number: rows and columns"),
    Field("net", Kind.TEXT, "how far the host's network is joined to the run's: `loopback` or `any`"),
    Field("argv", Kind.TEXTS, "the program and its arguments as typed"),
    Field("programs", Kind.TEXTS, "hashes of the modules loaded so far (see `digest` of `exec`)"),
    Field("observes", Kind.TEXTS, "the events that the producer can see: of those, what is not written did not happen"),
    Field("order", Kind.ORDER, "`global` (default): lines in the order of the run; `thread`: only those of one thread"),
    Field(
        "addresses",
        Kind.ADDRESSES,
        "what addresses in `args` and `data` are: `host` (default), or `offset`: offsets in the memory of the cage "
        "beside them (in `data`: beside the argument that leads there)",
    ),
    Field(
        "bases",
        Kind.BASES,
        "where the cages' memories begin in the producer's address space; without it cage n's is at 2^44 + n * 2^33",
    ),
    Field("begins", Kind.COUNT, "number of the first event; above 1, calls may come back that were not seen to enter"),
)

COMMON = (
    Field("n", Kind.COUNT, "number of the event, rising from 1; there may be gaps"),
    Field("cage", Kind.COUNT, "the cage it happens in", required=True),
    Field("tid", Kind.COUNT, "the thread in that cage; 1 where left out"),
    Field("time", Kind.COUNT, "virtual time in ns"),
    Field("rule", Kind.TEXT, "the rule that it shows"),
)

_ACTIONS = "`handler`, `terminate`, `ignore`, `stop`, `fault` or `return`"
_CALL = Field("call", Kind.COUNT, "number of the call", required=True)

EVENTS: Mapping[str, EventKind] = {
    kind.name: kind
    for kind in (
        EventKind(
            "enter",
            "a call leaves a cage",
            (
                _CALL,
                Field("number", Kind.COUNT, "which call", required=True),
                Field("name", Kind.TEXT, "its name"),
                Field("self", Kind.COUNT, "the cage whose handler table is asked"),
                Field("target", Kind.COUNT, "the cage it is to act on"),
                Field("args", Kind.ARGS, "the arguments"),
                Field("within", Kind.COUNT, "the call that the calling worker serves, 0 for none"),
                Field("shown", Kind.SHOWN, "the arguments as strace shows them"),
                Field("data", Kind.PIECES, "memory that the call reads, where `shown` does not say it all"),
                Field("where", Kind.TEXTS, "the functions in progress, innermost first, with file and line if known"),
            ),
        ),
        EventKind(
            "route",
            "who serves a call",
            (
                _CALL,
                Field("handler", Kind.COUNT, "a grate, 777777 RawPOSIX, 888888 the runtime, 999999 3i", required=True),
                Field("address", Kind.COUNT, "the handler's function value"),
                Field("worker", Kind.COUNT, "the grate's worker, 0 where not known"),
                Field("function", Kind.TEXT, "the handler's name in the grate"),
            ),
        ),
        EventKind(
            "exit",
            "a call comes back",
            (
                _CALL,
                Field("ret", Kind.RETURN, "its result; left out where not observed"),
                Field("errno", Kind.TEXT, "the name of the error that the result is"),
                Field("shown", Kind.WRITTEN, "the arguments that the call wrote"),
            ),
        ),
        EventKind(
            "choice",
            "a choice point was answered",
            (
                Field("index", Kind.COUNT, "number of the choice point, from 0", required=True),
                Field("point", Kind.TEXT, "its kind", required=True),
                Field("options", Kind.COUNT, "how many there were", required=True),
                Field("answer", Kind.COUNT, "which was taken", required=True),
            ),
        ),
        EventKind(
            "spawn",
            "a cage or a thread came to be",
            (
                Field("child", Kind.COUNT, "the new thread's cage", required=True),
                Field("child_tid", Kind.COUNT, "its thread id: 1, or left out, for a new cage"),
                Field("base", Kind.COUNT, "where the new cage's memory begins, as in `bases`"),
            ),
        ),
        EventKind(
            "exec",
            "a cage runs a new image",
            (
                Field("path", Kind.TEXT, "the module", required=True),
                Field("argv", Kind.TEXTS, "its arguments"),
                Field("base", Kind.COUNT, "where the cage's memory begins from now on, as in `bases`"),
                Field("digest", Kind.TEXT, "its hash: BLAKE2b-128 of the file, hexadecimal"),
            ),
        ),
        EventKind(
            "end",
            "a thread or a cage ended",
            (
                Field("whole", Kind.FLAG, "whether it is the cage", required=True),
                Field("status", Kind.NUMBER, "the exit code"),
                Field("signal", Kind.COUNT, "the signal that ended it, 0 for none"),
                Field("trap", Kind.TEXT, "the trap that ended it"),
            ),
        ),
        EventKind(
            "signal",
            "a signal is delivered, or its handler returns",
            (
                Field("signo", Kind.COUNT, "which", required=True),
                Field("action", Kind.TEXT, _ACTIONS, required=True),
            ),
        ),
        EventKind(
            "memory",
            "a call changed memory (written where asked for); it carries the number of the call's exit",
            (
                Field("owner", Kind.COUNT, "the cage whose memory it is", required=True),
                Field("offset", Kind.COUNT, "where in it", required=True),
                Field("before", Kind.HEX, "the bytes when the call entered"),
                Field("after", Kind.HEX, "the bytes when it came back"),
                Field("call", Kind.COUNT, "the call"),
            ),
        ),
        EventKind("note", "something a person should know", (Field("text", Kind.TEXT, "in words", required=True),)),
        EventKind(
            "input",
            "something came in from outside the run",
            (
                Field("what", Kind.TEXT, "`stdin`, or what was asked: `clock`, `wait`, `bind`, …", required=True),
                Field("index", Kind.COUNT, "number of the piece or question"),
                Field("data", Kind.HEX, "the bytes"),
                Field("answer", Kind.ANY, "the answer, where it is no bytes"),
            ),
        ),
        EventKind(
            "outcome",
            "how the run ended; the last line of a whole trace",
            (
                Field("ending", Kind.TEXT, f"{', '.join(f'`{e.value}`' for e in Ending)}", required=True),
                Field("status", Kind.NUMBER, "exit status of the run"),
                Field("text", Kind.TEXT, "in words"),
                Field("schedule", Kind.TEXT, "the answers that replay the run"),
            ),
            threaded=False,
        ),
    )
}

_FIELDS = {name: {field.name: field for field in kind.all} for name, kind in EVENTS.items()}
_REQUIRED = {name: tuple(field.name for field in kind.all if field.required) for name, kind in EVENTS.items()}


def problem(record: Record) -> str | None:
    """What is wrong with an event, ``None`` for nothing (FORMAT-2)."""
    event = record.get("event")
    if not isinstance(event, str) or event not in _FIELDS:
        return f"unknown event {clip(event)}" if "event" in record else "no event: there is no field 'event'"
    for name in _REQUIRED[event]:
        if name not in record:
            return f"{event} without {name!r}"
    known = _FIELDS[event]
    for name, value in record.items():
        field = known.get(name)
        if field is not None and not field.kind.holds(value):
            return f"{event}: {name!r} is {clip(value)}, not {field.kind.value}"
    return None


def header_problem(record: object) -> str | None:
    """What is wrong with a header, ``None`` for nothing (FORMAT-1)."""
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        return f"not a trace: the first line is no header with format {FORMAT!r}"
    version = record.get("version")
    if type(version) is not int or version < 1:
        return f"version {clip(version)} is none"
    if version > VERSION:
        return f"version {clip(version)} of the format is newer than this lindref reads (up to {VERSION})"
    for field in HEADER:
        if field.name in record and not field.kind.holds(record[field.name]):
            return f"header: {field.name!r} is {clip(record[field.name])}, not {field.kind.value}"
    return None


def clip(value: object) -> str:
    """A value for a message: one line, not long."""
    text = ascii(value) if not isinstance(value, int) or value.bit_length() < 200 else "a huge number"
    return text if len(text) <= 60 else text[:57] + "..."


def _object(fields: tuple[Field, ...], fixed: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of an object."""
    properties: dict[str, Any] = {
        field.name: {**field.kind.schema, **fixed.get(field.name, {}), "description": field.about} for field in fields
    }
    return {"type": "object", "properties": properties, "required": [f.name for f in fields if f.required]}


def schema() -> dict[str, Any]:
    """The JSON Schema of one line of a trace, as it is published."""
    header = _object(HEADER, {"format": {"const": FORMAT}, "version": {"const": VERSION}})
    definitions: dict[str, Any] = {"header": header}
    for name, kind in EVENTS.items():
        shape = _object(kind.all, {})
        shape["properties"] = {"event": {"const": name}, **shape["properties"]}
        shape["required"] = ["event", *shape["required"]]
        definitions[name] = {"description": kind.about, **shape}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:lindref:trace:{VERSION}",
        "title": f"lindref trace, version {VERSION}: one line",
        "description": "The first line is a header, every other an event. Numbers may need 64 bits.",
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name in definitions],
        "$defs": definitions,
    }
