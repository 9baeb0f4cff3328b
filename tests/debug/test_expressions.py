"""C values and expressions by DWARF, and debug information that is broken."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from walking import DATA, debugger

from lindref.debug.breakpoints import AtLine
from lindref.debug.debugger import Debugger
from lindref.debug.expressions import Assignment, ExpressionError, evaluate, value_of
from lindref.debug.frames import GuestFrame
from lindref.debug.symbols import Symbols
from lindref.debug.types import INT, Array, FunctionType, Named, Pointer
from lindref.debug.values import quoted
from lindref.wasm.binary.decoder import decode
from lindref.wasm.module import Custom


def standing(name: str = "walk.wasm") -> tuple[Debugger, GuestFrame]:
    """In ``sum``, in its first round."""
    one = debugger(name)
    one.add(AtLine("walk.c", 61))
    one.run()
    return one, one.stack()[0]


@pytest.fixture(scope="module")
def frame() -> GuestFrame:
    return standing()[1]


_SECOND = (
    '{.next = 0x10110, .name = 0x10058 "two", .at = {.x = 2, .y = 0}, .colour = GREEN, .flags = 5, .rest = 0, '
    '.weight = 1.5, .both = {.whole = 16909060, .parts = "\\x04\\x03\\x02\\x01"}}'
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("total", "0"),
        ("p->at.x + 1", "2"),
        ("p->next->next->at.x", "3"),
        ("*p->next", _SECOND),
        ("nodes[1].weight * 2", "3.0"),
        ("&nodes[2] - &nodes[0]", "2"),
        ("(&nodes[0])[2].name[1]", "104 'h'"),
        ("nodes[0].both.parts[3]", "1 '\\x01'"),
        ("GREEN == 5 && RED == 0 || *(int *)0", "1"),
        ("0 && *(int *)0xfffffff0", "0"),
        ("1 ? 2 : *(int *)0xfffffff0", "2"),
        ("sizeof(struct node) + sizeof p", "44"),
        ("(unsigned char)300 + 'a'", "141"),
        ("-1 < 0u", "0"),
        ("-7 / 2 * 100 + -7 % 2", "-301"),
        ("1 << 4 | 0x0f & ~1", "30"),
        ("7.5 / 2", "3.75"),
        ("!p + !0", "1"),
        ("text", '"walk"'),
        ("text[0] == 'w' && counter == 7", "1"),
        ("*(struct point *)&p->at", "{.x = 1, .y = 0}"),
        ("(unsigned)-1", "4294967295"),
        ("0x7fffffffffffffffLL + 0", str(2**63 - 1)),
        ("017 + 0b11", "18"),
        ("(long long)1 << 40", str(1 << 40)),
        ("$cage * 10 + $tid", "11"),
        ("'\\x41' + '\\n'", "75"),
        ("(((((1)))))", "1"),
    ],
)  # fmt: skip
def test_expressions(frame: GuestFrame, text: str, expected: str) -> None:
    assert value_of(text, frame).text() == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "ends too soon"),
        ("nothing", "no nothing here"),
        ("p->nothing", "no member nothing"),
        ("total->x", "is no pointer"),
        ("*total", "is no pointer"),
        ("total[1]", "has no elements"),
        ("1 / 0", "division by zero"),
        ("1.0 / 0", "division by zero"),
        ("1 << 99", "shift by 99"),
        ("&1", "has no address"),
        ("~1.5", "floating-point"),
        ("p + p", "not added"),
        ("(struct nothing)1", "no struct nothing"),
        ("(int unsigned char)1", "is no type"),
        ("1 + 2 3", "was not expected"),
        ("(1", "')' missing"),
        ("1 = 2", "cannot be assigned to"),
        ("p = 3", "an assignment has no place"),
        ("@", "is not understood"),
        ("'ab'", "is not understood"),
        ("09", "no octal number"),
        ("$nothing", "no $nothing here"),
        ("99999999999999999999", "more than 64 bits"),
        ("*(int *)0xfffffff0 + 1", "cannot be read"),
        ("(" * 400 + "1" + ")" * 400, "nested too deeply"),
        ("1" * 5000, "too long"),
    ],
)  # fmt: skip
def test_what_cannot_be_evaluated_is_said_in_a_line(frame: GuestFrame, text: str, why: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        value_of(text, frame)
    assert why in str(caught.value) and "\n" not in str(caught.value)


_WORDS = (
    "p -> at . x nodes [ ] ( ) + - * / % & | ~ ! < > = == && || ? : 1 0 0x7f 1.5 'a' int struct node sizeof "
    "$0 $s0 $g0 text"
).split()


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(_WORDS), max_size=14))
def test_anything_is_a_value_or_one_line(words: list[str]) -> None:
    if not _SHARED:
        _SHARED["frame"] = standing()[1]
    found = _SHARED["frame"]
    said = ""
    try:
        value = evaluate(" ".join(words), found)
    except ExpressionError as error:
        said = str(error) or "\n"
    else:
        said = "" if isinstance(value, Assignment) else value.text()
    assert "\n" not in said


_SHARED: dict[str, Any] = {}


def test_wasm_values_are_there_too(frame: GuestFrame) -> None:
    assert value_of("$g___stack_pointer", frame).number() == value_of("$g0", frame).number()
    assert value_of("$0", frame).number() == frame.locals()[0][1]
    assert value_of("$pc", frame).number() == frame.offset


def test_assignments_of_every_kind() -> None:
    """Bit fields leave their neighbours alone; locals, memory, structures, pointers; and what is assigned stays."""
    one, frame = standing()
    for text, look, expected in (
        ("nodes[0].flags = 2", "nodes[0].flags * 100 + nodes[0].rest", "200"),
        ("nodes[0].rest = 9", "nodes[0].flags * 100 + nodes[0].rest", "209"),
        ("nodes[0].at = nodes[2].at", "nodes[0].at.x", "3"),
        ("total = -5", "total", "-5"),
        ("p = &nodes[1]", "p->name", '0x10058 "two"'),
        ("nodes[2].weight = 1", "nodes[2].weight", "1.0"),
        ("text[0] = 'T'", "text", '"Talk"'),
        ("nodes[1].colour = 1 + 1", "nodes[1].colour", "2"),
        ("$0 = 77", "$0", "77"),
    ):
        one.evaluate(text, frame)
        assert value_of(look, one.stack()[0]).text() == expected, text
    here = one.position
    one.step("in", lines=False)
    one.back("in", lines=False)
    assert one.position == here and value_of("text", one.stack()[0]).text() == '"Talk"'
    for wrong in ("nodes[0].at = 3", "(1) = 2", "p->name[0] = 'x' = 3", "sum = 3"):
        with pytest.raises(ExpressionError):
            one.evaluate(wrong, one.stack()[0])


def test_types_as_c_writes_them() -> None:
    point = Pointer(lambda: INT)
    assert Pointer(lambda: Array(INT, 3)).declare("a") == "int (*a)[3]"
    assert Array(point, None).declare("a") == "int *a[]"
    callback = FunctionType(lambda: INT, lambda: (point, INT))
    assert Pointer(lambda: callback).declare("f") == "int (*f)(int *, int)"
    assert Named("", lambda: point, "const").declare("p") == "int *const p"
    assert Pointer(lambda: Named("", lambda: INT, "const")).declare("p") == "const int *p"
    circle: Named = Named("round", lambda: circle)
    assert circle.plain.name == "void"


def test_text_as_c_writes_it() -> None:
    assert quoted(b'a"\\\n\x00\xff' + "ü".encode()) == '"a\\"\\\\\\n\\0\\xffü"'
    assert quoted(b"'", "'") == "'\\''"


def test_optimised_code_says_what_it_has() -> None:
    one, frame = standing("walk2.wasm")
    assert frame.name == "sum" and frame.inlined
    outer = one.stack()[-1]
    assert value_of("me", outer).number() == 1
    with pytest.raises(ExpressionError, match="optimised away"):
        value_of("uid", outer)


@pytest.mark.parametrize("section", [".debug_info", ".debug_abbrev", ".debug_line", ".debug_str", ".debug_loclists"])
def test_broken_debug_information_spoils_only_itself(section: str) -> None:
    """Whatever bytes are wrong: there are fewer names, one line for each problem, and no exception."""
    chance = random.Random(section)
    for _ in range(12):
        module = decode(Path(DATA, "walk2.wasm").read_bytes())
        customs = []
        for custom in module.customs:
            data = bytearray(custom.data)
            if custom.name == section:
                for _ in range(chance.randrange(1, 30)):
                    data[chance.randrange(len(data))] = chance.randrange(256)
                data = data[: chance.randrange(1, len(data) + 1)] if chance.random() < 0.3 else data
            customs.append(Custom(custom.name, bytes(data)))
        module.customs = tuple(customs)
        symbols = Symbols(module)
        for code in module.codes:
            offset = code.body[len(code.body) // 2].offset
            function = symbols.function(offset)
            if function is not None:
                address = symbols.address(offset)
                assert isinstance(function.name, str)
                function.inlined(address)
                for variable in function.variables(address):
                    variable.location(address)
                    _walk(variable.type, 3)
        for variable in symbols.globals():
            _walk(variable.type, 3)
        symbols.find_type("node", "struct")
        symbols.enumerator("GREEN")
        assert all("\n" not in problem for problem in symbols.problems)


def _walk(kind: Any, depth: int) -> None:
    """Everything of a type that is read when it is asked for."""
    assert isinstance(kind.name, str) and isinstance(kind.size, int)
    if depth:
        for inner in ("target", "element"):
            if hasattr(kind, inner):
                _walk(getattr(kind, inner), depth - 1)
        for member in getattr(kind, "members", ()):
            _walk(member.type, depth - 1)
