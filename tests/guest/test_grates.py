"""The grates of ``conformance/guests``: what they print, how they end, and the way their children's calls take."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from lindref.cli import demo
from lindref.guest.build_guests import GUESTS, load_guest
from lindref.profile import LIND
from lindref.system.choices import FirstOption, Seeded
from lindref.system.events import Enter
from lindref.threei.numbers import RAWPOSIX_CAGE, THREEI_CAGE
from lindref.wasm.binary.decoder import decode
from lindref.wasm.sections import names as names_of
from tests.guest.running import Run, copied, names, run

NAMES = names("grate_*")


def the(name: str) -> Run:
    return run(load_guest(GUESTS / name))


@pytest.mark.parametrize("name", NAMES)
def test_expected(name: str) -> None:
    """Output and exit status, and both again under random schedules."""
    guest = load_guest(GUESTS / name)
    for chooser in (FirstOption(), Seeded(1), Seeded(2)):
        done = run(guest, chooser=chooser)
        assert done.system.outcome is not None
        assert (done.stdout, done.stderr) == (guest.stdout, guest.stderr)
        assert done.system.outcome.status == guest.exit_status


@pytest.mark.parametrize("name", NAMES)
def test_expected_as_recorded(name: str, tmp_path: Path) -> None:
    """Profile lind, with the /tmp that a root has there only if somebody made it. Other lines: exec there names the
    image (grate_fork_exec), and a child can leave (grate_inherit, deviation 3I-ANY-TABLE).
    """
    guest = copied(name, tmp_path)
    done = run(guest, profile=LIND)
    assert done.system.outcome is not None
    assert (done.stdout, done.stderr) == (guest.stdout_as_recorded(), guest.stderr)
    assert done.system.outcome.status == guest.exit_status


@pytest.mark.parametrize("name", NAMES)
def test_prebuilt(name: str) -> None:
    """Every program has its names, no DWARF, and a grate the export that makes it one."""
    guest = load_guest(GUESTS / name)
    for program in guest.programs:
        module = decode((guest.folder / program.name).read_bytes())
        assert "main" in " ".join(names_of(module).funcs.values())
        assert not [custom.name for custom in module.customs if custom.name.startswith(".debug")]
        assert any(export.name == "pass_fptr_to_wt" for export in module.exports) is program.grate


def test_geteuid() -> None:
    """The grate's own call goes down, its child's to the grate; getuid is nobody's business."""
    done = the("grate_geteuid")
    assert done.ways("geteuid") == ["1 geteuid", "2 geteuid > 1", "1 geteuid"]
    assert done.ways("getuid") == ["2 getuid"]
    assert [done.result(e) for e in done.calls("geteuid")] == [0, 1000, 0]


def test_passthrough() -> None:
    """Every call there is has a handler; what the program can see is the same with and without (3I-GRATE-2)."""
    guest = load_guest(GUESTS / "grate_passthrough")
    done = run(guest)
    assert len(done.calls("register_handler")) == len(done.system.kernel.rows)
    own = [e for e in done.events if isinstance(e, Enter) and e.cage > 1 and e.number < 1000]
    first = own.index(next(e for e in own if e.name == "execve"))
    assert {done.routes()[e.call] for e in own[first:]} == {1}
    beneath = [e for e in done.events if isinstance(e, Enter) and e.within]
    assert {done.routes()[e.call] for e in beneath} == {RAWPOSIX_CAGE}
    assert all(e.args == next(o for o in own if o.call == e.within).args for e in beneath)
    alone = run(guest, ("app.wasm",))
    assert alone.stdout == done.stdout
    assert alone.system.outcome is not None
    assert alone.system.outcome.status == guest.exit_status


def test_deny() -> None:
    """What is refused never gets beneath the grate."""
    done = the("grate_deny")
    ways = done.ways("unlink")
    assert ways == ["2 unlink > 1", "2 unlink > 1"]
    assert [len([e for e in done.calls("unlink") if e.within]), len(done.calls("mkdir"))] == [1, 3]
    kept = (GUESTS / "grate_deny" / "keep.txt").read_text()
    assert kept == "nobody changes this\n"


def test_redirect() -> None:
    """Beneath, the path is the grate's and everything else the child's: also the descriptor."""
    done = the("grate_redirect")
    outer, inner = done.calls("open")
    assert (outer.cage, inner.cage, inner.within, inner.caller, inner.target) == (2, 1, outer.call, 1, 2)
    assert inner.args[0][1] == 1
    assert inner.args[1:] == outer.args[1:]
    assert done.result(inner) == done.result(outer) == 3
    assert {done.routes()[e.call] for e in done.calls("copy_data_between_cages")} == {THREEI_CAGE}


def test_stacked() -> None:
    """The grate named last is the one closest to the program; what it does not interpose goes to the outer one."""
    done = the("grate_stacked")
    assert done.ways("geteuid") == ["3 geteuid > 2 > 1"]
    assert done.ways("write") == ["3 write > 2 > 1"]
    lowest = done.calls("write")[-1]
    assert [cage for _, cage in lowest.args[:3]] == [3, 1, 3]


def test_fork_exec() -> None:
    """Two forks get through, the third does not; the stand-in is exec'd from the grate's own memory."""
    done = the("grate_fork_exec")
    forks = [e for e in done.calls("clone") if e.cage == 2]
    assert [done.result(e) for e in forks] == [3, 4, -11]
    assert done.ways("execve")[1:] == ["3 execve > 1", "4 execve > 1"]
    inner = [e for e in done.calls("execve") if e.within]
    assert [(e.target, e.args[0][1], e.args[1][1]) for e in inner] == [(2, 2, 2), (3, 1, 3), (4, 4, 4)]


def test_inherit() -> None:
    """3I-FORK-1, 3I-EXEC-1: child, image after exec and grandchild are interposed; the one that would leave cannot."""
    done = the("grate_inherit")
    ways = done.ways("geteuid")
    assert ways == [
        "2 geteuid > 1",
        "3 geteuid > 1",
        "3 geteuid > 1",
        "4 geteuid > 1",
        "5 geteuid > 1",
        "2 geteuid > 1",
    ]


def test_count() -> None:
    """What the grate counted is what the events say."""
    done = the("grate_count")
    for name, line in zip(("read", "write", "open", "close"), done.stdout.splitlines(), strict=True):
        mine = [e for e in done.calls(name) if e.cage == 2]
        results = [done.result(e) or 0 for e in mine]
        assert int(line.split()[1]) == len(mine)
        assert int(line.split()[3]) == len([r for r in results if r < 0])


def test_nested() -> None:
    """A cage that was exec'd serves its forked child, beneath which the outer grate serves both."""
    done = the("grate_nested")
    assert done.ways("getppid") == [
        "2 getppid > 1",
        "3 getppid > 1",
        "3 getppid > 2 > 1",
        "4 getppid > 2 > 1",
        "2 getppid > 1",
    ]


def test_blocking_with_few_workers() -> None:
    """3I-GRATE-4: with fewer workers than waiting calls the run cannot go on, and says who waits on what."""
    guest = load_guest(GUESTS / "grate_blocking")
    done = run(guest, workers=2)
    outcome = done.system.outcome
    assert outcome is not None
    assert outcome.status == 71
    assert "waiting for a free worker of grate 1" in outcome.text
    assert outcome.text.count("in read") >= 3
    assert run(guest, workers=4).stdout == guest.stdout


def test_demo() -> None:
    """``lindref demo`` shows the redirected open with its route, and the words the program prints."""
    out = io.StringIO()
    with redirect_stdout(out):
        assert demo.main([]) == 0
    text = out.getvalue()
    assert '[cage 2] open("/etc/motd", O_RDONLY <unfinished ...> → grate 1 redirect_open' in text
    assert '[cage 1] │ open("/sandbox/etc/motd", O_RDONLY) = 3 → RawPOSIX' in text
    assert "┃ Welcome to the sandbox." in text
    assert "exit status 0" in text
    assert "\x1b" not in text


def test_demo_names() -> None:
    """Any guest can be shown; one that is not there is named."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        assert demo.main(["grate_geteuid"]) == 3
        assert demo.main(["--help"]) == 0
        assert demo.main(["grate_absent"]) == 2
        assert demo.main(["a", "b"]) == 2
    assert "geteuid" in out.getvalue()
    assert all(name in out.getvalue() for name in NAMES)
    assert err.getvalue().splitlines()[0] == "lindref demo: grate_absent: no such guest (see lindref demo --help)"
