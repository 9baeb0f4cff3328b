"""Scripts of what programs ordinarily do: each call after calls that matter to it, in this order tried first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lindref.conformance.vectors.model import Vector
from lindref.posix.table import NUMBERS

_FILES = (
    {"path": "/w/a", "type": "file", "mode": "0644", "text": "hello, world"},
    {"path": "/w/d", "type": "dir", "mode": "0755"},
    {"path": "/w/d/e", "type": "file", "mode": "0600", "text": "x"},
    {"path": "/w/l", "type": "symlink", "target": "a"},
)
_BUF = {"buf": [0, 0]}
_STAT = {"buf": [1, 0]}
_A = {"str": "/w/a"}
_STAT_DUMP = [{"at": _STAT, "len": 104, "as": "stat"}]
_CREAT, _RDWR, _EXCL, _TRUNC, _APPEND, _CLOEXEC, _NONBLOCK = 0x40, 2, 0x80, 0x200, 0x400, 0x80000, 0x800
_EXIT_GROUP = 231


def _call(name: str, *args: Any, **more: Any) -> dict[str, Any]:
    return {"op": "call", "n": NUMBERS[name], "name": name, "args": list(args), **more}


def _words(at: Any, count: int, kind: str = "i32") -> list[dict[str, Any]]:
    return [{"at": at, "len": count, "as": kind}]


def _set(at: Any, data: bytes) -> dict[str, Any]:
    return {"op": "set", "at": at, "hex": data.hex()}


def _fork(*child: dict[str, Any], code: int = 0) -> dict[str, Any]:
    return {"op": "fork", "child": list(child), "exit": [_EXIT_GROUP, code]}


def _wait() -> dict[str, Any]:
    return _call("wait4", -1, {"buf": [2, 0]}, 0, dump=_words({"buf": [2, 0]}, 4))


def _stat(name: str, path: str) -> dict[str, Any]:
    return _call(name, {"str": path}, _STAT, dump=_STAT_DUMP)


def _read(fd: Any, count: int) -> dict[str, Any]:
    return _call("read", fd, _BUF, count, dump=[{"at": _BUF, "len": count}])


def _mask(how: int, signals: int) -> list[dict[str, Any]]:
    at, old = {"buf": [3, 0]}, {"buf": [3, 8]}
    return [_set(at, signals.to_bytes(8, "little")), _call("rt_sigprocmask", how, at, old, dump=_words(old, 8, "u64"))]


def _exec(path: str) -> list[dict[str, Any]]:
    argv = {"buf": [13, 0]}
    return [
        {"op": "put", "at": argv, "width": 8, "value": {"str": path}},
        _call("execve", {"str": path}, argv, {"buf": [13, 64]}),
    ]


def _over(cage: str, grate: str, number: int, slot: int, handler: Any = None) -> dict[str, Any]:
    """A child has ``grate``'s function ``slot`` serve its calls ``number``; both by the step that told their ids."""
    ids = {"res": [cage, 0]}, {"res": [grate, 0]}
    pairs = [[ids[0], number], ["unused", ids[1] if handler is None else handler], [slot, "unused"]]
    return {"op": "call3i", "n": 1001, "name": "register_handler", "self": ids[1], "target": ids[1], "pairs": pairs}


def _copy(source: Any, target: Any, count: int, kind: int) -> dict[str, Any]:
    """In a handler: bytes are copied (``kind`` 1: a string); source and target are pairs."""
    pairs = [source, target, [count, "unused"], [kind, "unused"]]
    name = "copy_data_between_cages"
    return {"op": "call3i", "n": 1002, "name": name, "self": "own", "target": "own", "pairs": pairs}


def _address(port: int) -> bytes:
    return b"\2\0" + port.to_bytes(2, "big") + b"\x7f\0\0\1" + bytes(8)


_SCRIPTS: dict[str, Sequence[dict[str, Any]]] = {
    "files": [
        _call("open", _A, _RDWR, 0),
        *(_read(3, 3), _read(3, 3), _call("lseek", 3, 0, 1)),
        _set(_BUF, b"XYZ"),
        *(_call("pwrite64", 3, _BUF, 3, 1), _call("lseek", 3, 0, 1)),
        *(_call("pread64", 3, _BUF, 4, 0), _call("lseek", 3, 0, 1)),
        *(_call("write", 3, _BUF, 2), _call("lseek", 3, 0, 2), _call("fstat", 3, _STAT, dump=_STAT_DUMP)),
        *(_call("ftruncate", 3, 5), _call("lseek", 3, 0, 2), _call("lseek", 3, -9, 0), _call("lseek", 3, 1, 1)),
        *(_call("open", _A, 1 | _APPEND, 0), _call("write", 4, _BUF, 1), _call("fstat", 4, _STAT, dump=_STAT_DUMP)),
        _call("write", 4, {"guest": 0xF0000000}, 4),
        *(
            _call("open", {"str": "/w/new"}, _RDWR | _CREAT | _EXCL, 0o600),
            _call("open", _A, _RDWR | _CREAT | _EXCL, 0),
        ),
        *(_call("copy_file_range", 3, 0, 5, 0, 4, 0), _call("open", _A, _RDWR | _TRUNC, 0), _read(6, 4)),
    ],
    "names": [
        *(_call("unlink", _A), _stat("stat", "/w/a"), _call("access", _A, 0), _call("access", {"str": "/w/d/e"}, 0)),
        *(_call("mkdir", {"str": "/w/d"}, 0o755), _call("rmdir", {"str": "/w/d"}), _call("unlink", {"str": "/w/d"})),
        *(_call("rename", {"str": "/w/d/e"}, {"str": "/w/f"}), _stat("stat", "/w/d/e"), _stat("stat", "/w/f")),
        *(_call("link", {"str": "/w/f"}, {"str": "/w/g"}), _stat("stat", "/w/g")),
        *(_call("open", {"str": "/w/f/x"}, 0, 0), _stat("lstat", "/w/l"), _call("readlink", {"str": "/w/l"}, _BUF, 20)),
        *(_call("chmod", {"str": "/w/f"}, 0o751), _stat("stat", "/w/f"), _call("chdir", {"str": "/w/d"})),
        _call("getcwd", _BUF, 50, dump=[{"at": _BUF, "len": 20, "as": "cstr"}]),
        *(
            _call("open", {"str": "/w"}, 0x10000, 0),
            _call("getdents64", 3, _BUF, 4000),
            _call("getdents64", 3, _BUF, 4000),
        ),
        _fork(_call("getcwd", _BUF, 50, dump=[{"at": _BUF, "len": 20, "as": "cstr"}])),
        _wait(),
    ],
    "descriptors": [
        *(_call("dup", 77), _call("open", _A, _RDWR | _APPEND, 0), _call("dup", 3), _call("fcntl", 4, 1, 0)),
        *(_read(3, 2), _read(4, 2), _call("dup2", 3, 9), _call("fcntl", 9, 1, 0), _call("dup3", 3, 10, _CLOEXEC)),
        *(_call("fcntl", 10, 1, 0), _call("fcntl", 3, 0, 20), _call("fcntl", 3, 2, 1), _call("fcntl", 3, 1, 0)),
        *(_call("fcntl", 3, 3, 0), _call("fcntl", 3, 4, _NONBLOCK), _call("fcntl", 3, 3, 0), _call("close", 4)),
        *(_read(4, 1), _call("close", 4), _call("open", _A, 0, 0), _call("open", _A, _CLOEXEC, 0)),
        *(_call("fcntl", 5, 1, 0), _fork(_call("fcntl", 20, 1, 0), _call("lseek", 20, 0, 1)), _wait()),
        *_exec("/prog/app"),
    ],
    "pipes": [
        *(_call("pipe2", _BUF, _NONBLOCK, dump=_words(_BUF, 8)), _read(3, 4), _call("write", 4, {"str": "abc"}, 3)),
        *(_set(_STAT, b"\3\0\0\0\1\0\0\0"), _call("poll", _STAT, 1, 0, dump=[{"at": _STAT, "len": 8}]), _read(3, 9)),
        *(_call("poll", _STAT, 1, 0, dump=[{"at": _STAT, "len": 8}]), _call("lseek", 3, 0, 0), _call("close", 4)),
        *(_read(3, 4), _call("poll", _STAT, 1, 0, dump=[{"at": _STAT, "len": 8}])),
        {"op": "sigaction", "sig": 13, "handler": "record", "slot": 13, "flags": 0, "mask": 0},
        *(_call("pipe2", _BUF, 0), _call("close", 4), _call("write", 5, {"str": "abc"}, 3)),
        {"op": "siglog", "clear": True},
    ],
    "sockets": [
        *(_call("socket", 2, 1, 0), _call("socket", 2, 1, 0), _set(_STAT, _address(4711))),
        *(_call("bind", 3, _STAT, 16), _call("bind", 4, _STAT, 16), _call("connect", 4, _STAT, 16)),
        *(_call("listen", 3, 4), _call("connect", 4, _STAT, 16), _call("accept4", 3, 0, 0, _NONBLOCK)),
        *(_call("fcntl", 5, 3, 0), _call("sendto", 4, {"str": "abcd"}, 4, 0, 0, 0)),
        *(_call("recvfrom", 5, _BUF, 2, 2, 0, 0), _call("recvfrom", 5, _BUF, 4, 0, 0, 0), _read(5, 4)),
        *(_call("shutdown", 4, 1), _read(5, 4), _call("socket", 2, 1, 0), _call("sendto", 6, _BUF, 1, 0x4000, 0, 0)),
        _call("getpeername", 6, _STAT, {"buf": [4, 0]}),
        *(_set(_BUF, b"\4\0\0\0"), _call("getsockopt", 6, 1, 3, _STAT, _BUF, dump=_words(_STAT, 4))),
        *(_call("socketpair", 1, 1, 0, _BUF, dump=_words(_BUF, 8)), _call("write", 7, {"str": "q"}, 1), _read(8, 1)),
    ],
    "family": [
        _call("getpid"),
        {"op": "sigaction", "sig": 17, "handler": "record", "slot": 17, "flags": 0, "mask": 0},
        *(_fork(_call("getppid"), code=7), _wait(), {"op": "siglog", "clear": True}, _wait()),
        {"op": "sigaction", "sig": 10, "handler": "record", "slot": 10, "flags": 0, "mask": 0},
        *_mask(0, 1 << 9),
        _call("kill", "self", 10),
        _fork(*_mask(1, 1 << 9), {"op": "siglog", "clear": True}),
        *(_wait(), *_mask(1, 1 << 9), {"op": "siglog", "clear": True}, _call("wait4", -1, 0, 1)),
    ],
    "signals": [
        {"op": "sigaction", "sig": 10, "handler": "record", "slot": 10, "flags": 0, "mask": 1 << 11},
        {"op": "sigaction", "sig": 12, "handler": "record", "slot": 12, "flags": 0x80000000, "mask": 0},
        *(_mask(0, 1 << 13) + _mask(0, 1 << 14) + _mask(1, 1 << 13) + _mask(2, 0)),
        *(_call("kill", "self", 10), *_mask(0, 0), _call("kill", "self", 12), _call("kill", 99, 10)),
        *({"op": "siglog", "clear": True}, _call("rt_sigaction", 12, 0, _BUF, dump=[{"at": _BUF, "len": 24}])),
        *_exec("/prog/app"),
    ],
    "dead grate": [  # its app calls when it is gone: the end of a pipe tells
        *(_call("getpid"), _call("pipe2", _BUF, 0), _call("pipe2", _STAT, 0)),
        _fork(
            *(_call("getpid"), _over("s4c1", "s1", 107, 1), _call("close", 6)),
            *(_call("write", 4, {"str": "x"}, 1), _read(5, 1), _call("geteuid")),
        ),
        _read(3, 1),
    ],
    "grate": [
        _call("getpid"),
        _fork(
            _call("getpid"),
            *(_over("s2c1", "s1", 107, 2), _call("geteuid"), _over("s2c1", "s1", 107, 1), _call("geteuid")),
            *(_over("s2c1", "s1", 102, 1), _call("getuid"), _over("s2c1", "s1", 102, 1, 500), _call("getuid")),
            *(_over("s2c1", "s1", 104, 9), _call("getgid"), _fork(_call("geteuid")), _wait()),
        ),
        _wait(),
    ],
    "copies": [
        _call("getpid"),
        _fork(_call("getpid"), _over("s2c1", "s1", 1, 3), _set(_BUF, b"ab\0cd"), _call("write", 1, _BUF, 5)),
        _wait(),
    ],
    "time": [
        *(_call("clock_gettime", 77, _BUF), _set(_BUF, bytes(8) + (10**6).to_bytes(8, "little"))),
        _call("clock_nanosleep", 1, 0, _BUF, 0),
        {"op": "sigaction", "sig": 14, "handler": "record", "slot": 14, "flags": 0, "mask": 0},
        _set(_BUF, bytes(24) + (1000).to_bytes(8, "little")),
        *(_call("setitimer", 0, _BUF, 0), _set(_BUF, b"\\1" + bytes(15)), _call("clock_nanosleep", 1, 0, _BUF, 0)),
        {"op": "siglog", "clear": True},
    ],
    "memory": [
        _call("mmap", 0, 8192, 3, 0x22, -1, 0, ret_as="shape"),
        _call("mmap", 0, 4096, 3, 0x22, -1, 0, ret_as="shape"),
        *(
            _call("mmap", 0, 0, 3, 0x22, -1, 0),
            _call("mmap", 0, 4096, 3, 2, 50, 0),
            _call("mprotect", {"guest": 0xE0000000}, 4096, 1),
        ),
        _call("shmget", 5, 4096, 0x200 | 0o600),
        *(
            _call("shmget", 5, 4096, 0x600 | 0o600),
            _call("shmctl", 99, 2, _BUF),
            _call("shmctl", {"res": ["s6", 0]}, 0, 0),
        ),
        *(_call("shmget", 5, 0, 0), _call("futex", _BUF, 0, 1, 0), _call("futex", {"buf": [0, 1]}, 1, 1, 0)),
    ],
}
_THERE, _HERE = [{"harg": 2}, {"hcage": 2}], [_STAT, "own"]
_SERVES = {
    "1": [_call("geteuid"), {"op": "return", "value": 41}],
    "2": [{"op": "return", "value": 42}],
    "3": [
        *(_copy(_THERE, _HERE, 5, 0), {"op": "dump", "dump": [{"at": _STAT, "len": 6}]}),
        *(_copy(_HERE, _THERE, 4, 0), _copy(_HERE, [_BUF, "own"], 4, 0), _copy(_THERE, _HERE, 64, 1)),
        {"op": "return", "value": 5},
    ],
}
_HANDLERS = {"signals": {"10": _mask(0, 0), "12": _mask(0, 0)}}
_APP = [
    *(_call("fcntl", fd, 1, 0) for fd in (3, 5, 10, 11)),
    _call("rt_sigaction", 10, 0, _BUF, dump=[{"at": _BUF, "len": 4}]),
    _call("getpid"),
]


def _named(steps: Sequence[dict[str, Any]], prefix: str = "s") -> list[dict[str, Any]]:
    """The steps with names, those within others too."""
    out = []
    for number, step in enumerate(steps, 1):
        named = {"id": f"{prefix}{number}", **step}
        if "child" in named:
            named["child"] = _named(named["child"], f"{prefix}{number}c")
        out.append(named)
    return out


def _vector(name: str) -> Vector:
    main: dict[str, Any] = {"steps": _named(_SCRIPTS[name])}
    if name in _HANDLERS:
        main["sighandlers"] = {slot: _named(steps, f"h{slot}") for slot, steps in _HANDLERS[name].items()}
    if name in ("grate", "dead grate", "copies"):
        main["handlers"] = {slot: _named(steps, f"g{slot}") for slot, steps in _SERVES.items()}
    programs = {"main": main, "app": {"steps": _named(_APP, "a")}}
    return Vector(f"ordinary.{name.replace(' ', '_')}", f"what programs do: {name}", list(_FILES), programs, (), {})


#: The scripts, in the order in which they are tried.
ORDINARY: tuple[Vector, ...] = tuple(map(_vector, _SCRIPTS))
