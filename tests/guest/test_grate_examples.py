"""The examples of grates in wasm, as one uses them: from the command line, with settings, stacked and in groups."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from lindref.cli.main import main
from lindref.guest.build_guests import GUESTS, load_guest
from lindref.posix.table import NUMBERS
from lindref.system.choices import Seeded
from lindref.system.events import Enter
from lindref.threei.numbers import RAWPOSIX_CAGE
from tests.guest.running import Run, run

NAMES = (
    *("strace", "readonly", "chroot", "limits", "faults", "writefilter", "clamp", "tee"),
    *("geteuid", "seccomp", "memfs", "view", "thread", "helper"),
)


def the(name: str, *argv: str) -> Run:
    return run(load_guest(GUESTS / f"grate_{name}"), argv or None)


def as_options(argv: tuple[str, ...]) -> list[str]:
    """The words of a chain as ``--grate`` options: a grate takes its settings along."""
    stack: list[str] = []
    for word in argv[:-1]:
        if "=" in word:
            stack[-1] += f" {word}"
        else:
            stack.append(word)
    return [part for word in stack for part in ("--grate", word)]


@pytest.mark.parametrize("name", NAMES)
def test_from_the_command_line(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: Any) -> None:
    """As words and as ``--grate`` options, in each engine and profile: what ``expected.json`` says."""
    guest = load_guest(GUESTS / f"grate_{name}")
    shutil.copytree(guest.folder, tmp_path / "root")
    (tmp_path / "root" / "tmp").mkdir(exist_ok=True)  # a root of profile lind has none of its own
    monkeypatch.chdir(tmp_path / "root")
    forms = (guest.argv, (*as_options(guest.argv), guest.argv[-1]))
    kinds = (("reference", "spec"), ("compiled", "spec"), ("compiled", "lind"), ("reference", "lind"))
    for form, (engine, profile) in zip(forms * 2, kinds, strict=True):
        shutil.rmtree("tmp")
        Path("tmp").mkdir()
        status = main(["run", "--engine", engine, "--profile", profile, *form])
        out, err = capfdbinary.readouterr()
        assert (out.decode(), err.decode(), status) == (guest.stdout, guest.stderr, guest.exit_status)


def test_readonly() -> None:
    """What would change something never gets beneath the grate."""
    done = the("readonly")
    for name in ("mkdir", "unlink", "unlinkat", "rename", "link", "chmod", "fchmod", "truncate"):
        assert done.ways(name) == [f"2 {name} > 1"]
        assert not [enter for enter in done.calls(name) if enter.within]


def test_chroot() -> None:
    """Beneath, all paths of the program are in the folder, and lent by the grate."""
    done = the("chroot")
    beneath = [e for e in done.calls("open") if e.within]
    assert len(beneath) == len([e for e in done.calls("open") if not e.within])
    assert {e.args[0][1] for e in beneath} == {1}
    named = the("chroot", "grate.wasm", "root=/sandbox/deep", "app.wasm").stdout
    assert "/motd: No such file or directory" in named
    assert "note: A note." in named  # chdir to what is no folder there left it at its root


def test_limits() -> None:
    """With other settings, other numbers."""
    done = the("limits", "grate.wasm", "written=100", "files=9", "app.wasm")
    assert done.stdout.count("0123456789\n") == 2
    assert done.stderr == "not shown: nothing is left for it\n"
    assert done.status == 2 + 4


def test_faults() -> None:
    """The default is the first write; what there is no such call or error for is said."""
    assert the("faults", "grate.wasm", "app.wasm").stderr == "line 1: Input/output error\n"
    assert the("faults", "grate.wasm", "call=open", "error=EMFILE", "nth=9", "app.wasm").stderr == ""
    bad = the("faults", "grate.wasm", "call=frobnicate", "app.wasm")
    assert (bad.status, bad.stderr) == (2, "faults: there is no frobnicate\n")


def test_seccomp() -> None:
    """What no rule names is as ``otherwise`` says; rules that are none are said, with their line."""
    strict = the("seccomp", "grate.wasm", "otherwise=deny", "app.wasm")
    assert "mkdir" not in {enter.name for enter in strict.events if isinstance(enter, Enter) and enter.within}
    assert (strict.stdout, strict.calls("execve")[0].within) == ("", 0)
    assert len([e for e in strict.calls("execve") if e.within]) == 1  # the launch itself
    for name, said in (("app.c", "app.c:1: neither allow nor deny\n"), ("none", "none: No such file or directory\n")):
        bad = the("seccomp", "grate.wasm", f"rules={name}", "app.wasm")
        assert (bad.status, bad.stderr) == (2, said)
    assert the("seccomp", "grate.wasm", "otherwise=maybe", "app.wasm").stderr == "otherwise=maybe: allow or deny\n"


@pytest.mark.parametrize("seed", range(3))
def test_memfs(seed: int) -> None:
    """Whatever runs first after the fork, the child begins with its parent's descriptors; nothing gets beneath."""
    guest = load_guest(GUESTS / "grate_memfs")
    done = run(guest, chooser=Seeded(seed))
    assert (done.stdout, done.status) == (guest.stdout, guest.exit_status)
    beneath = {enter.name for enter in done.events if isinstance(enter, Enter) and enter.within}
    assert beneath.isdisjoint({"unlink", "lseek"})


def test_view() -> None:
    """Beneath, each cage has a folder of its own, and paths elsewhere are as they came."""
    done = the("view")
    opened = [e for e in done.calls("open") if e.within]
    assert {e.args[0][1] for e in opened} == {1, 2, 3}  # lent by the grate, or of the caller
    made = [done.result(e) for e in done.calls("mkdir") if e.within]
    assert made.count(0) == 2


def test_clamp() -> None:
    """Into the group: by path and by descriptor; past it the calls go straight to RawPOSIX."""
    done = the("clamp")
    routes = done.routes()
    group = 100_000
    inside = [e for e in done.events if isinstance(e, Enter) and e.number > group]
    assert [e.number - group for e in inside] == [NUMBERS["write"], NUMBERS["unlink"]]
    assert {routes[e.call] for e in inside} == {2}
    past = [e for e in done.calls("unlink") if e.within]
    assert [routes[e.call] for e in past] == [RAWPOSIX_CAGE] * 2


def test_two_in_a_group(tmp_path: Path) -> None:
    """What the inner grate of a group passes on goes to the outer one of it, and then beneath."""
    for name in ("clamp", "writefilter"):
        for program in ("grate.wasm", "inner.wasm", "app.wasm"):
            if (GUESTS / f"grate_{name}" / program).exists():
                shutil.copy(GUESTS / f"grate_{name}" / program, tmp_path / f"{name}_{program}")
    guest = load_guest(GUESTS / "grate_clamp")
    group = ("clamp_inner.wasm", "writefilter_grate.wasm", "word=words")
    done = run(guest, ("clamp_grate.wasm", "%{", *group, "%}", "clamp_app.wasm"), root=tmp_path)
    assert done.stdout.splitlines()[:2] == [
        "/tmp/box/a: SOME *****, Operation not permitted",
        "/tmp/boxes/a: some words, removed",
    ]
    assert done.stdout.endswith("inner: 1 writes, 1 removals\n")


def test_no_group() -> None:
    """A clamp without a group lets everything by."""
    done = the("clamp", "grate.wasm", "app.wasm")
    assert done.stdout.splitlines()[0] == "/tmp/box/a: some words, removed"
    assert done.status == 0
