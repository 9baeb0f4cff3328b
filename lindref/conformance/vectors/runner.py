"""A thread that carries out a vector's steps: a runner in the place of wasm."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lindref import classes
from lindref.conformance.vectors import image, pthread
from lindref.conformance.vectors.frame import Frame
from lindref.conformance.vectors.model import Json, Step
from lindref.conformance.vectors.observe import handled, i32, seen, signed, strings, wanted, words
from lindref.conformance.vectors.values import Values
from lindref.posix.call import Arg
from lindref.posix.structs import CLONE_ARGS, SIGACTION
from lindref.system.abi import SyscallRequest
from lindref.system.runner import Asks, AtDelivery, Finished, HandlerReturned, RunnerEvent, Trapped
from lindref.threei.numbers import MEMORY_FLAG, UNUSED, UNUSED_CAGE

if TYPE_CHECKING:
    from lindref.conformance.vectors.image import Program
    from lindref.system.guests import CageGuest

#: The handler table for what the player itself needs (sleeping, joining): nobody interposes it.
RECORDER = 1_000_001
CLONE, EXIT, EXIT_GROUP, SLEEP, SIGACTION_CALL = 56, 60, 231, 35, 13
_SIGCHLD = 17
#: Handler addresses given to sigaction: this and the slot.
_HANDLERS = 16
_MILLISECOND = 1_000_000
#: How long ``until`` and ``untilsig`` wait, in ms of virtual time.
_PATIENCE = 5000
_MONOTONIC = 1

Begin = Callable[["VectorRunner", Frame, Step], RunnerEvent | None]
Journal = list[dict[str, Json]]


class VectorRunner:
    """Implements ``lindref.system.runner.Runner``; what there is to observe goes to ``journal``."""

    def __init__(self, guest: CageGuest, program: Program, journal: Journal, frames: list[Frame]) -> None:
        self.guest = guest
        self.program = program
        self.journal = journal
        self.frames = frames
        self.values = Values(guest, program)
        #: ``main``, ``handler`` or ``thread``; a thread's slot orders its entries.
        self.role = "main"
        self.slot = 0
        self.ticks = 0
        self.wanted = False
        self.changed = True

    # Running.

    def run(self, ticks: int) -> RunnerEvent:
        """Go on to the next call."""
        del ticks
        while True:
            if self.wanted:
                return AtDelivery()
            frame = self.frames[-1]
            self.ticks += 1
            if not frame.begun:
                frame.begun = True
                self.note_signal(frame.signo)
            if frame.answer is not None:
                answer, frame.answer = frame.answer, None
                event = answered(self, frame, frame.steps[frame.position], answer)
            elif frame.position < len(frame.steps):
                step = frame.steps[frame.position]
                event = OPS[step["op"]](self, frame, step)
            else:
                event = self._end(frame)
            if event is not None:
                return event

    def _end(self, frame: Frame) -> RunnerEvent | None:
        """The frame's steps are done."""
        if frame.kind == "handler":
            return Finished(0)
        if frame.kind == "signal":
            self.frames.pop()
            self.note_signal(-frame.signo)
            return HandlerReturned(frame.token)
        if frame.kind == "inner":
            self.frames.pop()
            self.next(self.frames[-1])
            return None
        number, code = frame.exit or (EXIT_GROUP, 0)
        last: list[Step] = [{"op": "exit", "n": number, "code": code}]
        if frame.kind == "thread":
            last.insert(0, {"op": "wake", "slot": frame.slot})
        elif frame.kind == "ended":
            return Finished(0)
        self.frames[-1] = Frame(last, "ended")
        return None

    def ask(
        self, frame: Frame, number: int, pairs: list[tuple[int, int]], caller: int = 0, target: int = 0
    ) -> RunnerEvent:
        """Make a call; the frame waits for its answer."""
        own = self.guest.cage
        frame.waiting = True
        full = [*pairs, *[(UNUSED, own)] * (6 - len(pairs))]
        return Asks(SyscallRequest(number, 0, caller or own, target or own, tuple(Arg(*pair) for pair in full)))

    def own(self, *values: int) -> list[tuple[int, int]]:
        """Arguments that all belong to this cage."""
        return [(value & (1 << 64) - 1, self.guest.cage) for value in values]

    def next(self, frame: Frame) -> None:
        """The frame's step is done."""
        frame.position += 1
        frame.count = 0

    def resume(self, value: int) -> None:
        """The answer of the call that the frame on top waits for."""
        frame = self.frames[-1]
        if frame.waiting:
            frame.waiting = False
            frame.answer = i32(value)

    # What can be observed.

    def log(self, step: Step, **seen: Json) -> None:
        """An entry of the log."""
        entry: dict[str, Json] = {"cage": self.guest.cage, "step": step["id"]}
        if self.role == "handler":
            entry["in"] = "handler"
        elif any(frame.kind == "signal" for frame in self.frames):
            entry["in"] = "signal"
        elif self.role == "thread":
            entry["in"] = "thread"
        order = {"main": 0, "handler": 1, "thread": 2}[self.role]
        self.journal.append({"order": (self.guest.cage, order, self.slot), **entry, **seen})

    def done(self, frame: Frame, step: Step, ret: int, **more: Json) -> None:
        """The step has a result: keep it, log it, go on."""
        self.values.set_result(step["id"], ret)
        values = [self.pair(one)[0] if isinstance(one, list) else self.values.value(one) for one in wanted(step)]
        self.log(step, **seen(step, ret, values, self.guest.system.host), **more)
        self.next(frame)

    def pair(self, given: Json) -> tuple[int, int]:
        """A (value, cage) pair as the C library sends it: a flagged value of one's own is made a pointer."""
        value, cage = self.values.value(given[0]), self.values.value(given[1])
        if cage & MEMORY_FLAG and cage & ~MEMORY_FLAG == self.guest.cage:
            value = value + self.guest.base & (1 << 64) - 1
        return value, cage & ~MEMORY_FLAG

    # Signals.

    def note_signal(self, signo: int) -> None:
        """Put a number on the signal list."""
        memory = self.guest.memory
        count = self.signal_count()
        memory.try_write(image.SIGNALS + 4 + 4 * count, signo.to_bytes(4, "little", signed=True))
        memory.try_write(image.SIGNALS, (min(count + 1, image.MAX_SIGNALS)).to_bytes(4, "little"))

    def signal_count(self) -> int:
        """How many entries the signal list has."""
        return int.from_bytes(self.guest.memory.try_read(image.SIGNALS, 4) or b"", "little")

    def attend(self, wanted: bool) -> None:
        """Stop before the next step."""
        self.wanted = wanted

    def push_handler(self, handler: int, signo: int, token: object) -> bool:
        """Run the signal handler of a slot on top. Its entry is a delivery point: another may come before its body."""
        steps = self.program.signal_handlers.get(handler - _HANDLERS, [])
        self.frames.append(Frame(steps, "signal", token=token, signo=signo, begun=False))
        return True

    # Grates, cages, threads.

    def serve(self, address: int, cage: int, args: tuple[Arg, ...], target: int) -> bool:
        """Carry out the handler in slot ``address``."""
        del cage, target
        steps = self.program.handlers.get(address)
        if steps is None:
            return False
        self.role = "handler"
        self.values.serve(tuple(n for arg in args for n in (arg.value, arg.cage)))
        self.frames = [Frame(steps, "handler")]
        return True

    def _copy(self, guest: CageGuest) -> VectorRunner:
        other = VectorRunner(guest, self.program, self.journal, [classes.evolve(f) for f in self.frames])
        other.values = self.values.copy(guest)
        return other

    def fork(self, guest: CageGuest) -> VectorRunner:
        """The same steps at the same place, in another cage."""
        return self._copy(guest)

    def spawn(self, stack: int) -> VectorRunner:
        """The steps that a ``thread`` step gives."""
        del stack
        other = self._copy(self.guest)
        other.role = "thread"
        other.resume(0)
        return other

    def freeze(self) -> object:
        """Where it stands: step numbers from the innermost list outwards."""
        self.changed = False
        return tuple(frame.position for frame in self.frames)

    def where(self) -> tuple[str, ...]:
        """The step that each list is at, innermost first."""
        at = [f.steps[f.position].get("id", f.kind) for f in reversed(self.frames) if f.position < len(f.steps)]
        return tuple(str(step) for step in at)


def answered(runner: VectorRunner, frame: Frame, step: Step, ret: int) -> RunnerEvent | None:
    """The call that a step made is back."""
    match step["op"]:
        case "call" | "call3i" if "repeat" in step:
            frame.count += 1
            if frame.count >= step["repeat"] or (step.get("stop_on_error") and ret < 0):
                runner.done(frame, step, ret, count=frame.count)
        case "fork" if ret == 0:
            runner.role = "main"
            runner.values.set_result(step["id"], 0)
            leave = step.get("exit")
            runner.frames = [Frame(step["child"], "child", exit=tuple(leave) if leave else None)]
        case "thread":
            pthread.created(runner, frame, step, ret)
        case "sleep":
            runner.next(frame)
        case "born" | "wake" | "exit":
            runner.next(frame)
        case "join" | "until" | "untilsig":
            frame.count += 1
        case _:
            runner.done(frame, step, ret)
    return None


# The steps, each as the beginning of one.


def _call(runner: VectorRunner, frame: Frame, step: Step) -> RunnerEvent | None:
    values = [runner.values.value(arg) for arg in step["args"]]
    return runner.ask(frame, step["n"], runner.own(*values))


def _call3i(runner: VectorRunner, frame: Frame, step: Step) -> RunnerEvent | None:
    pairs = [runner.pair(pair) for pair in step["pairs"]]
    pairs += [(UNUSED, UNUSED_CAGE)] * (6 - len(pairs))
    caller, target = runner.values.value(step["self"]), runner.values.value(step["target"])
    frame.waiting = True
    return Asks(SyscallRequest(step["n"], 0, caller, target, tuple(Arg(*pair) for pair in pairs)))


def _write(runner: VectorRunner, at: Json, data: bytes) -> RunnerEvent | None:
    """Store bytes where a step says; a place that is not writable traps."""
    if runner.values.memory.try_write(runner.values.guest_address(at), data):
        return None
    return Trapped("out of bounds memory access", runner.where())


def _set(runner: VectorRunner, frame: Frame, step: Step) -> RunnerEvent | None:
    runner.next(frame)
    return _write(runner, step["at"], bytes.fromhex(step["hex"]))


def _fill(runner: VectorRunner, frame: Frame, step: Step) -> RunnerEvent | None:
    runner.next(frame)
    return _write(runner, step["at"], bytes([step["byte"]]) * step["len"])


def _stored(runner: VectorRunner, step: Step) -> RunnerEvent | None:
    width = step["width"]
    value = runner.values.value(step["value"]) & (1 << 8 * width) - 1
    return _write(runner, step["at"], value.to_bytes(width, "little"))


def _put(runner: VectorRunner, frame: Frame, step: Step) -> RunnerEvent | None:
    runner.next(frame)
    return _stored(runner, step)


def _poke(runner: VectorRunner, frame: Frame, step: Step) -> RunnerEvent | None:
    trap = _stored(runner, step)
    if trap is None:
        runner.done(frame, step, 0)
    return trap


def _peek(runner: VectorRunner, frame: Frame, step: Step) -> RunnerEvent | None:
    data = runner.values.memory.try_read(runner.values.guest_address(step["at"]), step["width"])
    if data is None:
        return Trapped("out of bounds memory access", runner.where())
    runner.done(frame, step, signed(int.from_bytes(data, "little")))
    return None


def _add(runner: VectorRunner, frame: Frame, step: Step) -> RunnerEvent | None:
    address = runner.values.guest_address(step["at"])
    old = int.from_bytes(runner.values.memory.try_read(address, 8) or b"", "little")
    new = old + runner.values.value(step["value"]) & (1 << 64) - 1
    runner.values.memory.try_write(address, new.to_bytes(8, "little"))
    runner.values.set_result(step["id"], signed(new))
    runner.next(frame)
    return None


def _fork(runner: VectorRunner, frame: Frame, step: Step) -> RunnerEvent | None:
    del step
    runner.values.memory.try_write(image.SCRATCH, CLONE_ARGS.pack(exit_signal=_SIGCHLD))
    return runner.ask(frame, CLONE, runner.own(runner.values.pointer(image.SCRATCH)))


def _exit(runner: VectorRunner, frame: Frame, step: Step) -> RunnerEvent | None:
    return runner.ask(frame, step["n"], runner.own(runner.values.value(step["code"])))


def _sigaction(runner: VectorRunner, frame: Frame, step: Step) -> RunnerEvent | None:
    handler = {"default": 0, "ignore": 1}.get(step["handler"], _HANDLERS + (step.get("slot") or 0))
    action = SIGACTION.pack(sa_handler=handler, sa_mask=step.get("mask", 0), sa_flags=step["flags"])
    runner.values.memory.try_write(image.ACTION, action)
    return runner.ask(frame, SIGACTION_CALL, runner.own(step["sig"], runner.values.pointer(image.ACTION), 0))


def _siglog(runner: VectorRunner, frame: Frame, step: Step) -> RunnerEvent | None:
    data = runner.values.memory.try_read(image.SIGNALS + 4, 4 * runner.signal_count()) or b""
    runner.log(step, signals=words(data))
    if step.get("clear"):
        runner.values.memory.try_write(image.SIGNALS, bytes(4))
    runner.next(frame)
    return None


def _nap(runner: VectorRunner, frame: Frame, milliseconds: int) -> RunnerEvent:
    """Let virtual time pass, unseen by anybody's handlers."""
    seconds, rest = divmod(milliseconds * _MILLISECOND, 10**9)
    runner.values.memory.try_write(image.TIME, seconds.to_bytes(8, "little") + rest.to_bytes(8, "little"))
    nap = runner.own(_MONOTONIC, 0, runner.values.pointer(image.TIME), 0)
    return runner.ask(frame, SLEEP, nap, caller=RECORDER)


def _sleep(runner: VectorRunner, frame: Frame, step: Step) -> RunnerEvent | None:
    return _nap(runner, frame, step["ms"])


def _until(runner: VectorRunner, frame: Frame, step: Step) -> RunnerEvent | None:
    if step["op"] == "untilsig":
        reached = runner.signal_count() >= step["count"]
    else:
        data = runner.values.memory.try_read(runner.values.guest_address(step["at"]), 8) or b""
        reached = int.from_bytes(data, "little") == runner.values.value(step["value"])
    if reached or frame.count > _PATIENCE:
        runner.done(frame, step, int(reached))
        return None
    return _nap(runner, frame, 1)


def _dump(runner: VectorRunner, frame: Frame, step: Step) -> RunnerEvent | None:
    runner.done(frame, step, 0)
    return None


def _argv(runner: VectorRunner, frame: Frame, step: Step) -> RunnerEvent | None:
    told = {"argv": strings(runner.guest.argv)}
    if step.get("env"):
        told["env"] = strings(runner.guest.env)
    runner.log(step, **told)
    runner.next(frame)
    return None


def _eval(runner: VectorRunner, frame: Frame, step: Step) -> RunnerEvent | None:
    value = runner.values.value(step["value"])
    runner.done(frame, step, signed(value))
    return None


def _ifeq(runner: VectorRunner, frame: Frame, step: Step) -> RunnerEvent | None:
    same = runner.values.value(step["a"]) == runner.values.value(step["b"])
    runner.frames.append(Frame(step.get("then" if same else "else") or [], "inner"))
    del frame
    return None


def _ifmem(runner: VectorRunner, frame: Frame, step: Step) -> RunnerEvent | None:
    wanted = bytes.fromhex(step["hex"])
    same = runner.values.memory.try_read(runner.values.guest_address(step["at"]), len(wanted)) == wanted
    runner.frames.append(Frame(step.get("then" if same else "else") or [], "inner"))
    del frame
    return None


def _return(runner: VectorRunner, frame: Frame, step: Step) -> RunnerEvent | None:
    del frame
    return Finished(i32(runner.values.value(step["value"])))


def _hargs(runner: VectorRunner, frame: Frame, step: Step) -> RunnerEvent | None:
    runner.log(step, **handled(step, runner.guest.cage, runner.values.pairs))
    runner.next(frame)
    return None


OPS: dict[str, Begin] = {
    "call": _call,
    "call3i": _call3i,
    "set": _set,
    "put": _put,
    "fill": _fill,
    "fork": _fork,
    "exit": _exit,
    "thread": pthread.create,
    "join": pthread.join,
    "born": pthread.born,
    "wake": pthread.wake,
    "sigaction": _sigaction,
    "siglog": _siglog,
    "untilsig": _until,
    "until": _until,
    "sleep": _sleep,
    "dump": _dump,
    "argv": _argv,
    "eval": _eval,
    "peek": _peek,
    "poke": _poke,
    "add": _add,
    "ifeq": _ifeq,
    "ifmem": _ifmem,
    "return": _return,
    "hargs": _hargs,
}
