"""What the immediate host functions may know of the cage they are called in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref import classes

if TYPE_CHECKING:
    from lindref.profile import Profile
    from lindref.system.system import System
    from lindref.vm.engines import Engine
    from lindref.vm.memory import Memory


@classes.frozen(eq=False)
class CageGuest:
    """Cage ``cage`` as its runners see it; implements ``lindref.system.wasm_runner.Guest``."""

    system: System
    cage: int

    @property
    def base(self) -> int:
        """The address of its memory's byte 0."""
        return self.system.base(self.cage)

    @property
    def memory(self) -> Memory:
        """Its memory."""
        return self.system.memories[self.cage]

    @property
    def argv(self) -> tuple[bytes, ...]:
        """The arguments of its image."""
        return self.system.runtimes[self.cage].argv

    @property
    def env(self) -> tuple[bytes, ...]:
        """The environment of its image."""
        return self.system.runtimes[self.cage].env

    @property
    def max_depth(self) -> int:
        """Frames of guest calls that a thread may have."""
        return self.system.config.max_depth

    @property
    def engine(self) -> Engine:
        """Which machine runs it."""
        return self.system.engine

    def random_bytes(self, count: int) -> bytes:
        """Seeded random bytes."""
        return self.system.host.random_bytes(count)

    def note(self, text: str) -> None:
        """Tell the person running this."""
        self.system.note(None, text)

    @property
    def profile(self) -> Profile:
        """The profile in force."""
        return self.system.profile
