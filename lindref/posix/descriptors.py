"""Descriptors as cages use them: close, dup and its kin, and what fork, exec and the end of a cage do to the table.

Rules FD-1 to FD-8 in spec/descriptors.md.
"""

from __future__ import annotations

from lindref.posix import console, fdtable, limits, openfile
from lindref.posix.call import Call
from lindref.posix.constants import FD_MAX
from lindref.posix.errno import EBADF, EINVAL, EMFILE
from lindref.posix.errors import ErrorSet, fail
from lindref.posix.fs import inodes, roots, walk
from lindref.posix.fs.numbers import O_CLOEXEC
from lindref.posix.fs.records import ROOT_MOUNT
from lindref.posix.kernel import Hooks, Kernel
from lindref.posix.params import CallRow, Param, ParamKind, ReturnKind
from lindref.posix.result import Done, Refused, Result, RuntimeFault


def close(kernel: Kernel, call: Call) -> Result:
    """Close a descriptor of the target (FD-4)."""
    # Arguments.
    found = fdtable.find(kernel, call.target, call.i64(0))
    # Errors.
    if found is None:
        return fail(EBADF, "FD-1")
    # Effect.
    fdtable.remove(kernel, call.target, found.fd)
    # Result.
    return Done(0)


def dup(kernel: Kernel, call: Call) -> Result:
    """A second descriptor with the lowest free number (FD-2, FD-5)."""
    # Arguments.
    found = fdtable.require(kernel, call, 0, path=True)
    free = fdtable.lowest_free(kernel, call.target)
    # Errors.
    if free is None:
        return full_table(kernel, "dup")
    # Effect and result.
    return Done(fdtable.install(kernel, call.target, free, found.number))


def full_table(kernel: Kernel, what: str) -> Result:
    """No number is free (FD-3); some calls of the recorded implementation do not expect that (FD-FULL-PANIC)."""
    if kernel.profile.has("FD-FULL-PANIC"):
        return RuntimeFault(f"{what}: the descriptor table is full", "FD-FULL-PANIC")
    return fail(EMFILE, "FD-3")


def dup2(kernel: Kernel, call: Call) -> Result:
    """A second descriptor with a given number, which is closed first if it is open (FD-5)."""
    # Arguments.
    old, new = call.i64(0), call.i64(1)
    found = fdtable.argument(kernel, call, 0)
    # Errors.
    if kernel.profile.has("DUP2-SAME") and old == new and 0 <= new <= FD_MAX:
        return Done(new)
    errors = ErrorSet()
    errors.add(not _in_range(kernel, call.target, new), EBADF, "FD-1")
    errors.add(found is None, EBADF, "FD-1")
    failed = errors.first()
    if failed is not None or found is None:
        return failed or fail(EBADF, "FD-1")
    if old == new:
        return Done(new)
    # Effect and result.
    return Done(_onto(kernel, call.target, found, new, cloexec=False))


def dup3(kernel: Kernel, call: Call) -> Result:
    """`dup2` with flags; equal numbers are an error (FD-5)."""
    # Arguments.
    old, new, flags = call.i64(0), call.i64(1), call.i32(2)
    found = fdtable.argument(kernel, call, 0)
    # Errors.
    errors = ErrorSet()
    errors.add(bool(flags & ~O_CLOEXEC), EINVAL, "FD-5")
    errors.add(old == new, EINVAL, "FD-5")
    errors.add(not _in_range(kernel, call.target, new), EBADF, "FD-1")
    errors.add(found is None, EBADF, "FD-1")
    failed = errors.first()
    if failed is not None or found is None:
        return failed or fail(EBADF, "FD-1")
    # Effect and result.
    return Done(_onto(kernel, call.target, found, new, cloexec=bool(flags & O_CLOEXEC)))


def _in_range(kernel: Kernel, cage: int, fd: int) -> bool:
    """Whether dup2 lets ``fd`` pass as a number to make; the recorded bound is one too high (FD-BEYOND)."""
    return 0 <= fd < limits.descriptors(kernel.cage(cage)) + kernel.profile.has("FD-BEYOND")


def _onto(kernel: Kernel, cage: int, found: fdtable.Opened, new: int, *, cloexec: bool) -> int:
    """Make ``new`` refer to what ``found`` does."""
    if new == FD_MAX:
        raise Refused(RuntimeFault("dup2: index 1024 of a table of 1024", "FD-BEYOND"))
    openfile.retain(kernel, found.number)  # it may be what is closed now
    if new in kernel.cages[cage].fds:
        fdtable.remove(kernel, cage, new)
    fdtable.install(kernel, cage, new, found.number, cloexec=cloexec, under=found.entry.under)
    openfile.release(kernel, found.number)
    return new


# As cages come and go.


def _boot(kernel: Kernel, cage: int) -> None:
    """The first cage: standard streams, and the root as working directory."""
    if ROOT_MOUNT not in kernel.mounts:
        roots.blank(kernel)
    root = walk.root_of(kernel)
    inodes.pin(kernel, root)
    kernel.update(cage, cwd=b"/", cwd_inode=root)
    inodes.pin(kernel, root)
    kernel.host_cwd = root
    console.open_standard(kernel, cage)


def _fork(kernel: Kernel, parent: int, child: int) -> None:
    """A child has the same descriptors, sharing the descriptions (FD-7)."""
    del parent
    held = kernel.cages[child]
    for entry in held.fds.values():
        openfile.retain(kernel, entry.description)
    inodes.pin(kernel, held.cwd_inode)


def _execed(kernel: Kernel, cage: int) -> None:
    """A new image has the descriptors that are not close-on-exec (FD-6)."""
    for fd, entry in tuple(kernel.cages[cage].fds.items()):
        if entry.cloexec:
            fdtable.remove(kernel, cage, fd)


def _ended(kernel: Kernel, cage: int) -> None:
    """All descriptors of a cage that ends are closed (FD-4)."""
    for fd in tuple(kernel.cages[cage].fds):
        fdtable.remove(kernel, cage, fd)
    inodes.unpin(kernel, kernel.cages[cage].cwd_inode)


HOOKS = Hooks(boot=_boot, fork=_fork, execed=_execed, ended=_ended)

_FD = ParamKind.FD
CALLS: tuple[CallRow, ...] = (
    CallRow(3, "close", (Param("fd", _FD),), close),
    CallRow(32, "dup", (Param("oldfd", _FD),), dup, ReturnKind.FD),
    CallRow(33, "dup2", (Param("oldfd", _FD), Param("newfd", _FD)), dup2, ReturnKind.FD),
    CallRow(
        292,
        "dup3",
        (Param("oldfd", _FD), Param("newfd", _FD), Param("flags", ParamKind.FLAGS, names="open")),
        dup3,
        ReturnKind.FD,
    ),
)
