"""Records in normalised terms: what may differ between two runs that do the same becomes a symbol (FORMAT-7).

Cage ids, thread ids, addresses, inodes, times and temporary names are symbols. Two runs give them other values; a
``Bijection`` binds the two values where they are first seen side by side, and from then on they must go together.
Everything else must be equal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from lindref import classes
from lindref.posix.call import i32, u32
from lindref.posix.params import CallRow, Direction, Param, ParamKind, ReturnKind
from lindref.posix.table import CALLS
from lindref.threei.numbers import BENEATH, COPY_DATA_BETWEEN_CAGES, DEREGISTER, MAX_CAGE_ID, UNUSED, ThreeIError
from lindref.trace.addresses import POINTERS
from lindref.trace.filters import THREEI_NAMES, call_name
from lindref.trace.format import Record
from lindref.trace.strace import plain, result_text


@classes.frozen
class Symbol:
    """A value that may differ: what kind of thing it is of, and the value in this run."""

    kind: str
    value: int | str | tuple[int, int]


#: A term is made of texts and symbols.
Part = str | Symbol
Term = tuple[Part, ...]

_LITTLE = 1 << 32
#: Where in a text a symbol may stand: names in a temporary directory, numbers of fields, an address alone.
_IN_TEXTS = re.compile(
    r'/(?:tmp|dev/shm)/(?P<name>[^/"\\]+)|\b(?P<field>\w+)=(?P<number>0x[0-9a-f]+|-?\d+)|^(?P<address>0x[0-9a-f]+)$'
)
#: Fields that are symbols; times are where a call brought them.
_FIELDS = {"stack": "address", "iov_base": "address", "st_ino": "inode", "d_ino": "inode"}
_TIMES = frozenset("tv_sec tv_nsec tv_usec value_sec value_usec st_atime st_mtime st_ctime".split())


def text_term(text: str, *, written: bool = False) -> Term:
    """A shown text; ``written``: a call brought it."""
    parts: list[Part] = []
    at = 0
    for found in _IN_TEXTS.finditer(text):
        group, kind = ("name", "name") if found["name"] else ("address", "address")
        if found["field"]:
            if text.startswith('"'):
                continue  # data, not a structure
            times = written and found["field"] in _TIMES
            group, kind = "number", "time" if times else _FIELDS.get(found["field"], "")
        if kind:
            parts += [plain(text[at : found.start(group)]), Symbol(kind, found[group])]
            at = found.end(group)
    return tuple(part for part in (*parts, plain(text[at:])) if part != "")


def cage(number: int) -> Part:
    """A cage id; what can be none is itself."""
    return Symbol("cage", number) if 0 < number < MAX_CAGE_ID else str(number)


def thread(cage_id: int, tid: int) -> Part:
    """A thread of a cage; its main thread is the same everywhere."""
    return "1" if tid == 1 else Symbol("thread", (cage_id, tid))


def _address(value: int) -> Part:
    return Symbol("address", value) if value not in (0, UNUSED) else ("NULL" if value == 0 else "unused")


def _value(param: Param, value: int, enter: Record) -> Term | None:
    """One argument's value, ``None`` where it means nothing."""
    if value == UNUSED:
        return ("unused",)
    if param.kind in POINTERS:
        return (_address(value),)
    match param.kind:
        case ParamKind.IGNORED:
            return None
        case ParamKind.PID:
            number = i32(value)
            return ("-", cage(-number)) if number < -1 else (cage(number),)
        case ParamKind.TID:
            return (thread(enter.get("target") or enter["cage"], i32(value)),)
        case ParamKind.GUEST_ADDRESS:
            return (Symbol("guest address", u32(value)) if u32(value) else "NULL",)
        case ParamKind.VARIES | ParamKind.HEX if value >= _LITTLE:
            return (_address(value),)
        case ParamKind.INT | ParamKind.FD | ParamKind.DIRFD | ParamKind.SIGNAL:
            return (str(i32(value)),)
        case ParamKind.FLAGS | ParamKind.ENUM | ParamKind.MODE | ParamKind.UINT | ParamKind.UID:
            return (str(u32(value)),)
        case _:
            return (str(value),)


def _owner(owner: int | None) -> Term | None:
    return None if owner is None else (cage(owner),)


def _arguments(enter: Record) -> dict[str, Term]:
    """What is compared of a call's arguments, by what a person would call it."""
    out: dict[str, Term | None] = {}
    args, number = enter.get("args", []), enter["number"]
    row = CALLS.get(number)
    if row is not None:
        shown = enter.get("shown", ())
        for i, (param, (value, owner)) in enumerate(zip(row.params, args, strict=False)):
            if shown and i >= len(shown):
                break  # it means something with other flags only
            out[param.name] = _value(param, value, enter)
            if value != UNUSED and out[param.name] is not None:
                out[f"owner of {param.name}"] = _owner(owner)
        for param, text in zip(row.params, shown, strict=False):
            if text is not None and param.kind in POINTERS:
                out[f"what {param.name} points to"] = text_term(text)
    elif number in THREEI_NAMES.values() and len(args) == 6:
        out = dict(_threei(number, args))
    else:
        for i, (value, owner) in enumerate(args, 1):
            out[f"argument {i}"] = (_address(value) if value >= _LITTLE else str(value),)
            out[f"owner of argument {i}"] = _owner(owner)
    return {name: term for name, term in out.items() if term is not None}


def _threei(number: int, args: list[list[int]]) -> dict[str, Term | None]:
    """The arguments of a call of 3i itself, which travel in cage positions too."""
    first, second = args[0], args[1]
    match number:
        case 1001:
            grate = str(DEREGISTER) if second[1] == DEREGISTER else cage(second[1] or 0)
            return {
                "cage": (cage(first[0]),),
                "number": (str(first[1]),),
                "grate": (grate,),
                "function": (Symbol("function", args[2][0]),),
            }
        case 1003:
            return {"source": (cage(first[0]),), "target": (cage(first[1] or 0),)}
        case _:
            return {
                "source": (_address(first[0]),),
                "source's cage": _owner(first[1]),
                "destination": (_address(second[0]),),
                "destination's cage": _owner(second[1]),
                "length": (str(args[2][0]),),
                "kind": (str(args[3][0]),),
            }


def result(enter: Record, exit_: Record) -> Term | None:
    """What a call returned; ``None`` where it was not observed."""
    if "ret" not in exit_:
        return None
    ret = exit_["ret"]
    if ret is None:
        return ("never returns",)
    args = enter.get("args", ())
    if enter["number"] == COPY_DATA_BETWEEN_CAGES and len(args) > 1 and ret == i32(args[1][0]):
        return ("the destination",)
    row = CALLS.get(enter["number"])
    if result_text(row, ret)[1] or ret in tuple(ThreeIError) or row is None:
        return (result_text(row, ret)[0],)
    return (_result(row, enter, ret),)


def _result(row: CallRow, enter: Record, ret: int) -> Part:
    if row.returns is ReturnKind.ADDRESS:
        return Symbol("guest address", u32(ret)) if ret else "0"
    if row.returns is ReturnKind.PID and ret > 0:
        target = enter.get("target") or enter["cage"]
        makes_thread = row.name == "clone" and "CLONE_VM" in str(enter.get("shown"))
        return thread(target, ret) if makes_thread or row.name == "gettid" else cage(ret)
    return str(ret)


def written(enter: Record, exit_: Record) -> dict[str, Term]:
    """The arguments that a call wrote."""
    row = CALLS.get(enter["number"])
    params: Mapping[str, Param] = {} if row is None else {str(i): p for i, p in enumerate(row.params)}
    return {
        f"what {params[at].name} points to after it": text_term(text, written=True)
        for at, text in exit_.get("shown", {}).items()
        if at in params and params[at].direction is not Direction.IN
    }


def fields(record: Record, enter: Record | None) -> dict[str, Term]:
    """An event in normalised terms, field by field; ``enter`` is that of the call it belongs to."""
    me = record.get("cage", 0)
    out: dict[str, Term | None] = {"event": (record["event"],)}
    if record["event"] != "outcome":
        out |= {"cage": (cage(me),), "thread": (thread(me, record.get("tid", 1)),)}
    if "call" in record:
        out["call"] = (Symbol("call", record["call"]),)
    match record["event"]:
        case "enter":
            out["name"] = (call_name(record["number"]),)
            for name in ("self", "target"):
                out[name] = (cage(record[name]),) if name in record else None
            within = record.get("within")
            out["within"] = None if within is None else (Symbol("call", within) if within else "0",)
            out |= _arguments(record)
        case "route":
            out["handler"] = _handler(record["handler"])
            out["function"] = (plain(record["function"]),) if record.get("function") else None
        case "exit" if enter is not None:
            out["name"] = (call_name(enter["number"]),)
            out["result"] = result(enter, record)
            out |= written(enter, record)
        case "spawn":
            out["child"] = (cage(record["child"]),)
            out["child's thread"] = (thread(record["child"], record.get("child_tid", 1)),)
        case "exec":
            out["path"] = text_term(record["path"])
            out["arguments"] = text_term("\0".join(record["argv"])) if "argv" in record else None
        case "end":
            out["whole"] = (str(record["whole"]),)
            for name in ("status", "signal"):
                out[name] = (str(record[name]),) if name in record and record["whole"] else None
            out["trap"] = ("trap",) if record.get("trap") else None
        case "signal":
            out["signal"] = (str(record["signo"]),)
            out["action"] = (plain(record["action"]),)
        case "outcome":
            out["ending"] = (plain(record["ending"]),)
            out["status"] = (str(record["status"]),) if "status" in record else None
        case _:
            pass
    return {name: term for name, term in out.items() if term is not None}


def _handler(number: int) -> Term:
    return (str(number) if number in BENEATH else cage(number),)


__all__ = ["Symbol", "Term", "cage", "fields", "result", "text_term", "thread", "written"]
