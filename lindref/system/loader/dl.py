"""dlopen, dlsym and dlclose as the host functions that libc's are made of (DL-1 to DL-7). Failure is a negated code."""

from __future__ import annotations

from collections.abc import Iterable

from lindref.state.records import replace
from lindref.system.image import Image, ImageError
from lindref.system.loader import plan, scope
from lindref.system.loader.files import Found
from lindref.system.loader.layout import ENV, GOT_FUNC, GOT_MEM, INTERNAL
from lindref.system.loader.loader import HostDies, Loader
from lindref.system.loader.records import OPENED, Job, Library, Loaded
from lindref.system.loader.scope import RTLD_GLOBAL
from lindref.system.loader.steps import promoted

#: What the host functions say when they fail, negated; libc has a text for each.
NOT_FOUND, NOT_A_MODULE, NOT_DYNAMIC, NO_DEPENDENCY = 1, 2, 3, 4
BAD_HANDLE, NO_SYMBOL, CLOSED, INTERNAL_ERROR = 6, 7, 8, 9

RTLD_NOLOAD = 0x4
RTLD_NODELETE = 0x1000

#: Handles of ``dlsym`` that are none.
DEFAULT, NEXT = 0, -1


def dlopen(loader: Loader, name: bytes | None, mode: int) -> int | None:
    """The handle or a negated code; ``None``: a load has begun, whose end brings the result.

    ``name`` is ``None`` for a null pointer.
    """
    linkage = loader.linkage
    if linkage.threaded and loader.has("DL-THREADS"):
        raise HostDies("dlopen within threads is not supported", "DL-THREADS")
    if name is None:
        return _open_program(loader, mode)
    found = loader.guest.library(name)
    if found is None:
        return -NOT_FOUND
    known = _known(loader, found, mode)
    if known is not None:
        return known
    if mode & RTLD_NOLOAD and not loader.has("DL-MODES"):
        return -NOT_FOUND
    return _begin(loader, found, mode)


def _open_program(loader: Loader, mode: int) -> int:
    """The program itself has a handle, too (DL-1)."""
    for library in loader.linkage.libraries:
        if library.module < 0:
            return _again(loader, library, mode)
    return _give(loader, Library(loader.linkage.handles + 1, -1, 1, mode))


def _give(loader: Loader, library: Library) -> int:
    linkage = loader.linkage
    loader.change(handles=library.handle, libraries=(*linkage.libraries, library))
    return library.handle


def _again(loader: Loader, library: Library, mode: int) -> int:
    """A library that is there is opened once more (DL-3)."""
    kept = library.mode
    if not loader.has("DL-MODES"):
        kept |= mode & (RTLD_GLOBAL | RTLD_NODELETE)
    _change(loader, replace(library, refs=library.refs + 1, mode=kept))
    if kept & ~library.mode & RTLD_GLOBAL:
        promoted(loader)
    return library.handle


def _change(loader: Loader, library: Library) -> None:
    libraries = loader.linkage.libraries
    loader.change(libraries=tuple(library if one.handle == library.handle else one for one in libraries))


def _known(loader: Loader, found: Found, mode: int) -> int | None:
    """The handle of a file that is loaded already (DL-3)."""
    linkage = loader.linkage
    for library in linkage.libraries:
        if library.module >= 0 and linkage.modules[library.module].inode == found.inode:
            if library.refs or library.mode & RTLD_NODELETE or not loader.has("DL-CLOSE"):
                return _again(loader, library, mode)
    if not loader.has("DL-CLOSE"):
        for index, loaded in enumerate(linkage.modules):
            if loaded.inode == found.inode and loaded.instance >= 0:
                return _give(loader, Library(linkage.handles + 1, index, 1, mode))
    return None


def _begin(loader: Loader, found: Found, mode: int) -> int | None:
    """Begin to load a library, with what it needs."""
    if found.data[:4] != b"\0asm":
        return -NOT_A_MODULE
    new: list[tuple[Found, Image]] = []
    code = _gather(loader, found, new)
    if code:
        return -code
    first = len(loader.linkage.modules)
    numbers = {m.inode: i for i, m in enumerate(loader.linkage.modules)}
    numbers |= {each.inode: first + i for i, (each, _) in enumerate(new)}
    records = []
    for each, image in new:
        needed = [] if loader.has("DL-NEEDED") else _needed(loader, image)
        indices = tuple(numbers[n.inode] for n in needed if n is not None)
        records.append(Loaded(image.digest, image.name, ENV, OPENED, each.path, each.inode, indices))
    loader.change(modules=(*loader.linkage.modules, *records))
    last = first + len(new) - 1
    steps = plan.library_alone(last) if loader.has("DL-ORDER") else plan.library_with_needed(range(first, last + 1))
    loader.jobs = (*loader.jobs, Job(steps, last, mode))
    return None


def _needed(loader: Loader, image: Image) -> list[Found | None]:
    assert image.dylink is not None
    return [loader.guest.needed_library(name) for name in image.dylink.needed]


def _gather(loader: Loader, found: Found, new: list[tuple[Found, Image]]) -> int:
    """Append to ``new`` the modules that are to be loaded for ``found``, needed ones first; an error code or 0.

    Needed modules are not looked at as recorded (DL-NEEDED). A circle ends at the module it comes back to.
    """
    present = {m.inode for m in loader.linkage.modules}
    pending: list[tuple[Found, Image | None]] = [(found, None)]
    entered: set[int] = set()
    while pending:
        each, image = pending.pop()
        if image is not None:
            new.append((each, image))
            continue
        if (each.inode in present and each is not found) or each.inode in entered:
            continue
        entered.add(each.inode)
        try:
            image = loader.guest.load(each.data)
        except ImageError as error:
            loader.guest.note(f"dlopen {each.path.decode(errors='replace')}: {error}")
            return NOT_A_MODULE
        if image.dylink is None:
            return NOT_DYNAMIC
        pending.append((each, image))
        for needed in [] if loader.has("DL-NEEDED") else _needed(loader, image):
            if needed is None:
                return NO_DEPENDENCY
            pending.append((needed, None))
    return 0


def opened(loader: Loader, job: Job) -> int:
    """The result of a load for ``dlopen`` that is complete."""
    return next(lib.handle for lib in loader.linkage.libraries if lib.module == job.opens)


def failed(loader: Loader, job: Job, text: str) -> int:
    """A load for ``dlopen`` has failed; as recorded what it did so far stays (DL-7)."""
    linkage = loader.linkage
    loader.guest.note(f"dlopen {linkage.modules[job.opens].path.decode(errors='replace')}: {text}")
    if not loader.has("DL-FAILED"):
        gone = [lib.handle for lib in linkage.libraries if lib.module == job.opens]
        loader.change(
            handles=linkage.handles - (linkage.handles in gone),
            libraries=tuple(lib for lib in linkage.libraries if lib.module != job.opens),
            published=tuple(i for i in linkage.published if i != job.opens),
            modules=tuple(replace(m, inode=0) if i == job.opens else m for i, m in enumerate(linkage.modules)),
        )
    return -INTERNAL_ERROR


# dlsym, dlclose.


def dlsym(loader: Loader, handle: int, name: bytes, caller: int | None) -> int:
    """The address or slot of a symbol, or a negated code (DL-4, DL-5). ``caller`` is the module that asks."""
    linkage = loader.linkage
    symbol = name.decode("utf-8", "replace")
    if handle == NEXT:
        if loader.has("DL-NEXT"):
            raise HostDies("dlsym: RTLD_NEXT is not supported", "DL-NEXT")
        order = scope.global_scope(linkage)
        after = order.index(caller) + 1 if caller in order else 0
        return _lookup(loader, order[after:], symbol)
    if handle == DEFAULT:
        return _lookup(loader, _default(loader), symbol)
    library = next((lib for lib in linkage.libraries if lib.handle == handle), None)
    if library is None:
        return -NO_SYMBOL if loader.has("DL-CLOSE") else -BAD_HANDLE
    if not library.refs and not library.mode & RTLD_NODELETE:
        return -NO_SYMBOL if loader.has("DL-CLOSE") else -CLOSED
    if library.module < 0:
        return _lookup(loader, scope.global_scope(linkage), symbol)
    only = [library.module] if loader.has("DL-NEEDED") else scope.closure(linkage, [library.module])
    return _lookup(loader, only, symbol)


def _default(loader: Loader) -> list[int]:
    """The modules that ``dlsym(RTLD_DEFAULT)`` looks at (DL-5)."""
    linkage = loader.linkage
    if not loader.has("DL-DEFAULT"):
        return scope.global_scope(linkage)
    return [lib.module for lib in linkage.libraries if lib.refs and lib.mode & RTLD_GLOBAL]


def _lookup(loader: Loader, order: Iterable[int], name: str) -> int:
    linkage = loader.linkage
    for index in order:
        for kind in (GOT_FUNC, GOT_MEM):
            found = scope.value(loader.tables, linkage, [index], kind, name)
            if found and name not in INTERNAL and name not in linkage.modules[index].unseen:
                return found
    return -NO_SYMBOL


def dlclose(loader: Loader, handle: int) -> int:
    """Close a library once; the module stays where it is (DL-6)."""
    library = next((lib for lib in loader.linkage.libraries if lib.handle == handle), None)
    if library is not None and library.refs:
        _change(loader, replace(library, refs=library.refs - 1))
        return 0
    if loader.has("DL-CLOSE"):
        return 0
    return -BAD_HANDLE if library is None else -CLOSED
