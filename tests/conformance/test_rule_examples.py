"""Every excerpt of ``spec/examples`` is what its run shows today."""

from __future__ import annotations

import json

import pytest

from lindref.cli.main import main
from lindref.conformance import examples
from lindref.conformance.examples import MOST_LINES, ExampleError, load, made, script_lines, scripts
from lindref.conformance.resources import folder
from lindref.conformance.rules import rules

KNOWN = load()
SCRIPTS = scripts()


@pytest.mark.parametrize("rule", sorted(KNOWN))
def test_excerpt(rule):
    example = KNOWN[rule]
    assert made(example, SCRIPTS, main) == list(example.excerpt)
    assert 0 < len(example.excerpt) <= MOST_LINES


def test_every_rule_has_an_example_or_says_why_not():
    known = rules(folder("spec"))
    assert set(KNOWN) == {rule.id for rule in known if not rule.unseen}


def test_every_script_is_played():
    assert {one.vector for one in KNOWN.values() if one.vector} == set(SCRIPTS)


def test_the_events_behind_an_excerpt_carry_its_rule():
    carried = 0
    for rule, one in KNOWN.items():
        if one.vector:
            lines = script_lines(SCRIPTS[one.vector], one.profile)
            anywhere = {name for line in lines for name in line.rules}
            shown = {name for line in lines[one.lines[0] - 1 : one.lines[1]] for name in line.rules}
            assert rule in shown or rule not in anywhere, rule
            carried += rule in shown
    assert carried > 100


def test_show_prints_the_example(capsys):
    assert main(["spec", "show", "FD-1"]) == 0
    out = capsys.readouterr().out
    assert "EBADF" in out and all(line in out for line in KNOWN["FD-1"].excerpt)


def test_what_is_no_example_file(tmp_path):
    (tmp_path / "fd.json").write_text("{", encoding="utf-8")
    with pytest.raises(ExampleError, match=r"fd\.json: not JSON"):
        load(tmp_path)
    (tmp_path / "fd.json").write_text(json.dumps({"FD-1": {"shape": 1}}), encoding="utf-8")
    with pytest.raises(ExampleError, match="FD-1"):
        load(tmp_path)
    (tmp_path / "fd.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ExampleError, match="not an object"):
        load(tmp_path)


def test_an_example_of_an_unknown_script():
    with pytest.raises(ExampleError, match="no script nowhere"):
        made(examples.Example("FD-1", (), vector="nowhere"), {}, main)


def test_a_rule_that_no_run_shows_says_so(tmp_path):
    text = "- **X-1** Text.\n  *Why:* so.\n  *No example:* unseen.\n- **X-2** Text.\n"
    (tmp_path / "x.md").write_text(text, encoding="utf-8")
    assert [(rule.reason, rule.unseen) for rule in rules(tmp_path)] == [("so.", "unseen."), ("", "")]


def test_an_example_of_what_cannot_be_done():
    with pytest.raises(ExampleError, match="FD-1: sh: no line of a session"):
        made(examples.Example("FD-1", (), session=("sh",)), {}, main)
