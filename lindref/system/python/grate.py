"""``Grate``: what the author of a grate in Python writes against.

    class Deny(lindref.Grate):
        def unlink(self, call, path):
            return -errno.EPERM

A method with the name of a call serves that call (PY-2); ``any_call`` serves all others. It gets the call and its
arguments (PY-10: whole numbers whose types say what they are, ``Address``, ``Fd``, ``Flags`` and so on), may leave out
those at the end, and returns the result: a whole number, failures as negative errno.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import EllipsisType
from typing import Any, ClassVar, TypeVar

from lindref import classes
from lindref.posix.call import SLOTS, UNUSED, Arg
from lindref.posix.table import CALLS, NUMBERS
from lindref.system.python import arguments
from lindref.system.python.context import BadAddress, Outside
from lindref.system.python.store import Store
from lindref.threei.numbers import COPY_HANDLER_TABLE_TO_CAGE, REGISTER_HANDLER, THREEI_CALLS

F = TypeVar("F", bound=Callable[..., int])

#: Names of 3i's own calls as methods.
THREEI_METHODS: dict[str, int] = dict(
    zip(("register_handler", "copy_data_between_cages", "copy_handler_table_to_cage"), THREEI_CALLS, strict=True)
)

#: Every name that a method may serve, and its number.
NAMES: Mapping[str, int] = {**NUMBERS, **THREEI_METHODS}

_CALL_OF = {number: name for name, number in NAMES.items()}

#: Classes by name, as states name them.
CLASSES: dict[str, type[Grate]] = {}

Argument = int | str | bytes | EllipsisType


class GrateError(Exception):
    """A class that is no usable grate, or options it does not take; one line."""


def serves(*names: str) -> Callable[[F], F]:
    """Let one method serve several calls: ``@lindref.serves("unlink", "unlinkat", "rmdir")``.

    Raises ``GrateError`` for a name that no call has.
    """
    for name in names:
        if name not in NAMES:
            raise GrateError(f"@serves({name!r}): there is no such call")

    def mark(method: F) -> F:
        method.__dict__["__lindref_serves__"] = names
        return method

    return mark


@classes.frozen
class Served:
    """The call that a handler serves: which it is, the cage it acts on (a handler in wasm has to guess that from the
    owners of the arguments), and the pairs as they came (``value``: 64 bits unsigned, ``cage``: the owner).
    """

    number: int
    name: str
    target: int
    args: tuple[Arg, ...]

    @property
    def caller(self) -> int:
        """The cage for which the call is made."""
        return self.target

    def values(self) -> tuple[int, ...]:
        """The arguments as a method gets them (``lindref.system.python.arguments``)."""
        row = CALLS.get(self.number)
        if row is not None:
            return arguments.typed(row, self.args)
        if self.number in THREEI_CALLS:
            return arguments.of_threei(self.number, self.args)
        return tuple(arg.value for arg in self.args)

    def named(self) -> dict[str, int]:
        """The same by the names that the call table gives them; a call that is in no table has no names."""
        row = CALLS.get(self.number)
        names = arguments.THREEI_PARAMS.get(self.number, ()) if row is None else [param.name for param in row.params]
        return dict(zip(names, self.values(), strict=False))


class Grate:
    """Base class of grates. Handlers are methods; see the module.

    A handler must be a function of what it is given: its call, its grate's attributes (fixed once ``__init__`` is
    done), and what it asks through ``self``. A handler that waits is run again with the answers it had, and the run
    says so if it then asks something else (PY-5). What changes from call to call lives in ``state`` and ``cage_state``.
    """

    #: Number of each call that the class serves -> name of the method. ``any_call`` is not in it.
    served: ClassVar[Mapping[int, str]] = {}
    #: Names of the calls that the grate is registered for when it is put over a cage, where that is not all it serves.
    registers: ClassVar[tuple[str, ...] | None] = None
    #: Method that serves calls -> how many arguments behind ``self`` it takes, ``None`` for any number.
    arity: ClassVar[Mapping[str, int | None]] = {}
    _context: Outside | None = None
    _call: Served | None = None

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        found: dict[int, str] = {}
        counts: dict[str, int | None] = {}
        # A class goes before what it inherits, and in a class a method with a call's own name before @serves.
        for name in sorted(dir(cls), key=lambda name: (-_depth(cls, name), name in NAMES)):
            method = inspect.getattr_static(cls, name)
            wanted = getattr(method, "__lindref_serves__", (name,) if name in NAMES or name == "any_call" else ())
            for call in wanted:
                counts[name] = takes = _positional(cls, name, method)
                if call in NAMES:
                    other = found.get(NAMES[call], call)
                    if call not in (name, other) and _depth(cls, other) == _depth(cls, name):
                        raise GrateError(f"{cls.__name__}: {call} is served by {other} and by {name}")
                    found[NAMES[call]] = name
                    _check_arity(cls, name, takes, NAMES[call])
        cls.served = dict(sorted(found.items()))
        cls.arity = counts
        CLASSES[class_name(cls)] = cls

    def __setattr__(self, name: str, value: object) -> None:
        if self.__dict__.get("_sealed"):
            raise AttributeError(f"{name}: a grate's attributes are fixed once it is made; what changes is self.state")
        super().__setattr__(name, value)

    # Hooks.

    def cage_born(self, cage: int, parent: int) -> None:
        """A cage has come to be beneath the grate: forked by ``parent`` (its ``cage_state`` begins as the parent's), or
        the one that the grate was put over (``parent`` 0). A hook may use ``state``, ``cage_state`` and ``tell``; it
        cannot wait.
        """

    def cage_execed(self, cage: int, path: str) -> None:
        """A cage beneath begins a program, which ``path`` names: by exec, or as the first of the run. Its
        ``cage_state`` stays.
        """

    def cage_died(self, cage: int) -> None:
        """A cage beneath the grate has ended; its ``cage_state`` is there for the last time."""

    def group_ended(self, cage: int) -> None:
        """The group of grates behind this one (``%{ … %}``) is complete: all its grates are over ``cage``."""

    # Calls.

    @property
    def id(self) -> int:
        """The grate's own cage id."""
        return self._here.cage

    def forward(self, *args: Argument, number: int | None = None, target: int | None = None) -> int:
        """Pass the call that is being served to what is beneath; its result.

        ``args`` replace arguments from the first on: ``...`` leaves one as it came, a number replaces the value, a
        string (or bytes) becomes a string in the grate's memory that the caller's argument points to. ``number``:
        another call with these arguments. ``target``: the cage to act on, if not the call's own.
        """
        call = self._call or self._serving
        sent = call.args
        if args:
            if len(args) > len(sent):
                raise TypeError(f"forward: a call has {len(sent)} arguments")
            pairs = list(sent)
            for slot, arg in enumerate(args):
                if arg is not ...:
                    pairs[slot] = Arg(self._value(arg), pairs[slot].cage)
            sent = tuple(pairs)
        return self._ask(call.number if number is None else number, call.target if target is None else target, sent)

    def call(
        self, call: str | int, *args: int | str | bytes, target: int | None = None, owner: int | None = None
    ) -> int:
        """A call of the grate's own; its result. It acts on ``target`` (the grate itself if not given), and ``owner``
        (the target) owns its arguments: whose descriptors they name.
        """
        number = NAMES.get(call) if isinstance(call, str) else call
        if number is None:
            raise ValueError(f"there is no call {call!r}")
        acts = self.id if target is None else target
        owns = acts if owner is None else owner
        values = [self._value(arg) for arg in args]
        sent = [Arg(v, owns) for v in values] + [Arg(UNUSED, owns)] * (SLOTS - len(values))
        return self._ask(number, acts, tuple(sent))

    def register(
        self, cage: int, call: str | int, grate: int | None = None, address: int | None = None, mark: int = UNUSED
    ) -> int:
        """Have ``call`` of ``cage`` served by this grate's method for it, or by function ``address`` of ``grate``.
        ``mark`` is the value of the fourth argument, which means something to grates that interpose 1001 alone.
        """
        number = NAMES[call] if isinstance(call, str) else call
        mine = self.id if grate is None else grate
        pairs = [Arg(cage, number), Arg(UNUSED, mine), Arg(number if address is None else address, self.id)]
        return self._ask(REGISTER_HANDLER, self.id, (*pairs, Arg(mark, self.id), *[Arg(UNUSED, self.id)] * 2))

    def copy_table(self, source: int, target: int) -> int:
        """Replace the whole handler table of cage ``target`` by that of ``source``."""
        pairs = [Arg(source, target), *[Arg(UNUSED, self.id)] * 5]
        return self._ask(COPY_HANDLER_TABLE_TO_CAGE, self.id, tuple(pairs))

    def print(self, text: str | bytes, fd: int = 2) -> int:
        """Write to one of the grate's own descriptors; they begin as the run's standard streams."""
        data = _bytes(text)
        return self.call("write", fd, self.place(data), len(data))

    # Memory. Addresses are host addresses, as handlers get them; they say themselves in which cage they lie.

    def read_bytes(self, address: int, count: int) -> bytes:
        """``count`` bytes; raises ``BadAddress`` (which, not caught, fails the call with EFAULT)."""
        return self._here.read(address, count)

    def read_string(self, address: int, limit: int = 4096) -> str:
        """The string at ``address``, at most ``limit`` bytes of it; bytes that are no UTF-8 survive (surrogates)."""
        return self._here.read_string(address, limit).decode("utf-8", "surrogateescape")

    def read_int(self, address: int, size: int = 4, *, signed: bool = True) -> int:
        """A little-endian whole number of ``size`` bytes."""
        return int.from_bytes(self._here.read(address, size), "little", signed=signed)

    def write_bytes(self, address: int, data: bytes) -> None:
        """Put all of ``data``, or nothing and ``BadAddress``."""
        self._here.write(address, bytes(data))

    def write_int(self, address: int, value: int, size: int = 4) -> None:
        """Put a little-endian whole number of ``size`` bytes."""
        self._here.write(address, (value & (1 << 8 * size) - 1).to_bytes(size, "little"))

    def place(self, data: str | bytes) -> int:
        """``data`` in the grate's own memory, until the handler is done; its address (a string gets its NUL)."""
        return self._here.place(_bytes(data) + b"\0" if isinstance(data, str) else bytes(data))

    def buffer(self, count: int) -> int:
        """The address of ``count`` bytes of the grate's own memory, zero, until the handler is done."""
        return self._here.place(bytes(count))

    # What is kept, and the rest of the world.

    @property
    def state(self) -> Store:
        """What the grate keeps: a mapping from plain keys to plain values (PY-6)."""
        return Store(self._here, 0)

    def cage_state(self, cage: int) -> Store:
        """What the grate keeps of one cage; a forked cage begins with its parent's, and it ends with the cage."""
        return Store(self._here, cage)

    def now(self) -> int:
        """Virtual time since boot, ns."""
        return self._here.now()

    def random(self, count: int) -> bytes:
        """``count`` bytes from the run's seeded source."""
        return self._here.random(count)

    def choose(self, options: int) -> int:
        """A choice point of the run: 0 unless the schedule or the seed says otherwise."""
        return self._here.choose(options)

    def tell(self, text: str) -> None:
        """A note for the person who runs this, as an event of the run."""
        self._here.tell(text)

    # Beneath.

    @property
    def _here(self) -> Outside:
        if self._context is None:
            raise RuntimeError(f"{type(self).__name__}: a grate acts only in a run (in a handler or a hook)")
        return self._context

    @property
    def _serving(self) -> Served:
        if self._call is None:
            raise RuntimeError(f"{type(self).__name__}: no call is being served here")
        return self._call

    def _value(self, arg: Argument) -> int:
        if isinstance(arg, str | bytes):
            return self._here.place(_bytes(arg) + b"\0")
        if not isinstance(arg, int):
            raise TypeError(f"an argument of a call is a number, a string or bytes, not {type(arg).__name__}")
        return arg & (1 << 64) - 1

    def _ask(self, number: int, target: int, args: tuple[Arg, ...]) -> int:
        here = self._context or self._here
        return here.ask(number, target, args)


def class_name(cls: type) -> str:
    """The name under which a class stands in states and on the command line."""
    return f"{cls.__module__}:{cls.__qualname__}"


def call_name(number: int) -> str:
    """A call's name, for people."""
    return _CALL_OF.get(number, f"call_{number}")


def method_of(cls: type[Grate], number: int) -> str | None:
    """The method of ``cls`` that serves call ``number``, if any does."""
    return cls.served.get(number) or ("any_call" if "any_call" in cls.arity else None)


def numbers_of(cls: type[Grate], present: tuple[int, ...]) -> tuple[int, ...]:
    """The calls that ``cls`` is to be registered for, of the ``present`` ones and those it names."""
    if cls.registers is not None:
        return tuple(sorted(NAMES[name] for name in cls.registers))
    return tuple(sorted({*cls.served, *(present if "any_call" in cls.arity else ())}))


def apply(grate: Grate, method: str, call: Served, values: tuple[int, ...]) -> int:
    """Serve ``call`` by a method that takes these ``values``; raises ``TypeError`` for a result that is none."""
    result: object = getattr(grate, method)(call, *values)
    if not isinstance(result, int):
        said = "nothing" if result is None else f"a {type(result).__name__}"
        raise TypeError(f"{method} returned {said}, not a whole number (a forgotten `return`?)")
    return int(result)


def _depth(cls: type, name: str) -> int:
    """How far up the attribute ``name`` of a class is defined: 0 in the class itself."""
    return next((depth for depth, base in enumerate(cls.__mro__) if name in vars(base)), len(cls.__mro__))


def _positional(cls: type, name: str, method: object) -> int | None:
    """How many arguments behind ``self`` a handler takes; ``None`` for any number."""
    where = f"{cls.__name__}.{name}"
    if not inspect.isfunction(method):
        raise GrateError(f"{where}: what has the name of a call must be a plain method that serves it")
    count = -1
    for parameter in inspect.signature(method).parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            return None
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            count += 1
    if count < 1:
        raise GrateError(f"{where}: a handler takes self and the call (then the arguments, as many as it wants)")
    return count


def _check_arity(cls: type, name: str, takes: int | None, number: int) -> None:
    """A handler that wants more arguments than its call has would fail every time: it is said at once."""
    there = len(Served(number, "", 0, (Arg(0, 0),) * SLOTS).values())
    if takes is not None and takes - 1 > there:
        of = call_name(number)
        raise GrateError(f"{cls.__name__}.{name}: takes {takes - 1} arguments of the call, {of} has {there}")


def _bytes(text: str | bytes) -> bytes:
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else bytes(text)


__all__ = ["BadAddress", "Grate", "GrateError", "Served", "serves"]
