"""The text format (spec §6) and the script language of the official tests."""
