"""Both players carry out what a script says, and see the same of it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vector_worlds import call, vector

from lindref.conformance.resources import folder
from lindref.conformance.vectors import bytecode, cage, image
from lindref.conformance.vectors.model import VectorError
from lindref.conformance.vectors.play import play, prepare
from lindref.guest.build_guests import PUPPET, build_puppet
from lindref.guest.toolchain import GuestBuildError, find_toolchain
from lindref.profile import LIND, SPEC
from lindref.system.wasm_runner import WasmRunner
from lindref.wasm.binary.decoder import decode
from lindref.wasm.sections import producers

GETPID, WRITE, MMAP, PIPE, GETUID, WAIT = 39, 1, 9, 22, 102, 61


def both(*steps, profile=LIND, **program):
    """What a script shows, the same with either player."""
    one = vector(*steps, **program)
    direct, caged = play(one, profile), cage.play(one, profile)
    assert direct == caged
    return direct


def rets(observation):
    return {entry["step"]: entry.get("ret") for entry in observation["log"]}


def step(name, op, **fields):
    return {"id": name, "op": op, **fields}


def test_the_puppet_is_a_guest():
    """Nothing of the cage player's run is carried out by anything but wasm."""
    system = cage.CageSystem(vector(call("s1", GETPID)), LIND)
    prepare(system, vector(call("s1", GETPID)))
    seen = set()
    while system.step():
        seen |= {type(thread.runner) for thread in system.threads.values()}
    assert WasmRunner in seen and len(seen - {WasmRunner}) <= 1  # and the one that waits for its image
    assert system.ticks > 10


VALUES = [
    (5, 5),
    (-1, -1),
    (1 << 63, -(1 << 63)),
    ("self", 1),
    ("own", 1),
    ("unused", 0xDEADBEEFDEADBEEF - (1 << 64)),
    ({"res": ["a", 3]}, 10),
    ({"res": ["nobody", 3]}, 3),
    ({"i32": [2, 0]}, -2),
    ({"u32": [2, 0]}, (1 << 32) - 2),
    ({"u64": [2, 0]}, 0x1FFFFFFFE),
    ({"flag63": 4}, 4 - (1 << 63)),
]


@pytest.mark.parametrize(("given", "wanted"), VALUES, ids=str)
def test_values(given, wanted):
    begin = [
        step("a", "eval", value=7),
        step("b", "put", at={"buf": [2, 0]}, width=8, value=0x1FFFFFFFE),
    ]
    assert rets(both(*begin, step("v", "eval", value=given)))["v"] == wanted


def test_pointers():
    """A pointer is the base and a guest address, wherever it comes from."""
    where = [
        ({"buf": [3, 8]}, {"bufaddr": [3, 8]}),
        ({"buf": [15, 0]}, {"bufaddr": [15, 0]}),
        ({"str": "text"}, {"straddr": "text"}),
        ({"guest": 0xE0000010}, 0xE0000010),
    ]
    for pointer, address in where:
        seen = both(
            step("p", "put", at={"buf": [0, 0]}, width=8, value=pointer),
            step("q", "put", at={"buf": [0, 8]}, width=8, value=address),
            step("same", "ifeq", a={"u32": [0, 0]}, b={"u32": [0, 8]}, then=[step("yes", "eval", value=1)]),
        )
        assert rets(seen) == {"yes": 1}


def test_memory():
    """Bytes are stored, filled, added, compared, loaded and shown."""
    seen = both(
        step("a", "set", at={"buf": [1, 0]}, hex="0102030405060708"),
        step("b", "fill", at={"buf": [1, 2]}, len=3, byte=255),
        step("c", "add", at={"buf": [1, 8]}, value=-1),
        step("d", "peek", at={"bufaddr": [1, 0]}, width=1),
        step("e", "peek", at={"bufaddr": [1, 0]}, width=2),
        step("f", "peek", at={"bufaddr": [1, 0]}, width=4),
        step("g", "peek", at={"bufaddr": [1, 8]}, width=8),
        step("h", "poke", at={"bufaddr": [1, 0]}, width=2, value=0x12345),
        step("i", "ifmem", at={"buf": [1, 0]}, hex="4523", then=[step("j", "eval", value=1)]),
        step("k", "ifmem", at={"buf": [1, 0]}, hex="4524", then=[], **{"else": [step("l", "eval", value=2)]}),
        step("m", "dump", dump=[{"at": {"buf": [1, 0]}, "len": 9}, {"at": {"buf": [1, 0]}, "len": {"res": "j"}}]),
    )
    wanted = {"d": 1, "e": 0x201, "f": 0xFFFF0201, "g": -1, "h": 0, "j": 1, "l": 2, "m": 0}
    assert rets(seen) == wanted
    assert seen["log"][-1]["dump"] == ["4523ffffff060708ff", "45"]


def test_memory_that_is_not_there_traps():
    for op in ({"op": "peek"}, {"op": "poke", "value": 1}):
        assert both({"id": "a", "at": 0xE0000000, "width": 4, **op}) == {"outcome": "trap", "code": 70, "log": []}
    for op in ({"op": "set", "hex": "00"}, {"op": "fill", "len": 1, "byte": 0}, {"op": "put", "width": 1, "value": 0}):
        assert both({"id": "a", "at": {"guest": 0xE0000000}, **op})["outcome"] == "trap"


def test_repeated_calls():
    pipe = call("p", PIPE, {"buf": [0, 0]}, repeat=20)
    full = call("d", 32, 0, repeat=2000, stop_on_error=True)
    seen = both(pipe, full, profile=SPEC)["log"]
    assert [(entry["ret"], entry["count"]) for entry in seen] == [(0, 20), (-24, 1024 - 43 + 1)]


def test_signals_and_their_order():
    """Handlers run between steps, some with steps of their own, and one may come within another."""
    inner = [step("h", "eval", value=5), call("k", 62, "self", 12)]
    seen = both(
        step("a", "sigaction", sig=10, handler="record", slot=1, flags=0, mask=0),
        step("b", "sigaction", sig=12, handler="record", slot=None, flags=0, mask=0),
        call("c", 62, "self", 10),
        step("d", "untilsig", count=4),
        step("e", "siglog", clear=True),
        step("f", "siglog", clear=False),
        sighandlers={"1": inner},
    )
    assert [entry.get("signals") for entry in seen["log"] if "signals" in entry] == [[10, 12, -12, -10], []]
    places = [(entry["step"], entry.get("in")) for entry in seen["log"]]
    assert places[2:5] == [("h", "signal"), ("k", "signal"), ("c", None)]


def test_threads():
    body = [step("t", "add", at={"buf": [0, 0]}, value=3), call("g", GETPID)]
    seen = both(
        step("a", "thread", slot=0, steps=body),
        step("b", "until", at={"buf": [0, 0]}, value=3),
        step("c", "join", slot=0),
        step("d", "thread", slot=1, steps=[step("e", "eval", value=9)]),
        step("f", "join", slot=1),
        step("h", "eval", value={"res": ["e", 0]}),
    )
    assert rets(seen) == {"a": 0, "b": 1, "c": 0, "d": 0, "f": 0, "h": 9, "g": 1, "e": 9}
    assert [entry["step"] for entry in seen["log"] if entry.get("in") == "thread"] == ["g", "e"]


def test_forks_in_forks():
    leaf = step("l", "fork", child=[call("lp", GETPID)], exit=[60, 3])
    seen = both(
        step("a", "fork", child=[leaf, call("lw", WAIT, -1, 0, 0)], exit=[231, 7]),
        call("w", WAIT, -1, {"buf": [2, 0]}, 0, dump=[{"at": {"buf": [2, 0]}, "len": 4, "as": "i32"}]),
    )
    assert rets(seen) == {"a": 2, "w": 2, "l": 3, "lw": 3, "lp": 3}
    assert seen["log"][1]["dump"] == [[7 << 8]]


GRATE = [
    step("me", "eval", value="self"),
    step(
        "f",
        "fork",
        child=[
            call("pid", GETPID),
            {
                **step("reg", "call3i", n=1001, self={"res": ["me", 0]}, target={"res": ["me", 0]}),
                "pairs": [[{"res": ["pid", 0]}, GETUID], ["unused", {"res": ["me", 0]}], [1, "unused"]],
            },
            call("uid", GETUID, 1, {"buf": [0, 0]}),
            call("again", GETUID),
        ],
        exit=[231, 0],
    ),
    call("w", WAIT, -1, 0, 0),
]


def test_handlers():
    """A handler has results of its own, sees the call that it serves, and gives any result."""
    steps = [
        step("count", "add", at={"buf": [5, 0]}, value=1),
        step("args", "hargs", ptr=[2]),
        step("r", "return", value={"res": ["count", 100]}),
    ]
    seen = both(*GRATE, step("n", "eval", value={"res": ["count", 0]}), handlers={"1": steps})
    assert rets(seen)["uid"] == 101 and rets(seen)["again"] == 102 and rets(seen)["n"] == 0
    (first, *_) = [entry for entry in seen["log"] if entry["step"] == "args"]
    assert first["own"] == 1 and first["pairs"][:3] == [[1, 2], ["PTR", 2], ["unused", 2]]


def test_a_slot_without_a_list_traps():
    assert rets(both(*GRATE, handlers={"2": []}))["uid"] == -536805379


def test_arguments_and_environment():
    words = [
        step("a", "put", at={"buf": [13, 0]}, width=8, value={"str": "one"}),
        step("b", "put", at={"buf": [13, 8]}, width=8, value={"str": "zwö"}),
        step("c", "put", at={"buf": [13, 24]}, width=8, value={"str": "A=1"}),
        call("d", 59, {"str": "/prog/app"}, {"buf": [13, 0]}, {"buf": [13, 24]}),
    ]
    one = vector(*words)
    one.programs["app"] = {"steps": [step("v", "argv", env=True), step("u", "argv", env=False)]}
    for profile, name in ((LIND, "/prog/app"), (SPEC, "one")):
        direct = play(one, profile)
        assert direct == cage.play(one, profile)
        told = {"argv": [name, "zwö"], "env": ["A=1"]}
        assert direct["log"] == [{"cage": 1, "step": "v", **told}, {"cage": 1, "step": "u", "argv": told["argv"]}]


def test_what_the_puppet_has_no_room_for():
    large = vector(*[call(f"s{i}", GETPID, {"str": str(i) * 30}) for i in range(900)])
    with pytest.raises(VectorError, match="its script has"):
        cage.play(large, LIND)
    wide = vector(step("s", "dump", dump=[{"at": {"buf": [0, 0]}, "len": 1}] * 40))
    with pytest.raises(VectorError, match="80 values"):
        cage.play(wide, LIND)
    with pytest.raises(VectorError, match="3001 steps"):
        image.program("main", {"steps": [step(f"s{i}", "eval", value=0) for i in range(3001)]})


NUMBERS = st.integers(-3, 8) | st.sampled_from([-100, 4096, 1 << 31, -(1 << 31), (1 << 32) - 1, 1 << 40, -(1 << 63)])
PATHS = st.sampled_from(["/w/a", "/w", "/tmp", "/w/none", "", "a", "/w/a/b", ".."])
BUFFERS = st.tuples(st.sampled_from([0, 1, 2, 15]), st.sampled_from([0, 8, 100])).map(lambda at: {"buf": list(at)})
ARGS = NUMBERS | PATHS.map(lambda path: {"str": path}) | BUFFERS | st.just({"guest": 0xF0000000})
#: Calls that neither wait nor look at where things lie in the puppet's memory.
CALLS = (
    *(0, 1, 2, 3, 4, 5, 8, 16, 17, 18, 21, 22, 32, 33, 39, 53, 72, 76, 77, 79, 80, 82, 83, 84, 87, 90),
    *(102, 257, 262, 292, 293),
)


@st.composite
def scripts(draw):
    """Steps in which any call has any argument."""
    found = []
    for number in range(draw(st.integers(1, 12))):
        n, given = draw(st.sampled_from(CALLS)), draw(st.lists(ARGS, max_size=4))
        # Reading standard output's pipe would wait, as would a lock.
        fd = draw(st.sampled_from([3, 4, 5, 50, -1])) if n in (0, 1, 17, 18) else None
        given = [fd, *given[1:]] if fd is not None and given else given
        if n == 72 and len(given) > 1 and given[1] == 7:
            given[1] = 6
        dump = [{"at": {"buf": [1, 0]}, "len": 24}]
        found.append(call(f"s{number}", n, *given, dump=dump if draw(st.booleans()) else []))
    return found


@pytest.mark.parametrize("profile", [LIND, SPEC], ids=lambda profile: profile.name)
@given(steps=scripts())
@settings(max_examples=60)
def test_both_players_see_the_same(profile, steps):
    tree = [{"path": "/w/a", "type": "file", "mode": "0644", "text": "hello"}]
    flags = call("f", 2, {"str": "/w/a"}, 2050, 0)
    both(call("pipe", 293, {"buf": [0, 64]}, 2048), flags, *steps, profile=profile, files=tree)


def test_numbers_of_operations_and_kinds():
    """The compiler and the puppet number them alike."""
    source = (folder("conformance") / "puppet" / "puppet.c").read_text(encoding="utf-8")

    def names(name):
        body = re.search(rf"enum {name} \{{(.*?)\}}", source, re.DOTALL)
        return [word.strip().lower().replace("_", " ") for word in body[1].split(",")]

    assert len(names("operation")) == len(bytecode.OPERATIONS)
    assert len(names("kind")) == len(bytecode.KINDS)
    same = {"leave": "exit", "action": "sigaction", "evaluate": "eval", "if equal": "ifeq", "if memory": "ifmem"}
    same |= {"until signals": "untilsig"}
    assert [same.get(one, one) for one in names("operation")] == list(bytecode.OPERATIONS)


def test_the_puppet_is_built_from_its_source(tmp_path):
    try:
        toolchain = find_toolchain()
    except GuestBuildError as error:
        pytest.skip(f"needs a tool chain: {error}")
    prebuilt = (PUPPET / "puppet.wasm").read_bytes()
    made_by = str(producers(decode(prebuilt)))
    version = re.search(r"\d+\.\d+\.\d+", toolchain.version)
    if version is None or version[0] not in made_by:
        pytest.skip(f"puppet.wasm was built by another compiler than {toolchain.version}")
    build_puppet(str(tmp_path / "puppet.wasm"))
    assert (tmp_path / "puppet.wasm").read_bytes() == prebuilt


def test_values_that_mean_little():
    """An offset that is left out is 0, as is what a handler was given where there is none."""
    steps = [
        step("a", "put", at={"buf": [2]}, width=4, value=5),
        step("b", "eval", value={"u32": [2]}),
        step("c", "eval", value={"res": ["b"]}),
        step("d", "eval", value={"harg": 3}),
        step("e", "eval", value={"hcage": 3}),
    ]
    assert rets(both(*steps)) == {"b": 5, "c": 5, "d": 0, "e": 0}
