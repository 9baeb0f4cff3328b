"""The report as JSON, with everything that is known."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import lindref
from lindref.conformance.campaign.report.about import Campaign
from lindref.conformance.campaign.result import Status


def document(campaign: Campaign) -> dict[str, Any]:
    """The report: ``adapter``, ``suites``, ``counts``, ``failed``, ``results`` (one a case), ``rules``."""
    said = campaign.said
    counts = Counter(result.status for result in campaign.results)
    return {
        "format": "lindref-conformance",
        "version": 1,
        "lindref": lindref.__version__,
        "adapter": {
            "name": said.name,
            "version": said.version,
            "profile": said.profile,
            "kinds": sorted(said.kinds),
            "features": sorted(said.features),
            "observes": sorted(said.observes),
            "lacks": dict(said.lacks),
            "options": dict(campaign.options),
        },
        "suites": list(campaign.suites),
        "counts": {status.value: counts[status] for status in Status},
        "failed": sum(result.failed for result in campaign.results),
        "results": [result.as_json() for result in campaign.results],
        "rules": [
            {
                "rule": one.rule,
                "reach": one.reach.value,
                "reason": one.reason,
                "cases": one.cases,
                "failed": one.failed,
            }
            for one in campaign.covered
        ],
    }


def text(campaign: Campaign) -> str:
    """The report as text."""
    return json.dumps(document(campaign), indent=1, ensure_ascii=False) + "\n"
