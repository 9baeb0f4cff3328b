"""Cages come and go: boot, fork, the end of threads and cages, waiting for children.

What the calls only begin, the system finishes with the functions of the last section. Rules FORK-1 to FORK-5, EXIT-1 to
EXIT-8 and WAIT-1 to WAIT-7 in spec/processes.md; exec is in `execve`.
"""

from __future__ import annotations

from lindref.posix import limits, paths, signals, threads
from lindref.posix import usermem as user
from lindref.posix.cage import INIT_CAGE, MAIN_THREAD, Cage, Zombie
from lindref.posix.call import Call
from lindref.posix.constants import (
    CAGE_MAX,
    CLONE_VM,
    SA_NOCLDWAIT,
    SIG_IGN,
    SIGCHLD,
    WCONTINUED,
    WNOHANG,
    WUNTRACED,
)
from lindref.posix.errno import EAGAIN, ECHILD, EFAULT, EINTR, EINVAL
from lindref.posix.errors import ErrorSet, fail
from lindref.posix.kernel import ChoiceKind, IdKind, Kernel
from lindref.posix.memory import memory_forked
from lindref.posix.params import CallRow, Direction, Param, ParamKind, ReturnKind
from lindref.posix.result import Done, Fork, GroupEnd, Key, Result, RuntimeFault, ThreadEnd, Wait, WaitKey
from lindref.posix.structs import CLONE_ARGS
from lindref.state.records import replace

#: Options of wait that Linux knows and that mean nothing here: __WNOTHREAD, __WALL, __WCLONE.
_LINUX_OPTIONS = 0xE0000000


def exited(code: int) -> int:
    """The wait status of a cage that exited with ``code``."""
    return (code & 0xFF) << 8


def killed(signo: int) -> int:
    """The wait status of a cage that signal ``signo`` ended; nothing ever dumps core."""
    return signo & 0x7F


# Fork.


def clone(kernel: Kernel, call: Call) -> Result:
    """Make a cage, or with CLONE_VM a thread; no other flag is looked at (FORK-1)."""
    # Arguments.
    data = user.copy_in(kernel, call.value(0), CLONE_ARGS.size)
    if data is None:
        return fail(EFAULT, "FORK-1")
    fields = CLONE_ARGS.unpack(data)
    parent = kernel.cage(call.target)
    if fields["flags"] & CLONE_VM:
        return threads.new_thread(kernel, parent, fields)
    # Errors.
    if (kernel.counters.get(IdKind.CAGE) or 0) >= CAGE_MAX - 1:
        if kernel.profile.has("FORK-EXHAUSTED"):
            return RuntimeFault("fork: the cage ids are used up", "FORK-EXHAUSTED")
        return fail(EAGAIN, "FORK-2")
    if limits.crowded(parent):
        return fail(EAGAIN, "LIMIT-2")
    # Effect.
    number = kernel.new_id(IdKind.CAGE)
    child = replace(
        parent,
        id=number,
        parent=parent.id,
        threads=(MAIN_THREAD,),
        main_thread=MAIN_THREAD,
        next_thread=MAIN_THREAD + 1,
        children=0,
        zombies=(),
        orphan=False,
        status=None,
        exit_code=0,
    )
    kernel.cages = kernel.cages.set(number, child)
    for hook in kernel.hooks:
        if hook.fork is not None:
            hook.fork(kernel, parent.id, number)
    kernel.update(parent.id, children=parent.children + 1)  # FORK-4
    # Result.
    main = threads.caller(parent, call) == parent.main_thread
    return Fork(parent.id, number, runs=main or not kernel.profile.has("FORK-THREAD"))


# Exit.


def exit_thread(kernel: Kernel, call: Call) -> Result:
    """End the calling thread (EXIT-1). The slot after the status holds the thread's id, put there by the gate."""
    status = call.i32(0)
    cage = kernel.cage(call.target)
    tid = threads.caller(cage, call)
    if tid == MAIN_THREAD:
        kernel.update(cage.id, exit_code=status)
    return ThreadEnd(cage.id, tid, status)


def exit_group(kernel: Kernel, call: Call) -> Result:
    """End all threads of the cage; the first to call decides the status (EXIT-2)."""
    cage = kernel.cage(call.target)
    if cage.status is None:
        kernel.update(cage.id, status=exited(call.i32(0)))
    return GroupEnd(cage.id)


# Wait.


def wait4(kernel: Kernel, call: Call) -> Result:
    """Wait for a child to end (or stop or go on), and take its status (WAIT-1 to WAIT-7)."""
    # Arguments.
    pid, status, options = call.i32(0), call.value(1), call.i32(2)
    if pid < -1:
        pid = -1 if kernel.profile.has("WAIT-GROUP") else -pid  # a group is the one cage of that id (WAIT-2)
    cage = kernel.cage(call.target)
    odd = kernel.profile.has("WAIT-PID-BLOCKS")
    # Errors.
    mapped = not status or user.writable(kernel, status, 4)
    user.require_mapped(kernel, mapped, "wait4: the status")
    errors = ErrorSet()
    if not kernel.profile.has("WAIT-OPTIONS"):
        errors.add(bool(options & ~(WNOHANG | WUNTRACED | WCONTINUED) & 0xFFFFFFFF & ~_LINUX_OPTIONS), EINVAL, "WAIT-1")
    errors.add(not mapped, EFAULT, "WAIT-1")
    errors.add(not _has_children(kernel, cage, pid), ECHILD, "WAIT-2")
    failed = errors.first()
    if failed is not None:
        return failed
    # Choices, as WAIT-3 leaves them.
    ready = [zombie for zombie in cage.zombies if pid <= 0 or zombie.cage == pid]
    if ready:
        at = 0 if kernel.profile.has("WAIT-FIFO") else kernel.choose(ChoiceKind.ZOMBIE, len(ready))
        # Effect, by WAIT-4.
        taken = ready[at]
        kernel.update(cage.id, zombies=tuple(zombie for zombie in cage.zombies if zombie.cage != taken.cage))
        _write_status(kernel, status, taken.status)
        return Done(taken.cage)
    for child in _changed_state(kernel, cage, pid, options):
        kernel.update(child.id, report=0)
        _write_status(kernel, status, child.report)
        return Done(child.id)
    # Result.
    deaf = odd and pid > 0 and bool(options & WNOHANG)
    if options & WNOHANG and not deaf:
        return Done(0)
    if call.interrupted and not deaf:
        return Done(-EINTR, restart=True, failures=fail(EINTR, "WAIT-6").failures)
    return Wait((WaitKey(Key.CHILDREN, cage.id),), None, True, "for a child", interruptible=not deaf)


def _write_status(kernel: Kernel, address: int, status: int) -> None:
    """Tell a status, unless nobody wants to know; the place was looked at before."""
    if address:
        user.copy_out(kernel, address, status.to_bytes(4, "little"))


def _living(kernel: Kernel, parent: int) -> list[Cage]:
    """The children of ``parent`` that have not ended."""
    return [cage for cage in kernel.cages.values() if cage.parent == parent and not cage.orphan and cage.id != parent]


def _has_children(kernel: Kernel, cage: Cage, pid: int) -> bool:
    """Whether there is a child that ``pid`` means (WAIT-2)."""
    if kernel.profile.has("WAIT-PID-BLOCKS"):
        # As recorded: nothing at all is checked first; a cage that is its own parent counts as its own child.
        if not cage.zombies and not cage.children:
            return False
        if pid <= 0 or any(zombie.cage == pid for zombie in cage.zombies):
            return True
        wanted = kernel.cages.get(pid)
        return wanted is not None and wanted.parent == cage.id
    family = [zombie.cage for zombie in cage.zombies] + [child.id for child in _living(kernel, cage.id)]
    return bool(family) if pid <= 0 else pid in family


def _changed_state(kernel: Kernel, cage: Cage, pid: int, options: int) -> list[Cage]:
    """The children, lowest id first, whose stop or going on is still to be told to one who asks for it (WAIT-5)."""
    wanted = {signals.CONTINUED} if options & WCONTINUED else set()
    return [
        child
        for child in _living(kernel, cage.id)
        if (pid <= 0 or child.id == pid)
        and child.report
        and (child.report in wanted or (child.report != signals.CONTINUED and options & WUNTRACED))
    ]


# What the system calls.


def boot(kernel: Kernel, env: tuple[bytes, ...] = ()) -> int:
    """Make the first cage, its own parent (CAGE-2); returns its id, 1."""
    number = kernel.new_id(IdKind.CAGE)
    assert number == INIT_CAGE
    kernel.cages = kernel.cages.set(number, Cage(number, number, env=env))
    for hook in kernel.hooks:
        if hook.boot is not None:
            hook.boot(kernel, number)
    return number


def stand_in(kernel: Kernel, number: int) -> None:
    """A cage ``number`` (beyond those that are given out) for a grate that is no program: its own parent, waited for by
    nobody, with the standard streams.
    """
    host_cwd = kernel.host_cwd
    kernel.cages = kernel.cages.set(number, Cage(number, number, orphan=True))
    for hook in kernel.hooks:
        if hook.boot is not None:
            hook.boot(kernel, number)
    kernel.host_cwd = host_cwd


def forked(kernel: Kernel, parent: int, child: int) -> None:
    """After `Fork`, once the host has the child's memory: the parent may go on."""
    memory_forked(kernel, parent, child)


def runs(kernel: Kernel, number: int, path: bytes, argv: tuple[bytes, ...]) -> None:
    """Cage ``number`` runs the image at ``path`` with these arguments (PROC-2)."""
    kernel.update(number, exe=paths.normalise(kernel.cages[number].cwd, path), argv=argv)


def execed(kernel: Kernel, number: int, env: tuple[bytes, ...]) -> None:
    """After `Exec`, once the new image can be loaded and before its memory is mapped (EXEC-7, EXEC-8)."""
    for hook in kernel.hooks:
        if hook.execed is not None:
            hook.execed(kernel, number)
    kernel.update(number, env=env, threads=(MAIN_THREAD,), main_thread=MAIN_THREAD, next_thread=MAIN_THREAD + 1)


def returned(kernel: Kernel, number: int, status: int) -> None:
    """The program of the cage has returned ``status``, and was not let exit: what it leaves if nobody decides more."""
    kernel.update(number, exit_code=status & 0xFF)


def trapped(kernel: Kernel, number: int) -> None:
    """A thread of the cage trapped: the cage ends as if it had exited with 1, unless its end was decided before
    (EXIT-5). All threads must end.
    """
    cage = kernel.cages.get(number)
    if cage is not None and cage.status is None:
        kernel.update(number, status=exited(1))


def thread_gone(kernel: Kernel, number: int, tid: int) -> bool:
    """Thread ``tid`` of the cage has stopped for good; returns whether it was the last, so that `ended` comes next.
    Signals go to the lowest thread left when it was the main one (SIG-1).
    """
    cage = kernel.cages[number]
    left = tuple(one for one in cage.threads if one != tid)
    main = cage.main_thread if cage.main_thread in left or not left else min(left)
    kernel.update(number, threads=left, main_thread=main)
    if main != cage.main_thread:
        kernel.touch(Key.SIGNAL, number)
    return not left


def ended(kernel: Kernel, number: int) -> int:
    """The last thread of the cage is gone and no call into it is under way: it ends, and its parent learns (EXIT-3 to
    EXIT-8). Returns its wait status.
    """
    cage = kernel.cages[number]
    status = cage.status
    if status is None:  # EXIT-4
        status = exited(0 if kernel.profile.has("EXIT-THREAD-CODE") and number != INIT_CAGE else cage.exit_code)
    for hook in kernel.hooks:
        if hook.ended is not None:
            hook.ended(kernel, number)
    if not kernel.profile.has("NO-REPARENT"):
        for child in _living(kernel, number):
            kernel.update(child.id, parent=INIT_CAGE, orphan=True)  # EXIT-7
    kernel.cages = kernel.cages.remove(number)
    parent = kernel.cages.get(cage.parent)
    if parent is not None and not cage.orphan and parent.id != number:
        _tell_parent(kernel, parent, Zombie(number, status))
    return status


def _tell_parent(kernel: Kernel, parent: Cage, zombie: Zombie) -> None:
    """A child ended: it stays as a zombie, unless the parent said that it does not care (EXIT-6), and SIGCHLD."""
    action = parent.actions.get(SIGCHLD)
    careless = action is not None and (action.handler == SIG_IGN or bool(action.flags & SA_NOCLDWAIT))
    zombies = parent.zombies if careless and not kernel.profile.has("NO-AUTO-REAP") else (*parent.zombies, zombie)
    kernel.update(parent.id, children=parent.children - 1, zombies=zombies)
    kernel.touch(Key.CHILDREN, parent.id)
    signals.send(kernel, parent.id, SIGCHLD)


CALLS: tuple[CallRow, ...] = (
    CallRow(
        56,
        "clone",
        (Param("cl_args", ParamKind.STRUCT, struct="clone_args"), Param("tid", ParamKind.TID)),
        clone,
        ReturnKind.PID,
    ),
    CallRow(60, "exit", (Param("status"), Param("tid", ParamKind.TID)), exit_thread, ReturnKind.NEVER),
    CallRow(
        61,
        "wait4",
        (
            Param("pid", ParamKind.PID),
            Param("status", ParamKind.WAIT_STATUS, Direction.OUT),
            Param("options", ParamKind.FLAGS, names="wait"),
        ),
        wait4,
        ReturnKind.PID,
    ),
    CallRow(231, "exit_group", (Param("status"), Param("tid", ParamKind.TID)), exit_group, ReturnKind.NEVER),
)
