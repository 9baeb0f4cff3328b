"""The book as a site: its pages, and what MkDocs makes of them (extra ``book``)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from lindref.conformance import examples
from lindref.conformance.book import chapters, code, pages, reference
from lindref.conformance.resources import folder, root
from lindref.conformance.rules import citations, family, rules

#: The generated pages, with their titles in the contents.
_REFERENCE = {
    "All rules": "rules.md",
    "Calls and their errors": "calls.md",
    "Deviations": "deviations.md",
    "Choice points": "choices.md",
    "Properties": "properties.md",
    "The trace format": "format.md",
}
#: What lets one search a book that is opened from a file. The offline plugin would load one from elsewhere.
_SHIM = "iframe-worker.js"


class BookError(Exception):
    """The book cannot be built; one line."""


def gather() -> pages.Book:
    """What the pages are made of, from this installation; tests are known in a checkout only."""
    known = {one.id: one for one in rules(folder("spec"))}
    families = frozenset(map(family, known))
    tests = citations(root(), ["tests"], families) if (root() / "tests").is_dir() else {}
    return pages.Book(known, citations(root(), ["lindref"], families), tests, examples.load())


def write_sources(out: Path) -> list[dict[str, object]]:
    """The book's pages as Markdown below ``out``, and the pages of the code beside them; returns the contents."""
    book = gather()
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder("spec").glob("*.md"))}
    contents: list[dict[str, object]] = [{"About this book": "index.md"}]
    for part in chapters.ordered(frozenset(texts)):
        contents.append({part.title: [f"{name}.md" for name in part.chapters]})
    contents.append({"Reference": [{title: name} for title, name in _REFERENCE.items()]})
    made = {f"{name}.md": pages.chapter(book, text) for name, text in texts.items() if name != "README"}
    made |= {
        "index.md": book.linked(texts["README"]),
        "rules.md": reference.rules_page(book),
        "calls.md": reference.calls_page(book),
        "deviations.md": reference.deviations_page(book),
        "choices.md": reference.choices_page(),
        "properties.md": reference.properties_page(),
        "format.md": _format_page(),
    }
    out.mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        (out / name).write_text(text, encoding="utf-8")
    files = {one.file for cited in (book.code, book.tests) for places in cited.values() for one in places}
    code.write_pages(root(), sorted(files), out / "code")
    (out / _SHIM).write_bytes(Path(__file__).with_name(_SHIM).read_bytes())
    return contents


def _format_page() -> str:
    """The description of traces, from the documentation where there is a checkout, else from the schema's texts."""
    described = root() / "docs" / "trace.md"
    if described.is_file():
        return described.read_text(encoding="utf-8")
    from lindref.trace.format import schema

    return "# The trace format\n\n```json\n" + json.dumps(schema(), indent=1) + "\n```\n"


def build(out: Path) -> int:
    """The whole site in ``out``, which is made anew; returns the number of its rules. Raises ``BookError``."""
    try:
        from mkdocs.commands.build import build as mkdocs_build
        from mkdocs.config import load_config
        from mkdocs.exceptions import MkDocsException
    except ImportError:
        raise BookError("the book is built with MkDocs: pip install 'lindref[book]'") from None
    if out.exists() and (not out.is_dir() or any(out.iterdir())) and not (out / "sitemap.xml").exists():
        raise BookError(f"{out}: is there already, and is no book")
    sources = out.with_name(f".{out.name}.sources")
    try:
        shutil.rmtree(sources, ignore_errors=True)
        contents = write_sources(sources / "docs")
        settings = sources / "mkdocs.json"
        settings.write_text(json.dumps(_settings(sources, out, contents)), encoding="utf-8")
        mkdocs_build(load_config(str(settings)))
        (out / "404.html").unlink(missing_ok=True)  # for servers; its links hold at their top alone
    except (MkDocsException, OSError, ValueError, examples.ExampleError) as error:
        raise BookError(f"{out}: {error}") from None
    finally:
        shutil.rmtree(sources, ignore_errors=True)
    return len(rules(folder("spec")))


def _settings(sources: Path, out: Path, contents: list[dict[str, object]]) -> dict[str, object]:
    def palette(scheme: str, media: str, icon: str, name: str) -> dict[str, object]:
        toggle = {"icon": icon, "name": name}
        return {"media": media, "scheme": scheme, "primary": "indigo", "accent": "indigo", "toggle": toggle}

    light = palette("default", "(prefers-color-scheme: light)", "material/weather-night", "Dark")
    dark = palette("slate", "(prefers-color-scheme: dark)", "material/weather-sunny", "Light")
    return {
        "site_name": "Lind-Wasm: the specification",
        "site_url": "",
        "docs_dir": str((sources / "docs").resolve()),
        "site_dir": str(out.resolve()),
        "use_directory_urls": False,
        "strict": True,
        "nav": contents,
        "theme": {
            "name": "material",
            "font": False,
            "features": ["navigation.sections", "navigation.footer", "toc.follow", "search.highlight"],
            "palette": [light, dark],
        },
        "markdown_extensions": [
            "admonition", "attr_list", "tables", "pymdownx.details", "pymdownx.superfences", "pymdownx.highlight",
            {"toc": {"permalink": True, "toc_depth": 4}},
        ],
        "plugins": ["material/search", "material/offline"],
        "extra": {"polyfills": [_SHIM]},
        "validation": {"links": {"anchors": "warn"}},
    }  # fmt: skip
