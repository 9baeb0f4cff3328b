"""Frames: what a call in progress consists of (spec §4.2.13)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lindref.state.records import record
from lindref.vm.values import FuncInst, Value

if TYPE_CHECKING:
    from lindref.vm.program import Body
    from lindref.vm.store import View


@record("frame")
class FrameState:
    """A frame as a value. ``pc`` counts entries of the prepared code: what runs next, or after the call returns.

    ``func`` is ``None`` for a call by the host; its locals are the barrier, how many results the machine was
    waiting for when the call was pushed (``None``: it was not), and the function; its operands the arguments.
    ``parent`` is the frame that called it.
    """

    func: FuncInst | None
    pc: int
    locals: tuple[Value, ...]
    stack: tuple[Value, ...]
    parent: FrameState | None


class Frame:
    """A frame of a live machine. ``state`` is its value where nothing has changed since that was taken.

    While a frame is on top, the machine's registers are the truth for ``pc``.
    """

    __slots__ = ("body", "depth", "locals", "parent", "pc", "stack", "state", "view")

    def __init__(
        self, view: View | None, body: Body, locals_: list[Any], parent: Frame | None, depth: int
    ) -> None:
        self.view = view
        self.body = body
        self.pc = 0
        self.locals = locals_
        self.stack: list[Any] = []
        self.parent = parent
        self.depth = depth
        """The weights (``Body.weight``) of this frame and all beneath; a host's counts 1, at the bottom 0."""
        self.state: FrameState | None = None

    def freeze(self) -> FrameState:
        """This frame and all beneath as values; those that have not run since the last time are the same objects."""
        changed: list[Frame] = []
        frame: Frame | None = self
        while frame is not None and frame.state is None:
            changed.append(frame)
            frame = frame.parent
        state = None if frame is None else frame.state
        for frame in reversed(changed):
            func = None if frame.view is None else FuncInst(frame.view.instance.number, frame.body.index)
            state = FrameState(func, frame.pc, tuple(frame.locals), tuple(frame.stack), state)
            frame.state = state
        assert state is not None
        return state
