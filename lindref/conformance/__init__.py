"""Judging: suites run against this implementation or another, with verdicts as data."""
