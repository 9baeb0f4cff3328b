"""What a grate's code can do to the world: at once, or as a handler whose every question is remembered.

A handler that waits is no Python frame: it is the list of its questions with their answers. When its call is back it
runs again from the start, is given the same answers, and so comes to the same place. Rules PY-4, PY-5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from lindref.posix import usermem
from lindref.posix.call import UNUSED, Arg
from lindref.state.codec import encode
from lindref.state.pmap import PMap
from lindref.state.records import replace
from lindref.system.events import Note
from lindref.system.python import store
from lindref.system.python.records import SCRATCH, SCRATCH_START
from lindref.system.threads import Idle, Thread

if TYPE_CHECKING:
    from lindref.system.system import System

T = TypeVar("T")

#: Questions that one call may ask: a handler that loops must come to an end some time.
MOST = 1_000_000


class BadAddress(Exception):
    """Memory that cannot be read or written; a handler that lets it pass fails its call with EFAULT."""


class Suspend(BaseException):
    """The handler waits for a call: no error, and not to be caught. Its one argument is the call as a question."""


class Undetermined(BaseException):
    """Run again, the handler asked something else than before."""


class Outside:
    """Looks at a grate's state and changes it at once, in hooks and from outside a run; it cannot wait."""

    def __init__(self, system: System, cage: int) -> None:
        self.system = system
        self.cage = cage

    def effect(self, asked: tuple[Any, ...], perform: Callable[[], T]) -> T:
        """Do what is asked."""
        del asked
        return perform()

    def ask(self, number: int, target: int, args: tuple[Arg, ...]) -> int:
        """A call of the grate that acts on ``target``: there is nobody who could wait for it."""
        del target, args
        name = self.system.call_name(number)
        raise RuntimeError(f"{name}: only a handler can make calls, a hook cannot wait")

    def place(self, data: bytes) -> int:
        """Put data where a handler's own data go."""
        del data
        raise RuntimeError("only a handler has a place for data of its own")

    # The state (``store.Keeper``).

    def _entries(self, scope: int) -> store.Entries:
        grate = self.system.grates[self.cage]
        nothing: store.Entries = PMap()
        return grate.cages.get(scope, nothing) if scope else grate.shared

    def _set(self, scope: int, entries: store.Entries) -> None:
        grate = self.system.grates[self.cage]
        if not scope:
            changed = replace(grate, shared=entries)
        elif scope in grate.cages or scope in self.system.kernel.cages:
            changed = replace(grate, cages=grate.cages.set(scope, entries))
        else:
            raise LookupError(f"there is no cage {scope} to keep anything of")
        self.system.grates = self.system.grates.set(self.cage, changed)

    def look_up(self, scope: int, key: Any) -> tuple[bool, Any]:
        """Whether there is a value at ``key``, and the value."""

        def perform() -> tuple[bool, Any]:
            found = store.look(self._entries(scope), key)
            return (False, None) if found is None else (True, found.value)

        return self.effect(("get", scope, key), perform)

    def put(self, scope: int, key: Any, value: Any) -> None:
        """Set a value."""
        self.effect(
            ("set", scope, key, value),
            lambda: self._set(scope, store.with_entry(self._entries(scope), key, value)),
        )

    def drop(self, scope: int, key: Any) -> None:
        """Remove a key that is there."""
        self.effect(("drop", scope, key), lambda: self._set(scope, store.without(self._entries(scope), key)))

    def keys(self, scope: int) -> tuple[Any, ...]:
        """All keys."""
        return self.effect(("keys", scope), lambda: store.ordered_keys(self._entries(scope)))

    # Memory and the rest of the world.

    def read(self, address: int, count: int) -> bytes:
        """Bytes at a host address."""
        address, count = int(address), int(count)  # what is asked is kept as plain data
        data = self.effect(("read", address, count), lambda: usermem.copy_in(self.system.kernel, address, count))
        if data is None:
            raise BadAddress(f"{count} bytes at {address:#x} cannot be read")
        return data

    def read_string(self, address: int, limit: int) -> bytes:
        """The bytes before the NUL at a host address, at most ``limit``."""
        address = int(address)
        data = self.effect(("string", address, limit), lambda: usermem.cstring(self.system.kernel, address, limit))
        if data is None:
            raise BadAddress(f"a string at {address:#x} cannot be read")
        return data

    def write(self, address: int, data: bytes) -> None:
        """Put bytes at a host address."""
        address = int(address)
        if not self.effect(("write", address, data), lambda: usermem.copy_out(self.system.kernel, address, data)):
            raise BadAddress(f"{len(data)} bytes at {address:#x} cannot be written")

    def now(self) -> int:
        """Virtual time, ns."""
        return self.effect(("now",), lambda: self.system.kernel.now)

    def random(self, count: int) -> bytes:
        """Seeded random bytes."""
        return self.effect(("random", count), lambda: self.system.host.random_bytes(count))

    def choose(self, options: int) -> int:
        """A choice point."""
        return self.effect(("choose", options), lambda: self.system.choices.choose("grate", options))

    def tell(self, text: str) -> None:
        """A note for the person running this."""
        me = Thread(0, self.cage, 1, runner=None, status=Idle())  # type: ignore[arg-type]  # never run
        self.effect(("tell", text), lambda: self.system.emit(Note, me, text=text))


class Handling(Outside):
    """A handler at work: answers that it had before are given again, new ones are remembered."""

    def __init__(self, system: System, cage: int, slot: int, log: list[tuple[Any, Any]]) -> None:
        self.system = system
        self.cage = cage
        self._log = log
        self._position = 0
        #: Whether it has asked for a call and is to stop.
        self.suspended: Suspend | None = None
        self._free = SCRATCH_START + (slot - 1) * SCRATCH
        self._end = self._free + SCRATCH

    def effect(self, asked: tuple[Any, ...], perform: Callable[[], T]) -> T:
        """The remembered answer, or the world's."""
        if self.suspended is not None:
            raise self.suspended
        if self._position < len(self._log):
            return self._again(asked)  # type: ignore[no-any-return]  # the same question had an answer of this type
        if self._position >= MOST:
            raise RuntimeError(f"the handler has asked {MOST} things and goes on")
        answer = perform()
        self._log.append((asked, answer))
        self._position += 1
        return answer

    def _again(self, asked: tuple[Any, ...]) -> Any:
        before, answer = self._log[self._position]
        if before != asked and encode(before) != encode(asked):
            raise Undetermined(f"run again, it did {self._shown(asked)} where it had done {self._shown(before)}")
        self._position += 1
        return answer

    def finished(self) -> None:
        """The handler came to its end: it must have asked all that it had asked before."""
        if self.suspended is None and self._position < len(self._log):
            raise Undetermined(f"run again, it ended where it had done {self._shown(self._log[self._position][0])}")

    def _shown(self, asked: tuple[Any, ...]) -> str:
        """A question, for people."""
        what, *rest = asked
        if what == "call":
            number, _, target, args = rest
            values = ", ".join(hex(arg.value) for arg in args if arg.value != UNUSED)
            return f"{self.system.call_name(number)}({values}) for cage {target}"
        text = ", ".join(map(repr, rest))
        return f"{what}({text if len(text) < 80 else text[:77] + '...'})"

    def ask(self, number: int, target: int, args: tuple[Arg, ...]) -> int:
        """The result of a call, which may have to be waited for."""
        if self.suspended is not None:
            raise self.suspended
        asked = ("call", number, self.cage, target, args)
        if self._position < len(self._log):
            return int(self._again(asked))
        self.suspended = Suspend(asked)
        raise self.suspended

    def place(self, data: bytes) -> int:
        """Put data into the grate's own memory; the host address. It stays until the handler is done."""
        offset = self._free
        self._free = offset + len(data) + 15 & ~15
        if self._free > self._end:
            raise BufferError(f"a handler may place {SCRATCH} bytes of its own")
        memory = self.system.memories[self.cage]
        self.effect(("place", offset, data), lambda: memory.try_write(offset, data))
        return self.system.base(self.cage) + offset
