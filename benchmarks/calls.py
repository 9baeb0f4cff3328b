"""What a system call costs: put straight into the model, made by a guest, and by Python's own ``os`` beside them.

Straight: a thread that runs no wasm asks for the call; it passes the scheduler, 3i and RawPOSIX as a guest's does.
By a guest: a C program makes the call many times; a run with few calls is taken off. Tracing is off.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.whole import C, run
from lindref.posix.call import Arg
from lindref.system.abi import SyscallRequest
from lindref.system.boot import boot, boot_script
from lindref.system.runner import Asks, Finished, RunnerEvent
from lindref.system.script_runner import ReturnStep, ScriptState
from lindref.system.system import System

#: Calls of one measurement: straight, and by a guest for each kind.
STRAIGHT = 3_000
BY_GUEST = {"getpid": 3000, "close": 3000, "read": 500, "write": 500, "pipe": 200, "fork": 60, "exec": 20}

GETPID, CLOSE, PREAD, PWRITE, OPEN = 39, 3, 17, 18, 2
BLOCK = 4096
O_RDWR_CREAT = 0o102


class Caller:
    """A thread that makes one call again and again; a runner as the system knows them."""

    changed = True

    def __init__(self, request: SyscallRequest, times: int) -> None:
        self.request = request
        self.left = times
        self.ticks = 0
        self.value = 0

    def run(self, ticks: int) -> RunnerEvent:
        """The call once more."""
        del ticks
        if not self.left:
            return Finished(0)
        self.left -= 1
        self.ticks += 1
        return Asks(self.request)

    def resume(self, value: int) -> None:
        """The call's result."""
        self.value = value

    def attend(self, wanted: bool) -> None:
        """No signals come."""


def request(number: int, *values: int) -> SyscallRequest:
    """A call by cage 1 for itself."""
    padded = (*values, *[0] * (6 - len(values)))
    return SyscallRequest(number, 0, 1, 1, tuple(Arg(value, 1) for value in padded))


def straight(
    number: int, *values: int, expect: int | None = None, before: Callable[[System], None] | None = None
) -> float:
    """Seconds for a call put into the model without wasm: the time of a turn of the system."""
    system = boot_script(ScriptState((ReturnStep(0),)))
    thread = next(iter(system.threads.values()))
    if before is not None:
        before(system)
    caller = Caller(request(number, *values), STRAIGHT)
    thread.runner = caller  # type: ignore[assignment]  # all of a runner that is used here
    begun = time.process_time()
    for _ in range(STRAIGHT):
        system.step()
    passed = time.process_time() - begun
    assert expect is None or caller.value == expect, (number, caller.value)
    return passed / STRAIGHT


def _with_file(system: System) -> None:
    """Opens a file of one block as descriptor 3; its name stands in memory at 64, the block at 4096."""
    memory = system.memories[1]
    assert memory.try_write(64, b"/block\0")
    base = system.base(1)
    thread = next(iter(system.threads.values()))
    runner = thread.runner
    for call in (request(OPEN, base + 64, O_RDWR_CREAT, 0o600), request(PWRITE, 3, base + BLOCK, BLOCK, 0)):
        thread.runner = Caller(call, 1)  # type: ignore[assignment]  # as above
        system.step()
    thread.runner = runner


def by_guest(kind: str, engine: str, repeat: int) -> float:
    """Seconds for one call of a kind, made by a C program."""
    times = BY_GUEST[kind]
    few, many = (min(_guest(kind, n, engine) for _ in range(repeat)) for n in (1, times + 1))
    return (many - few) / times


def _guest(kind: str, times: int, engine: str) -> float:
    """Seconds for a run of the C program."""
    if kind != "exec":
        return run("calls", [kind, str(times)], engine)[0]
    begun = time.process_time()
    # The programs lie beside each other in the root.
    outcome = boot("/calls.wasm", [kind, str(times), "/true.wasm"], root=C, engine=engine).run()
    if outcome.status:
        raise SystemExit(f"calls exec: {outcome}")
    return time.process_time() - begun


def native(function: Callable[[], object], times: int, clock: Callable[[], float] = time.process_time) -> float:
    """Seconds for a call by Python itself."""
    begun = clock()
    for _ in range(times):
        function()
    return (clock() - begun) / times


def _native_fork() -> None:
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)


def _native_block(folder: Path, *, writing: bool) -> Callable[[], object]:
    fd = os.open(folder / "block", os.O_RDWR | os.O_CREAT, 0o600)
    data = bytes(BLOCK)
    os.pwrite(fd, data, 0)
    return (lambda: os.pwrite(fd, data, 0)) if writing else (lambda: os.pread(fd, BLOCK, 0))


def measure(repeat: int, guests: list[str], folder: Path) -> dict[str, dict[str, float]]:
    """Kind -> who makes it -> seconds, the best of several; ``native`` is Python's own."""
    base = system_base()
    rows: dict[str, dict[str, float]] = {kind: {} for kind in BY_GUEST}

    def note(kind: str, who: str, seconds: float) -> None:
        rows[kind][who] = min(rows[kind].get(who, seconds), seconds)

    reading, writing = _native_block(folder, writing=False), _native_block(folder, writing=True)
    for engine in guests:
        for kind in BY_GUEST:
            note(kind, engine, by_guest(kind, engine, repeat))
    for _ in range(repeat):
        note("getpid", "native", native(os.getpid, 20_000))
        note("read", "native", native(reading, 2_000))
        note("write", "native", native(writing, 2_000))
        note("fork", "native", native(_native_fork, 3, time.perf_counter))
        note("getpid", "straight", straight(GETPID, expect=1))
        note("close", "straight", straight(CLOSE, 1000, expect=-9))
        note("read", "straight", straight(PREAD, 3, base + BLOCK, BLOCK, 0, expect=BLOCK, before=_with_file))
        note("write", "straight", straight(PWRITE, 3, base + BLOCK, BLOCK, 0, expect=BLOCK, before=_with_file))
    return rows


def system_base() -> int:
    """The address of byte 0 of cage 1's memory."""
    return boot_script(ScriptState((ReturnStep(0),))).base(1)


_ORDER = ("native", "straight", "reference", "compiled")

LABELS = {
    "getpid": "getpid",
    "close": "close of a bad descriptor",
    "read": "read of 4 KiB",
    "write": "write of 4 KiB",
    "pipe": "pipe round trip, two cages",
    "fork": "fork, exit, wait",
    "exec": "fork, exec, exit, wait",
}


def show(rows: dict[str, dict[str, float]]) -> str:
    """The table as text: microseconds, and how many times Python's own getpid that is."""
    names = sorted({who for row in rows.values() for who in row}, key=_ORDER.index)
    unit = rows["getpid"]["native"]
    lines = [f"{'microseconds (x os.getpid)':28}" + "".join(f"{name:>22}" for name in names)]
    for kind, row in rows.items():
        cells = [f"{1e6 * row[who]:12.1f} {f'({row[who] / unit:.0f}x)':>9}" if who in row else "" for who in names]
        lines.append(f"{LABELS[kind]:28}" + "".join(f"{cell:>22}" for cell in cells))
    return "\n".join(lines)
