"""Playing a vector with the puppet guest: every step is made by a wasm program through the real ABI.

``conformance/puppet/puppet.wasm`` is the image of every program; which program it is says a custom section that the
player adds. Two calls of the puppet go no further than the player: it fetches its script, and it tells what it saw.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import blake2b

from lindref.conformance.resources import folder
from lindref.conformance.vectors import image, observe
from lindref.conformance.vectors.bytecode import compile_script
from lindref.conformance.vectors.model import Json, Step, Vector
from lindref.conformance.vectors.play import PlayingSystem
from lindref.conformance.vectors.runner import RECORDER
from lindref.profile import LIND, Profile
from lindref.system.abi import SyscallRequest
from lindref.system.choices import Chooser
from lindref.system.image import Image, Images
from lindref.system.runner import Asks, RunnerEvent
from lindref.system.runtime import Config
from lindref.system.threads import Thread

#: Calls of the puppet to the player: where the script goes and how long it may be; an observation and its length.
FETCH, TELL = 1_000_002, 1_000_003
#: Words at the head of an observation: role, slot, whether in a signal handler, step, result, tries.
_HEAD = 6
_ROLES = ("", "handler", "thread")
_SECTION = "lindref.script"
#: A run that goes on for so long never ends.
MAX_TICKS = 1_000_000
#: Nobody is interrupted: a cage goes on until it waits.
_QUANTUM = 1 << 40


@cache
def puppet() -> tuple[bytes, Image]:
    """The puppet's bytes and its image, which all programs share. Raises ``OSError`` where it is not installed."""
    data = (folder("conformance") / "puppet" / "puppet.wasm").read_bytes()
    return data, Images().load(data)


def _section(script: bytes) -> bytes:
    """A custom section with a script."""
    name = _SECTION.encode()
    body = bytes([len(name)]) + name + script
    size = b""
    left = len(body)
    while left > 127:
        size += bytes([left & 127 | 128])
        left >>= 7
    return b"\0" + size + bytes([left]) + body


class PuppetImages(Images):
    """Images that are all the same program under different names."""

    def load(self, data: bytes) -> Image:
        """The puppet with the digest of this file; any other file as usual."""
        known, shared = puppet()
        if not data.startswith(known):
            return super().load(data)
        found = self._by_bytes.get(data)
        if found is None:
            found = Image(blake2b(data, digest_size=16).hexdigest(), shared.program, shared.minimum)
            self._by_bytes[data] = self._images[found.digest] = found
        return found


class CageSystem(PlayingSystem):
    """A system whose images are puppets; what they tell goes to ``journal``."""

    def __init__(self, vector: Vector, profile: Profile, chooser: Chooser | None = None) -> None:
        config = Config(workers=vector.workers, max_ticks=MAX_TICKS, quantum=_QUANTUM)
        super().__init__(profile, config, chooser)
        self.images = PuppetImages()
        #: Script and steps of each program, by the digest of its file.
        self.programs: dict[str, tuple[bytes, list[Step]]] = {}

    def add_program(self, program: image.Program) -> bytes:
        """The file that runs ``program``."""
        script = compile_script(program)
        data = puppet()[0] + _section(script)
        self.programs[self.images.load(data).digest] = (script, list(program.step_of.values()))
        return data

    def step(self, *, through: bool = False) -> bool:
        """One turn at a time: calls to the player are to come here, not to be answered while the guest runs."""
        del through
        return super().step()

    def _happened(self, thread: Thread, event: RunnerEvent) -> None:
        """Calls to the player end here."""
        if isinstance(event, Asks) and event.request.caller == RECORDER and event.request.number in (FETCH, TELL):
            answer = self._fetch if event.request.number == FETCH else self._tell
            answer(thread, event.request)
            thread.runner.resume(0)
        else:
            super()._happened(thread, event)

    def _given(self, thread: Thread, request: SyscallRequest) -> tuple[int, int]:
        """Guest address and length that a call to the player names."""
        return request.args[0].value - self.base(thread.cage), request.args[1].value

    def _fetch(self, thread: Thread, request: SyscallRequest) -> None:
        address, _ = self._given(thread, request)
        self.memories[thread.cage].try_write(address, self.programs[self.runtimes[thread.cage].digest][0])

    def _tell(self, thread: Thread, request: SyscallRequest) -> None:
        cage = thread.cage
        address, length = self._given(thread, request)
        data = self.memories[cage].try_read(address, 8 * length) or bytes(8 * _HEAD)
        words = [int.from_bytes(data[i : i + 8], "little") for i in range(0, len(data), 8)]
        role, slot, in_signal, number, result, tries = words[:_HEAD]
        step = self.programs[self.runtimes[cage].digest][1][number]
        entry: dict[str, Json] = {"cage": cage, "step": step["id"]}
        where = "signal" if in_signal and _ROLES[role] != "handler" else _ROLES[role]
        if where:
            entry["in"] = where
        order = (cage, {"": 0, "handler": 1, "thread": 2}[_ROLES[role]], slot)
        self.journal.append({"order": order, **entry, **self._seen(cage, step, observe.signed(result), tries, words)})

    def _seen(self, cage: int, step: Step, result: int, tries: int, words: list[int]) -> dict[str, Json]:
        """What an observation shows."""
        more = words[_HEAD:]
        match step["op"]:
            case "siglog":
                return {"signals": observe.words(self._read(cage, more[0], 4 * more[1]))}
            case "argv":
                pointers = observe.words(self._read(cage, more[2], 4 * (more[0] + more[1])))
                texts = [self.memories[cage].read_cstr(at & 0xFFFFFFFF, 1 << 20) or b"" for at in pointers]
                told = {"argv": observe.strings(texts[: more[0]])}
                return {**told, "env": observe.strings(texts[more[0] :])} if step.get("env") else told
            case "hargs":
                return observe.handled(step, result, more)
        entry = observe.seen(step, result, more, self.host)
        return {**entry, "count": tries} if "repeat" in step else entry

    def _read(self, cage: int, address: int, length: int) -> bytes:
        return self.memories[cage].try_read(address - self.base(cage), length) or b""


def play(vector: Vector, profile: Profile = LIND) -> Mapping[str, Json]:
    """Play a vector with the puppet; its observation."""
    return CageSystem(vector, profile).seen(vector)
