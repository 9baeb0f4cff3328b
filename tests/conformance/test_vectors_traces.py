"""The 3i calls that the real runtime logged while it played some of the vectors."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import pytest

from lindref.conformance.vectors.cage import CageSystem
from lindref.conformance.vectors.model import VectorError, load
from lindref.conformance.vectors.play import VectorSystem, prepare
from lindref.conformance.vectors.traces import CallLog, difference, follow, load_trace
from lindref.profile import LIND
from lindref.system.choices import Replay, parse_schedule

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "traces"
NAMES = sorted(path.stem for path in FOLDER.glob("*.jsonl")) or ["(none)"]
PLAYERS = {"direct": VectorSystem, "cage": CageSystem}


def recorded(shared, name):
    """A vector and the calls of its trace."""
    (vector,) = [one for one in load(shared / "vectors" / f"{name.split('.')[0]}.json") if one.id == name]
    return vector, load_trace(shared / "vectors" / "traces" / f"{name}.jsonl")


@pytest.mark.parametrize("player", PLAYERS)
@pytest.mark.parametrize("name", NAMES)
def test_recorded_calls(shared, name, player):
    """Some order of the threads makes the same calls: caller, number, target, arguments, who serves, result, depth."""
    vector, calls = recorded(shared, name)
    differs, schedule = follow(calls, vector, lambda chooser: PLAYERS[player](vector, LIND, chooser))
    assert differs == ""
    system = PLAYERS[player](vector, LIND, Replay(parse_schedule(schedule)))
    log = CallLog(system)
    prepare(system, vector)
    system.run()
    assert difference(calls, log.calls) == ("", None)
    assert len(log.calls) == len(calls)


def _with(call, change):
    (name, value) = change
    if name == "args":
        return attrs.evolve(call, args=(*call.args[:2], (value, call.args[2][1]), *call.args[3:]))
    return attrs.evolve(call, **{name: value})


CHANGES = [("number", 4999), ("target", 9), ("handler", 33), ("result", -77), ("depth", 5), ("args", 12345)]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change[0])
def test_every_other_call_is_a_difference(shared, change):
    """A trace in which one call is another is not followed, whichever call."""
    vector, calls = recorded(shared, "3i-stack.plus.depth3")
    for place in range(len(calls)):
        if change[0] == "args" and calls[place].maps_image:
            continue
        changed = [*calls[:place], _with(calls[place], change), *calls[place + 1 :]]
        differs, _ = follow(changed, vector, lambda chooser: VectorSystem(vector, LIND, chooser), runs=1)
        assert differs, calls[place]
    for changed in (calls[:-1], [*calls, calls[-1]]):
        assert follow(changed, vector, lambda chooser: VectorSystem(vector, LIND, chooser), runs=1)[0]


def test_places_are_one_to_one(shared):
    """Two places that are one in the recording are one in the run."""
    vector, calls = recorded(shared, "3i-basic.copyin.path")
    strings = [place for place, call in enumerate(calls) if call.number == 2]
    first, second = strings[:2]
    assert calls[first].args[0] != calls[second].args[0]
    one = attrs.evolve(calls[second], args=(calls[first].args[0], *calls[second].args[1:]))
    changed = [*calls[:second], one, *calls[second + 1 :]]
    assert follow(changed, vector, lambda chooser: VectorSystem(vector, LIND, chooser), runs=1)[0]


def test_a_line_that_is_no_call(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({"i": 1}) + "\n")
    with pytest.raises(VectorError, match=r"x\.jsonl:1: not a recorded call"):
        load_trace(path)
