"""The book: every rule, call and deviation has its place, and every link leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lindref.cli.main import main
from lindref.conformance.book import chapters
from lindref.conformance.book.errors import of_call
from lindref.conformance.examples import scripts
from lindref.conformance.resources import folder
from lindref.conformance.rules import rules
from lindref.conformance.vectors.play import VectorSystem
from lindref.posix import errno
from lindref.posix.table import CALLS, NUMBERS
from lindref.profile import DEVIATIONS, SPEC


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("mkdocs", reason="MkDocs is not installed: pip install 'lindref[book]'")
    out = tmp_path_factory.mktemp("book") / "site"
    assert main(["spec", "book", str(out)]) == 0
    return out


def page(site: Path, name: str) -> str:
    return (site / f"{name}.html").read_text(encoding="utf-8")


def test_every_rule_has_a_place(site):
    for rule in rules(folder("spec")):
        assert page(site, rule.file.removesuffix(".md")).count(f'id="{rule.id}"') == 1, rule.id


def test_every_deviation_and_call_has_a_place(site):
    deviations, calls = page(site, "deviations"), page(site, "calls")
    assert all(deviations.count(f'id="{name}"') == 1 for name in DEVIATIONS)
    assert all(calls.count(f'id="call-{row.name}"') == 1 for row in CALLS.values())


def test_links_to_code_lead_to_lines(site):
    links = {link for path in site.glob("*.html") for link in re.findall(r'href="(code/[^"]+)"', path.read_text())}
    assert len(links) > 500
    text: dict[str, str] = {}
    for link in links:
        name, _, place = link.partition("#")
        text.setdefault(name, (site / name).read_text(encoding="utf-8"))
        assert f'id="{place}"' in text[name], link


def test_a_rule_is_linked_from_where_it_is_named(site):
    assert 'href="signals.html#SIG-13"' in page(site, "processes")
    assert 'href="deviations.html#FORK-MASK"' in page(site, "processes")


def test_a_folder_that_is_no_book_is_left_alone(tmp_path, capsys):
    pytest.importorskip("mkdocs", reason="MkDocs is not installed: pip install 'lindref[book]'")
    (tmp_path / "mine").write_text("kept", encoding="utf-8")
    assert main(["spec", "book", str(tmp_path)]) == 2
    assert "is no book" in capsys.readouterr().err
    assert (tmp_path / "mine").read_text(encoding="utf-8") == "kept"


def test_without_mkdocs(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "mkdocs.commands.build", None)
    assert main(["spec", "book", str(tmp_path / "b")]) == 2
    assert "lindref[book]" in capsys.readouterr().err


def test_a_chapter_without_a_part():
    with pytest.raises(ValueError, match="the chapter stranger"):
        chapters.ordered(frozenset({"3i", "stranger"}))
    assert [part.chapters for part in chapters.ordered(frozenset({"3i"}))] == [("3i",)]


class Errors:
    def __init__(self) -> None:
        self.entered = {}
        self.seen = set()

    def on_event(self, event):
        if event.kind == "enter":
            self.entered[event.call] = event.number
        elif event.kind == "exit" and event.rule and event.result and -134 < event.result < 0:
            self.seen.add((self.entered[event.call], errno.name_of(-event.result), event.rule))


def test_errors_read_off_the_code():
    assert of_call(CALLS[NUMBERS["getpid"]]) == []
    assert of_call(CALLS[NUMBERS["pipe2"]]) == [("EFAULT", "PIPE-1"), ("EINVAL", "PIPE-1"), ("EMFILE", "FD-3")]


def test_errors_that_calls_give_are_in_the_table():
    observer = Errors()
    for vector in scripts().values():
        system = VectorSystem(vector, SPEC)
        system.observers.append(observer)
        system.seen(vector)
    elsewhere = re.compile(r"3I-|CALL-1$|CAGE-1$|CAP-")
    for number, name, rule in observer.seen:
        if number in CALLS and not elsewhere.match(rule):
            assert (name, rule) in of_call(CALLS[number]), (CALLS[number].name, name, rule)
    assert len(observer.seen) > 140
