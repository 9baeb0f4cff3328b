"""The guided lessons of ``lindref learn``: eight texts whose code is run where they are read.

``course`` holds one folder a lesson: its text (``lesson.md``), the programs it runs as C and as wasm, what an exercise
begins with (``start``) and a model solution (``solution``). The terminal and the notebooks are made of the same text.
"""

from lindref.lessons.text import Lesson, LessonError, find, lessons

__all__ = ["Lesson", "LessonError", "find", "lessons"]
