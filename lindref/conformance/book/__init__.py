"""The specification as a book: the chapters of ``spec/``, and what is generated beside them, as a site."""
