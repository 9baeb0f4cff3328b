"""Encoding, digests and equality: canonical, exact, and never anything but StateError for bad bytes."""

from __future__ import annotations

import enum
import math
import struct
import subprocess
import sys
from pathlib import Path

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lindref import classes
from lindref.state.codec import StateError, decode, digest, encode, same
from lindref.state.equal import identical
from lindref.state.pmap import LIMIT, PMap
from lindref.state.records import adopt, enumeration, record, replace


@record("test.pair")
class Pair:
    left: object
    right: object = None


@record("test.pair", version=2)
class Pair2:
    left: object
    right: object = None


@record("test.unit")
class Unit:
    pass


@record("test.checked")
class Checked:
    n: int

    def __attrs_post_init__(self) -> None:
        if self.n < 0:
            raise ValueError(f"'n' must be >= 0: {self.n}")


@enumeration("test.colour")
class Colour(enum.Enum):
    RED = 1
    BLUE = 2


@enumeration("test.number")
class Number(enum.IntEnum):
    ONE = 1


@enumeration("test.bits")
class Bits(enum.IntFlag):
    A = 1
    B = 2


@attrs.frozen
class Foreign:
    name: str
    inside: object


adopt("test.foreign", Foreign)


def from_bits(bits: int) -> float:
    value: float = struct.unpack("<d", struct.pack("<Q", bits))[0]
    return value


FLOATS = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, math.inf, -math.inf]),
    st.integers(0, LIMIT - 1).map(from_bits),
    st.integers(1, 2**52 - 1).map(lambda n: from_bits(0x7FF0_0000_0000_0000 | n)),
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 300),
    st.integers(-(2**70), 2**70),
    st.integers(1900, 2000).map(lambda n: 3**n),
    FLOATS,
    st.text(max_size=5),
    st.sampled_from(["\ud800", "\ud800\udc00", "\U00010000"]),
    st.binary(max_size=5),
    st.sampled_from([Colour.RED, Colour.BLUE, Number.ONE, Bits.A, Bits.B, Bits.A | Bits.B, Bits(0)]),
    st.frozensets(st.one_of(st.integers(-2, 2), st.text(max_size=2)), max_size=4),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.one_of(st.integers(0, 40), st.integers(0, LIMIT - 1)), inner, max_size=4).map(PMap),
        st.builds(Pair, inner, inner),
        st.builds(Pair2, inner, inner),
        st.builds(Foreign, st.text(max_size=2), inner),
        inner.map(lambda v: Pair(v, v)),
        st.just(Unit()),
    ),
    max_leaves=12,
)


def plain(value: object) -> object:
    """A value as nested lists of strings whose ``==`` is obviously equality of states."""
    kind = type(value).__name__
    if isinstance(value, float):
        return [kind, struct.pack("<d", value).hex()]
    if isinstance(value, tuple):
        return [kind, *(plain(v) for v in value)]
    if isinstance(value, PMap):
        return [kind, *([k, plain(v)] for k, v in value.items())]
    if isinstance(value, frozenset):
        return [kind, *sorted(repr(v) for v in value)]
    if attrs.has(type(value)):
        return [kind, *(plain(getattr(value, field.name)) for field in attrs.fields(type(value)))]
    return [kind, repr(value)]


@given(VALUES)
@example((b"x" * 300, tuple(range(300)), 2**64, 2**64 - 1, -(2**64), -(2**64) - 1))
def test_round_trip(value: object) -> None:
    data = encode(value)
    back = decode(data)
    assert plain(back) == plain(value)
    assert encode(back) == data
    assert digest(back) == digest(value)
    assert identical(back, value)
    assert same(back, value)


@given(VALUES, VALUES)
@example(0.0, -0.0)
@example((1,), (True,))
@example((1,), (1.0,))
@example(Number.ONE, 1)
@example(Bits.A, 1)
@example(Pair(1, 2), Pair2(1, 2))
@example(((1,), 2), ((1, 2),))
@example(Pair(from_bits(0x7FF8000000000001)), Pair(from_bits(0x7FF8000000000002)))
@example(Pair(from_bits(0xFFF8000000000000)), Pair(from_bits(0x7FF8000000000000)))
@example("a", b"a")
@example("\ud800\udc00", "\U00010000")
@example(PMap(), ())
@example(PMap({0: None}), PMap())
@example(b"\x00", b"\x00\x00")
@example(frozenset([1]), (1,))
@example(frozenset(["1"]), frozenset([1]))
@example(Foreign("a", 0.0), Foreign("a", -0.0))
@example(Unit(), ())
@example(digest(Unit()), Unit())
def test_equality_digest_and_bytes_agree(a: object, b: object) -> None:
    truth = plain(a) == plain(b)
    assert identical(a, b) == truth
    assert (encode(a) == encode(b)) == truth
    assert (digest(a) == digest(b)) == truth
    assert same(a, b) == truth
    assert identical(a, b) == truth  # once more, with digests known
    if isinstance(a, Pair) and isinstance(b, Pair):
        assert (a == b) == truth
        assert not truth or hash(a) == hash(b)


@given(VALUES)
def test_every_prefix_is_refused(value: object) -> None:
    data = encode(value)
    for end in range(len(data)):
        with pytest.raises(StateError, match="offset"):
            decode(data[:end])
    with pytest.raises(StateError, match="after the end"):
        decode(data + b"\0")


@given(VALUES, st.data())
def test_damage_is_refused_or_another_value(value: object, data: st.DataObject) -> None:
    whole = bytearray(encode(value))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    message = "offset"
    try:
        back = decode(bytes(whole))
    except StateError as error:
        message = str(error)
    else:
        assert encode(back) == bytes(whole)
    assert "offset" in message
    assert "\n" not in message


@given(st.binary(max_size=40))
def test_noise(data: bytes) -> None:
    try:
        back = decode(data)
    except StateError:
        pass
    else:
        assert encode(back) == data


def described(name: bytes, version: int, fields: int) -> bytes:
    return bytes([0, len(name)]) + name + bytes([version, fields])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "1 more bytes are declared than there are (offset 0)"),
        (b"\x10", "unknown tag 0x10 (offset 0)"),
        (b"\x03\x05", "an integer is not in its shortest form (offset 0)"),
        (b"\x03\xff\x00", "a number is not in its shortest form (offset 1)"),
        (b"\x03" + b"\xff" * 10, "a number has more than 64 bits (offset 1)"),
        (b"\x03" + b"\xff" * 9 + b"\x02", "a number has more than 64 bits (offset 1)"),
        (b"\x05\x01\x00", "an integer is not in its shortest form (offset 0)"),
        (b"\x05\x0a" + b"\x00\x01" + b"\0" * 8, "an integer is not in its shortest form (offset 0)"),
        (b"\x05\x00", "an integer is not in its shortest form (offset 0)"),
        (b"\x08\x02\xc0\x80", "a string is not UTF-8 (offset 1)"),
        (b"\x09\xff\xff\xff\xff\x0f", "4294967295 more bytes are declared than there are (offset 6)"),
        (b"\x0a\xff\xff\xff\xff\x0f", "4294967295 values are declared, but the bytes end sooner (offset 0)"),
        (b"\x0c\x02\x00\x00", "2 values are declared, but the bytes end sooner (offset 0)"),
        (b"\x0b\x02\x41\x40", "a set is not in order (offset 0)"),
        (b"\x0b\x02\x40\x40", "a set is not in order (offset 0)"),
        (b"\x0b\x01\x0a\x00", "a set holds something else than integers and strings (offset 0)"),
        (b"\x0b\x01\x01", "a set holds something else than integers and strings (offset 0)"),
        (b"\x0d" + described(b"no.such", 1, 0), "unknown record 'no.such' version 1 (offset 1)"),
        (b"\x0d" + described(b"test.unit", 2, 0), "unknown record 'test.unit' version 2 (offset 1)"),
        (b"\x0d" + described(b"test.unit", 1, 1) + b"\0", "the record 'test.unit' has 0 fields, not 1 (offset 1)"),
        (b"\x0d\x01", "class 1 is used before it is described (offset 1)"),
        (b"\x0d" + described(b"test.colour", 1, 0), "'test.colour' is an enum, not a record (offset 0)"),
        (b"\x0e" + described(b"test.unit", 1, 0), "'test.unit' is a record, not an enum (offset 0)"),
        (
            b"\x0e" + described(b"test.colour", 1, 0) + b"\x08\x01X",
            "the enum 'test.colour' has no member 'X' (offset 0)",
        ),
        (
            b"\x0e" + described(b"test.colour", 1, 0) + b"\x41",
            "the enum 'test.colour' has no member of that kind or number (offset 0)",
        ),
        (
            b"\x0a\x02\x0d" + described(b"test.unit", 1, 0) + b"\x0d\x01" + b"\x09test.unit\x01\0",
            "the record 'test.unit' is described twice (offset 17)",
        ),
        (
            b"\x0a\x02\x0d" + described(b"test.unit", 1, 0) + b"\x0d\0",
            "an object is written a second time instead of referred to (offset 16)",
        ),
        (b"\x0f\x00", "a reference to object 0, which is not complete yet (offset 0)"),
        (
            b"\x0d" + described(b"test.checked", 1, 1) + b"\x04\x00",
            "not a 'test.checked': 'n' must be >= 0: -1 (offset 0)",
        ),
        (b"\x0c\x02" + b"\xff" * 9 + b"\x01\x00\x00\x00", "key 18446744073709551616 is not in 0..2**64-1 (offset 13)"),
    ],
)
def test_refusals_name_what_and_where(data: bytes, message: str) -> None:
    with pytest.raises(StateError) as caught:
        decode(data)
    assert str(caught.value) == message


def test_depth_has_no_bound() -> None:
    chain: object = None
    nest: object = ()
    for i in range(200_000):
        chain = Pair(i, chain)
        nest = (nest,)
    for value in (chain, nest):
        data = encode(value)
        back = decode(data)
        assert encode(back) == data
        assert same(back, value)
        assert identical(back, value)
    crafted = b"\x0b\x01" + b"\x0a\x01" * 200_000 + b"\x40"
    with pytest.raises(StateError, match="a set holds"):
        decode(crafted)
    crafted = b"\x0e" + described(b"test.colour", 1, 0) + b"\x0a\x01" * 200_000 + b"\x40"
    with pytest.raises(StateError, match="no member"):
        decode(crafted)


def test_sharing_survives_and_does_not_multiply() -> None:
    value: object = Pair(1, b"x" * 1000)
    for _ in range(60):
        value = Pair(value, value)
    data = encode(value)
    assert len(data) < 1400
    back = decode(data)
    assert isinstance(back, Pair)
    assert back.left is back.right
    assert same(back, value)
    # By value, not by identity: objects made apart are one on the wire.
    assert encode((Pair(1, 2), Pair(1, 2))) == encode((Pair(1, 2),) * 2)
    assert encode((PMap({1: 2}), PMap({1: 2}), PMap(), PMap())).count(b"\x0c") == 2


def test_what_a_state_cannot_hold() -> None:
    class Sub(int):
        pass

    class Strange(enum.Enum):
        X = 1

    for bad in ([], {}, memoryview(b"x"), Sub(1), Strange.X, object(), frozenset([1.5]), frozenset([True])):
        for function in (encode, digest):
            with pytest.raises(TypeError, match=r"a state can(not hold| hold only)"):
                function((1, Pair(bad)))


def test_a_byte_array_is_the_bytes_it_holds() -> None:
    array, plain = Pair(bytearray(b"xyz")), Pair(b"xyz")
    assert encode(array) == encode(plain)
    assert digest(array) == digest(plain)
    assert same(array, plain)
    assert type(decode(encode(array)).left) is bytes
    assert not same(array, Pair(b"xyw"))


def test_digest_is_kept_and_costs_what_is_new() -> None:
    base = PMap({k: Pair(k, b"x" * 100) for k in range(20_000)})
    one = Pair(base)
    first = digest(one)
    changed = Pair(base.set(7, Pair(7, b"y")))
    missing = sum(1 for _, v in changed.left.items() if getattr(v, "_digest", None) is None)  # type: ignore[attr-defined]
    assert missing == 1
    assert digest(changed) != first
    assert digest(Pair(changed.left.set(7, Pair(7, b"x" * 100)))) == first  # type: ignore[attr-defined]


def test_digest_is_the_same_in_every_process() -> None:
    program = (
        "from lindref.state.codec import *; from lindref.state.pmap import PMap;"
        "v = (1, -5, 2**80, 1.5, 'é', b'x', frozenset(['a', 'b', 1]), PMap({5: (None, True)}));"
        "print(digest(v).hex(), encode(v).hex())"
    )
    outputs = set()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            cwd=Path(__file__).resolve().parents[2],
            capture_output=True,
            check=True,
            text=True,
        )
        outputs.add(done.stdout)
    # Written down: whoever changes these changes the format, and must raise its version in state.saved.
    written = "0a08410404050b010000000000000000000007000000000000f83f0802c3a90901780b03410801610801620c01050a020002"
    assert outputs == {f"c2478bd36a534672cf2fad3f46d8a928 {written}\n"}


class TestRecords:
    def test_frozen_and_small(self) -> None:
        pair = Pair(1, 2)
        with pytest.raises(classes.FrozenError):
            pair.left = 3  # type: ignore[misc]
        assert not hasattr(pair, "__dict__")
        assert repr(pair) == "Pair(left=1, right=2)"

    def test_replace(self) -> None:
        pair = Pair(1, 2)
        digest(pair)
        other = replace(pair, right=3)
        assert other == Pair(1, 3)
        assert same(other, Pair(1, 3))
        assert pair == Pair(1, 2)
        with pytest.raises(TypeError, match="Pair has no field 'middle'"):
            replace(pair, middle=3)
        with pytest.raises(ValueError, match="must be >= 0"):
            replace(Checked(1), n=-1)

    def test_equality_never_crosses_classes(self) -> None:
        assert Pair(1, 2) != Pair2(1, 2)
        assert Pair(1, 2) != (1, 2)
        assert Pair(1, 2) == Pair(1, 2)
        assert len({Pair(1, 2), Pair(1, 2), Pair(1, True)}) == 2

    def test_names_are_taken_once(self) -> None:
        with pytest.raises(TypeError, match=r"'test\.pair' version 1 is registered twice"):

            @record("test.pair")
            class Other:
                x: int

        with pytest.raises(TypeError, match="registered twice"):
            adopt("test.again", Colour)

    def test_fields_are_positional(self) -> None:
        with pytest.raises(TypeError, match="'x' must be a positional argument"):

            @record("test.keyword")
            class Keyword:
                x: int = classes.field(init=False)

    def test_methods_with_super(self) -> None:
        @record("test.super")
        class Super:
            x: int

            def text(self) -> str:
                return f"{super().__repr__()[0]}{__class__.__name__}"  # type: ignore[name-defined]

            @property
            def twice(self) -> str:
                return self.text() + super().__repr__()[0]

            @classmethod
            def make(cls) -> object:
                return super().__new__(cls)

        assert Super(1).text() == "<Super"
        assert Super(1).twice == "<Super<"
        assert type(Super.make()) is Super
