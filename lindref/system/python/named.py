"""From the words of a command line to grates: ``MODULE:CLASS[,OPTION=VALUE…]``, or ``FILE.py:CLASS…``."""

from __future__ import annotations

import inspect
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from lindref.system.python.grate import Grate, GrateError

#: What a word that names no grate is told.
WANT = "want MODULE:CLASS, FILE.py:CLASS, or the file of a wasm grate"


def load(text: str) -> Grate:
    """The grate that the words name, made with their options; raises ``GrateError``."""
    name, *options = _split(text)
    module, colon, path = name.rpartition(":")
    if not colon or not module or not path:
        raise GrateError(f"{text!r}: {WANT}")
    found: Any = _module(name, module)
    for part in path.split("."):
        found = getattr(found, part, None)
    if found is None:
        raise GrateError(f"{name}: {module} has no class {path}")
    if not isinstance(found, type):
        raise GrateError(f"{name}: {path} is no class")
    if not issubclass(found, Grate):
        raise GrateError(f"{name}: {path} is no grate, it does not derive from lindref.Grate")
    return _make(found, name, options)


def _module(name: str, module: str) -> ModuleType:
    """The module, imported; whatever a stranger's code does then is one line."""
    try:
        return _from_file(name, Path(module)) if module.endswith(".py") else import_module(module)
    except GrateError as error:
        said = str(error)
        raise GrateError(said if said.startswith(f"{name}: ") else f"{name}: {said}") from None
    except ModuleNotFoundError as error:
        missing = f"there is no module {error.name!r}"
        mine = error.name is not None and f"{module}.".startswith(f"{error.name}.")
        raise GrateError(f"{name}: {missing}" if mine else f"{name}: importing {module}: {missing}") from None
    except (Exception, SystemExit) as error:  # noqa: BLE001  # a stranger's module
        if isinstance(error, TypeError | ValueError) and not all(map(str.isidentifier, module.split("."))):
            raise GrateError(f"{name}: {module!r} is no name of a module; {WANT}") from None
        said = " ".join(str(error).split())
        raise GrateError(f"{name}: importing {module}: {type(error).__name__}: {said}".rstrip(": ")) from None


def _from_file(name: str, file: Path) -> ModuleType:
    """The module of a file, under the file's name, so that a saved state finds its classes again."""
    if not file.is_file():
        raise GrateError(f"{name}: {file}: No such file or directory")
    known = sys.modules.get(file.stem)
    if known is not None:
        place = getattr(known, "__file__", None)
        if place is not None and Path(place).resolve() == file.resolve():
            return known
        raise GrateError(f"{name}: a module called {file.stem} is there already; give the file another name")
    spec = spec_from_file_location(file.stem, file.resolve())
    assert spec is not None, "its name ends in .py"
    assert spec.loader is not None
    made = module_from_spec(spec)
    sys.modules[file.stem] = made
    try:
        spec.loader.exec_module(made)
    except BaseException:
        del sys.modules[file.stem]
        raise
    return made


def _split(text: str) -> list[str]:
    """Commas part options; two commas stand for one."""
    return [part.replace("\0", ",") for part in text.replace(",,", "\0").split(",")]


def _make(cls: type[Grate], name: str, options: list[str]) -> Grate:
    given: dict[str, Any] = {}
    known = inspect.signature(cls.__init__).parameters
    named = {key: p for key, p in list(known.items())[1:] if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    for option in options:
        key, equals, value = option.partition("=")
        if key not in named:
            takes = f"it takes {', '.join(named)}" if named else "it takes none"
            raise GrateError(f"{name}: no option {option!r} ({takes})")
        if not equals:
            raise GrateError(f"{name}: option {key} wants a value: {key}=...")
        try:
            given[key] = int(value, 0) if named[key].annotation in (int, "int", "int | None") else value
        except ValueError:
            raise GrateError(f"{name}: option {key} is a whole number, not {value!r}") from None
    missing = [key for key, p in named.items() if p.default is p.empty and key not in given]
    if missing:
        raise GrateError(f"{name}: option {missing[0]} must be given: {name},{missing[0]}=...")
    try:
        return cls(**given)
    except GrateError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001  # a stranger's class
        text = " ".join(str(error).split())
        raise GrateError(f"{name}: {text or type(error).__name__}") from None
