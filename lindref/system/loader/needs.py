"""Which libraries a program is loaded with: those asked for, or those that it needs (DYN-1)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from lindref import classes
from lindref.posix.fs import roots
from lindref.posix.kernel import Kernel
from lindref.system.image import Image, ImageError, Images
from lindref.system.loader.files import FOLDERS, SUFFIXES, Found, in_folders, open_module
from lindref.system.loader.layout import ENV, GOT
from lindref.system.loader.place import PROVIDED
from lindref.wasm.module import ExternKind

#: What a dynamic program gets by itself where the root has it (DYN-1).
STANDARD = (b"libc", b"libm")


@classes.frozen
class Preload:
    """A library that a program is loaded with."""

    namespace: str
    found: Found
    image: Image


def _load(images: Images, found: Found) -> Image:
    try:
        return images.load(found.data)
    except ImageError as error:
        raise ImageError(f"{found.path.decode(errors='replace')}: {error}") from None


def explicit(kernel: Kernel, images: Images, words: tuple[tuple[str, str], ...]) -> list[Preload]:
    """The libraries that were asked for, all of which must be there; raises ``ImageError``."""
    out = []
    for namespace, path in words:
        found = open_module(kernel, path.encode())
        if found is None:
            raise ImageError(f"preload {namespace}={path}: no such file in the root")
        image = _load(images, found)
        if image.dylink is None:
            raise ImageError(f"preload {namespace}={path}: not a shared library (no dylink.0 section)")
        out.append(Preload(namespace, found, image))
    return out


def needs(kernel: Kernel, images: Images, main: Image, folder: bytes, *, follow: bool) -> list[Preload]:
    """The libraries that a program gets by itself (DYN-1).

    With ``follow`` those that its modules name as needed, from the program's folder and the library folders, and of
    the standard ones those that define something that is missing; else the standard ones that are there.
    """
    out: list[Preload] = []
    if follow:
        _follow(kernel, images, main, (folder, *FOLDERS), out)
    for stem in STANDARD:
        found = next(_standard(kernel, stem), None)
        if found is None or any(p.found.inode == found.inode for p in out):
            continue
        image = _load(images, found)
        if image.dylink is not None and (not follow or _missing([main, *(p.image for p in out)]) & _names(image)):
            out.append(Preload(ENV, found, image))
    return out


def stand_in(kernel: Kernel, libraries: Sequence[str]) -> None:
    """Add to the root the host's libraries, where it has none of that name (BOOT-5)."""
    for library in libraries:
        name = os.fsencode(os.path.basename(library))
        stem = name.rpartition(b".")[0]
        if not any(in_folders(kernel, stem + suffix, FOLDERS) for suffix in SUFFIXES):
            with open(library, "rb") as file:
                roots.add_file(kernel, b"/lib/" + name, file.read(), 0o755)


def _standard(kernel: Kernel, stem: bytes) -> Iterator[Found]:
    for suffix in SUFFIXES:
        found = in_folders(kernel, stem + suffix, FOLDERS)
        if found is not None:
            yield found


def _follow(
    kernel: Kernel, images: Images, main: Image, folders: tuple[bytes, ...], out: list[Preload]
) -> None:
    """Append what ``main`` and its libraries name as needed, each once, needed ones before who needs them."""
    entered: set[int] = set()
    pending: list[tuple[Image, Found | None, bool]] = [(main, None, False)]
    while pending:
        image, found, left = pending.pop()
        if found is not None and left:
            out.append(Preload(ENV, found, image))
            continue
        if found is not None:
            if found.inode in entered:
                continue
            entered.add(found.inode)
            pending.append((image, found, True))
        assert image.dylink is not None
        for name in reversed(image.dylink.needed):
            wanted = in_folders(kernel, name.encode(), folders)
            if wanted is None:
                raise ImageError(f"needed library {name}: not in {', '.join(f.decode() or '/' for f in folders)}")
            library = _load(images, wanted)
            if library.dylink is None:
                raise ImageError(f"needed library {name}: not a shared library (no dylink.0 section)")
            pending.append((library, wanted, False))


def _names(image: Image) -> set[str]:
    """What a module exports."""
    return {export.name for export in image.program.module.exports}


def _missing(images: list[Image]) -> set[str]:
    """What modules import of each other and none exports."""
    provided = {(module, name) for module, name, _, _ in PROVIDED}
    wanted = {
        item.name
        for image in images
        for item in image.program.module.imports
        if (item.module, item.name) not in provided
        and (item.module in GOT or (item.module == ENV and item.kind is ExternKind.FUNC))
    }
    return wanted.difference(*map(_names, images))
