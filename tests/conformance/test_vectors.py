"""The recorded answers of the real system and of Linux, area by area, in both profiles, from both players."""

from __future__ import annotations

import json

import attrs
import pytest

from lindref.conformance.vectors import cage
from lindref.conformance.vectors.judge import Status, judge
from lindref.conformance.vectors.linux import LINUX_RULES
from lindref.conformance.vectors.model import load
from lindref.conformance.vectors.play import play
from lindref.profile import DEVIATIONS, LIND, SPEC

AREAS = (
    *("3i-basic", "3i-copy", "3i-inherit", "3i-meta", "3i-pass", "3i-reg", "3i-stack", "3i-table"),
    *("dir", "fd", "futex", "io", "mem", "misc", "net", "path", "pipe", "poll", "proc", "sig", "stat", "time"),
)


def recorded(shared, area):
    """The vectors of an area."""
    found = load(shared / "vectors" / f"{area}.json")
    assert found
    return found


def test_areas_are_all(shared):
    assert sorted(AREAS) == sorted(path.stem for path in (shared / "vectors").glob("*.json"))


PLAYERS = {"direct": play, "cage": cage.play}


@pytest.mark.parametrize("player", PLAYERS)
@pytest.mark.parametrize("profile", [LIND, SPEC], ids=lambda profile: profile.name)
@pytest.mark.parametrize("area", AREAS)
def test_recorded(shared, area, profile, player):
    """Profile lind answers all as recorded; profile spec as Linux or for a reason that has a name."""
    verdicts = [judge(one, profile, PLAYERS[player], model=play) for one in recorded(shared, area)]
    assert [str(one) for one in verdicts if one.status is not Status.PASSED] == []
    reasons = {reason for one in verdicts for reason in one.reasons}
    assert reasons <= {rule.id for rule in LINUX_RULES} | set(DEVIATIONS)
    assert profile is SPEC or reasons == set()


def _spoiled(vector):
    """The vector with one answer that is not the recorded one."""
    whole = json.loads(json.dumps(vector.lind))
    entry = next((one for one in whole["log"] if isinstance(one.get("ret"), int)), None)
    if entry is None:
        return None
    entry["ret"] += 1
    return attrs.evolve(vector, lind=whole)


@pytest.mark.parametrize("area", ["pipe", "3i-stack", "futex"])
def test_another_answer_fails(shared, area):
    """What was not answered so is a failure that names the step."""
    for vector in filter(None, map(_spoiled, recorded(shared, area))):
        verdict = judge(vector, LIND, play, model=play)
        assert verdict.status is Status.FAILED and "recorded" in verdict.detail, vector.id
