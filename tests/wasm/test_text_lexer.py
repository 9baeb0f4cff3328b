"""Tokens, comments, strings, identifiers and annotations, fact by fact (spec §6.3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lindref.wasm.errors import Malformed
from lindref.wasm.features import BUILT, Feature
from lindref.wasm.sections import names
from lindref.wasm.text.lexer import complaint, lex
from lindref.wasm.text.parser import parse_module
from lindref.wasm.text.strings import (
    StringError,
    id_name,
    is_id,
    is_string,
    print_id,
    quote_bytes,
    quote_name,
    string_bytes,
    string_name,
)

PLAIN = BUILT - {Feature.ANNOTATIONS}


def texts(source: str | bytes, *, annotations: bool = True) -> list[str]:
    """The tokens without the empty one at the end."""
    tokens = lex(source, annotations=annotations)
    assert tokens.texts[-1] == ""
    assert len(tokens.texts) == len(tokens.lines)
    return tokens.texts[:-1]


def wrong(source: str | bytes, *, annotations: bool = True) -> tuple[str, str]:
    """The first complaint about a token, and where it stands."""
    tokens = lex(source, annotations=annotations)
    for index in range(len(tokens.texts)):
        message = complaint(tokens, index)
        if message is not None:
            return message, tokens.where(index)
    raise AssertionError("nothing is wrong")


# Tokens.


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", []),
        (" \t\r\n", []),
        ("(module)", ["(", "module", ")"]),
        ("((a)b)", ["(", "(", "a", ")", "b", ")"]),
        ("a b\tc\rd\ne", ["a", "b", "c", "d", "e"]),
        ('i32.const"a"', ['i32.const"a"']),  # no space between them: one reserved token
        ('"a""b"', ['"a""b"']),
        ('"a" "b"', ['"a"', '"b"']),
        ('("a")', ["(", '"a"', ")"]),
        ("$a$b", ["$a$b"]),
        ('$"a b"', ['$"a b"']),
        ("!#$%&'*+-./:<=>?@\\^_`|~", ["!#$%&'*+-./:<=>?@\\^_`|~"]),
        ("a,b", ["a", ",", "b"]),
        ("[a]", ["[", "a", "]"]),
        ("a;b", ["a", ";", "b"]),
        ('"(;" ";)"', ['"(;"', '";)"']),
        ('";;" a', ['";;"', "a"]),
        ('"\\"" a', ['"\\""', "a"]),
        ('"\\\\" a', ['"\\\\"', "a"]),
    ],
)
def test_tokens(source: str, expected: list[str]) -> None:
    assert texts(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (";; a\nb", ["b"]),
        (";; a\rb", ["b"]),
        (";; a", []),
        (";;", []),
        (";;;; (; \nb", ["b"]),
        ("(;;)a", ["a"]),
        ("a(;b;)c", ["a", "c"]),
        ("(; (; ;) ;)a", ["a"]),
        ("(;(;(;;);)(;;);)a", ["a"]),
        ("(;;;)a", ["a"]),
        ("(;);)a", ["a"]),
        ("(;(;)a;);)b", ["b"]),
        ('(; "(;" ;) ;)a', ["a"]),  # a string in a comment is no string
        ("(; ;; ;)a", ["a"]),  # nor is a line comment one
        (";; (;\na ;; ;)\nb", ["a", "b"]),
        ("(; \u2603 ;)a", ["a"]),
        ("(;;)(;;)", []),
        ("(\n;;c\n)", ["(", ")"]),
    ],
)
def test_comments(source: str, expected: list[str]) -> None:
    assert texts(source) == expected


@given(st.recursive(st.sampled_from(["a", ";", "(", ")", "\n", '"', " "]), lambda inner: inner | st.lists(inner)))
def test_nested_comments_of_any_shape(tree: object) -> None:
    """Whatever is inside, a comment reaches to the mark that closes it, and no further."""

    def comment(part: object) -> str:
        if isinstance(part, str):
            return f" {part} "
        assert isinstance(part, list)
        return "(;" + "".join(map(comment, part)) + ";)"

    assert texts(f"x {comment([tree])} y") == ["x", "y"]


@pytest.mark.parametrize(
    ("source", "message", "where"),
    [
        ("a (; b", "unclosed comment", "line 1, column 3"),
        ("a (; (; ;) b", "unclosed comment", "line 1, column 3"),
        ('\n  "abc', "unclosed string", "line 2, column 3"),
        ('"a\nb"', "unclosed string", "line 1, column 1"),
        ('"\\', "illegal escape", "line 1, column 1"),
        ('"\\x"', "illegal escape", "line 1, column 1"),
        ('"\\0"', "illegal escape", "line 1, column 1"),
        ('"\\u{}"', "illegal escape", "line 1, column 1"),
        ('"\\u{1__0}"', "illegal escape", "line 1, column 1"),
        ('"\\u{110000}', "unclosed string", "line 1, column 1"),
        ('"\x01"', "illegal character", "line 1, column 1"),
        ('"\x7f"', "illegal character", "line 1, column 1"),
        ("\x00", "illegal character", "line 1, column 1"),
        ("a\u00a0b", "illegal character", "line 1, column 2"),
        ("é", "illegal character", "line 1, column 1"),
        (b"a \xff", "malformed UTF-8 encoding", "line 1, column 3"),
        (b'"\xc0\x80"', "malformed UTF-8 encoding", "line 1, column 1"),
        (b";; \xed\xa0\x80", "malformed UTF-8 encoding", "line 1, column 4"),
        ("$", "empty identifier", "line 1, column 1"),
        ('$""', "empty identifier", "line 1, column 1"),
        ("(@)", "empty annotation id", "line 1, column 1"),
        ('(@"")', "empty annotation id", "line 1, column 1"),
        ("(@a", "unclosed annotation", "line 1, column 1"),
        ("(@a (b)", "unclosed annotation", "line 1, column 1"),
        ('(@a "x)', "unclosed string", "line 1, column 5"),
        ("(@a \x01)", "illegal character", "line 1, column 5"),
        ("(@a (;)", "unclosed comment", "line 1, column 5"),
        ("(@a )(@b", "unclosed annotation", "line 1, column 6"),
    ],
)
def test_complaints(source: str | bytes, message: str, where: str) -> None:
    assert wrong(source) == (message, where)


@given(st.text(alphabet=' \n\r()";$@a1\\u{}é\x01', max_size=40))
def test_nothing_is_lost(source: str) -> None:
    """White space and tokens make the source again, however odd; each token is where it says it is."""
    tokens = lex(source, annotations=False)
    if "(;" not in source:  # comments may be blanked
        assert "".join(trivia + text for trivia, text in tokens.pairs) == source
    for index, text in enumerate(tokens.texts):
        start = tokens.offset(index)
        assert source[start : start + len(text)] == text
        line, column = tokens.position(index)
        before = source[:start].replace("\r\n", " \n").replace("\r", "\n")
        assert (line, column) == (before.count("\n") + 1, start - (before.rfind("\n") + 1) + 1)


# Strings.


@pytest.mark.parametrize(
    ("literal", "data"),
    [
        ('""', b""),
        ('"abc"', b"abc"),
        ('"\\t\\n\\r\\"\\\'\\\\"', b"\t\n\r\"'\\"),
        ('"\\00\\ff\\aF"', b"\0\xff\xaf"),
        ('"\\u{0}\\u{7f}\\u{80}\\u{7ff}\\u{800}"', b"\0\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80"),
        ('"\\u{10FFFF}\\u{D7FF}\\u{e000}"', b"\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80"),
        ('"\\u{000_041}"', b"A"),
        ('"é\u2603\U0001f600"', "é\u2603\U0001f600".encode()),
        ('"\'"', b"'"),
        ('"\u0080\u2028"', "\u0080\u2028".encode()),
    ],
)
def test_strings(literal: str, data: bytes) -> None:
    assert is_string(literal)
    assert string_bytes(literal) == data


@pytest.mark.parametrize("digits", ["d800", "DFFF", "110000", "1_10_0000", "ffffffffffffffffffffff", "0110000"])
def test_escapes_of_no_character(digits: str) -> None:
    literal = f'"\\u{{{digits}}}"'
    assert is_string(literal)
    with pytest.raises(StringError, match=r"^illegal escape$"):
        string_bytes(literal)


@pytest.mark.parametrize("literal", ['"\\ff"', '"\\c0\\80"', '"\\ed\\a0\\80"', '"\\f4\\90\\80\\80"', '"\\e2\\98"'])
def test_names_are_utf8(literal: str) -> None:
    with pytest.raises(StringError, match=r"^malformed UTF-8 encoding$"):
        string_name(literal)
    with pytest.raises(Malformed, match=r"^malformed UTF-8 encoding \(line 1, column 23\)$"):
        parse_module(f"(module (func (export {literal})))")
    assert parse_module(f"(module (data {literal}))").datas[0].init == string_bytes(literal)


@given(st.binary(max_size=60))
def test_bytes_as_a_literal(data: bytes) -> None:
    literal = quote_bytes(data)
    assert literal.isascii()
    assert literal.isprintable()
    assert string_bytes(literal) == data


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_names_as_literals_and_identifiers(name: str) -> None:
    literal = quote_name(name)
    assert literal.isprintable()
    assert is_string(literal)
    assert string_name(literal) == name
    if name:
        printed = print_id(name)
        assert is_id(printed)
        assert id_name(printed) == name


# Identifiers.


def test_a_quoted_identifier_is_the_same_name() -> None:
    module = parse_module('(module (func $"f") (func call $f call $"\\66" call $"f"))')
    assert [i.args for i in module.codes[1].body[:-1]] == [(0,)] * 3
    with pytest.raises(Malformed, match=r"^duplicate func"):
        parse_module('(module (func $f) (func $"f"))')


def test_quoted_identifiers_belong_to_annotations() -> None:
    with pytest.raises(Malformed):
        parse_module('(module (func $"f"))', PLAIN)
    assert names(parse_module("(module (func $f))", PLAIN)).funcs == {0: "f"}


@pytest.mark.parametrize("bad", ['$"\\ff"', '$"\\u{d800}"'])
def test_identifiers_are_characters(bad: str) -> None:
    with pytest.raises(Malformed, match=r"line 1, column 15"):
        parse_module(f"(module (func {bad}))")


@pytest.mark.parametrize("space", ["func", "type", "global", "memory", "table", "tag", "elem", "data"])
def test_an_identifier_is_bound_once_in_its_space(space: str) -> None:
    body = {
        "func": "",
        "type": "(func)",
        "global": "i32 (i32.const 0)",
        "memory": "1",
        "table": "1 funcref",
        "tag": "",
        "elem": "func",
        "data": "",
    }[space]
    with pytest.raises(Malformed, match=rf"^duplicate {space} \$a \(line 2, column {len(space) + 3}\)$"):
        parse_module(f"(module ({space} $a {body})\n({space} $a {body}))")
    parse_module(f"(module ({space} $a {body}) ({space} $A {body}))")


# Annotations.


@pytest.mark.parametrize(
    "annotation",
    [
        "(@a)",
        '(@"a b")',
        "(@a b c)",
        "(@a (b (c)) d)",
        '(@a "x)" (; ) ;) y)',
        "(@a (@b (@c)))",
        "(@a ;; )\n)",
        "(@a $x 0xffff 1.5 i32.const , ; [ ] { })",
        "(@a $)",
    ],
)
def test_annotations_are_left_out(annotation: str) -> None:
    tokens = lex(f"(module {annotation} (func {annotation}))")
    assert tokens.texts == ["(", "module", "(", "func", ")", ")", ""]
    assert [a.before for a in tokens.annotations] == [2, 4]
    assert parse_module(f"(module {annotation} (func {annotation}))") == parse_module("(module (func))")
    with pytest.raises(Malformed):
        parse_module(f"(module {annotation})", PLAIN)


def test_places_after_an_annotation() -> None:
    with pytest.raises(Malformed, match=r"\(line 2, column 6\)$"):
        parse_module("(module (@a\n b)  junk)")


@pytest.mark.parametrize(
    ("custom", "message"),
    [
        ("(@custom)", "missing section name"),
        ("(@custom a)", "missing section name"),
        ('(@custom "a" b)', "unexpected token"),
        ('(@custom "a" (before))', "malformed section kind"),
        ('(@custom "a" (before last))', "malformed section kind"),
        ('(@custom "a" (after first))', "malformed section kind"),
        ('(@custom "a" (after nothing))', "malformed section kind"),
        ('(@custom "a" (beside code))', "malformed section kind"),
        ('(@custom "a" (after code) (after code))', "unexpected token"),
        ('(@custom "\\ff")', "malformed UTF-8"),
    ],
)
def test_custom_annotations_that_say_nothing(custom: str, message: str) -> None:
    with pytest.raises(Malformed, match=rf"^@custom annotation: {message}.*line 1, column"):
        parse_module(f"(module {custom} (func))")


def test_a_custom_annotation_stands_among_fields() -> None:
    with pytest.raises(Malformed, match=r"^misplaced @custom annotation"):
        parse_module('(module (func (@custom "a")))')
