"""Events of a run as a value that shows itself, and telling them again as they happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Self, SupportsIndex, overload

from lindref.shown import Shown
from lindref.system.events import Enter, Event, Exit, Route

if TYPE_CHECKING:
    from lindref.system.session import System
    from lindref.system.system import System as Engine


class Trace(Shown, tuple[Event, ...]):  # noqa: SLOT001 (a tuple of any length has no room for slots)
    """Events of a run, in their order. It shows itself with what arguments pointed to at the time, which is found by
    passing over the run again. A slice is a trace, too.
    """

    #: The run; ``None`` for events that are shown alone.
    system: System | None

    def __new__(cls, events: Iterable[Event], system: System | None = None) -> Self:
        """A tuple that knows its run."""
        made = super().__new__(cls, events)
        made.system = system
        return made

    @overload
    def __getitem__(self, at: SupportsIndex) -> Event: ...
    @overload
    def __getitem__(self, at: slice) -> Trace: ...
    def __getitem__(self, at: SupportsIndex | slice) -> Event | Trace:
        found = super().__getitem__(at)
        return Trace(found, self.system) if isinstance(found, tuple) else found

    def of(self, *, call: str | None = None, cage: int | None = None, event: str | None = None) -> Trace:
        """The events that fulfil all that is given: of calls of a name (from where they enter to where they come
        back), of calls that a cage makes and whatever else happens in it, of a kind.
        """
        named = {e.call for e in self if isinstance(e, Enter) and call in (None, e.name)}
        return Trace(
            (
                e
                for e in self
                if (call is None or (isinstance(e, Enter | Route | Exit) and e.call in named))
                and cage in (None, e.cage)
                and event in (None, e.kind)
            ),
            self.system,
        )

    def __repr__(self) -> str:
        return f"<trace of {len(self)} events>"


class Teller:
    """An observer that tells with the run as it is."""

    def __init__(self, session: System, tell: Callable[[Engine, Event], None]) -> None:
        self.session, self.tell = session, tell

    def on_event(self, event: Event) -> None:
        """Pass it on (``Observer``)."""
        self.tell(self.session.engine, event)
