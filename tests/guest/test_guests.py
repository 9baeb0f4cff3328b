"""The plain guests of ``conformance/guests``: under several schedules, in both profiles, natively, and built anew."""

from __future__ import annotations

import shutil
import zlib
from pathlib import Path

import pytest

from lindref.guest.build_guests import GUESTS, Guest, build, load_guest
from lindref.guest.toolchain import GuestBuildError, find_toolchain
from lindref.profile import LIND
from lindref.system.choices import Seeded
from lindref.wasm.binary.decoder import decode
from lindref.wasm.sections import names as names_of
from tests.guest.running import copied, names, plain, run, run_natively

PLAIN = plain()
RECORDED = [name for name in PLAIN if not load_guest(GUESTS / name).lind_skip]
NATIVE = [name for name in PLAIN if load_guest(GUESTS / name).native]


def chooses(guest: Guest) -> bool:
    """Whether a guest has more than one thread or cage, or reads what others write."""
    text = "".join(path.read_text() for path in guest.folder.glob("*.c"))
    return any(word in text for word in ("fork(", "pipe(", "pthread_create", "thrd_create", "socket", "posix_spawn"))


@pytest.mark.parametrize("name", PLAIN)
def test_expected(name: str) -> None:
    """Output and exit status, with the first option everywhere, and with random ones where that may matter."""
    guest = load_guest(GUESTS / name)
    for chooser in (None, Seeded(zlib.crc32(name.encode())))[: 1 + chooses(guest)]:
        done = run(guest, chooser=chooser, record=False)
        assert (done.stdout, done.stderr, done.status) == (guest.stdout, guest.stderr, guest.exit_status)


@pytest.mark.campaign
@pytest.mark.parametrize("name", PLAIN)
def test_expected_under_many_schedules(name: str) -> None:
    """No schedule changes what a guest shows."""
    guest = load_guest(GUESTS / name)
    for seed in range(4):
        done = run(guest, chooser=Seeded(seed), record=False)
        assert (seed, done.stdout, done.status) == (seed, guest.stdout, guest.exit_status)


@pytest.mark.parametrize("name", RECORDED)
def test_expected_as_recorded(name: str, tmp_path: Path) -> None:
    """Profile lind, in which some guests show a deviation."""
    guest = copied(name, tmp_path)
    done = run(guest, profile=LIND, record=False)
    assert (done.stdout, done.status) == (guest.stdout_as_recorded(), guest.exit_status)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc to compile guests natively")
@pytest.mark.parametrize("name", NATIVE)
def test_native(name: str, tmp_path: Path) -> None:
    """The same source compiled for the host shows the same."""
    guest = copied(name, tmp_path)
    assert run_natively(guest) == (guest.stdout, guest.stderr, guest.exit_status)


@pytest.mark.parametrize("name", PLAIN)
def test_prebuilt(name: str) -> None:
    """Every program is small, has its names and no DWARF."""
    guest = load_guest(GUESTS / name)
    for program in guest.programs:
        data = (guest.folder / program.name).read_bytes()
        module = decode(data)
        assert program.kind in ("shared", "libc") or "main" in " ".join(names_of(module).funcs.values())
        assert not [custom.name for custom in module.customs if custom.name.startswith(".debug")]
        assert len(data) < (300_000 if program.kind == "libc" else 100_000)


def changed_programs(guest: Guest, committed: Guest) -> list[str]:
    """The programs whose bytes are others than the committed ones."""
    pairs = [(guest.folder / each.name, committed.folder / each.name) for each in guest.programs]
    return [new.name for new, old in pairs if new.read_bytes() != old.read_bytes()]


def test_rebuilt(tmp_path: Path) -> None:
    """Built anew with the compiler that is here, every guest behaves as the committed one.

    A program with the same bytes behaves the same; one that differs (another compiler) is run.
    """
    try:
        find_toolchain()
    except GuestBuildError as missing:
        pytest.skip(f"guests are not rebuilt: {missing}")
    copies = [copied(name, tmp_path) for name in names("*")]
    for guest in copies:
        for program in guest.programs:
            (guest.folder / program.name).unlink()
        build(guest)
    for guest in copies:
        if changed_programs(guest, load_guest(GUESTS / guest.folder.name)):
            done = run(guest, record=False)
            assert (done.stdout, done.status) == (guest.stdout, guest.exit_status), guest.folder.name
