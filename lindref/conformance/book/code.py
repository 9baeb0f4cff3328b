"""The source files that rules are cited in, as pages with a place for every line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

_STYLE = """
body { margin: 0; font: 14px/1.45 ui-monospace, monospace; background: #fff; color: #1b1b1b }
h1 { font: 600 16px/1 system-ui, sans-serif; margin: 0; padding: 12px 16px; border-bottom: 1px solid #ccc }
pre { margin: 0; padding: 12px 16px } :target { background: #fff3b0 } a.n { color: #888; text-decoration: none }
@media (prefers-color-scheme: dark) {
 body { background: #1e2129; color: #e2e4e9 } h1 { border-color: #444 } :target { background: #55481a }
}
"""


def write_pages(root: Path, files: Iterable[str], out: Path) -> None:
    """A page ``out/FILE.html`` for each of ``files`` below ``root``; line n is ``#L<n>``."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    light, dark = HtmlFormatter(style="default", nowrap=True), HtmlFormatter(style="github-dark", nowrap=True)
    colours = light.get_style_defs("pre")
    colours += f"@media (prefers-color-scheme: dark) {{ {dark.get_style_defs('pre')} pre {{ background: none }} }}"
    for name in files:
        source = (root / name).read_text(encoding="utf-8")
        lines = highlight(source, PythonLexer(stripnl=False), light).splitlines()
        body = "\n".join(
            f'<span id="L{n}"><a class="n" href="#L{n}">{n:>4}</a>  {line}</span>' for n, line in enumerate(lines, 1)
        )
        page = out / f"{name}.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}</title>'
            f"<style>{_STYLE}{colours}</style><h1>{name}</h1><pre>{body}</pre></html>",
            encoding="utf-8",
        )
