"""Faults of lindref itself: one change each, for as long as a ``with`` lasts."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from lindref import classes
from lindref.posix import memory, openfile, processes, signals, vmmap
from lindref.properties.tables import BENEATH
from lindref.state.pmap import PMap
from lindref.state.records import replace
from lindref.system import calls, capable, grates, lifecycle, pools, schedule
from lindref.system import system as system_module
from lindref.system.python.grate import Grate
from lindref.system.system import System
from lindref.system.wasm_runner import WasmRunner
from lindref.threei import capabilities, tables
from lindref.threei.numbers import THREEI_CAGE
from lindref.threei.tables import Handler

Change = tuple[Any, str, Callable[[Any], Any]]


def _no_table(_: Any) -> Any:
    return lambda state, parent, child: tables.boot(state, child, [*range(320)])


def _forget_end(_: Any) -> Any:
    return lambda state, cage: state


def _past_the_grate(real: Any) -> Any:
    return lambda state, caller, number: Handler(BENEATH, 0) if number == 102 else real(state, caller, number)


def _loads_past(real: Any) -> Any:
    return lambda state, caller, number: Handler(BENEATH, 0) if number == 9 else real(state, caller, number)


def _fresh_table(real: Any) -> Any:
    def start_image(system: Any, thread: Any, request: Any) -> None:
        if thread.cage in system.runtimes:
            system.tables = tables.boot(system.tables, thread.cage, system.kernel.rows)
        real(system, thread, request)

    return start_image


def _short_results(real: Any) -> Any:
    return lambda system, worker, value, *rest: real(system, worker, value if value < 0 else value & 0xFF, *rest)


def _other_error(real: Any) -> Any:
    def finish(system: Any, worker: Any, value: int, rule: str = "3I-GRATE-2") -> None:
        real(system, worker, -14 if rule == "3I-GRATE-3" else value, rule)

    return finish


def _child_hidden(real: Any) -> Any:
    def complete(system: Any, thread: Any, pending: Any, value: int, *rest: Any) -> None:
        real(system, thread, replace(pending, child=0), value, *rest)

    return complete


def _no_mask(_: Any) -> Any:
    return lambda code: code << 8 & 0xFFFFFF


def _no_zombie(real: Any) -> Any:
    def tell(kernel: Any, parent: Any, zombie: Any) -> None:
        real(kernel, parent, zombie)
        kernel.update(parent.id, zombies=())

    return tell


def _not_kept(_: Any) -> Any:
    return lambda kernel, number: None


def _by_luck(real: Any) -> Any:
    turns = itertools.count()

    def pick(system: Any) -> Any:
        order = schedule.candidates(system)
        return order[next(turns) % 3 % len(order)] if order else real(system)

    return pick


def _nothing_wrong(_: Any) -> Any:
    return lambda *_: ""


def _any_function(real: Any) -> Any:
    def registration(state: Any, actor: int, runs: int, cage: int, number: int, to: Any) -> str:
        row = state.rows.get(cage, {}).get(number)
        same = row is not None and row.cage == to.cage
        return str(real(state, actor, runs, cage, number, row if same else to))

    return registration


def _not_passed_on(real: Any) -> Any:
    def maker(system: Any, thread: Any) -> Any:
        found = real(system, thread)
        return None if found is None else (found[0], replace(found[1], args=()))

    return maker


def _not_for_oneself(real: Any) -> Any:
    return lambda state, cage, number, to, address: (state, 0) if to == cage else real(state, cage, number, to, address)


def _one_more(real: Any) -> Any:
    def call(system: Any, thread: Any, pending: Any, handler: Any) -> None:
        config = system.config
        system.config = classes.evolve(config, workers=config.workers + 1)
        real(system, thread, pending, handler)
        system.config = config

    return call


def _on_itself(real: Any) -> Any:
    def forward(self: Any, *args: Any, **more: Any) -> Any:
        about_memory = self._serving.number in (9, 12)  # its own method, in effect
        return real(self, *args, **({**more, "target": self.id} if about_memory else more))

    return forward


def _no_status(real: Any) -> Any:
    def end_group(system: Any, thread: Any, pending: Any, end: Any) -> None:
        system.kernel.update(end.cage, status=processes.exited(system.kernel.cages[end.cage].status >> 8 ^ 1))
        real(system, thread, pending, end)

    return end_group


def _no_actions(real: Any) -> Any:
    def fork(system: Any, thread: Any, pending: Any, made: Any) -> None:
        real(system, thread, pending, made)
        system.kernel.update(made.child, actions=PMap())

    return fork


def _never(_: Any) -> Any:
    return lambda *_: None


def _swapped(real: Any) -> Any:
    def serve(system: Any, worker: Any, caller: Any, pending: Any, address: int) -> None:
        first, second, *rest = pending.args
        real(system, worker, caller, replace(pending, args=(second, first, *rest)), address)

    return serve


def _first_child(real: Any) -> Any:
    def complete(system: Any, thread: Any, pending: Any, value: int, *rest: Any) -> None:
        real(system, thread, pending, min(value, 2) if pending.number == 56 else value, *rest)

    return complete


def _no_parent(real: Any) -> Any:
    def fork(system: Any, thread: Any, pending: Any, made: Any) -> None:
        real(system, thread, pending, made)
        system.kernel.update(made.child, parent=made.child)

    return fork


def _ended_well(real: Any) -> Any:
    def ended(kernel: Any, cage: int) -> int:
        real(kernel, cage)
        return 0

    return ended


def _straight_to_3i(real: Any) -> Any:
    return lambda state, caller, number: Handler(THREEI_CAGE, 0) if number == 1001 else real(state, caller, number)


def _all_serve(real: Any) -> Any:
    def of(runtime: Any) -> Any:
        found = real(runtime)
        found.serves = True
        return found

    return of


def _one_memory(_: Any) -> Any:
    def fork_memory(system: Any, parent: int, child: int) -> None:
        system.memories[child] = system.memories[parent]

    return fork_memory


def _one_added(real: Any) -> Any:
    return lambda system, worker, value, *rest: real(system, worker, value + (value > 0), *rest)


def _one_place(_: Any) -> Any:
    return lambda *_: 0x8000


def _lost(_: Any) -> Any:
    return lambda *_: True


def _all_of_them(_: Any) -> Any:
    return lambda cage: tuple(cage.pending)


def _only_itself(real: Any) -> Any:
    def deliver(kernel: Any, cage: Any, signo: int) -> Any:
        found = real(kernel, cage, signo)
        kernel.update(cage.id, mask=cage.mask | 1 << signo - 1)
        return found

    return deliver


def _slot_one(real: Any) -> Any:
    return lambda runner, arena, slot, **more: real(runner, arena, 1, **more)


def _where_it_was(real: Any) -> Any:
    def serve(self: Any, *call: Any) -> bool:
        fresh, before = bool(self.plan), self.global_value("__stack_pointer")
        served = bool(real(self, *call))
        if served and not fresh:
            self.set_global("__stack_pointer", before)
        return served

    return serve


def _own_memory(real: Any) -> Any:
    def new_worker(self: Any, cage: int, slot: int) -> Any:
        memory = self.memories[cage]
        self.memories[cage] = memory.fork()
        made = real(self, cage, slot)
        self.memories[cage] = memory
        return made

    return new_worker


def _for_ever(_: Any) -> Any:
    return lambda system, cage: system.tables.parents.get(cage, cage)


#: Fault of whole runs -> what is changed (object, name, a function from the real thing to the broken one), and the
#: statements of which at least one catches it.
RUN_FAULTS: dict[str, tuple[Change, tuple[str, ...]]] = {
    "a forked cage begins with RawPOSIX": ((tables, "on_fork", _no_table), ("T4", "T1")),
    "a grate's end leaves its rows": ((tables, "on_exit", _forget_end), ("T5",)),
    "one call goes past every grate": ((tables, "route", _past_the_grate), ("T4", "23")),
    "exec's loading goes past every grate": ((tables, "route", _loads_past), ("T4",)),
    "exec begins with RawPOSIX's table": ((lifecycle, "start_image", _fresh_table), ("T4",)),
    "results of handlers lose their high bits": ((grates, "finish", _short_results), ("23",)),
    "a handler that traps is an address error": ((grates, "finish", _other_error), ("24",)),
    "a fork through a grate hides the child": ((calls, "complete", _child_hidden), ("31",)),
    "an exit code is not cut": ((processes, "exited", _no_mask), ("40",)),
    "nobody learns of a child's end": ((processes, "_tell_parent", _no_zombie), ("39",)),
    "a child's descriptors are not counted": ((openfile, "retain", _not_kept), ("44",)),
    "registrations are not judged": ((capabilities, "registration", _nothing_wrong), ("C1", "C2")),
    "copies of tables are not judged": ((capabilities, "copy", _nothing_wrong), ("C1",)),
    "self and target are not compared": ((capabilities, "call", _nothing_wrong), ("C1",)),
    "copies of memory are not judged": ((capabilities, "data", _nothing_wrong), ("C3",)),
    "only the grate of a row counts, not its function": ((capabilities, "registration", _any_function), ("C4",)),
    "who passes a registration on is judged, not who asked": ((capable, "service", _not_passed_on), ("C2",)),
    "a program has its parent's rights after exec": ((capable, "master", _for_ever), ("C1", "C3")),
    "a handler gets two arguments the wrong way round": ((grates, "_serve", _swapped), ("22",)),
    "every child is told as the first": ((calls, "complete", _first_child), ("37",)),
    "a child is its own parent": ((lifecycle, "fork", _no_parent), ("38",)),
    "every cage is said to have ended well": ((processes, "ended", _ended_well), ("51",)),
    "registrations cannot be interposed": ((tables, "route", _straight_to_3i), ("19", "20")),
    "a forked cage serves calls": ((pools, "of", _all_serve), ("29",)),
    "parent and child have one memory": ((System, "fork_memory", _one_memory), ("42",)),
    "each grate adds one to what it passes on": ((grates, "finish", _one_added), ("30", "T2", "T3")),
    "a registration for oneself is forgotten": ((tables, "register", _not_for_oneself), ("15",)),
    "a grate takes one call more than it has workers": ((grates, "call", _one_more), ("25",)),
    "two workers have one stack": ((system_module, "worker_plan", _slot_one), ("26",)),
    "a worker's stack begins where it was left": ((WasmRunner, "serve", _where_it_was), ("27",)),
    "each worker has a memory of its own": ((System, "new_worker", _own_memory), ("28",)),
    "a mapping passed on is the grate's": ((Grate, "forward", _on_itself), ("32",)),
    "exit_group's status is lost": ((lifecycle, "end_group", _no_status), ("41",)),
    "a child has no handlers": ((lifecycle, "fork", _no_actions), ("43",)),
    "signals get lost": ((signals, "send", _lost), ("45", "46")),
    "the mask is not looked at": ((signals, "deliverable", _all_of_them), ("46",)),
    "the mask stays as the handler left it": ((signals, "handler_returned", _never), ("47",)),
    "a handler's own mask is not added": ((signals, "_deliver", _only_itself), ("48",)),
    "mappings are all put at one place": ((vmmap, "find_space", _one_place), ("49",)),
    "the heap does not grow": ((memory, "_grow", _never), ("50",)),
    "the scheduler does not ask": ((schedule, "pick", _by_luck), ("T6",)),
}


@contextmanager
def broken(fault: str) -> Iterator[None]:
    """lindref with one of ``RUN_FAULTS``."""
    with changed(RUN_FAULTS[fault][0]):
        yield


@contextmanager
def changed(what: Change) -> Iterator[None]:
    """lindref with one change."""
    owner, name, change = what
    real = getattr(owner, name)
    setattr(owner, name, change(real))
    try:
        yield
    finally:
        setattr(owner, name, real)
