"""Random scripts of calls, over the whole call table, with forks, threads, signals and grates; each seed is one.

They are so made that what they show does not depend on who is first: a parent waits for its child before it goes on, a
thread is joined, calls do not wait. So one observation of the model is the only one that is right, as far as the
specification settles it; where some step shows what it leaves open, the verdict looks at other schedules.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from lindref.conformance.scripts.arguments import GIVES_TWO, Known, build
from lindref.conformance.vectors.model import Vector
from lindref.posix.params import CallRow, ReturnKind
from lindref.posix.table import CALLS, NUMBERS
from lindref.threei.numbers import REGISTER_HANDLER

#: What a script is about; a seed's is its number modulo how many there are.
SUBJECTS = ("files", "memory", "pipes", "sockets", "family", "threads", "signals", "grate", "any")

_BY_SUBJECT: dict[str, tuple[str, ...]] = {
    "files": tuple(
        "open read write lseek close stat fstat lstat pread64 pwrite64 readv writev access dup dup2 dup3 fcntl flock "
        "fsync fdatasync truncate ftruncate getcwd chdir fchdir rename mkdir rmdir link unlink symlink readlink chmod "
        "fchmod chown lchown mknod openat fchownat newfstatat unlinkat renameat symlinkat readlinkat fchmodat "
        "faccessat renameat2 copy_file_range getdents64 utimensat sync_file_range setxattr listxattr preadv "
        "pwritev".split()
    ),
    "memory": tuple("mmap mprotect munmap brk shmget shmctl futex open write read".split()),
    "pipes": tuple("pipe2 read write close dup dup2 fcntl fstat poll select readv writev ioctl lseek".split()),
    "sockets": tuple(
        "socket socketpair bind listen connect getsockname getpeername shutdown setsockopt getsockopt sendto recvfrom "
        "close poll read write epoll_create1 epoll_ctl epoll_wait".split()
    ),
    "family": tuple("open read write lseek close dup getpid getppid pipe2 fcntl unlink mkdir".split()),
    "threads": tuple("open read write lseek close dup getpid pipe2 fcntl unlink futex".split()),
    "signals": tuple("rt_sigprocmask getpid open close kill sched_yield".split()),
    "grate": tuple("open read write lseek close dup getpid geteuid getuid unlink mkdir access fcntl".split()),
}
#: Calls that would end the script, wait, or show nothing that is the same twice.
_NEVER = frozenset({
    *("exit", "exit_group", "execve", "clone", "wait4", "rt_sigsuspend", "accept", "accept4", "recvmsg", "sendmsg"),
    *("shmat", "shmdt", "setitimer", "rt_sigaction", "epoll_create", "pipe", "clock_nanosleep", "getrandom", "statfs"),
    *("fstatfs", "prlimit64", "clock_gettime"),
})  # fmt: skip
_ANY = tuple(row.name for row in CALLS.values() if row.name not in _NEVER)
_FILES = (
    {"path": "/w/a", "type": "file", "mode": "0644", "text": "hello, world"},
    {"path": "/w/d", "type": "dir", "mode": "0755"},
    {"path": "/w/d/e", "type": "file", "mode": "0600", "text": "x"},
    {"path": "/w/l", "type": "symlink", "target": "a"},
)


def script(seed: int, size: int = 12) -> Vector:
    """The script that a seed stands for, of about ``size`` calls."""
    maker = _Maker(random.Random(f"script/{seed}"))
    subject = SUBJECTS[seed % len(SUBJECTS)]
    programs = maker.grate(size) if subject == "grate" else {"main": maker.program(subject, size)}
    return Vector(
        id=f"{subject}.{seed}",
        about=f"generated script about {subject}",
        files=list(_FILES),
        programs=programs,
        tags=(),
        lind={},
    )


def callable_names() -> tuple[str, ...]:
    """The calls that scripts make of themselves: all but those that end them, wait, or never show the same twice."""
    return _ANY


def about_call(name: str, seed: int = 0, tries: int = 8) -> Vector:
    """A script that makes one call with many kinds of arguments, after others that give it something to be about."""
    maker = _Maker(random.Random(f"arguments/{name}/{seed}"))
    steps = []
    for before in ("open", "pipe2", "socketpair"):
        steps += maker.call(CALLS[NUMBERS[before]])
    for _ in range(tries):
        steps += maker.call(CALLS[NUMBERS[name]])
    about = f"arguments of {name}"
    return Vector(f"arguments.{name}", about, list(_FILES), {"main": {"steps": steps}}, (), {})


class _Maker:
    """Makes steps; their names are numbered through the script."""

    def __init__(self, source: random.Random) -> None:
        self.known = Known(source)
        self.count = 0
        self.cells = 0

    def step(self, op: str, /, **fields: Any) -> dict[str, Any]:
        """A step with the next name."""
        self.count += 1
        return {"id": f"s{self.count}", "op": op, **fields}

    # Calls.

    def call(self, row: CallRow) -> list[dict[str, Any]]:
        """A call, with what comes before it and what it brings."""
        built = build(row, self.known)
        steps = [self.step(one.pop("op"), **one) for one in built.before]
        call = self.step("call", n=row.number, name=row.name, args=built.args)
        if built.dump:
            call["dump"] = built.dump
        if row.returns is ReturnKind.ADDRESS or row.name == "shmget":
            call["ret_as"] = "shape"
        after: list[dict[str, Any]] = []
        if row.number in GIVES_TWO:
            after = self._two(call)
        elif row.returns is ReturnKind.FD:
            self.known.descriptors.append({"res": [call["id"], 0]})
        elif row.name == "shmget":
            self.known.segments.append({"res": [call["id"], 0]})
        return [*steps, call, *after]

    def _two(self, call: dict[str, Any]) -> list[dict[str, Any]]:
        """A call that writes two descriptors: to cells of their own. The steps after it see to it that they are none
        where it failed: what is there then is left open.
        """
        cell = [8 + self.cells // 1000, 8 * (self.cells % 1000)]
        self.cells += 1
        call["args"][3 if call["name"] == "socketpair" else 0] = {"buf": cell}
        call.pop("dump", None)
        self.known.descriptors += [{"i32": [cell[0], cell[1] + 4 * end]} for end in (0, 1)]
        none = self.step("put", at={"buf": cell}, width=8, value=-1)
        return [self.step("ifeq", a={"res": [call["id"], 0]}, b=0, then=[], **{"else": [none]})]

    def calls(self, subject: str, count: int) -> list[dict[str, Any]]:
        """Some calls about a subject."""
        names = _BY_SUBJECT.get(subject, _ANY)
        out = []
        for _ in range(count):
            name = self.known.source.choice(names)
            out += self.call(CALLS[NUMBERS[name]])
        return out

    # Programs.

    def program(self, subject: str, size: int) -> dict[str, Any]:
        """A program about a subject."""
        match subject:
            case "family":
                return {"steps": self._family(size)}
            case "threads":
                return {"steps": self._threads(size)}
            case "signals":
                return self._signals(size)
            case _:
                return {"steps": self.calls(subject, size)}

    def _family(self, size: int, depth: int = 2) -> list[dict[str, Any]]:
        """Calls, then a child that does some, and what is left afterwards."""
        third = max(size // 3, 1)
        steps = self.calls("family", third)
        before = list(self.known.descriptors)
        child = self._family(third, depth - 1) if depth and self.known.chance(40) else self.calls("family", third)
        self.known.descriptors = before  # what a child opens is its own
        steps.append(self.step("fork", child=child, exit=[231, self.known.pick((0, 7, 255, 256))]))
        dump = [{"at": {"buf": [2, 0]}, "len": 4, "as": "i32"}]
        steps.append(self.step("call", n=61, name="wait4", args=[-1, {"buf": [2, 0]}, 0], dump=dump))
        return steps + self.calls("family", third)

    def _threads(self, size: int) -> list[dict[str, Any]]:
        """Calls of threads, one after the other."""
        third = max(size // 3, 1)
        steps = self.calls("threads", third)
        for slot in range(1 + self.known.chance(40)):
            steps.append(self.step("thread", slot=slot, steps=self.calls("threads", third)))
            steps.append(self.step("join", slot=slot))
        return steps + self.calls("threads", third)

    def _signals(self, size: int) -> dict[str, Any]:
        """Handlers that note what they get, masks, and signals to oneself."""
        steps = []
        signals = (10, 12, 14)
        for number in signals:
            how = self.known.pick(("record", "ignore"))
            mask = self.known.pick((0, 1 << 9, 1 << 11))
            steps.append(self.step("sigaction", sig=number, handler=how, slot=number, flags=0, mask=mask))
        for _ in range(max(size // 3, 1)):
            steps += self.calls("signals", 1)
            steps.append(self.step("call", n=62, name="kill", args=["self", self.known.pick(signals)]))
            steps.append(self.step("call", n=24, name="sched_yield", args=[]))
        steps.append(self.step("siglog", clear=True))
        slots = {str(number): self.calls("signals", 1) for number in signals if self.known.chance(40)}
        return {"steps": steps, "sighandlers": slots}

    def grate(self, size: int) -> dict[str, Any]:
        """A grate that sees some calls of the program beneath it: it counts, and passes them on or answers itself."""
        me = self.step("call", n=39, name="getpid", args=[])
        child = [self.step("call", n=39, name="getpid", args=[])]
        handlers: dict[str, Any] = {}
        names = self.known.source.sample(_BY_SUBJECT["grate"], 3)
        for slot, name in enumerate(names, 1):
            number = NUMBERS[name]
            child.append(self._registers(me["id"], child[0]["id"], number, slot))
            handlers[str(slot)] = self._handler(number, name)
        child += self._execs("/prog/app")
        dump = [{"at": {"buf": [2, 0]}, "len": 4, "as": "i32"}]
        ends = [
            self.step("fork", child=child, exit=[231, 0]),
            self.step("call", n=61, name="wait4", args=[-1, {"buf": [2, 0]}, 0], dump=dump),
            self.step("dump", dump=[{"at": {"buf": [14, 0]}, "len": 32, "as": "u64"}]),
        ]
        return {
            "main": {"steps": [me, *ends], "handlers": handlers},
            "app": {"steps": self.calls("grate", max(size // 2, 3))},
        }

    def _registers(self, me: str, target: str, number: int, slot: int) -> dict[str, Any]:
        grate: Any = {"res": [me, 0]}
        pairs: Sequence[Any] = [[{"res": [target, 0]}, number], ["unused", grate], [slot, "unused"]]
        return self.step("call3i", n=REGISTER_HANDLER, name="register_handler", self=grate, target=grate, pairs=pairs)

    def _handler(self, number: int, name: str) -> list[dict[str, Any]]:
        steps = [self.step("add", at={"buf": [14, 8 * self.known.pick((0, 1, 2, 3))]}, value=1)]
        if self.known.chance(30):
            answer = self.known.pick((-13, 0, 7, -1))
            return [*steps, self.step("return", value=answer)]
        pairs = [[{"harg": k}, {"hcage": k}] for k in range(1, 7)]
        passed = self.step("call3i", n=number, name=name, self="own", target={"hcage": 1}, pairs=pairs)
        return [*steps, passed, self.step("return", value={"res": [passed["id"], 0]})]

    def _execs(self, path: str) -> list[dict[str, Any]]:
        argv, envp = {"buf": [13, 0]}, {"buf": [13, 16]}
        return [
            self.step("put", at=argv, width=8, value={"str": path}),
            self.step("put", at={"buf": [13, 8]}, width=8, value=0),
            self.step("put", at=envp, width=8, value=0),
            self.step("call", n=59, name="execve", args=[{"str": path}, argv, envp]),
        ]
