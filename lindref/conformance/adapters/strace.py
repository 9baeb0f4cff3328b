"""What strace wrote (``-f -n -a 1``), as a trace: processes become cages and threads tids, in the order of their birth.

Arguments are the texts that strace shows; who served a call, and memory, it does not see.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from lindref import classes
from lindref.posix import constants, errno
from lindref.trace.format import FORMAT, VERSION, Record
from lindref.trace.jsonl import dump

#: The events that such a trace has.
OBSERVES = ("enter", "exit", "spawn", "exec", "end", "signal", "outcome")

_LINE = re.compile(r"(\d+) +(?:\[ *(-?\d+|\?+)\] )?(.*)")
_CALL = re.compile(r"(\w+)\((.*)", re.DOTALL)
_RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)", re.DOTALL)
_RESULT = re.compile(r"(.*)\) += (-?\d+|0x[0-9a-f]+|\?)(?: (E\w+))?(?: .*)?", re.DOTALL)
_SIGNAL = re.compile(r"--- (SIG\w+) ")
_ENDED = re.compile(r"\+\+\+ (?:exited with (\d+)|killed by (SIG\w+)(?: \(core dumped\))?) \+\+\+")
_UNFINISHED = " <unfinished ...>"

_SPAWNS = frozenset({"clone", "clone3", "fork", "vfork"})
#: Calls that give the id of a process; those that never come back.
_PIDS = _SPAWNS | {"getpid", "getppid", "wait4", "getpgrp", "setsid"}
_ENDS = frozenset({"exit", "exit_group"})
#: Signals that are ignored unless a handler is set; names with other names.
_IGNORED = frozenset({"SIGCHLD", "SIGCONT", "SIGURG", "SIGWINCH"})


@classes.frozen
class Line:
    """A line of the log: whose it is, the number of the call if there is one, what it says."""

    pid: int
    number: int
    text: str


#: What ``--decode-pids=pidns`` adds to an id of another namespace: the id as strace sees it.
_ELSEWHERE = re.compile(r"-?\d+ /\* (\d+) in strace's PID NS \*/")


def without_launcher(log: str) -> str:
    """The lines of the program that a launcher of ours ran, and of those that it made, with ids as strace sees them;
    the first is the ``execve`` that brings the program.
    """
    whole = list(lines(log))
    begun = next((n for n, one in enumerate(whole) if one.text.startswith('execve("/prog/main"')), len(whole))
    others = {one.pid for one in whole[:begun]} - {one.pid for one in whole[begun : begun + 1]}
    kept = [one for one in whole[begun:] if one.pid not in others]
    return "".join(f"{one.pid} [{one.number:4}] {text}\n" for one, text in _translated(kept))


def _translated(kept: Iterable[Line]) -> Iterator[tuple[Line, str]]:
    """Lines, and what they say with strace's own ids."""
    return ((one, _ELSEWHERE.sub(r"\1", one.text)) for one in kept)


def lines(log: str) -> Iterator[Line]:
    """The lines of a log; what is none is left out."""
    for one in log.splitlines():
        match = _LINE.fullmatch(one)
        if match:
            number = int(match[2]) if match[2] and match[2].lstrip("-").isdigit() else -1
            yield Line(int(match[1]), number, match[3])


def split(text: str) -> list[str]:
    """Arguments apart, at commas that are in no string and within no brackets."""
    out, depth, start, quoted, i = [], 0, 0, False, 0
    while i < len(text):
        sign = text[i]
        if quoted:
            i += sign == "\\"
            quoted = sign != '"'
        elif sign == '"':
            quoted = True
        elif sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
        elif sign == "," and depth == 0:
            out.append(text[start:i].strip())
            start = i + 1
        i += 1
    last = text[start:].strip()
    return [*out, last] if last or out else []


@classes.define(eq=False)
class Births:
    """Which process and thread is which cage and tid."""

    #: By thread id of Linux: the process that it belongs to.
    process: dict[int, int] = classes.field(factory=dict)
    cage: dict[int, int] = classes.field(factory=dict)
    tid: dict[int, int] = classes.field(factory=dict)

    def add(self, pid: int, process: int) -> None:
        """A thread, of a process that may be new."""
        self.process[pid] = process
        self.cage.setdefault(process, len(self.cage) + 1)
        self.tid[pid] = 1 + sum(p == process for p in list(self.process.values())[:-1])

    def where(self, pid: int) -> tuple[int, int]:
        """Cage and tid of a thread."""
        if pid not in self.process:
            self.add(pid, pid)
        return self.cage[self.process[pid]], self.tid[pid]


def births(log: Sequence[tuple[Line, str, str, int | None]]) -> Births:
    """Everybody in the order of the calls that made them."""
    found = Births()
    for line, name, args, result in log:
        if line.pid not in found.process and not found.process:
            found.add(line.pid, line.pid)
        if name in _SPAWNS and result is not None and result > 0:
            thread = "CLONE_THREAD" in args
            found.add(result, found.process.get(line.pid, line.pid) if thread else result)
    return found


def _whole(log: Sequence[Line]) -> dict[int, tuple[str, str, str, str]]:
    """By index of the line at which a call begins: its name, arguments, result and error, from all its pieces; and by
    the negative index of the line at which it comes back, the same.
    """
    pending: dict[int, tuple[int, str, str]] = {}
    out: dict[int, tuple[str, str, str, str]] = {}
    for index, line in enumerate(log):
        resumed = _RESUMED.fullmatch(line.text)
        call = None if resumed else _CALL.fullmatch(line.text)
        if resumed and line.pid in pending:
            begun, name, before = pending.pop(line.pid)
            text = before + resumed[2]
        elif call:
            begun, name, text = index, call[1], call[2]
        else:
            continue
        if text.endswith(_UNFINISHED):
            pending[line.pid] = (begun, name, text.removesuffix(_UNFINISHED))
            continue
        result = _RESULT.fullmatch(text)
        if result:
            out[begun] = out[-index - 1] = (name, result[1], result[2], result[3] or "")
    for begun, name, text in pending.values():
        out[begun] = (name, text, "", "")
    return out


@classes.define(eq=False)
class Translator:
    """Makes the records of a log, line by line."""

    log: list[Line]
    people: Births = classes.field(init=False)
    _whole: dict[int, tuple[str, str, str, str]] = classes.field(init=False)
    _n: int = 0
    _calls: int = 0
    _open: dict[int, int] = classes.field(factory=dict)
    _handled: dict[int, set[str]] = classes.field(factory=dict)
    _within: dict[int, list[int]] = classes.field(factory=dict)
    _ended: set[int] = classes.field(factory=set)
    _gone: set[int] = classes.field(factory=set)

    def __attrs_post_init__(self) -> None:
        self._whole = _whole(self.log)
        made = [
            (self.log[-index - 1], name, args, _number(result))
            for index, (name, args, result, _) in sorted(self._whole.items(), key=lambda item: -item[0])
            if index < 0
        ]
        first = [(line, "", "", None) for line in self.log[:1]]
        self.people = births([*first, *made])

    def records(self) -> Iterator[Record]:
        """The events."""
        for index, line in enumerate(self.log):
            yield from self._line(index, line)

    def _record(self, event: str, pid: int, **fields: object) -> Record:
        cage, tid = self.people.where(pid)
        self._n += 1
        return {"n": self._n, "event": event, "cage": cage, "tid": tid, **fields}

    def _line(self, index: int, line: Line) -> Iterator[Record]:
        if self.people.process.get(line.pid, line.pid) in self._gone:
            return
        begun, ended = self._whole.get(index), self._whole.get(-index - 1)
        signal, end = _SIGNAL.match(line.text), _ENDED.fullmatch(line.text)
        if begun is not None and _RESUMED.match(line.text) is None:
            yield from self._enter(line, begun)
        if ended is not None:
            yield from self._exit(line, ended)
        if signal:
            yield from self._signal(line, signal[1])
        elif end:
            yield from self._end(line, end[1], end[2])

    def _enter(self, line: Line, whole: tuple[str, str, str, str]) -> Iterator[Record]:
        name, args, _, _ = whole
        if name == "rt_sigreturn":
            handling = self._within.get(line.pid)
            if handling:
                yield self._record("signal", line.pid, signo=handling.pop(), action="return")
            return
        if self._n == 0 and name == "execve":
            return  # strace's own, which brings the program
        self._calls += 1
        self._open[line.pid] = self._calls
        shown = [self._named(text) for text in split(args)]
        yield self._record("enter", line.pid, call=self._calls, number=max(line.number, 0), name=name, shown=shown)

    def _named(self, text: str) -> str:
        """An argument; the ids of processes are those of cages."""
        known = self.people.cage.get(int(text)) if text.isdigit() and len(text) > 2 else None
        return text if known is None else str(known)

    def _exit(self, line: Line, whole: tuple[str, str, str, str]) -> Iterator[Record]:
        name, args, result, error = whole
        call = self._open.pop(line.pid, None)
        if name in _SPAWNS and (child := _number(result) or 0) > 0:
            cage, tid = self.people.where(child)
            yield self._record("spawn", line.pid, child=cage, child_tid=tid)
            if "CLONE_THREAD" not in args:
                here = self.people.process.get(line.pid, line.pid)
                self._handled[child] = set(self._handled.get(here, ()))
        if name == "rt_sigaction" and result == "0":
            self._disposition(line.pid, split(args))
        if call is not None:
            yield self._record("exit", line.pid, call=call, **self._result(name, result, error))
        if name == "execve" and result == "0":
            self._handled.pop(self.people.process.get(line.pid, line.pid), None)
            words = split(args)
            path = _text(words[0]) if words else ""
            argv = [_text(word) for word in split(words[1][1:-1])] if len(words) > 1 else []
            yield self._record("exec", line.pid, path=path, argv=argv)

    def _result(self, name: str, result: str, error: str) -> Record:
        value = _number(result)
        if name in _ENDS or (name == "execve" and value == 0):
            return {"ret": None}
        if value is None:
            return {}  # to be restarted: it has not come back
        if error:
            number = errno.NUMBERS.get(error)
            return {"ret": -number if number else value, "errno": error}
        if name in _PIDS and value > 0:
            cage = self.people.cage.get(self.people.process.get(value, value))
            if cage is not None:
                _, tid = self.people.where(value)
                return {"ret": tid if name in _SPAWNS and tid > 1 else cage}
        return {"ret": value - (1 << 64) if value >> 63 else value}

    def _disposition(self, pid: int, args: list[str]) -> None:
        here = self._handled.setdefault(self.people.process.get(pid, pid), set())
        if len(args) > 1 and args[1] != "NULL":
            default = "sa_handler=SIG_DFL" in args[1] or "sa_handler=SIG_IGN" in args[1]
            (here.discard if default else here.add)(args[0])

    def _signal(self, line: Line, name: str) -> Iterator[Record]:
        number = signal_number(name)
        if name in self._handled.get(self.people.process.get(line.pid, line.pid), ()):
            self._within.setdefault(line.pid, []).append(number)
            yield self._record("signal", line.pid, signo=number, action="handler")
        elif name not in _IGNORED:
            yield self._record("signal", line.pid, signo=number, action="terminate")

    def _end(self, line: Line, status: str | None, signal: str | None) -> Iterator[Record]:
        process = self.people.process.get(line.pid, line.pid)
        number = signal_number(signal) if signal else 0
        code = int(status or 0)
        yield self._record("end", line.pid, whole=False, status=code, signal=number)
        self._ended.add(line.pid)
        if not any(p == process for pid, p in self.people.process.items() if pid not in self._ended):
            self._gone.add(process)
            yield self._record("end", line.pid, whole=True, status=code, signal=number)


def _number(result: str) -> int | None:
    if result in ("?", ""):
        return None
    return int(result, 16) if result.startswith("0x") else int(result)


def _text(shown: str) -> str:
    """A string as strace shows it."""
    body = shown.strip().removesuffix("...")
    if len(body) > 1 and body[0] == body[-1] == '"':
        body = body[1:-1]
    return body


def signal_number(name: str) -> int:
    """The number of a signal's name; 0 for one that has none here."""
    found = getattr(constants, name, 0)
    if not found and name.startswith("SIGRT_"):
        return 32 + int(name[6:]) if name[6:].isdigit() else 0
    return found if isinstance(found, int) else 0


def as_trace(log: str, status: int, argv: Sequence[str]) -> bytes:
    """The log of a run that ended with ``status`` as a trace."""
    header: Record = {
        "format": FORMAT,
        "version": VERSION,
        "producer": "strace",
        "profile": "spec",
        "argv": list(argv),
        "observes": list(OBSERVES),
        "order": "global",
    }
    ending = "signal" if status > 128 else "exit"
    records = [header, *Translator(list(lines(log))).records()]
    records.append({"event": "outcome", "ending": ending, "status": status})
    return "".join(map(dump, records)).encode()
