"""Which events are looked for, and who has been told of them."""

from __future__ import annotations

from collections.abc import Callable

from lindref.system.events import Enter, Event, Observer


class Untold:
    """An observer who has been told of the events up to number ``known``."""

    def __init__(self, observer: Observer, known: int) -> None:
        self._observer = observer
        self._known = known

    def on_event(self, event: Event) -> None:
        """An event has happened (``Observer``)."""
        if event.n > self._known:
            self._observer.on_event(event)


def fitting(
    wanted: Callable[[Event], bool] | None, call: str | None, cage: int | None, event: int | str | None
) -> Callable[[Event], bool]:
    """Whether an event fulfils all that is given."""

    def fits(one: Event) -> bool:
        return (
            (wanted is None or wanted(one))
            and (call is None or (isinstance(one, Enter) and one.name == call))
            and (cage is None or one.cage == cage)
            and (event is None or event in (one.n, one.kind))
        )

    return fits
