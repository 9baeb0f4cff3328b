"""Sessions: commands of ``lindref`` one after the other in a folder of their own, as one would type them.

A line of a session is a command (``lindref run a.wasm``, at its end ``< FILE`` for what standard input holds, or
``> FILE`` for where standard output goes); ``ls [FOLDER]``, ``cat FILE``, ``grep TEXT FILE`` or ``rm FILE``; or a
change to a text file, ``FILE: OLD => NEW``. What is shown is each line behind a ``$``, then all that it writes, then
its exit status where that is not 0. Nothing else of the machine is seen: names of files are relative, the folder is
new.
"""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

#: What carries out the words of a ``lindref`` command, and gives its exit status.
Command = Callable[[Sequence[str]], int]


class SessionError(Exception):
    """A session that cannot be carried out; one line."""


def lines_of(
    session: Sequence[str], files: Mapping[str, str | Sequence[str]], guests: Path, command: Command
) -> list[str]:
    """All lines that a session shows.

    ``files`` lie in its folder at the beginning: each is that of a path from ``guests``, or has the lines that are
    given (of a ``.wasm`` or ``.so``: its text). Raises ``SessionError``.
    """
    with tempfile.TemporaryDirectory(prefix="session-") as place, contextlib.chdir(place):
        for name, what in files.items():
            _lay(Path(name), what, guests)
        known = set(sys.modules)
        try:
            return [shown for line in session for shown in _line(line, command)]
        finally:
            for name in set(sys.modules) - known:  # of grates in files of the session
                if Path(getattr(sys.modules[name], "__file__", None) or "/").is_relative_to(Path.cwd()):
                    del sys.modules[name]


def _lay(path: Path, what: str | Sequence[str], guests: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(what, str):
        path.write_bytes((guests / what).read_bytes())
    elif path.suffix in {".wasm", ".so"}:
        from lindref.wasm.binary.encoder import encode
        from lindref.wasm.text.parser import parse_module

        path.write_bytes(encode(parse_module("\n".join(what))))
    else:
        path.write_text("\n".join(what) + "\n", encoding="utf-8")
    path.chmod(0o755 if path.suffix == ".wasm" else 0o644)


def _line(line: str, command: Command) -> Iterator[str]:
    name, colon, change = line.partition(": ")
    if colon and " => " in change and " " not in name:
        old, _, new = change.partition(" => ")
        text = Path(name).read_text(encoding="utf-8")
        if old not in text:
            raise SessionError(f"{line}: {name} has no {old}")
        Path(name).write_text(text.replace(old, new), encoding="utf-8")
        yield f"({name}: {old} becomes {new})"
        return
    yield f"$ {line}"
    match shlex.split(line):
        case ["lindref", *words]:
            yield from _command(words, command)
        case ["ls", *where] if len(where) < 2:
            yield "  ".join(sorted(os.listdir(*where)))
        case ["cat", path]:
            yield from Path(path).read_text(encoding="utf-8", errors="backslashreplace").splitlines()
        case ["grep", text, path]:
            yield from (one for one in Path(path).read_text(encoding="utf-8").splitlines() if text in one)
        case ["rm", path]:
            Path(path).unlink()
        case _:
            raise SessionError(f"{line}: no line of a session")


def _command(words: list[str], command: Command) -> Iterator[str]:
    sent = given = ""
    if len(words) > 1 and words[-2] in {"<", ">"}:
        sent, given = (words[-1], "") if words[-2] == ">" else ("", words[-1])
        words = words[:-2]
    with capture() as seen, _input(given or os.devnull):
        if sent:
            with open(sent, "w", encoding="utf-8") as file, contextlib.redirect_stdout(file):
                status = command(words)
        else:
            status = command(words)
    yield from seen()
    if status:
        yield f"[exit status {status}]"


@contextlib.contextmanager
def capture() -> Iterator[Callable[[], list[str]]]:
    """What is written to standard output and standard error meanwhile: afterwards, a function gives its lines."""
    raw = io.BytesIO()
    output = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)  # programs write bytes, commands text
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        seen: list[str] = []
        yield lambda: seen
    seen += raw.getvalue().decode("utf-8", "backslashreplace").splitlines()


@contextlib.contextmanager
def _input(path: str) -> Iterator[None]:
    """Standard input from a file: programs read the descriptor itself."""
    kept, file = os.dup(0), os.open(path, os.O_RDONLY)
    try:
        os.dup2(file, 0)
        yield
    finally:
        os.dup2(kept, 0)
        os.close(kept)
        os.close(file)
