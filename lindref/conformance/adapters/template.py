"""What ``lindref conform new-adapter`` writes."""

from __future__ import annotations

TEMPLATE = '''\
"""An implementation of Lind as lindref's campaigns see it.

As it stands it starts `lindref run` as the implementation under test; put your runtime in its place:

    lindref conform run guests --adapter MODULE:Runtime
    lindref conform run guests --adapter MODULE:Runtime --option command=/path/to/my-runtime
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from lindref.conformance.adapters import Case, Description, NotApplicable, Observed


class Runtime:
    """Options of the command line (--option KEY=VALUE) are keyword arguments here, as texts."""

    def __init__(self, command: str = "") -> None:
        self.command = command.split() or [sys.executable, "-m", "lindref.cli.main", "run"]

    def describe(self) -> Description:
        """What it is and can do. Cases that need more are "not applicable", and the report says why."""
        return Description(
            name="my runtime",
            version="0.1",
            # "spec": what Lind promises; "lind": what the real system was recorded to do.
            profile="spec",
            # "program": wasm programs. Others: "source" (you compile the C yourself), "script", "module".
            kinds=frozenset({"program"}),
            # Leave out what you do not have; lacks says why.
            features=frozenset({"fork", "exec", "threads", "signals", "grates", "dynamic", "stdin"}),
            lacks={},
            # The events that your traces have (docs/trace.md); leave it empty if you make none. Exit status and
            # output are compared in any case; with a trace also every call, and differences name their rule.
            observes=frozenset({"enter", "route", "exit", "spawn", "exec", "end", "signal", "outcome"}),
        )

    def run(self, case: Case) -> Observed:
        """Run one case from the beginning. What you raise, or a crash, makes this case "broken", nothing else."""
        if case.program is None:
            raise NotApplicable("programs only")
        with tempfile.TemporaryDirectory() as scratch:
            program = case.program.copy_to(Path(scratch))  # the case's own folder is not to be changed
            trace = Path(scratch, "trace.jsonl")
            # These are options of `lindref run`: put those of your command here. Without a trace, leave out
            # --trace, `trace=` below, and `observes` above.
            done = subprocess.run(
                [*self.command, "--root", str(program.folder), "--trace", str(trace),
                 *(word for name, value in program.env.items() for word in ("--env", f"{name}={value}")),
                 program.argv[0], *program.argv[1:]],
                input=program.stdin, capture_output=True, check=False,
            )
            return Observed(
                status=done.returncode,
                stdout=done.stdout,
                stderr=None,  # None: not observed, so not compared
                trace=trace.read_bytes() if trace.is_file() else None,  # with `observes` it is promised
            )

    # Two methods may be added: reset(), called between cases, and close(), called at the end.
'''
