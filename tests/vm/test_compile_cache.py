"""The cache of compiled sources (MACH-8): what is in it is used, what is wrong with it is not, and nothing depends
on it.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lindref.vm import engines
from lindref.vm.compiled import cache, source
from lindref.vm.compiled.source import Source
from lindref.vm.link import instantiate
from lindref.vm.outcomes import Returned
from lindref.vm.store import Store
from lindref.vm.values import FuncInst
from lindref.wasm.binary.decoder import decode
from lindref.wasm.binary.encoder import encode
from lindref.wasm.text.parser import parse_module

SUM = "(local.set 0 (i32.add (local.get 0) (i32.const 3)))" * 30
BINARY = encode(parse_module(f'(module (func (export "f") (param i32) (result i32) {SUM} (local.get 0)))'))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def run() -> tuple[int, Source]:
    """A run in a module read anew: the result, and the source that ran."""
    store = Store()
    instance = instantiate(store, decode(BINARY), {})
    machine = engines.machine("compiled", store)
    machine.call(FuncInst(0, 0), [1])
    outcome = machine.run()
    assert isinstance(outcome, Returned)
    source = instance.program.body(0).compiled[0].source
    assert isinstance(source, Source)
    return outcome.values[0], source


def entries(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file()]


def test_a_source_is_kept_and_used(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run()
    (entry,) = entries(home)
    assert entry.stat().st_mode & 0o777 == 0o600
    assert entry.parent.stat().st_mode & 0o777 == 0o700
    monkeypatch.setattr(source, "make", None)
    assert run() == first
    assert first[0] == 91


@pytest.mark.parametrize("cut", [0, 1, 33, 500, -1])
def test_what_is_cut_short_or_changed_is_made_again(home: Path, cut: int) -> None:
    first = run()
    (entry,) = entries(home)
    whole = entry.read_bytes()
    for data in (whole[:cut], whole[:cut] + b"X" + whole[cut:], whole[: cut - 1] + bytes(len(whole) - cut + 1)):
        entry.write_bytes(data)
        assert run() == first
        assert entry.read_bytes() == whole


def test_an_entry_under_another_name_is_not_believed(home: Path) -> None:
    run()
    (entry,) = entries(home)
    other = entry.with_name(entry.name[:-1] + "7")
    entry.rename(other)
    assert cache.load(other.name) is None


def test_what_others_may_write_is_not_believed(home: Path) -> None:
    first = run()
    (entry,) = entries(home)
    name = entry.name
    assert cache.load(name) is not None
    for path, mode in ((entry, 0o666), (entry.parent, 0o777), (entry, 0o620)):
        before = path.stat().st_mode
        path.chmod(mode)
        assert cache.load(name) is None
        assert run() == first
        path.chmod(before & 0o777)
    assert cache.load(name) is not None


def test_no_link_is_followed_and_no_pipe_read(home: Path) -> None:
    first = run()
    (entry,) = entries(home)
    moved = entry.with_name("elsewhere")
    entry.rename(moved)
    entry.symlink_to(moved)
    assert cache.load(entry.name) is None
    entry.unlink()
    os.mkfifo(entry)
    assert cache.load(entry.name) is None
    assert run() == first


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_belongs_to_others_is_not_believed(home: Path) -> None:
    run()
    (entry,) = entries(home)
    os.chown(entry, 12345, -1)
    assert cache.load(entry.name) is None


def test_without_a_place_it_just_compiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    for where in (str(tmp_path / "file"), str(tmp_path / "file" / "below"), "/proc/nowhere"):
        monkeypatch.setenv("XDG_CACHE_HOME", where)
        assert run()[0] == 91


def test_a_full_disk_leaves_nothing_behind(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert run()[0] == 91
    assert entries(home) == []


def test_several_write_at_once(home: Path) -> None:
    source = Source("def f():\n return 1\n", (None, (0, "()")), {})
    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(lambda _: cache.save("key", source), range(200)):
            found = cache.load("key")
            assert found is None or found == source
    assert cache.load("key") == source
    assert [path.name for path in entries(home)] == ["key"]
