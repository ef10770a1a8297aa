# Terrace. Each target makes ready what it needs: a fresh Debian 12 with root or sudo is enough.
#
#   make demo        install what is missing, start the example shop, kill a machine and watch it heal
#   make demo-down   take the demo away again, every trace of it
#   make test        everything: check, mutants, and the tests on a real engine
#   make check       fast checks only: no root, no engine (ruff, mypy, import-linter, tests)
#   make mutants     plant each known fault and see that the tests notice   (ONLY=name for one)
#   make bench       measure, print a table, write bench/results.json        (ONLY=name for one)
#   make bench-full  the long measurements too
#   make soak        the long random runs: crashes, simulation with many seeds
#   make docs        write the generated reference again
#
#   make real        only the tests on a real engine                         (ARGS='-k name')
#   make venv        only the virtual environment, .venv
#   make apt         only the system packages that the real engine needs
#   make fmt         format, and mend what ruff can mend
#   make pins        resolve requirements*.txt again from requirements*.in
#   make clean       remove what the targets above left in this folder

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
# Two workers by default, as many as the smallest machine this is built on has cores.
WORKERS ?= 2
# On a real engine most of the time is waiting. Each worker has an engine of its own; ARGS='-n 0' for all in one process.
REAL_WORKERS ?= 3
ARGS ?=
ONLY ?=
# The private engine of the tests is root's; its tests leave nothing in a folder that is not.
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo -H env CI='$(CI)' PYTHONDONTWRITEBYTECODE=1)

.PHONY: help demo demo-down test check lint fast mutants real bench bench-full soak docs venv apt fmt pins clean

help:
	@sed -n 's/^# \{0,1\}//; 1,/^$$/p; /^  make/p' Makefile | awk 'NR > 1 && /^  make/ || NR == 1'

venv:
	@scripts/setup.sh venv

apt:
	@scripts/setup.sh tools

demo: venv apt
	@scripts/demo.sh up

demo-down:
	@scripts/demo.sh down

# -- checks ---------------------------------------------------------------------------------------

lint: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fast: venv
	$(PYTEST) -n $(WORKERS) --ignore=tests/real --ignore=tests/mutants $(ARGS)

check: lint fast

mutants: venv
	$(BIN)/python scripts/mutants.py $(ONLY)

real: venv apt
	$(SUDO) $(PYTEST) tests/real -n $(REAL_WORKERS) --dist loadfile --no-loadscope-reorder $(if $(SUDO),-p no:cacheprovider) $(ARGS)

test: check mutants real

soak: venv apt
	TERRACE_SOAK=1 $(PYTEST) tests/scenarios tests/properties -m soak $(ARGS)
	$(SUDO) env TERRACE_SOAK=1 $(PYTEST) tests/real -m soak $(ARGS)

# -- measurements, documents, upkeep --------------------------------------------------------------

bench: venv apt
	$(BIN)/python -m bench $(ONLY)

bench-full: venv apt
	$(BIN)/python -m bench --full $(ONLY)

docs: venv
	$(BIN)/python scripts/docs.py

fmt: venv
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

pins:
	scripts/setup.sh pins

clean:
	rm -rf .venv build dist bench/.work .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests scripts bench -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
