"""Continuations: what a machine is in the middle of, as a value. Using one twice is fork (MACH-2).

Frames are linked from the top down, and a frame that has not run since the last ``freeze`` is the same object, so
that freezing, digesting and comparing cost what has changed.
"""

from __future__ import annotations

from lindref.state.records import record
from lindref.vm.frame import Frame, FrameState
from lindref.vm.host_frame import HOST
from lindref.vm.store import Store


@record("continuation")
class Continuation:
    """A machine as a value; the store it runs in is apart from it.

    ``awaiting`` is how many values ``Machine.resume`` must bring (``None``: the machine can run); ``trapped``
    says that the instruction before the top frame's ``pc`` has trapped.
    """

    top: FrameState | None
    awaiting: int | None
    trapped: bool


def thaw_frames(store: Store, top: FrameState | None) -> Frame | None:
    """Live frames in these states; functions called in them are prepared now."""
    states: list[FrameState] = []
    while top is not None:
        states.append(top)
        top = top.parent
    frame: Frame | None = None
    for state in reversed(states):
        depth = 0 if frame is None else frame.depth + 1
        if state.func is None:
            frame = Frame(None, HOST, list(state.locals), frame, depth)
        else:
            view = store.views[state.func.instance]
            body = view.instance.program.body(state.func.index)
            body.prepare()
            frame = Frame(view, body, list(state.locals), frame, depth - 1 + body.weight)
        frame.pc = state.pc
        frame.stack += state.stack
        frame.state = state
    return frame
