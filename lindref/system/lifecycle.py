"""How cages and threads come to be, change their image, and end.

RawPOSIX decides what a process call means; here is what only the whole system can do about it: copy continuations and
memory, load modules, stop threads. Rules FORK-*, THREAD-*, EXEC-*, EXIT-* in spec/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lindref.posix import memory, processes
from lindref.posix.cage import MAIN_THREAD
from lindref.posix.call import Arg, Call
from lindref.posix.errno import ENOEXEC
from lindref.posix.result import Exec, Fork, GroupEnd, NewThread, ThreadEnd
from lindref.state.records import replace
from lindref.system import abi, calls, delivery, grates, own_fate
from lindref.system.events import End, Spawn
from lindref.system.events import Exec as ExecEvent
from lindref.system.image import ARENA_SIZE, ImageError
from lindref.system.runner import Loading
from lindref.system.runtime import CageRuntime, text
from lindref.system.threads import Blocked, Forked, Idle, ImageRequest, InGrate, Lost, Pending, Ready, Retry, Thread
from lindref.system.wasm_runner import WasmRunner
from lindref.threei import tables
from lindref.threei.numbers import UNUSED

if TYPE_CHECKING:
    from lindref.system.system import System

MMAP = 9
EXIT_GROUP = 231
PROT_READ_WRITE = 3
FIXED_PRIVATE_ANONYMOUS = 0x32


# Loading an image.


def start_image(system: System, thread: Thread, request: ImageRequest) -> None:
    """``thread``'s cage is to run a new image: make its memory and ask for the image's mapping (LOAD-1, DYN-3).

    The mapping is a call like any other, so a grate that interposes mmap sees it: the cage's table is the one it had
    before (3I-EXEC-1).
    """
    cage = thread.cage
    image = system.images.load(request.image)
    _stop_others(system, thread)
    old = system.runtimes.get(cage)
    if old is not None:
        grates.abandon(system, cage)
        _release(system, cage)
        processes.execed(system.kernel, cage, request.env)
    processes.runs(system.kernel, cage, request.path, request.argv)
    system.drop_workers(cage)
    static = image.dylink is None
    runtime = CageRuntime(cage, image.digest, request.argv, request.env, serves=static, arena=image.minimum)
    system.runtimes = system.runtimes.set(cage, runtime)
    system.new_memory(cage)
    thread.tid = MAIN_THREAD
    thread.runner = Loading()
    system.launched += 1
    system.emit(
        ExecEvent,
        thread,
        path=text(request.path),
        argv=tuple(text(a) for a in request.argv),
        digest=image.digest,
    )
    if system.grates:
        from lindref.system.python import stack

        stack.execed(system, cage, text(request.path))
    if not static:
        try:
            thread.runner = system.dynamic_runner(cage, image, request.path)
        except ImageError as error:
            system.load_failed(thread, str(error))
            return
        thread.status = Ready()
        return
    values = (0, image.minimum + ARENA_SIZE, PROT_READ_WRITE, FIXED_PRIVATE_ANONYMOUS, (1 << 64) - 1, 0)
    request_ = abi.SyscallRequest(MMAP, 0, cage, cage, tuple(Arg(v, cage) for v in values))
    calls.begin(system, thread, request_, then="load")


def became(system: System, thread: Thread, handlers: tuple[tuple[Any, ...], ...]) -> None:
    """A script goes on as a program of its own, as after exec; its memory stays (SCRIPT-1)."""
    cage = thread.cage
    grates.abandon(system, cage)
    _release(system, cage)
    system.drop_workers(cage)
    fresh = {"serves": True, "workers": 0, "free": (), "queue": (), "handlers": handlers, "master": 0}
    system.runtimes = system.runtimes.set(cage, replace(system.runtimes[cage], **fresh))
    thread.runner.resume(0)


def _release(system: System, cage: int) -> None:
    """``cage`` runs another program: children that still run the old one run it for themselves (CAP-1)."""
    for child, runtime in system.runtimes.items():
        if runtime.master == cage:
            system.runtimes = system.runtimes.set(child, replace(runtime, master=0))


def mapped(system: System, thread: Thread) -> None:
    """The image's mapping is made (or was refused: its start function will trap): link and begin (LOAD-2)."""
    cage = thread.cage
    runtime = system.runtimes[cage]
    memory.set_heap(system.kernel, cage, runtime.arena + ARENA_SIZE)
    try:
        thread.runner = system.image_runner(cage)
    except ImageError as error:
        system.load_failed(thread, str(error))
        return
    thread.status = Ready()


# fork and threads.


def served_thread(system: System, thread: Thread, target: int) -> Thread | None:
    """The thread of cage ``target`` on whose behalf ``thread`` makes a call: itself, or up the chain of grate calls.

    A call made for a cage that waits for nobody acts on that cage's main thread.
    """
    seen: Thread | None = thread
    while seen is not None:
        if seen.cage == target:
            return seen
        seen = system.threads.get(seen.serving) if seen.serving else None
    return system.main_thread(target)


def fork(system: System, thread: Thread, pending: Pending, made: Fork) -> None:
    """RawPOSIX has made cage ``child``; give it the parent's memory and handler table (FORK-3), and the
    continuation of the thread that forked (FORK-5), which is told of its own child (FORK-6)."""
    parent, child = made.parent, made.child
    original = served_thread(system, thread, parent)
    assert original is not None, "RawPOSIX forks only cages that have threads"
    if own_fate.as_recorded(system, original, parent):
        own_fate.forked(system, original, pending, child)
        return
    _unwind(original)
    system.fork_memory(parent, child)
    processes.forked(system.kernel, parent, child)
    image = system.runtimes[parent]
    if delivery.takes_signals(system, original):
        image = replace(image, forks=image.forks + 1)
        system.runtimes = system.runtimes.set(parent, image)
    kin = {"family": image.family or parent, "master": image.master or parent}
    runtime = replace(image, cage=child, serves=False, workers=0, free=(), queue=(), **kin)
    system.runtimes = system.runtimes.set(child, runtime)
    system.tables = tables.on_fork(system.tables, parent, child)
    if system.grates:
        from lindref.system.python import stack

        stack.born(system, parent, child)
    copy = system.add_thread(child, MAIN_THREAD, original.runner.fork(system.guest(child)))
    if not made.runs:
        copy.status = Idle()
    system.emit(Spawn, thread, child=child, child_tid=copy.tid, rule="FORK-1")
    copy.runner.resume(0)
    if original is thread:
        pending = replace(pending, child=child)
    elif isinstance(original.status, InGrate):
        waiting = replace(original.status.pending, child=child)
        original.status = replace(original.status, pending=waiting)
    calls.complete(system, thread, pending, child, "FORK-1")


#: The choice of deviation ``FORK-SLOT``, and its answers: the result is there at once; it is taken later, and may be
#: another by then; another's that waits has come into its place.
FORK_RESULT = "fork-result"
_AT_ONCE, _LATER, _ANOTHER = range(3)


def slot_result(system: System, thread: Thread, pending: Pending, value: int) -> int | None:
    """As recorded, the result of a fork waits in one place for a cage and all that were forked from it, where the next
    one replaces it (FORK-6, deviation ``FORK-SLOT``): the result, or ``None`` where ``thread`` takes it later.
    """
    waiting = system.forked(system.runtimes[thread.cage].family or thread.cage)
    answer = system.choices.choose(FORK_RESULT, 3 if waiting else 2)
    if answer == _ANOTHER:
        status = waiting[-1].status
        assert isinstance(status, Forked)
        return status.value
    for other in waiting:
        assert isinstance(other.status, Forked)
        other.status = replace(other.status, value=value)
    if answer == _LATER:
        thread.status = Forked(replace(pending, child=0), value)
        return None
    return value


def slot_taken(system: System, thread: Thread, status: Forked) -> None:
    """``thread`` takes the result of its fork (FORK-6)."""
    calls.complete(system, thread, status.pending, status.value, "FORK-6")


def _unwind(thread: Thread) -> None:
    """The runtime takes down the thread's stack, or copies it (UNWIND-WORDS)."""
    if isinstance(thread.runner, WasmRunner):
        thread.runner.unwind()


def new_thread(system: System, thread: Thread, pending: Pending, made: NewThread) -> None:
    """RawPOSIX has made a thread; it goes on from the same clone call, on its own stack (THREAD-5)."""
    original = served_thread(system, thread, made.cage)
    assert original is not None, "RawPOSIX makes threads only in cages that have some"
    _unwind(original)
    copy = system.add_thread(made.cage, made.tid, original.runner.spawn(made.stack))
    if isinstance(copy.runner, WasmRunner):
        copy.runner.stack_low = made.stack - made.stack_size
    system.emit(Spawn, thread, child=made.cage, child_tid=copy.tid, rule="THREAD-1")
    calls.complete(system, thread, pending, made.tid, "THREAD-1")


# exec.


def exec_(system: System, thread: Thread, pending: Pending, wanted: Exec) -> None:
    """Replace the target's image, or say why not (EXEC-9).

    Through a grate the new image starts when the outermost call returns; until then the handler goes on. A target that
    did not ask for it is replaced where it stands.
    """
    request = ImageRequest(wanted.path, wanted.image, wanted.argv, wanted.env)
    try:
        system.preloads(system.images.load(request.image), request.path)
    except ImageError as error:
        system.note(thread, f"exec {text(wanted.path)}: {error}")
        calls.complete(system, thread, pending, -ENOEXEC, "EXEC-4")
        return
    if own_fate.as_recorded(system, thread, wanted.cage):
        own_fate.befalls_main(system, thread, pending, image=request)
        return
    original = served_thread(system, thread, wanted.cage)
    if original is thread and thread.slot:
        original = system.main_thread(wanted.cage)
    if original is not None and original is not thread and not isinstance(original.status, InGrate):
        _abandon_wait(system, original)
        calls.complete(system, thread, pending, 0)
        start_image(system, original, request)
        return
    _change_fate(system, thread, pending, original, replace(pending, image=request))


def _abandon_wait(system: System, thread: Thread) -> None:
    """``thread`` will not come back to the call it waits in: what RawPOSIX keeps for it goes."""
    status = thread.status
    if isinstance(status, Blocked | Retry):
        pending = status.pending
        system.kernel.abandon(Call(pending.number, pending.target, thread.tid, pending.args, memo=pending.memo))


def _change_fate(system: System, thread: Thread, pending: Pending, original: Thread | None, changed: Pending) -> None:
    """What becomes of ``original`` (``changed``: a new image, or its end) happens at once if it made the call itself,
    else when the call that waits for a grate returns."""
    if original is thread and not thread.slot:
        calls.complete(system, thread, changed, 0)
        return
    if original is not None and isinstance(original.status, InGrate):
        waiting = replace(original.status.pending, image=changed.image, ended=changed.ended)
        original.status = replace(original.status, pending=waiting)
    calls.complete(system, thread, pending, 0)


# The end.


def end_thread(system: System, thread: Thread, pending: Pending, end: ThreadEnd) -> None:
    """exit(60): a thread of the target ends (EXIT-1)."""
    if own_fate.as_recorded(system, thread, end.cage):
        own_fate.befalls_main(system, thread, pending, ended=True)
        return
    if own_fate.is_own(thread, end.cage):
        grates.worker_ended(system, thread, pending)
        return
    named = (t for t in system.own_threads(end.cage) if t.tid == end.tid)
    original = thread if thread.cage == end.cage else next(named, None)
    if original is not None and original is not thread and not isinstance(original.status, InGrate):
        remove_thread(system, original)
    elif original is not None:
        _unwind(original)
    _change_fate(system, thread, pending, original, replace(pending, ended=True))


def end_group(system: System, thread: Thread, pending: Pending, end: GroupEnd) -> None:
    """exit_group(231): every thread of the target ends (EXIT-2)."""
    cage = end.cage
    system.tables = tables.on_exit(system.tables, cage)
    if own_fate.is_own(thread, cage):
        stop_cage(system, cage)
        end_call = own_fate.ended if own_fate.as_recorded(system, thread, cage) else grates.worker_ended
        end_call(system, thread, pending)
        return
    original = served_thread(system, thread, cage)
    if original is not None and original is not thread and not isinstance(original.status, InGrate):
        if system.profile.has("EXIT-OTHER"):
            system.fault(thread, f"exit_group: no VMContext found for cage_id {cage}", "EXIT-2")
            return
        original = None
    stop_cage(system, cage, keep=original)
    _change_fate(system, thread, pending, original, replace(pending, ended=True))


def returned(system: System, thread: Thread, value: int) -> None:
    """The entry function returned without exit: as exit_group of its result (LOAD-2)."""
    cage = thread.cage
    args = (Arg(value & 0xFFFFFFFF, cage), *[Arg(UNUSED, cage)] * 5)
    request = abi.SyscallRequest(EXIT_GROUP, 0, cage, cage, args)
    calls.begin(system, thread, request, then="returned")


def not_ended(system: System, thread: Thread, pending: Pending) -> None:
    """A grate answered the exit_group of a program that had returned, and made none: the thread is over all the same
    (LOAD-2).
    """
    processes.returned(system.kernel, thread.cage, pending.args[0].value)
    system.tables = tables.on_exit(system.tables, thread.cage)
    remove_thread(system, thread)


def trapped(system: System, thread: Thread, message: str) -> None:
    """A thread trapped: its cage ends as if it had exited with 1 (EXIT-5)."""
    processes.trapped(system.kernel, thread.cage)
    kill_cage(system, thread, trap=message)


def kill_cage(system: System, thread: Thread, *, trap: str = "") -> None:
    """The cage's status is decided: all its threads end where they stand, ``thread`` first."""
    cage = thread.cage
    system.tables = tables.on_exit(system.tables, cage)
    stop_cage(system, cage, keep=thread)
    remove_thread(system, thread, trap=trap)


def stop_cage(system: System, cage: int, keep: Thread | None = None) -> None:
    """All threads of ``cage`` but ``keep``, its workers and those that are lost end where they stand; as recorded, one
    whose call a grate serves when that is done (deviation ``GRATE-HOLDS-CALLER``).
    """
    for other in system.own_threads(cage):
        if other is keep or isinstance(other.status, Lost):
            continue
        if isinstance(other.status, InGrate) and system.profile.has("GRATE-HOLDS-CALLER"):
            delivery.interrupt_handler(system, other)
            other.status = replace(other.status, pending=replace(other.status.pending, ended=True))
        else:
            remove_thread(system, other)


def _stop_others(system: System, thread: Thread) -> None:
    """exec ends the cage's other threads (EXEC-10; deviation ``EXEC-THREADS``: they go on)."""
    if not system.profile.has("EXEC-THREADS"):
        for other in system.own_threads(thread.cage):
            if other is not thread:
                remove_thread(system, other)


def remove_thread(system: System, thread: Thread, *, trap: str = "") -> None:
    """``thread`` is over; with the last one its cage is, once no call into it is being served (EXIT-9)."""
    system.remove_thread(thread)
    delivery.interrupt_handler(system, thread)
    _abandon_wait(system, thread)
    system.emit(End, thread, whole=False, status=0, trap=trap, rule="EXIT-1")
    cage = thread.cage
    if processes.thread_gone(system.kernel, cage, thread.tid):
        if system.in_flight(cage):
            system.ending = system.ending.set(cage, thread.tid)
        else:
            _finish_cage(system, thread)
    system.wake_changed()


def drained(system: System, worker: Thread) -> None:
    """A call into a cage has been served; if the cage waited only for that, it ends now (EXIT-9)."""
    cage = worker.cage
    if cage in system.ending and not system.in_flight(cage):
        system.ending = system.ending.remove(cage)
        _finish_cage(system, worker)
        system.wake_changed()


def _finish_cage(system: System, thread: Thread) -> None:
    """The last thread is gone: status to the parent, descriptors closed, memory dropped (EXIT-3)."""
    cage = thread.cage
    if not system.profile.has("EXIT-UNMARKED"):
        system.tables = tables.on_exit(system.tables, cage)
    status = processes.ended(system.kernel, cage)
    system.emit(End, thread, whole=True, status=status >> 8 & 255, signal=status & 127, rule="EXIT-3")
    if system.grates:
        from lindref.system.python import stack

        stack.died(system, cage)
    system.cage_ended(cage, status)
