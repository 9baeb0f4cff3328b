"""Grates in Python: what handlers can do, that they are data while they wait, and what becomes of mistakes."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from grate_scenes import GETEUID, GETPID, PIPE, READ, WRITE, of
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import GUESTS, CallStep, Recorder, World, exits, fork

import lindref
from lindref.posix import console
from lindref.profile import LIND, SPEC, Profile
from lindref.state.codec import decode, digest, encode
from lindref.state.errors import StateError
from lindref.system import state as states
from lindref.system.boot import BootError, boot, boot_script
from lindref.system.choices import Seeded
from lindref.system.events import Enter, Exit, Note, Route
from lindref.system.python import stack
from lindref.system.python.grate import NAMES, Grate, GrateError, Served
from lindref.system.python.plain import freeze, thaw
from lindref.system.runtime import Config
from lindref.system.script_runner import Pointer, ResultOf, ScriptState, StoreStep
from lindref.threei.numbers import RAWPOSIX_CAGE

GETPPID, CLOCK = 110, 228
ERROR = -536805379


def beneath(*grates: Any, steps: tuple[Any, ...], profile: Profile = SPEC, seed: int | None = None) -> World:
    """Cage 1 plays ``steps`` beneath ``grates``."""
    made: list[Recorder] = []
    system = boot_script(
        ScriptState((*steps, exits(0))),
        grates=grates,
        profile=profile,
        config=Config(),
        chooser=None if seed is None else Seeded(seed),
        observe=lambda new: made.append(Recorder(new)),
    )
    console.end_stdin(system.kernel)
    return World(system, made[0])


def notes(run: World) -> list[str]:
    return [event.text for event in run.recorder.of(Note)]


class Plus(Grate):
    """Adds to what is beneath."""

    def __init__(self, more: int = 1) -> None:
        self.more = more

    def geteuid(self, call: Served) -> int:
        return self.forward() + self.more


class Pass(Grate):
    """Passes everything on."""

    def any_call(self, call: Served) -> int:
        return self.forward()


def test_serves_forwards_and_stacks() -> None:
    """PY-1, PY-2, PY-3: the last is closest to the program; the way is in the events."""
    run = beneath(Plus(10), Plus, steps=(CallStep(GETEUID),))
    assert run.run() == 0
    assert of(run, 1, GETEUID) == [11]
    handlers = {route.call: route.handler for route in run.recorder.of(Route)}
    ways = [(e.cage, handlers[e.call]) for e in run.recorder.of(Enter) if e.number == GETEUID]
    assert ways == [(1, 3002), (3002, 3001), (3001, RAWPOSIX_CAGE)]
    registered = [e for e in run.recorder.of(Enter) if e.number == 1001]
    assert [(e.cage, e.caller, e.target, e.args[0], e.args[1][1], e.args[2][0]) for e in registered] == [
        (1, grate, grate, (1, GETEUID), grate, GETEUID) for grate in (3001, 3002)
    ]


@pytest.mark.parametrize("profile", [SPEC, LIND], ids=lambda p: p.name)
def test_program_ids_are_the_same(profile: Profile) -> None:
    """PY-1: getpid, the child's id and its parent are what they are without grates."""
    wait = CallStep(61, ((1 << 64) - 1, 0, 0))
    steps = (fork((CallStep(GETPID), CallStep(GETPPID), exits(3))), wait, CallStep(GETPID))
    alone = beneath(steps=steps, profile=profile)
    stacked = beneath(Pass, Pass, steps=steps, profile=profile)
    alone.run()
    stacked.run()
    for cage in (1, 2):
        assert [e.name for e in alone.recorder.of(Enter) if e.cage == cage] == [
            e.name for e in stacked.recorder.of(Enter) if e.cage == cage and e.number != 1001
        ]
        assert of(alone, cage, GETPID, GETPPID, 56, 61) == of(stacked, cage, GETPID, GETPPID, 56, 61)


class Bytes(Grate):
    """Looks at the bytes of a write, and shouts."""

    def write(self, call: Served, fd: int, data: int, count: int) -> int:
        text = self.read_bytes(data, count)
        done = self.forward(..., self.place(text.upper()))
        self.write_bytes(data, b"seen!")
        return done


def test_memory_of_the_caller() -> None:
    """What is read before the wait is what the handler knows after it; what it writes is written once (PY-4)."""
    run = beneath(
        Bytes,
        steps=(StoreStep(512, b"hello"), CallStep(WRITE, (1, Pointer(512), 5)), CallStep(WRITE, (1, Pointer(512), 5))),
    )
    run.run()
    assert run.out == b"HELLOSEEN!"
    inner = [e for e in run.recorder.of(Enter) if e.number == WRITE and e.cage == 3001]
    assert [(e.target, [cage for _, cage in e.args[:3]]) for e in inner] == [(1, [1, 1, 1])] * 2


class Noisy(Grate):
    """Every question there is."""

    def geteuid(self, call: Served) -> int:
        self.state["calls"] = self.state.get("calls", 0) + 1
        mine = self.cage_state(call.caller)
        mine["drawn", 1] = (*mine.get(("drawn", 1), ()), self.random(4), self.choose(3), self.now())
        before = len(self.state)
        pid = self.call("getpid", target=call.caller)
        self.state["pid"] = pid
        assert before + 1 >= len(self.state) >= before
        del self.state["pid"]
        self.print(f"{call.name} {sorted(self.state)}\n")
        return self.state["calls"]


def test_every_state_on_the_way_goes_on_alike() -> None:
    """PY-4, STATE-1: from any turn, frozen, written, read and thawed, the run goes on to the same end."""
    run = beneath(Noisy, Plus(5), steps=(CallStep(GETEUID), CallStep(GETEUID)), seed=4)
    states_seen = [states.freeze(run.system)]
    while run.system.step():
        states_seen.append(states.freeze(run.system))
    assert len({digest(s) for s in states_seen}) == len(states_seen)
    last = digest(states.freeze(run.system))
    assert of(run, 1, GETEUID) == [6, 7]
    assert console.output(run.system.kernel, console.STDERR) == b"geteuid ['calls']\n" * 2
    for seen in states_seen:
        again = decode(encode(seen))
        assert digest(again) == digest(seen)
        other = states.thaw(again, chooser=Seeded(4))
        Recorder(other)
        other.run()
        assert digest(states.freeze(other)) == last


class Reader(Grate):
    """Counts what is read, across a wait."""

    def read(self, call: Served, fd: int, buffer: int, count: int) -> int:
        self.state["waiting"] = self.state.get("waiting", 0) + 1
        got = self.forward()
        self.state["waiting"] = self.state["waiting"] - 1
        self.state["bytes"] = self.state.get("bytes", 0) + max(got, 0)
        return got


def test_waits_of_two_cages_interleave() -> None:
    """Two handlers wait at once; each goes on with what it had asked, and both see what is kept now (PY-4, PY-6)."""
    child = (CallStep(READ, (3, Pointer(900), 1)), exits(0))
    steps = (
        CallStep(PIPE, (Pointer(256),)),
        fork(child),
        fork(child),
        CallStep(24),
        CallStep(24),
        CallStep(24),
        StoreStep(512, b"abcd"),
        CallStep(WRITE, (4, Pointer(512), 4)),
        CallStep(61, ((1 << 64) - 1, 0, 0)),
        CallStep(61, ((1 << 64) - 1, 0, 0)),
    )
    for seed in (None, 1, 2, 3):
        run = beneath(Reader, steps=steps, seed=seed)
        run.run()
        assert of(run, 2, READ) == of(run, 3, READ) == [1]
        assert dict(stack.outside(run.system, 3001).state) == {"waiting": 0, "bytes": 2}


class Family(Grate):
    """Keeps a name for each cage."""

    def cage_born(self, cage: int, parent: int) -> None:
        mine = self.cage_state(cage)
        mine["line"] = (*mine.get("line", ()), cage)
        self.state["born"] = (*self.state.get("born", ()), (cage, parent))

    def cage_died(self, cage: int) -> None:
        self.state["died"] = (*self.state.get("died", ()), self.cage_state(cage)["line"])

    def getpid(self, call: Served) -> int:
        mine = self.cage_state(call.caller)
        mine["calls"] = mine.get("calls", 0) + 1
        return mine["calls"]


def test_what_is_kept_of_a_cage() -> None:
    """PY-6: a child begins with its parent's, and what it then changes is its own."""
    wait = CallStep(61, ((1 << 64) - 1, 0, 0))
    grandchild = (CallStep(GETPID), exits(0))
    child = (CallStep(GETPID), fork(grandchild), wait, CallStep(GETPID), exits(0))
    run = beneath(Family, steps=(CallStep(GETPID), fork(child), wait, CallStep(GETPID)))
    run.run()
    assert [of(run, cage, GETPID) for cage in (1, 2, 3)] == [[1, 2], [2, 3], [3]]
    kept = stack.outside(run.system, 3001).state
    assert kept["born"] == ((1, 0), (2, 1), (3, 2))
    assert kept["died"] == ((1, 2, 3), (1, 2), (1,))
    assert not len(run.system.grates[3001].cages)


COUNT = [0]


class Fickle(Grate):
    """Depends on what it should not."""

    def geteuid(self, call: Served) -> int:
        COUNT[0] += 1
        self.call("getuid" if COUNT[0] % 2 else "getgid")
        return 0


class Forgetful(Grate):
    def geteuid(self, call: Served) -> int:
        COUNT[0] += 1
        return self.call("getuid") if COUNT[0] % 2 else 1


class Swallows(Grate):
    def geteuid(self, call: Served) -> int:
        try:
            self.call("getuid")
        except BaseException:  # noqa: BLE001
            return 4
        return 5


class Raises(Grate):
    def geteuid(self, call: Served) -> int:
        self.call("getuid")
        return {}["no such key"]  # type: ignore[no-any-return]


class Nothing(Grate):
    def geteuid(self, call: Served) -> int:
        self.forward()  # the author forgot to return it
        return None  # type: ignore[return-value]


class Keeps(Grate):
    def geteuid(self, call: Served) -> int:
        self.state["me"] = self
        return 0


class Sets(Grate):
    def geteuid(self, call: Served) -> int:
        self.count = 1
        return 0


class InPlace(Grate):
    def geteuid(self, call: Served) -> int:
        self.state["list"] = [1]
        self.state["list"].append(2)
        return 0


class Forks(Grate):
    def geteuid(self, call: Served) -> int:
        return self.call("clone", self.buffer(88))


@pytest.mark.parametrize(
    ("grate", "said"),
    [
        (Fickle, "trap: not deterministic: run again, it did getgid() for cage "),
        (Forgetful, "trap: not deterministic: run again, it ended where it had done getuid() for cage "),
        (Swallows, "trap: it caught what ends a wait (a bare except?) in Swallows.geteuid"),
        (Raises, "trap: KeyError: 'no such key' in Raises.geteuid (test_python_grates.py:"),
        (Nothing, "trap: TypeError: geteuid returned nothing, not a whole number (a forgotten `return`?)"),
        (Keeps, "trap: NotPlain: the value of 'me': a Keeps is no plain data"),
        (Sets, "trap: AttributeError: count: a grate's attributes are fixed once it is made"),
        (InPlace, "trap: AttributeError: 'tuple' object has no attribute 'append'"),
    ],
)
def test_mistakes_are_outcomes(grate: type[Grate], said: str) -> None:
    """PY-5, PY-7, PY-8: one line with the place, an error for the caller, and the grate goes on."""
    COUNT[0] = 0
    run = beneath(grate, steps=(CallStep(GETEUID), CallStep(GETPID)))
    assert run.run() == 0
    assert of(run, 1, GETEUID, GETPID) == [ERROR, 1]
    assert len(notes(run)) == 1
    assert notes(run)[0].startswith(said), notes(run)
    assert "\n" not in notes(run)[0]


def test_a_grate_that_forks_itself() -> None:
    """The child has no grate in it and traps; the grate itself goes on (PY-8)."""
    run = beneath(Forks, steps=(CallStep(GETEUID),))
    assert run.run() == 0
    assert of(run, 1, GETEUID) == [2]
    assert notes(run) == ["trap: a grate in Python cannot fork itself or make threads"]


class Looks(Grate):
    def getuid(self, call: Served) -> int:
        return len(self.read_bytes(call.args[1].value, 4))

    def geteuid(self, call: Served) -> int:
        try:
            self.write_int(0, 1)
        except lindref.BadAddress:
            return -errno.ENOTTY
        return 0


def test_bad_addresses() -> None:
    """PY-8: EFAULT, unless the handler says otherwise."""
    run = beneath(Looks, steps=(CallStep(102, (0, 12345)), CallStep(102, (0, Pointer(0))), CallStep(GETEUID)))
    run.run()
    assert of(run, 1, 102, GETEUID) == [-errno.EFAULT, 4, -errno.ENOTTY]


class Hooked(Grate):
    def cage_born(self, cage: int, parent: int) -> None:
        if parent:
            self.call("getpid")
        self.tell(f"born {cage}")


def test_hooks_cannot_wait() -> None:
    """PY-6, PY-8: a hook that tries is told so, and the run goes on."""
    run = beneath(Hooked, steps=(fork((exits(0),)), CallStep(61, ((1 << 64) - 1, 0, 0))))
    assert run.run() == 0
    assert notes(run) == [
        "born 1",
        "Hooked.cage_born: RuntimeError: getpid: only a handler can make calls, a hook cannot wait",
    ]


def test_classes_that_are_no_grates() -> None:
    """What is wrong with a class is said when it is made, not in the run."""
    with pytest.raises(GrateError, match=r"^Wide.geteuid: takes 3 arguments of the call, geteuid has 0"):
        type("Wide", (Grate,), {"geteuid": lambda self, call, a, b, c: 0})
    with pytest.raises(GrateError, match="a handler takes self and the call"):
        type("Narrow", (Grate,), {"read": lambda self: 0})
    with pytest.raises(GrateError, match="must be a plain method"):
        type("Value", (Grate,), {"open": 7})
    with pytest.raises(GrateError, match=r"@serves\('unlnk'\): there is no such call"):
        lindref.serves("unlnk")
    holder = Plus()
    holder.more = open  # type: ignore[assignment]
    with pytest.raises(GrateError, match=r"Plus\.more: an attribute of a grate: a builtin_function"):
        stack.seal(holder)
    with pytest.raises(RuntimeError, match="a grate acts only in a run"):
        _ = Plus().state


def test_names_of_calls_are_free() -> None:
    """A call can have the name of no method that the base class offers."""
    assert not set(NAMES) & set(dir(Grate))


plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.tuples(inner, inner) | st.frozensets(st.integers()) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(plain_values)
def test_plain_data_survive(value: object) -> None:
    """PY-7: what is put in comes out equal, and survives being written."""
    frozen = freeze(value)
    assert thaw(frozen) == value
    assert digest(decode(encode(frozen))) == digest(frozen)


def test_saved_states_import_nothing() -> None:
    """PY-7: a class that nobody imported is named, not fetched."""
    run = beneath(Plus, steps=(CallStep(GETEUID),))
    grate = run.system.grates[3001]
    for name in ("os:system", "lindref.grates.nowhere:X", "antigravity:X"):
        with pytest.raises(StateError, match="import its module"):
            stack.remake(type(grate.recipe)(name, grate.recipe.attributes))


def test_backwards() -> None:
    """A session goes back over a grate's turns, and forth again to the same."""
    system = lindref.boot("/app.wasm", root=str(GUESTS / "grate_geteuid"), grates=[Noisy, Plus(7)], max_ticks=1_000_000)
    while system.step():
        pass
    whole = [repr(event) for event in system.trace]
    state = dict(system.grates[3001].state)
    for _ in range(12):
        assert system.back()
    while system.step():
        pass
    assert [repr(event) for event in system.trace] == whole
    assert dict(system.grates[3001].state) == state == {"calls": 1}
    assert system.stdout == b"app: getuid 0, geteuid 8\n"


def test_mixed_with_wasm() -> None:
    """PY-9: over, between and beneath wasm grates, in the order of the stack."""
    folder = GUESTS / "grate_geteuid"
    for grates, euid, way in (
        ([Plus(1), "grate.wasm"], 1000, [2, 1]),
        (["grate.wasm", Plus(1)], 1001, [2, 3001, 1]),
        (["grate.wasm", Plus(1), "grate.wasm", Plus(2)], 1002, [3, 3002, 2]),
    ):
        events: list[Any] = []
        system = lindref.boot("app.wasm", root=str(folder), grates=grates)
        system.run()
        events = list(system.trace)
        app = [e for e in events if isinstance(e, Enter) and e.name == "geteuid" and not e.within]
        mine = next(e for e in app if e.cage == way[0])
        result = next(e.result for e in events if isinstance(e, Exit) and e.call == mine.call)
        handler = next(e.handler for e in events if isinstance(e, Route) and e.call == mine.call)
        assert (result, handler) == (euid, way[1])
        assert f"geteuid {euid}\n".encode() in system.stdout
        if way[1] > 3000:
            inner = next(e for e in events if isinstance(e, Enter) and e.within == mine.call)
            served = next(e.handler for e in events if isinstance(e, Route) and e.call == inner.call)
            assert served == way[2]


@pytest.mark.parametrize("name", ["grate_nested", "grate_stacked", "grate_blocking", "grate_fork_exec"])
def test_wasm_grates_over_a_pass_through(name: str) -> None:
    """What wasm grates show is the same over a grate that passes everything on."""
    from lindref.guest.build_guests import load_guest

    guest = load_guest(GUESTS / name)
    system = boot("/" + guest.argv[0], guest.argv[1:], root=guest.folder, env=guest.env, grates=[Pass])
    console.end_stdin(system.kernel)
    outcome = system.run()
    assert (console.output(system.kernel, 1).decode(), outcome.status) == (guest.stdout, guest.exit_status)


WANT = "want MODULE:CLASS, FILE.py:CLASS, or the file of a wasm grate"
NO_GRATE = "no grate, it exports no pass_fptr_to_wt (lindref cc --grate, lind_syscall.h)"


@pytest.mark.parametrize(
    ("grates", "said"),
    [
        (["nowhere_at_all:X"], "nowhere_at_all:X: there is no module 'nowhere_at_all'"),
        (["os:path"], "os:path: path is no class"),
        (["os:nothing"], "os:nothing: os has no class nothing"),
        (["decimal:Decimal"], "decimal:Decimal: Decimal is no grate, it does not derive from lindref.Grate"),
        (["justaname"], f"'justaname': {WANT}"),
        (["./name:X"], f"./name:X: './name' is no name of a module; {WANT}"),
        (["no.py:X"], "no.py:X: no.py: No such file or directory"),
        (["some.py"], f"'some.py': {WANT}"),
        ([Grate], "lindref.Grate is what grates derive from, and serves no call itself"),
        (["lindref.grates.group:Group", "%{"], "%{ without %}"),
        (["%{", "%}"], "%{ begins the group of the grate before it, and there is none"),
        ([Pass, "%{", "%}"], "%{ begins the group of the grate before it, and Pass has none"),
        (["app.wasm"], f"app.wasm: {NO_GRATE}"),
        (["grate.wasm", "app.wasm"], f"app.wasm: {NO_GRATE}"),
        (["%}"], "%} without %{"),
        ([3], "3 is no grate"),
        (["nowhere.wasm"], "nowhere.wasm: No such file or directory in the root"),
    ],
)
def test_stacks_that_are_none(grates: list[Any], said: str) -> None:
    with pytest.raises(BootError) as caught:
        boot("app.wasm", root=GUESTS / "grate_geteuid", grates=grates)
    assert str(caught.value) == said


def test_results_of_steps_reach_through() -> None:
    """A call's result can be an argument of the next, whoever served it."""
    run = beneath(Plus(2), steps=(CallStep(GETEUID), CallStep(3, (ResultOf(0),))))
    run.run()
    assert of(run, 1, 3) == [0]


class Elsewhere(Grate):
    """Opens another file."""

    def open(self, call: Served, path: int) -> int:
        return self.forward("/else")


class PassesOn(Grate):
    """Looks at the name, and passes the call on."""

    def open(self, call: Served, path: int) -> int:
        self.state["name"] = self.read_string(path)
        return self.forward()


def test_a_rewritten_path_goes_through_the_grates_beneath() -> None:
    """ABI-8: what lies in the memory of a grate nearer to the cage means something to RawPOSIX when one farther away
    passes the call on, be it two grates farther."""
    from lindref.testing import Script

    script = Script()
    script.call("open", "/name", 0, 0)
    played = script.play(PassesOn, PassesOn, Elsewhere, files={"/else": b"x"})
    assert played.results("open") == [3]
    assert [grate.state.get("name") for grate in played.grates.values()] == ["/else", "/else", None]
