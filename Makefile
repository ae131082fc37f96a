# Vagus from a clone: `make run` starts it, `make test` checks and tests everything. A machine needs Python 3.11 or
# later and make; the rest is put into .venv and, for the tests and where that is allowed, installed with apt-get.
# Stamp files in .venv make the second time quick.

VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
# The folder of the server's data, if its configuration does not say so.
DATA ?=
# Options for pytest, such as: make unit TESTS='-k recovery'
TESTS ?=
# What to run of a stage instead of all of it: files, or names of tests.
ONLY ?=
# Two processes pay off where tests or pages compute, three where they wait. A file whose tests share a server stays in
# one process, and those that may take longest begin: tests/conftest.py puts them first.
PARALLEL ?= -n 2
WAITING ?= -n 3
BY_FILE := --dist loadfile --no-loadscope-reorder

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

export PATH := $(CURDIR)/$(BIN):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# The pins hold for what is installed and for what builds it; older versions of pip know only the first name.
export PIP_CONSTRAINT := requirements/dev.txt
export PIP_BUILD_CONSTRAINT := requirements/dev.txt

INSTALLED := $(VENV)/.installed
DEV := $(VENV)/.installed-dev
NODE_CLIENTS := tests/node/node_modules/.package-lock.json
# Not npm's own note of what it installed: the build hook installs into the same folder, but the console's needs alone.
WEB := web/node_modules/.installed
# What others install; the console is the server's own.
PACKAGES := --workspace packages/client --workspace packages/react
CONSOLE := $(shell test -d web/apps && find web -name node_modules -prune -o -name dist -prune -o -type f -print)

PIP := $(BIN)/python -m pip --quiet
PYTEST = $(BIN)/python -m pytest $(TESTS) --junit-xml=build/reports/$@.xml

##@ Use

.PHONY: help
help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

.PHONY: run
run: $(INSTALLED) ## Install and start the demo; PORT=8000 by default
	@echo "== starting vagus serve --demo on port $(PORT)"
	@exec $(BIN)/vagus serve --demo --port $(PORT)

.PHONY: link
link: ## Print another link to sign in with; DATA=folder if the server's data is elsewhere
	@test -x $(BIN)/vagus || { echo "make link: vagus is not installed here yet: make run does it" >&2; exit 1; }
	@$(BIN)/python tools/make_link.py "$(DATA)"

.PHONY: packages
packages: $(DEV) $(WEB) ## Build @vagus/client and @vagus/react for pages of your own, into build/packages
	@rm -rf build/packages && mkdir -p build/packages
	@cd web && npm run --silent build $(PACKAGES) && npm pack --silent $(PACKAGES) --pack-destination ../build/packages >/dev/null
	@ls build/packages/*.tgz

##@ Check and test

.PHONY: test
test: $(DEV) ## Run every check and every test; ends with one summary line
	@$(BIN)/python tools/system_packages.py
	@mkdir -p build/reports
	@$(BIN)/python tools/run_stages.py "$(MAKE)"

.PHONY: check check-format check-lint check-types check-layers check-spelling check-web
check: check-format check-lint check-types check-layers check-spelling check-web ## Run every static check

check-format: $(DEV)
	$(BIN)/ruff format --check

check-lint: $(DEV)
	$(BIN)/ruff check

# In tests/typing/refused a line that must not type-check names its error; whatever else mypy says there fails too.
check-types: $(DEV)
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/typing

check-layers: $(DEV)
	$(BIN)/lint-imports --no-logo

check-spelling: $(DEV)
	$(BIN)/codespell

check-web: $(DEV) $(WEB)
	cd web && npm run --silent check

.PHONY: kernel unit conformance integration web browser examples
kernel: $(DEV) ## Run the unit tests of the kernel, which need every branch of it covered
	@mkdir -p build
	$(PYTEST) tests/unit/kernel --asyncio-debug --cov=vagus.kernel --cov-fail-under=100

unit: $(DEV) ## Run the unit tests of all but the kernel
	$(PYTEST) $(or $(ONLY),tests/unit --ignore=tests/unit/kernel) $(PARALLEL) --asyncio-debug

conformance: $(DEV) ## Run the contracts over every adapter and the transcripts over every dialect
	$(PYTEST) $(or $(ONLY),tests/conformance) $(PARALLEL)

integration: $(DEV) $(NODE_CLIENTS) ## Run real servers against real clients
	$(PYTEST) $(or $(ONLY),tests/integration) $(WAITING) $(BY_FILE)

web: $(DEV) $(WEB) ## Build and test the packages of web/ against a real server
	cd web && npm run --silent build && npm run --silent test -- $(ONLY) --reporter=default --reporter=junit \
	  --outputFile.junit=../build/reports/$@.xml

browser: $(DEV) $(NODE_CLIENTS) $(WEB) ## Look at the pages in Chromium
	$(PYTEST) $(or $(ONLY),tests/browser) $(PARALLEL) $(BY_FILE)

examples: $(DEV) $(NODE_CLIENTS) $(WEB) ## Run every program of examples/ and of the docs
	$(PYTEST) $(or $(ONLY),tests/examples) $(PARALLEL) $(BY_FILE)

.PHONY: screenshots
screenshots: $(DEV) ## Take pictures of every page of the console, and the README's
	@$(BIN)/python -m tools.screenshots

.PHONY: faults faults-once
faults: $(DEV) ## Break everything that can break: SEEDS=20 times, or one run with SEED=7 SCENARIO=storm
	@$(BIN)/python tools/system_packages.py
	@SEEDS="$(SEEDS)" SEED="$(SEED)" SCENARIO="$(SCENARIO)" JOBS="$(JOBS)" $(BIN)/python -m tests.faults

faults-once: $(DEV) ## Run every scenario of faults once, and find the bugs that are planted
	$(PYTEST) $(or $(ONLY),tests/faults) $(PARALLEL)

.PHONY: bench
bench: $(DEV) ## Measure, and compare with the peers
	@$(BIN)/python -m bench

##@ Keep house

.PHONY: dev
dev: $(DEV) $(NODE_CLIENTS) $(WEB) ## Install all that development needs
	@$(BIN)/python tools/system_packages.py

.PHONY: format
format: $(DEV) ## Put the sources into form
	$(BIN)/ruff format
	$(BIN)/ruff check --fix
	cd web && npm run --silent format

.PHONY: lock
lock: $(DEV) ## Pin the newest versions that fit together
	$(BIN)/uv pip compile pyproject.toml requirements/dev.in --universal --python-version 3.11 --upgrade \
	  --custom-compile-command "make lock" --quiet -o requirements/dev.txt
	cd tests/node && npm install --package-lock-only --ignore-scripts
	cd web && npm install --package-lock-only --ignore-scripts && node tools/lock.ts

.PHONY: clean
clean: ## Remove all that was made here
	rm -rf $(VENV) build dist src/vagus/console tests/node/node_modules web/node_modules web/*/*/node_modules web/packages/*/dist \
	  .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

# --- Stamps ---

$(BIN)/python:
	@tools/make_venv.sh $(VENV)

$(INSTALLED): pyproject.toml requirements/dev.txt tools/build_console.py $(CONSOLE) | $(BIN)/python
	@echo "== installing vagus"
	@$(PIP) install --editable .
	@touch $@

$(DEV): requirements/dev.txt tools/link_node.py $(INSTALLED)
	@echo "== installing what development needs"
	@$(PIP) install --use-pep517 --requirement requirements/dev.txt
	@$(BIN)/python tools/link_node.py
	@touch $@

$(NODE_CLIENTS): tests/node/package.json tests/node/package-lock.json | $(DEV)
	@echo "== installing the Node.js clients for the tests"
	@cd tests/node && npm ci --ignore-scripts --loglevel=error
	@touch $@

$(WEB): web/package.json web/package-lock.json $(wildcard web/packages/*/package.json web/apps/*/package.json) | $(DEV)
	@echo "== installing what the packages of web/ need"
	@cd web && npm ci --ignore-scripts --loglevel=error
	@touch $@
