"""Exploration: runs a system along many schedules, and says which outcomes there are. Rules EXP-*."""
