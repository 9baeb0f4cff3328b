"""Line numbers of modules that a C compiler made (``tests/data/*.c`` are their sources)."""

from __future__ import annotations

from pathlib import Path

import pytest

from lindref.wasm.binary.decoder import decode
from lindref.wasm.dwarf import Lines, Place, lines
from lindref.wasm.module import Custom, Module

DATA = Path(__file__).resolve().parents[1] / "data"


def real(name: str) -> Module:
    """A module that a compiler made."""
    return decode((DATA / name).read_bytes())


def line_of(file: str, text: str) -> int:
    """The number of the only line of a source file that contains a text."""
    found = [n for n, line in enumerate((DATA / file).read_text().splitlines(), 1) if text in line]
    assert len(found) == 1, text
    return found[0]


@pytest.fixture(params=["lines.wasm", "lines5.wasm"])
def module(request: pytest.FixtureRequest) -> Module:
    """The example with debug information of version 4 and of version 5."""
    return real(request.param)


def test_every_instruction_has_a_place_in_its_own_function(module: Module) -> None:
    table = lines(module)
    for index, code in enumerate(module.codes):
        for instr in code.body:
            place = table.place(instr.offset)
            assert place is not None
            assert place.function == index
            assert place.file in {"lines.c", "lines.h", "twice.c"}
    assert table.problems == []


def test_the_multiplication_is_where_the_source_multiplies(module: Module) -> None:
    table = lines(module)
    (product,) = [i for i in module.codes[0].body if i.op.name == "i32.mul"]
    wanted = line_of("lines.c", "total += numbers[i] * scale")
    column = (DATA / "lines.c").read_text().splitlines()[wanted - 1].index("*") + 1
    assert table.place(product.offset) == Place(0, "lines.c", wanted, column)


def test_a_function_of_a_header() -> None:
    module = real("lines.wasm")
    table = lines(module)
    (comparison,) = [i for i in module.codes[2].body if i.op.name == "i32.gt_s"]
    place = table.place(comparison.offset)
    assert place is not None
    assert (place.file, place.line) == ("lines.h", line_of("lines.h", "n > 1000"))
    assert table.files() == ["lines.c", "lines.h"]


def test_the_second_unit_and_the_function_that_was_thrown_away() -> None:
    module = real("lines5.wasm")
    table = lines(module)
    (call,) = [i for i in module.codes[2].body if i.op.name == "call"]
    place = table.place(call.offset)
    assert place is not None
    assert (place.function, place.file, place.line) == (2, "twice.c", line_of("twice.c", "return sum(all, 4)"))
    assert table.offsets("twice.c", line_of("twice.c", "return sum(&n, 1) - 1")) == []


def test_where_to_stop_for_a_line(module: Module) -> None:
    table = lines(module)
    line = line_of("lines.c", "return total")
    stops = table.offsets("lines.c", line)
    assert stops
    for offset in stops:
        place = table.place(offset)
        assert place is not None
        assert (place.file, place.line) == ("lines.c", line)
    assert table.offsets("nes.c", line) == []
    assert table.offsets("lines.c", 1) == []


def test_outside_of_code_there_is_no_place(module: Module) -> None:
    table = lines(module)
    last = module.codes[-1]
    for offset in (0, module.code_start, last.offset + last.size, 10**9, -5):
        assert table.place(offset) is None


def test_a_module_without_debug_information() -> None:
    table = lines(real("shared.wasm"))
    assert table.problems == []
    assert table.files() == []
    assert table.place(600) is None


def replaced(module: Module, name: str, data: bytes) -> Lines:
    """The line table of a module with one of its sections replaced."""
    module.customs = tuple(Custom(c.name, data if c.name == name else c.data) for c in module.customs)
    return lines(module)


@pytest.mark.parametrize("name", [".debug_info", ".debug_abbrev", ".debug_line"])
def test_an_empty_section(module: Module, name: str) -> None:
    table = replaced(module, name, b"")
    assert table.place(module.codes[0].body[0].offset) is None
    assert (name == ".debug_info") == (table.problems == [])


@pytest.mark.parametrize(
    ("lists", "problem"),
    [
        (b"\0" + b"\xff\xff\xff\xff\xff\x7f", "4398046511103 directories without content"),
        (b"\1\1\x08" + b"\xff\xff\xff\xff\x0f", "directories in"),
        (b"\0\0\0" + b"\xff\xff\x03", "65535 files without content"),
        (b"\1\1\x1f\1\0", "cut off header"),
        (b"\1\1\x08\1abc", "cut off header"),
        (b"\1\1\x21\1", "form 0x21 in the list of directories"),
        (b"\1", "cut off header"),
    ],
)
def test_a_line_program_that_announces_too_much(lists: bytes, problem: str) -> None:
    """The lists of directories and files in a header of version 5."""
    fixed = b"\5\0\4\0" + b"\x40\0\0\0" + b"\1\1\1\xfb\x0e\x0d" + b"\0\1\1\1\1\0\0\0\1\0\0\1"
    data = b"\x60\0\0\0" + fixed + lists
    module = real("lines5.wasm")
    table = replaced(module, ".debug_line", data)
    assert table.place(module.codes[0].body[0].offset) is None
    assert len(table.problems) == 1
    assert problem in table.problems[0]


def test_a_number_without_end_is_refused() -> None:
    module = real("lines.wasm")
    table = replaced(module, ".debug_abbrev", b"\xff" * 500_000)
    assert table.place(module.codes[0].body[0].offset) is None
    assert table.problems == ["debug_abbrev: not DWARF, thousands of bytes without an ASCII one"]
