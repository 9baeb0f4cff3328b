"""The threads of a system, who can run and who waits for what: a turn costs what those cost that it concerns."""

from __future__ import annotations

from lindref.posix.result import WaitKey
from lindref.system.threads import Blocked, Status, Thread


class Roster(dict[int, Thread]):
    """Threads by key. What else it has follows from their statuses, and is no part of the state."""

    def __init__(self) -> None:
        super().__init__()
        #: Those that can run.
        self.runnable: dict[int, Thread] = {}
        #: Those whose wait ends by itself.
        self.timed: dict[int, Thread] = {}
        #: Those that wait for a thing to change.
        self._waiting: dict[WaitKey, dict[int, Thread]] = {}

    def __setitem__(self, key: int, thread: Thread) -> None:
        old = self.get(key)
        if old is not None:
            self._leave(old, old.status)
            old.roster = None
        super().__setitem__(key, thread)
        thread.roster = self
        self._enter(thread, thread.status)

    def remove(self, thread: Thread) -> None:
        """``thread`` is no more, if it was."""
        if self.pop(thread.key, None) is not None:
            self._leave(thread, thread.status)
            thread.roster = None

    def moved(self, thread: Thread, old: Status, new: Status) -> None:
        """The status of ``thread`` is another."""
        if not (old.runnable and new.runnable):
            self._leave(thread, old)
            self._enter(thread, new)

    def waiting(self, keys: tuple[WaitKey, ...]) -> list[Thread]:
        """Those that wait for one of the things, in the order of their keys."""
        found: dict[int, Thread] = {}
        for key in keys:
            found |= self._waiting.get(key, {})
        return [found[key] for key in sorted(found)]

    def _enter(self, thread: Thread, status: Status) -> None:
        key = thread.key
        if status.runnable:
            self.runnable[key] = thread
            return
        if status.deadline is not None:
            self.timed[key] = thread
        if isinstance(status, Blocked):
            for one in status.keys:
                self._waiting.setdefault(one, {})[key] = thread

    def _leave(self, thread: Thread, status: Status) -> None:
        key = thread.key
        if status.runnable:
            del self.runnable[key]
            return
        if status.deadline is not None:
            del self.timed[key]
        if isinstance(status, Blocked):
            for one in set(status.keys):
                left = self._waiting[one]
                del left[key]
                if not left:
                    del self._waiting[one]
