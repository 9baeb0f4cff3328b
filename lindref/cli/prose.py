"""Markdown of lessons for terminals: wrapped prose, with the few marks that lessons use."""

from __future__ import annotations

import re
import textwrap

_BOLD, _DIM, _ITALIC, _CODE, _HEAD = "1", "2", "3", "36", "1;4"
_MARKS = re.compile(r"\*\*(.+?)\*\*|`([^`]+)`|\*([^*]+)\*")


class Prose:
    """Writes for a terminal ``width`` columns wide, with or without ``colour``."""

    def __init__(self, width: int, *, colour: bool) -> None:
        self.width = max(min(width, 92), 40)
        self.colour = colour

    def paint(self, text: str, code: str) -> str:
        """``text`` in a style, where there are colours."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text

    def prose(self, text: str) -> str:
        """Paragraphs, headings, lists and tables."""
        return "\n\n".join(self._paragraph(one) for one in re.split(r"\n\s*\n", text.strip())) + "\n"

    def title(self, text: str) -> str:
        """The heading of a lesson."""
        return self._underlined(text, _HEAD) + "\n"

    def _underlined(self, text: str, code: str) -> str:
        line = "=" if code == _HEAD else "-"
        return self.paint(text, code) if self.colour else f"{text}\n{line * len(text)}"

    def code(self, text: str, name: str = "") -> str:
        """A source or a cell, indented; ``name``: what it is."""
        head = self.paint(f"    {name}", _DIM) + "\n" if name else ""
        return head + "".join(f"    {self.paint(line, _CODE)}".rstrip() + "\n" for line in text.splitlines())

    def output(self, text: str) -> str:
        """What a cell has shown."""
        bar = self.paint("  │ ", _DIM)
        return "".join(f"{bar}{line}".rstrip() + "\n" for line in text.splitlines())

    def _paragraph(self, text: str) -> str:
        if text.startswith("#"):
            return self._underlined(text.lstrip("# "), _BOLD)
        if text.startswith("|"):
            return "\n".join(self._inline(line) for line in text.splitlines())
        items = re.split(r"\n(?=[-*] |\d+\. )", text)
        if re.match(r"[-*] |\d+\. ", text):
            return "\n".join(self._wrapped(item, " " * len(re.match(r"\S+ ", item)[0])) for item in items)  # type: ignore[index]
        return self._wrapped(text, "")

    def _wrapped(self, text: str, indent: str) -> str:
        plain = " ".join(text.split())
        wrapped = textwrap.fill(plain, self.width, subsequent_indent=indent, break_on_hyphens=False)
        return self._inline(wrapped)

    def _inline(self, text: str) -> str:
        """Marks within lines; without colours code keeps its quotes."""

        def mark(found: re.Match[str]) -> str:
            bold, code, italic = found.groups()
            if bold:
                return self.paint(bold, _BOLD)
            if code:
                return self.paint(code, _CODE) if self.colour else f"`{code}`"
            return self.paint(italic, _ITALIC)

        # A mark may go over the end of a line.
        return re.sub(_MARKS.pattern, mark, text, flags=re.DOTALL)
