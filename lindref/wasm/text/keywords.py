"""The keywords of the text format and of the script language: what tells "unexpected token" from "unknown operator"."""

from __future__ import annotations

import re

from lindref.wasm.features import Feature
from lindref.wasm.instructions import BY_NAME, UNBUILT_NAMES
from lindref.wasm.text.numbers import is_number
from lindref.wasm.text.strings import is_id, is_string

_TYPES = """
i8 i16 i32 i64 f32 f64 v128 func nofunc extern noextern any eq i31 struct array none exn noexn funcref nullfuncref
externref nullexternref anyref eqref i31ref structref arrayref nullref exnref nullexnref ref null mut param result
field type rec sub final shared
"""
_FIELDS = "module import export table memory global tag local start elem data offset item declare"
_CONTROL = "then else end do try catch catch_all catch_ref catch_all_ref delegate"
_SCRIPT = """
binary quote definition instance script register invoke get input output thread wait either ref.extern ref.host
ref.struct ref.array ref.any nan:canonical nan:arithmetic assert_malformed assert_invalid assert_unlinkable
assert_return assert_trap assert_exhaustion assert_exception
"""

KEYWORDS: frozenset[str] = frozenset(f"{_TYPES} {_FIELDS} {_CONTROL} {_SCRIPT}".split()) | BY_NAME.keys()

_MEMORY_ARGUMENT = re.compile(r"(?:offset|align)=(.*)")
_OPERATOR_SHAPE = re.compile(r"[a-z][a-z0-9_.]*")


def unbuilt_operator(text: str) -> Feature | None:
    """The feature a token's instruction belongs to if it is one that is not built yet."""
    if not _OPERATOR_SHAPE.fullmatch(text):
        return None
    return next((feature for name, feature in UNBUILT_NAMES.items() if text.startswith(name)), None)


def is_known(text: str) -> bool:
    """Whether the token could stand somewhere: if not, it is an "unknown operator" wherever it stands."""
    if text in {"", "(", ")"} or text in KEYWORDS or is_string(text) or is_id(text) or is_number(text):
        return True
    argument = _MEMORY_ARGUMENT.fullmatch(text)
    return bool(argument and is_number(argument[1])) or unbuilt_operator(text) is not None
