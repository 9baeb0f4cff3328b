"""Running programs of the host on behalf of an adapter."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from lindref import classes


@classes.frozen
class Ran:
    """How a program of the host ended: its status as a shell tells it (128+n for signal n), and its output."""

    status: int
    stdout: bytes
    stderr: bytes


def run(
    command: Sequence[str],
    *,
    folder: Path,
    env: Mapping[str, str],
    stdin: bytes = b"",
    executable: Path | None = None,
) -> Ran:
    """Run a command to its end. Raises ``OSError`` where it cannot be started. How long it may take is the campaign's
    business, which ends the whole process.
    """
    done = subprocess.run(
        command,
        executable=executable,
        cwd=folder,
        env=dict(env),
        input=stdin,
        capture_output=True,
        check=False,
    )
    status = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return Ran(status, done.stdout, done.stderr)
