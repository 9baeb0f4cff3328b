"""Changes by hand to what a thread computes with, so that they can be done again whenever one comes by (TRAVEL-7)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lindref.debug.expressions import Assignment, ExpressionError
from lindref.debug.frames import GuestFrame
from lindref.debug.places import InMemory, InSlot
from lindref.system.wasm_runner import WasmRunner
from lindref.wasm.types import NumType

if TYPE_CHECKING:
    from lindref.system.system import System as Engine
    from lindref.vm.frame import Frame


def change_of(change: Assignment, frame: GuestFrame) -> Callable[[Engine], object]:
    """What does an assignment in a frame to a live engine that stands there; raises ``ExpressionError``."""
    where, data = change.target.where, change.data
    if isinstance(where, InMemory):
        cage, address = frame.thread.cage, where.address
        if not where.memory.writable(address, len(data)):
            raise ExpressionError(f"{address:#x} cannot be written")
        return lambda engine: engine.memories[cage].try_write(address, data)
    if not isinstance(where, InSlot):
        raise ExpressionError("this cannot be assigned to")
    kind, level, number = where.slot
    key, wide = frame.thread.key, _width(where, frame)

    def apply(engine: Engine) -> None:
        thread = engine.threads[key]
        assert isinstance(thread.runner, WasmRunner)
        holder: Frame | None = thread.runner.machine.frame
        for _ in range(level):
            holder = None if holder is None else holder.parent
        if holder is None or holder.view is None:
            return
        if kind == "global":
            cell = holder.view.cells[number]
            cell.value = _changed(cell.value, where.offset, data, wide)
        else:
            values = holder.locals if kind == "local" else holder.stack
            values[number] = _changed(values[number], where.offset, data, wide)
        part = thread.runner.machine.frame
        while part is not None:  # no longer as it was frozen, nor is what was called from it
            part.state = None
            if part is holder:
                break
            part = part.parent
        thread.runner.changed = True

    return apply


def _width(where: InSlot, frame: GuestFrame) -> int:
    """How many bytes an integer slot has: those of a local and global have a type, an operand what it needs."""
    kind, _, number = where.slot
    body, view = frame.frame.body, frame.frame.view
    assert view is not None
    if kind == "global":
        return 8 if view.cells[number].type.value is NumType.I64 else 4
    if kind == "local" and body.program is not None:
        types = [*body.type.params, *body.program.module.codes[body.code_index].local_types()]
        return 8 if number < len(types) and types[number] is NumType.I64 else 4
    return 8 if isinstance(where.value, int) and where.value >= 1 << 32 else 4


def _changed(old: Any, offset: int, data: bytes, wide: int) -> Any:
    """A wasm value with some of its bytes replaced."""
    if isinstance(old, float):
        if len(data) not in (4, 8):
            return old
        return struct.unpack("<f" if len(data) == 4 else "<d", data)[0]
    whole = bytearray((old & (1 << 64) - 1).to_bytes(8, "little"))
    if not offset and len(data) < wide:
        signed = data[-1] & 0x80
        data += (b"\xff" if signed else b"\0") * (wide - len(data))
    whole[offset : offset + len(data)] = data
    return int.from_bytes(whole[:wide], "little")
