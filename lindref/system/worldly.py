"""The run and the world: what comes in is told as events, real time passes where it should, the network is heard.

Rules TRACE-1 to TRACE-3 in spec/system.md, TIME-8 in spec/time.md, SOCK-14 in spec/sockets.md.
"""

from __future__ import annotations

import select
import time
from typing import TYPE_CHECKING, Any

from lindref.posix import console
from lindref.posix.fs import mirror
from lindref.posix.net import gate
from lindref.posix.outside import Heard
from lindref.posix.result import Key
from lindref.system.events import Input
from lindref.system.threads import Blocked

if TYPE_CHECKING:
    from lindref.system.system import System

#: Virtual time follows real time in steps of at least this, ns: so often a trace has an entry at most.
STEP = 1_000_000

#: How long what was sent may take to go when all cages have ended, ns.
_LINGER = 5_000_000_000

_NOTHING = Heard()


def join(system: System) -> None:
    """The system's kernel is new: connect it."""
    system.kernel.network = system.config.net

    def told(what: str, index: int, answer: Any) -> None:
        system.tell(Input, what=what, index=index, data=answer)

    system.kernel.told = told


def connect(system: System) -> None:
    """Join a run that is to have them to the real clock and the host's network."""
    outside = system.kernel.outside
    if system.config.clock == "real":
        begun = system.config.start_time - time.monotonic_ns()
        outside.clock = lambda: begun + time.monotonic_ns()
    if system.config.net:
        from lindref.posix.net.hostnet import HostNet

        outside.net = HostNet(system.config.net)


def attend(system: System) -> None:
    """Before each turn: the clock, if it is the real one, and what happened on the network."""
    kernel = system.kernel
    if not kernel.gates and system.config.clock != "real":
        return
    if system.config.clock == "real":
        clock = kernel.outside.clock
        now = kernel.ask("clock", lambda: _reading(clock(), kernel.now) if clock is not None else 0, 0)
        kernel.now = max(kernel.now, now)
    if len(kernel.gates):
        gate.tend(kernel)
        heard = kernel.ask("wait", lambda: _wait(system, 0, wants=False), _NOTHING)
        gate.take(kernel, heard.net)
        gate.tend(kernel)
        system.wake_changed()


def _reading(now: int, known: int) -> int:
    """What the clock shows, 0 if that is hardly more than what is known."""
    return now if now >= known + STEP else 0


def wants_input(system: System) -> bool:
    """Whether a thread waits for standard input."""
    statuses = (thread.status for thread in system.threads.values())
    return any(isinstance(s, Blocked) and any(k.kind == Key.CONSOLE for k in s.keys) for s in statuses)


def _wants_net(system: System) -> bool:
    statuses = (thread.status for thread in system.threads.values())
    return any(isinstance(s, Blocked) and gate.wanted(system.kernel, s.keys) for s in statuses)


def wait(system: System, deadline: int | None) -> bool:
    """Nobody can run: wait for the world until ``deadline``, if that is what would let somebody go on."""
    kernel = system.kernel
    net = _wants_net(system)
    if not net and (system.config.clock != "real" or deadline is None):
        return False
    wants = wants_input(system) and not console.get(kernel, console.STDIN).ended
    left = None if deadline is None else max(deadline - kernel.now, 0)
    heard = kernel.ask("wait", lambda: _wait(system, left, wants=wants), _NOTHING)
    if heard == _NOTHING:
        if deadline is None:
            return False  # a replay that is at its end
        kernel.now = max(kernel.now, deadline)
        return True
    kernel.now += heard.elapsed
    gate.take(kernel, heard.net)
    if heard.input:
        console.pull(kernel)
    system.wake_changed()
    return True


def flush(system: System) -> bool:
    """All cages have ended: let what they sent go; whether there is anything left to wait for."""
    kernel = system.kernel
    if not gate.unsent(kernel):
        return False
    heard = kernel.ask("wait", lambda: _wait(system, _LINGER, wants=False), _NOTHING)
    gate.take(kernel, heard.net)
    return heard != _NOTHING


def write_back(system: System) -> None:
    """The run is over: what shared mappings changed in a root that is written through goes to the host (ROOT-8)."""
    mirror.flush_all(system.kernel)


def _wait(system: System, left: int | None, *, wants: bool) -> Heard:
    """Wait for the world for ``left`` ns; `_NOTHING` if all of that passes without anything happening."""
    outside = system.kernel.outside
    descriptor = outside.input_fd if wants else None
    seconds = None if left is None else left / 1e9
    begun = time.monotonic_ns()
    if outside.net is not None:
        ready, events = outside.net.poll(seconds, descriptor)
    elif descriptor is not None or seconds is not None:
        ready, events = bool(select.select([] if descriptor is None else [descriptor], [], [], seconds)[0]), ()
    else:
        return _NOTHING
    if not ready and not events:
        return _NOTHING
    elapsed = time.monotonic_ns() - begun if left != 0 else 0
    return Heard(elapsed if left is None else min(elapsed, left), ready, events)
