# One word each; every target makes the environment it needs. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
LOCK := uv pip compile pyproject.toml --python-version 3.11 --universal --generate-hashes \
	--no-emit-index-url --no-header --no-annotate --quiet
# The locks are whole: --no-deps keeps pip from looking at newer releases of what a package asks for with an extra.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all:

.PHONY: help env serve work test check fix schema bench soak lock

help: ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

env: .venv/.ready-run ## the environment in .venv, run-time packages only

serve: .venv/.ready-run ## the server on 127.0.0.1:8000 (PORT=8001: on that); on first run with a demo organisation
	$(BIN)/python -m gql serve --demo --port $(PORT)

work: .venv/.ready-run ## a job worker of its own (serve runs jobs too)
	$(BIN)/python -m gql work

test: .venv/.ready-dev ## all tests, on SQLite and PostgreSQL, and that they cover rules and access wholly
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal --cov --cov-fail-under=100

check: .venv/.ready-dev ## what must hold before a merge: format, lint, types, layers, dependencies, schema
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/python -m gql schema | diff -u schema.graphql -

fix: .venv/.ready-dev ## format, and mend what the linter can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schema: .venv/.ready-run ## write schema.graphql from the code
	$(BIN)/python -m gql schema > schema.graphql.new
	mv schema.graphql.new schema.graphql

bench: .venv/.ready-dev ## benchmarks against hand-written baselines; prints ratios
	$(BIN)/python -m bench

soak: .venv/.ready-dev ## the long runs of the tests, more than CI should wait for
	$(BIN)/python -m pytest --soak

lock: ## resolve the dependencies of pyproject.toml anew (needs uv)
	$(LOCK) -o requirements.lock
	$(LOCK) --group dev -o requirements-dev.lock

# A stamp is written last, so an install that broke half-way is done again from the start.
.venv/.ready-run: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Leadgraph needs Python 3.11 or newer as '$(PYTHON)'; name another one with: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv --clear .venv
	$(INSTALL) -r $<
	$(BIN)/python -m pip check
	@touch $@

.venv/.ready-dev: .venv/.ready-run requirements-dev.lock
	@rm $<
	$(INSTALL) -r requirements-dev.lock
	$(BIN)/python -m pip check
	@touch $< && touch $@
