"""Loads and stores as Python: the page from the table of those that may be read or written at once.

Where the page is not in the table, or an access goes over its edge, Python raises, and the reference machine does the
access.
"""

from __future__ import annotations

from lindref.vm.compiled.operand import M32, M64, Operand, int_of, plain_of
from lindref.vm.numeric.floats import f32_from_bits, f64_from_bits
from lindref.vm.pages import MASK, PAGE, SHIFT
from lindref.wasm.instructions import MemArg

#: By width the functions of ``struct`` that read and write an unsigned number.
_READ = {2: "u2", 4: "u4", 8: "u8"}
_WRITE = {2: "p2", 4: "p4", 8: "p8"}
_SIGNED = {2: "h2", 4: "h4"}


def float_constant(bits: int, width: int) -> Operand:
    """A constant, by its bits."""
    value = f32_from_bits(bits) if width == 4 else f64_from_bits(bits)
    text = repr(value)
    if "n" in text:  # inf and nan have no literals
        name = "o_f32_reinterpret_i32" if width == 4 else "o_f64_reinterpret_i64"
        return Operand(f"{name}({bits:#x})", atom=True)
    return Operand(f"({text})" if text[0] == "-" else text, atom=True)


def _place(address: Operand, offset: int) -> tuple[str, str]:
    """Page and offset in it, as expressions to be evaluated in this order."""
    if address.constant is not None:
        a = address.constant + offset
        return str(a >> SHIFT), str(a & MASK)
    high = (address.high if address.canonical else 1 if address.form == Operand.CONDITION else address.mask) + offset
    text = f"{address.part} + {offset}" if offset else address.value
    if high < PAGE:
        return "0", text
    if address.atom and not offset and address.canonical:
        return f"{text} >> {SHIFT}", f"{text} & {MASK}"
    return f"(x := {text}) >> {SHIFT}", f"x & {MASK}"


def table(name: str, memory: int) -> str:
    """The name of a table of pages, ``rp`` or ``wp``: that of memory 0 has no number."""
    return f"{name}{memory or ''}"


def load(name: str, address: Operand, memarg: MemArg) -> Operand:
    """A load."""
    kind, what = name.split(".")
    page, at = _place(address, memarg.offset)
    rp = table("rp", memarg.memory)
    part = what.removeprefix("load")
    if kind in ("f32", "f64"):
        text = f"u4({rp}[{page}], {at})[0]" if kind == "f32" else f"d8({rp}[{page}], {at})[0]"
        return plain_of(f"o_f32_reinterpret_i32({text})" if kind == "f32" else text, address)
    mask = M32 if kind == "i32" else M64
    bits, _, sign = part.partition("_")
    width = int(bits) // 8 if bits else int(kind[1:]) // 8
    if width == 1:
        text = f"{rp}[{page}][{at}]"
        if sign == "s":
            return int_of(f"({text} ^ 128) - 128", mask, -128, 127, address)
        return int_of(text, mask, 0, 255, address)
    if sign == "s":
        half = 1 << 8 * width - 1
        return int_of(f"{_SIGNED[width]}({rp}[{page}], {at})[0]", mask, -half, half - 1, address)
    return int_of(f"{_READ[width]}({rp}[{page}], {at})[0]", mask, 0, (1 << 8 * width) - 1, address)


def store(name: str, address: Operand, memarg: MemArg, value: Operand) -> str:
    """A store, as a line."""
    kind, what = name.split(".")
    page, at = _place(address, memarg.offset)
    wp = table("wp", memarg.memory)
    if kind == "f64":
        return f"e8({wp}[{page}], {at}, {value.value})"
    if kind == "f32":
        return f"p4({wp}[{page}], {at}, o_i32_reinterpret_f32({value.value}))"
    bits = what.removeprefix("store")
    full = int(kind[1:]) // 8
    width = int(bits) // 8 if bits else full
    limit = (1 << 8 * width) - 1
    if (value.canonical and value.high <= limit) or value.form == Operand.CONDITION or width == full:
        text = value.value
    else:
        text = f"{value.inner} & {limit:#x}"
    return f"{wp}[{page}][{at}] = {text}" if width == 1 else f"{_WRITE[width]}({wp}[{page}], {at}, {text})"
