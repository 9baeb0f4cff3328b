"""A list of steps under way."""

from __future__ import annotations

from lindref import classes
from lindref.conformance.vectors.model import Steps


@classes.define
class Frame:
    """A list of steps under way. ``kind``: ``main``, ``inner``, ``child``, ``thread``, ``handler`` or ``signal``."""

    steps: Steps
    kind: str
    position: int = 0
    #: How often the present step has been tried.
    count: int = 0
    waiting: bool = False
    answer: int | None = None
    token: object = None
    #: A signal handler's signal; whether its body has begun.
    signo: int = 0
    begun: bool = True
    #: What comes when the steps are done: a call number and a code, or the slot of a thread.
    exit: tuple[int, int] | None = None
    slot: int = 0
