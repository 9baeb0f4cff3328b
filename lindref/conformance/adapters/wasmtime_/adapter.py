"""The adapter: guests, and generated modules."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lindref.conformance.adapters.case import Case, Program
from lindref.conformance.adapters.interface import AdapterError, Description, NotApplicable, Observed
from lindref.conformance.adapters.own import observed
from lindref.conformance.adapters.wasmtime_ import engine as engines
from lindref.posix import console
from lindref.system.boot import BootError, boot
from lindref.system.events import EVENTS
from lindref.system.image import Image
from lindref.system.runner import Runner
from lindref.system.runtime import Config
from lindref.system.system import System
from lindref.system.threads import Thread
from lindref.trace.jsonl import JsonTrace

_NO_STACK = "the engine cannot copy a stack: guests have to be rewritten, which takes wasm-opt"


class EngineSystem(System):
    """lindref's 3i and RawPOSIX, with guests on the engine."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.runners: list[Any] = []
        from lindref.conformance.adapters.wasmtime_.memory import Shares

        self.engine_files = Shares()
        #: The words that start wasm-opt, where guests are rewritten.
        self.tool: tuple[str, ...] = ()

    def fork_memory(self, parent: int, child: int) -> None:
        """The child's memory begins as the parent's."""
        from lindref.conformance.adapters.wasmtime_.memory import EngineMemory

        self.new_memory(child)
        source, copy = self.memories[parent], self.memories[child]
        assert isinstance(source, EngineMemory)
        assert isinstance(copy, EngineMemory)
        source.copy_into(copy)

    def add_thread(self, cage: int, tid: int, runner: Runner) -> Thread:
        """A thread that came by a fork is to be let go of, too."""
        if runner not in self.runners and hasattr(runner, "end"):
            self.runners.append(runner)
        return super().add_thread(cage, tid, runner)

    def new_memory(self, cage: int) -> None:
        """A memory of the engine, in a store of its own."""
        from lindref.conformance.adapters.wasmtime_.memory import EngineMemory

        self.drop_memory(cage)
        item = engines.shared_memory()
        import ctypes

        start = ctypes.cast(item.data_ptr(), ctypes.c_void_p).value
        assert start is not None
        self.memories[cage] = EngineMemory(item, start, self.kernel.backings, self.engine_files, self.budget)

    def image_runner(self, cage: int) -> Runner:
        """The engine at the beginning of the cage's image."""
        from lindref.conformance.adapters.wasmtime_.runner import EngineRunner

        image: Image = self.images[self.runtimes[cage].digest]
        made = EngineRunner(self.guest(cage), image, self.tool)
        self.runners.append(made)
        return made

    def finish(self) -> None:
        """Let go of the engine's threads."""
        for runner in self.runners:
            runner.end()
        self.engine_files.close()


class Wasmtime:
    """wasmtime, in profile ``spec``. ``wasm_opt``: the command that starts binaryen's wasm-opt (``none``: without it;
    default: $LINDREF_WASM_OPT, or on PATH): guests are rewritten by it, and can fork then.
    """

    def __init__(self, wasm_opt: str = "") -> None:
        if find_spec("wasmtime") is None:
            raise AdapterError("adapter wasmtime: install lindref with the extra 'wasmtime'")
        words = shlex.split(wasm_opt or os.environ.get("LINDREF_WASM_OPT", "")) or ["wasm-opt"]
        self.tool = () if words == ["none"] or shutil.which(words[0]) is None else tuple(words)
        if wasm_opt not in ("", "none") and not self.tool:
            raise AdapterError(f"adapter wasmtime: no {wasm_opt}")

    def describe(self) -> Description:
        """One thread at a time, turns taken at calls; signals where calls come back; modules with everything."""
        from importlib.metadata import version

        return Description(
            "wasmtime",
            version("wasmtime"),
            kinds=frozenset({"program", "module"}),
            features=frozenset({"exec", "signals", "stdin", *(["fork", "threads"] if self.tool else [])}),
            observes=frozenset({*(kind.kind for kind in EVENTS), "outcome"}),
            lacks={
                "fork": _NO_STACK,
                "threads": _NO_STACK,
                "grates": "workers are not built",
                "dynamic": "its loader is lindref's own",
                "script": "the puppet forks and makes threads",
            },
        )

    def run(self, case: Case) -> Observed:
        """Run it on the engine."""
        if case.calls is not None:
            return Observed(results=engines.run_calls(case.calls))
        if case.program is None:
            raise NotApplicable("programs and modules only")
        with tempfile.TemporaryDirectory(prefix="lindref-") as place:
            return self._program(case.program.copy_to(Path(place)))

    def _program(self, program: Program) -> Observed:
        text = io.StringIO()
        traces: list[JsonTrace] = []
        systems: list[EngineSystem] = []

        def observe(system: System) -> None:
            assert isinstance(system, EngineSystem)
            systems.append(system)
            system.tool = self.tool
            traces.append(JsonTrace(system, text.write, argv=list(program.argv)))
            system.observers.append(traces[0])

        try:
            system = boot(
                program.argv[0],
                program.argv[1:],
                root=program.folder,
                env=program.env,
                config=Config(),
                observe=observe,
                make=EngineSystem,
            )
            console.feed_stdin(system.kernel, program.stdin)
            console.end_stdin(system.kernel)
            outcome = system.run()
        except BootError as error:
            raise NotApplicable(str(error)) from None
        finally:
            for made in systems:
                made.finish()
        return observed(system, outcome, traces[0], text)
