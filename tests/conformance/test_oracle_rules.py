"""The rule that a verdict names speaks of the difference itself (JUDGE-6)."""

from __future__ import annotations

import pytest

from lindref.conformance.mutants.catalogue import MUTANTS
from lindref.conformance.mutants.hunt import find_out
from lindref.conformance.mutants.ordinary import ORDINARY
from lindref.profile import SPEC

#: Faults and the rules that they break.
NAMED = {
    "getfl-loses-append": "FCNTL-3",
    "setfd-lost": "FCNTL-6",
    "dupfd-ignores-least": "FCNTL-2",
    "lseek-end-off-by-one": "FILE-SEEK-1",
    "write-one-short": "FILE-WRITE-1",
    "block-as-set": "SIG-16",
    "deregister-lost": "3I-ROUTE-3",
    "register-keeps-first": "3I-ROUTE-2",
    "copy-answers-zero": "3I-DATA-6",
    "clock-unknown": "TIME-2",
    "sleep-interrupted": "TIME-4",
}


@pytest.mark.parametrize("name", list(NAMED))
def test_the_rule_is_that_of_the_difference(name: str) -> None:
    found = next(found for vector in ORDINARY if (found := find_out(MUTANTS[name], vector, SPEC)) is not None)
    assert (found.by_trace, found.rule) == (True, NAMED[name]), found.what
