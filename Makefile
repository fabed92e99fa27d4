# Each target works as the first and only command on a fresh clone, with Python 3.11 or later and a package index.

PYTHON ?= python3
VENV ?= .venv
MINUTES ?= 60
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help run test check unit fuzz bench clean

help:
	@echo "make run    open the console; without a key it talks to the embedded demo models"
	@echo "make test   check the code and run every test"
	@echo "make check  lint, types and import contracts alone"
	@echo "make unit   the tests alone"
	@echo "make fuzz   look for an hour for input that breaks it; less with MINUTES=10"
	@echo "make bench  every benchmark; each prints one JSON object"
	@echo "make clean  remove the virtual environment and what the tools left"

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or later is needed; say which: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/installed: $(VENV)/made pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

run: $(VENV)/installed
	@$(BIN)/tui-orchestrator $(ARGS)

test: check unit

check: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n auto

fuzz: $(VENV)/installed-dev
	FUZZ_MINUTES=$(MINUTES) $(BIN)/python -m pytest -n 0 tests/fuzz

bench: $(VENV)/installed-dev
	@for file in benchmarks/*.py; do $(BIN)/python $$file || exit 1; done

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
