"""All mutants."""

from __future__ import annotations

from collections.abc import Mapping

from lindref.conformance.mutants import cages, descriptors, files, interposition
from lindref.conformance.mutants.patch import Mutant

#: By name, in the order of their areas.
MUTANTS: Mapping[str, Mutant] = {
    mutant.name: mutant for module in (files, descriptors, cages, interposition) for mutant in module.MUTANTS
}

__all__ = ["MUTANTS", "Mutant"]
