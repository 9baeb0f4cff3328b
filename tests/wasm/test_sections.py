"""Custom sections with a meaning: names, producers, dynamic linking."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lindref.wasm.binary.decoder import decode
from lindref.wasm.binary.encoder import encode
from lindref.wasm.errors import Malformed
from lindref.wasm.module import Custom, Module
from lindref.wasm.names import Names
from lindref.wasm.sections import (
    BINDING_WEAK,
    THREAD_LOCAL,
    UNDEFINED,
    Dylink,
    ExportInfo,
    ImportInfo,
    dylink,
    name_section,
    names,
    producers,
    read_names,
    read_producers,
)

DATA = Path(__file__).resolve().parents[1] / "data"


def real(name: str) -> Module:
    """A module that a compiler made."""
    return decode((DATA / name).read_bytes())


def with_custom(name: str, data: bytes) -> Module:
    """A module with one custom section."""
    return Module(customs=(Custom(name, data),))


# Names.


def test_names_of_a_real_module() -> None:
    module = real("lines.wasm")
    found = names(module)
    assert found.module == "lines.wasm"
    assert found.funcs == {0: "sum", 1: "twice", 2: "clamp"}
    assert found.globals == {0: "__stack_pointer"}
    assert found.datas == {0: ".data"}
    assert names(module) is found
    assert read_names(module) == (found, [])


def test_names_of_the_text_are_not_overwritten() -> None:
    given_names = Names(module="from text")
    module = with_custom("name", b"\0\2\1x")
    module.text_names = given_names
    assert names(module) is given_names


def test_a_module_without_names() -> None:
    assert names(Module()) == Names()


def test_every_subsection() -> None:
    flat = {1: "funcs", 4: "types", 5: "tables", 6: "memories", 7: "globals", 8: "elems", 9: "datas", 11: "tags"}
    data = b"\0\2\1m"
    for number in range(1, 13):
        if number in flat:
            data += bytes((number, 4, 1, number, 1, 0x61))
        elif number in (2, 3):
            data += bytes((number, 6, 1, 9, 1, number, 1, 0x62))
        else:
            data += bytes((number, 2, 0xFF, 0xFF))  # of a future, or of structures: left alone
    found, problems = read_names(with_custom("name", data))
    assert problems == []
    assert found.module == "m"
    for number, attribute in flat.items():
        assert getattr(found, attribute) == {number: "a"}
    assert found.locals == {9: {2: "b"}}
    assert found.labels == {9: {3: "b"}}


@pytest.mark.parametrize(
    ("data", "problem", "kept"),
    [
        (b"\1\4\1\0\1a\1\4\1\1\1b", "subsection 1 after 1: ignored", {0: "a"}),
        (b"\2\1\0\1\4\1\0\1a", "subsection 1 after 2: ignored", {}),
        (b"\1\7\2\0\1a\1\5b", "subsection 1: length out of bounds", {0: "a"}),
        (b"\1\5\1\0\1a\0", "1 bytes too many in 1", {0: "a"}),
        (b"\1\4\1\0\1\xff", "subsection 1: malformed UTF-8 encoding", {}),
        (b"\1\4\1\0\1a\4\x7f", "name section: unexpected end", {0: "a"}),
        (b"\1\x80", "name section: unexpected end", {}),
        (b"\1\6\xff\xff\xff\xff\x0f\0", "subsection 1: ", {}),
    ],
)
def test_a_malformed_name_section_is_reported_and_read_as_far_as_it_goes(
    data: bytes, problem: str, kept: dict[int, str]
) -> None:
    found, problems = read_names(with_custom("name", data))
    assert found.funcs == kept
    assert len(problems) == 1
    assert problem in problems[0]


def test_the_first_of_two_name_sections_holds() -> None:
    module = Module(customs=(Custom("name", b"\0\2\1a"), Custom("name", b"\0\2\1b")))
    found, problems = read_names(module)
    assert found.module == "a"
    assert problems == ["more than one name section: the first is used"]


INDICES = st.integers(0, 2**32 - 1)
FLAT = st.dictionaries(INDICES, st.text(st.characters(codec="utf-8"), max_size=8), max_size=4)
NESTED = st.dictionaries(INDICES, FLAT.filter(bool), max_size=3)


@given(
    st.builds(
        Names,
        module=st.none() | st.text(st.characters(codec="utf-8"), max_size=8),
        funcs=FLAT,
        tables=FLAT,
        memories=FLAT,
        globals=FLAT,
        tags=FLAT,
        types=FLAT,
        elems=FLAT,
        datas=FLAT,
        locals=NESTED,
        labels=NESTED,
    )
)
def test_a_written_name_section_is_read_back(given_names: Names) -> None:
    module = decode(encode(Module(customs=(name_section(given_names),))))
    assert read_names(module) == (given_names, [])


@given(st.binary(max_size=80))
def test_any_bytes_in_a_name_section(data: bytes) -> None:
    _, problems = read_names(with_custom("name", data))
    assert all("\n" not in problem for problem in problems)


# Producers.


def test_producers_of_a_real_module() -> None:
    found = producers(real("lines.wasm"))
    assert found["language"] == {"C11": ""}
    assert list(found["processed-by"]) == ["clang"]


def test_a_malformed_producers_section() -> None:
    module = with_custom("producers", b"\2\3sdk\1\1a\x011\4next")
    found, problems = read_producers(module)
    assert found == {"sdk": {"a": "1"}, "next": {}}
    assert problems == ["producers section: unexpected end of section or function (offset 0xf)"]
    assert read_producers(Module()) == ({}, [])


# Dynamic linking.


def test_dylink_of_a_real_library() -> None:
    found = dylink(real("shared.wasm"))
    assert found == Dylink(
        has_memory_info=True,
        memory_size=60,
        memory_align=4,
        exports=(ExportInfo("per_thread", THREAD_LOCAL),),
        imports=(ImportInfo("env", "weak_one", UNDEFINED | BINDING_WEAK),),
    )


def test_every_subsection_of_dylink() -> None:
    data = (
        b"\1\5\x80\x01\2\3\4"
        b"\2\x08\2\4liba\1b"
        b"\3\5\1\2ex\x20"
        b"\4\6\1\1m\1i\1"
        b"\5\x05\1\3/lp"
        b"\x63\1\xff"
    )
    assert dylink(with_custom("dylink.0", data)) == Dylink(
        has_memory_info=True,
        memory_size=128,
        memory_align=2,
        table_size=3,
        table_align=4,
        needed=("liba", "b"),
        exports=(ExportInfo("ex", 0x20),),
        imports=(ImportInfo("m", "i", 1),),
        runtime_path=("/lp",),
    )


def test_a_module_without_dylink() -> None:
    assert dylink(real("lines.wasm")) is None
    empty = dylink(with_custom("dylink.0", b""))
    assert empty is not None
    assert not empty.has_memory_info


@pytest.mark.parametrize(
    "data",
    [b"\1", b"\1\4\1\2", b"\1\3\1\2\3", b"\1\5\1\2\3\4\5", b"\2\2\1\5", b"\2\3\1\1\xff", b"\4\x80", b"\2\1\x7f"],
)
def test_a_malformed_dylink_section_is_an_error(data: bytes) -> None:
    with pytest.raises(Malformed) as raised:
        dylink(with_custom("dylink.0", data))
    assert "dylink.0 section" in str(raised.value)
