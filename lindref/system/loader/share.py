"""What one thread has loaded, the cage's other threads get too (DL-8): each has instances, globals and a table of its
own, kept in step, and needs a block of its own for the library's thread-local variables."""

from __future__ import annotations

from lindref.system.abi import SyscallRequest
from lindref.system.image import ImageError
from lindref.system.loader import layout
from lindref.system.loader.loader import Loader
from lindref.vm.machine import Machine
from lindref.vm.outcomes import Returned
from lindref.vm.store import Cell, Store
from lindref.vm.values import FuncInst

#: Ticks and depth that the linker's own functions, which only copy a block, may take.
_TICKS = 10_000
_DEPTH = 64


def share(loader: Loader) -> None:
    """The other threads' stores get the instances that this one has and they do not."""
    own = loader.store
    for other in loader.guest.siblings(loader):
        store: Store = other.store
        store.globals += [Cell(cell.type, cell.value) for cell in own.globals[len(store.globals) :]]
        for table, mine in zip(store.tables, own.tables, strict=True):
            size = len(table.elements)
            table.grow(len(mine.elements) - size, None)
            table.write(size, mine.elements[size:])
        for view, mine_view in zip(store.views, own.views, strict=False):
            view.relink(mine_view.instance)
        store.views += [view.copy(store) for view in own.views[len(store.views) :]]
        store.reshape()
        other.linkage = loader.linkage


def share_values(loader: Loader, first: int) -> None:
    """The modules from ``first`` on have relocated themselves: what is in their globals holds for all threads."""
    provided = {number for _, _, number in loader.linkage.provided}
    placed = [m for m in loader.linkage.modules[first:] if m.instance >= 0]
    numbers = {n for m in placed for n in loader.store.views[m.instance].instance.globals} - provided
    for other in loader.guest.siblings(loader):
        for number in sorted(numbers):
            other.store.globals[number].value = loader.store.globals[number].value


def _run(store: Store, func: FuncInst, args: list[int]) -> list[int]:
    """Run one of the linker's own functions at once, in a store whose thread stands elsewhere."""
    machine = Machine(store, max_depth=_DEPTH)
    machine.call(func, args)
    outcome = machine.run(_TICKS)
    if not isinstance(outcome, Returned):
        raise ImageError(f"the set-up of thread-local storage ends with {outcome}")
    return list(outcome.values)


def _function(store: Store, loader: Loader, index: int, name: str) -> FuncInst | None:
    found = store.views[loader.linkage.modules[index].instance].instance.export(name)
    return found if isinstance(found, FuncInst) else None


def _block(loader: Loader, index: int) -> int:
    """Bytes of a thread's block for a module, 0 where it has none."""
    size = _function(loader.store, loader, index, layout.TLS_SIZE)
    init = _function(loader.store, loader, index, layout.INIT_TLS)
    return _run(loader.store, size, [])[0] if size is not None and init is not None else 0


def share_tls(loader: Loader, index: int) -> SyscallRequest | None:
    """Ask for the blocks that the other threads need for a module, if any."""
    others = loader.guest.siblings(loader)
    size = _block(loader, index) if others else 0
    return loader.mmap(0, layout.pages(size * len(others)), layout.PRIVATE_ANONYMOUS) if size else None


def tls_mapped(loader: Loader, index: int, address: int) -> None:
    """The blocks are there: each of the other threads gets one. Threads that came since have theirs already."""
    size = _block(loader, index)
    for number, other in enumerate(loader.guest.siblings(loader)):
        init = _function(other.store, loader, index, layout.INIT_TLS)
        assert init is not None
        _run(other.store, init, [address + number * size])
