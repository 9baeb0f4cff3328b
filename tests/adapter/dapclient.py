"""A small client of the Debug Adapter Protocol: requests, responses and events over a pair of streams."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

LONG = 15.0


class Refused(Exception):
    """An error response."""


class Client:
    """Talks to an adapter. Events are kept until they are waited for."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._incoming, self._outgoing = incoming, outgoing
        self._seq = 0
        self._messages: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.events: list[dict[str, Any]] = []
        self._answers: dict[int, dict[str, Any]] = {}
        self.output = ""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        """Take messages in (a thread of its own), until the other side is gone or this one is closed."""
        try:
            while (message := self._next()) is not None:
                self._messages.put(message)
        except (OSError, ValueError):
            pass
        self._messages.put(None)

    def _next(self) -> dict[str, Any] | None:
        length = None
        while (line := self._incoming.readline()).strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if length is None:
            return None
        found: dict[str, Any] = json.loads(self._incoming.read(length))
        return found

    def take(self) -> bool:
        """Take one message in; false at the end."""
        message = self._messages.get(timeout=LONG)
        if message is None:
            return False
        if message["type"] == "response":
            self._answers[message["request_seq"]] = message
        else:
            if message["event"] == "output" and message["body"]["category"] == "stdout":
                self.output += message["body"]["output"]
            self.events.append(message)
        return True

    def send(self, command: str, **arguments: Any) -> int:
        """Send a request; its number."""
        self._seq += 1
        self.raw({"seq": self._seq, "type": "request", "command": command, "arguments": arguments})
        return self._seq

    def raw(self, message: Any) -> None:
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        self._outgoing.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._outgoing.flush()

    def answer(self, number: int) -> dict[str, Any]:
        """The response to a request."""
        while number not in self._answers:
            assert self.take(), f"no answer to {number}"
        return self._answers.pop(number)

    def do(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Send a request and wait for what it gives; raises ``Refused``."""
        answer = self.answer(self.send(command, **arguments))
        if not answer["success"]:
            raise Refused(answer["message"])
        body: dict[str, Any] = answer.get("body", {})
        return body

    def event(self, name: str) -> dict[str, Any]:
        """The next event of a name."""
        at = 0
        while True:
            for i in range(at, len(self.events)):
                if self.events[i]["event"] == name:
                    found: dict[str, Any] = self.events.pop(i).get("body", {})
                    return found
            at = len(self.events)
            assert self.take(), f"no event {name}"

    # Whole conversations.

    def launch(self, program: Path | str, *, configure: Any = None, **arguments: Any) -> None:
        """Begin a session: ``configure()`` sets breakpoints."""
        self.do("initialize", adapterID="lindref", supportsInvalidatedEvent=True)
        self.do("launch", program=str(program), **arguments)
        self.event("initialized")
        if configure is not None:
            configure()
        self.do("configurationDone")

    def go(self, command: str, thread: int = 1, **arguments: Any) -> dict[str, Any]:
        """Let the run go on, and wait until it stands still."""
        self.do(command, threadId=thread, **arguments)
        return self.event("stopped")

    def frames(self, thread: int = 1) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.do("stackTrace", threadId=thread)["stackFrames"]
        return found

    def where(self, thread: int = 1) -> tuple[str, int]:
        """Function and line of the innermost frame."""
        top = self.frames(thread)[0]
        return top["name"], top["line"]

    def scope(self, name: str, frame: int = 0, thread: int = 1) -> dict[str, dict[str, Any]]:
        """The variables of a scope by name."""
        number = self.frames(thread)[frame]["id"]
        scopes = {s["name"]: s["variablesReference"] for s in self.do("scopes", frameId=number)["scopes"]}
        return self.opened(scopes[name])

    def opened(self, reference: int) -> dict[str, dict[str, Any]]:
        found = self.do("variables", variablesReference=reference)["variables"]
        return {v["name"]: v for v in found}

    def value(self, expression: str, **more: Any) -> str:
        found: str = self.do("evaluate", expression=expression, **more)["result"]
        return found


class Started(Client):
    """A client of ``lindref dap`` as a process of its own."""

    def __init__(self, *words: str, cwd: Path | None = None) -> None:
        root = Path(__file__).resolve().parents[2]
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from lindref.cli.main import entry; entry()", "dap", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"},
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        super().__init__(self.process.stdout, self.process.stdin)

    def close(self) -> int:
        assert self.process.stdin is not None and self.process.stdout is not None and self.process.stderr is not None
        self.process.stdin.close()
        status = self.process.wait(LONG)
        self.process.stdout.close()
        self.process.stderr.close()
        return status
