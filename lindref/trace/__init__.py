"""Views of the event stream: JSON lines for programs, strace's look for people."""
