# Everything a developer does, by name; `make` alone lists it. Needs Python >= 3.11 and make.
# All paths are relative and tools run as `python -m`, so the checkout may lie in a path with
# spaces (scripts in .venv/bin name their interpreter by its whole path).

# The first Python on the machine that is new enough; say PYTHON=... for another.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	command -v $$p >/dev/null 2>&1 \
	&& $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$p && break; done)
# Test processes; 0 runs in one, where a debugger works.
WORKERS ?= 2
# More for pytest: make test ARGS="-k unet"
ARGS ?=

BENCHMARKS := pooling models area metrics losses

PY := .venv/bin/python
STAMP := .venv/.installed
# A test file stays in one process; tests/conftest.py has the order in which files begin.
PYTEST = $(PY) -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup demo picture notebook test test-all lint format types docs bench clean
.DELETE_ON_ERROR:

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-10s %s\n", $$1, $$2}' Makefile

setup: $(STAMP) ## .venv with the package (editable) and the tools, once

# The stamp lies in the environment: it goes when the environment goes, and a later change of
# either file installs again. pip is asked for, as a failed `venv` leaves a python without it.
$(STAMP): pyproject.toml constraints.txt
	@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "semseg needs Python 3.11 or newer, found: $(if $(PYTHON),$$('$(PYTHON)' --version 2>&1 || true),none)"; \
		echo "install one, or name it: make PYTHON=/path/to/python3.11"; exit 1; } >&2
	@echo "setting up .venv with $(PYTHON): a few minutes, once"
	@$(PY) -m pip --version >/dev/null 2>&1 || '$(PYTHON)' -m venv --clear .venv
	$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $@

demo: $(STAMP) ## train, score, save and draw a U-Net: examples/quickstart.py
	$(PY) examples/quickstart.py

picture: demo ## make the README's picture again, from what the demo drew
	$(PY) -c "from PIL import Image; \
		picture = Image.open('outputs/quickstart/predictions.png').convert('RGB'); \
		picture.quantize(256).save('docs/images/quickstart.png', optimize=True)"

notebook: $(STAMP) ## run the notebook's script and write it with its outputs (20 minutes)
	$(PY) docs/notebook.py

test: $(STAMP) ## the whole suite: tests, docstring examples, examples
	$(PYTEST) $(ARGS)

test-all: $(STAMP) ## nightly: slow tests, many more random examples, deliberate faults
	HYPOTHESIS_PROFILE=nightly $(PYTEST) -m "" $(ARGS)
	$(PY) tests/mutate.py

lint: $(STAMP) ## check style and format, change nothing
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

format: $(STAMP) ## put the code into the project's format
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

types: $(STAMP) ## check the type hints
	$(PY) -m mypy

docs: $(STAMP) ## build the documentation site: docs/_build/html/index.html
	@$(PY) -c 'import furo, myst_parser, sphinx_copybutton' 2>/dev/null \
		|| $(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[docs]"
	$(PY) -m sphinx -W --keep-going -q -b html docs docs/_build/html

bench: $(STAMP) ## run the benchmarks; their peers are an extra: pip install -e ".[bench]"
	@for name in $(BENCHMARKS); do \
		echo "== $$name"; $(PY) benchmarks/$$name.py || exit 1; done

clean: ## remove what was built and cached, .venv too; outputs/ stays
	rm -rf .venv build dist docs/_build *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
