"""Random valid modules, for comparing machines instruction by instruction."""
