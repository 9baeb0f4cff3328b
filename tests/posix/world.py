"""A host for one kernel: memories, choices and random bytes without a system around them."""

from __future__ import annotations

from lindref.posix import memory as mem
from lindref.posix import processes
from lindref.posix.cage import Mapping
from lindref.posix.call import Call, make
from lindref.posix.kernel import Address, ChoiceKind
from lindref.posix.params import ParamKind
from lindref.posix.result import Done, Exec, Fork, GroupEnd, NewThread, Result, ThreadEnd, Wait
from lindref.posix.structs import CLONE_ARGS
from lindref.posix.table import NUMBERS, new_kernel
from lindref.posix.usermem import model_base, model_resolve
from lindref.profile import Profile, by_name
from lindref.vm.memory import Memory

#: Kinds of parameters that are addresses.
POINTERS = frozenset(
    {
        ParamKind.PATH,
        ParamKind.CSTRING,
        ParamKind.BUFFER,
        ParamKind.STRUCT,
        ParamKind.ARRAY,
        ParamKind.IOVEC,
        ParamKind.STRINGS,
        ParamKind.SIGSET,
        ParamKind.WAIT_STATUS,
        ParamKind.INT_CELL,
        ParamKind.LONG_CELL,
        ParamKind.FD_SET,
        ParamKind.SOCKADDR,
        ParamKind.POINTER,
        ParamKind.VARIES,
    }
)

#: Bytes mapped by the image of every cage, from address 0.
IMAGE = 0x100000


class World:
    """One kernel with cage 1 booted, and the memories of its cages."""

    def __init__(self, profile: str = "spec") -> None:
        self.profile: Profile = by_name(profile)
        self.memories: dict[int, Memory] = {}
        self.warnings: list[str] = []
        self.asked: list[tuple[ChoiceKind, int]] = []
        self.answers: list[int] = []
        self.kernel = new_kernel(self)
        self.boot()

    def boot(self) -> None:
        processes.boot(self.kernel)
        self.load(1)

    # Host.

    def choose(self, kind: ChoiceKind, options: int) -> int:
        self.asked.append((kind, options))
        return min(self.answers.pop(0), options - 1) if self.answers else 0

    def memory(self, cage: int) -> Memory | None:
        return self.memories.get(cage)

    def base(self, cage: int) -> int:
        return model_base(cage)

    def resolve(self, address: int) -> Address | None:
        return model_resolve(address)

    def random_bytes(self, count: int) -> bytes:
        return bytes((7 * i + 3) % 256 for i in range(count))

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    # Cages.

    def load(self, cage: int) -> None:
        """A fresh image in a fresh memory."""
        self.memories[cage] = Memory.lind(self.kernel.backings)
        mem.place_mapping(self.kernel, cage, Mapping(0, IMAGE // 4096, 3, 0x32))
        mem.set_heap(self.kernel, cage, IMAGE)

    def fork(self, cage: int = 1, tid: int = 1) -> int:
        """Fork a cage; the child's id."""
        self.put(cage, 0x80, CLONE_ARGS.pack())
        result = self.call("clone", self.ptr(0x80, cage), tid, cage=cage)
        assert isinstance(result, Fork), result
        self.memories[result.child] = self.memories[cage].fork()
        processes.forked(self.kernel, result.parent, result.child)
        return result.child

    def thread(self, cage: int = 1, stack: int = 0x8000, size: int = 0x1000, child_tid: int = 0x100) -> Result:
        """Make a thread."""
        place = self.ptr(child_tid, cage) if child_tid else 0
        self.put(cage, 0x80, CLONE_ARGS.pack(flags=0x100, stack=stack, stack_size=size, child_tid=place))
        return self.call("clone", self.ptr(0x80, cage), cage=cage)

    def exit(self, cage: int, code: int = 0) -> int:
        """exit_group and all that the system does then; the wait status."""
        result = self.call("exit_group", code, cage=cage)
        assert result == GroupEnd(cage)
        return self.finish(cage)

    def finish(self, cage: int) -> int:
        """All threads of a cage stop."""
        for tid in self.kernel.cages[cage].threads:
            last = processes.thread_gone(self.kernel, cage, tid)
        assert last
        del self.memories[cage]
        return processes.ended(self.kernel, cage)

    # Calls and memory.

    def ptr(self, offset: int, cage: int = 1) -> int:
        return model_base(cage) + offset

    def make(self, name: str, *values: int, cage: int = 1) -> Call:
        return make(NUMBERS[name], cage, *values)

    def call(self, name: str, *values: int, cage: int = 1) -> Result:
        return self.kernel.call(self.make(name, *values, cage=cage))

    def do(self, name: str, *values: int, cage: int = 1) -> int:
        result = self.call(name, *values, cage=cage)
        assert isinstance(result, Done), result
        return result.value

    def put(self, cage: int, offset: int, data: bytes) -> None:
        assert self.memories[cage].try_write(offset, data)

    def get(self, cage: int, offset: int, count: int) -> bytes:
        data = self.memories[cage].try_read(offset, count)
        assert data is not None
        return data

    def word(self, offset: int, cage: int = 1, size: int = 4, signed: bool = True) -> int:
        return int.from_bytes(self.get(cage, offset, size), "little", signed=signed)


__all__ = ["IMAGE", "Done", "Exec", "Fork", "GroupEnd", "NewThread", "ThreadEnd", "Wait", "World"]
