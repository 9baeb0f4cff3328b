"""``lindref root create``: a root to run in (BOOT-6)."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from scenes import GUESTS

from lindref.cli.main import main
from lindref.cli.root import universal_time
from lindref.guest.build_guests import load_guest

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def lindref(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command in an empty folder, with an empty cache that holds the guest kit's library."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    library = tmp_path / "cache" / "lindref" / "lib" / "libc.so"
    library.parent.mkdir(parents=True)
    library.write_bytes((GUESTS / "dynamic" / "lib" / "libc.so").read_bytes())

    def run(*words: str | Path) -> tuple[int, str, str]:
        status = main([str(w) for w in words])
        sys.stdout.flush()
        out, err = capfd.readouterr()
        return status, out, err

    return run


def test_boot_6_a_root_is_laid_out_and_programs_run_in_it(lindref: Run, tmp_path: Path) -> None:
    """BOOT-6, BOOT-2: static and dynamic, by the path inside."""
    assert lindref("root", "create", "fs", GUESTS / "hello" / "main.wasm") == (0, "", "")
    fs = tmp_path / "fs"
    for name in ("bin", "dev", "etc", "lib", "tmp", "usr/bin", "var/run"):
        assert (fs / name).is_dir(), name
    assert (fs / "tmp").stat().st_mode & 0o7777 == 0o1777
    assert (fs / "etc" / "passwd").read_text().startswith("root:x:0:0:")
    assert lindref("run", "--root", fs, "bin/main.wasm") == (0, "hello, world\n", "")
    libraries = [word for name in ("first", "second", "alone") for word in ("--lib", GUESTS / "dynamic" / f"{name}.so")]
    assert lindref("root", "create", *libraries, fs, GUESTS / "dynamic" / "main.wasm")[0] == 0
    for name in ("second.so", "broken.so", "main.c"):
        shutil.copy(GUESTS / "dynamic" / name, fs)
    status, out, _ = lindref("run", "--root", fs, "bin/main.wasm")
    assert (status, out) == (0, load_guest(GUESTS / "dynamic").stdout)  # first.so and alone.so are found in /lib


def test_boot_6_what_is_there_stays(lindref: Run, tmp_path: Path) -> None:
    """BOOT-6."""
    (tmp_path / "fs" / "etc").mkdir(parents=True)
    (tmp_path / "fs" / "etc" / "hosts").write_text("mine\n")
    assert lindref("root", "create", "--no-libc", "fs")[0] == 0
    assert (tmp_path / "fs" / "etc" / "hosts").read_text() == "mine\n"
    assert list((tmp_path / "fs" / "lib").iterdir()) == []
    (tmp_path / "file").write_text("")
    status, _, err = lindref("root", "create", "file")
    assert status == 2 and err.count("\n") == 1 and "file" in err
    assert lindref("root", "destroy", "fs")[0] == 2


def test_boot_6_the_time_zone(tmp_path: Path) -> None:
    """BOOT-6: a file that Python's own reader of time zones takes."""
    from zoneinfo import ZoneInfo

    path = tmp_path / "UTC"
    path.write_bytes(universal_time())
    with path.open("rb") as file:
        zone = ZoneInfo.from_file(file, key="UTC")
    from datetime import datetime, timedelta

    assert datetime(2026, 7, 1, tzinfo=zone).utcoffset() == timedelta(0)
