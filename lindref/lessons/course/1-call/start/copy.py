"""Copy /in to /out: write down the calls that a program would make."""

from lindref.testing import Script

O_RDONLY, O_WRONLY, O_CREAT, O_TRUNC = 0, 1, 0o100, 0o1000


def program(script: Script) -> None:
    """/in holds at most 100 bytes. /out shall hold the same, and nothing shall stay open."""
    buffer = script.buffer(100)
    source = script.call("open", "/in", O_RDONLY)
    script.call("read", source, buffer, 100)
    target = script.call("open", "/out", O_WRONLY | O_CREAT, 0o644)
    script.call("write", target, buffer, 100)
