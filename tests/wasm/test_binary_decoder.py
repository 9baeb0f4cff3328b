"""The decoder against the official scripts, and rule by rule."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from wasm.official_binary import cases

from lindref.wasm.binary.decoder import decode
from lindref.wasm.binary.encoder import encode
from lindref.wasm.errors import Exhausted, Malformed, Unsupported, WasmError
from lindref.wasm.features import DEFAULT, Feature
from lindref.wasm.instructions import BY_NAME, Catch, CatchKind, MemArg
from lindref.wasm.module import ExternKind, Instr, SegmentMode
from lindref.wasm.types import (
    EXTERNREF,
    FUNCREF,
    AbsHeap,
    BlockType,
    FuncType,
    GlobalType,
    Limits,
    MemoryType,
    NumType,
    RecGroup,
    RefType,
    SubType,
    TableType,
    TagType,
)

HEADER = b"\0asm\1\0\0\0"


def section(number: int, content: bytes) -> bytes:
    """A section; sizes here stay below 128."""
    assert len(content) < 128
    return bytes((number, len(content))) + content


def body_of(code: bytes, features: frozenset[Feature] = DEFAULT, extra: bytes = b"") -> list[Instr]:
    """The instructions that ``code`` (without the closing end) decodes to in the only function of a module."""
    entry = b"\0" + code + b"\x0b"
    data = HEADER + b"\1\4\1\x60\0\0" + b"\3\2\1\0" + extra
    data += section(10, b"\1" + bytes((len(entry),)) + entry)
    return list(decode(data, features, eager=True).codes[0].body)


# The official scripts.


def test_official_scripts(shared: Path) -> None:
    failures: list[str] = []
    judged = skipped = 0
    for case in cases(shared / "wasm-testsuite"):
        where = f"{case.script} #{case.number}"
        try:
            decode(case.data, eager=True)
            error: WasmError | None = None
        except WasmError as raised:
            error = raised
        if isinstance(error, Unsupported):
            skipped += 1
            assert case.script.startswith(("core/simd", "core/gc", "core/memory64")), f"{where}: {error}"
            continue
        judged += 1
        if case.command == "assert_malformed":
            if not isinstance(error, Malformed) or not error.message.startswith(case.message):
                failures.append(f"{where}: expected {case.message!r}, got {error!r}")
        elif error is not None:
            failures.append(f"{where}: {error}")
    assert not failures, "\n".join(failures)
    assert judged > 790
    assert skipped < 20


def test_lazy_decoding_finds_what_is_outside_bodies(shared: Path) -> None:
    """Of the malformed modules only those with a malformed body pass, until the body is asked for."""
    for case in cases(shared / "wasm-testsuite"):
        if case.command != "assert_malformed":
            continue
        try:
            module = decode(case.data)
        except WasmError:
            continue
        with pytest.raises(WasmError) as raised:
            encode(module)  # decodes every body
        assert raised.value.message.startswith(case.message)


# Module level.


def test_empty_module() -> None:
    module = decode(HEADER)
    assert module.types == ()
    assert module.digest == hashlib.blake2b(HEADER, digest_size=16).hexdigest()
    assert encode(module) == HEADER


def test_bytearray_and_memoryview_are_taken() -> None:
    assert decode(memoryview(bytearray(HEADER))) == decode(HEADER)  # type: ignore[arg-type]


def test_error_names_the_place() -> None:
    with pytest.raises(Malformed) as raised:
        decode(HEADER + b"\x0e\0")
    assert str(raised.value) == "malformed section id (offset 0x8)"
    with pytest.raises(Malformed) as raised:
        body_of(b"\xff")
    assert str(raised.value) == "illegal opcode ff (func 0, offset 0x17)"


def test_every_kind_of_import_and_export() -> None:
    imports = b"\5\1m\1a\0\0" + b"\1m\1b\1\x6f\1\2\3" + b"\1m\1c\2\3\1\2" + b"\1m\1d\3\x7e\1" + b"\1m\1e\4\0\0"
    exports = b"\5" + b"".join(bytes((1, 0x61 + kind, kind, 0)) for kind in range(5))
    module = decode(HEADER + section(1, b"\1\x60\0\0") + section(2, imports) + section(7, exports))
    assert [(i.name, i.kind, i.desc) for i in module.imports] == [
        ("a", ExternKind.FUNC, 0),
        ("b", ExternKind.TABLE, TableType(Limits(2, 3), EXTERNREF)),
        ("c", ExternKind.MEMORY, MemoryType(Limits(1, 2), shared=True)),
        ("d", ExternKind.GLOBAL, GlobalType(NumType.I64, mutable=True)),
        ("e", ExternKind.TAG, TagType(0)),
    ]
    assert [e.kind for e in module.exports] == list(ExternKind)


def test_types() -> None:
    content = b"\3" + b"\x60\1\x7f\1\x64\0" + b"\x4e\2" + b"\x50\0\x60\0\0" + b"\x4f\1\1\x60\0\1\x63\2" + b"\x60\0\0"
    module = decode(HEADER + section(1, content))
    assert module.rec_groups == (
        RecGroup((SubType(FuncType((NumType.I32,), (RefType(False, 0),))),)),
        RecGroup(
            (
                SubType(FuncType(), final=False),
                SubType(FuncType((), (RefType(True, 2),)), final=True, supers=(1,)),
            )
        ),
        RecGroup((SubType(FuncType()),)),
    )
    assert len(module.types) == 4


@pytest.mark.parametrize(
    ("segment", "mode", "table", "kind", "count"),
    [
        (b"\0\x41\1\x0b\1\0", SegmentMode.ACTIVE, 0, RefType(False, AbsHeap.FUNC), 1),
        (b"\1\0\2\0\0", SegmentMode.PASSIVE, 0, RefType(False, AbsHeap.FUNC), 2),
        (b"\2\5\x41\1\x0b\0\0", SegmentMode.ACTIVE, 5, RefType(False, AbsHeap.FUNC), 0),
        (b"\3\0\1\0", SegmentMode.DECLARATIVE, 0, RefType(False, AbsHeap.FUNC), 1),
        (b"\4\x41\1\x0b\1\xd2\0\x0b", SegmentMode.ACTIVE, 0, FUNCREF, 1),
        (b"\5\x6f\1\xd0\x6f\x0b", SegmentMode.PASSIVE, 0, EXTERNREF, 1),
        (b"\6\5\x41\1\x0b\x70\0", SegmentMode.ACTIVE, 5, FUNCREF, 0),
        (b"\7\x6f\0", SegmentMode.DECLARATIVE, 0, EXTERNREF, 0),
    ],
)
def test_element_segments(segment: bytes, mode: SegmentMode, table: int, kind: RefType, count: int) -> None:
    module = decode(HEADER + section(9, b"\1" + segment))
    (elem,) = module.elems
    assert (elem.mode, elem.table, elem.type, len(elem.init)) == (mode, table, kind, count)
    assert (elem.offset != ()) == (mode is SegmentMode.ACTIVE)
    for expr in elem.init:
        assert expr[-1].op is BY_NAME["end"]
    assert encode(module) == HEADER + section(9, b"\1" + segment)


def test_data_segments() -> None:
    content = b"\3" + b"\0\x41\1\x0b\2hi" + b"\1\0" + b"\2\3\x41\1\x0b\1x"
    module = decode(HEADER + section(11, content))
    assert [(d.init, d.mode, d.memory) for d in module.datas] == [
        (b"hi", SegmentMode.ACTIVE, 0),
        (b"", SegmentMode.PASSIVE, 0),
        (b"x", SegmentMode.ACTIVE, 3),
    ]
    assert encode(module) == HEADER + section(11, content)


def test_table_with_initial_element() -> None:
    data = HEADER + section(4, b"\1\x40\0\x64\x70\0\1\xd2\0\x0b")
    (table,) = decode(data).tables
    assert table.type == TableType(Limits(1), RefType(False, AbsHeap.FUNC))
    assert table.init == (Instr(BY_NAME["ref.func"], (0,)), Instr(BY_NAME["end"]))
    assert encode(decode(data)) == data


def test_custom_sections_keep_their_places() -> None:
    customs = [section(0, b"\1" + bytes((0x61 + n,)) + bytes((n,))) for n in range(4)]
    data = HEADER + customs[0] + section(1, b"\1\x60\0\0") + customs[1] + section(5, b"\1\0\0")
    data += customs[2] + customs[3]
    module = decode(data)
    assert [(c.name, c.data, c.after) for c in module.customs] == [
        ("a", b"\0", 0),
        ("b", b"\1", 1),
        ("c", b"\2", 5),
        ("d", b"\3", 5),
    ]
    assert [data[c.offset] for c in module.customs] == [0, 1, 2, 3]
    assert encode(module) == data


def test_where_code_stands() -> None:
    data = HEADER + b"\1\4\1\x60\0\0" + b"\3\3\2\0\0" + b"\x0a\x81\x80\0\2\2\0\x0b\3\0\1\x0b"
    data = data.replace(b"\x0a\x81\x80\0", b"\x0a\x88\x80\0")
    module = decode(data)
    assert data[module.code_start] == 2
    assert [(data[c.offset : c.offset + c.size]) for c in module.codes] == [b"\0\x0b", b"\0\1\x0b"]
    assert [(i.op.name, data[i.offset]) for i in module.codes[1].body] == [("nop", 1), ("end", 0x0B)]


# Features.


def test_without_multi_memory_indices_are_reserved_bytes() -> None:
    single = DEFAULT - {Feature.MULTI_MEMORY}
    for code in (b"\x3f\1", b"\x40\1", b"\xfc\x0a\0\1", b"\xfc\x0a\1\0", b"\xfc\x0b\1", b"\xfc\x08\0\1"):
        body_of(code, extra=section(12, b"\0"))
        with pytest.raises(Malformed, match=r"^zero byte expected"):
            body_of(code, single, extra=section(12, b"\0"))
    assert body_of(b"\x28\x42\1\0")[0].args == (MemArg(2, 0, 1),)
    with pytest.raises(Malformed, match=r"^malformed memop flags"):
        body_of(b"\x28\x42\1\0", single)
    assert body_of(b"\x28\2\7", single)[0].args == (MemArg(2, 7),)


@pytest.mark.parametrize(
    ("feature", "code"),
    [
        (Feature.TAIL_CALL, b"\x12\0"),
        (Feature.FUNCTION_REFERENCES, b"\x14\0"),
        (Feature.FUNCTION_REFERENCES, b"\xd0\0"),
        (Feature.THREADS, b"\xfe\3\0"),
        (Feature.EXCEPTIONS, b"\x0a"),
        (Feature.EXCEPTIONS, b"\xd0\x69"),
        (Feature.LEGACY_EXCEPTIONS, b"\6\x40\x19\x0b"),
    ],
)
def test_a_feature_that_is_not_enabled(feature: Feature, code: bytes) -> None:
    """MACH-1."""
    body_of(code)
    with pytest.raises(Unsupported) as raised:
        body_of(code, DEFAULT - {feature})
    assert raised.value.message == f"feature {feature.value} is not enabled"


@pytest.mark.parametrize(
    ("feature", "data"),
    [
        (Feature.GC, section(1, b"\1\x5f\0")),
        (Feature.GC, section(1, b"\1\x5e\x7f\0")),
        (Feature.SIMD, section(1, b"\1\x60\1\x7b\0")),
        (Feature.SIMD, section(6, b"\1\x7f\0\xfd\0")),
        (Feature.GC, section(6, b"\1\x7f\0\xfb\0")),
        (Feature.GC, section(6, b"\1\x7f\0\xd3")),
        (Feature.MEMORY64, section(5, b"\1\4\1")),
        (Feature.MEMORY64, section(4, b"\1\x70\5\1\1")),
    ],
)
def test_a_feature_that_is_not_built(feature: Feature, data: bytes) -> None:
    with pytest.raises(Unsupported) as raised:
        decode(HEADER + data)
    assert raised.value.message == f"feature {feature.value} is not built"
    with pytest.raises(Unsupported):
        decode(HEADER + data, DEFAULT | {feature})


@pytest.mark.parametrize(
    ("feature", "data"),
    [
        (Feature.THREADS, section(5, b"\1\3\1\1")),
        (Feature.FUNCTION_REFERENCES, section(1, b"\1\x50\0\x60\0\0")),
        (Feature.FUNCTION_REFERENCES, section(1, b"\1\x4e\0")),
        (Feature.FUNCTION_REFERENCES, section(4, b"\1\x40\0\x70\0\0\xd0\x70\x0b")),
    ],
)
def test_a_section_that_needs_a_feature(feature: Feature, data: bytes) -> None:
    decode(HEADER + data)
    with pytest.raises(Unsupported):
        decode(HEADER + data, DEFAULT - {feature})


def test_tags_need_either_kind_of_exceptions() -> None:
    data = HEADER + section(13, b"\1\0\0")
    for feature in (Feature.EXCEPTIONS, Feature.LEGACY_EXCEPTIONS):
        assert decode(data, DEFAULT - {feature}).tags == (TagType(0),)
    with pytest.raises(Unsupported):
        decode(data, DEFAULT - {Feature.EXCEPTIONS, Feature.LEGACY_EXCEPTIONS})


# Instructions.


def test_immediates() -> None:
    found = body_of(
        b"\x41\x7f\x42\x80\x7f\x43\1\2\3\4\x44\1\2\3\4\5\6\7\x88"
        b"\x0e\2\1\2\3\x1c\1\x70\x1f\x40\2\0\1\2\3\4\x0b\2\x7f\x0b\3\0\x0b\xd0\x6f\x11\1\2\x10\x80\x80\1\x29\3\x80\x02"
    )
    assert [i.args for i in found if i.args] == [
        (0xFFFFFFFF,),
        (2**64 - 128,),
        (0x04030201,),
        (0x8807060504030201,),
        ((1, 2, 3),),
        ((FUNCREF,),),
        (BlockType(), (Catch(CatchKind.CATCH, 1, 2), Catch(CatchKind.CATCH_ALL_REF, None, 4))),
        (BlockType(result=NumType.I32),),
        (BlockType(type_index=0),),
        (AbsHeap.EXTERN,),
        (1, 2),
        (0x4000,),
        (MemArg(3, 256),),
    ]


def test_legacy_exceptions_nest() -> None:
    names = [i.op.name for i in body_of(b"\6\x40\6\x40\x18\0\7\0\7\1\x09\0\x19\x0b")]
    assert names == ["try", "try", "delegate", "catch", "catch", "rethrow", "catch_all", "end", "end"]


@pytest.mark.parametrize(
    "code",
    [
        b"\5",  # else in no block
        b"\2\x40\5\x0b",  # in a block
        b"\4\x40\5\5\x0b",  # twice
        b"\7\0",  # catch in no block
        b"\4\x40\5\7\0\x0b",  # in an else
        b"\6\x40\x19\7\0\x0b",  # after catch_all
        b"\6\x40\x19\x19\x0b",
        b"\6\x40\7\0\x18\0",  # delegate after catch
        b"\2\x40\x18\0",
        b"\x18\0",
    ],
)
def test_misplaced_parts_of_blocks(code: bytes) -> None:
    with pytest.raises(Malformed, match=r"^END opcode expected"):
        body_of(code)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (b"\x27", "illegal opcode 27"),
        (b"\xfc\x12", "illegal opcode fc 12"),
        (b"\xfc\x80\x02", "illegal opcode fc 100"),
        (b"\xfe\x04", "illegal opcode fe 04"),
        (b"\xfe\3\1", "zero byte expected"),
        (b"\x1f\x40\1\4\0", "malformed catch clause"),
        (b"\2\x41", "malformed value type"),
        (b"\2\xff\x7f", "malformed block type"),
        (b"\xd0\x7f", "malformed heap type"),
        (b"\xd0\xf0\x7f", "malformed heap type"),
        (b"\x1c\1\xff\x7f", "integer representation too long"),
        (b"\x28\x80\1\0", "malformed memop flags"),
        (b"\x44\0\0", "unexpected end of section or function"),
        (b"\x0e\xff\xff\xff\x0f", "length out of bounds"),
    ],
)
def test_malformed_instructions(code: bytes, message: str) -> None:
    with pytest.raises(Malformed) as raised:
        body_of(code)
    assert raised.value.message == message


# Locals.


def locals_of(content: bytes) -> bytes:
    """A module whose only function declares these locals."""
    entry = content + b"\x0b"
    return HEADER + b"\1\4\1\x60\0\0" + b"\3\2\1\0" + section(10, b"\1" + bytes((len(entry),)) + entry)


def test_locals_are_runs() -> None:
    (code,) = decode(locals_of(b"\3\0\x7f\2\x7e\1\x70")).codes
    assert code.locals_ == ((0, NumType.I32), (2, NumType.I64), (1, FUNCREF))
    assert code.local_types() == [NumType.I64, NumType.I64, FUNCREF]


def test_too_many_locals() -> None:
    for data, error, message in (
        (b"\2\xff\xff\xff\xff\x0f\x7f\1\x7f", Malformed, r"^too many locals"),
        (b"\1\xff\xff\xff\xff\x0f\x7f", Exhausted, "at most 50000"),
        (b"\1\xd1\x86\x03\x7f", Exhausted, "at most 50000"),
    ):
        with pytest.raises(error, match=message):
            decode(locals_of(data), eager=True)
        (code,) = decode(locals_of(data)).codes  # its content is decoded when it is asked for
        for ask in (lambda code=code: code.locals_, lambda code=code: code.body):
            with pytest.raises(error, match=message):
                ask()
    assert len(decode(locals_of(b"\1\xd0\x86\x03\x7f")).codes[0].local_types()) == 50_000


def test_a_body_is_decoded_once() -> None:
    code = decode(locals_of(b"\0\1")).codes[0]
    assert code.body is code.body


def test_data_count_is_asked_for_when_the_body_is_decoded() -> None:
    data = locals_of(b"\0\xfc\x09\0")
    code = decode(data).codes[0]
    with pytest.raises(Malformed, match=r"^data count section required"):
        code.body  # noqa: B018 -- decoding is the point
    with pytest.raises(Malformed, match=r"^data count section required"):
        decode(data, eager=True)
