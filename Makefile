# The two commands of the README are `make demo` and `make test`; each does all the set-up it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tests wait for browsers, servers and disks half of their time: one process more than there are processors.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
# Python keeps its bytecode, whatever the shell says: without it each process compiles Django and numpy again (1.3 s).
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help install dev demo test test-sqlite test-postgresql check check-types check-rest bench lighthouse pictures lock messages clean
.DEFAULT_GOAL := help

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | sort | expand -t 20

$(VENV)/.core: requirements/core.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Beffroi needs Python 3.11 or newer; give one with: make PYTHON=python3.12 demo" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --require-hashes -r requirements/core.lock
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.core requirements/dev.lock
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --require-hashes -r requirements/dev.lock
	touch $@

$(VENV)/.mobility: $(VENV)/.core requirements/mobility.lock
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --require-hashes -r requirements/mobility.lock
	touch $@

node_modules/.installed: web/package.json web/package-lock.json $(VENV)/.core
	tools/npm --prefix web ci --silent --no-progress
	mkdir -p node_modules && touch $@

ASSETS := src/beffroi/faces/shell/static/beffroi/manifest.json
$(ASSETS): node_modules/.installed $(shell find web -path web/node_modules -prune -o -type f -print 2>/dev/null)
	tools/npm --prefix web run --silent build
	touch $@

CATALOGUES := $(patsubst %.po,%.mo,$(wildcard src/beffroi/faces/shell/locale/*/LC_MESSAGES/*.po))
%.mo: %.po $(VENV)/.core
	$(BIN)/python tools/translations.py compile $<

install: $(VENV)/.core $(VENV)/.mobility $(ASSETS) $(CATALOGUES) ## set up .venv, the assets and the translations

dev: install $(VENV)/.dev

demo: install ## generate the fictional town and serve it (make demo ARGS="--population 50000")
	$(BIN)/beffroi demo $(ARGS)

test: test-sqlite test-postgresql ## run the whole suite, on SQLite then on PostgreSQL

test-sqlite: dev
	$(BIN)/python tests/servers.py provision
	$(BIN)/python tests/servers.py beside-postgresql $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

test-postgresql: dev
	$(BIN)/python tests/servers.py with-postgresql $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --registry-only $(ARGS)

check: dev ## ruff, mypy, import-linter, templates, translations, TypeScript
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target check-types check-rest

check-types:
	$(BIN)/mypy

check-rest:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/djlint --quiet --lint src/beffroi/faces
	$(BIN)/python tools/translations.py check
	tools/npm --prefix web run --silent check
	$(BIN)/beffroi usecases check
	$(BIN)/python tools/largest.py

bench: install ## measure imports and queries on the fictional town, beside GDAL
	$(BIN)/beffroi bench $(ARGS)

lighthouse: install ## measure a running site with Lighthouse (make lighthouse URL=http://127.0.0.1:8000 CODE=00001)
	mkdir -p $(or $(LIGHTHOUSE),/tmp/beffroi-lighthouse)
	test -d $(or $(LIGHTHOUSE),/tmp/beffroi-lighthouse)/node_modules/lighthouse || tools/npm --prefix $(or $(LIGHTHOUSE),/tmp/beffroi-lighthouse) install --silent --no-save lighthouse@12
	LIGHTHOUSE=$(or $(LIGHTHOUSE),/tmp/beffroi-lighthouse) CHROME_PATH=$(or $(CHROME_PATH),$(shell command -v chromium || command -v google-chrome)) node tools/lighthouse.mjs $(or $(URL),http://127.0.0.1:8000) $(or $(CODE),00001)

pictures: dev ## take the pictures of docs/images from a running demonstration (make pictures DEMO=the line of `beffroi demo --json`, in a file)
	PYTHONPATH=tests $(BIN)/python -m faces.browser.pictures $(DEMO) docs/images $(ONLY)

lock: dev ## pin the dependencies again, with hashes and without addresses
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group build pyproject.toml -o requirements/core.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra mobility -c requirements/core.lock -o requirements/mobility.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group dev -c requirements/core.lock -o requirements/dev.lock pyproject.toml

messages: dev ## gather the strings to translate into the catalogues
	$(BIN)/python tools/translations.py extract

clean: ## remove everything that `make` makes
	rm -rf $(VENV) node_modules web/node_modules src/beffroi/faces/shell/static/beffroi .mypy_cache .ruff_cache .pytest_cache
	find src -name '*.mo' -delete
