"""What a thread runs, as an interface: a wasm continuation, or a script of calls as plain data.

The rest of the system cannot tell which. A runner never blocks and never calls the system: it runs until it wants
something, says what, and is resumed with the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from lindref import classes
from lindref.posix.call import Arg
from lindref.state.records import record
from lindref.system.abi import SyscallRequest

if TYPE_CHECKING:
    from lindref.system.guests import CageGuest

#: A runner's state is a registered record of its own kind.
RunnerState = Any


@classes.frozen
class Asks:
    """It makes a call and waits for ``resume(result)``."""

    request: SyscallRequest


@classes.frozen
class Becomes:
    """A script goes on as a program of its own (SCRIPT-1), with these handlers; ``resume`` follows."""

    handlers: tuple[tuple[Any, ...], ...]


@classes.frozen
class TurnOver:
    """It made a call that was begun while it ran (``AtOnce``), and another turn is to come."""


@classes.frozen
class Finished:
    """Its program is over; ``value`` is what the entry function returned (0 if nothing)."""

    value: int


@classes.frozen
class Trapped:
    """The guest trapped; ``where`` names functions, innermost first."""

    message: str
    where: tuple[str, ...] = ()


@classes.frozen
class Preempted:
    """Its ticks are used up."""


@classes.frozen
class Stepped:
    """So many entries of code as were asked for have been taken (``system.turn``)."""


@classes.frozen
class AtAccess:
    """It stands before an access to memory that others share, as had been asked (``system.accesses``)."""


@classes.frozen
class AtDelivery:
    """It stands at a place where a signal may be delivered, as had been asked."""


@classes.frozen
class HandlerReturned:
    """The handler pushed with ``token`` has returned."""

    token: Any


@classes.frozen
class WaitsOnMemory:
    """``memory.atomic.wait``: resume with 0 (woken), 1 (not equal) or 2 (timed out). ``timeout`` in ns, None: never."""

    address: int
    timeout: int | None


@classes.frozen
class WakesMemory:
    """``memory.atomic.notify``: resume with the number of waiters woken, at most ``count``."""

    address: int
    count: int


@classes.frozen
class CannotLoad:
    """Its program, or a library that it cannot be without, cannot be loaded: one line."""

    message: str


@classes.frozen
class HostEnds:
    """The real host would not survive what the program asks of it; ``rule`` names the deviation."""

    message: str
    rule: str


RunnerEvent = (
    Asks
    | Becomes
    | TurnOver
    | Finished
    | Trapped
    | Preempted
    | Stepped
    | AtAccess
    | AtDelivery
    | HandlerReturned
    | WaitsOnMemory
    | WakesMemory
    | CannotLoad
    | HostEnds
)


#: Begins a call while the runner that makes it runs, as a turn that ends with ``Asks`` does. The runner's next turn has
#: begun when this returns how many ticks that may take; 0: it is to stop with ``TurnOver``.
AtOnce = Callable[[SyscallRequest], int]


class Runner(Protocol):
    """One thread of execution."""

    @property
    def changed(self) -> bool:
        """Whether it ran, or was resumed, since it was last frozen."""

    @property
    def ticks(self) -> int:
        """Ticks (calls and backward branches) used so far."""

    def run(self, ticks: int) -> RunnerEvent:
        """Go on, for at most ``ticks`` ticks."""

    def resume(self, value: int) -> None:
        """Answer what ``run`` asked for; ``value`` is signed or unsigned, its low 32 bits count."""

    def attend(self, wanted: bool) -> None:
        """Stop with ``AtDelivery`` at the next delivery point, or no longer."""

    def push_handler(self, handler: int, signo: int, token: object) -> bool:
        """Put a call of signal handler ``handler`` on top; false if the program cannot take one."""

    def serve(self, address: int, cage: int, args: tuple[Arg, ...], target: int) -> bool:
        """As a worker, call handler ``address`` of grate ``cage`` for a call that acts on ``target`` (which only a
        handler in Python learns); false if the program offers no way in."""

    def fork(self, guest: CageGuest) -> Runner:
        """The same program at the same place, for a forked cage."""

    def spawn(self, stack: int) -> Runner:
        """The same program at the same place, for a new thread whose stack's high end is ``stack``."""

    def freeze(self) -> RunnerState:
        """Its state as a value; clears ``changed``."""

    def where(self) -> tuple[str, ...]:
        """Where it stands, innermost first, for people."""


@record("system.loading")
class Loading:
    """The runner of a thread whose image is being loaded: it waits for the image's mapping and never runs."""

    changed: ClassVar[bool] = False
    ticks: ClassVar[int] = 0

    def run(self, ticks: int) -> RunnerEvent:
        """Cannot happen: the thread waits."""
        raise AssertionError(f"a thread that is being loaded was run ({ticks})")

    def resume(self, value: int) -> None:
        """The loader takes the result."""

    def attend(self, wanted: bool) -> None:
        """No signals yet."""

    def push_handler(self, handler: int, signo: int, token: object) -> bool:
        """No handlers yet."""
        del handler, signo, token
        return False

    def serve(self, address: int, cage: int, args: tuple[Arg, ...], target: int) -> bool:
        """No worker is ever loaded."""
        del address, cage, args, target
        return False

    def fork(self, guest: object) -> Loading:
        """A cage that is being loaded forks only when another asks for it: the child is as little there."""
        del guest
        return self

    def spawn(self, stack: int) -> Loading:
        """As ``fork``."""
        del stack
        return self

    def freeze(self) -> Loading:
        """It is its own value."""
        return self

    def where(self) -> tuple[str, ...]:
        """Nowhere."""
        return ()
