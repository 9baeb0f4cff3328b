"""Programs of the instrumented stage (asyncify, exnref, epoch checks) run with our own fork, threads and signals, their
instrumentation idle (DYN-6, ABI-1). The fixtures are guests of the conformance suite, see `instrument.py`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from instrument import instrumented, wasm_opt
from scenes import GUESTS, Recorder

from lindref.posix import console
from lindref.profile import LIND, SPEC, Profile
from lindref.system.boot import boot
from lindref.system.events import Enter, Exit
from lindref.system.system import System
from lindref.vm.values import GlobalAddr
from lindref.wasm.binary.decoder import decode
from lindref.wasm.module import ExternKind

FIXTURES = Path(__file__).resolve().parents[1] / "data" / "instrumented"
STATIC = sorted(path.stem for path in FIXTURES.glob("*.wasm"))


def run(folder: Path, name: str, words: list[str], profile: Profile = SPEC) -> tuple[System, Recorder]:
    made: list[Recorder] = []
    system = boot(name, words, root=folder, profile=profile, observe=lambda new: made.append(Recorder(new)))
    console.end_stdin(system.kernel)
    system.run()
    return system, made[0]


def shown(system: System) -> tuple[str, int]:
    assert system.outcome is not None
    return console.output(system.kernel, console.STDOUT).decode(), system.outcome.status


def expected(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GUESTS / name / "expected.json").read_text())
    return found


def copied(name: str, folder: Path) -> Path:
    """The guest's folder with the instrumented program in the place of the plain one."""
    shutil.copytree(GUESTS / name, folder / name)
    shutil.copy(FIXTURES / f"{name}.wasm", folder / name / "main.wasm")
    return folder / name


@pytest.mark.parametrize("name", STATIC)
def test_static(name: str, tmp_path: Path) -> None:
    """ABI-1: what the plain program shows, the instrumented one does; nobody touched the words."""
    guest = expected(name)
    folder = copied(name, tmp_path)
    module = decode((folder / "main.wasm").read_bytes())
    exports = {export.name for export in module.exports}
    assert {"epoch", "asyncify_start_unwind", "asyncify_get_state"} <= exports
    assert ("lind", "epoch_callback") in {(i.module, i.name) for i in module.imported(ExternKind.FUNC)}
    system, _ = run(folder, guest["argv"][0], guest["argv"][1:])
    assert shown(system) == (guest["stdout"], guest["exit_status"])


def test_exceptions_are_exnref() -> None:
    """The fixture with longjmp has them in the newer encoding."""
    module = decode((FIXTURES / "setjmp.wasm").read_bytes())
    names = {instr.op.name for code in module.codes for instr in code.body}
    assert {"try_table", "throw"} <= names and "try" not in names


@pytest.mark.parametrize("profile", [SPEC, LIND])
def test_dynamic(profile: Profile, tmp_path: Path) -> None:
    """DYN-5, DYN-6: a program and libraries of the instrumented stage, with a library of the plain one."""
    shutil.copytree(FIXTURES / "dynamic", tmp_path / "d")
    shutil.copytree(GUESTS / "dynamic" / "lib", tmp_path / "d" / "lib")
    shutil.copy(GUESTS / "dynamic" / "main.c", tmp_path / "d")
    words = ["lind"] if profile is LIND else []
    system, recorder = run(tmp_path / "d", "main.wasm", words, profile)
    plain, other = run(GUESTS / "dynamic", "main.wasm", words, profile)
    assert shown(system) == shown(plain)
    assert calls(recorder) == calls(other)


def calls(recorder: Recorder) -> list[tuple[object, ...]]:
    """What a run did, but for the times."""
    results = {e.call: e.result for e in recorder.of(Exit)}
    return [(e.cage, e.tid, e.name, e.target, e.args, results.get(e.call)) for e in recorder.of(Enter)]


@pytest.mark.campaign
@pytest.mark.parametrize("name", ["arguments", "fork_tree", "pipeline", "setjmp"])
def test_the_same_trace(name: str, tmp_path: Path) -> None:
    """ABI-1: call by call, made with the passes that are here."""
    tool = wasm_opt()
    if tool is None:
        pytest.skip("needs wasm-opt (LINDREF_WASM_OPT or on PATH)")
    guest = expected(name)
    shutil.copytree(GUESTS / name, tmp_path / name)
    folder = tmp_path / name
    (folder / "main.wasm").write_bytes(instrumented((folder / "main.wasm").read_bytes(), tmp_path, tool))
    _, recorder = run(folder, guest["argv"][0], guest["argv"][1:])
    _, plain = run(GUESTS / name, guest["argv"][0], guest["argv"][1:])
    assert calls(recorder) == calls(plain)


def test_the_words_stay_zero(tmp_path: Path) -> None:
    """DYN-6: looked at in the middle of the run."""
    folder = copied("signals", tmp_path)
    system = boot("main.wasm", [], root=folder)
    seen = set()
    while system.step():
        for thread in system.threads.values():
            runner = thread.runner
            view = getattr(runner, "view", None)
            epoch = view.instance.export("epoch") if view is not None else None
            if isinstance(epoch, GlobalAddr):
                seen.add(runner.store.globals[epoch.number].value)  # type: ignore[attr-defined]
    assert seen == {0}
