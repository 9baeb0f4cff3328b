"""How a played vector is compared and judged: entries, rules for Linux, deviations. LINUX-1 to LINUX-12."""

from __future__ import annotations

import attrs
import pytest
from vector_worlds import call, entry, exits, vector

from lindref.conformance.resources import folder
from lindref.conformance.rules import rules
from lindref.conformance.vectors.compare import LOG_LOST, difference
from lindref.conformance.vectors.judge import Status, judge
from lindref.conformance.vectors.linux import LINUX_RULES
from lindref.conformance.vectors.play import play
from lindref.profile import LIND, SPEC

MMAP, MPROTECT, GETPID, LSEEK, OPEN = 9, 10, 39, 8, 2
ANYWHERE = 0x22
FILE = {"path": "/w/a", "type": "file", "mode": "0644", "text": "abc"}
OPENED = call("s0", OPEN, {"str": "/w/a"}, 0, 0)


def verdict(*steps, linux, profile=SPEC, **more):
    return judge(vector(*steps, linux=exits(*linux), **more), profile, play, model=play)


def peek_in_child():
    child = [{"id": "c", "op": "peek", "at": 0xE0000000, "width": 4}]
    status = {"at": {"buf": [2, 0]}, "len": 4, "as": "i32"}
    return [
        {"id": "s1", "op": "fork", "child": child, "exit": [231, 0]},
        call("s2", 61, -1, {"buf": [2, 0]}, 0, dump=[status]),
    ]


REASONS = {
    "LINUX-1": ([OPENED, call("s1", LSEEK, 3, 1 << 40, 0)], [entry("s0", 3), entry("s1", 1 << 40)]),
    "LINUX-2": ([call("s1", MMAP, 0, 4096, 5, ANYWHERE, -1, 0)], [entry("s1", "addr")]),
    "LINUX-3": ([call("s1", MMAP, 0, 1 << 33, 3, ANYWHERE, -1, 0)], [entry("s1", "addr")]),
    "LINUX-4": (peek_in_child(), [entry("s1", 2), entry("s2", 2, dump=[[11]])]),
    "LINUX-5": (
        [call("s1", 53, 2, 1, 0, {"buf": [0, 0]}, dump=[{"at": {"buf": [0, 0]}, "len": 8, "as": "i32"}])],
        [entry("s1", -95, dump=[[3, 4]])],
    ),
    "LINUX-6": (
        [
            call("s1", 53, 1, 2, 0, {"buf": [0, 0]}),
            call("s2", 1, 3, {"str": "abc"}, 3),
            call("s3", 45, 4, {"guest": 0xE0000000}, 4, 64, 0, 0),
            call("s4", 45, 4, {"buf": [1, 0]}, 4, 64, 0, 0),
        ],
        [entry("s1", 0), entry("s2", 3), entry("s3", -14), entry("s4", -11)],
    ),
    "LINUX-7": (
        [call("s1", MMAP, 0, 4096, 3, ANYWHERE, -1, 0), call("s2", MPROTECT, {"at": ["s1", 0]}, 4096, 8)],
        [entry("s1", "addr"), entry("s2", 0)],
    ),
    "LINUX-8": ([call("s1", MMAP, 0, 4096, 3, ANYWHERE | 0x40000, -1, 0)], [entry("s1", -12)]),
    "LINUX-10": ([call("s1", 268, -100, {"str": "/w/a"}, 0o600, 0x1000)], [entry("s1", -2)]),
    "LINUX-11": ([call("s1", 232, 99, {"buf": [0, 0]}, 0, 0)], [entry("s1", -9)]),
    "LINUX-12": ([call("s1", 62, 0, 32)], [entry("s1", 0)]),
    "LINUX-9": ([call("s1", 186)], [entry("s1", 1)]),
}


@pytest.mark.parametrize("rule", REASONS)
def test_reasons(rule):
    """Each rule is seen for what it is."""
    steps, linux = REASONS[rule]
    found = verdict(*steps, linux=linux, files=[FILE])
    assert (found.status, found.against, found.reasons) == (Status.PASSED, "linux", (rule,)), found


@pytest.mark.parametrize("rule", REASONS)
def test_reasons_excuse_nothing_else(rule):
    """A wrong answer beside the one that a rule explains is still wrong."""
    steps, linux = REASONS[rule]
    found = verdict(*steps, call("last", GETPID), linux=[*linux, entry("last", 77)], files=[FILE])
    assert found.status is Status.FAILED and "last" in found.detail


def test_rules_are_few_and_written_down():
    written = {rule.id: rule for rule in rules(folder("spec")) if rule.file == "linux.md"}
    assert [rule.id for rule in LINUX_RULES] == list(written)
    assert len(written) <= 40
    assert all(rule.source for rule in written.values())
    assert set(REASONS) == set(written)


def test_an_unexplained_answer_fails():
    found = verdict(call("s1", GETPID), linux=[entry("s1", 2)])
    assert found.status is Status.FAILED
    assert found.detail == "cage 1 s1 call 39: recorded {'ret': 2}, played {'ret': 1}"


def test_entries_on_one_side():
    missing = verdict(call("s1", GETPID), linux=[])
    assert missing.status is Status.FAILED and "recorded None" in missing.detail
    more = verdict(call("s1", GETPID), linux=[entry("s1", 1), entry("s2", 1)])
    assert more.status is Status.FAILED and "played None" in more.detail


def test_how_a_run_ends():
    died = {"outcome": "signal", "code": 9, "log": []}
    killed = vector(call("s1", 62, 1, 9), linux=died)
    assert judge(killed, SPEC, play, model=play).status is Status.PASSED
    other = attrs.evolve(killed, linux={**died, "code": 15})
    assert judge(other, SPEC, play, model=play).detail == "outcome: recorded ('exit', 143), played ('exit', 137)"


def test_an_address_is_no_error():
    ok = verdict(call("s1", MMAP, 0, 4096, 3, ANYWHERE, -1, 0), linux=[entry("s1", "addr")])
    assert (ok.status, ok.reasons) == (Status.PASSED, ())
    bad = verdict(call("s1", MMAP, 1, 4096, 3, ANYWHERE | 16, -1, 0), linux=[entry("s1", "addr")])
    assert bad.status is Status.FAILED


def test_deviations_are_named():
    """Without an answer of Linux, what makes the difference to the real system is found by trying."""
    same = vector(call("s1", 33, 50, 50), lind=exits(entry("s1", 50)))
    assert judge(same, LIND, play, model=play).status is Status.PASSED
    found = judge(same, SPEC, play, model=play)
    assert (found.status, found.against, found.reasons) == (Status.PASSED, "lind", ("DUP2-SAME",))
    wrong = vector(call("s1", 33, 50, 50), lind=exits(entry("s1", 51)))
    assert judge(wrong, SPEC, play, model=play).status is Status.FAILED


def test_another_player_is_held_to_the_model():
    """A player that differs from the model in profile spec fails, whatever the deviations explain."""
    same = vector(call("s1", 33, 50, 50), lind=exits(entry("s1", 50)))
    found = judge(same, SPEC, lambda *_: exits(entry("s1", -5)), model=play)
    assert found.status is Status.FAILED


def test_where_the_log_was_lost_only_the_end_counts():
    lost = attrs.evolve(vector(call("s1", GETPID)), tags=(LOG_LOST,))
    assert difference(lost, play(lost, LIND)) == ""
    assert difference(attrs.evolve(lost, lind=exits(code=1)), play(lost, LIND)).startswith("outcome")
