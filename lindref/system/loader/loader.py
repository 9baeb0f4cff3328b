"""A live load: the modules of one thread's store, and the loads in progress. What each step does is in ``steps``."""

from __future__ import annotations

from lindref import classes
from lindref.posix.call import Arg
from lindref.state.records import replace
from lindref.system.abi import SyscallRequest
from lindref.system.image import Image
from lindref.system.loader.cage import LoadingCage
from lindref.system.loader.layout import MMAP, PROT_READ_WRITE
from lindref.system.loader.records import MAIN, Job, Linkage, Loaded
from lindref.system.loader.scope import Tables
from lindref.vm.store import Store
from lindref.vm.table import Table
from lindref.vm.values import FuncInst


class HostDies(Exception):
    """The real host process would end here; ``rule`` names the deviation."""

    def __init__(self, text: str, rule: str) -> None:
        super().__init__(text)
        self.text = text
        self.rule = rule


@classes.frozen
class Call:
    """A step runs a function of a module and is done when that returns."""

    func: FuncInst


#: What a step asks for; ``None``: it is done.
Wish = SyscallRequest | Call | None


@classes.define(eq=False)
class Loader:
    """Loads modules into ``store`` for one thread of ``guest``'s cage."""

    guest: LoadingCage
    store: Store
    linkage: Linkage
    jobs: tuple[Job, ...] = ()
    tables: Tables = classes.field(factory=Tables)
    touched: bool = False
    """Whether another thread's load changed this one."""

    @property
    def table(self) -> Table:
        """The table that all modules share."""
        return self.store.tables[self.linkage.table]

    @property
    def main(self) -> Loaded | None:
        """The main program, once there is a record of it."""
        return next((m for m in self.linkage.modules if m.role == MAIN), None)

    def has(self, deviation: str) -> bool:
        """Whether the profile has a deviation."""
        return self.guest.profile.has(deviation)

    def image(self, index: int) -> Image:
        """The image of a module."""
        return self.guest.image(self.linkage.modules[index].digest)

    def change(self, **changes: object) -> None:
        """Replace fields of the linkage; the cage's threads have one together (as recorded each has its own)."""
        self.linkage = replace(self.linkage, **changes)
        if self.linkage.threaded and not self.has("DL-THREADS"):
            for other in self.guest.siblings(self):
                other.linkage = self.linkage

    def change_module(self, index: int, **changes: object) -> Loaded:
        """Replace fields of a module's record."""
        modules = list(self.linkage.modules)
        modules[index] = made = replace(modules[index], **changes)
        self.change(modules=tuple(modules))
        return made

    def mmap(self, address: int, size: int, flags: int) -> SyscallRequest:
        """A mapping for the loader, made through the cage's handler table (DYN-3)."""
        cage = self.guest.cage
        values = (address, size, PROT_READ_WRITE, flags, (1 << 64) - 1, 0)
        return SyscallRequest(MMAP, 0, cage, cage, tuple(Arg(v, cage) for v in values))

    # Loads in progress.

    @property
    def busy(self) -> bool:
        """Whether a load has something to do right now."""
        return bool(self.jobs) and not self.jobs[-1].waits

    @property
    def asking(self) -> bool:
        """Whether a load waits for the answer to a call."""
        return bool(self.jobs) and self.jobs[-1].waits == "map"

    def change_job(self, **changes: object) -> None:
        """Replace fields of the innermost load."""
        self.jobs = (*self.jobs[:-1], replace(self.jobs[-1], **changes))

    def pop_job(self) -> Job:
        """The innermost load is over."""
        job = self.jobs[-1]
        self.jobs = self.jobs[:-1]
        return job


__all__ = ["Call", "HostDies", "Loader", "Wish"]
