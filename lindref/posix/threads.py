"""Threads of a cage: ids, and what clone with CLONE_VM checks and makes (rules THREAD-1 to THREAD-4 in
spec/threads.md).
"""

from __future__ import annotations

from lindref.posix import limits
from lindref.posix import usermem as user
from lindref.posix.cage import Cage
from lindref.posix.call import Call
from lindref.posix.errno import EAGAIN, EFAULT, EINVAL, EPERM
from lindref.posix.errors import ErrorSet
from lindref.posix.kernel import Kernel
from lindref.posix.result import Done, NewThread, Result

#: Bytes of a linear memory.
_MEMORY = 1 << 32


def caller(cage: Cage, call: Call) -> int:
    """The thread that clone, exit and exit_group are about: argument 1, where the gate puts the caller's id (THREAD-4);
    what is no thread of the cage means its main thread.
    """
    tid = call.i32(1)
    return tid if tid in cage.threads else cage.main_thread


def new_thread(kernel: Kernel, cage: Cage, fields: dict[str, int]) -> Result:
    """Make a thread; its id goes to ``child_tid`` and to the creator (THREAD-1 to THREAD-3)."""
    # Arguments.
    stack, size, child_tid = fields["stack"], fields["stack_size"], fields["child_tid"]
    odd = kernel.profile.has("THREAD-ERRORS")
    # Errors.
    errors = ErrorSet()
    errors.add(not size <= stack <= _MEMORY, EPERM if odd else EINVAL, "THREAD-2")
    unusable = bool(child_tid or odd) and not user.writable(kernel, child_tid, 4)
    errors.add(unusable, EPERM if odd else EFAULT, "THREAD-2")
    errors.add(limits.crowded(cage), EAGAIN, "LIMIT-2")
    failed = errors.first()
    if failed is not None:
        return failed
    # Effect.
    tid = cage.next_thread
    kernel.update(cage.id, threads=(*cage.threads, tid), next_thread=tid + 1)
    if child_tid and not user.copy_out(kernel, child_tid, tid.to_bytes(4, "little")):
        return Done(-EFAULT)
    # Result.
    return NewThread(cage.id, tid, stack, size, fields["flags"] & 0xFFFFFFFF)
