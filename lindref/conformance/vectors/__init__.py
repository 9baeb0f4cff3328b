"""Recorded vectors: ``lindref vectors PATH…`` plays them on the model and compares."""
