# `make demo` runs the main job, `make test` all that must hold; each sets up its own virtual environment first.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
JOBS   ?= auto
STAMP  := $(VENV)/.installed

.PHONY: demo test test-all lint types check bench guests wheel clean

# The environment is made anew when the project file changes. A half-made one leaves no stamp.
$(STAMP): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("lindref needs Python 3.11 or newer; set PYTHON=...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	$(BIN)/python -m compileall -q lindref
	touch $(STAMP)

demo: $(STAMP)
	@FORCE_COLOR=1 $(BIN)/lindref demo

# Fast checks first; the tests in parallel, nothing run twice.
test: $(STAMP) check
	$(BIN)/python -m pytest -n $(JOBS) -m 'not campaign'

# The long campaigns: more examples, more random modules, every other Python that is present.
test-all: $(STAMP) check
	LINDREF_CAMPAIGN=long $(BIN)/python -m pytest -n $(JOBS)
	$(BIN)/python tools/other_pythons.py

check: lint types

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/python tools/lint_imports.py
	$(BIN)/python tools/lint_rooms.py
	$(BIN)/python tools/lint_rules.py

types: $(STAMP)
	$(BIN)/mypy

bench: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,bench,cc]'
	$(BIN)/python -m benchmarks

# Rebuilds the prebuilt guests; needs clang or the [cc] extra.
guests: $(STAMP)
	$(BIN)/python -m lindref.guest.build_guests

wheel: $(STAMP)
	$(BIN)/python -m pip wheel --quiet --no-deps -w dist .

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
