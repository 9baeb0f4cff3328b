"""A worker of a grate in Python: runs one handler at a time, as a ``Runner`` whose state is plain data (PY-4)."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lindref.posix.call import Arg, i32
from lindref.posix.errno import EFAULT
from lindref.system.abi import SyscallRequest
from lindref.system.python import grate as grates
from lindref.system.python.context import BadAddress, Handling, Suspend, Undetermined
from lindref.system.python.records import HandlingState
from lindref.system.runner import Asks, Finished, RunnerEvent, Trapped

if TYPE_CHECKING:
    from lindref.system.guests import CageGuest

_OWN = Path(__file__).parent


class PythonRunner:
    """See the module; implements ``lindref.system.runner.Runner``."""

    def __init__(self, guest: CageGuest, state: HandlingState) -> None:
        self.guest = guest
        self.slot = state.slot
        self.address = state.address
        self.target = state.target
        self.args = state.args
        self.log: list[tuple[Any, Any]] = list(state.log)
        self.asked: Any = state.asked
        #: The call in the form that handlers get, and its arguments as they get them; made when first needed.
        self.served: grates.Served | None = None
        self.values: tuple[int, ...] = ()
        #: The method that serves each call, of those that came before.
        self._methods: dict[int, str | None] = {}
        self.ticks = 0
        self.changed = True

    @property
    def _class(self) -> type[grates.Grate]:
        return type(self.guest.system.python[self.guest.cage])

    def run(self, ticks: int) -> RunnerEvent:
        """Run the handler: from its start, with the answers it had, to the next call it waits for or to its end."""
        del ticks
        self.changed = True
        self.ticks += 1
        system, cage = self.guest.system, self.guest.cage
        if not self.slot:
            return Trapped("a grate in Python cannot fork itself or make threads")
        grate = system.python[cage]
        method = self._method(self.address)
        assert method is not None, "serve looked"
        call = self.served or self._call(grate.arity[method])
        handling = Handling(system, cage, self.slot, self.log)
        space = grate.__dict__
        space["_context"], space["_call"] = handling, call
        try:
            value = grates.apply(grate, method, call, self.values)
            handling.finished()
        except Suspend as wait:
            handling.suspended = None  # no cycle through its traceback: this happens with every call
            self.asked = wait.args[0]
            _, number, caller, target, args = self.asked
            return Asks(SyscallRequest(number, 0, caller, target, args))
        except Undetermined as error:
            self._free()
            return Trapped(f"not deterministic: {error}", (f"{type(grate).__name__}.{method}",))
        except BadAddress as error:
            if handling.suspended is None:
                value = -EFAULT
            else:
                return self._failed(error, method)
        except Exception as error:  # noqa: BLE001  # the author's mistake is an outcome of the run
            return self._failed(error, method)
        finally:
            space["_context"] = space["_call"] = None
        if handling.suspended is not None:
            self._free()
            return Trapped("it caught what ends a wait (a bare except?)", (f"{type(grate).__name__}.{method}",))
        self._free()
        return Finished(value)

    def _call(self, takes: int | None) -> grates.Served:
        """The call as the handler gets it, which takes so many arguments (and the call itself)."""
        name = self.guest.system.call_name(self.address)
        call = self.served = grates.Served(self.address, name, self.target, self.args)
        self.values = () if takes == 1 else call.values()[: None if takes is None else takes - 1]
        return call

    def _method(self, number: int) -> str | None:
        if number not in self._methods:
            self._methods[number] = grates.method_of(self._class, number)
        return self._methods[number]

    def _failed(self, error: Exception, method: str) -> RunnerEvent:
        """PY-8: what went wrong in one line, with the innermost place that is not ours."""
        self._free()
        frames = traceback.extract_tb(error.__traceback__)
        theirs = [frame for frame in frames if Path(frame.filename).parent != _OWN] or list(frames)
        place = f"{Path(theirs[-1].filename).name}:{theirs[-1].lineno}"
        text = " ".join(str(error).split())
        said = f"{type(error).__name__}: {text}" if text else type(error).__name__
        return Trapped(said, (f"{self._class.__name__}.{method} ({place})",))

    def _free(self) -> None:
        self.address, self.target, self.args, self.asked = -1, 0, (), None
        self.log, self.served = [], None

    def resume(self, value: int) -> None:
        """The answer to the call it waits for."""
        self.changed = True
        if self.asked is not None:
            self.log.append((self.asked, value if -0x80000000 <= value < 0x80000000 else i32(value)))
            self.asked = None

    def attend(self, wanted: bool) -> None:
        """A grate takes no signals."""

    def push_handler(self, handler: int, signo: int, token: object) -> bool:
        """A grate has no handlers of signals."""
        del handler, signo, token
        return False

    def serve(self, address: int, cage: int, args: tuple[Arg, ...], target: int) -> bool:
        """Serve call ``address``: the numbers of calls are the addresses of the methods (PY-3)."""
        del cage
        if self._method(address) is None:
            return False
        self.changed = True
        self.address, self.target, self.args, self.asked = address, target, args, None
        self.log, self.served = [], None
        return True

    def fork(self, guest: CageGuest) -> PythonRunner:
        """A grate that forks itself: the child traps, since there is no grate in it."""
        return PythonRunner(guest, HandlingState(0))

    def spawn(self, stack: int) -> PythonRunner:
        """A grate that makes a thread of itself: as ``fork``."""
        del stack
        return PythonRunner(self.guest, HandlingState(0))

    def freeze(self) -> HandlingState:
        """The handler as data."""
        self.changed = False
        return HandlingState(self.slot, self.address, self.target, self.args, tuple(self.log), self.asked)

    @classmethod
    def thaw(cls, guest: CageGuest, state: HandlingState) -> PythonRunner:
        """A runner in ``state``."""
        runner = cls(guest, state)
        runner.changed = False
        return runner

    def where(self) -> tuple[str, ...]:
        """The method it is in."""
        method = grates.method_of(self._class, self.address)
        return () if method is None else (f"{self._class.__name__}.{method}",)
