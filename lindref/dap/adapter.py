"""A debug adapter: requests in, responses and events out, one session.

Requests are done one after the other. A thread that only reads takes them in, so that ``pause``, ``cancel`` and the end
of the session are seen while the run goes on.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Sequence
from typing import BinaryIO

from lindref.dap import commands, launching, showing, stopping
from lindref.dap.arguments import RequestError, may, want
from lindref.dap.protocol import Message, ProtocolError, Unreadable, Writer, read_message
from lindref.dap.showing import Handles
from lindref.dap.sources import Sources
from lindref.debug.breakpoints import AtAddress, AtEvent, AtFunction, Breakpoint
from lindref.debug.debugger import Debugger, Stop
from lindref.debug.transcript import Transcript
from lindref.system.events import Event, Note

#: What the adapter can do, besides what all can.
CAPABILITIES: Message = {
    "supportsConfigurationDoneRequest": True,
    "supportsFunctionBreakpoints": True,
    "supportsConditionalBreakpoints": True,
    "supportsHitConditionalBreakpoints": True,
    "supportsEvaluateForHovers": True,
    "supportsStepBack": True,
    "supportsSetVariable": True,
    "supportsSetExpression": True,
    "supportsGotoTargetsRequest": True,
    "supportsModulesRequest": True,
    "supportsRestartRequest": True,
    "supportsExceptionOptions": False,
    "supportsExceptionFilterOptions": True,
    "supportsExceptionInfoRequest": True,
    "supportsDelayedStackTraceLoading": True,
    "supportsLoadedSourcesRequest": True,
    "supportsLogPoints": True,
    "supportsTerminateRequest": True,
    "supportsDataBreakpoints": True,
    "supportsDataBreakpointBytes": True,
    "supportsReadMemoryRequest": True,
    "supportsWriteMemoryRequest": True,
    "supportsDisassembleRequest": True,
    "supportsCancelRequest": True,
    "supportsBreakpointLocationsRequest": True,
    "supportsSteppingGranularity": True,
    "supportsInstructionBreakpoints": True,
    "exceptionBreakpointFilters": [
        {"filter": name, "label": label, "default": default, "supportsCondition": True}
        for name, label, default in stopping.FILTERS
    ],
}

#: Requests that let the run go on: what each does to the debugger.
_MOVES: dict[str, Callable[[Debugger, bool], Stop]] = {
    "continue": lambda debugger, _: debugger.run(),
    "reverseContinue": lambda debugger, _: debugger.reverse(),
    "next": lambda debugger, lines: debugger.step("over", lines=lines),
    "stepIn": lambda debugger, lines: debugger.step("in", lines=lines),
    "stepOut": lambda debugger, lines: debugger.step("out", lines=lines),
    "stepBack": lambda debugger, lines: debugger.back("over", lines=lines),
}

#: Requests that need no program yet.
_EARLY = frozenset({"initialize", "launch", "attach", "disconnect", "terminate", "cancel"})


class Adapter:
    """One session of a client. ``libraries`` as for ``lindref.boot``."""

    def __init__(
        self,
        incoming: BinaryIO,
        outgoing: BinaryIO,
        libraries: Callable[[], Sequence[str]] | None = None,
        cwd: str = ".",
    ) -> None:
        self.writer = Writer(outgoing)
        self.handles = Handles()
        self.groups: dict[str, list[int]] = {}
        self._incoming = incoming
        self._libraries = libraries
        self._cwd = cwd
        self._debugger: Debugger | None = None
        self._launch: Message = {}
        self._options = launching.Launch(False, False, (), False)
        self.sources = Sources((), [cwd])
        self.transcript: Transcript | None = None
        self._initialized = self._configured = self._ended = False
        self._client: Message = {}
        self._queue: queue.SimpleQueue[Message | Exception | None] = queue.SimpleQueue()
        self._cancelled: set[int] = set()
        self._busy: int | None = None
        self._threads: set[int] = set()
        self._stop = Stop("entry")
        self._targets: list[tuple[str, int, bool]] = []
        #: What is to be sent after the present response.
        self.later: list[Callable[[], None]] = []
        self._requests: dict[str, Callable[[Message], Message | None]] = {
            "initialize": self._initialize,
            "launch": self._do_launch,
            "attach": self._attach,
            "configurationDone": self._configuration_done,
            "exceptionInfo": self._exception_info,
            "pause": self._pause,
            "gotoTargets": self._goto_targets,
            "goto": self._goto,
            "restart": self._restart,
            "terminate": self._terminate,
            "disconnect": self._disconnect,
            "cancel": self._cancel,
        }

    @property
    def debugger(self) -> Debugger:
        """The debugger; raises ``RequestError`` before ``launch``."""
        if self._debugger is None:
            raise RequestError("no program is being debugged: launch first")
        return self._debugger

    @property
    def cage(self) -> int:
        """The cage of the present thread."""
        thread = self.debugger.engine.threads.get(self.debugger.key)
        return 1 if thread is None else thread.cage

    # The loop.

    def serve(self) -> int:
        """Until the client goes; the exit status: 0, or 2 where what came in was not the protocol."""
        threading.Thread(target=self._read, name="requests", daemon=True).start()
        while not self._ended:
            message = self._queue.get()
            if message is None:
                return 0
            if isinstance(message, ProtocolError):
                self.writer.event("output", category="stderr", output=f"lindref dap: {message}\n")
                return 2
            if isinstance(message, Exception):
                self._respond({}, None, str(message))
                continue
            self._one(message)
        return 0

    def _read(self) -> None:
        """Take requests in (a thread of its own)."""
        while True:
            try:
                message = read_message(self._incoming)
            except Unreadable as error:
                self._queue.put(error)
                continue
            except ProtocolError as error:
                self._interrupt()
                self._queue.put(error)
                return
            except (OSError, ValueError):
                message = None
            if message is None:
                self._interrupt()
                self._queue.put(None)
                return
            command = message.get("command")
            if command in ("pause", "disconnect", "terminate", "restart"):
                self._interrupt()
            if command == "cancel":
                arguments = message.get("arguments")
                number = arguments.get("requestId") if isinstance(arguments, dict) else None
                if isinstance(number, int):
                    self._cancelled.add(number)
                    if number == self._busy:
                        self._interrupt()
            self._queue.put(message)
            if command == "disconnect":
                return  # nothing comes after it

    def _interrupt(self) -> None:
        """Have the run stop, or that which is about to begin; whoever asked for it takes that back in its turn."""
        if self._debugger is not None:
            self._debugger.pausing = True

    def _one(self, message: Message) -> None:
        """Do one request."""
        command, number = message.get("command"), message.get("seq")
        if message.get("type") != "request" or not isinstance(command, str):
            self._respond(message, None, "a request was expected")
            return
        arguments = message.get("arguments")
        if arguments is None:
            arguments = {}
        if not isinstance(arguments, dict):
            self._respond(message, None, "arguments: an object was expected")
            return
        if isinstance(number, int) and number in self._cancelled:
            self._cancelled.discard(number)
            self._respond(message, None, "cancelled")
            return
        self.later = []
        try:
            body = self._do(command, arguments, message)
        except RequestError as error:
            self._respond(message, None, str(error))
        except Exception as error:  # noqa: BLE001 -- a bug of ours must not end the session, nor be silent
            said = " ".join(f"{type(error).__name__}: {error}".split())
            self._respond(message, None, f"internal error in {command}: {said}")
        else:
            if body is not None:
                self._respond(message, body, "")
            for act in self.later:
                act()

    def _do(self, command: str, arguments: Message, message: Message) -> Message | None:
        if not self._initialized and command not in ("initialize", "disconnect"):
            raise RequestError(f"{command} before initialize")
        if command not in _EARLY and command in self._known():
            _ = self.debugger
        if command in _MOVES:
            self._move(command, arguments, message)
            return None
        mine = self._requests.get(command)
        if mine is not None:
            return mine(arguments)
        for table in (showing.REQUESTS, stopping.REQUESTS):
            if command in table:
                return table[command](self, arguments)
        raise RequestError(f"{command} is not supported")

    def _known(self) -> set[str]:
        return {*_MOVES, *self._requests, *showing.REQUESTS, *stopping.REQUESTS}

    def _respond(self, request: Message, body: Message | None, error: str) -> None:
        seq, command = request.get("seq"), request.get("command")
        answer: Message = {
            "type": "response",
            "request_seq": seq if isinstance(seq, int) else 0,
            "success": not error,
            "command": command if isinstance(command, str) else "",
        }
        if error:
            answer["message"] = error
            answer["body"] = {"error": {"id": 1, "format": error.replace("{", "(").replace("}", ")"), "showUser": True}}
        elif body is not None:
            answer["body"] = body
        self.writer.send(answer)

    # Beginning and end.

    def _initialize(self, arguments: Message) -> Message:
        if self._initialized:
            raise RequestError("initialize was done already")
        for name in ("linesStartAt1", "columnsStartAt1"):
            if not may(arguments, name, bool, otherwise=True):
                raise RequestError(f"{name}: lines and columns start at 1 here")
        if may(arguments, "pathFormat", str, "path") != "path":
            raise RequestError("pathFormat: only path is understood")
        self._client, self._initialized = arguments, True
        return CAPABILITIES

    def _attach(self, _: Message) -> Message:
        raise RequestError("a run cannot be attached to: use launch")

    def _do_launch(self, arguments: Message) -> Message:
        if self._debugger is not None:
            raise RequestError("a program was launched already")
        self._begin(arguments)
        self.later.append(lambda: self.writer.event("initialized"))
        return {}

    def _begin(self, arguments: Message) -> None:
        options = launching.options(arguments)
        session = launching.start(arguments, self._libraries)
        self._launch, self._options = arguments, options
        cwd = may(arguments, "cwd", str, "") or self._cwd
        root = os.path.join(cwd, may(arguments, "root", str, ""))
        beside = os.path.dirname(os.path.join(root, want(arguments, "program", str)))
        self.sources = Sources(options.source_map, [cwd, root, beside])
        debugger = Debugger(session, logged=self._logged)
        session.engine.kernel.outside.wrote = self._wrote
        session.engine.observers.append(_Notes(self))
        if options.strace:
            from lindref.trace.strace import Strace

            session.engine.observers.append(Strace(session.engine, self._traced, routes=True))
        self.transcript = Transcript(session)
        self._debugger = debugger
        self._stop = Stop("entry", debugger.key)

    def _wrote(self, stream: int, data: bytes) -> None:
        self.output("stdout" if stream == 1 else "stderr", data.decode("utf-8", "backslashreplace"))

    def _traced(self, line: str) -> None:
        self.output("console", line)

    def _logged(self, _: Breakpoint, text: str) -> None:
        self.output("console", text + "\n")

    def output(self, category: str, text: str) -> None:
        """Have the client show something."""
        self.writer.event("output", category=category, output=text)

    def _configuration_done(self, _: Message) -> Message:
        if self._configured:
            raise RequestError("configurationDone was done already")
        self._configured = True
        self.later.append(self._go_first)
        return {}

    def _go_first(self) -> None:
        if self._options.stop_on_entry:
            self.stopped(Stop("entry", self.debugger.key))
        else:
            self._run(self.debugger.run)

    def _restart(self, arguments: Message) -> Message:
        old = self.debugger
        given = may(arguments, "arguments", dict, {})
        self._begin(given or self._launch)
        for number, one in old.breakpoints.items():
            one.seen.clear()
            self.debugger.breakpoints[number] = one
            self.debugger.resolve(one)
        self.debugger.keep_numbers(old)
        self.later.append(self._go_first)
        return {}

    def _terminate(self, _: Message) -> Message:
        if self._debugger is not None:
            self._debugger.pausing = False
        self.later.append(lambda: self.writer.event("terminated"))
        return {}

    def _disconnect(self, _: Message) -> Message:
        self._ended = True
        return {}

    def _cancel(self, _: Message) -> Message:
        if self._debugger is not None:
            self._debugger.pausing = False
        return {}

    # Going.

    def _move(self, command: str, arguments: Message, message: Message) -> None:
        debugger = self.debugger
        if not self._configured:
            raise RequestError(f"{command} before configurationDone")
        key = want(arguments, "threadId", int)
        granularity = may(arguments, "granularity", str, "statement")
        if granularity not in ("statement", "line", "instruction"):
            raise RequestError(f"granularity {granularity}: statement, line or instruction was expected")
        if key in debugger.engine.threads:
            debugger.key = key
        elif debugger.engine.threads and command not in ("continue", "reverseContinue", "stepBack"):
            raise RequestError(f"no thread {key}")
        body = {"allThreadsContinued": True} if command == "continue" else {}
        self._respond(message, body, "")
        seq = message.get("seq")
        self._busy = seq if isinstance(seq, int) else -1
        self._run(lambda: _MOVES[command](debugger, granularity != "instruction"))

    def _run(self, move: Callable[[], Stop]) -> None:
        """Let the run go, and tell where it stands then."""
        self.handles = Handles()
        self._busy = self._busy or -1
        try:
            stop = move()
        except Exception as error:  # noqa: BLE001 -- as in ``_one``
            said = " ".join(f"{type(error).__name__}: {error}".split())
            self.output("important", f"lindref dap: internal error: {said}\n")
            stop = Stop("pause", self.debugger.key, f"internal error: {said}")
        finally:
            self._busy = None
        self.stopped(stop)

    def stopped(self, stop: Stop) -> None:
        """Tell the client that the run stands still."""
        debugger = self.debugger
        self._stop = stop
        now = {thread.key for thread in debugger.threads()}
        for key in sorted(self._threads - now):
            self.writer.event("thread", reason="exited", threadId=key)
        for key in sorted(now - self._threads):
            self.writer.event("thread", reason="started", threadId=key)
        self._threads = now
        outcome = debugger.outcome
        if stop.reason == "end" and outcome is not None:
            self.writer.event("exited", exitCode=outcome.status)
            if outcome.text:
                self.output("console", f"{outcome.ending}: {outcome.text}\n")
            if not self._options.stop_at_end:
                self.writer.event("terminated")
                return
        for one in stop.hits:
            if one.problem:
                self.output("console", f"breakpoint {one.id}: {one.problem}\n")
        body: Message = {
            "reason": self._reason(stop),
            "threadId": stop.key or debugger.key or 1,
            "allThreadsStopped": True,
            "hitBreakpointIds": [one.id for one in stop.hits],
        }
        where = f"event {debugger.session.position}"
        texts = {"end": "end of the run", "start": "beginning of the run"}
        body["description"] = ": ".join(filter(None, [texts.get(stop.reason, stop.reason), stop.text])) + f" ({where})"
        if stop.text:
            body["text"] = stop.text
        self.writer.event("stopped", **body)

    @staticmethod
    def _reason(stop: Stop) -> str:
        if stop.reason == "breakpoint" and stop.hits:
            where = stop.hits[0].where
            if isinstance(where, AtFunction):
                return "function breakpoint"
            if isinstance(where, AtAddress):
                return "instruction breakpoint"
        return stop.reason

    def _pause(self, _: Message) -> Message:
        self.debugger.pausing = False  # it stands still already
        return {}

    def _exception_info(self, _: Message) -> Message:
        if self._stop.reason != "exception":
            raise RequestError("no exception stopped the run")
        kinds = [one.where.what for one in self._stop.hits if isinstance(one.where, AtEvent)]
        return {"exceptionId": kinds[0] if kinds else "event", "description": self._stop.text, "breakMode": "always"}

    def _goto_targets(self, arguments: Message) -> Message:
        """A line can be gone to where it runs next, or where it ran last: nothing is left out."""
        source = want(arguments, "source", dict)
        line = want(arguments, "line", int)
        file = self.known_as(want(source, "path", str))
        out = []
        for forwards, label in ((True, "the next time it runs"), (False, "the last time it ran")):
            self._targets.append((file, line, forwards))
            out.append({"id": len(self._targets), "label": f"line {line}, {label}", "line": line})
        return {"targets": out}

    def _goto(self, arguments: Message) -> Message:
        number = want(arguments, "targetId", int)
        if not 0 < number <= len(self._targets):
            raise RequestError(f"no target {number}")
        file, line, forwards = self._targets[number - 1]
        here = self.debugger.position
        if not self.debugger.goto_line(file, line, forwards=forwards):
            self.debugger.goto(here)
            raise RequestError(f"line {line} does not run {'again' if forwards else 'before'}")
        self.moved()
        return {}

    def known_as(self, path: str) -> str:
        """What debug information calls a file of the client's."""
        tables = (self.debugger.table.of(p).lines for p in self.debugger.engine.images.programs().values())
        return self.sources.known_as(path, (file for table in tables for file in table.files()))

    def moved(self) -> None:
        """One stands elsewhere: the client is told after the present response."""
        self.handles = Handles()
        self.later.append(lambda: self.stopped(Stop("goto", self.debugger.key)))

    def changed(self) -> None:
        """Something was changed by hand: the client is told after the present response."""
        if self._client.get("supportsInvalidatedEvent") is True:
            self.later.append(lambda: self.writer.event("invalidated", areas=["variables"]))

    def command(self, text: str) -> str:
        """A command of the debugger's own, typed in the console: what it says."""
        return commands.run(self, text)


class _Notes:
    """Shows notes of the run."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter

    def on_event(self, event: Event) -> None:
        """Show a note."""
        if isinstance(event, Note):
            self._adapter.output(
                "important" if "trap" in event.text else "console", f"cage {event.cage}: {event.text}\n"
            )


__all__ = ["CAPABILITIES", "Adapter"]
