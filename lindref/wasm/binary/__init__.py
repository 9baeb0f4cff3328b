"""The binary format (spec §5): bytes to a module and back."""
