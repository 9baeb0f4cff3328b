"""Mutants: the model with one fault each, as implementations that the oracle has to find out (JUDGE-9)."""
