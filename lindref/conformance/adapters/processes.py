"""Running programs of the host on behalf of an adapter."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from lindref import classes


@classes.frozen
class Ran:
    """How a program of the host ended: its status as a shell tells it (128+n for signal n, which is ``signal``), and
    its output. One that had to be ended was ``hung``; its status says nothing.
    """

    status: int
    stdout: bytes
    stderr: bytes
    signal: int = 0
    hung: bool = False


def run(
    command: Sequence[str],
    *,
    folder: Path,
    env: Mapping[str, str],
    stdin: bytes = b"",
    executable: Path | None = None,
    patience: float | None = None,
) -> Ran:
    """Run a command to its end, or for ``patience`` seconds. Raises ``OSError`` where it cannot be started. How long it
    may take is else the campaign's business, which ends the whole process.
    """
    try:
        done = subprocess.run(
            command,
            executable=executable,
            cwd=folder,
            env=dict(env),
            input=stdin,
            capture_output=True,
            check=False,
            timeout=patience,
        )
    except subprocess.TimeoutExpired as late:
        return Ran(0, late.stdout or b"", late.stderr or b"", hung=True)
    status = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return Ran(status, done.stdout, done.stderr, max(-done.returncode, 0))
