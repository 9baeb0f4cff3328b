"""One module for each lesson: ``check(path) -> Verdict`` tries what a student wrote, the smallest cases first."""
