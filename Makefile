# Every chore of Angarium. `make` lists them; all they need is Python 3.11 or later, and make.

SHELL := /bin/sh
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# The first Python on the PATH that is new enough; `make PYTHON=/path/to/python3` names another.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
ifeq ($(origin PYTHON), undefined)
PYTHON := $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$name" -c '$(NEW_ENOUGH)' 2>/dev/null && { echo "$$name"; break; }; done)
endif

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
PIP := $(BIN)/python -m pip --disable-pip-version-check
UV := $(or $(wildcard $(BIN)/uv),uv)
LOCK := $(UV) pip compile --quiet --upgrade --generate-hashes --no-emit-index-url --no-header \
	--universal --python-version 3.11
BUILD_REQUIRES := import tomllib; \
	print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")

.PHONY: help setup demo test test-system check lint types arrows docs-check bench drill docs format \
	lock clean

help: ## list the chores
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## make .venv with exactly what the lock file names

$(READY): requirements.lock requirements-build.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Angarium needs Python 3.11 or later; none is on the PATH." \
		"Install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c '$(NEW_ENOUGH)' || { echo "Angarium needs Python 3.11 or later;" \
		"$(PYTHON) is older, or is no Python." >&2; exit 1; }
	@$(BIN)/python -c 'import pip; $(NEW_ENOUGH)' 2>/dev/null \
		|| "$(PYTHON)" -m venv --clear $(VENV) \
		|| { rm -rf $(VENV); echo "$(PYTHON) cannot make virtual environments;" \
			"on Debian: apt-get install python3-venv" >&2; exit 1; }
	$(PIP) install --quiet --require-hashes -r requirements-build.lock -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY) ## send real traffic through an instance of its own, and show what came of it
	$(BIN)/angarium demo

test: $(READY) ## run the tests that need nothing but setup
	$(BIN)/pytest -m "not system" -n auto --dist loadfile --ignore tests/drills
	$(BIN)/pytest -m "not system" tests/drills

test-system: $(READY) ## run the tests that take long or need Debian packages (.ci/run installs them)
	$(BIN)/pytest -m system

check: lint types arrows docs-check ## look without running: style, types, imports, generated docs

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --pythonpath $(BIN)/python

arrows: $(READY)
	$(BIN)/lint-imports

docs-check: $(READY)
	$(BIN)/python docs/generate.py --check

bench: $(READY) ## measure, and print the figures that the documentation quotes; BENCH="--quick"
	$(BIN)/python -m benchmarks $(BENCH)

drill: $(READY) ## kill every process at random under load; DRILL="--kills 200 --events 100000"
	$(BIN)/python -m tests.drills.crash_loop $(DRILL)

docs: $(READY) ## write the generated pages anew
	$(BIN)/python docs/generate.py

format: $(READY) ## put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: ## choose the newest versions that pyproject.toml allows, and write the lock files
	$(LOCK) --all-extras pyproject.toml -o requirements.lock
	$(LOCK) --extra embedded --constraint requirements.lock pyproject.toml -o requirements-run.lock
	@$(PYTHON) -c '$(BUILD_REQUIRES)' | $(LOCK) - -o requirements-build.lock

clean: ## remove what the chores made
	rm -rf $(VENV) build dist src/*.egg-info .pytest_cache .mypy_cache .ruff_cache \
		.import_linter_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
