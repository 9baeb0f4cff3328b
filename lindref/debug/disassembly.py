"""Code as text: instructions with names, one a line, for those who have no source."""

from __future__ import annotations

import bisect
from functools import lru_cache
from typing import TYPE_CHECKING

from lindref import classes
from lindref.wasm.text.print_instr import Surroundings, print_instr
from lindref.wasm.text.print_types import Ids

if TYPE_CHECKING:
    from lindref.vm.program import Program

_OPEN = frozenset({"block", "loop", "if", "try", "try_table"})
_CLOSE = frozenset({"end", "else", "catch", "catch_all", "delegate"})


@classes.frozen
class Line:
    """An instruction: offset and length in the file, text, how deep it is nested, and its function."""

    offset: int
    size: int
    text: str
    depth: int
    function: int


@lru_cache(maxsize=16)
def _ids(program: Program) -> Ids:
    return Ids.of(program.module, program.names)


@lru_cache(maxsize=64)
def function(program: Program, index: int) -> tuple[Line, ...]:
    """The instructions of a defined function; ``index`` counts imports."""
    code = program.module.codes[index - program.n_imported]
    around = Surroundings(_ids(program), dict(program.names.locals.get(index, {})))
    out, depth = [], 0
    end = code.offset + code.size
    offsets = [instr.offset for instr in code.body] + [end]
    for instr, after in zip(code.body, offsets[1:], strict=True):
        name = instr.op.name
        if name in _CLOSE:
            depth = max(depth - 1, 0)
        out.append(Line(instr.offset, max(after - instr.offset, 1), print_instr(instr, around), depth, index))
        if name in _OPEN or (name in _CLOSE and name not in ("end", "delegate")):
            depth += 1
    return tuple(out)


def around(program: Program, offset: int, before: int, count: int) -> list[Line]:
    """``count`` instructions, beginning ``before`` instructions before the one at or after ``offset`` in the file
    (``before`` negative: after it), over the ends of functions; fewer at the ends of the code."""
    codes = program.module.codes
    at = max(bisect.bisect_right(codes, offset, key=lambda code: code.offset) - 1, 0)
    if not len(codes):
        return []
    lines = list(function(program, program.n_imported + at))
    here = bisect.bisect_left(lines, offset, key=lambda line: line.offset)
    first = here - before
    low, high = at, at
    while first < 0 and low > 0:
        low -= 1
        more = function(program, program.n_imported + low)
        lines[:0] = more
        first += len(more)
    while first + count > len(lines) and high + 1 < len(codes):
        high += 1
        lines += function(program, program.n_imported + high)
    return lines[max(first, 0) : max(first + count, 0)]


__all__ = ["Line", "around", "function"]
