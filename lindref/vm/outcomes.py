"""What ``Machine.run`` answers: why a thread of execution stopped, as data (MACH-7).

The machine never calls Python on a guest's behalf. Whatever it cannot do alone it says in an outcome, and whoever
runs it answers with ``Machine.resume`` (or ``throw``), or drops the machine.
"""

from __future__ import annotations

from lindref import classes
from lindref.vm.memory import Memory
from lindref.vm.values import ExnInst, HostFunc, Value


@classes.frozen
class Returned:
    """The call is finished; the machine has no frames left."""

    values: tuple[Value, ...]


@classes.frozen
class Trapped:
    """The guest trapped (spec §4.2.2): ``message`` in the specification's wording.

    The frames stay for ``Machine.backtrace``; ``instance`` and ``func`` are the numbers of the trapping function,
    ``func_name`` its name or empty, ``offset`` that of the instruction (``Instr.offset``). -1 where no guest
    function was running.
    """

    message: str
    instance: int = -1
    func: int = -1
    func_name: str = ""
    offset: int = -1

    def __str__(self) -> str:
        if self.func < 0:
            return self.message
        name = f" ({self.func_name})" if self.func_name else ""
        return f"{self.message} (instance {self.instance}, func {self.func}{name}, offset {self.offset:#x})"


@classes.frozen
class Thrown:
    """An exception found no handler above the barrier (or the call) that it has now unwound.

    ``barrier`` is that of ``push_call``; the machine is as it was before that call, and ``Machine.throw`` lets the
    exception go on from there. ``None``: nothing was beneath, no frames are left.
    """

    exn: ExnInst
    barrier: Value = None


@classes.frozen
class HostCall:
    """The guest called a host function: ``resume`` takes its results."""

    func: HostFunc
    args: tuple[Value, ...]


@classes.frozen
class Answered:
    """A host call was dealt with while the machine ran (``Machine.answers``), and the run was to end with it."""


@classes.frozen
class BarrierReturned:
    """The function that ``push_call`` put on top has returned; the machine is as it was before."""

    barrier: Value
    values: tuple[Value, ...]


@classes.frozen
class AtomicWait:
    """``memory.atomic.wait``: the cell holds ``expected``, so the thread must sleep.

    ``resume`` takes 0 (woken) or 2 (timed out). ``timeout`` in nanoseconds, ``None`` for ever; ``width`` 4 or 8.
    """

    memory: Memory
    address: int
    width: int
    expected: int
    timeout: int | None


@classes.frozen
class AtomicNotify:
    """``memory.atomic.notify`` on a shared memory: ``resume`` takes how many of at most ``count`` were woken."""

    memory: Memory
    address: int
    count: int


@classes.frozen
class OutOfResources:
    """A limit of ours on what a run may use is reached (``limits.Exhaustion``): not the guest's doing, no trap."""

    message: str


@classes.frozen
class Paused:
    """The ticks are used up; the machine stands at a function's entry or a loop's head."""


@classes.frozen
class Stepped:
    """The steps are used up; the machine stands before an instruction."""


@classes.frozen
class Attention:
    """A delivery point was reached while ``machine.attention`` was set; ``run`` goes on beyond it."""


Outcome = (
    Returned
    | Trapped
    | Thrown
    | HostCall
    | Answered
    | BarrierReturned
    | AtomicWait
    | AtomicNotify
    | OutOfResources
    | Paused
    | Stepped
    | Attention
)


class Stop(Exception):
    """Raised by a handler to leave the run loop with an outcome (never seen outside ``vm``)."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome
