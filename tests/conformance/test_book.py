"""The book: every rule, call and deviation has its place, and every link leads somewhere."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from lindref.cli.main import main
from lindref.conformance.book import chapters, reference
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


def test_every_link_leads_somewhere_in_the_book(site):
    links: dict[Path, set[str]] = {}
    places: dict[Path, set[str]] = {}
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        places[path] = {unescape(name) for name in re.findall(r'\bid="([^"]+)"', text)}
        links[path] = {unescape(link) for link in re.findall(r'<[^>]*\b(?:href|src)="?([^" >]+)', text)}
    lost, elsewhere, code = set(), set(), 0
    for path, found in links.items():
        for link in found:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                elsewhere.add(link)
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            place = unquote(parts.fragment)
            if not target.exists() or (place and target in places and place not in places[target]):
                lost.add((path.name, link))
            code += path.parent == site and link.startswith("code/")
    assert not lost
    assert elsewhere == {"https://squidfunk.github.io/mkdocs-material/"}  # who made the theme
    assert code > 500


def test_every_property_has_its_line():
    rows = re.findall(r"^\| ([A-Z]?\d+) \|", reference.properties_page(), re.MULTILINE)
    assert rows[:51] == [str(number) for number in range(1, 52)]
    assert len(set(rows)) == len(rows) > 51


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


def test_the_log_has_every_decision():
    """All 22 places where documents and code disagree (3i.md 8.3), and the 17 deviations from POSIX (8.4)."""
    text = (folder("spec") / "decisions.md").read_text(encoding="utf-8")
    assert {int(number) for number in re.findall(r"\*\(3i\.md 8\.3, (\d+)\)\*", text)} == set(range(1, 23))
    known = {rule.id: rule for rule in rules(folder("spec"))}
    rows = re.findall(r"^\| .* \| \[([A-Z0-9-]+)\]\(.*\) \| `([A-Z0-9-]+)` \|$", text, re.MULTILINE)
    assert len(rows) == 17
    assert all(deviation in DEVIATIONS and f"`{deviation}`" in known[rule].text for rule, deviation in rows)
