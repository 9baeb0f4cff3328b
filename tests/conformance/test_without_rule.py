"""The tool that takes a rule's code out, so that one sees whether a test notices."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"
sys.path.insert(0, str(TOOLS))

import without_rule  # noqa: E402  # a script beside the package


def test_errors_and_effects_of_a_rule_are_taken_out() -> None:
    source = (
        "def close(kernel, call):\n    '''Close (FD-4).'''\n"
        "    errors.add(call.bad, EBADF, 'FD-1')\n"
        "    if found is None:\n        return fail(EBADF, 'ZZ-9')\n"
        "    remove(kernel, call)\n    return Done(0)\n"
    )
    assert "errors.add(call.bad & False, EBADF, 'FD-1')" in (without_rule.without(source, "FD-1") or "")
    assert "if False and found is None" in (without_rule.without(source, "ZZ-9") or "")
    gone = without_rule.without(source, "FD-4") or ""
    assert "remove(kernel, call)" not in gone
    assert "return Done(0)" in gone
    assert without_rule.without(source, "ZZ-77") is None


def test_a_description_without_effects_changes_its_answer() -> None:
    assert "return not a > 1" in (
        without_rule.without("def f(a):\n    '''Whether (X-1).'''\n    return a > 1\n", "X-1") or ""
    )
    assert "Done(0 + 1)" in (without_rule.without("def f():\n    '''It (X-1).'''\n    return Done(0)\n", "X-1") or "")


@pytest.mark.campaign
@pytest.mark.parametrize("seed", [1])
def test_a_sample_of_rules_is_noticed(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["without_rule", "--sample", "15", "--seed", str(seed)])
    assert without_rule.main() == 0
