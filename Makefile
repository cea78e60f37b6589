# Everything a checkout needs, on a machine that has only make and Python 3.11 or newer.

PYTHON ?= python3
VENV := .venv/bin
SETUP := $(PYTHON) -m gridmap.bootstrap setup
NPM := $(PYTHON) -m gridmap.bootstrap npm

# Extra words for the verb or for pytest: make demo ARGS="--help", make test ARGS="-k routing".
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help python setup setup-tests demo demo-check test test-all lint lock

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: setup ## install what is missing and run the demo district until Ctrl-C
	@exec $(VENV)/gridmap demo $(ARGS)

demo-check: setup ## the same on a free port: walk the main job as a client would, then stop
	@exec $(VENV)/gridmap demo --check $(ARGS)

test: setup-tests lint ## everything but the slow tests
	$(NPM) run test
	$(VENV)/python -m pytest -n 2 --dist loadscope -m "not slow" $(ARGS)

test-all: setup-tests lint ## every test
	$(NPM) run test
	$(VENV)/python -m pytest -n 2 --dist loadscope $(ARGS)

lint: setup-tests ## style and types, Python and TypeScript
	$(VENV)/python -m ruff check .
	$(VENV)/python -m mypy
	$(NPM) run typecheck

setup: python ## install and build what is missing or has changed
	@$(SETUP)

setup-tests: python
	@$(SETUP) --tests

lock: ## pin the Python dependencies anew (needs uv)
	$(PYTHON) -m gridmap.bootstrap.lock

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "gridmap needs Python 3.11 or newer as $(PYTHON); or name one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
