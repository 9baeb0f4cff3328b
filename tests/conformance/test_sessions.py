"""Sessions of commands, which examples of rules are made of."""

from __future__ import annotations

import os

import pytest

from lindref.cli.main import main
from lindref.conformance.resources import folder
from lindref.conformance.sessions import SessionError, lines_of

GUESTS = folder("conformance") / "guests"


def shown(*session, files=None):
    return lines_of(session, files or {}, GUESTS, main)


def test_commands_see_the_files_and_leave_others(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = {"a/hello.wasm": "hello/main.wasm", "note": ("one", "two one")}
    lines = shown("ls", "lindref run a/hello.wasm > out", "cat out", "grep two note", "rm note", "ls", files=files)
    assert lines == [
        *("$ ls", "a  note", "$ lindref run a/hello.wasm > out", "$ cat out", "hello, world"),
        *("$ grep two note", "two one", "$ rm note", "$ ls", "a  out"),
    ]
    assert os.listdir(tmp_path) == [] and os.getcwd() == str(tmp_path)


def test_input_comes_from_a_file_and_status_is_told():
    assert shown("lindref run x.wasm") == [
        "$ lindref run x.wasm",
        "lindref run: x.wasm: No such file or directory",
        "[exit status 2]",
    ]
    files = {"count.wasm": "word_count/main.wasm", "words": ("one two",)}
    assert shown("lindref run count.wasm < words", files=files)[1] == "1 lines, 2 words, 8 bytes, 2 different"
    assert shown("lindref run count.wasm", files=files)[1] == "0 lines, 0 words, 0 bytes, 0 different"


def test_a_module_may_be_given_as_text():
    text = ("(module", ' (import "env" "memory" (memory 1 65536 shared))', ' (func (export "_start") unreachable))')
    assert "unreachable" in "".join(shown("lindref run t.wasm", files={"t.wasm": text}))


def test_changes_to_files():
    files = {"note": ("one", "two")}
    assert shown("note: one => 1", "cat note", files=files) == ["(note: one becomes 1)", "$ cat note", "1", "two"]
    with pytest.raises(SessionError, match="note has no three"):
        shown("note: three => 3", files=files)


@pytest.mark.parametrize("line", ["sh -c ls", "cat", "ls a b", "rm"])
def test_what_is_no_line(line):
    with pytest.raises(SessionError, match="no line of a session"):
        shown(line)
