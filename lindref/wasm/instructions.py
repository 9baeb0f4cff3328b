"""The one instruction table: decoder, text parser, validator, printer and machine all read it.

A row says how an instruction is written (name, opcode, immediates), what it needs (feature) and, where its typing is
fixed, what it pops and pushes. Instructions whose typing depends on context (``sig is None``) have a typing rule of
their own in ``validator``. SIMD, memory64 and GC add rows here.

Letters in signatures: ``i`` i32, ``I`` i64, ``f`` f32, ``F`` f64.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator

from lindref import classes
from lindref.wasm.features import Feature


class Imm(enum.Enum):
    """Kinds of immediates; the comment gives the Python value in ``Instr.args``."""

    BLOCK = "block type"  # BlockType
    LABEL = "label"  # int, relative depth
    LABELS = "label table"  # tuple[int, ...]; the last one is the default
    FUNC = "function index"  # int
    TYPE = "type index"  # int
    TABLE = "table index"  # int
    MEMORY = "memory index"  # int
    GLOBAL = "global index"  # int
    LOCAL = "local index"  # int
    ELEM = "element segment index"  # int
    DATA = "data segment index"  # int
    TAG = "tag index"  # int
    MEMARG = "memory argument"  # MemArg
    I32 = "i32 constant"  # int, 0 <= n < 2**32
    I64 = "i64 constant"  # int, 0 <= n < 2**64
    F32 = "f32 constant"  # int: the 32-bit pattern
    F64 = "f64 constant"  # int: the 64-bit pattern
    HEAP = "heap type"  # HeapType
    VALTYPES = "value types"  # tuple[ValType, ...] (typed select)
    CATCHES = "catch clauses"  # tuple[Catch, ...]
    ZERO = "reserved zero byte"  # 0; not written in text


@classes.frozen
class MemArg:
    """Alignment (as an exponent), offset in bytes, memory index.

    Bytes and text may say any 64-bit offset; validation demands ``offset < 2**32`` for 32-bit memories.
    """

    align: int
    offset: int
    memory: int = 0


class CatchKind(enum.IntEnum):
    """Clauses of ``try_table``; values are the binary codes."""

    CATCH = 0
    CATCH_REF = 1
    CATCH_ALL = 2
    CATCH_ALL_REF = 3


@classes.frozen
class Catch:
    """One clause: ``tag`` is ``None`` for the ``catch_all`` kinds; ``label`` counts from *outside* the try_table."""

    kind: CatchKind
    tag: int | None
    label: int


@classes.frozen(eq=False)
class Op:
    """A row of the table. Rows are unique objects: compare with ``is``."""

    name: str
    code: int
    prefix: int | None = None  # 0xFC, 0xFD, 0xFE; ``code`` is then the LEB128 number after it
    imms: tuple[Imm, ...] = ()
    sig: tuple[str, str] | None = None  # (pops, pushes); None: own typing rule
    feature: Feature = Feature.BASE
    width: int = 0  # bytes accessed in memory, 0 if none
    atomic: bool = False
    const: Feature | None = None  # allowed in constant expressions under this feature
    index: int = classes.field(default=-1, repr=False)  # dense number, the position in ``TABLE``

    def __repr__(self) -> str:
        return f"<{self.name}>"

    @property
    def natural_align(self) -> int:
        """The natural alignment of the access as an exponent."""
        return self.width.bit_length() - 1


_B, _L, _LS, _FN, _TY = Imm.BLOCK, Imm.LABEL, Imm.LABELS, Imm.FUNC, Imm.TYPE
_TB, _M, _G, _LO, _EL = Imm.TABLE, Imm.MEMORY, Imm.GLOBAL, Imm.LOCAL, Imm.ELEM
_DA, _TG, _MA, _H = Imm.DATA, Imm.TAG, Imm.MEMARG, Imm.HEAP


def _control() -> Iterator[Op]:
    """Control, references, parametric and variable instructions: typing rules of their own."""
    base, tail, refs = Feature.BASE, Feature.TAIL_CALL, Feature.FUNCTION_REFERENCES
    exn, old = Feature.EXCEPTIONS, Feature.LEGACY_EXCEPTIONS
    rows: list[tuple[int, str, tuple[Imm, ...], Feature]] = [
        (0x00, "unreachable", (), base),
        (0x02, "block", (_B,), base),
        (0x03, "loop", (_B,), base),
        (0x04, "if", (_B,), base),
        (0x05, "else", (), base),
        (0x06, "try", (_B,), old),
        (0x07, "catch", (_TG,), old),
        (0x08, "throw", (_TG,), exn),
        (0x09, "rethrow", (_L,), old),
        (0x0A, "throw_ref", (), exn),
        (0x0B, "end", (), base),
        (0x0C, "br", (_L,), base),
        (0x0D, "br_if", (_L,), base),
        (0x0E, "br_table", (_LS,), base),
        (0x0F, "return", (), base),
        (0x10, "call", (_FN,), base),
        (0x11, "call_indirect", (_TY, _TB), base),
        (0x12, "return_call", (_FN,), tail),
        (0x13, "return_call_indirect", (_TY, _TB), tail),
        (0x14, "call_ref", (_TY,), refs),
        (0x15, "return_call_ref", (_TY,), refs),
        (0x18, "delegate", (_L,), old),
        (0x19, "catch_all", (), old),
        (0x1A, "drop", (), base),
        (0x1B, "select", (), base),
        (0x1F, "try_table", (_B, Imm.CATCHES), exn),
        (0x20, "local.get", (_LO,), base),
        (0x21, "local.set", (_LO,), base),
        (0x22, "local.tee", (_LO,), base),
        (0x23, "global.get", (_G,), base),
        (0x24, "global.set", (_G,), base),
        (0x25, "table.get", (_TB,), base),
        (0x26, "table.set", (_TB,), base),
        (0xD0, "ref.null", (_H,), base),
        (0xD1, "ref.is_null", (), base),
        (0xD2, "ref.func", (_FN,), base),
        (0xD4, "ref.as_non_null", (), refs),
        (0xD5, "br_on_null", (_L,), refs),
        (0xD6, "br_on_non_null", (_L,), refs),
    ]
    constants = {"global.get", "ref.null", "ref.func", "end"}
    yield Op("nop", 0x01, sig=("", ""))
    for code, name, imms, feature in rows:
        yield Op(name, code, imms=imms, feature=feature, const=base if name in constants else None)
    # Typed select shares its text name with the untyped one.
    yield Op("select", 0x1C, imms=(Imm.VALTYPES,))
    for code, name, imms in (
        (12, "table.init", (_EL, _TB)),
        (13, "elem.drop", (_EL,)),
        (14, "table.copy", (_TB, _TB)),
        (15, "table.grow", (_TB,)),
        (16, "table.size", (_TB,)),
        (17, "table.fill", (_TB,)),
    ):
        yield Op(name, code, 0xFC, imms)


def _memory() -> Iterator[Op]:
    """Loads, stores, size and bulk operations."""
    widths = {"8": 1, "16": 2, "32": 4}
    loads = "i32 i64 f32 f64 i32:8_s i32:8_u i32:16_s i32:16_u i64:8_s i64:8_u i64:16_s i64:16_u i64:32_s i64:32_u"
    stores = "i32 i64 f32 f64 i32:8 i32:16 i64:8 i64:16 i64:32"
    for code, spec in enumerate(loads.split(), 0x28):
        kind, _, part = spec.partition(":")
        width = widths[part.split("_")[0]] if part else int(kind[1:]) // 8
        yield Op(f"{kind}.load{part}", code, imms=(_MA,), sig=("i", _LETTER[kind]), width=width)
    for code, spec in enumerate(stores.split(), 0x36):
        kind, _, part = spec.partition(":")
        width = widths[part] if part else int(kind[1:]) // 8
        yield Op(f"{kind}.store{part}", code, imms=(_MA,), sig=("i" + _LETTER[kind], ""), width=width)
    yield Op("memory.size", 0x3F, imms=(_M,), sig=("", "i"))
    yield Op("memory.grow", 0x40, imms=(_M,), sig=("i", "i"))
    yield Op("memory.init", 8, 0xFC, (_DA, _M), ("iii", ""))
    yield Op("data.drop", 9, 0xFC, (_DA,), ("", ""))
    yield Op("memory.copy", 10, 0xFC, (_M, _M), ("iii", ""))
    yield Op("memory.fill", 11, 0xFC, (_M,), ("iii", ""))


_LETTER = {"i32": "i", "i64": "I", "f32": "f", "f64": "F"}
_INT_CMP = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u"
_INT_UN = "clz ctz popcnt"
_INT_BIN = "add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr"
_FLOAT_CMP = "eq ne lt gt le ge"
_FLOAT_UN = "abs neg ceil floor trunc nearest sqrt"
_FLOAT_BIN = "add sub mul div min max copysign"
_CONVERSIONS = """
i32.wrap_i64 i32.trunc_f32_s i32.trunc_f32_u i32.trunc_f64_s i32.trunc_f64_u i64.extend_i32_s i64.extend_i32_u
i64.trunc_f32_s i64.trunc_f32_u i64.trunc_f64_s i64.trunc_f64_u f32.convert_i32_s f32.convert_i32_u f32.convert_i64_s
f32.convert_i64_u f32.demote_f64 f64.convert_i32_s f64.convert_i32_u f64.convert_i64_s f64.convert_i64_u
f64.promote_f32 i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64
"""


def _source_letter(name: str) -> str:
    """The operand's letter of a conversion ``t.op_source_sx``."""
    return next(_LETTER[part] for part in name.split(".")[1].split("_") if part in _LETTER)


def _numeric() -> Iterator[Op]:
    """Constants, comparisons, arithmetic and conversions."""
    for code, (kind, imm) in enumerate(
        (("i32", Imm.I32), ("i64", Imm.I64), ("f32", Imm.F32), ("f64", Imm.F64)), 0x41
    ):
        yield Op(f"{kind}.const", code, imms=(imm,), sig=("", _LETTER[kind]), const=Feature.BASE)
    yield Op("i32.eqz", 0x45, sig=("i", "i"))
    yield Op("i64.eqz", 0x50, sig=("I", "i"))
    for start, kind, names in (
        (0x46, "i32", _INT_CMP),
        (0x51, "i64", _INT_CMP),
        (0x5B, "f32", _FLOAT_CMP),
        (0x61, "f64", _FLOAT_CMP),
    ):
        for code, name in enumerate(names.split(), start):
            yield Op(f"{kind}.{name}", code, sig=(_LETTER[kind] * 2, "i"))
    for start, kind, unary, binary in (
        (0x67, "i32", _INT_UN, _INT_BIN),
        (0x79, "i64", _INT_UN, _INT_BIN),
        (0x8B, "f32", _FLOAT_UN, _FLOAT_BIN),
        (0x99, "f64", _FLOAT_UN, _FLOAT_BIN),
    ):
        t = _LETTER[kind]
        count = len(unary.split())
        for code, name in enumerate(unary.split(), start):
            yield Op(f"{kind}.{name}", code, sig=(t, t))
        for code, name in enumerate(binary.split(), start + count):
            extended = kind in ("i32", "i64") and name in ("add", "sub", "mul")
            yield Op(
                f"{kind}.{name}", code, sig=(t + t, t), const=Feature.EXTENDED_CONST if extended else None
            )
    for code, name in enumerate(_CONVERSIONS.split(), 0xA7):
        yield Op(name, code, sig=(_source_letter(name), _LETTER[name[:3]]))
    extensions = ("i32.extend8_s", "i32.extend16_s", "i64.extend8_s", "i64.extend16_s", "i64.extend32_s")
    for code, name in enumerate(extensions, 0xC0):
        t = _LETTER[name[:3]]
        yield Op(name, code, sig=(t, t))
    saturating = [f"{t}.trunc_sat_{f}_{s}" for t in ("i32", "i64") for f in ("f32", "f64") for s in "su"]
    for code, name in enumerate(saturating):
        yield Op(name, code, 0xFC, sig=(_source_letter(name), _LETTER[name[:3]]))


def _atomic() -> Iterator[Op]:
    """The threads proposal, prefix 0xFE."""

    def row(code: int, name: str, pops: str, pushes: str, width: int) -> Op:
        return Op(name, code, 0xFE, (_MA,), (pops, pushes), Feature.THREADS, width, atomic=True)

    yield row(0x00, "memory.atomic.notify", "ii", "i", 4)
    yield row(0x01, "memory.atomic.wait32", "iiI", "i", 4)
    yield row(0x02, "memory.atomic.wait64", "iII", "i", 8)
    yield Op("atomic.fence", 0x03, 0xFE, (Imm.ZERO,), ("", ""), Feature.THREADS)
    shapes = (
        *(("i32", "", 4), ("i64", "", 8)),
        *(("i32", "8", 1), ("i32", "16", 2)),
        *(("i64", "8", 1), ("i64", "16", 2), ("i64", "32", 4)),
    )
    for i, (kind, part, width) in enumerate(shapes):
        t, sx = _LETTER[kind], "_u" if part else ""
        yield row(0x10 + i, f"{kind}.atomic.load{part}{sx}", "i", t, width)
        yield row(0x17 + i, f"{kind}.atomic.store{part}", "i" + t, "", width)
        for j, op in enumerate(("add", "sub", "and", "or", "xor", "xchg")):
            yield row(0x1E + 7 * j + i, f"{kind}.atomic.rmw{part}.{op}{sx}", "i" + t, t, width)
        yield row(0x48 + i, f"{kind}.atomic.rmw{part}.cmpxchg{sx}", "i" + t + t, t, width)


#: Every row, in a fixed order; ``Op.index`` is the position.
TABLE: tuple[Op, ...] = tuple(
    classes.evolve(op, index=i)
    for i, op in enumerate((*_control(), *_memory(), *_numeric(), *_atomic()))
)

#: (prefix or None, code) -> row.
BY_CODE: dict[tuple[int | None, int], Op] = {(op.prefix, op.code): op for op in TABLE}

#: Text name -> row. ``select`` names the untyped one; the parser takes ``SELECT_T`` when a result type follows.
BY_NAME: dict[str, Op] = {op.name: op for op in reversed(TABLE)}

SELECT_T: Op = BY_CODE[None, 0x1C]
BY_NAME["select"] = BY_CODE[None, 0x1B]

#: Rows of features that are not built yet: name prefixes the text parser recognises to say ``Unsupported``
#: instead of "unknown operator".
UNBUILT_NAMES: dict[str, Feature] = {
    "v128.": Feature.SIMD,
    "i8x16.": Feature.SIMD,
    "i16x8.": Feature.SIMD,
    "i32x4.": Feature.SIMD,
    "i64x2.": Feature.SIMD,
    "f32x4.": Feature.SIMD,
    "f64x2.": Feature.SIMD,
    "struct.": Feature.GC,
    "array.": Feature.GC,
    "ref.i31": Feature.GC,
    "i31.": Feature.GC,
    "ref.eq": Feature.GC,
    "ref.test": Feature.GC,
    "ref.cast": Feature.GC,
    "br_on_cast": Feature.GC,
    "any.convert_extern": Feature.GC,
    "extern.convert_any": Feature.GC,
}

#: Opcodes without prefix of features that are not built yet.
UNBUILT_OPCODES: dict[int, Feature] = {0xD3: Feature.GC}

#: Binary prefixes of features that are not built yet.
UNBUILT_PREFIXES: dict[int, Feature] = {0xFD: Feature.SIMD, 0xFB: Feature.GC}
