"""Each grate that comes with lindref as a Python class and as a program in C: the same program sees the same."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import lindref
from lindref.grates.strace import Strace
from lindref.guest.build_guests import GUESTS, load_guest
from lindref.posix.table import CALLS

#: Guest of the form in C -> the stack in Python that stands for the words of its ``expected.json``.
STACKS: dict[str, list[str]] = {
    "geteuid": ["lindref.grates.geteuid:GetEuid,uid=1000"],
    "strace": ["lindref.grates.strace:Strace"],
    "seccomp": ["lindref.grates.seccomp:Seccomp,rules=rules"],
    "readonly": ["lindref.grates.readonly:ReadOnly"],
    "chroot": ["lindref.grates.chroot:Chroot,dir=/sandbox"],
    "memfs": ["lindref.grates.memfs:MemFS,at=/mem"],
    "writefilter": ["lindref.grates.writefilter:WriteFilter,word=password"],
    "view": ["lindref.grates.view:View,dir=/tmp"],
    "limits": ["lindref.grates.limits:Limits,files=2,written=20"],
    "clamp": ["lindref.grates.clamp:Clamp,prefix=/tmp/box", "%{", "inner.wasm", "%}"],
    "tee": ["lindref.grates.tee:Tee,answer=group", "%{", "inner.wasm", "%}"],
    "faults": ["lindref.grates.faults:Faults,call=write,nth=2,error=ENOSPC"],
}

#: What the program in C says itself: a class keeps it in its state instead.
OWN_WORDS = re.compile(r"^(grate|tee): .*\n", re.MULTILINE)


def seen(name: str, form: str, root: Path, profile: str) -> tuple[str, str, int]:
    """Standard output, standard error, status of the guest's program beneath one form of the grate."""
    guest = load_guest(GUESTS / f"grate_{name}")
    shutil.copytree(guest.folder, root)
    (root / "tmp").mkdir(exist_ok=True)
    words = ("app.wasm",) if form == "python" else guest.argv
    grates = STACKS[name] if form == "python" else []
    options = {"root": str(root), "profile": profile, "max_ticks": 50_000_000}
    system = lindref.boot(words[0], list(words[1:]), grates=grates, **options)
    status = system.run()
    return OWN_WORDS.sub("", system.stdout.decode()), system.stderr.decode(), status


@pytest.mark.parametrize("form", ["python", "wasm"])
@pytest.mark.parametrize("name", STACKS)
def test_the_program_sees_the_same(name: str, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both forms: what the guest's ``expected.json`` says, but for cage ids, addresses and calls that C leaves out."""
    guest = load_guest(GUESTS / f"grate_{name}")
    monkeypatch.chdir(guest.folder)  # rules=… is a file of the host for a class, of the root for a program
    for profile in ("spec", "lind"):
        out, err, status = seen(name, form, tmp_path / profile, profile)
        assert (out, told(err), status) == (OWN_WORDS.sub("", guest.stdout), told(guest.stderr), guest.exit_status)


def told(text: str) -> list[str]:
    """The lines of standard error; those of strace without what is different from run to run."""
    lines = [line for line in text.splitlines() if not re.match(r"\[cage \d+\] (mmap|brk|exit_group)\(", line)]
    return [re.sub(r"^\[cage \d+\]|0x\w{8,}", "", line) for line in lines]


def test_the_forms_in_c_know_every_call() -> None:
    """The list of calls that they share is the call table."""
    listed = re.findall(r"X\(([A-Z]\w+)\)", (GUESTS / "calls.h").read_text())
    assert sorted(listed) == sorted(row.name.upper() for row in CALLS.values())


def test_strace_shows_what_leads_nowhere_as_it_is(lindref_script: type) -> None:
    """A pointer that cannot be read is a number; a long buffer is cut."""
    script = lindref_script()
    script.call("write", 1, 12345, 3)
    script.call("write", 1, b"x" * 40 + b"\n", 41)
    script.call("clock_gettime", 1, 0)
    shown = script.play(Strace).stderr.decode().splitlines()
    assert shown[0] == "[cage 1] write(1, 0x3039, 3) = -1 EFAULT"
    assert shown[1] == f'[cage 1] write(1, "{"x" * 32}"..., 41) = 41'
    assert shown[2] == "[cage 1] clock_gettime(CLOCK_MONOTONIC, NULL) = -1 EFAULT"
