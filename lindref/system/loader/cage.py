"""What the loader needs of the cage it loads into."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref import classes
from lindref.posix import memory, vmmap
from lindref.posix.constants import PAGE
from lindref.posix.fs.walk import root_of
from lindref.system.image import Image
from lindref.system.loader import files
from lindref.system.loader.files import FOLDERS, Found
from lindref.system.loader.layout import LOW_END

if TYPE_CHECKING:
    from lindref.profile import Profile
    from lindref.system.loader.loader import Loader
    from lindref.system.system import System


@classes.frozen(eq=False)
class LoadingCage:
    """Cage ``cage`` as its loaders see it."""

    system: System
    cage: int

    @property
    def profile(self) -> Profile:
        """The profile in force."""
        return self.system.profile

    def library(self, name: bytes) -> Found | None:
        """The file that ``dlopen`` means by a name: a path from the working directory, or (not as recorded) a name in
        the library folders (DL-1)."""
        kernel = self.system.kernel
        cage = kernel.cages[self.cage]
        start = (kernel.host_cwd or root_of(kernel)) if kernel.profile.has("HOST-CWD") else cage.cwd_inode
        found = files.open_module(kernel, name, start) if name else None
        if found is None and name and b"/" not in name and not kernel.profile.has("DL-FOLDERS"):
            found = files.in_folders(kernel, name, FOLDERS)
        return found or (files.anything(kernel, name, start) if name else None)

    def needed_library(self, name: str) -> Found | None:
        """The file that a ``dylink.0`` section means by a name."""
        return self.library(name.encode())

    def load(self, data: bytes) -> Image:
        """The image of a module; raises ``ImageError``."""
        return self.system.images.load(data)

    def image(self, digest: str) -> Image:
        """An image that was loaded."""
        return self.system.images[digest]

    def set_heap(self, start: int) -> None:
        """The heap begins at an offset."""
        memory.set_heap(self.system.kernel, self.cage, start)

    def low_space(self, size: int) -> int | None:
        """A free place for ``size`` bytes below 2 GiB: at the upper end of the highest gap that has a page more."""
        count, end = size // PAGE, LOW_END // PAGE
        best = None
        for low, high in vmmap.gaps(self.system.kernel.cages[self.cage].vmmap):
            if min(high, end) - low > count:
                best = min(high, end) - 1 - count
        return None if best is None else best * PAGE

    def siblings(self, loader: Loader) -> list[Loader]:
        """The loaders of the cage's other threads."""
        out = []
        for thread in self.system.own_threads(self.cage):
            other: Loader | None = getattr(thread.runner, "loader", None)
            if other is not None and other is not loader:
                other.touched = True
                out.append(other)
        return out

    def note(self, text: str) -> None:
        """Tell the person running this."""
        self.system.note(None, text)
