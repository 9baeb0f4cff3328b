"""The examples of docs/api.md and docs/properties.md, and of docstrings, are run."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from lindref.lessons.text import COURSE

ROOT = Path(__file__).resolve().parents[2]


def test_the_examples_of_the_documentation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(COURSE / "4-grate")
    failed, tried = doctest.testfile(
        str(ROOT / "docs" / "api.md"),
        module_relative=False,
        optionflags=doctest.IGNORE_EXCEPTION_DETAIL,
        encoding="utf-8",
    )
    assert tried > 50 and not failed


def test_the_examples_of_properties() -> None:
    failed, tried = doctest.testfile(
        str(ROOT / "docs" / "properties.md"),
        module_relative=False,
        optionflags=doctest.IGNORE_EXCEPTION_DETAIL,
        encoding="utf-8",
    )
    assert tried > 10 and not failed
