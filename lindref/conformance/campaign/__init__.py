"""Campaigns: the cases of a suite run on an implementation, each with a verdict (``lindref conform``)."""

from __future__ import annotations

from lindref.conformance.campaign.command import main

__all__ = ["main"]
