"""One thread of a script: runs commands one after another and judges each.

Every instance of a script lives in one store. Where the machine has to wait (or its turn is over) the session yields.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import TypeVar

from lindref import classes
from lindref.conformance.wast.schedule import DEADLOCK, Schedule, Task
from lindref.conformance.wast.values import matches, show, show_wanted, value
from lindref.conformance.wast.verdict import Failure, Skip, Status, Verdict, is_assertion
from lindref.vm import engines
from lindref.vm.instance import Instance
from lindref.vm.link import LinkError, instantiate
from lindref.vm.outcomes import AtomicNotify, AtomicWait, HostCall, Outcome, Paused, Returned, Thrown, Trapped
from lindref.vm.program import program
from lindref.vm.store import Store
from lindref.vm.traps import STACK_EXHAUSTED, Trap
from lindref.vm.values import Extern, FuncInst, GlobalAddr, HostFunc, Value
from lindref.wasm.errors import Invalid, Malformed, Unsupported, WasmError
from lindref.wasm.module import Module
from lindref.wasm.text import commands as c

T = TypeVar("T")

#: A piece of work that may have to let others go on.
Work = Generator[None, None, T]

#: An instance, or why there is none: what depends on it is skipped too.
Known = Instance | Skip


@classes.define
class World:
    """What the threads of a script have in common."""

    file: str
    store: Store
    schedule: Schedule
    spectest: dict[str, Extern]
    read_file: Callable[[str], Sequence[c.Command]]
    """The commands of a file named by ``(input …)``."""
    engine: str = "reference"
    """Which machine runs the code: one of ``vm.engines.ENGINES``."""
    verdicts: list[Verdict] = classes.Factory(list)


class Session:
    """A thread of a script: the names it knows, and its commands."""

    def __init__(self, world: World, commands: Sequence[c.Command], shared: Mapping[str, Known] | None = None) -> None:
        self.world = world
        self.commands = commands
        self.instances: dict[str, Known] = dict(shared or {})
        self.latest: Known | None = None
        self.definitions: dict[str, Module | Skip] = {}
        self.latest_definition: Module | Skip | None = None
        self.registered: dict[str, Mapping[str, Extern] | Skip] = {"spectest": world.spectest}
        self.threads: dict[str, Task] = {}
        self.task = world.schedule.add(self._run(commands))

    def _run(self, commands: Sequence[c.Command]) -> Work[None]:
        """Runs the commands; every one gets a verdict, whatever happens."""
        for command in commands:
            kind = keyword(command)
            try:
                yield from self._command(command)
                status, detail = Status.PASSED if is_assertion(kind) else Status.OK, ""
            except Skip as skip:
                status, detail = Status.SKIPPED, str(skip)
            except (Failure, WasmError) as error:
                status, detail = Status.FAILED, str(error)
            except Trap as trap:
                status, detail = Status.FAILED, f"trap: {trap.message}"
            except Exception as bug:  # noqa: BLE001 (a bug of ours fails one command, not the whole run)
                status, detail = Status.FAILED, f"bug: {type(bug).__name__}: {bug}"
            self.world.verdicts.append(Verdict(self.world.file, command.line, kind, status, detail))

    def _command(self, command: c.Command) -> Work[None]:
        """One command; raises unless it does what it should."""
        match command:
            case c.ModuleCommand(_, source):
                yield from self._module(source)
            case c.DefinitionCommand(_, source):
                self._define(source)
            case c.InstanceCommand(_, name, definition):
                yield from self._instance(name, definition)
            case c.Register(_, name, module):
                known = self._known(module)
                self.registered[name] = known if isinstance(known, Skip) else known.exports()
                if isinstance(known, Skip):
                    raise known
            case c.Perform(_, action):
                self._returned((yield from self._perform(action)))
            case c.AssertReturn(_, action, results):
                self._compare(self._returned((yield from self._perform(action))), results)
            case c.AssertTrap(_, subject, message):
                yield from self._assert_trap(subject, message)
            case c.AssertExhaustion(_, action, message):
                outcome = yield from self._perform(action)
                if not isinstance(outcome, Trapped) or outcome.message != STACK_EXHAUSTED:
                    raise Failure(f"{show_outcome(outcome)}, not exhausted")
                _begins(outcome.message, message)
            case c.AssertException(_, action):
                outcome = yield from self._perform(action)
                if not isinstance(outcome, Thrown):
                    raise Failure(f"{show_outcome(outcome)}, no exception")
            case c.AssertMalformed(_, source, message):
                _refused(lambda: _read(source), Malformed, message)
            case c.AssertInvalid(_, source, message):
                read = _read(source)
                _refused(lambda: program(read, eager=True), Invalid, message)
            case c.AssertUnlinkable(_, source, message):
                read = _read(source)
                _refused(lambda: self._instantiate(read), LinkError, message)
            case c.Thread(_, thread, shared, commands):
                given = {instance: self._known(instance) for instance in shared}
                self.threads[thread] = Session(self.world, commands, given).task
            case c.Wait(_, thread):
                yield from self._join(thread)
            case c.Input(_, path):
                yield from self._run(self.world.read_file(path))
            case c.Broken(_, _, error):
                if isinstance(error, Unsupported):
                    raise Skip(str(error))
                raise error

    # Modules.

    def _module(self, source: c.ModuleSource) -> Work[None]:
        """Instantiates a module; where a feature is missing, what depends on it will be skipped."""
        self.latest = None
        try:
            module = _read(source)
            self._keep_definition(source.name, module)
            self.latest = yield from self._start(module)
        except Skip as skip:
            self.latest = skip
            raise
        finally:
            if source.name is not None:
                if self.latest is None:
                    self.instances.pop(source.name, None)
                else:
                    self.instances[source.name] = self.latest

    def _define(self, source: c.ModuleSource) -> None:
        """Reads and validates a module."""
        try:
            module = _read(source)
            program(module, eager=True)
        except Skip as skip:
            self._keep_definition(source.name, skip)
            raise
        self._keep_definition(source.name, module)

    def _keep_definition(self, name: str | None, module: Module | Skip) -> None:
        self.latest_definition = module
        if name is not None:
            self.definitions[name] = module

    def _instance(self, name: str | None, definition: str | None) -> Work[None]:
        """Instantiates a definition."""
        module = self.latest_definition if definition is None else self.definitions.get(definition)
        if module is None:
            raise Failure("unknown module definition")
        self.latest = module if isinstance(module, Skip) else (yield from self._start(module))
        if name is not None:
            self.instances[name] = self.latest
        if isinstance(self.latest, Skip):
            raise self.latest

    def _instantiate(self, module: Module) -> Instance:
        """A new instance, not started."""
        imports = {}
        for item in module.imports:
            provider = self.registered.get(item.module, {})
            if isinstance(provider, Skip):
                raise provider
            extern = provider.get(item.name)
            if extern is not None:
                imports[item.module, item.name] = extern
        return instantiate(self.world.store, module, imports, eager=True)

    def _start(self, module: Module) -> Work[Instance]:
        """A new instance, started."""
        instance = self._instantiate(module)
        if instance.start is not None:
            outcome = yield from self._call(instance.start, ())
            if isinstance(outcome, Trapped):
                raise Trap(outcome.message)
            self._returned(outcome)
        return instance

    def _known(self, name: str | None) -> Known:
        """The instance of that name, or the latest one."""
        known = self.latest if name is None else self.instances.get(name)
        if known is None:
            raise Failure("there is no such instance" if name is None else f"there is no instance ${name}")
        return known

    # Actions.

    def _perform(self, action: c.Action) -> Work[Outcome]:
        """Runs an action to its outcome."""
        known = self._known(action.module)
        if isinstance(known, Skip):
            raise known
        extern = known.export(action.name)
        match action, extern:
            case c.Invoke(args=args), FuncInst() | HostFunc():
                wanted = len(self.world.store.func_type(extern).params)
                if len(args) != wanted:
                    raise Failure(f"{action.name!r} takes {wanted} arguments, not {len(args)}")
                return (yield from self._call(extern, [value(arg) for arg in args]))
            case c.Get(), GlobalAddr(number):
                return Returned((self.world.store.globals[number].value,))
            case _:
                raise Failure(f"{action.name!r} is not exported, or not what the action needs")

    def _call(self, func: FuncInst | HostFunc, args: Sequence[Value]) -> Work[Outcome]:
        """Calls a function, letting others go on where it pauses or sleeps."""
        schedule = self.world.schedule
        machine = engines.machine(self.world.engine, self.world.store)
        machine.call(func, args)
        while True:
            outcome = machine.run(schedule.ticks)
            match outcome:
                case HostCall():
                    machine.resume(())  # the functions of spectest return nothing
                case Paused():
                    yield
                case AtomicNotify(memory, address, count):
                    machine.resume((schedule.notify(memory, address, count),))
                case AtomicWait(memory, address, _, _, timeout):
                    sleeper = schedule.sleep(self.task, memory, address, timeout)
                    yield
                    assert sleeper.answer is not None
                    if sleeper.answer == DEADLOCK:
                        raise Failure("deadlock: every thread sleeps for ever")
                    machine.resume((sleeper.answer,))
                case _:
                    return outcome

    def _join(self, name: str) -> Work[None]:
        """Waits for a thread's end."""
        task = self.threads.get(name)
        if task is None:
            raise Failure(f"there is no thread ${name}")
        if not task.done:
            self.task.waits = task
            yield

    # Judging.

    @staticmethod
    def _returned(outcome: Outcome) -> tuple[Value, ...]:
        """The results of an action that must return."""
        if not isinstance(outcome, Returned):
            raise Failure(show_outcome(outcome))
        return outcome.values

    @staticmethod
    def _compare(found: Sequence[Value], wanted: Sequence[c.Result]) -> None:
        """Compares results."""
        if len(found) != len(wanted) or not all(map(matches, found, wanted)):
            kinds = [w.type if isinstance(w, c.Const | c.Nan) else None for w in wanted] + [None] * len(found)
            got = ", ".join(map(show, found, kinds)) or "nothing"
            raise Failure(f"returned {got}, not {', '.join(map(show_wanted, wanted)) or 'nothing'}")

    def _assert_trap(self, subject: c.Action | c.ModuleSource, message: str) -> Work[None]:
        """The action or instantiation must trap."""
        if isinstance(subject, c.ModuleSource):
            module = _read(subject)
            try:
                yield from self._start(module)
            except Trap as trap:
                _begins(trap.message, message)
                return
            raise Failure("the module was instantiated without a trap")
        outcome = yield from self._perform(subject)
        if not isinstance(outcome, Trapped):
            raise Failure(f"{show_outcome(outcome)}, no trap")
        _begins(outcome.message, message)


def keyword(command: c.Command) -> str:
    """The command's keyword, as it stands in the script."""
    if isinstance(command, c.Broken):
        return command.keyword or "?"
    if isinstance(command, c.Perform):
        return "invoke" if isinstance(command.action, c.Invoke) else "get"
    name = type(command).__name__.removesuffix("Command")
    if name in ("Definition", "Instance"):
        return f"module {name.lower()}"
    return "assert_" + name.removeprefix("Assert").lower() if name.startswith("Assert") else name.lower()


def show_outcome(outcome: Outcome) -> str:
    """An outcome for people."""
    match outcome:
        case Returned(values):
            return f"returned {', '.join(map(show, values)) or 'nothing'}"
        case Trapped():
            return f"trapped: {outcome}"
        case Thrown(exn):
            return f"threw an exception of tag {exn.tag.number}"
        case _:
            return f"stopped: {outcome}"


def _read(source: c.ModuleSource) -> Module:
    """The module of a command; ``Skip`` if it needs a feature that is not built."""
    try:
        return source.module()
    except Unsupported as error:
        raise Skip(str(error)) from None


def _refused(make: Callable[[], object], kind: type[WasmError], message: str) -> None:
    """Something must be refused with this kind of error."""
    try:
        make()
    except kind as error:
        _begins(error.message, message)
    except Unsupported as error:
        raise Skip(str(error)) from None
    except (WasmError, Trap) as error:
        raise Failure(f"refused with {type(error).__name__}: {error}, not {kind.__name__}: {message}") from None
    else:
        raise Failure(f"accepted, instead of {kind.__name__}: {message}")


def _begins(found: str, wanted: str) -> None:
    """A message must begin as the script says."""
    if not found.startswith(wanted):
        raise Failure(f"the message is {found!r}, which does not begin with {wanted!r}")
