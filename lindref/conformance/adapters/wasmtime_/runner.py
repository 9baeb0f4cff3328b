"""A guest thread on the engine, as the system sees one (``lindref.system.runner``).

The engine's code runs on a thread of the host, which stands still while the system does anything, and the other way
round: one goes on at a time, handing over with two locks, so that a run is the same every time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from lindref import classes
from lindref.conformance.adapters.interface import NotApplicable
from lindref.conformance.adapters.modules import EXHAUSTED
from lindref.conformance.adapters.wasmtime_.engine import engine, trap_text
from lindref.conformance.adapters.wasmtime_.memory import EngineMemory
from lindref.conformance.adapters.wasmtime_.program import GLOBAL, INNER, compiled
from lindref.posix.call import Arg
from lindref.posix.table import NUMBERS
from lindref.system import abi
from lindref.system.abi import SyscallRequest
from lindref.system.guests import CageGuest
from lindref.system.hostcalls import answer
from lindref.system.image import Image
from lindref.system.runner import Asks, AtDelivery, Finished, HandlerReturned, RunnerEvent, Trapped
from lindref.vm.values import HostFunc

#: Bytes of a host thread's own stack: the guest's frames lie there.
STACK = 64 << 20
_LOCK = threading.Lock()


#: Bytes that a wound up stack may have; the call that forks.
WOUND, CLONE = 1 << 20, NUMBERS["clone"]


@classes.frozen
class Stack:
    """A thread's stack wound up, and the values of its variables that are globals."""

    frames: bytes
    globals: dict[str, int]


class _Gone(BaseException):
    """The thread of the host is to end: the guest's thread is no more."""


class _HostTrap(Exception):
    """A host function lets the guest trap."""


class EngineRunner:
    """A thread, from the beginning of its cage's image or from where another one stood; in a store of its own."""

    changed = True

    def __init__(self, guest: CageGuest, image: Image, tool: tuple[str, ...] = (), stack: Stack | None = None) -> None:
        """``stack``: go on where a thread was whose stack this is, rather than begin."""
        import wasmtime

        self.guest = guest
        self.image = image
        self.tool = tool
        self._stack = stack
        self._depth = 0
        self._unwinds: tuple[int, SyscallRequest] | None = None
        self._rewinds = 0
        self.ticks = 0
        self._attending = False
        self._go, self._back = threading.Semaphore(0), threading.Semaphore(0)
        self._event: RunnerEvent | BaseException | None = None
        self._answer = 0
        self._handler: tuple[int, int, Any] | None = None
        self._dead = False
        self._stack_top = 0
        #: Of a new thread: the high end of its stack, and how far below that it stands.
        self._begins: tuple[int, int] | None = None
        self._started = False
        self._instance: Any = None
        self._module = compiled(image, tool)
        #: Whether its stack can be wound up: it was rewritten, here or before.
        self._winds = any(export.name == "asyncify_start_unwind" for export in self._module.exports)
        memory = guest.memory
        assert isinstance(memory, EngineMemory)
        self._memory = memory
        self._item = memory.item
        self._store = wasmtime.Store(engine())
        with _LOCK:
            before = threading.stack_size(STACK)
            self._thread = threading.Thread(target=self._body, daemon=True)
            threading.stack_size(before)

    # What the system calls.

    def run(self, ticks: int) -> RunnerEvent:
        """Go on until it wants something."""
        del ticks
        self.ticks += 1
        if self._attending and self._started and self._handler is None:
            self._attending = False
            return AtDelivery()
        self._memory.pull()
        if self._started:
            self._go.release()
        else:
            self._started = True
            self._start()
        self._back.acquire()
        self._memory.push()
        event = self._event
        if isinstance(event, BaseException):
            raise event
        assert event is not None
        return event

    def _start(self) -> None:
        with _LOCK:
            before = threading.stack_size(STACK)
            try:
                self._thread.start()
            finally:
                threading.stack_size(before)

    def resume(self, value: int) -> None:
        """The result of the call that it waits in."""
        value &= 0xFFFFFFFF
        self._answer = value - (1 << 32) if value >> 31 else value

    def attend(self, wanted: bool) -> None:
        """Stop as the call that it waits in comes back: the engine stops nowhere else."""
        self._attending = wanted

    def push_handler(self, handler: int, signo: int, token: object) -> bool:
        """Call the guest's ``signal_callback`` when it goes on, before its call comes back."""
        if self._function("signal_callback") is None:
            return False
        self._handler = (handler, signo, token)
        return True

    def serve(self, address: int, cage: int, args: tuple[Arg, ...], target: int) -> bool:
        """No workers are built."""
        del address, cage, args, target
        raise NotApplicable("grates' workers are not built")

    def fork(self, guest: CageGuest) -> EngineRunner:
        """The same program with a copy of the stack, which has been wound up in memory."""
        if self._stack is None:
            raise NotApplicable("fork: the engine cannot copy a stack")
        return EngineRunner(guest, self.image, self.tool, self._stack)

    def spawn(self, stack: int) -> EngineRunner:
        """As ``fork``, over the same memory and on its own stack (THREAD-5)."""
        if self._stack is None:
            raise NotApplicable("a thread begins with a copy of its maker's stack, which the engine cannot make")
        made = EngineRunner(self.guest, self.image, self.tool, self._stack)
        made._begins = (stack, self._stack_top - self._stack_pointer())
        return made

    def freeze(self) -> None:
        """The engine's stack is no value."""
        raise AssertionError("a run on another engine has no states")

    def where(self) -> tuple[str, ...]:
        """Nobody looks."""
        return ()

    def end(self) -> None:
        """Let the host's thread end."""
        if self._started and self._thread.is_alive():
            self._dead = True
            self._go.release()
            self._thread.join(5)

    # What runs on the thread of the host.

    def _say(self, event: RunnerEvent) -> None:
        """Tell the system, and stand still until it says to go on."""
        self._event = event
        self._back.release()
        self._go.acquire()
        if self._dead:
            raise _Gone

    def _body(self) -> None:
        try:
            self._program()
        except _Gone:
            return
        except BaseException as error:  # noqa: BLE001 (it is raised where it is of use)
            self._event = error
        self._back.release()

    def _program(self) -> None:
        import wasmtime

        try:
            self._instance = wasmtime.Instance(self._store, self._module, self._imports())
            self._stack_top = self._stack_pointer()
            if self._stack is not None:
                self._take_over(self._stack)
                self._begin_thread()
            else:
                self._to_the_end(self._function("_initialize"))
            self._to_the_end(self._function("_start"))
            self._event = Finished(0)
        except _HostTrap as trap:
            self._event = Trapped(str(trap))
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            text = trap_text(error)
            self._event = Trapped("call stack exhausted" if text == EXHAUSTED else text)

    # Copying a stack: the guest's own code, rewritten by Asyncify, winds it up into memory and back.

    def _export(self, name: str) -> Any:
        return self._instance.exports(self._store).get(name)

    def _to_the_end(self, function: Any) -> None:
        """Call a function of the guest, which may come back with its stack wound up, and then goes on."""
        if function is None:
            return
        if self._stack is not None and not self._rewinds:
            self._rewind(self._stack)
        function(self._store)
        while self._unwinds is not None:
            address, request = self._unwinds
            self._unwinds = None
            self._export("asyncify_stop_unwind")(self._store)
            end = int.from_bytes(self._memory.peek(address, 4), "little")
            frames = self._memory.peek(address + 8, end - address - 8)
            self._memory.put_away(address, WOUND)
            self._stack = Stack(frames, self._globals())
            self._say(Asks(request))
            self._rewind(self._stack)
            function(self._store)

    def _globals(self) -> dict[str, int]:
        """The guest's variables, by the names of their exports."""
        exports = self._instance.exports(self._store)
        names = [export.name for export in self._module.exports if export.name.startswith(GLOBAL)]
        return {name: exports[name].value(self._store) for name in names}

    def _take_over(self, stack: Stack) -> None:
        """Let the guest's variables be those of the thread that this one goes on from."""
        exports = self._instance.exports(self._store)
        for name, value in stack.globals.items():
            exports[name].set_value(self._store, value)

    def _stack_pointer(self) -> int:
        found = self._export("__stack_pointer")
        return 0 if found is None else found.value(self._store) & 0xFFFFFFFF

    def _begin_thread(self) -> None:
        """Make a new thread's own variables, high on its stack, and let its stack go on below (THREAD-5)."""
        if self._begins is None:
            return
        top, below = self._begins
        pointer = self._export("__stack_pointer")
        if self._export("__get_aligned_tls_size") is not None and self._export("__wasm_init_tls") is not None:
            pointer.set_value(self._store, _signed(top, 32))
            top -= self._function("__get_aligned_tls_size")(self._store)
            pointer.set_value(self._store, _signed(top, 32))
            self._function("__wasm_init_tls")(self._store, _signed(top, 32))
        self._stack_top = top
        pointer.set_value(self._store, _signed(top - below, 32))

    def _rewind(self, stack: Stack) -> None:
        """The next call of the guest's function goes to where the stack was wound up."""
        address = self._memory.aside(WOUND)
        start, end = address + 8, address + WOUND
        words = (start + len(stack.frames)).to_bytes(4, "little") + end.to_bytes(4, "little")
        self._memory.poke(address, words + stack.frames)
        self._rewinds = address
        self._export("asyncify_start_rewind")(self._store, _signed(address, 32))

    def _unwind(self, request: SyscallRequest) -> int:
        """Wind the stack up, from the call that asks for a fork on."""
        if self._depth:
            raise NotApplicable("fork in a signal handler: two stacks would have to be wound up")
        address = self._memory.aside(WOUND)
        self._memory.poke(address, (address + 8).to_bytes(4, "little") + (address + WOUND).to_bytes(4, "little"))
        self._unwinds = (address, request)
        self._export("asyncify_start_unwind")(self._store, _signed(address, 32))
        return 0

    def _function(self, name: str) -> Any:
        """An export; of what the program begins with its wrapper, of others what is wrapped."""
        return self._instance.exports(self._store).get(name if name in ("_start", "_initialize") else INNER + name)

    def _imports(self) -> list[Any]:
        """What the module imports, in its order."""
        import wasmtime

        out: list[Any] = []
        for wanted in self._module.imports:
            kind = wanted.type
            if isinstance(kind, wasmtime.MemoryType):
                out.append(self._item)
            elif isinstance(kind, wasmtime.FuncType):
                out.append(wasmtime.Func(self._store, kind, self._host(wanted.module, wanted.name or "")))
            elif isinstance(kind, wasmtime.GlobalType):
                out.append(wasmtime.Global(self._store, kind, wasmtime.Val.i64(0)))
            elif isinstance(kind, wasmtime.TagType):
                out.append(wasmtime.Tag(self._store, kind))
            else:
                raise NotApplicable(f"the module imports {wanted.module}.{wanted.name}")
        return out

    def _host(self, module: str, name: str) -> Callable[..., int | None]:
        """A host function."""
        if (module, name) == (abi.LIND, abi.MAKE_SYSCALL):
            return self._call
        functype = abi.HOST_FUNCTIONS[module, name]
        func = HostFunc(module, name, functype)
        widths = [int(kind.value[1:]) for kind in functype.params]  # type: ignore[union-attr]  # numbers all

        def immediate(*args: int) -> int | None:
            given = [arg & (1 << width) - 1 for arg, width in zip(args, widths, strict=True)]
            reply = answer(self.guest, func, given)
            if isinstance(reply, str):
                raise _HostTrap(reply)
            width = int(functype.results[0].value[1:]) if reply else 0  # type: ignore[union-attr]
            return _signed(reply[0], width) if reply else None

        return immediate

    def _call(self, *args: int) -> int:
        """A call leaves the cage; signals are delivered as it comes back."""
        if self._rewinds:
            self._export("asyncify_stop_rewind")(self._store)
            self._memory.put_away(self._rewinds, WOUND)
            self._rewinds, self._stack = 0, None
        else:
            given = [args[0] & 0xFFFFFFFF, *(arg & (1 << 64) - 1 for arg in args[1:])]
            request = abi.decode_syscall(given)
            if request.number == CLONE and self._winds:
                return self._unwind(request)
            self._say(Asks(request))
        while self._handler is not None:
            answer_, (handler, signo, token) = self._answer, self._handler
            self._handler = None
            self._handle(handler, signo)
            self._say(HandlerReturned(token))
            self._answer = answer_
        return self._answer

    def _handle(self, handler: int, signo: int) -> None:
        """Call a signal handler on top of the call that is coming back."""
        import wasmtime

        self._depth += 1
        try:
            self._function("signal_callback")(self._store, _signed(handler, 32), signo)
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            if "thrown Wasm exception" in str(error):
                raise NotApplicable("a jump out of a signal handler would have to cross frames of the host") from None
            raise
        self._depth -= 1


def _signed(value: int, width: int) -> int:
    value &= (1 << width) - 1
    return value - (1 << width) if value >> width - 1 else value
