"""Starts the adapter, for clients that want a program of one word."""

import sys

from lindref.cli.main import main

sys.exit(main(["dap", *sys.argv[1:]]))
