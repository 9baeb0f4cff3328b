"""Interval timers: setitimer, and the clock that makes them fire (rules TIME-5 to TIME-7 in spec/time.md)."""

from __future__ import annotations

from lindref.posix import signals
from lindref.posix import usermem as user
from lindref.posix.cage import Cage, IntervalTimer
from lindref.posix.call import Call
from lindref.posix.constants import ITIMER_PROF, ITIMER_REAL, ITIMER_VIRTUAL, SIGALRM
from lindref.posix.errno import EFAULT, EINVAL
from lindref.posix.errors import ErrorSet
from lindref.posix.kernel import Hooks, Kernel
from lindref.posix.params import CallRow, Direction, Param, ParamKind
from lindref.posix.result import Done, Result
from lindref.posix.structs import ITIMERVAL
from lindref.state.pmap import PMap

_SECOND = 1_000_000_000

#: How often the recorded implementation looks at its timers, in ns (deviation ``ITIMER-UNITS``).
_TICK = 20_000_000


def next_deadline(kernel: Kernel) -> int | None:
    """When the next timer of any cage goes off, in virtual ns; None when none is armed."""
    if not kernel.alarm_known:
        kernel.alarm = min((expires for _, _, expires in _armed(kernel)), default=None)
        kernel.alarm_known = True
    return kernel.alarm


def advance(kernel: Kernel, now: int) -> None:
    """Let virtual time be ``now`` (never earlier than it was), and send the signals of the timers that went off in
    order of their times (TIME-6). A timer that went off several times meanwhile sends once for each.
    """
    assert now >= kernel.now, "time runs forward"
    while (when := next_deadline(kernel)) is not None and when <= now:
        number, which, expires = min(_armed(kernel), key=lambda armed: (armed[2], armed[0]))
        kernel.now = max(kernel.now, expires)
        timers = kernel.cages[number].timers
        timer = timers[which]
        again = expires + timer.period if timer.period else None
        timer = IntervalTimer(again, timer.period, timer.value, timer.interval)
        kernel.update(number, timers=timers.set(which, timer))
        kernel.alarm_known = False
        signals.send(kernel, number, SIGALRM)
    kernel.now = now


def _armed(kernel: Kernel) -> list[tuple[int, int, int]]:
    """(cage, which, when) of every armed timer."""
    return [
        (cage.id, which, timer.expires)
        for cage in kernel.cages.values()
        for which, timer in cage.timers.items()
        if timer.expires is not None
    ]


def setitimer(kernel: Kernel, call: Call) -> Result:
    """Arm or disarm a timer and tell what it was before (TIME-5). A null new value only asks."""
    # Arguments.
    which, new, old = call.i32(0), call.value(1), call.value(2)
    cage = kernel.cage(call.target)
    odd = kernel.profile.has("ITIMER-UNITS")
    if odd and which != ITIMER_REAL:
        return Done(0)  # accepted without effect; the old value is not written
    data = user.copy_in(kernel, new, ITIMERVAL.size) if new else None
    fields = ITIMERVAL.unpack(data) if data is not None else {}
    # Errors.
    if new:
        user.require_mapped(kernel, data is not None, "setitimer: the new value")
    if old:
        user.require_mapped(kernel, user.writable(kernel, old, ITIMERVAL.size), "setitimer: the old value")
    errors = ErrorSet()
    errors.add(which not in (ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF), EINVAL, "TIME-5")
    errors.add(bool(new) and data is None, EFAULT, "TIME-5")
    errors.add(not odd and any(not _valid(fields, part) for part in ("interval", "value") if fields), EINVAL, "TIME-5")
    errors.add(bool(old) and not user.writable(kernel, old, ITIMERVAL.size), EFAULT, "TIME-5")
    failed = errors.first()
    if failed is not None:
        return failed
    # Effect.
    if old:
        user.copy_out(kernel, old, _as_programmed(cage) if odd else _remaining(kernel, cage, which))
    if fields:
        timer = _program_odd(kernel, cage, fields) if odd else _program(kernel, which, fields)
        kernel.update(cage.id, timers=cage.timers.set(which, timer))
        kernel.alarm_known = False
    # Result.
    return Done(0)


def _valid(fields: dict[str, int], part: str) -> bool:
    """Whether a time value is a number of microseconds below a second and not negative."""
    return 0 <= fields[f"{part}_usec"] < 1_000_000 and fields[f"{part}_sec"] >= 0


def _ns(fields: dict[str, int], part: str) -> int:
    """A time value in ns."""
    return fields[f"{part}_sec"] * _SECOND + fields[f"{part}_usec"] * 1000


def _program(kernel: Kernel, which: int, fields: dict[str, int]) -> IntervalTimer:
    """The timer that ``fields`` ask for. The processor-time timers never go off: no guest code takes processor time
    in this model (TIME-7).
    """
    value = _ns(fields, "value")
    armed = bool(value) and which == ITIMER_REAL
    return IntervalTimer(
        kernel.now + value if armed else None,
        _ns(fields, "interval"),
        (fields["value_sec"], fields["value_usec"]),
        (fields["interval_sec"], fields["interval_usec"]),
    )


def _remaining(kernel: Kernel, cage: Cage, which: int) -> bytes:
    """What a timer reports: the time left, rounded up to a microsecond, and its interval."""
    timer = cage.timers.get(which) or IntervalTimer()
    if which != ITIMER_REAL:
        seconds, micros = timer.value
    else:
        left = max(timer.expires - kernel.now, 1) if timer.expires is not None else 0
        seconds, micros = divmod(-(-left // 1000), 1_000_000)
    every, part = timer.interval
    return ITIMERVAL.pack(value_sec=seconds, value_usec=micros, interval_sec=every, interval_usec=part)


def _program_odd(kernel: Kernel, cage: Cage, fields: dict[str, int]) -> IntervalTimer:
    """As recorded (``ITIMER-UNITS``): microseconds are taken as nanoseconds, the clock is looked at every 20 ms, and
    disarming keeps what was programmed.
    """
    mask = (1 << 64) - 1
    value = (fields["value_sec"] & mask) * _SECOND + (fields["value_usec"] & mask)
    period = (fields["interval_sec"] & mask) * _SECOND + (fields["interval_usec"] & mask)
    if not value:
        held = cage.timers.get(ITIMER_REAL) or IntervalTimer()
        return IntervalTimer(None, 0, held.value, held.interval)
    return IntervalTimer(
        kernel.now + -(-value // _TICK) * _TICK,
        -(-period // _TICK) * _TICK,
        divmod(value, _SECOND),
        divmod(period, _SECOND),
    )


def _as_programmed(cage: Cage) -> bytes:
    """As recorded: what was last programmed, its part of a second in milliseconds."""
    timer = cage.timers.get(ITIMER_REAL) or IntervalTimer()
    (seconds, nanos), (every, part) = timer.value, timer.interval
    return ITIMERVAL.pack(
        value_sec=seconds, value_usec=nanos // 1_000_000, interval_sec=every, interval_usec=part // 1_000_000
    )


def _forked(kernel: Kernel, parent: int, child: int) -> None:
    """A child has no timers (TIME-5)."""
    del parent
    kernel.update(child, timers=PMap())


def _ended(kernel: Kernel, number: int) -> None:
    """The timers of a cage end with it."""
    kernel.update(number, timers=PMap())
    kernel.alarm_known = False


HOOKS = Hooks(fork=_forked, ended=_ended)

CALLS: tuple[CallRow, ...] = (
    CallRow(
        38,
        "setitimer",
        (
            Param("which", ParamKind.ENUM, names="itimer"),
            Param("new_value", ParamKind.STRUCT, struct="itimerval"),
            Param("old_value", ParamKind.STRUCT, Direction.OUT, struct="itimerval"),
        ),
        setitimer,
    ),
)
