"""What RawPOSIX needs of the system around it (``lindref.posix.kernel.Host``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref import classes
from lindref.hashing import blake2b
from lindref.posix.usermem import model_base, model_resolve

if TYPE_CHECKING:
    from lindref.posix.kernel import Address, ChoiceKind
    from lindref.profile import Profile
    from lindref.system.system import System
    from lindref.vm.memory import Memory

_BLOCK = 64


@classes.frozen(eq=False)
class SystemHost:
    """The system, as RawPOSIX sees it."""

    system: System

    @property
    def profile(self) -> Profile:
        """The profile in force."""
        return self.system.profile

    def choose(self, kind: ChoiceKind, options: int) -> int:
        """A choice point of RawPOSIX (SCHED-1)."""
        return self.system.choices.choose(kind.value, options)

    def memory(self, cage: int) -> Memory | None:
        """A cage's memory."""
        return self.system.memory(cage)

    def base(self, cage: int) -> int:
        """The address of byte 0 of a cage's memory (ABI-5)."""
        return model_base(cage)

    def resolve(self, address: int) -> Address | None:
        """The place that a host address names."""
        return model_resolve(address)

    def random_bytes(self, count: int) -> bytes:
        """The next ``count`` bytes of the stream that the seed gives."""
        system = self.system
        start = system.drawn
        system.drawn += count
        first, last = start // _BLOCK, (start + count + _BLOCK - 1) // _BLOCK
        key = f"random/{system.config.seed}".encode()
        stream = b"".join(
            blake2b(block.to_bytes(8, "little"), key=key, digest_size=_BLOCK).digest()
            for block in range(first, last)
        )
        return stream[start - first * _BLOCK :][:count]

    def warn(self, text: str) -> None:
        """Tell the person running this."""
        self.system.note(None, text)
