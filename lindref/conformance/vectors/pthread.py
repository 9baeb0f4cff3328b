"""The calls that the C library of the recordings makes for a thread: when it is created, begins, ends and is joined.

They leave the cage like any others, so handlers and later mappings see them (vector trace proc.threads.basic).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref.conformance.vectors import image
from lindref.conformance.vectors.frame import Frame
from lindref.conformance.vectors.model import Step
from lindref.posix.constants import MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE
from lindref.posix.structs import CLONE_ARGS, SIGACTION
from lindref.posix.table import NUMBERS

if TYPE_CHECKING:
    from lindref.conformance.vectors.runner import VectorRunner
    from lindref.system.runner import RunnerEvent

_CLONE_VM = 0x100
#: FUTEX_WAIT_BITSET with the real-time clock, and all bits.
_WAIT, _WAKE, _ALL = 9 | 256, 1, 0xFFFFFFFF
#: The signal by which the library tells its threads of a change of identity.
_SETXID = 33
_NO_ID = 0x7FFFFFFF
#: What ``create`` has come to: the count of its frame.
_ANNOUNCED, _MAPPED = 1, 2


def _word(runner: VectorRunner, address: int) -> int:
    return int.from_bytes(runner.values.memory.try_read(address, 4) or b"", "little")


def _set_word(runner: VectorRunner, address: int, value: int) -> None:
    runner.values.memory.try_write(address, value.to_bytes(4, "little"))


def _mapping(slot: int) -> int:
    """Where the address of a slot's mapping is kept."""
    return image.SLOT_MAPPINGS + 4 * slot


def _id_word(runner: VectorRunner, slot: int) -> int:
    """Where the id of a slot's thread is, 0 once it has ended."""
    return _word(runner, _mapping(slot)) + image.ID_WORD & 0xFFFFFFFF


def create(runner: VectorRunner, frame: Frame, step: Step) -> RunnerEvent | None:
    """pthread_create: a handler for the library's signal, once; a mapping, unless one is free; clone."""
    if frame.count < _ANNOUNCED:
        if not _word(runner, image.HAD_THREADS):
            _set_word(runner, image.HAD_THREADS, 1)
            runner.values.memory.try_write(image.ACTION, SIGACTION.pack(sa_handler=_SETXID))
            action = runner.own(_SETXID, runner.values.pointer(image.ACTION), 0)
            return runner.ask(frame, NUMBERS["rt_sigaction"], action)
        frame.count = _ANNOUNCED
    if frame.count < _MAPPED:
        free = _word(runner, image.FREE_COUNT)
        if not free:
            how = (PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
            return runner.ask(frame, NUMBERS["mmap"], runner.own(0, image.MAPPING_SIZE, *how, -1, 0))
        _set_word(runner, image.FREE_COUNT, free - 1)
        _set_word(runner, _mapping(step["slot"]), _word(runner, image.FREE + 4 * (free - 1)))
        frame.count = _MAPPED
    mapping = _word(runner, _mapping(step["slot"]))
    block = mapping + image.THREAD_BLOCK & 0xFFFFFFFF
    word = _id_word(runner, step["slot"])
    args = CLONE_ARGS.pack(
        flags=_CLONE_VM, child_tid=runner.values.pointer(word), stack=block, stack_size=image.THREAD_BLOCK
    )
    runner.values.memory.try_write(block, args)
    _set_word(runner, word, _NO_ID)
    return runner.ask(frame, NUMBERS["clone"], runner.own(runner.values.pointer(block)))


def created(runner: VectorRunner, frame: Frame, step: Step, ret: int) -> None:
    """A call of ``create`` is back; in the new thread its steps begin."""
    if frame.count < _ANNOUNCED:
        frame.count = _ANNOUNCED
    elif -4096 < ret < 0:
        runner.done(frame, step, -ret)
    elif frame.count < _MAPPED:
        _set_word(runner, _mapping(step["slot"]), ret & 0xFFFFFFFF)
        frame.count = _MAPPED
    elif ret == 0:
        runner.slot = step["slot"]
        steps = [{"op": "born"}, *step["steps"]]
        runner.frames = [Frame(steps, "thread", exit=(NUMBERS["exit"], 0), slot=step["slot"])]
    else:
        runner.done(frame, step, 0)


def born(runner: VectorRunner, frame: Frame, step: Step) -> RunnerEvent:
    """A new thread looks at its signal mask."""
    del step
    block = _word(runner, _mapping(runner.slot)) + image.THREAD_BLOCK
    mask = runner.values.pointer(block - 16)
    return runner.ask(frame, NUMBERS["rt_sigprocmask"], runner.own(0, 0, mask))


def wake(runner: VectorRunner, frame: Frame, step: Step) -> RunnerEvent:
    """A thread is over: whoever joins it may go on."""
    word = _id_word(runner, step["slot"])
    _set_word(runner, word, 0)
    return runner.ask(frame, NUMBERS["futex"], runner.own(runner.values.pointer(word), _WAKE, 1, 0, 0, 0))


def join(runner: VectorRunner, frame: Frame, step: Step) -> RunnerEvent | None:
    """pthread_join: wait for the word to be 0; the mapping is free then."""
    mapping = _word(runner, _mapping(step["slot"]))
    word = _id_word(runner, step["slot"])
    thread = _word(runner, word) if mapping else 0
    if thread:
        wait = runner.own(runner.values.pointer(word), _WAIT, thread, 0, 0, _ALL)
        return runner.ask(frame, NUMBERS["futex"], wait)
    if mapping:
        free = _word(runner, image.FREE_COUNT)
        _set_word(runner, image.FREE + 4 * free, mapping)
        _set_word(runner, image.FREE_COUNT, free + 1)
        _set_word(runner, _mapping(step["slot"]), 0)
    runner.done(frame, step, 0)
    return None
