"""Faults of lindref that the state machine over the whole system is to find."""

from __future__ import annotations

from typing import Any

from lindref.posix import fdtable
from lindref.properties.run_faults import RUN_FAULTS, Change
from lindref.system import state


def _in_the_child_too(real: Any) -> Any:
    def remove(kernel: Any, cage: int, fd: int) -> None:
        entry = kernel.cages[cage].fds[fd]
        for child in [c for c in kernel.cages.values() if c.parent == cage and c.id != cage]:
            if child.fds.get(fd) == entry:
                real(kernel, child.id, fd)
        real(kernel, cage, fd)

    return remove


def _turn_forgotten(real: Any) -> Any:
    def thaw(*args: Any, **more: Any) -> Any:
        system = real(*args, **more)
        system.current = 0
        return system

    return thaw


_FROM_RUNS = (
    "a forked cage begins with RawPOSIX",
    "a grate's end leaves its rows",
    "one call goes past every grate",
    "results of handlers lose their high bits",
    "a handler that traps is an address error",
    "a fork through a grate hides the child",
    "an exit code is not cut",
    "nobody learns of a child's end",
    "a child's descriptors are not counted",
    "every child is told as the first",
    "a child is its own parent",
    "every cage is said to have ended well",
    "registrations cannot be interposed",
    "each grate adds one to what it passes on",
    "exit_group's status is lost",
    "signals get lost",
    "the scheduler does not ask",
)

#: Faults that show only beneath a grate in Python, or where an image is loaded.
_UNDER_PYTHON = ("exec's loading goes past every grate", "exec begins with RawPOSIX's table")

#: Fault -> what is changed (``run_faults.changed``).
SYSTEM_FAULTS: dict[str, Change] = {
    **{fault: RUN_FAULTS[fault][0] for fault in _FROM_RUNS},
    "what a parent closes is closed in its children": (fdtable, "remove", _in_the_child_too),
    "going back forgets whose turn it was": (state, "thaw", _turn_forgotten),
}
PYTHON_FAULTS: dict[str, Change] = {fault: RUN_FAULTS[fault][0] for fault in _UNDER_PYTHON}
