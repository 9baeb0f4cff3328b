"""The operations under the names of the instruction table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lindref.vm.numeric import conversions as cv
from lindref.vm.numeric import floats as fl
from lindref.vm.numeric import ints

Operation = Callable[..., int | float]

_COMMON: dict[str, Operation] = {
    "eq": fl.eq,
    "ne": fl.ne,
    "lt": fl.lt,
    "gt": fl.gt,
    "le": fl.le,
    "ge": fl.ge,
    "abs": fl.abs_,
    "neg": fl.neg,
    "copysign": fl.copysign,
    "min": fl.min_,
    "max": fl.max_,
    "ceil": fl.ceil,
    "floor": fl.floor,
    "trunc": fl.trunc,
    "nearest": fl.nearest,
}
_F32: dict[str, Operation] = {
    "add": fl.f32_add,
    "sub": fl.f32_sub,
    "mul": fl.f32_mul,
    "div": fl.f32_div,
    "sqrt": fl.f32_sqrt,
}
_F64: dict[str, Operation] = {
    "add": fl.f64_add,
    "sub": fl.f64_sub,
    "mul": fl.f64_mul,
    "div": fl.f64_div,
    "sqrt": fl.f64_sqrt,
}

_CONVERSIONS: dict[str, Operation] = {
    "i32.wrap_i64": ints.i32_wrap_i64,
    "i64.extend_i32_s": ints.i64_extend_i32_s,
    "i64.extend_i32_u": ints.i64_extend_i32_u,
    "i32.trunc_f32_s": cv.i32_trunc_s,
    "i32.trunc_f32_u": cv.i32_trunc_u,
    "i32.trunc_f64_s": cv.i32_trunc_s,
    "i32.trunc_f64_u": cv.i32_trunc_u,
    "i64.trunc_f32_s": cv.i64_trunc_s,
    "i64.trunc_f32_u": cv.i64_trunc_u,
    "i64.trunc_f64_s": cv.i64_trunc_s,
    "i64.trunc_f64_u": cv.i64_trunc_u,
    "i32.trunc_sat_f32_s": cv.i32_trunc_sat_s,
    "i32.trunc_sat_f32_u": cv.i32_trunc_sat_u,
    "i32.trunc_sat_f64_s": cv.i32_trunc_sat_s,
    "i32.trunc_sat_f64_u": cv.i32_trunc_sat_u,
    "i64.trunc_sat_f32_s": cv.i64_trunc_sat_s,
    "i64.trunc_sat_f32_u": cv.i64_trunc_sat_u,
    "i64.trunc_sat_f64_s": cv.i64_trunc_sat_s,
    "i64.trunc_sat_f64_u": cv.i64_trunc_sat_u,
    "f32.convert_i32_s": cv.f32_convert_i32_s,
    "f32.convert_i32_u": cv.f32_convert_i32_u,
    "f32.convert_i64_s": cv.f32_convert_i64_s,
    "f32.convert_i64_u": cv.f32_convert_i64_u,
    "f64.convert_i32_s": cv.f64_convert_i32_s,
    "f64.convert_i32_u": cv.f64_convert_u,
    "f64.convert_i64_s": cv.f64_convert_i64_s,
    "f64.convert_i64_u": cv.f64_convert_u,
    "f32.demote_f64": cv.f32_demote_f64,
    "f64.promote_f32": cv.f64_promote_f32,
    "i32.reinterpret_f32": fl.f32_to_bits,
    "i64.reinterpret_f64": fl.f64_to_bits,
    "f32.reinterpret_i32": fl.f32_from_bits,
    "f64.reinterpret_i64": fl.f64_from_bits,
}


def _prefixed(kind: str, functions: Mapping[str, Operation]) -> dict[str, Operation]:
    """The functions under ``kind.name``."""
    return {f"{kind}.{name}": function for name, function in functions.items()}


OPERATIONS: dict[str, Operation] = {
    **_prefixed("i32", ints.operations(32)),
    **_prefixed("i64", ints.operations(64)),
    **_prefixed("f32", _COMMON),
    **_prefixed("f32", _F32),
    **_prefixed("f64", _COMMON),
    **_prefixed("f64", _F64),
    **_CONVERSIONS,
}
"""Instruction name → function of its operands in stack order (the deepest first): every instruction of the table
whose effect is one number out of one or two, i.e. with a signature and without immediates. Raises ``Trap``."""
