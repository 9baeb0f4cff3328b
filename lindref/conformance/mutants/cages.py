"""Faults of memory, processes, signals, threads, time, identity and shared memory."""

from __future__ import annotations

from typing import Any

from lindref.conformance.mutants import patch
from lindref.conformance.mutants.patch import Mutant
from lindref.posix import errno, futex, memory, processes, signals
from lindref.posix.cage import Cage
from lindref.posix.call import Call
from lindref.posix.kernel import Kernel
from lindref.posix.result import Done, Result
from lindref.state.records import replace

_MEM, _PROC, _SIG = ("mem.*",), ("proc.*",), ("sig.*",)


def _taken(old: Any, cage: Cage, count: int, hint: int, *, strict: bool) -> Any:
    """The first page of what is mapped last."""
    found = old(cage, count, hint, strict=strict)
    last = max((first for first in cage.vmmap if first), default=None)
    return found if last is None or found is None else last


def _nothing(old: Any, *args: Any, **named: Any) -> None:
    del old, args, named


def _nobody(old: Any, *args: Any, **named: Any) -> int:
    del old, args, named
    return 0


def _own_parent(kernel: Kernel, call: Call, value: int) -> int:
    del kernel, value
    return call.target


def _no_mask(kernel: Kernel, call: Call, value: int) -> int:
    cage = kernel.cages[call.target]
    action = cage.actions.get(call.i32(0))
    if action is not None:
        kernel.update(call.target, actions=cage.actions.set(call.i32(0), replace(action, mask=0)))
    return value


def _flags(change: Any) -> Any:
    def then(kernel: Kernel, call: Call, value: int) -> int:
        cage = kernel.cages[call.target]
        action = cage.actions.get(call.i32(0))
        if action is not None:
            changed = replace(action, flags=change(action.flags))
            kernel.update(call.target, actions=cage.actions.set(call.i32(0), changed))
        return value

    return then


def _keeps_pending(old: Any, kernel: Kernel, parent: int, child: int) -> None:
    old(kernel, parent, child)
    kernel.update(child, pending=kernel.cages[parent].pending)


def _at_root(old: Any, kernel: Kernel, parent: int, child: int) -> None:
    old(kernel, parent, child)
    if kernel.cages[child].cwd != b"/":
        kernel.update(child, cwd=b"/", cwd_inode=1)


def _stays_masked(old: Any, kernel: Kernel, number: int, saved: int) -> None:
    del old, kernel, number, saved


def _no_match(old: patch.Handler, kernel: Kernel, call: Call) -> Result:
    """A futex wait on another value comes back as if woken."""
    result = old(kernel, call)
    return Done(0) if isinstance(result, Done) and result.value == -errno.EAGAIN else result


MUTANTS = (
    Mutant(
        "mmap-overlaps",
        "memory",
        "a mapping is put over another",
        patch.function(memory, "_find", _taken),
        ("memory",),
        _MEM,
    ),
    Mutant("munmap-lost", "memory", "munmap leaves the pages", patch.undone("munmap"), ("memory",), _MEM),
    Mutant(
        "mprotect-unmapped",
        "memory",
        "mprotect of what is not mapped works",
        patch.error("mprotect", errno.ENOMEM, 0),
        ("memory",),
        _MEM,
    ),
    Mutant("mmap-empty", "memory", "an empty mapping works", patch.error("mmap", errno.EINVAL, 0), ("memory",), _MEM),
    Mutant(
        "mmap-bad-descriptor",
        "memory",
        "mapping what is not open is EINVAL",
        patch.error("mmap", errno.EBADF, errno.EINVAL),
        ("memory",),
        _MEM,
    ),
    Mutant(
        "brk-stays",
        "memory",
        "brk says the new end and does not move it",
        patch.undone("brk"),
        ("memory",),
        ("mem.brk*", "mem.*"),
    ),
    Mutant(
        "fault-errno",
        "memory",
        "a bad buffer is EINVAL",
        patch.error("write", errno.EFAULT, errno.EINVAL),
        ("files",),
        ("io.*",),
    ),
    Mutant(
        "wait-status",
        "processes",
        "the wait status has the code one higher",
        patch.pokes("wait4", 1, 0, 4, lambda n: n + 256),
        ("family",),
        _PROC,
    ),
    Mutant(
        "wait-wrong-child",
        "processes",
        "wait4 names the next child",
        patch.answers("wait4", lambda _k, _c, n: n + 1 if n else 0),
        ("family",),
        _PROC,
    ),
    Mutant(
        "wait-nohang-errno",
        "processes",
        "WNOHANG without anything is ECHILD",
        patch.answers("wait4", lambda _k, c, n: -errno.ECHILD if n == 0 and c.i32(2) & 1 else n),
        ("family",),
        ("proc.wait*",),
    ),
    Mutant(
        "no-child-errno",
        "processes",
        "no child is ESRCH",
        patch.error("wait4", errno.ECHILD, errno.ESRCH),
        ("family",),
        ("proc.wait*", "proc.*"),
    ),
    Mutant(
        "getppid-own",
        "processes",
        "getppid gives the cage's own id",
        patch.answers("getppid", _own_parent),
        ("any",),
        ("proc.*", "misc.*"),
    ),
    Mutant(
        "exit-code-off-by-one",
        "processes",
        "exit_group ends with the code one higher",
        patch.argument("exit_group", 0, lambda n: n + 1),
        ("family",),
        _PROC,
    ),
    Mutant(
        "child-begins-at-root",
        "processes",
        "a child's working directory is the root",
        patch.hook(signals.HOOKS, "fork", _at_root),
        (),
        ("dir.*fork*", "proc.*", "dir.*"),
    ),
    Mutant(
        "no-sigchld",
        "processes",
        "a child's end sends no signal",
        patch.function(processes, "_tell_parent", _nothing),
        (),
        ("sig.chld*", "sig.*", "proc.*"),
    ),
    Mutant(
        "kill-lost",
        "signals",
        "kill sends nothing",
        patch.undone("kill", lambda _k, c: c.i32(1) != 0),
        ("signals",),
        _SIG,
    ),
    Mutant(
        "kill-no-such-cage",
        "signals",
        "kill of nobody works",
        patch.error("kill", errno.ESRCH, 0),
        ("signals",),
        ("sig.kill*", "proc.*", "sig.*"),
    ),
    Mutant(
        "block-as-set",
        "signals",
        "SIG_BLOCK is taken for SIG_SETMASK",
        patch.argument("rt_sigprocmask", 0, lambda n: 2 if n == 0 else n),
        ("signals",),
        _SIG,
    ),
    Mutant(
        "unblock-lost",
        "signals",
        "SIG_UNBLOCK does nothing",
        patch.undone("rt_sigprocmask", patch.command(1, slot=0)),
        ("signals",),
        _SIG,
    ),
    Mutant(
        "old-mask",
        "signals",
        "the old mask has one signal more",
        patch.pokes("rt_sigprocmask", 2, 0, 8, lambda n: n ^ 1 << 9),
        ("signals",),
        _SIG,
    ),
    Mutant(
        "sa-mask-ignored",
        "signals",
        "sa_mask is not put on",
        patch.answers("rt_sigaction", _no_mask),
        ("signals",),
        _SIG,
    ),
    Mutant(
        "nodefer-always",
        "signals",
        "a handler does not block its own signal",
        patch.answers("rt_sigaction", _flags(lambda n: n | 0x40000000)),
        ("signals",),
        _SIG,
    ),
    Mutant(
        "resethand-ignored",
        "signals",
        "SA_RESETHAND is ignored",
        patch.answers("rt_sigaction", _flags(lambda n: n & ~0x80000000)),
        ("signals",),
        _SIG,
    ),
    Mutant(
        "pending-inherited",
        "signals",
        "a child has its parent's pending signals",
        patch.hook(signals.HOOKS, "fork", _keeps_pending),
        (),
        ("sig.*fork*", "sig.*"),
    ),
    Mutant(
        "mask-stays",
        "signals",
        "after a handler the mask is not put back",
        patch.function(signals, "handler_returned", _stays_masked),
        ("signals",),
        _SIG,
    ),
    Mutant(
        "exec-keeps-handlers",
        "signals",
        "exec keeps handlers",
        patch.hook(signals.HOOKS, "execed", _nothing),
        (),
        ("sig.*exec*", "proc.exec*"),
    ),
    Mutant(
        "futex-wakes-nobody",
        "threads",
        "FUTEX_WAKE wakes nobody",
        patch.function(futex, "wake", _nobody),
        ("threads",),
        ("futex.*",),
    ),
    Mutant(
        "futex-wake-count",
        "threads",
        "FUTEX_WAKE counts one more",
        patch.answers("futex", lambda _k, c, n: n + 1 if c.i32(1) & 0x7F == 1 else n),
        ("threads", "memory"),
        ("futex.*",),
    ),
    Mutant(
        "futex-value-ignored",
        "threads",
        "a wait on another value comes back as if woken",
        patch.call("futex", _no_match),
        ("memory",),
        ("futex.*",),
    ),
    Mutant(
        "futex-misaligned",
        "threads",
        "a word that is not aligned is EFAULT",
        patch.error("futex", errno.EINVAL, errno.EFAULT),
        ("memory",),
        ("futex.*",),
    ),
    Mutant(
        "clock-unknown",
        "time",
        "a clock that there is not works",
        patch.error("clock_gettime", errno.EINVAL, 0),
        (),
        ("time.*",),
    ),
    Mutant(
        "sleep-interrupted",
        "time",
        "sleeping comes back interrupted",
        patch.answers("clock_nanosleep", lambda _k, _c, n: -errno.EINTR if n == 0 else n),
        (),
        ("time.*",),
    ),
    Mutant(
        "timer-never-set", "time", "setitimer sets nothing", patch.undone("setitimer"), (), ("time.*", "sig.*alarm*")
    ),
    Mutant(
        "geteuid-other",
        "identity",
        "geteuid is one more",
        patch.answers("geteuid", lambda _k, _c, n: n + 1),
        ("any", "grate"),
        ("misc.*", "3i-basic.*"),
    ),
    Mutant(
        "hostname-short",
        "identity",
        "gethostname with too little room works",
        patch.error("gethostname", errno.ENAMETOOLONG, 0),
        (),
        ("misc.*",),
    ),
    Mutant(
        "shm-excl-ignored",
        "shared memory",
        "IPC_EXCL is ignored",
        patch.argument("shmget", 2, lambda n: n & ~0x400),
        ("memory",),
        ("mem.shm*", "misc.*", "mem.*"),
    ),
    Mutant(
        "shm-remove-lost",
        "shared memory",
        "IPC_RMID does nothing",
        patch.undone("shmctl", patch.command(0)),
        ("memory",),
        ("mem.shm*", "mem.*", "misc.*"),
    ),
    Mutant(
        "shm-unknown-errno",
        "shared memory",
        "a segment that there is not is ENOENT",
        patch.error("shmctl", errno.EINVAL, errno.ENOENT),
        ("memory",),
        ("mem.shm*", "mem.*", "misc.*"),
    ),
)
