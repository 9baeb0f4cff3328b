"""Atomic accesses to memory as lines of Python.

One thread runs at a time, so they are plain accesses that must be aligned. What is not aligned, or not at hand, is left
to the reference machine, which says what it comes to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref.vm.compiled.memory_access import load, store
from lindref.vm.compiled.nodes import If, Leave, Line, Site
from lindref.vm.compiled.operand import M32, M64, Operand, int_of

if TYPE_CHECKING:
    from lindref.vm.compiled.translate import Translator
    from lindref.wasm.instructions import MemArg, Op

_SYMBOLS = {"add": "+", "sub": "-", "and": "&", "or": "|", "xor": "^"}


def access(t: Translator, op: Op, memarg: MemArg) -> None:
    """Any atomic instruction but wait and notify."""
    assert op.sig is not None
    count = len(op.sig[0])
    t.settle("shared", keep=count)
    for i in range(len(t.stack) - count, len(t.stack)):
        if not t.stack[i].literal:
            t.spill(i)
    site = Site(t.state())
    address, *values = t.pop(count)
    kind, width = op.name[:3], op.width
    mask = M32 if kind == "i32" else M64
    if width > 1:
        aligned = f"{address.part} + {memarg.offset} & {width - 1}"
        t.out.append(If(aligned, f"not ({aligned})", site, [Leave("raise BAIL", site)]))
    plain = f"{kind}.load" + ("" if width * 8 == int(kind[1:]) else f"{width * 8}_u")
    storing = f"{kind}.store" + ("" if width * 8 == int(kind[1:]) else str(width * 8))
    what = op.name.split(".")[2]
    if what.startswith("store"):
        t.out.append(Line(store(storing, address, memarg, values[0]), site))
        return
    old = t.temp()
    t.out.append(Line(f"{old} = {load(plain, address, memarg).text}", site))
    found = Operand(old, frozenset((old,)), form=Operand.INT, atom=True, high=(1 << 8 * width) - 1, mask=mask)
    if what.startswith("rmw"):
        change = op.name.split(".")[3].removesuffix("_u")
        if change == "cmpxchg":
            line = Line(store(storing, address, memarg, values[1]), site)
            same, other = f"{old} == {values[0].part}", f"{old} != {values[0].part}"
            t.out.append(If(same, other, site, [line]))
        else:
            symbol = _SYMBOLS.get(change)
            changed = int_of(f"{old} {symbol} {values[0].part}", mask, -mask, 2 * mask, found, values[0])
            t.out.append(Line(store(storing, address, memarg, changed if symbol else values[0]), site))
    t.push(found)
