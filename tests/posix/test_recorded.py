"""The recorded answers of the real system and of Linux for calls about files, descriptors, pipes, sockets and waiting.

Profile ``lind`` answers every vector of these areas as the real system did. Profile ``spec`` answers as Linux did, but
for the vectors in ``recorded.toml``, each of which has a reason there.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import attrs
import pytest

from lindref.conformance.vectors.compare import difference
from lindref.conformance.vectors.model import load
from lindref.conformance.vectors.play import play
from lindref.profile import LIND, SPEC

AREAS = ("fd", "io", "stat", "dir", "path", "pipe", "poll", "net", "misc")
KNOWN = tomllib.loads((Path(__file__).parent / "recorded.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("area", [*AREAS, "mem"])
def test_the_real_system(shared, area):
    """Every vector, and every one of SysV shared memory."""
    vectors = [v for v in load(shared / "vectors" / f"{area}.json") if area != "mem" or ".shm." in v.id]
    assert vectors
    different = {v.id: told for v in vectors if (told := difference(v, play(v, LIND)))}
    assert different == {}


@pytest.mark.parametrize("area", AREAS)
def test_linux(shared, area):
    """Where Linux was asked; what differs is listed, and what is listed differs."""
    path = shared / "vectors" / f"{area}.json"
    answers = {one["id"]: one["observed"].get("linux") for one in json.loads(path.read_text(encoding="utf-8"))}
    different = {}
    for vector in load(path):
        answer = answers[vector.id]
        if answer is not None and (told := difference(attrs.evolve(vector, lind=answer), play(vector, SPEC))):
            different[vector.id] = told
    listed = {one: reason for one, reason in KNOWN.items() if one.startswith(area + ".")}
    assert {one: told for one, told in different.items() if one not in listed} == {}
    assert set(listed) == set(different)
    assert all(listed.values())
