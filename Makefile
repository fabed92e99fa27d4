# Each target works as the first and only command on a fresh clone, with Python 3.11 or later and a package index.

PYTHON ?= python3
VENV ?= .venv
MINUTES ?= 60
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help run test check unit thorough fuzz bench audit sbom clean

help:
	@echo "make run       open the console; without a key it talks to the embedded demo models"
	@echo "make test      check the code and run the tests"
	@echo "make check     lint, types and import contracts alone"
	@echo "make unit      the tests alone"
	@echo "make thorough  the tests, with every cell of every product and many more examples"
	@echo "make fuzz      look for an hour for input that breaks it; less with MINUTES=10"
	@echo "make bench     every benchmark; each prints one JSON object"
	@echo "make audit     ask which pinned versions have known vulnerabilities; needs the network"
	@echo "make sbom      write sbom.json, what the program is made of (CycloneDX)"
	@echo "make clean     remove the virtual environment and what the tools left"

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

# Side by side: the types are checked on one processor, which would leave the others idle.
test: $(VENV)/installed-dev
	@$(MAKE) --no-print-directory --jobs 2 check unit

check: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n auto --dist worksteal

thorough: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n auto --dist worksteal --thorough

fuzz: $(VENV)/installed-dev
	FUZZ_MINUTES=$(MINUTES) $(BIN)/python -m pytest -n 0 tests/fuzz

bench: $(VENV)/installed-dev
	@for file in benchmarks/*.py; do $(BIN)/python $$file || exit 1; done

# Tools of their own, beside what the program runs with.
$(VENV)/installed-audit: $(VENV)/made
	$(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1 cyclonedx-bom==7.5.0
	@touch $@

audit: $(VENV)/installed-audit
	$(VENV)/audit/bin/pip-audit --requirement constraints.txt --no-deps --disable-pip --strict

sbom: $(VENV)/installed-audit
	$(VENV)/audit/bin/cyclonedx-py requirements constraints.txt --pyproject pyproject.toml --output-file sbom.json

clean:
	rm -rf $(VENV) sbom.json .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
