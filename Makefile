# `make demo` and `make test` do all set-up by themselves; `make help` lists the rest.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WEB := api/static/app/manifest.json
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test check format setup web debian bundle bundle-test lock bench cut kill fuzz walks clean

help:            ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */\1\t/' | expand -t 14

demo: $(STAMP) $(WEB)  ## a whole county on this machine: devices, collector, metrics, page (ARGS=--check proves it and ends)
	$(BIN)/cuntong demo $(ARGS)

test: $(STAMP) $(WEB) debian  ## every test, against real daemons from Debian's packages
	$(BIN)/pytest -n 3 --dist loadscope $(ARGS)

check: $(STAMP)  ## style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)  ## the figures of the README, each as a ratio measured in one run
	@deploy/debian-packages bench
	$(BIN)/python benchmarks/poll_cost.py
	$(BIN)/python benchmarks/inventory_load.py
	$(BIN)/python benchmarks/demo_county.py
	$(BIN)/python benchmarks/usm_cost.py
	$(BIN)/python benchmarks/trap_flood.py
	$(BIN)/python benchmarks/scale.py
	$(BIN)/python benchmarks/remediation.py
	$(BIN)/python benchmarks/rollout_county.py
	$(BIN)/python benchmarks/adopt.py
	$(BIN)/python benchmarks/exposition.py
	$(BIN)/python benchmarks/coverage_nation.py
	$(BIN)/python benchmarks/alert_quality.py
	$(BIN)/python benchmarks/page.py
	$(BIN)/python benchmarks/dump_restore.py

cut: $(STAMP) debian    ## a thousand line cuts and crashes in the middle of changes: nobody lost, nothing between
	$(BIN)/python benchmarks/cut_the_branch.py

kill: $(STAMP) debian   ## dump, restore and upgrade killed at random moments, the ledger in SQLite and in PostgreSQL
	$(BIN)/python -m benchmarks.kill_safekeeping 20 7 sqlite
	$(BIN)/python -m benchmarks.kill_safekeeping 20 7 postgresql

fuzz: $(STAMP)   ## a million broken messages at every decoder of network bytes
	$(BIN)/python benchmarks/fuzz.py

walks: $(STAMP)  ## what recorded devices say, beside what well-known systems read out of them
	$(BIN)/python benchmarks/walks.py $(ARGS)

setup: $(STAMP)  ## the virtual environment only

web: $(WEB)      ## the program of the web page, built from web/

# Exit code 3: packages cannot be fetched here, and the server's own pages go without scripts.
$(WEB): $(STAMP) deploy/make-web deploy/node.lock $(shell find web -path web/node_modules -prune -o -type f -print)
	@deploy/make-web $(VENV) || [ $$? = 3 ]

$(STAMP): requirements.lock pyproject.toml deploy/make-venv
	deploy/make-venv $(PYTHON) $(VENV)
	@touch $@

bundle: $(STAMP) $(WEB)  ## one file for a machine without a net, in dist/ (DEBS=1 with Debian's packages)
	deploy/bundle/make-bundle $(VENV) dist

bundle-test: bundle  ## install it in a network namespace without a way out, and run the demo there (root)
	PYTHON=$$(realpath $$(command -v $(PYTHON))) deploy/bundle/test-bundle $$(ls -t dist/cuntong-*.tar | head -1)

debian:          ## Debian packages that the tests run against
	@deploy/debian-packages

lock: $(STAMP)   ## resolve pyproject.toml into requirements.lock again (needs uv)
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-header \
	  --upgrade -o requirements.lock

clean:           ## remove what this file made
	rm -rf $(VENV) web/node_modules api/static/app .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
