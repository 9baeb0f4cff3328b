"""Grates in Python over the calls that make, change and end cages, and over calls that wait (PY-4, PY-6)."""

from __future__ import annotations

import pytest

import lindref
from lindref import Address, Fd, Grate, Served
from lindref.guest.build_guests import GUESTS, load_guest
from lindref.posix import errno
from lindref.system.session import System
from lindref.testing import Script

ANY = (1 << 64) - 1


class Looks(Grate):
    """Passes on what makes, changes and ends cages and maps memory, and counts it by cage."""

    @lindref.serves("clone", "execve", "exit_group", "exit", "mmap", "munmap", "wait4")
    def passed(self, call: Served) -> int:
        mine = self.cage_state(call.caller)
        mine[call.name] = mine.get(call.name, 0) + 1
        self.state["last"] = call.name
        return self.forward()

    def cage_born(self, cage: int, parent: int) -> None:
        self.state["told"] = (*self.state.get("told", ()), f"{cage} of {parent}")

    def cage_execed(self, cage: int, path: str) -> None:
        self.state["told"] = (*self.state.get("told", ()), f"{cage} runs {path}")

    def cage_died(self, cage: int) -> None:
        calls = "+".join(f"{name}:{count}" for name, count in sorted(self.cage_state(cage).items()))
        self.state["told"] = (*self.state.get("told", ()), f"{cage} did {calls}")


def guest(name: str, *grates: object, profile: str = "spec") -> System:
    """A guest in its own folder, to its end."""
    known = load_guest(GUESTS / name)
    options = {"env": dict(known.env), "profile": profile, "max_ticks": 50_000_000}
    system = lindref.boot(known.argv[0], list(known.argv[1:]), root=str(known.folder), grates=grates, **options)
    system.run()
    assert (system.stdout.decode(), system.exit_status) == (
        known.stdout if profile == "spec" else known.stdout_as_recorded(),
        known.exit_status,
    )
    return system


@pytest.mark.parametrize("profile", ["spec", "lind"])
def test_birth_exec_and_death(profile: str) -> None:
    """The hooks come in order; the last still has what was kept of the cage, which began as its parent's."""
    told = guest("grate_fork_exec", Looks, profile=profile).grates[3001].state["told"]
    assert told == (
        *("1 of 0", "1 runs grate.wasm", "2 of 1", "2 runs app.wasm", "3 of 2", "3 runs /new.wasm"),
        *("3 did clone:2+execve:2+exit_group:1+mmap:3", "4 of 2", "4 did clone:3+execve:2+exit_group:1+mmap:2+wait4:1"),
        *("2 did clone:3+execve:1+exit_group:1+mmap:2+wait4:2", "1 did clone:1+exit_group:1+mmap:1+wait4:1"),
    )


class Forks(Grate):
    """Answers fork in its own way."""

    def __init__(self, answer: int, beneath: bool = True) -> None:
        self.answer = answer
        self.beneath = beneath

    def clone(self, call: Served) -> int:
        if self.beneath:
            self.forward()
        return self.answer


@pytest.mark.parametrize(
    ("answer", "beneath", "seen"),
    [(77, True, 77), (-errno.EAGAIN, True, 2), (0, True, 2), (-errno.EAGAIN, False, -errno.EAGAIN), (5, False, 5)],
)
def test_fork_as_a_grate_has_it(answer: int, beneath: bool, seen: int) -> None:
    """3I-GRATE-7: a positive answer is the parent's; where there is a child, no other hides it."""
    script, child = Script(), Script()
    child.call("getpid")
    script.fork(child, wait=False)
    script.call("wait4", ANY, 0, 0)
    played = script.play(Forks(answer, beneath))
    assert played.results("clone") == [seen]
    assert played.results("getpid", cage=2) == ([2] if beneath else [])
    assert played.results("wait4") == [2 if beneath else -errno.ECHILD]


class Elsewhere(Grate):
    """Another program than was asked for."""

    def __init__(self, program: str) -> None:
        self.program = program

    def execve(self, call: Served, path: Address) -> int:
        self.state["asked"] = self.read_string(path)
        return self.forward(self.program)


class Never(Grate):
    """Neither ends nor maps anything for the program."""

    def exit_group(self, call: Served) -> int:
        self.state["refused"] = self.state.get("refused", 0) + 1
        return -errno.EPERM

    def mmap(self, call: Served) -> int:
        self.state["mapped"] = self.state.get("mapped", 0) + 1
        return -errno.ENOMEM if self.state["mapped"] > 1 else self.forward()


def test_exec_of_another_program() -> None:
    """A path that the grate puts in goes the whole way: what runs then is that program."""
    script = Script()
    script.call("execve", "/absent", 0, 0)
    played = script.play(Elsewhere("/other.wasm"), files={"/other.wasm": (GUESTS / "hello" / "main.wasm").read_bytes()})
    assert played.stdout.startswith(b"hello, world")
    assert played.grates[3001].state["asked"] == "/absent"


def test_a_program_that_may_not_end_or_map() -> None:
    """Its end is the program's all the same (LOAD-2), and a mapping that is refused is refused."""
    script = Script()
    script.call("mmap", 0, 65536, 3, 0x22, ANY, 0)
    script.call("mmap", 0, 65536, 3, 0x22, ANY, 0)
    script.call("exit_group", 0)
    script.call("getpid")
    played = script.play(Never)
    first, second = played.results("mmap")
    assert first is not None
    assert first % 4096 == 0
    assert second == -errno.ENOMEM
    assert played.results("exit_group")[0] == -errno.EPERM
    assert played.results("getpid") == [1]


class Relay(Grate):
    """A read that waits for all: what is in memory before, between and after, and a word about each wait."""

    def read(self, call: Served, fd: Fd, buffer: Address, count: int) -> int:
        seen = [self.read_bytes(buffer, count)]
        self.write_bytes(buffer, b"-" * count)
        done = 0
        while done < count:
            done += self.forward(..., buffer + done, count - done)
            seen.append(self.read_bytes(buffer, count))
            self.print(f"{done} ")
        self.state["seen"] = tuple(seen)
        self.write_bytes(buffer, seen[-1].upper())
        return done


@pytest.mark.parametrize("seed", [None, 1, 2, 3, 4])
def test_a_handler_that_waits_again_and_again(seed: int | None) -> None:
    """PY-4: each wait is answered by what came meanwhile; memory is read once where it stood, and written once."""
    script, child = Script(), Script()
    ends, room = script.buffer(8), script.put(b"....")
    script.call("pipe", ends)
    child.call("read", 3, room, 4)
    child.call("write", 1, room, 4)
    script.fork(child, wait=False)
    script.call("write", 4, b"ab", 2)
    script.call("sched_yield")
    script.call("write", 4, b"cd", 2)
    script.call("wait4", ANY, 0, 0)
    played = script.play(Relay, seed=seed)
    seen = played.grates[3001].state["seen"]
    steps = [int(word) for word in played.stderr.split()]
    assert played.results("read", cage=2) == [4]
    assert played.stdout == b"ABCD"
    assert seen == (b"....", *(b"abcd"[:done] + b"-" * (4 - done) for done in steps))
    assert played.notes == []
    if seed is None:
        assert steps == [2, 4]


class Wrong(Grate):
    """What a handler may not answer with."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def getpid(self, call: Served) -> int:
        answers = {"text": "7", "float": 7.0, "pair": (1, 2), "generator": iter(()), "true": True, "large": 2**40 + 5}
        return answers[self.kind]  # type: ignore[return-value]


@pytest.mark.parametrize("kind", ["text", "float", "pair", "generator"])
def test_answers_of_another_type(kind: str) -> None:
    """PY-8: the caller gets an error, whoever runs this one line, and the run goes on."""
    script = Script()
    script.call("getpid")
    script.call("getppid")
    played = script.play(Wrong(kind))
    assert played.results("getpid", "getppid") == [-536805379, 1]
    (note,) = played.notes
    assert note.startswith("trap: TypeError: getpid returned a ")


def test_answers_that_are_numbers() -> None:
    """True is 1; of a number that is too large the low 32 bits are what C would return."""
    script = Script()
    script.call("getpid")
    assert script.play(Wrong("true")).results("getpid") == [1]
    assert script.play(Wrong("large")).results("getpid") == [5]
