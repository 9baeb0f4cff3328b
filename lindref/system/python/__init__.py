"""Grates written in Python: classes whose methods serve calls, as cages whose handlers are plain data while they wait.

``grate`` is what an author writes against, ``runner`` runs one handler, ``stack`` puts grates over a cage. Rules PY-*.
"""
