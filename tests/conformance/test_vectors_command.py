"""The command ``lindref vectors``."""

from __future__ import annotations

import json

import pytest
from vector_worlds import call, document, entry, exits

from lindref.cli.main import main

GOOD = document(call("s1", 39), lind=exits(entry("s1", 1)))
BAD = {**document(call("s1", 39), lind=exits(entry("s1", 2))), "id": "test.bad"}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "one.json").write_text(json.dumps([GOOD, BAD]))
    (tmp_path / "notes.txt").write_text("no vectors")
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "two.json").write_text("not looked at")
    return tmp_path


def run(capsys, *argv):
    status = main(["vectors", *map(str, argv)])
    out, err = capsys.readouterr()
    return status, out, err


def test_counts(folder, capsys):
    status, out, err = run(capsys, folder, "--profile", "lind")
    assert (status, err) == (1, "")
    assert out.splitlines() == [
        "test.bad: cage 1 s1 call 39: recorded {'ret': 2}, played {'ret': 1}",
        "1 passed, 1 failed, 0 skipped",
    ]


def test_only(folder, capsys):
    assert run(capsys, folder / "one.json", "--only", "*.vec*", "--verbose")[:2] == (
        0,
        "test.vector: as Lind-Wasm\n1 passed, 0 failed, 0 skipped\n",
    )
    status, out, err = run(capsys, folder, "--only", "nothing")
    assert (status, out, err) == (2, "", "lindref vectors: --only nothing: no vector is called so\n")


def test_json(folder, capsys, tmp_path):
    where = tmp_path / "verdicts.out"
    assert run(capsys, folder, "--json", where)[0] == 1
    rows = json.loads(where.read_text())
    assert [(row["id"], row["status"], row["against"]) for row in rows] == [
        ("test.vector", "passed", "lind"),
        ("test.bad", "failed", "lind"),
    ]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("{", "not JSON"),
        ("[" * 100000, "not JSON"),
        ("{}", "not a list of vectors"),
        ("[7]", "vector 0: vector: not an object: 7"),
        (json.dumps([{**GOOD, "programs": {}}]), "test.vector: vector.programs: no program 'main'"),
        (json.dumps([document({"id": "a", "op": "dance"})]), "main.steps[0]: no step is called 'dance'"),
        (json.dumps([document({"id": "a", "op": "call", "n": 1})]), "vector.programs.main.steps[0]: no 'args'"),
        (json.dumps([document(call("a", 1, {"buf": [16, 0]}))]), "args[0].buf: not a number from 0 to 15: 16"),
        (json.dumps([document(call("a", 1, "nobody"))]), "not one of self, own, unused: 'nobody'"),
        (json.dumps([document(call("a", 1, *[0] * 7))]), "steps[0].args: more than six"),
        (json.dumps([document(files=[{"path": "/w/x", "type": "socket"}])]), "files[0].type: not one of file, dir"),
        (json.dumps([document(handlers={"x": []})]), "not a slot: 'x'"),
        (json.dumps([{**GOOD, "observed": {"lind": {"outcome": "won", "log": []}}}]), "lind.outcome: not one of"),
    ],
)
def test_files_that_are_none(tmp_path, capsys, given, told):
    """One line with the place, exit status 2."""
    path = tmp_path / "bad.json"
    path.write_text(given)
    status, out, err = run(capsys, path)
    assert (status, out) == (2, "")
    assert err.startswith(f"lindref vectors: {path}: ") and told in err
    assert err.count("\n") == 1


def test_paths_that_are_none(tmp_path, capsys):
    assert run(capsys, tmp_path / "absent") == (2, "", f"lindref vectors: {tmp_path}/absent: no such file or folder\n")
    assert run(capsys, tmp_path) == (2, "", f"lindref vectors: {tmp_path}: no .json file in this folder\n")


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ([{"path": "/w/x", "type": "file"}, {"path": "/w/x/y", "type": "file"}], "/w/x/y"),
        ([{"path": "/w/x", "type": "hardlink", "target": "/w/none"}], "/w/none"),
        ([{"path": "/w", "type": "fifo"}], "/w"),
    ],
)
def test_file_trees_that_cannot_be(tmp_path, capsys, files, told):
    """A tree that cannot be made is told like a file that cannot be read."""
    path = tmp_path / "bad.json"
    path.write_text(json.dumps([document(files=files)]))
    status, out, err = run(capsys, path)
    assert (status, out) == (2, "")
    assert err.startswith("lindref vectors: test.vector: ") and told in err and err.count("\n") == 1
