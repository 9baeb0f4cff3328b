"""A run loads what it needs: start-up is most of what a small program takes."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: Whole libraries, and parts of lindref, that a plain run has no use for.
HEAVY = {
    "attr": "classes are made by lindref.classes",
    "inspect": "",
    "_hashlib": "OpenSSL; use lindref.hashing",
    "pathlib": "",
    "socket": "the host's network is opened where it is asked for",
    "json": "",
    "elftools": "DWARF is read where a place is asked for",
    "lindref.conformance": "",
    "lindref.trace": "nobody asked for a trace",
    "lindref.wasm.text": "the program is binary",
    "lindref.wasm.binary.encoder": "",
}

RUN = """
import sys
from lindref.cli.main import main
status = main(["run", "conformance/guests/hello/main.wasm"])
print(*sorted(sys.modules))
"""


def test_a_plain_run_loads_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", RUN], cwd=ROOT, capture_output=True, text=True, check=True)
    said, loaded = done.stdout.splitlines()
    assert said == "hello, world"
    assert {name: HEAVY[name] for name in loaded.split() if name in HEAVY} == {}
