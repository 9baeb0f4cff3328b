"""Two cages side by side: what they are in the middle of, value by value, and which pages of memory they share.

Right after a fork the two differ in one value, what clone gave back (FORK-3, FORK-4): one continuation, used twice.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from lindref import classes
from lindref.shown import Shown
from lindref.system.wasm_runner import WasmRunner
from lindref.vm.frame import FrameState
from lindref.vm.machine import Machine

if TYPE_CHECKING:
    from lindref.system.session import System
    from lindref.system.state import SystemState


@classes.frozen
class Slot:
    """A local (``local 0``) or operand (``operand 0``) of a frame: what it is in each of the two; ``None`` where one
    does not have it.
    """

    name: str
    left: object
    right: object

    @property
    def differs(self) -> bool:
        """Whether it is not the same in both."""
        return self.left is None or self.right is None or self.left != self.right


@classes.frozen
class FramePair:
    """A call in progress in each of the two: the function with the offset of the instruction in the module."""

    left: str
    right: str
    slots: tuple[Slot, ...]

    @property
    def differs(self) -> bool:
        """Whether anything in it is not the same."""
        return self.left != self.right or any(slot.differs for slot in self.slots)


@classes.frozen
class SideBySide(Shown):
    """The main threads of two cages, frames from the innermost outwards; pages of memory that are one object in both,
    and those that are not.
    """

    cages: tuple[int, int]
    frames: tuple[FramePair, ...]
    shared_pages: int
    other_pages: int

    @property
    def differences(self) -> list[Slot]:
        """The values that are not the same in both."""
        return [slot for frame in self.frames for slot in frame.slots if slot.differs]


def side_by_side(system: System, left: int, right: int) -> SideBySide:
    """Compare the main threads of two cages. ``ValueError`` for one that does not run a wasm program now."""
    frames = [_frames(system, cage) for cage in (left, right)]
    pairs = []
    for (name, state), (other_name, other) in zip_longest(*frames, fillvalue=("–", None)):
        slots = [*_slots("local", state, other, "locals"), *_slots("operand", state, other, "stack")]
        pairs.append(FramePair(name, other_name, tuple(slots)))
    same, different = _pages(system.snapshot(), left, right)
    return SideBySide((left, right), tuple(pairs), same, different)


def _frames(system: System, cage: int) -> list[tuple[str, FrameState]]:
    thread = system.engine.main_thread(cage)
    runner = None if thread is None else thread.runner
    if not isinstance(runner, WasmRunner):
        raise ValueError(f"cage {cage} runs no wasm program here")  # noqa: TRY004 (the cage is wrong, not its type)
    names = _names(runner.machine)
    out: list[tuple[str, FrameState]] = []
    state = runner.machine.freeze().top
    for name in names:
        if state is None:
            break
        if state.func is not None:
            out.append((name, state))
        state = state.parent
    return out


def _names(machine: Machine) -> list[str]:
    return [f"{place.name or f'func {place.func}'} +{place.offset:#x}" for place in machine.backtrace()]


def _slots(kind: str, left: FrameState | None, right: FrameState | None, field: str) -> list[Slot]:
    pairs = zip_longest(getattr(left, field, ()), getattr(right, field, ()))
    return [Slot(f"{kind} {i}", one, other) for i, (one, other) in enumerate(pairs)]


def _pages(state: SystemState, left: int, right: int) -> tuple[int, int]:
    """How many own pages are the same object in both, and how many are not."""
    one, other = state.memories[left].pages, state.memories[right].pages
    same = sum(1 for number, page in one.items() if other.get(number) is page)
    return same, len(one) + len(other) - 2 * same
