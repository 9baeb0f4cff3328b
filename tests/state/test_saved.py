"""Saved values: they come back equal, and nothing else comes back."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lindref.state.codec import StateError, same
from lindref.state.pmap import PMap
from lindref.state.saved import load, save

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4).map(tuple)
    | st.dictionaries(st.integers(0, (1 << 64) - 1), inner, max_size=4).map(lambda d: PMap().update(d)),
    max_leaves=12,
)


@given(VALUES)
def test_a_value_comes_back(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    path = tmp_path_factory.mktemp("saved") / "x"
    save(path, "thing", value)
    assert same(load(path, "thing"), value)
    assert os.listdir(path.parent) == ["x"]


def file(tmp_path: Path) -> Path:
    path = tmp_path / "state"
    save(path, "thing", (1, "two", b"three"))
    return path


def refused(path: Path, kind: str = "thing") -> str:
    """The one line with which a file is refused; it names the file."""
    with pytest.raises(StateError) as caught:
        load(path, kind)
    text = str(caught.value)
    assert str(path) in text and "\n" not in text
    return text


def test_every_prefix_is_refused(tmp_path: Path) -> None:
    path = file(tmp_path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert "cut off" in refused(path) or "not a saved state" in refused(path)


def test_every_flipped_byte_is_refused(tmp_path: Path) -> None:
    path = file(tmp_path)
    whole = path.read_bytes()
    for i in range(len(whole)):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 0x21]) + whole[i + 1 :])
        refused(path)


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    path = file(tmp_path)
    assert "holds a thing, not a system" in refused(path, "system")
    data = path.read_bytes()
    path.write_bytes(data + b"x")
    assert "longer than it says" in refused(path)
    path.write_bytes(data.replace(b"lindref-state 1", b"lindref-state 2"))
    assert "format 2" in refused(path)
    assert "No such file" in refused(tmp_path / "absent")
    assert "Is a directory" in refused(tmp_path)


def test_a_failed_save_leaves_what_was_there(tmp_path: Path) -> None:
    path = file(tmp_path)
    before = path.read_bytes()
    with pytest.raises(StateError, match="cannot be written"):
        save(tmp_path / "absent" / "x", "thing", 1)
    (tmp_path / "folder").mkdir()
    with pytest.raises(StateError, match="cannot be written"):
        save(tmp_path / "folder", "thing", 1)
    assert path.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["folder", "state"]
    assert stat.S_ISREG(path.stat().st_mode)
