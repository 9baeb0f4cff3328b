"""Bytes and modules, there and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasm.official_binary import cases
from wasm.strategies import ANY, RUNNABLE, module_from, modules

from lindref.wasm.binary import leb
from lindref.wasm.binary.decoder import decode
from lindref.wasm.binary.encoder import encode
from lindref.wasm.errors import Malformed, WasmError
from lindref.wasm.instructions import BY_NAME, TABLE, Imm
from lindref.wasm.module import Code, Custom, Data, Elem, Instr, Module, SegmentMode
from lindref.wasm.types import EXTERNREF, FuncType, RecGroup, SubType

REPOSITORY = Path(__file__).resolve().parents[2]
PREBUILT = sorted((REPOSITORY / "tests" / "data").glob("*.wasm")) + sorted(
    (REPOSITORY / "conformance" / "guests").rglob("*.wasm")
)


@given(modules())
def test_decoding_undoes_encoding(module: Module) -> None:
    data = encode(module)
    decoded = decode(data, eager=True)
    assert decoded == module
    assert decoded.data_count == (module.data_count if module.data_count is not None else decoded.data_count)
    assert encode(decoded) == data


@given(modules())
def test_lazy_and_eager_decoding_agree(module: Module) -> None:
    data = encode(module)
    assert decode(data) == decode(data, eager=True)


@given(modules(RUNNABLE))
def test_equality_sees_every_difference_in_a_body(module: Module) -> None:
    data = encode(module)
    other = decode(data)
    codes = list(other.codes)
    codes[-1] = Code(codes[-1].locals_, body=(Instr(BY_NAME["nop"]), *codes[-1].body))
    other.codes = tuple(codes)
    assert other != module
    assert encode(other) != data


@pytest.mark.parametrize("path", PREBUILT, ids=lambda p: p.name)
def test_real_modules(path: Path) -> None:
    module = decode(path.read_bytes(), eager=True)
    again = encode(module)
    assert decode(again, eager=True) == module
    assert encode(decode(again)) == again


def test_official_modules(shared: Path) -> None:
    kept = 0
    for case in cases(shared / "wasm-testsuite"):
        try:
            module = decode(case.data, eager=True)
        except WasmError:
            continue
        kept += 1
        assert decode(encode(module), eager=True) == module, f"{case.script} #{case.number}"
    assert kept > 80


def test_every_instruction_goes_there_and_back() -> None:
    """Each row of the table, with immediates of its kinds taken from generated modules."""
    seen: dict[int, Instr] = {}
    seed = 0
    while len(seen) < len(TABLE):
        for code in module_from(seed).codes:
            seen.update((instr.op.index, instr) for instr in code.body)
        seed += 1
        assert seed < 5000, [op.name for op in TABLE if op.index not in seen]
    dividing = {"else", "catch", "catch_all", "delegate", "end"}
    for instr in seen.values():
        if instr.op.name in dividing:
            continue
        closed = [instr, *[Instr(BY_NAME["end"])] * (Imm.BLOCK in instr.op.imms), Instr(BY_NAME["end"])]
        module = Module(
            rec_groups=(RecGroup((SubType(FuncType()),)),), funcs=(0,), codes=(Code((), body=tuple(closed)),)
        )
        assert decode(encode(module), eager=True) == module, instr


def test_a_data_count_section_is_written_where_a_body_needs_one() -> None:
    body = (Instr(BY_NAME["data.drop"], (0,)), Instr(BY_NAME["end"]))
    module = Module(
        rec_groups=(RecGroup((SubType(FuncType()),)),),
        funcs=(0,),
        codes=(Code((), body=body),),
        datas=(Data(b"x", SegmentMode.PASSIVE),),
    )
    decoded = decode(encode(module), eager=True)
    assert decoded == module
    assert decoded.data_count == 1


def test_an_empty_section_keeps_a_custom_section_in_its_place() -> None:
    module = Module(customs=(Custom("a", b"1", after=3), Custom("b", b"", after=3), Custom("c", b"", after=10)))
    data = encode(module)
    assert data == b"\0asm\1\0\0\0" + b"\3\1\0" + b"\0\3\1a1" + b"\0\2\1b" + b"\x0a\1\0" + b"\0\2\1c"
    assert decode(data) == module


def test_segments_of_functions_are_written_as_indices_only_if_their_type_says_so() -> None:
    of_type = Elem(EXTERNREF, ((Instr(BY_NAME["ref.func"], (0,)), Instr(BY_NAME["end"])),), SegmentMode.PASSIVE)
    assert encode(Module(elems=(of_type,)))[-6:] == b"\x05\x6f\1\xd2\0\x0b"


def test_encoding_decodes_malformed_bodies() -> None:
    data = b"\0asm\1\0\0\0" + b"\1\4\1\x60\0\0" + b"\3\2\1\0" + b"\x0a\4\1\2\0\xff"
    with pytest.raises(Malformed, match="illegal opcode ff"):
        encode(decode(data))


# LEB128.


@given(st.integers(0, 2**64 - 1), st.integers(0, 4))
def test_unsigned_leb(value: int, padding: int) -> None:
    data = leb.unsigned(value)
    assert leb.read_unsigned(data, 0, 64) == (value, len(data))
    assert len(data) == max(1, -(-value.bit_length() // 7))
    padded = data[:-1] + bytes((data[-1] | 0x80,)) + b"\x80" * padding + b"\0"
    if len(padded) <= 10:
        assert leb.read_unsigned(padded, 0, 64) == (value, len(padded))
    else:
        with pytest.raises(Malformed, match="integer representation too long"):
            leb.read_unsigned(padded, 0, 64)


@given(st.sampled_from([32, 33, 64]), st.data())
def test_signed_leb(bits: int, data: st.DataObject) -> None:
    value = data.draw(st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1))
    encoded = leb.signed(value)
    assert leb.read_signed(encoded, 0, bits) == (value, len(encoded))
    fill = 0x7F if value < 0 else 0
    full = -(-bits // 7)
    padded = encoded[:-1] + bytes((encoded[-1] | 0x80,)) + bytes((fill | 0x80,)) * (full - len(encoded) - 1)
    if len(encoded) < full:
        assert leb.read_signed(padded + bytes((fill,)), 0, bits) == (value, full)
        with pytest.raises(Malformed, match="integer too large"):
            leb.read_signed(padded + bytes((fill ^ 0x40,)), 0, bits)


@given(st.integers(2**32, 2**35 - 1))
def test_too_large_for_32_bits(value: int) -> None:
    with pytest.raises(Malformed, match="integer too large"):
        leb.read_unsigned(leb.unsigned(value), 0, 32)


# The generator itself.


def test_equal_sources_give_equal_modules() -> None:
    for source in (7, b"some bytes that stand for choices" * 5):
        assert encode(module_from(source)) == encode(module_from(source))
    assert encode(module_from(1)) != encode(module_from(2))


def test_no_choices_give_a_simple_module() -> None:
    module = module_from(b"", ANY)
    assert len(module.codes) == 1
    assert len(module.codes[0].body) < 10
