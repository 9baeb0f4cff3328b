"""Plain data classes with slots, made without generating code until an object is.

``@frozen`` and ``@define`` read as those of ``attrs`` do, and ``attrs.fields``, ``attrs.evolve`` and ``attrs.asdict``
understand the classes. But a class costs some 40 µs instead of 400: its constructor, its equality and its hash are
written when they are first called. Some two hundred classes are declared before a program's first instruction, most
of which a run never makes an object of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any, TypeVar, dataclass_transform, overload

T = TypeVar("T")

#: Stands for a value that was not given.
_NONE: Any = type("_None", (), {"__repr__": lambda _: "NOTHING"})()


class FrozenError(AttributeError):
    """A field of a frozen object was to be set or deleted."""


class Field:
    """One field of a class: its name, the name of its argument, and what it takes part in."""

    __slots__ = ("alias", "default", "eq", "factory", "init", "kw_only", "name", "repr")

    def __init__(
        self,
        default: Any = _NONE,
        factory: Callable[[], Any] | None = None,
        *,
        init: bool = True,
        eq: bool = True,
        repr: bool = True,  # noqa: A002 (what it is called everywhere)
        alias: str = "",
    ) -> None:
        self.name = ""
        self.alias = alias
        self.default = default
        self.factory = factory
        self.init = init
        self.eq = eq
        self.repr = repr
        self.kw_only = False

    @property
    def optional(self) -> bool:
        """Whether the constructor can do without it."""
        return self.default is not _NONE or self.factory is not None


def field(
    *,
    default: Any = _NONE,
    factory: Callable[[], Any] | None = None,
    init: bool = True,
    eq: bool = True,
    repr: bool = True,  # noqa: A002 (what it is called everywhere)
    alias: str = "",
) -> Any:
    """A field with more to say than its type: a default or what makes one, and what it takes no part in.

    ``alias`` is the name of the constructor's argument where it is not the field's.
    """
    return Field(default, factory, init=init, eq=eq, repr=repr, alias=alias)


def Factory(make: Callable[[], T]) -> T:  # noqa: N802 (it stands where a value would)
    """A default that is made anew for each object."""
    return Field(factory=make)  # type: ignore[return-value]  # the decorator takes it out of the class again


@overload
def frozen(cls: type[T], /) -> type[T]: ...
@overload
def frozen(*, kw_only: bool = ..., eq: bool = ..., init: bool = ...) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T] | None = None, /, *, kw_only: bool = False, eq: bool = True, init: bool = True) -> Any:
    """A class whose objects never change; equal, and of equal hash, when class and fields are."""

    def made(cls: type[T]) -> type[T]:
        return build(cls, is_frozen=True, kw_only=kw_only, eq=eq, init=init)

    return made if cls is None else made(cls)


@overload
def define(cls: type[T], /) -> type[T]: ...
@overload
def define(*, kw_only: bool = ..., eq: bool = ..., init: bool = ...) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(field_specifiers=(field,))
def define(cls: type[T] | None = None, /, *, kw_only: bool = False, eq: bool = True, init: bool = True) -> Any:
    """A class whose objects may change; equal when class and fields are (then without a hash)."""

    def made(cls: type[T]) -> type[T]:
        return build(cls, is_frozen=False, kw_only=kw_only, eq=eq, init=init)

    return made if cls is None else made(cls)


def fields(cls: type) -> tuple[Field, ...]:
    """The fields, inherited ones first."""
    return cls.__attrs_attrs__  # type: ignore[attr-defined,no-any-return]


def evolve(value: T, /, **changes: Any) -> T:
    """A copy with some fields changed (named as the constructor's arguments)."""
    for f in fields(type(value)):
        if f.init and f.alias not in changes:
            changes[f.alias] = getattr(value, f.name)
    return type(value)(**changes)


def asdict(value: object) -> dict[str, Any]:
    """The fields by name."""
    return {f.name: getattr(value, f.name) for f in fields(type(value))}


def build(
    cls: type[T],
    *,
    is_frozen: bool,
    kw_only: bool = False,
    eq: bool = True,
    init: bool = True,
    base: type | None = None,
) -> type[T]:
    """``cls`` made again with slots and what its objects need; also as a subclass of ``base``.

    What the class defines itself stays. ``TypeError`` where a field without a default follows one with, or is
    declared by attrs' own functions.
    """
    space = {name: member for name, member in cls.__dict__.items() if name not in ("__dict__", "__weakref__")}
    members = list(space.values())
    mine = list(_take_fields(cls, space, kw_only=kw_only))
    names = {f.name for f in mine}
    every = (*(f for f in getattr(cls, "__attrs_attrs__", ()) if f.name not in names), *mine)
    positional = [f for f in every if f.init and not f.kw_only]
    if sorted(positional, key=lambda f: f.optional) != positional:
        raise TypeError(f"{cls.__qualname__}: a field without a default follows one with")
    bases = cls.__bases__
    if base is not None and not issubclass(cls, base):
        bases = (base, *(b for b in bases if b is not object))
    taken = {name for b in bases for c in b.__mro__ for name in c.__dict__.get("__slots__", ())}
    weak = () if any(hasattr(b, "__weakref__") for b in bases) else ("__weakref__",)
    space["__slots__"] = (*sorted(names - taken), *weak)
    space["__attrs_attrs__"] = every
    space["__match_args__"] = tuple(f.name for f in positional)
    space.setdefault("__repr__", _repr)
    if is_frozen:
        space |= {"__setattr__": _refuse, "__delattr__": _refuse, "__setstate__": _set_state}
    if eq and "__eq__" not in space:
        space["__eq__"] = _Later(_write_eq)
        space.setdefault("__hash__", _Later(_write_hash) if is_frozen else None)
    if init and "__init__" not in space:
        space["__init__"] = _Later(_write_frozen_init if is_frozen else _write_init)
    metaclass: Any = type(cls)
    made = metaclass(cls.__name__, bases, space)
    _repoint(members, cls, made)
    return made  # type: ignore[no-any-return]


def _take_fields(cls: type, space: dict[str, Any], *, kw_only: bool) -> Iterator[Field]:
    """The fields that ``cls`` declares itself; their defaults leave ``space``, where slots will stand."""
    for name, kind in cls.__annotations__.items():
        if str(kind).startswith(("ClassVar", "typing.ClassVar")):
            continue
        default = space.pop(name, _NONE)
        if type(default).__module__.partition(".")[0] in ("attr", "attrs"):
            raise TypeError(f"{cls.__qualname__}.{name}: a field of attrs in a class of ours")
        made = default if isinstance(default, Field) else Field(default)
        made.name = name
        made.alias = made.alias or name
        made.kw_only = kw_only
        yield made


def _repoint(members: list[Any], old: type, new: type) -> None:
    """Point methods that use ``super()`` or ``__class__`` at the new class."""
    for member in members:
        function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        for cell in (function.__closure__ or ()) if isinstance(function, FunctionType) else ():
            if cell.cell_contents is old:
                cell.cell_contents = new


class _Later:
    """A method that is written when it is first looked up."""

    __slots__ = ("name", "owner", "write")

    def __init__(self, write: Callable[[type], FunctionType]) -> None:
        self.write = write

    def __set_name__(self, owner: type, name: str) -> None:
        self.owner = owner
        self.name = name

    def __get__(self, value: object, cls: type | None = None) -> Any:
        function = self.write(self.owner)
        function.__qualname__ = f"{self.owner.__qualname__}.{self.name}"
        setattr(self.owner, self.name, function)
        return function if value is None else function.__get__(value, cls)


def _compile(owner: type, source: str, names: dict[str, Any]) -> FunctionType:
    """The one function that ``source`` defines."""
    space: dict[str, Any] = {"__name__": owner.__module__}
    exec(compile(source, f"<{owner.__module__}.{owner.__qualname__}>", "exec"), names, space)  # noqa: S102 (our own words)
    (function,) = (f for f in space.values() if isinstance(f, FunctionType))
    function.__module__ = owner.__module__
    return function


def _write_init(cls: type) -> FunctionType:
    """The constructor of a class whose objects may change."""
    return _constructor(cls, "self.{name} = {value}", {})


def _write_frozen_init(cls: type) -> FunctionType:
    """The constructor of a frozen class: slots are set past ``__setattr__``."""
    return _constructor(
        cls, "set_{name}(self, {value})", {f"set_{f.name}": getattr(cls, f.name).__set__ for f in fields(cls)}
    )


def _constructor(cls: type, statement: str, names: dict[str, Any]) -> FunctionType:
    positional, keyword, lines = ["self"], list[str](), list[str]()
    names["NONE"] = _NONE
    for f in fields(cls):
        value = f.alias
        if not f.init:
            value = f"default_{f.name}"
        elif f.optional:
            (keyword if f.kw_only else positional).append(f"{value}=" + ("NONE" if f.factory else f"default_{f.name}"))
        else:
            (keyword if f.kw_only else positional).append(value)
        if f.factory is not None:
            names[f"make_{f.name}"] = f.factory
            value = f"make_{f.name}() if {value} is NONE else {value}" if f.init else f"make_{f.name}()"
        elif f.default is not _NONE:
            names[f"default_{f.name}"] = f.default
        elif not f.init:
            continue  # it stays unset
        lines.append(statement.format(name=f.name, value=value))
    if hasattr(cls, "__attrs_post_init__"):
        lines.append("self.__attrs_post_init__()")
    arguments = ", ".join([*positional, *(["*", *keyword] if keyword else [])])
    body = "".join(f"\n    {line}" for line in lines or ["pass"])
    return _compile(cls, f"def __init__({arguments}):{body}\n", names)


def _write_eq(cls: type) -> FunctionType:
    """Equality of class and fields."""
    tests = [f"self.{f.name} == other.{f.name}" for f in fields(cls) if f.eq]
    return _compile(
        cls,
        "def __eq__(self, other):\n"
        "    if other.__class__ is not self.__class__:\n"
        "        return NotImplemented\n"
        f"    return {' and '.join(tests) or 'True'}\n",
        {},
    )


def _write_hash(cls: type) -> FunctionType:
    """A hash that follows from the fields that equality looks at."""
    values = "".join(f"self.{f.name}, " for f in fields(cls) if f.eq)
    return _compile(cls, f"def __hash__(self):\n    return hash(({values}))\n", {})


def _repr(self: object) -> str:
    """The constructor call that makes an equal object."""
    name = type(self).__qualname__.rsplit(">.", 1)[-1]
    shown = (f"{f.name}={getattr(self, f.name, _NONE)!r}" for f in fields(type(self)) if f.repr)
    return f"{name}({', '.join(shown)})"


def _refuse(self: object, name: str, value: object = None) -> None:  # noqa: ARG001 (the data model's interface)
    raise FrozenError(f"{type(self).__name__}.{name} never changes")


def _set_state(self: object, state: tuple[None, dict[str, Any]]) -> None:
    """What ``copy`` needs."""
    for name, value in state[1].items():
        object.__setattr__(self, name, value)
