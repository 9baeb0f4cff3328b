"""What a thread runs, as an interface: a wasm continuation, or a script of calls as plain data.

The rest of the system cannot tell which. A runner never blocks and never calls the system: it runs until it wants
something, says what, and is resumed with the answer.
"""

from __future__ import annotations

from typing import Any, Protocol

import attrs

from lindref.system.abi import SyscallRequest

#: A runner's state is a registered record of its own kind.
RunnerState = Any


@attrs.frozen
class Asks:
    """It makes a call and waits for ``resume(result)``."""

    request: SyscallRequest


@attrs.frozen
class Finished:
    """Its program is over; ``value`` is what the entry function returned (0 if nothing)."""

    value: int


@attrs.frozen
class Trapped:
    """The guest trapped; ``where`` names functions, innermost first."""

    message: str
    where: tuple[str, ...] = ()


@attrs.frozen
class Preempted:
    """Its ticks are used up."""


@attrs.frozen
class AtDelivery:
    """It stands at a place where a signal may be delivered, as had been asked."""


@attrs.frozen
class HandlerReturned:
    """The handler pushed with ``token`` has returned."""

    token: Any


@attrs.frozen
class WaitsOnMemory:
    """``memory.atomic.wait``: resume with 0 (woken), 1 (not equal) or 2 (timed out). ``timeout`` in ns, None: never."""

    address: int
    timeout: int | None


@attrs.frozen
class WakesMemory:
    """``memory.atomic.notify``: resume with the number of waiters woken, at most ``count``."""

    address: int
    count: int


RunnerEvent = (
    Asks | Finished | Trapped | Preempted | AtDelivery | HandlerReturned | WaitsOnMemory | WakesMemory
)


class Runner(Protocol):
    """One thread of execution."""

    #: Whether it ran, or was resumed, since it was last frozen.
    changed: bool
    #: Ticks (calls and backward branches) used so far.
    ticks: int

    def run(self, ticks: int) -> RunnerEvent:
        """Go on, for at most ``ticks`` ticks."""

    def resume(self, value: int) -> None:
        """Answer what ``run`` asked for; ``value`` is signed or unsigned, its low 32 bits count."""

    def attend(self, wanted: bool) -> None:
        """Stop with ``AtDelivery`` at the next delivery point, or no longer."""

    def push_handler(self, handler: int, signo: int, token: object) -> bool:
        """Put a call of signal handler ``handler`` on top; false if the program cannot take one."""

    def freeze(self) -> RunnerState:
        """Its state as a value; clears ``changed``."""

    def where(self) -> tuple[str, ...]:
        """Where it stands, innermost first, for people."""
