"""What a vector must look like (FORMAT.md, sections 1 to 6): found out before it is played, told in one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any, str], None]

_OUTCOMES = ("exit", "signal", "trap", "runtime-fault", "hang")
_FORMS = (None, "cstr", "i32", "u32", "u16", "u64", "i64", "pid32", "fill", "stat", "dirents", "sockaddr")
_DEEPEST = 64


class Misshapen(Exception):
    """A vector that is none; one line with the place."""


def _need(holds: bool, where: str, what: str) -> None:
    if not holds:
        raise Misshapen(f"{where}: {what}")


def _integer(low: int = -(1 << 63), high: int = (1 << 64) - 1) -> Check:
    def check(given: Any, where: str) -> None:
        fits = isinstance(given, int) and not isinstance(given, bool) and low <= given <= high
        _need(fits, where, f"not a number from {low} to {high}: {given!r:.60}")

    return check


def _string(given: Any, where: str) -> None:
    _need(isinstance(given, str), where, f"not a string: {given!r:.60}")
    _need(given.isascii() or not any("\ud800" <= one <= "\udfff" for one in given), where, "half a character")


def _truth(given: Any, where: str) -> None:
    _need(given is None or isinstance(given, bool | int), where, f"not true or false: {given!r:.60}")


def _hex(given: Any, where: str) -> None:
    try:
        bytes.fromhex(given)
    except (TypeError, ValueError):
        raise Misshapen(f"{where}: not hexadecimal: {given!r:.60}") from None


def _word(*allowed: Any) -> Check:
    def check(given: Any, where: str) -> None:
        known = ", ".join(str(one) for one in allowed if one is not None)
        _need(given in allowed, where, f"not one of {known}: {given!r:.60}")

    return check


def _list(of: Check) -> Check:
    def check(given: Any, where: str) -> None:
        _need(isinstance(given, list), where, f"not a list: {given!r:.60}")
        for number, one in enumerate(given):
            of(one, f"{where}[{number}]")

    return check


def _mode(given: Any, where: str) -> None:
    _string(given, where)
    _need(given != "" and all(digit in "01234567" for digit in given), where, f"not an octal mode: {given!r:.60}")


_any_integer, _offset = _integer(), _integer(-(1 << 32), 1 << 32)
_buffer, _slot = _integer(0, 15), _integer(0, 1 << 31)


def _with_offset(first: Check) -> Check:
    """A list of something and an offset from it (0 where there is none)."""

    def check(given: Any, where: str) -> None:
        _need(isinstance(given, list) and len(given) in (1, 2), where, f"not [what, offset]: {given!r:.60}")
        first(given[0], where)
        for offset in given[1:]:
            _offset(offset, where)

    return check


def _flag63(given: Any, where: str) -> None:
    _value(given, where)


_VALUES: Mapping[str, Check] = {
    "str": _string,
    "hexstr": _hex,
    "straddr": _string,
    "buf": _with_offset(_buffer),
    "bufaddr": _with_offset(_buffer),
    "at": _with_offset(_string),
    "res": _with_offset(_string),
    "guest": _any_integer,
    "i32": _with_offset(_buffer),
    "u32": _with_offset(_buffer),
    "u64": _with_offset(_buffer),
    "harg": _integer(1, 6),
    "hcage": _integer(1, 6),
    "flag63": _flag63,
}


def _value(given: Any, where: str) -> None:
    """Section 4."""
    if isinstance(given, dict) and len(given) == 1:
        ((kind, what),) = given.items()
        _need(kind in _VALUES, where, f"no value is called {kind!r}")
        _need(kind != "flag63" or not isinstance(what, dict) or "flag63" not in what, where, "a flag on a flag")
        _VALUES[kind](what, f"{where}.{kind}")
    elif isinstance(given, str):
        _word("self", "own", "unused")(given, where)
    else:
        _any_integer(given, where)


def _pair(given: Any, where: str) -> None:
    _list(_value)(given, where)
    _need(len(given) == 2, where, "not a value and a cage")


def _pairs(given: Any, where: str) -> None:
    _list(_pair)(given, where)
    _need(len(given) <= 6, where, "more than six")


def _args(given: Any, where: str) -> None:
    _list(_value)(given, where)
    _need(len(given) <= 6, where, "more than six")


def _mask(given: Any, where: str) -> None:
    _list(_integer(0, 1 << 20))(given, where)
    _need(len(given) == 2, where, "not [offset, length]")


def _length(given: Any, where: str) -> None:
    if isinstance(given, dict):
        _string(given.get("res"), f"{where}.res")
    else:
        _integer(-(1 << 31), 1 << 20)(given, where)


_DUMP: Mapping[str, Check] = {"at": _value, "len": _length}
_DUMP_MORE: Mapping[str, Check] = {
    "as": _word(*_FORMS),
    "mask": _list(_mask),
    "times": _list(_word("atime", "mtime", "ctime")),
    "nonlink": _truth,
}


def _dump(given: Any, where: str) -> None:
    _fields(given, _DUMP, _DUMP_MORE, where)


def _ret_as(given: Any, where: str) -> None:
    if isinstance(given, dict):
        _string(given.get("rel"), f"{where}.rel")
    else:
        _word(None, "pid", "addr", "shape", "brk", "pos")(given, where)


def _exit(given: Any, where: str) -> None:
    if given is not None:
        _list(_any_integer)(given, where)
        _need(len(given) == 2, where, "not [call, code]")


def _fields(given: Any, needed: Mapping[str, Check], more: Mapping[str, Check], where: str) -> None:
    """An object with all of ``needed`` and perhaps some of ``more``; others are left alone."""
    _need(isinstance(given, dict), where, f"not an object: {given!r:.60}")
    for name, check in needed.items():
        _need(name in given, where, f"no {name!r}")
        check(given[name], f"{where}.{name}")
    for name, check in more.items():
        if name in given:
            check(given[name], f"{where}.{name}")


def _steps(given: Any, where: str) -> None:
    _need(where.count("[") < _DEEPEST, where, "steps too deep in steps")
    _list(_step)(given, where)


def _maybe_steps(given: Any, where: str) -> None:
    if given is not None:
        _steps(given, where)


def _maybe_slot(given: Any, where: str) -> None:
    if given is not None:
        _slot(given, where)


_RESULT: Mapping[str, Check] = {"dump": _list(_dump), "ret_as": _ret_as}
_WIDTH = _word(1, 2, 4, 8)

#: op -> the fields it needs.
_OPS: Mapping[str, Mapping[str, Check]] = {
    "call": {"n": _integer(-(1 << 31), (1 << 31) - 1), "args": _args},
    "call3i": {"n": _integer(-(1 << 31), (1 << 31) - 1), "self": _value, "target": _value, "pairs": _pairs},
    "set": {"at": _value, "hex": _hex},
    "put": {"at": _value, "width": _WIDTH, "value": _value},
    "fill": {"at": _value, "len": _integer(0, 1 << 20), "byte": _integer(0, 255)},
    "fork": {"child": _steps},
    "exit": {"n": _word(60, 231), "code": _value},
    "thread": {"slot": _integer(0, 63), "steps": _steps},
    "join": {"slot": _integer(0, 63)},
    "sigaction": {"sig": _any_integer, "handler": _word("default", "ignore", "record"), "flags": _any_integer},
    "siglog": {},
    "untilsig": {"count": _integer(0, 1000)},
    "until": {"at": _value, "value": _value},
    "sleep": {"ms": _integer(0, 1 << 31)},
    "dump": {"dump": _list(_dump)},
    "argv": {},
    "eval": {"value": _value},
    "peek": {"at": _value, "width": _WIDTH},
    "poke": {"at": _value, "width": _WIDTH, "value": _value},
    "add": {"at": _value, "value": _value},
    "ifeq": {"a": _value, "b": _value},
    "ifmem": {"at": _value, "hex": _hex},
    "return": {"value": _value},
    "hargs": {"ptr": _list(_integer(1, 6))},
}

_MORE: Mapping[str, Check] = {
    **_RESULT,
    "repeat": _integer(1, 1 << 20),
    "stop_on_error": _truth,
    "exit": _exit,
    "slot": _maybe_slot,
    "mask": _any_integer,
    "clear": _truth,
    "env": _truth,
    "then": _maybe_steps,
    "else": _maybe_steps,
}


def _step(given: Any, where: str) -> None:
    """Section 5."""
    _fields(given, {"id": _string, "op": _string}, {}, where)
    needed = _OPS.get(given["op"])
    if needed is None:
        raise Misshapen(f"{where}: no step is called {given['op']!r:.60}")
    _fields(given, needed, {name: check for name, check in _MORE.items() if name not in needed}, where)


def _lists(given: Any, where: str) -> None:
    """Lists of steps by slot."""
    _need(isinstance(given, dict), where, f"not an object: {given!r:.60}")
    for slot, steps in given.items():
        _need(slot.isascii() and slot.isdecimal(), where, f"not a slot: {slot!r:.60}")
        _slot(int(slot), where)
        _steps(steps, f"{where}.{slot}")


def _program(given: Any, where: str) -> None:
    """Section 3."""
    _fields(given, {"steps": _steps}, {"handlers": _lists, "sighandlers": _lists}, where)


_FILES: Mapping[str, tuple[Mapping[str, Check], Mapping[str, Check]]] = {
    "file": ({}, {"mode": _mode, "text": _string, "hex": _hex}),
    "dir": ({}, {"mode": _mode}),
    "symlink": ({"target": _string}, {}),
    "hardlink": ({"target": _string}, {}),
    "fifo": ({}, {"mode": _mode}),
}


def _file(given: Any, where: str) -> None:
    """Section 2."""
    _fields(given, {"path": _string, "type": _word(*_FILES)}, {}, where)
    path = given["path"]
    _need(path[:1] == "/" and "\0" not in path, where, f"not an absolute path: {path!r:.60}")
    _fields(given, *_FILES[given["type"]], where)


def _entry(given: Any, where: str) -> None:
    _fields(given, {"cage": _any_integer, "step": _string}, {}, where)


def _observation(given: Any, where: str) -> None:
    """Section 6."""
    needed: Mapping[str, Check] = {"outcome": _word(*_OUTCOMES), "log": _list(_entry)}
    _fields(given, needed, {"code": _any_integer, "stdout": _string}, where)


def _linux(given: Any, where: str) -> None:
    if given is not None:
        _observation(given, where)


def _names(given: Any, where: str) -> None:
    """Programs; the run starts in ``main``."""
    _need(isinstance(given, dict) and "main" in given, where, "no program 'main'")
    for name, program in given.items():
        _need(name != "" and "/" not in name and "\0" not in name, where, f"not a file name: {name!r:.60}")
        _program(program, f"{where}.{name}")


def check(given: Any) -> None:
    """Whether ``given`` is a vector. Raises ``Misshapen``."""
    _fields(given, {"id": _string, "files": _list(_file), "programs": _names, "observed": _observed}, _TOP, "vector")


def _observed(given: Any, where: str) -> None:
    _fields(given, {"lind": _observation}, {"linux": _linux}, where)


_TOP: Mapping[str, Check] = {"about": _string, "tags": _list(_string)}
