"""The whole system as one value (STATE-1 in spec/system.md).

``freeze`` costs what has changed since the last freeze; ``thaw`` makes a system that goes on from the value. A value
can be hashed and compared (``lindref.state.codec``) and saved to disk (``lindref.state.saved``).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lindref.posix import table
from lindref.posix.kernel import KernelState
from lindref.profile import by_name
from lindref.state import saved
from lindref.state.pmap import PMap
from lindref.state.records import adopt, record
from lindref.system import pools, worldly
from lindref.system.choices import ChoicesState, Chooser
from lindref.system.image import Blob
from lindref.system.loader.runner import DynamicRunner, DynamicRunnerState
from lindref.system.outcome import Outcome
from lindref.system.python.records import GrateState, HandlingState, Recipe
from lindref.system.runner import Loading, Runner, RunnerState
from lindref.system.runtime import CageRuntime, Config
from lindref.system.script_runner import ScriptRunner, ScriptState
from lindref.system.system import System
from lindref.system.threads import Thread, ThreadState
from lindref.system.wasm_runner import WasmRunner, WasmRunnerState
from lindref.threei.tables import HandlerTables
from lindref.vm.engines import Engine
from lindref.vm.memory import Memory, MemoryState
from lindref.vm.program import Program

adopt("system.config", Config, version=3)

KIND = "system"


@record("system.counters")
class Counters:
    """How far the run is: numbers given so far, ticks and random bytes used."""

    events: int
    calls: int
    threads: int
    ticks: int
    drawn: int


@record("system.turn")
class TurnState:
    """Where the scheduler stands (see ``System``)."""

    current: int
    preferred: int
    yielded: bool
    quantum: int


@record("system.state", version=2)
class SystemState:
    """A system as a value."""

    profile: str
    config: Config
    kernel: KernelState
    tables: HandlerTables
    choices: ChoicesState
    blobs: PMap[Blob]
    threads: PMap[ThreadState]
    runtimes: PMap[CageRuntime]
    memories: PMap[MemoryState]
    ending: PMap[int]
    grates: PMap[GrateState]
    shelf: tuple[Recipe, ...]
    outcome: Outcome | None
    first: Outcome | None
    counters: Counters
    turn: TurnState


def _updated(old: PMap[ThreadState], live: Mapping[int, Thread]) -> PMap[ThreadState]:
    """``old`` with the threads as they are now; unchanged ones are the same objects."""
    for key in [k for k in old if k not in live]:
        old = old.remove(key)
    for key, thread in live.items():
        state = thread.freeze()
        if old.get(key) is not state:
            old = old.set(key, state)
    return old


def _memories(old: PMap[MemoryState], live: Mapping[int, Memory]) -> PMap[MemoryState]:
    for cage in [c for c in old if c not in live]:
        old = old.remove(cage)
    for cage, memory in live.items():
        state = memory.freeze()
        if old.get(cage) is not state:
            old = old.set(cage, state)
    return old


def freeze(system: System) -> SystemState:
    """The system's state as a value. The system can go on; nothing it does changes the value."""
    last = system.last_state
    pools.settle(system)
    none: PMap[ThreadState] = PMap()
    empty: PMap[MemoryState] = PMap()
    state = SystemState(
        system.profile.name,
        system.config,
        system.kernel.freeze(),
        system.tables,
        system.choices.state,
        system.images.blobs,
        _updated(none if last is None else last.threads, system.threads),
        system.runtimes,
        _memories(empty if last is None else last.memories, system.memories),
        system.ending,
        system.grates,
        system.shelf,
        system.outcome,
        system.first,
        Counters(system.event_count, system.call_count, system.thread_count, system.ticks, system.drawn),
        TurnState(system.current, system.preferred, system.yielded, system.quantum),
    )
    system.last_state = state
    return state


def thaw(state: SystemState, chooser: Chooser | None = None, like: System | None = None) -> System:
    """A system that goes on from ``state``.

    ``chooser`` answers the choice points to come. ``like``, a system of the same run, lends its kind, its profile, its
    loaded images and its connections to the outside (input that was read already is read again from there).
    """
    engine: Engine = "auto" if like is None else like.engine
    kind = System if like is None else type(like)
    profile = by_name(state.profile) if like is None else like.profile
    system = kind(profile=profile, config=state.config, chooser=chooser, engine=engine)
    if like is not None:
        system.images = like.images.share()
        system.kernel.outside = like.kernel.outside
        system.choices.chooser = chooser or like.choices.chooser
        system.libraries = like.libraries
    outside = system.kernel.outside
    system.kernel = table.new_kernel(system.host, system.budget)
    system.kernel.outside = outside
    worldly.join(system)
    system.kernel.restore(state.kernel)
    system.tables = state.tables
    system.choices.state = state.choices
    system.images.restore(state.blobs)
    system.runtimes = state.runtimes
    system.memories = {
        cage: Memory.thaw(memory, system.kernel.backings, system.budget) for cage, memory in state.memories.items()
    }
    system.ending = state.ending
    system.grates, system.shelf = state.grates, state.shelf
    if state.grates:
        from lindref.system.python import stack

        system.python = {cage: stack.remake(grate.recipe) for cage, grate in state.grates.items()}
    system.outcome, system.first = state.outcome, state.first
    system.event_count, system.call_count = state.counters.events, state.counters.calls
    system.thread_count, system.ticks = state.counters.threads, state.counters.ticks
    system.drawn = state.counters.drawn
    turn = state.turn
    system.current, system.preferred = turn.current, turn.preferred
    system.yielded, system.quantum = turn.yielded, turn.quantum
    programs = system.images.programs()
    for key, thread in state.threads.items():
        system.threads[key] = _thread(system, thread, programs)
    system.last_state = state
    return system


def _thread(system: System, state: ThreadState, programs: Mapping[str, Program]) -> Thread:
    runner = _runner(system, state.cage, state.runner, programs)
    thread = Thread(state.key, state.cage, state.tid, runner, state.status, state.slot, state.serving)
    thread.frozen = state
    return thread


def _runner(system: System, cage: int, state: RunnerState, programs: Mapping[str, Program]) -> Runner:
    """A live runner in ``state``: each kind of state says which."""
    match state:
        case WasmRunnerState():
            return WasmRunner.thaw(system.guest(cage), state, programs)
        case DynamicRunnerState():
            return DynamicRunner.thaw_dynamic(system.guest(cage), state, programs)
        case ScriptState():
            return ScriptRunner.thaw(system.guest(cage), state)
        case HandlingState():
            from lindref.system.python.runner import PythonRunner

            return PythonRunner.thaw(system.guest(cage), state)
        case Loading():
            return state
        case _:
            return system.runner_in(cage, state)


def save(path: Path, state: SystemState) -> None:
    """Write ``state`` to a file; raises ``StateError`` with one line."""
    saved.save(path, KIND, state)


def load(path: Path) -> SystemState:
    """Read a state from a file; raises ``StateError`` for anything that is not one."""
    state = saved.load(path, KIND)
    if not isinstance(state, SystemState):
        raise saved.StateError(f"{path}: not the state of a system")
    return state


__all__ = ["SystemState", "freeze", "load", "save", "thaw"]
