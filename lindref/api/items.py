"""Memories, globals and tables: exported by an instance, or made here and given to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lindref.api.convert import from_wasm, to_wasm
from lindref.vm import memory as vm
from lindref.vm.store import Cell
from lindref.vm.table import Table as VmTable
from lindref.wasm.types import EXTERNREF, FUNCREF, GlobalType, Limits, NumType, RefType, TableType, ValType

if TYPE_CHECKING:
    from lindref.api.realm import Realm

_TYPES: dict[str, ValType] = {t.value: t for t in NumType if t is not NumType.V128}
_TYPES |= {"funcref": FUNCREF, "externref": EXTERNREF}


def _type(name: str) -> ValType:
    """The value type called so."""
    if name not in _TYPES:
        raise ValueError(f"no value type {name!r}; there are {', '.join(_TYPES)}")
    return _TYPES[name]


class Memory:
    """A linear memory; sizes in pages of 64 KiB."""

    def __init__(self, minimum: int, maximum: int | None = None, *, shared: bool = False) -> None:
        limit = vm.MAX_SIZE
        if not 0 <= minimum <= (limit if maximum is None else maximum) <= limit:
            raise ValueError(f"a memory of {minimum} to {maximum} pages: at most {limit}, the minimum first")
        if shared and maximum is None:
            raise ValueError("a shared memory must have a maximum")
        self.vm = vm.Memory(minimum, maximum, shared=shared)

    @classmethod
    def around(cls, memory: vm.Memory) -> Memory:
        """The Python side of a machine's memory."""
        made = cls.__new__(cls)
        made.vm = memory
        return made

    def __len__(self) -> int:
        """The size in bytes."""
        return self.vm.size * vm.WASM_PAGE

    @property
    def size(self) -> int:
        """The size in pages."""
        return self.vm.size

    def grow(self, pages: int) -> int:
        """Grows by ``pages``; the size before. ``ValueError`` if it cannot."""
        before = -1 if pages < 0 else self.vm.grow(pages)
        if before < 0:
            raise ValueError(f"cannot grow by {pages} pages")
        return before

    def read(self, address: int, count: int) -> bytes:
        """``count`` bytes from ``address`` on; ``IndexError`` out of bounds."""
        data = self.vm.try_read(address, count) if address >= 0 and count >= 0 else None
        if data is None:
            raise IndexError(f"{count} bytes at {address:#x} are not within the memory")
        return data

    def write(self, address: int, data: bytes | bytearray | memoryview) -> None:
        """Stores ``data`` at ``address``, all of it or (``IndexError``) nothing."""
        if address < 0 or not self.vm.try_write(address, data):
            raise IndexError(f"{len(data)} bytes at {address:#x} are not within the memory")


class Global:
    """A global. Standing alone it holds a number or an external reference."""

    def __init__(self, valtype: str, value: Any, *, mutable: bool = False) -> None:
        kind = _type(valtype)
        if isinstance(kind, RefType) and kind is not EXTERNREF:
            raise ValueError(f"a global of type {valtype} can only be made by a module")
        self.cell = Cell(GlobalType(kind, mutable), to_wasm(value, kind, None))
        self.realm: Realm | None = None

    @classmethod
    def around(cls, cell: Cell, realm: Realm) -> Global:
        """The Python side of a machine's global."""
        made = cls.__new__(cls)
        made.cell = cell
        made.realm = realm
        return made

    @property
    def mutable(self) -> bool:
        """Whether it may be written."""
        return self.cell.type.mutable

    @property
    def value(self) -> Any:
        """Its value; may be assigned if it is mutable (``TypeError`` if it is not)."""
        return from_wasm(self.cell.value, self.cell.type.value, self.realm)

    @value.setter
    def value(self, value: Any) -> None:
        if not self.cell.type.mutable:
            raise TypeError("this global is immutable")
        self.cell.value = to_wasm(value, self.cell.type.value, self.realm)


class Table:
    """A table of references, a sequence of fixed positions."""

    def __init__(self, minimum: int, maximum: int | None = None, *, element: str = "funcref") -> None:
        kind = _type(element)
        if not isinstance(kind, RefType):
            raise ValueError(f"tables hold references, not {element}")  # noqa: TRY004 (a name that is no such type)
        if minimum < 0 or (maximum is not None and maximum < minimum):
            raise ValueError(f"a table of {minimum} to {maximum} elements")
        self.vm = VmTable(TableType(Limits(minimum, maximum), kind))
        self.realm: Realm | None = None

    @classmethod
    def around(cls, table: VmTable, realm: Realm) -> Table:
        """The Python side of a machine's table."""
        made = cls.__new__(cls)
        made.vm = table
        made.realm = realm
        return made

    def __len__(self) -> int:
        return len(self.vm.elements)

    def _index(self, index: int) -> int:
        if not 0 <= index < len(self):
            raise IndexError(f"element {index} of a table of {len(self)}")
        return index

    def __getitem__(self, index: int) -> Any:
        return from_wasm(self.vm.get(self._index(index)), self.vm.ref, self.realm)

    def __setitem__(self, index: int, value: Any) -> None:
        self.vm.set(self._index(index), to_wasm(value, self.vm.ref, self.realm))

    def grow(self, count: int, value: Any = None) -> int:
        """Grows by ``count`` elements; the size before. ``ValueError`` if it cannot."""
        before = -1 if count < 0 else self.vm.grow(count, to_wasm(value, self.vm.ref, self.realm))
        if before < 0:
            raise ValueError(f"cannot grow by {count} elements")
        return before
