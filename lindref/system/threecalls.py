"""3i's own calls, 1001 to 1003, as served when no grate interposes them.

Wire positions are 3i.md 1.6; rules 3I-REG-*, 3I-COPY-*, 3I-DATA-*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref import classes
from lindref.posix.memory import permits
from lindref.system import calls, capable, panics
from lindref.threei import copydata, tables
from lindref.threei.numbers import COPY_HANDLER_TABLE_TO_CAGE, REGISTER_HANDLER, ThreeIError

if TYPE_CHECKING:
    from lindref.posix.call import Arg
    from lindref.system.system import System
    from lindref.system.threads import Pending, Thread


@classes.define
class CageMemories:
    """The cages' memories as call 1002 sees them: host addresses, each to be in the cage that is named.

    ``lost`` is set where the cage's map allows what the memory does not: what it knows is stale (deviations
    ``MEM-STALE``, ``MEM-CHECK-CACHE``).
    """

    system: System
    lost: bool = False

    def _offset(self, cage: int, address: int, length: int) -> int | None:
        base = self.system.base(cage) if self.exists(cage) else 0
        offset = address - base
        return offset if base and offset >= 0 and offset + length <= 1 << 32 else None

    def exists(self, cage: int) -> bool:
        """Whether the cage has a memory."""
        return self.system.memory(cage) is not None

    def read(self, cage: int, address: int, length: int) -> bytes | None:
        """Bytes of a cage, or ``None``."""
        offset = self._offset(cage, address, length)
        memory = self.system.memory(cage)
        if offset is None or memory is None:
            return None
        allowed = permits(self.system.kernel, cage, offset, length, write=False)
        data = memory.try_read(offset, length)
        self.lost |= allowed and data is None
        return data

    def read_string(self, cage: int, address: int, limit: int) -> bytes | None:
        """A string of a cage with its NUL, or ``None``."""
        offset = self._offset(cage, address, 0)
        memory = self.system.memory(cage)
        if offset is None or memory is None:
            return None
        out = bytearray()
        while len(out) < limit:
            step = min(4096 - (offset + len(out)) % 4096, limit - len(out))
            chunk = memory.try_read(offset + len(out), step)
            if chunk is None:
                return None
            end = chunk.find(b"\0")
            if end >= 0:
                return bytes(out) + chunk[: end + 1]
            out += chunk
        return None

    def write(self, cage: int, address: int, data: bytes) -> bool:
        """Store all of ``data`` or nothing."""
        offset = self._offset(cage, address, len(data))
        memory = self.system.memory(cage)
        if offset is None or memory is None:
            return False
        allowed = permits(self.system.kernel, cage, offset, len(data), write=True)
        done = memory.try_write(offset, data)
        self.lost |= allowed and not done
        return done


def _lender(system: System, thread: Thread, place: Arg) -> int:
    """The cage whose memory a handler means: the one it names, or a grate in Python that made a call which it serves
    and put something of its own there (PY-11).
    """
    if system.grates:
        found = system.host.resolve(place.value)
        if found is not None and found.cage in system.grates:
            maker = thread
            while maker.serving:
                maker = system.threads[maker.serving]
                if maker.cage == found.cage:
                    return found.cage
    return place.cage


def serve(system: System, thread: Thread, pending: Pending) -> None:
    """Do a call of 3i itself."""
    args = pending.args
    if pending.then == "guest" and capable.refuse_service(system, thread, pending):
        return
    if pending.number == REGISTER_HANDLER:
        system.tables, result = tables.register(
            system.tables, args[0].value, args[0].cage, args[1].cage, args[2].value
        )
        calls.complete(system, thread, pending, result, "3I-REG-2" if result else "3I-REG-1")
    elif pending.number == COPY_HANDLER_TABLE_TO_CAGE:
        system.tables, result = tables.copy_table(system.tables, args[0].value, args[0].cage)
        rule = {0: "3I-COPY-1", ThreeIError.NO_SUCH_CAGE: "3I-COPY-2"}.get(result, "3I-COPY-3")
        calls.complete(system, thread, pending, result, rule)
    else:
        memories = CageMemories(system)
        source, dest = (_lender(system, thread, arg) for arg in args[:2])
        values = (args[0].value, source, args[1].value, dest, args[2].value, args[3].value)
        copied = copydata.copy_data(memories, *values)
        if copied.fault and system.profile.has("3I-DATA-NULL"):
            panics.panic(system, thread, copied.fault, copied.rule)
            return
        if memories.lost and system.profile.has("MEM-CHECK-CACHE"):
            system.fault(thread, "copy_data: what passed the check is not in memory", copied.rule, code=-11)
            return
        calls.complete(system, thread, pending, copied.result, copied.rule)
