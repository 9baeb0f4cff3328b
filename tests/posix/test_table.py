"""The call table, what answers for calls that nothing does, and the small parts that all calls use."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import POINTERS, World

from lindref.posix import errno, flags
from lindref.posix import usermem as user
from lindref.posix.call import UNUSED, Call, i32, i64, make, retry, u32
from lindref.posix.errors import ErrorSet, fail
from lindref.posix.params import RESULT, Direction, ParamKind
from lindref.posix.result import Done, RuntimeFault
from lindref.posix.structs import LAYOUTS
from lindref.posix.table import CALLS, NUMBERS
from lindref.state.codec import decode, encode


def test_every_call_has_a_row(shared):
    """The rows are those of the real dispatch table."""
    with (shared / "lind" / "syscalls.csv").open(newline="") as file:
        real = {int(row["number"]): row["name"].split("(")[0] for row in csv.DictReader(file)}
    assert {number: row.name for number, row in CALLS.items()} == real


@pytest.mark.parametrize("row", CALLS.values(), ids=lambda row: row.name)
def test_rows_can_be_decoded(row):
    """Every parameter says all that showing it needs."""
    names = [param.name for param in row.params]
    assert len(names) == len(set(names)) <= 6
    for param in row.params:
        assert param.direction is Direction.IN or param.kind in POINTERS
        if param.kind in (ParamKind.FLAGS, ParamKind.ENUM):
            assert param.names in flags.SETS
        if param.kind in (ParamKind.STRUCT, ParamKind.ARRAY):
            assert param.struct in LAYOUTS
        if param.kind in (ParamKind.BUFFER, ParamKind.ARRAY, ParamKind.IOVEC, ParamKind.SOCKADDR):
            assert param.length is not None
        if isinstance(param.length, str):
            assert param.length == RESULT or param.length in names


def test_unbuilt_and_unknown():
    """CALL-1, CALL-UNKNOWN: ENOSYS and one warning a number, or a fault that names the call."""
    unbuilt = next(row for row in CALLS.values() if row.handler is None) if any(
        row.handler is None for row in CALLS.values()
    ) else None
    numbers = [9999] + ([unbuilt.number] if unbuilt else [])
    for number in numbers:
        w = World()
        for _ in range(2):
            assert w.kernel.call(make(number, 1)) == fail(38, "CALL-1")
        assert len(w.warnings) == 1
        assert str(number) in w.warnings[0]
        fault = World("lind").kernel.call(make(number, 1))
        assert isinstance(fault, RuntimeFault)
        assert str(number) in fault.text


@given(st.integers(0, (1 << 64) - 1))
def test_truncations(value):
    """rawposix.md 0: ints are the low half, offsets all of it."""
    call = make(0, 1, value)
    assert (call.value(0), call.u32(0)) == (value, value & 0xFFFFFFFF)
    assert call.i32(0) == i32(value)
    assert -(1 << 31) <= call.i32(0) < 1 << 31
    assert call.i32(0) % (1 << 32) == u32(value)
    assert call.i64(0) == i64(value)
    assert call.i64(0) % (1 << 64) == value
    assert call.value(5) == UNUSED


def test_calls_are_values():
    call = retry(make(61, 1, -1, cage=3), True, interrupted=True)
    assert decode(encode(call)) == call
    assert isinstance(call, Call)
    assert not call.first()
    assert [call.cage(slot) for slot in range(6)] == [3] * 6


def test_error_sets():
    errors = ErrorSet()
    assert not errors
    assert errors.first() is None
    assert errors.add(False, errno.EPERM, "X-1") is False
    assert errors.add(True, errno.EBADF, "X-2") is True
    errors.add(True, errno.EINVAL, "X-3")
    assert [failure.errno for failure in errors.failures] == [9, 22]
    assert errors.first().value == -9
    assert errors.first().failures == errors.failures
    assert errors.first(["X-9", "X-3"]).value == -22


def test_error_names():
    assert len(errno.NAMES) == 131
    assert set(range(1, 134)) - set(errno.NAMES) == {41, 58}
    assert errno.name_of(errno.EWOULDBLOCK) == "EAGAIN"
    assert errno.name_of(999) == "E999"


def test_results_are_32_bits():
    """The gate returns an i32."""
    w = World()
    assert w.do("mmap", 0, 4096, 3, 0x22, -1, 0) == -8192


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("open", 0x241, "O_WRONLY|O_CREAT|O_TRUNC"),
        ("open", 0, "O_RDONLY"),
        ("open", 0x101000, "O_RDONLY|O_SYNC"),
        ("open", 0x1000, "O_RDONLY|O_DSYNC"),
        ("prot", 0, "0"),
        ("prot", 3, "PROT_READ|PROT_WRITE"),
        ("map", 0x22, "MAP_PRIVATE|MAP_ANONYMOUS"),
        ("map", 0x80000022, "MAP_PRIVATE|MAP_ANONYMOUS|0x80000000"),
        ("socket", 0x80001, "SOCK_STREAM|SOCK_CLOEXEC"),
        ("futex-bits", 0x81, "FUTEX_WAKE|FUTEX_PRIVATE_FLAG"),
        ("wait", 3, "WNOHANG|WUNTRACED"),
    ],
)
def test_flag_names(name, value, text):
    assert flags.flags(name, value) == text


def test_other_names():
    assert flags.enum("clock", 1) == "CLOCK_MONOTONIC"
    assert flags.enum("clock", 99) == "0x63"
    assert flags.enum("whence", 7) == "7"
    assert (flags.signal(9), flags.signal(77)) == ("SIGKILL", "77")
    assert flags.signal_set(0) == "[]"
    assert flags.signal_set(0b1000000010) == "[INT USR1]"
    assert flags.signal_set((1 << 64) - 1 - 2) == "~[INT]"
    assert flags.signal_set(1 << 33) == "[RT_2]"


@given(st.data())
def test_layouts_round_trip(data):
    layout = data.draw(st.sampled_from(list(LAYOUTS.values())))
    bounds = {"b": (8, True), "B": (8, False), "h": (16, True), "H": (16, False)}
    bounds |= {"i": (32, True), "I": (32, False), "q": (64, True), "Q": (64, False)}
    values = {}
    for field in layout.fields:
        bits, signed = bounds[field.format]
        low = -(1 << bits - 1) if signed else 0
        values[field.name] = data.draw(st.integers(low, low + (1 << bits) - 1))
    packed = layout.pack(**values)
    assert len(packed) == layout.size
    assert layout.unpack(packed) == values


@pytest.mark.parametrize("profile", ["spec", "lind"])
def test_guest_memory(profile):
    """All or nothing, NULL is nowhere, a string may end at the last byte before a hole."""
    w = World(profile)
    kernel = w.kernel
    last = 0x100000 - 4
    w.put(1, last, b"abc\0")
    assert user.cstring(kernel, w.ptr(last), 4096) == b"abc"
    assert user.cstring(kernel, w.ptr(last), 2) == b"ab"
    w.put(1, last + 3, b"d")
    assert user.cstring(kernel, w.ptr(last), 4096) is None
    assert user.copy_in(kernel, w.ptr(last), 4) == b"abcd"
    assert user.copy_in(kernel, w.ptr(last), 5) is None
    assert not user.copy_out(kernel, w.ptr(last), b"wxyz!")
    assert user.copy_in(kernel, w.ptr(last), 4) == b"abcd"
    for nowhere in (0, 5, UNUSED, w.ptr(0, cage=7), w.ptr(1 << 32)):
        assert user.copy_in(kernel, nowhere, 1) is None
        assert user.copy_in(kernel, nowhere, 0) == b""
        assert not user.writable(kernel, nowhere, 1)
        assert user.readable(kernel, nowhere, 0)
        assert user.cstring(kernel, nowhere, 9) is None


@given(st.integers(0, 5000), st.integers(0, (1 << 32) - 1))
def test_model_addresses(cage, offset):
    """Every byte of every cage has one address, and no other address means it."""
    address = user.model_base(cage) + offset
    found = user.model_resolve(address)
    assert (found.cage, found.offset) == (cage, offset)
    assert user.model_resolve(user.model_base(cage) + (1 << 32) + offset) is None
    assert address < 1 << 47


def test_changes_are_told_once():
    w = World()
    w.kernel.changed()
    w.kernel.touch("pipe", 3)
    w.kernel.touch("futex", 1)
    w.kernel.touch("pipe", 3)
    assert [(key.kind, key.id) for key in w.kernel.changed()] == [("pipe", 3), ("futex", 1)]
    assert w.kernel.changed() == ()


def test_numbers_by_name():
    assert NUMBERS["mmap"] == 9
    assert Done(0).failures == ()
