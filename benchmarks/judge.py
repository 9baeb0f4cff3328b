"""What it costs to judge a sequential trace: calls of one program, read from a file and judged from start to end."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.calls import O_RDWR_CREAT, OPEN, request
from lindref.conformance.oracle.judge import judge
from lindref.system.abi import SyscallRequest
from lindref.system.boot import boot_script
from lindref.system.outcome import Ending, Outcome
from lindref.system.runner import Asks, Finished, RunnerEvent
from lindref.system.script_runner import ReturnStep, ScriptState
from lindref.trace.jsonl import JsonTrace

READ, WRITE, CLOSE, STAT, FSTAT, LSEEK, DUP, GETPID = 0, 1, 3, 4, 5, 8, 32, 39
NAME, DATA, ROOM = 64, 4096, 8192


class Rounds:
    """A thread that opens a file once, then does the same calls again and again; a runner as the system knows them."""

    changed = True

    def __init__(self, first: SyscallRequest, again: list[SyscallRequest], calls: int) -> None:
        self.calls = [first]
        self.again = again
        self.left = calls
        self.ticks = 0

    def run(self, ticks: int) -> RunnerEvent:
        """The next call."""
        del ticks
        if not self.left:
            return Finished(0)
        self.left -= 1
        self.ticks += 1
        self.calls = self.calls or list(self.again)
        return Asks(self.calls.pop(0))

    def resume(self, value: int) -> None:
        """Whatever the result."""

    def attend(self, wanted: bool) -> None:
        """No signals come."""


def write(path: Path, calls: int) -> None:
    """A trace of so many calls."""
    system = boot_script(ScriptState((ReturnStep(0),)))
    memory, base = system.memories[1], system.base(1)
    assert memory.try_write(NAME, b"/tmp/block\0")
    assert memory.try_write(DATA, b"data that is written")
    again = [
        request(WRITE, 3, base + DATA, 20),
        request(LSEEK, 3, 0, 0),
        request(READ, 3, base + ROOM, 20),
        request(FSTAT, 3, base + ROOM),
        request(DUP, 3),
        request(CLOSE, 4),
        request(GETPID),
        request(STAT, base + NAME, base + ROOM),
    ]
    rounds = Rounds(request(OPEN, base + NAME, O_RDWR_CREAT, 0o600), again, calls)
    thread = next(iter(system.threads.values()))
    thread.runner = rounds  # type: ignore[assignment]  # all of a runner that is used here
    with path.open("w", encoding="utf-8") as out:
        trace = JsonTrace(system, out.write)
        system.observers.append(trace)
        while rounds.left:
            system.step()
        trace.close(Outcome(Ending.LIMIT.value))


def measure(folder: Path, calls: int) -> tuple[float, float]:
    """Seconds that pass, and seconds of processor time."""
    path = folder / "trace.jsonl"
    write(path, calls)
    begun, spent = time.monotonic(), time.process_time()
    found = judge(path)
    passed = time.monotonic() - begun, time.process_time() - spent
    assert found.allowed, found
    assert found.calls == calls
    return passed
