"""The data classes: what attrs' own are, but made without generating code until they are used."""

import copy
import inspect
import pickle
from typing import ClassVar

import attrs
import pytest

from lindref import classes

MADE: list[str] = []


def fresh() -> list[int]:
    MADE.append("list")
    return []


@classes.frozen
class Point:
    x: int
    y: int = 2
    label: str = classes.field(default="", eq=False, repr=False)
    kind: ClassVar[str] = "point"


@classes.define
class Bag:
    name: str
    items: list[int] = classes.Factory(fresh)
    more: dict[str, int] = classes.field(factory=dict)
    _inner: int = classes.field(default=7, alias="inner")
    unset: int = classes.field(init=False)
    seen: list[int] = classes.field(factory=list, init=False)


@classes.frozen(kw_only=True)
class Event:
    n: int
    cage: int = 1


@classes.frozen(kw_only=True)
class Enter(Event):
    name: str


def test_frozen_objects_are_equal_by_fields_and_never_change() -> None:
    point = Point(1)
    assert (point.x, point.y, point.kind) == (1, 2, "point")
    assert point == Point(1, 2, "another label")
    assert hash(point) == hash(Point(1))
    assert point != Point(1, 3)
    assert point != (1, 2, "")
    assert repr(point) == "Point(x=1, y=2)"
    for name in ("x", "z"):
        with pytest.raises(classes.FrozenError, match=rf"Point\.{name} never changes"):
            setattr(point, name, 5)
    with pytest.raises(AttributeError):
        del point.x  # type: ignore[misc]
    assert not hasattr(point, "__dict__")


def test_defaults_are_made_anew_for_each_object() -> None:
    MADE.clear()
    one, other = Bag("one"), Bag("other", inner=9)
    assert MADE == ["list", "list"]
    assert one.items is not other.items
    assert one.more is not other.more
    assert one.seen == []
    assert (one._inner, other._inner) == (7, 9)
    assert not hasattr(one, "unset")
    one.name = "changed"
    assert one.name == "changed"
    with pytest.raises(TypeError):
        hash(one)
    assert Bag("a", [1]).items == [1]


def test_inherited_fields_come_first_and_may_need_their_names() -> None:
    event = Enter(n=1, name="read")
    assert [f.name for f in classes.fields(Enter)] == ["n", "cage", "name"]
    assert event == Enter(name="read", n=1, cage=1)
    assert event != Event(n=1)
    with pytest.raises(TypeError):
        Enter(1, 2, "read")  # type: ignore[misc]
    assert "cage" not in Enter.__slots__  # type: ignore[attr-defined]


def test_a_changed_default_takes_the_inherited_fields_place() -> None:
    @classes.frozen
    class Base:
        a: int
        b: int = 1

    @classes.frozen
    class Derived(Base):
        b: int = 5

    assert Derived(1) == Derived(1, 5)
    assert [f.name for f in classes.fields(Derived)] == ["a", "b"]


def test_methods_are_written_when_they_are_first_looked_up() -> None:
    @classes.frozen
    class Late:
        a: int

    written = {name: type(Late.__dict__[name]).__name__ for name in ("__init__", "__eq__", "__hash__")}
    assert set(written.values()) == {"_Later"}
    made = Late(1)
    assert inspect.isfunction(Late.__dict__["__init__"])
    assert str(inspect.signature(Late)) == "(a)"
    assert type(Late.__dict__["__hash__"]).__name__ == "_Later"
    assert len({made, Late(1)}) == 1
    assert inspect.isfunction(Late.__dict__["__hash__"])


def test_own_methods_stay() -> None:
    @classes.frozen
    class Own:
        a: int

        def __init__(self, text: str) -> None:
            object.__setattr__(self, "a", int(text))

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 3

        def __repr__(self) -> str:
            return "mine"

        def up(self) -> str:
            return super().__repr__()

        @property
        def cls(self) -> type:
            return __class__  # type: ignore[name-defined,no-any-return]

    own = Own("12")
    assert own.a == 12
    assert own == 5
    assert hash(own) == 3
    assert repr(own) == "mine"
    assert "Own object" in own.up()
    assert own.cls is Own


def test_after_the_constructor_a_class_may_check() -> None:
    @classes.define
    class Checked:
        a: int

        def __attrs_post_init__(self) -> None:
            if self.a < 0:
                raise ValueError("negative")

    assert Checked(1).a == 1
    with pytest.raises(ValueError, match="negative"):
        Checked(-1)


def test_a_field_without_a_default_may_not_follow_one_with() -> None:
    with pytest.raises(TypeError, match="without a default"):

        @classes.frozen
        class Wrong:
            a: int = 1
            b: int  # type: ignore[misc]


def test_a_field_of_attrs_is_refused() -> None:
    with pytest.raises(TypeError, match="a field of attrs"):

        @classes.define
        class Wrong:
            a: int = attrs.field(default=1)


def test_copies() -> None:
    point = Point(1, 2, "here")
    assert classes.evolve(point, y=5) == Point(1, 5)
    assert classes.evolve(point, y=5).label == "here"
    assert classes.evolve(Bag("a", inner=3), name="b")._inner == 3
    assert classes.asdict(point) == {"x": 1, "y": 2, "label": "here"}
    for other in (copy.copy(point), copy.deepcopy(point), pickle.loads(pickle.dumps(point))):
        assert other == point
        assert other.label == "here"
    match point:
        case Point(x, y):
            assert (x, y) == (1, 2)


def test_attrs_understands_them() -> None:
    assert attrs.evolve(Point(1), x=2) == Point(2)
    assert attrs.evolve(Bag("a", inner=3), name="b")._inner == 3
    assert [f.name for f in attrs.fields(Point)] == ["x", "y", "label"]
    assert attrs.asdict(Enter(n=1, name="a")) == {"n": 1, "cage": 1, "name": "a"}
