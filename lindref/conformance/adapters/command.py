"""A command as an implementation under test, in whatever language: it answers lines of JSON (docs/conform.md).

Each line of its standard input is a request, an object whose ``do`` is ``describe``, ``run``, ``reset`` or ``close``;
it writes one line to standard output for each. What it writes to standard error is shown where it fails.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from lindref.conformance.adapters.case import Calls, Case, Program
from lindref.conformance.adapters.interface import AdapterError, Description, NotApplicable, Observed
from lindref.conformance.scripts.vector import document
from lindref.profile import SPEC

#: Bytes that an answer may have.
MOST = 64 << 20
#: What such an adapter is called: this, and then the command.
PREFIX = "command:"
_KEPT = 2000


class CommandError(Exception):
    """The command did not answer as it should; one line."""


class Command:
    """The command ``words``; options of the command line are in its first request."""

    def __init__(self, words: str, options: Mapping[str, str]) -> None:
        self.words = shlex.split(words)
        if not self.words:
            raise AdapterError("adapter command: no command (command:./my-runtime)")
        self.options = dict(options)
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None

    # What a campaign calls.

    def describe(self) -> Description:
        """What the command says of itself. Raises ``AdapterError``."""
        try:
            return described(self._ask(describe=True))
        except (CommandError, OSError) as error:
            self._end()
            raise AdapterError(f"adapter {PREFIX}{shlex.join(self.words)}: {error}") from None

    def run(self, case: Case) -> Observed:
        """What it says of a case. Raises ``CommandError``, ``NotApplicable``, ``OSError``."""
        with tempfile.TemporaryDirectory(prefix="lindref-") as place:
            answer = self._ask({"do": "run", "case": case_row(case, Path(place))})
            reason = answer.get("not_applicable")
            if reason is not None:
                raise NotApplicable(str(reason))
            return observed(answer, Path(place))

    def reset(self) -> None:
        """Between two cases."""
        if self._process is not None:
            self._ask({"do": "reset"})

    def close(self) -> None:
        """At the end."""
        if self._process is not None:
            try:
                self._ask({"do": "close"})
            finally:
                self._end()

    # The line.

    def _start(self) -> subprocess.Popen[bytes]:
        said = tempfile.TemporaryFile()  # noqa: SIM115 (it is there as long as the process)
        try:
            self._process = subprocess.Popen(self.words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said)
        except OSError:
            said.close()
            raise
        self._said = said
        return self._process

    def _ask(self, request: Mapping[str, Any] | None = None, *, describe: bool = False) -> dict[str, Any]:
        """The answer to a request. One that ended, or answers what is none, is begun anew for the next."""
        process = self._process
        if process is None:
            process = self._start()
            if not describe:
                self._exchange(process, {"do": "describe", "options": self.options})
        given = {"do": "describe", "options": self.options} if request is None else request
        return self._exchange(process, given)

    def _exchange(self, process: subprocess.Popen[bytes], request: Mapping[str, Any]) -> dict[str, Any]:
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError):  # one that listens no more may have said why
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
        line = process.stdout.readline(MOST + 1)
        if not line:
            raise CommandError(f"the command ended{self._end()}")
        if len(line) > MOST:
            self._end()
            raise CommandError(f"an answer of more than {MOST} bytes")
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            self._end()
            raise CommandError(f"not a line with a JSON object: {line[:80].decode('utf-8', 'backslashreplace')!r}")
        if "error" in answer:
            raise CommandError(str(answer["error"]))
        return answer

    def _end(self) -> str:
        """End the process; how it had ended, and the last line that it wrote to standard error."""
        process, said = self._process, self._said
        self._process = self._said = None
        if process is None or said is None:
            return ""
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # what it never read
                    pipe.close()
        try:
            code = process.wait(1)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            code = 0
        said.seek(max(said.seek(0, 2) - _KEPT, 0))
        last = said.read().decode("utf-8", "backslashreplace").strip().splitlines()[-1:]
        said.close()
        how = f" by signal {-code}" if code < 0 else f" with status {code}"
        return "".join([how, *(f": {line}" for line in last)])


# What is said.


def _text(data: bytes) -> str | dict[str, str]:
    """Bytes as text where they are, else as hexadecimal."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"hex": data.hex()}


def _bytes(given: Any, what: str) -> bytes | None:
    """The bytes of a text, or of ``{"hex": …}``. Raises ``CommandError``."""
    if given is None or isinstance(given, str):
        return None if given is None else given.encode("utf-8", "surrogatepass")
    try:
        return bytes.fromhex(given["hex"])
    except (KeyError, TypeError, ValueError):
        raise CommandError(f"{what}: neither a text nor an object with 'hex'") from None


def case_row(case: Case, place: Path) -> dict[str, Any]:
    """A case as it is sent; its files are put into ``place``, and may be changed."""
    row: dict[str, Any] = {"id": case.id, "title": case.title, "kind": case.kind}
    if case.program is not None:
        row["program"] = _program_row(case.program.copy_to(place))
    elif case.script is not None:
        whole = document(case.script, None)
        row["script"] = {name: whole[name] for name in ("id", "files", "programs", "tags") if name in whole}
    elif case.calls is not None:
        row["module"] = _module_row(case.calls, place)
    return row


def _program_row(program: Program) -> dict[str, Any]:
    return {
        "folder": str(program.folder),
        "argv": list(program.argv),
        "env": dict(program.env),
        "stdin": _text(program.stdin),
        "sources": {name: list(files) for name, files in program.sources.items()},
        "grates": list(program.grates),
    }


def _module_row(calls: Calls, place: Path) -> dict[str, Any]:
    path = place / "module.wasm"
    path.write_bytes(calls.module)
    return {"path": str(path), "calls": [[name, [list(arg) for arg in args]] for name, args in calls.calls]}


_DESCRIBES: Mapping[str, type] = {
    "name": str,
    "version": str,
    "profile": str,
    "kinds": list,
    "features": list,
    "observes": list,
    "lacks": dict,
    "same_calls": bool,
    "is_linux": bool,
}


def described(answer: Mapping[str, Any]) -> Description:
    """The description in an answer. Raises ``CommandError``."""
    _only(answer, _DESCRIBES, "describe")
    if "name" not in answer:
        raise CommandError("describe: no 'name'")
    fields: dict[str, Any] = {
        name: frozenset(map(str, value)) if isinstance(value, list) else value for name, value in answer.items()
    }
    return Description(**{"profile": SPEC.name, **fields})


_OBSERVES: Mapping[str, type | tuple[type, ...]] = {
    "status": int,
    "stdout": (str, dict),
    "stderr": (str, dict),
    "trace": str,
    "seen": dict,
    "results": list,
    "note": str,
    "own_calls": bool,
}


def observed(answer: Mapping[str, Any], place: Path) -> Observed:
    """What an answer says was seen; ``trace`` is a file, ``place`` the folder of a relative one. Raises
    ``CommandError``, ``OSError``.
    """
    _only(answer, _OBSERVES, "run")
    results = answer.get("results")
    trace = answer.get("trace")
    return Observed(
        answer.get("status"),
        _bytes(answer.get("stdout"), "run: stdout"),
        _bytes(answer.get("stderr"), "run: stderr"),
        None if trace is None else (place / trace).read_bytes(),
        answer.get("seen"),
        None if results is None else tuple(map(_result, results)),
        answer.get("note") or "",
        bool(answer.get("own_calls")),
    )


def _result(given: Any) -> Any:
    if isinstance(given, str):
        return given
    try:
        return tuple((str(kind), int(bits)) for kind, bits in given)
    except (TypeError, ValueError):
        raise CommandError("run: results: neither a text nor a list of [type, bits]") from None


def _only(answer: Mapping[str, Any], known: Mapping[str, type | tuple[type, ...]], what: str) -> None:
    """Raises ``CommandError`` for fields that there are not, or that are something else."""
    for name, value in answer.items():
        if name not in known:
            raise CommandError(f"{what}: there is no {name!r} (there are {', '.join(known)})")
        if value is not None and not isinstance(value, known[name]):
            raise CommandError(f"{what}: {name} is {type(value).__name__}")
