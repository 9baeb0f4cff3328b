"""Every plain guest as static and as position-independent program, as it comes from the linker (`raw`) and after the
passes of the tool chain (`opt`, where wasm-opt is): four builds, one behaviour (DYN-4, DYN-6, LOAD-2)."""

from __future__ import annotations

import functools
import shutil
import tempfile
from pathlib import Path

import pytest
from instrument import instrumented, wasm_opt

from lindref.guest.build_guests import GUESTS, load_guest
from lindref.guest.cc import compile_guest
from lindref.guest.toolchain import GuestBuildError, find_toolchain
from lindref.posix import console
from lindref.system.boot import boot
from tests.guest.running import plain

NAMES = [name for name in plain() if all(each.kind == "static" for each in load_guest(GUESTS / name).programs)]


@functools.cache
def passed(data: bytes, tool: tuple[str, ...]) -> bytes:
    """A module after all passes; the C library takes them once."""
    with tempfile.TemporaryDirectory() as folder:
        return instrumented(data, Path(folder), list(tool))


@pytest.mark.campaign
@pytest.mark.parametrize("stage", ["raw", "opt"])
@pytest.mark.parametrize("kind", ["static", "dynamic"])
@pytest.mark.parametrize("name", NAMES)
def test_every_build_of_a_guest(
    name: str, kind: str, stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Output and exit status."""
    tool = wasm_opt()
    if stage == "opt" and tool is None:
        pytest.skip("needs wasm-opt (LINDREF_WASM_OPT or on PATH)")
    try:
        find_toolchain()
    except GuestBuildError as missing:
        pytest.skip(f"needs a tool chain: {missing}")
    guest = load_guest(GUESTS / name)
    folder = tmp_path / name
    shutil.copytree(guest.folder, folder)
    for header in GUESTS.glob("*.h"):
        shutil.copy(header, tmp_path)
    monkeypatch.chdir(folder)
    shutil.copytree(GUESTS / "dynamic" / "lib", folder / "lib")
    for program in guest.programs:
        compile_guest(program.sources, program.name, pie=kind == "dynamic")
    files = [Path(program.name) for program in guest.programs] + ([Path("lib/libc.so")] if kind == "dynamic" else [])
    for file in files if stage == "opt" and tool is not None else []:
        file.write_bytes(passed(file.read_bytes(), tuple(tool)))
    system = boot(guest.argv[0], guest.argv[1:], root=folder, env=guest.env)
    console.feed_stdin(system.kernel, guest.stdin.encode())
    console.end_stdin(system.kernel)
    outcome = system.run()
    assert (console.output(system.kernel, console.STDOUT).decode(), outcome.status) == (guest.stdout, guest.exit_status)
