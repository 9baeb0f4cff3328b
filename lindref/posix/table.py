"""The call table: every call of the real dispatch table, collected from the subjects.

A subject module exports ``CALLS`` (a tuple of `CallRow`) and, when it has something to do as cages come and go,
``HOOKS`` (a `Hooks`). The hooks run in the order of `SUBJECTS`.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from lindref.posix.kernel import Hooks, Host, Kernel, KernelState
from lindref.posix.params import CallRow

if TYPE_CHECKING:
    from lindref.vm.limits import Budget

#: The modules that hold calls; each number is built in one of them.
SUBJECTS: tuple[str, ...] = (
    "lindref.posix.memory",
    "lindref.posix.processes",
    "lindref.posix.execve",
    "lindref.posix.threads",
    "lindref.posix.signals",
    "lindref.posix.timers",
    "lindref.posix.futex",
    "lindref.posix.time",
    "lindref.posix.identity",
    "lindref.posix.descriptors",
    "lindref.posix.files",
    "lindref.posix.transfer",
    "lindref.posix.seeking",
    "lindref.posix.links",
    "lindref.posix.metadata",
    "lindref.posix.directories",
    "lindref.posix.pipes",
    "lindref.posix.polling",
    "lindref.posix.ioctl",
    "lindref.posix.fcntl",
    "lindref.posix.epoll",
    "lindref.posix.xattr",
    "lindref.posix.sockets",
    "lindref.posix.messages",
    "lindref.posix.sockopt",
    "lindref.posix.shm",
)


def _collect() -> tuple[dict[int, CallRow], tuple[Hooks, ...]]:
    """Rows by number and hooks in order; a number with two functions is our bug."""
    rows: dict[int, CallRow] = {}
    hooks: list[Hooks] = []
    for name in SUBJECTS:
        module = import_module(name)
        for row in getattr(module, "CALLS", ()):
            held = rows.get(row.number)
            assert held is None, f"call {row.number} is in the table twice"
            rows[row.number] = row
        found = getattr(module, "HOOKS", None)
        if found is not None:
            hooks.append(found)
    return dict(sorted(rows.items())), tuple(hooks)


_rows, HOOKS = _collect()

#: Every row by call number.
CALLS: MappingProxyType[int, CallRow] = MappingProxyType(_rows)

#: Call number of each name.
NUMBERS: MappingProxyType[str, int] = MappingProxyType({row.name: row.number for row in _rows.values()})


def new_kernel(host: Host, budget: Budget | None = None) -> Kernel:
    """A kernel without cages; `processes.boot` makes the first. ``budget`` counts the pages of files and shared
    memory.
    """
    return Kernel(host, CALLS, HOOKS, budget)


def thaw(host: Host, state: KernelState, budget: Budget | None = None) -> Kernel:
    """A kernel with the frozen ``state``."""
    kernel = new_kernel(host, budget)
    kernel.restore(state)
    return kernel
