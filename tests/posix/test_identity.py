"""Ids, names, limits, random bytes: rules ID-1 to ID-8."""

from __future__ import annotations

import pytest
from world import World

from lindref.posix.kernel import Identity
from lindref.posix.result import RuntimeFault

BOTH = pytest.mark.parametrize("profile", ["spec", "lind"])


@BOTH
def test_ids(profile):
    """ID-1, ID-2, ID-3, ID-4, ID-8: vectors proc.ids.*."""
    w = World(profile)
    child = w.fork()
    assert [w.do(name, cage=child) for name in ("getpid", "getppid")] == [child, 1]
    assert [w.do("getpgid", pid, cage=child) for pid in (0, 1, 999)] == [child] * 3
    assert [w.do(name) for name in ("getuid", "geteuid", "getgid", "getegid", "sched_yield")] == [0] * 5
    w.kernel.identity = Identity(1000, 100, b"box")
    assert [w.do(name) for name in ("getuid", "geteuid", "getgid", "getegid")] == [1000, 1000, 100, 100]


@BOTH
def test_hostname(profile):
    """ID-6."""
    w = World(profile)
    w.put(1, 0x400, b"\xee" * 8)
    assert w.do("gethostname", w.ptr(0x400), 64) == 0
    assert w.get(1, 0x400, 6) == b"lind\0\xee"
    w.put(1, 0x400, b"\xee" * 8)
    assert w.do("gethostname", w.ptr(0x400), 3) == -36
    assert w.get(1, 0x400, 4) == b"lin\xee"
    assert w.do("gethostname", w.ptr(0x400), 0) == -36
    null = w.call("gethostname", 0, 64)
    assert null.value == -14 if profile == "spec" else isinstance(null, RuntimeFault)


@BOTH
@pytest.mark.parametrize(
    ("resource", "expected"),
    [(3, 8 << 20), (7, 1024), (2, 0xFFFFFFFF), (5, 0xFFFFFFFF), (9, 0xFFFFFFFF), (6, 2048), (4, 0)],
)
def test_limits(profile, resource, expected):
    """ID-5: vectors misc.prlimit.*: two 32-bit numbers."""
    w = World(profile)
    w.put(1, 0x400, b"\xee" * 16)
    assert w.do("prlimit64", 0, resource, 0, w.ptr(0x400)) == 0
    assert w.get(1, 0x400, 16) == expected.to_bytes(4, "little") * 2 + b"\xee" * 8
    assert w.do("prlimit64", 0, resource, 0, 0) == 0


def test_limits_beyond():
    """ID-5, PRLIMIT-ABORT."""
    for args, spec in (
        ((0, 0, 0, 0x400), 0),
        ((0, 15, 0, 0x400), 0),
        ((0, 16, 0, 0x400), -22),
        ((1, 7, 0, 0x400), 0),
        ((77, 7, 0, 0x400), -3),
        ((0, 7, 0x400, 0), 0),
    ):
        w = World()
        pointers = [w.ptr(a) if a else 0 for a in args[2:]]
        assert w.do("prlimit64", *args[:2], *pointers) == spec
        fault = World("lind").call("prlimit64", *args[:2], *pointers)
        assert isinstance(fault, RuntimeFault)
        assert fault.rule == "PRLIMIT-ABORT"
    assert World().do("prlimit64", 0, 7, 0, w.ptr(0xF0000000)) == -14


@BOTH
def test_random(profile):
    """ID-7: vectors misc.getrandom.*."""
    w = World(profile)
    for count in (0, 1, 16, 257, 8192):
        assert w.do("getrandom", w.ptr(0x4000), count, 0) == count
        assert w.get(1, 0x4000, count) == w.random_bytes(count)
    for flags, answer in ((1, 8), (2, 8), (3, 8), (4, 8), (5, 8), (6, -22), (8, -22), (-1, -22)):
        assert w.do("getrandom", w.ptr(0x4000), 8, flags) == answer
    assert w.do("getrandom", 0, 8, 0) == -14
    assert w.do("getrandom", w.ptr(0x4000), (1 << 32) + 4, 0) == 4


def test_missing_cage():
    """CAGE-1, CAGE-MISSING: a call that acts on a cage that does not exist."""
    assert World().do("getpid", cage=99) == -3
    fault = World("lind").call("getpid", cage=99)
    assert isinstance(fault, RuntimeFault)
    assert fault.code == -6
