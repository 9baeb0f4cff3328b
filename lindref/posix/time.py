"""Clocks and sleeping. All clocks read one virtual time, which jumps when everybody sleeps (rules TIME-1 to TIME-4)."""

from __future__ import annotations

from lindref.posix import usermem as user
from lindref.posix.call import Call
from lindref.posix.constants import (
    CLOCK_BOOTTIME,
    CLOCK_BOOTTIME_ALARM,
    CLOCK_MONOTONIC,
    CLOCK_MONOTONIC_COARSE,
    CLOCK_MONOTONIC_RAW,
    CLOCK_PROCESS_CPUTIME_ID,
    CLOCK_REALTIME,
    CLOCK_REALTIME_ALARM,
    CLOCK_REALTIME_COARSE,
    CLOCK_TAI,
    CLOCK_THREAD_CPUTIME_ID,
    EPOCH,
    TIMER_ABSTIME,
)
from lindref.posix.errno import EFAULT, EINTR, EINVAL, ENOTSUP
from lindref.posix.errors import ErrorSet, fail
from lindref.posix.kernel import Kernel
from lindref.posix.params import CallRow, Direction, Param, ParamKind
from lindref.posix.result import Done, Result, Wait
from lindref.posix.structs import TIMESPEC

#: International atomic time runs this much ahead of the wall clock, in ns (Linux knows it as 37 s when told).
_TAI = 37 * 10**9

_BASES = {
    CLOCK_REALTIME: EPOCH,
    CLOCK_MONOTONIC: 0,
    CLOCK_PROCESS_CPUTIME_ID: 0,
    CLOCK_THREAD_CPUTIME_ID: 0,
    CLOCK_MONOTONIC_RAW: 0,
    CLOCK_REALTIME_COARSE: EPOCH,
    CLOCK_MONOTONIC_COARSE: 0,
    CLOCK_BOOTTIME: 0,
    CLOCK_REALTIME_ALARM: EPOCH,
    CLOCK_BOOTTIME_ALARM: 0,
    CLOCK_TAI: EPOCH + _TAI,
}

#: Clocks that nobody can sleep on (TIME-3).
_SLEEPLESS = frozenset(
    {CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE}
)


def read_clock(kernel: Kernel, clock: int) -> int | None:
    """What ``clock`` shows, in ns; None when there is no such clock (TIME-1)."""
    base = _BASES.get(clock)
    return None if base is None else base + kernel.now


def clock_gettime(kernel: Kernel, call: Call) -> Result:
    """Read a clock (TIME-2)."""
    # Arguments.
    clock, address = call.u32(0), call.value(1)
    shown = read_clock(kernel, clock)
    # Errors.
    errors = ErrorSet()
    errors.add(shown is None, EINVAL, "TIME-2")
    errors.add(not user.writable(kernel, address, TIMESPEC.size), EFAULT, "TIME-2")
    failed = errors.first()
    if failed is not None or shown is None:
        return failed or Done(-EINVAL)
    # Effect.
    seconds, nanos = divmod(shown, 10**9)
    user.copy_out(kernel, address, TIMESPEC.pack(tv_sec=seconds, tv_nsec=nanos))
    # Result.
    return Done(0)


def timespec(data: bytes | None) -> int | None:
    """A timespec in ns; None for one that is no time (negative, or a second or more of ns)."""
    if data is None:
        return None
    fields = TIMESPEC.unpack(data)
    if fields["tv_sec"] < 0 or not 0 <= fields["tv_nsec"] < 10**9:
        return None
    return fields["tv_sec"] * 10**9 + fields["tv_nsec"]


def clock_nanosleep(kernel: Kernel, call: Call) -> Result:
    """Sleep for a time or until one; a signal ends it early (TIME-3, TIME-4)."""
    # Arguments.
    clock, flags, request, remain = call.u32(0), call.i32(1), call.value(2), call.value(3)
    absolute = bool(flags & TIMER_ABSTIME)
    deadline = call.memo
    if not isinstance(deadline, int):
        data = user.copy_in(kernel, request, TIMESPEC.size)
        length = timespec(data)
        # Errors.
        errors = ErrorSet()
        errors.add(clock not in _BASES, EINVAL, "TIME-3")
        errors.add(clock in _SLEEPLESS, ENOTSUP, "TIME-3")
        errors.add(data is None, EFAULT, "TIME-3")
        errors.add(data is not None and length is None, EINVAL, "TIME-3")
        failed = errors.first()
        if failed is not None or length is None:
            return failed or Done(-EINVAL)
        deadline = length - _BASES[clock] if absolute else kernel.now + length
    # Result.
    if deadline <= kernel.now:
        return Done(0)
    if call.interrupted:
        if remain and not absolute:
            seconds, nanos = divmod(deadline - kernel.now, 10**9)
            if not user.copy_out(kernel, remain, TIMESPEC.pack(tv_sec=seconds, tv_nsec=nanos)):
                return fail(EFAULT, "TIME-4")
        return fail(EINTR, "TIME-4")
    return Wait((), deadline, deadline, "for time to pass")


CALLS: tuple[CallRow, ...] = (
    CallRow(
        35,
        "clock_nanosleep",
        (
            Param("clockid", ParamKind.ENUM, names="clock"),
            Param("flags", ParamKind.FLAGS, names="timer"),
            Param("request", ParamKind.STRUCT, struct="timespec"),
            Param("remain", ParamKind.STRUCT, Direction.OUT, struct="timespec"),
        ),
        clock_nanosleep,
    ),
    CallRow(
        228,
        "clock_gettime",
        (
            Param("clockid", ParamKind.ENUM, names="clock"),
            Param("tp", ParamKind.STRUCT, Direction.OUT, struct="timespec"),
        ),
        clock_gettime,
    ),
)
