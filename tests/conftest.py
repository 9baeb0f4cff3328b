"""What all tests share: the hypothesis profiles, and the material outside the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]

# The same examples in every run: a failure can be repeated, and a run that was green stays green.
settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    max_examples=60,
    stateful_step_count=40,
    database=None,
    suppress_health_check=_SLOW,
)
# New examples in each run, many of them: `LINDREF_CAMPAIGN=long pytest ...`.
settings.register_profile(
    "long", deadline=None, max_examples=3000, stateful_step_count=120, database=None, suppress_health_check=_SLOW
)
settings.load_profile(os.environ.get("LINDREF_CAMPAIGN", "ci"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of facts, recordings and official scripts beside the repository."""
    path = Path(__file__).resolve().parents[2] / "shared"
    if not path.is_dir():
        pytest.skip(f"needs the shared material in {path}, which is absent")
    return path
