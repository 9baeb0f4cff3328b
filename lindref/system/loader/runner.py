"""A runner whose program is dynamic: beside its plan it has loads in progress, which come first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lindref.state.records import record, replace
from lindref.system import abi
from lindref.system.image import Image, ImageError
from lindref.system.loader import dl, plan, scope
from lindref.system.loader.cage import LoadingCage
from lindref.system.loader.layout import ENV, INIT_TLS, MAIN_TABLE_BASE, STACK_LOW, STACK_POINTER, TLS_SIZE
from lindref.system.loader.loader import Call, HostDies, Loader
from lindref.system.loader.needs import Preload
from lindref.system.loader.place import new_store, relink, table_minimum
from lindref.system.loader.records import MAIN, OPENED, PRELOAD, Job, JobBarrier, Linkage, Loaded
from lindref.system.loader.steps import mapped, perform
from lindref.system.runner import Asks, CannotLoad, HostEnds, RunnerEvent
from lindref.system.wasm_runner import Guest, Step, WasmRunner, WasmRunnerState
from lindref.vm import engines, outcomes
from lindref.vm.continuation import Continuation
from lindref.vm.machine import Machine
from lindref.vm.program import Program
from lindref.vm.store import Store, View
from lindref.vm.values import FuncInst, GlobalAddr, HostFunc

#: The plan of a dynamic program once it is loaded (DYN-4).
PROGRAM = (Step("_initialize", optional=True), Step("_start", last=True))

_NAME_MAX = 4096


@record("loader.runner")
class DynamicRunnerState:
    """A dynamic program's runner as a value."""

    wasm: WasmRunnerState
    linkage: Linkage
    jobs: tuple[Job, ...]


def program_runner(guest: Any, image: Image, path: bytes, preloads: Sequence[Preload]) -> DynamicRunner:
    """A runner about to load and run a dynamic program."""
    elements = table_minimum(image) + (0 if guest.profile.has("DL-OVERLAP") else MAIN_TABLE_BASE)
    store, linkage = new_store(guest.memory, elements)
    modules = [
        Loaded(p.image.digest, p.image.name, p.namespace, PRELOAD, p.found.path, p.found.inode) for p in preloads
    ]
    main = len(modules)
    modules.append(Loaded(image.digest, image.name, ENV, MAIN, path, 0))
    order = plan.program_one_by_one if guest.profile.has("DL-ORDER") else plan.program_together
    jobs = (Job(order(main, range(main))),)
    return DynamicRunner(guest, store, None, PROGRAM, linkage=replace(linkage, modules=tuple(modules)), jobs=jobs)


class DynamicRunner(WasmRunner):
    """See the module; implements ``lindref.system.runner.Runner``."""

    def __init__(
        self,
        guest: Any,
        store: Store,
        view: View | None,
        plan: tuple[Step, ...],
        machine: Machine | None = None,
        *,
        linkage: Linkage,
        jobs: tuple[Job, ...] = (),
    ) -> None:
        """A runner that first does ``jobs``, then ``plan``."""
        self.loader = Loader(LoadingCage(guest.system, guest.cage), store, linkage, jobs)
        super().__init__(guest, store, view, plan, machine)
        self.stack_low = STACK_LOW

    @property
    def changed(self) -> bool:
        """Whether it ran, was resumed or got a library since it was last frozen."""
        return self._changed or self.loader.touched

    @changed.setter
    def changed(self, value: bool) -> None:
        self._changed = value
        if not value:
            self.loader.touched = False

    # Exports: some are the whole program's.

    def export(self, name: str, instance: int | None = None) -> Any:
        """What main exports under a name, or instance ``instance``; the signal callback is libc's where main has none
        (DYN-11)."""
        found = super().export(name, instance)
        if found is None and instance is None:
            if name == STACK_POINTER:
                return GlobalAddr(next(n for _, s, n in self.loader.linkage.provided if s == STACK_POINTER))
            for index in self.loader.linkage.published:
                found = scope.defined(self.store, self.loader.linkage.modules[index], name)
                if found is not None:
                    return found
        return found

    # Loads.

    def prepare(self) -> RunnerEvent | None:
        """Go on with the loads in progress until a module's code is to run, or something is to be said."""
        loader = self.loader
        while loader.busy:
            job = loader.jobs[-1]
            try:
                if job.answer is not None:
                    loader.change_job(answer=None)
                    mapped(loader, job.steps[0], job.answer)
                    self._step_done()
                    continue
                if not job.steps:
                    self._job_done()
                    continue
                wish = perform(loader, job.steps[0])
            except ImageError as error:
                if job.opens < 0:
                    return CannotLoad(str(error))
                self._job_failed(str(error))
                continue
            except HostDies as death:
                return HostEnds(death.text, death.rule)
            if wish is None:
                self._step_done()
            elif isinstance(wish, Call):
                loader.change_job(waits="call")
                self._call(wish.func)
            else:
                loader.change_job(waits="map")
                return Asks(wish)
        return None

    def _call(self, func: FuncInst) -> None:
        """Call a function of a module, on top of the call of dlopen where the program runs already."""
        if self.machine.frame is None:
            self.machine.call(func, [])
        else:
            self.machine.push_call(func, [], JobBarrier(len(self.loader.jobs)))

    def _step_done(self) -> None:
        job = self.loader.jobs[-1]
        self.loader.change_job(steps=job.steps[1:], waits="")
        if self.view is None:
            main = self.loader.main
            if main is not None and main.instance >= 0:
                self.view = self.store.views[main.instance]

    def _job_done(self) -> None:
        job = self.loader.pop_job()
        if job.opens >= 0:
            self.machine.resume([dl.opened(self.loader, job)])

    def _job_failed(self, text: str) -> None:
        job = self.loader.pop_job()
        self.machine.resume([dl.failed(self.loader, job, text) & 0xFFFFFFFF])

    def resume(self, value: int) -> None:
        """Answer the call that the loader or the machine waits in."""
        if self.loader.asking:
            self.changed = True
            self.loader.change_job(waits="", answer=value & 0xFFFFFFFF)
        else:
            super().resume(value)

    # Outcomes.

    def _event(self, outcome: outcomes.Outcome) -> RunnerEvent | None:
        jobs = self.loader.jobs
        match outcome:
            case outcomes.Returned() if jobs:
                self._step_done()
                return None
            case outcomes.BarrierReturned(JobBarrier(), _):
                self._step_done()
                return None
            case outcomes.Thrown(_, JobBarrier(depth)):
                self.loader.jobs = jobs[: depth - 1]  # a longjmp out of a constructor, past dlopen
            case outcomes.Trapped() if jobs and jobs[-1].opens >= 0 and jobs[-1].waits == "call":
                self.loader.guest.note(f"trap: {outcome.message}")
                self.machine.abandon(JobBarrier(len(jobs)))
                self._job_failed(outcome.message)
                return None
        return super()._event(outcome)

    def host_call(self, func: HostFunc, args: Sequence[Any]) -> RunnerEvent | None:
        """The dynamic linking functions; a function that nobody defines is a trap with its name (DYN-10)."""
        if func.module != abi.LIND or func.name not in abi.LINKING:
            return super().host_call(func, args)
        try:
            result = self._link_call(func.name, args)
        except HostDies as death:
            return HostEnds(death.text, death.rule)
        if result is not None:
            self.machine.resume([result & 0xFFFFFFFF])
        return None

    def _link_call(self, name: str, args: Sequence[Any]) -> int | None:
        """The result of dlopen, dlsym or dlclose; ``None`` where a load has begun."""
        loader = self.loader
        if name == "dlclose":
            return dl.dlclose(loader, args[0])
        if name == "dlopen":
            null = not args[0] and not loader.has("DL-NULL")
            path = None if null else self.guest.memory.read_cstr(args[0], _NAME_MAX)
            return -dl.NOT_FOUND if path is None and not null else dl.dlopen(loader, path, args[1])
        symbol = self.guest.memory.read_cstr(args[1], _NAME_MAX)
        handle = args[0] - (1 << 32) if args[0] >> 31 else args[0]
        return -dl.NO_SYMBOL if symbol is None else dl.dlsym(loader, handle, symbol, self._asker())

    def _asker(self) -> int | None:
        """The module that calls dlsym: the one beneath the library which has the function of that name."""
        places = [p.instance for p in self.machine.backtrace() if p.instance >= 0]
        asking = next((i for i in places if i != places[0]), places[0] if places else -1)
        modules = self.loader.linkage.modules
        return next((i for i, m in enumerate(modules) if m.instance == asking), None)

    # Threads and copies.

    def tls_instances(self) -> tuple[int, ...]:
        """Libraries in the order of their loading, main last (DYN-12)."""
        modules = self.loader.linkage.modules
        order = [m for role in (PRELOAD, OPENED, MAIN) for m in modules if m.role == role and m.instance >= 0]
        return tuple(m.instance for m in order if self._has_tls(m.instance))

    def _has_tls(self, instance: int) -> bool:
        return all(self.function(name, instance) is not None for name in (TLS_SIZE, INIT_TLS))

    def fork(self, guest: Any) -> WasmRunner:
        """As every runner; the child begins without threads."""
        other = super().fork(guest)
        assert isinstance(other, DynamicRunner)
        other.loader.linkage = replace(other.loader.linkage, threaded=False)
        return other

    def spawn(self, stack: int) -> WasmRunner:
        """As every runner; from now on the program has had threads."""
        self.loader.change(threaded=True)
        return super().spawn(stack)

    def _copy(self, guest: Guest, store: Store, frozen: Continuation) -> WasmRunner:
        linkage = self.loader.linkage
        if self.loader.has("DL-REPLAY"):
            linkage = replay(store, linkage)
        machine = engines.thaw(guest.engine, store, frozen, max_depth=guest.max_depth)
        view = None if self.view is None else store.views[self.view.instance.number]
        other = DynamicRunner(guest, store, view, self.plan, machine, linkage=linkage, jobs=self.loader.jobs)
        other.current = self.current
        other.stack_top = self.stack_top
        other.stack_low = self.stack_low
        return other

    # States.

    def freeze(self) -> Any:
        """The runner as a value."""
        return DynamicRunnerState(super().freeze(), self.loader.linkage, self.loader.jobs)

    @classmethod
    def thaw_dynamic(cls, guest: Any, state: DynamicRunnerState, programs: Mapping[str, Program]) -> DynamicRunner:
        """A live runner in ``state``."""
        wasm = state.wasm
        store = Store.thaw(wasm.store, programs, [guest.memory])
        machine = engines.thaw(guest.engine, store, wasm.continuation, max_depth=guest.max_depth)
        view = None if wasm.view < 0 else store.views[wasm.view]
        runner = cls(guest, store, view, wasm.plan, machine, linkage=state.linkage, jobs=state.jobs)
        runner.current = wasm.current
        runner.stack_top = wasm.stack_top
        runner.stack_low = wasm.stack_low
        runner.changed = False
        return runner


def replay(store: Store, linkage: Linkage) -> Linkage:
    """As recorded: in a forked child and in a new thread the opened libraries are linked anew, each to those opened
    before it, the last one first; and so is what is opened later (DL-REPLAY)."""
    opened = [i for i, m in enumerate(linkage.modules) if m.role == OPENED and m.instance >= 0]
    others = [i for i in linkage.linked if i not in opened]
    for count, index in enumerate(opened):
        order = [*reversed(opened[:count]), *others]

        def resolve(namespace: str, name: str, order: Sequence[int] = order) -> FuncInst | None:
            return scope.function(store, linkage, order, namespace, name)

        relink(store, linkage.modules[index].instance, resolve, anew=True)
    return replace(linkage, linked=(*reversed(opened), *others))
