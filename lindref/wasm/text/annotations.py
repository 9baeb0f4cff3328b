"""Custom sections in text: ``(@custom "name" (after section)? "data"*)`` among the fields of a module (spec §7.6.3)."""

from __future__ import annotations

from bisect import bisect_left

from lindref import classes
from lindref.wasm.errors import Malformed
from lindref.wasm.module import Custom
from lindref.wasm.text.lexer import Annotation, Tokens
from lindref.wasm.text.strings import StringError, is_string, string_bytes, string_name

#: The sections by their names in annotations, in the order in which they stand; the values are their ids.
SECTIONS = {
    "type": 1,
    "import": 2,
    "func": 3,
    "table": 4,
    "memory": 5,
    "tag": 13,
    "global": 6,
    "export": 7,
    "start": 8,
    "elem": 9,
    "datacount": 12,
    "code": 10,
    "data": 11,
}
_AFTER = {"first": 0, "last": 11, **SECTIONS}
_BEFORE = {"first": 0, "last": 11, **dict(zip(SECTIONS, (0, *SECTIONS.values()), strict=False))}
_RANK = {section: rank for rank, section in enumerate((0, *SECTIONS.values()))}


def read_customs(tokens: Tokens, fields: list[int], first: int, end: int, *, start: bool) -> tuple[Custom, ...]:
    """The custom sections written among ``fields`` (where each starts), from token ``first`` to the closing ``end``.

    They come in the order of the sections they follow; in a module without a start section (``start``), which alone
    cannot be there and empty, those after it follow the one before. Raises ``Malformed`` for one that stands elsewhere
    in these fields or is not written as it should be. All other annotations are left to whoever knows them.
    """
    annotations = tokens.annotations
    if not annotations:
        return ()
    found = []
    places = {*fields, end}
    skipped = bisect_left(annotations, first, key=lambda a: a.before)
    for annotation in annotations[skipped:]:
        if annotation.before > end:
            break
        if annotation.name == "custom":
            if annotation.before not in places:
                raise _malformed(tokens, annotation, "misplaced @custom annotation")
            custom = _custom(tokens, annotation)
            if custom.after == SECTIONS["start"] and not start:
                custom = classes.evolve(custom, after=SECTIONS["export"])
            found.append(custom)
    return tuple(sorted(found, key=lambda custom: _RANK[custom.after]))


def _malformed(tokens: Tokens, annotation: Annotation, message: str) -> Malformed:
    """The error for an annotation, at the token that follows it."""
    return Malformed(message, f"before {tokens.where(annotation.before)}")


def _custom(tokens: Tokens, annotation: Annotation) -> Custom:
    """The section an annotation stands for."""
    texts = list(annotation.texts)
    if not texts or not is_string(texts[0]):
        raise _malformed(tokens, annotation, "@custom annotation: missing section name")
    after, rest = 11, texts[1:]
    if rest[:1] == ["("]:
        place = {"before": _BEFORE, "after": _AFTER}.get(rest[1], {}) if len(rest) >= 4 and rest[3] == ")" else {}
        if len(rest) < 3 or rest[2] not in place or (rest[1], rest[2]) in {("before", "last"), ("after", "first")}:
            raise _malformed(tokens, annotation, "@custom annotation: malformed section kind")
        after, rest = place[rest[2]], rest[4:]
    if not all(map(is_string, rest)):
        raise _malformed(tokens, annotation, "@custom annotation: unexpected token")
    try:
        return Custom(string_name(texts[0]), b"".join(map(string_bytes, rest)), after)
    except StringError as error:
        raise _malformed(tokens, annotation, f"@custom annotation: {error}") from None
