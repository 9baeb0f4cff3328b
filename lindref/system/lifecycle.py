"""How cages and threads come to be, change their image, and end.

RawPOSIX decides what a process call means; here is what only the whole system can do about it: copy continuations and
memory, load modules, stop threads. Rules FORK-*, THREAD-*, EXEC-*, EXIT-* in spec/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from lindref.posix import processes
from lindref.posix.call import UNUSED
from lindref.posix.errno import ENOEXEC
from lindref.posix.result import Exec, NewThread
from lindref.system import abi, calls, grates
from lindref.system.events import End, Spawn
from lindref.system.events import Exec as ExecEvent
from lindref.system.image import ARENA_SIZE, ImageError
from lindref.system.runtime import CageRuntime, text
from lindref.system.threads import ImageRequest, InGrate, Pending, Ready, Thread
from lindref.threei import tables

if TYPE_CHECKING:
    from lindref.system.system import System

MMAP = 9
_PROT_RW = 3
_FIXED_PRIVATE_ANONYMOUS = 0x32


# Loading an image.


def start_image(system: System, thread: Thread, request: ImageRequest) -> None:
    """``thread``'s cage is to run a new image: make its memory and ask for the image's mapping (EXEC-3).

    The mapping is a call like any other, so a grate that interposes mmap sees it.
    """
    cage = thread.cage
    image = system.images.load(request.image)
    _stop_others(system, thread)
    old = system.runtimes.get(cage)
    if old is not None:
        grates.abandon(system, cage)
        processes.execed(system.kernel, cage, request.env)
    system.drop_workers(cage)
    runtime = CageRuntime(cage, image.digest, request.argv, request.env, serves=True, arena=image.minimum)
    system.runtimes = system.runtimes.set(cage, runtime)
    system.new_memory(cage)
    thread.tid = processes.MAIN_THREAD
    thread.runner = system.loading_runner(cage)
    system.emit(
        ExecEvent,
        thread,
        path=text(request.path),
        argv=tuple(text(a) for a in request.argv),
        digest=image.digest,
    )
    values = (0, image.minimum + ARENA_SIZE, _PROT_RW, _FIXED_PRIVATE_ANONYMOUS, (1 << 64) - 1, 0)
    request_ = abi.SyscallRequest(MMAP, 0, cage, cage, tuple((v, cage) for v in values))
    calls.begin(system, thread, request_, then="load")


def mapped(system: System, thread: Thread) -> None:
    """The image's mapping is made (or was refused: its start function will trap): link and begin (EXEC-4)."""
    cage = thread.cage
    runtime = system.runtimes[cage]
    processes.set_heap_start(system.kernel, cage, runtime.arena + ARENA_SIZE)
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


def fork(system: System, thread: Thread, pending: Pending, child: int) -> None:
    """RawPOSIX has made cage ``child``; give it the parent's memory, continuation and handler table (FORK-1)."""
    parent = pending.target
    original = served_thread(system, thread, parent)
    assert original is not None, "RawPOSIX forks only cages that have threads"
    system.fork_memory(parent, child)
    runtime = system.runtimes[parent]
    system.runtimes = system.runtimes.set(
        child,
        attrs.evolve(runtime, cage=child, serves=False, workers=0, free=(), queue=()),
    )
    system.tables = tables.on_fork(system.tables, parent, child)
    copy = system.add_thread(child, processes.MAIN_THREAD, original.runner.fork(system.guest(child)))
    system.emit(Spawn, thread, child=child, thread=copy.tid, rule="FORK-1")
    copy.runner.resume(0)
    if original is not thread and isinstance(original.status, InGrate):
        waiting = attrs.evolve(original.status.pending, child=child)
        original.status = attrs.evolve(original.status, pending=waiting)
    calls.complete(system, thread, pending, child, "FORK-1")


def new_thread(system: System, thread: Thread, pending: Pending, made: NewThread) -> None:
    """RawPOSIX has made a thread; it goes on from the same clone call, on its own stack (THREAD-1)."""
    original = served_thread(system, thread, pending.target)
    assert original is not None, "RawPOSIX makes threads only in cages that have some"
    runner = original.runner.spawn(made.stack)
    copy = system.add_thread(pending.target, made.tid, runner)
    system.emit(Spawn, thread, child=pending.target, thread=copy.tid, rule="THREAD-1")
    calls.complete(system, thread, pending, made.tid, "THREAD-1")


# exec.


def exec_(system: System, thread: Thread, pending: Pending, wanted: Exec) -> None:
    """Replace the target's image, or say why not (EXEC-1, EXEC-2).

    Through a grate the new image starts when the outermost call returns; until then the handler goes on.
    """
    request = ImageRequest(wanted.path, wanted.image, wanted.argv, wanted.env)
    try:
        system.images.load(request.image)
    except ImageError as error:
        system.note(thread, f"exec {text(wanted.path)}: {error}")
        calls.complete(system, thread, pending, -ENOEXEC, "EXEC-2")
        return
    _later(system, thread, attrs.evolve(pending, image=request), pending)


def _later(system: System, thread: Thread, changed: Pending, plain: Pending) -> None:
    """The call changes the fate of the target's thread: at once if that is the caller, else when its call returns."""
    original = served_thread(system, thread, plain.target)
    if original is thread and not thread.slot:
        calls.complete(system, thread, changed, 0)
        return
    if original is not None and isinstance(original.status, InGrate):
        waiting = attrs.evolve(original.status.pending, image=changed.image, ended=changed.ended)
        original.status = attrs.evolve(original.status, pending=waiting)
    calls.complete(system, thread, plain, 0)


# The end.


def end_thread(system: System, thread: Thread, pending: Pending) -> None:
    """exit(60): the thread of the target that made the call ends (EXIT-2)."""
    if thread.slot and thread.cage == pending.target:
        grates.worker_ended(system, thread, pending)
        return
    _later(system, thread, attrs.evolve(pending, ended=True), pending)


def end_group(system: System, thread: Thread, pending: Pending) -> None:
    """exit_group(231): every thread of the target ends (EXIT-1); the first status stands (EXIT-3)."""
    cage = pending.target
    system.tables = tables.on_exit(system.tables, cage)
    if thread.slot and thread.cage == cage:
        stop_cage(system, cage)
        grates.worker_ended(system, thread, pending)
        return
    original = served_thread(system, thread, cage)
    stop_cage(system, cage, keep=original)
    _later(system, thread, attrs.evolve(pending, ended=True), pending)


def end_now(system: System, thread: Thread, pending: Pending) -> None:
    """The call that ends ``thread`` has come back: it is gone."""
    del pending
    remove_thread(system, thread)


def remove_thread(system: System, thread: Thread, *, trap: str = "") -> None:
    """``thread`` is over; with the last one its cage is."""
    system.remove_thread(thread)
    cage = thread.cage
    system.emit(End, thread, whole=False, status=0, trap=trap, rule="EXIT-2")
    if thread.slot:
        return
    if system.own_threads(cage) or processes.finished(system.kernel, cage):
        processes.thread_gone(system.kernel, cage, thread.tid)
    elif not system.in_flight(cage):
        _finish_cage(system, thread)
    else:
        system.ending = system.ending.set(cage, thread.tid)  # EXIT-5: calls into it are still being served
    system.wake_changed()


def calls_drained(system: System, cage: int, worker: Thread) -> None:
    """A call into ``cage`` has been served; if the cage waited only for that, it ends now (EXIT-5)."""
    tid = system.ending.get(cage)
    if tid is not None and not system.in_flight(cage):
        system.ending = system.ending.remove(cage)
        _finish_cage(system, attrs.evolve(worker, tid=tid, slot=0))
        system.wake_changed()


def _finish_cage(system: System, thread: Thread) -> None:
    """The last thread is gone: status to the parent, descriptors closed, memory dropped (EXIT-4)."""
    cage = thread.cage
    system.tables = tables.on_exit(system.tables, cage)
    status = processes.thread_gone(system.kernel, cage, thread.tid)
    assert status is not None, "the last thread decides the status"
    system.emit(End, thread, whole=True, status=status >> 8 & 255, signal=status & 127, rule="EXIT-4")
    system.cage_ended(cage, status)


def stop_cage(system: System, cage: int, keep: Thread | None = None) -> None:
    """All threads of ``cage`` but ``keep`` and its workers end where they stand."""
    for other in system.own_threads(cage):
        if other is not keep:
            remove_thread(system, other)


def _stop_others(system: System, thread: Thread) -> None:
    """exec ends the cage's other threads (EXEC-5; deviation ``EXEC-THREADS``: they go on)."""
    if not system.profile.has("EXEC-THREADS"):
        for other in system.own_threads(thread.cage):
            if other is not thread:
                remove_thread(system, other)


__all__ = ["UNUSED", "end_group", "end_thread", "exec_", "fork", "mapped", "new_thread", "start_image"]
