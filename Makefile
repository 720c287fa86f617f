# What there is to run. `make help` reads this file.

PYTHON ?= python3
# Another Python has an environment of its own: .venv-python3.13.
VENV ?= .venv$(addprefix -,$(notdir $(filter-out python3,$(PYTHON))))
BIN := $(VENV)/bin
# A file's tests share its servers, so they stay together, in the order that tests/conftest.py gives the files. Half of
# the time is waiting: more workers than two cores have use for at once.
PARALLEL := -n 5 --dist loadfile --no-loadscope-reorder

# Whoever starts hundreds of processes, as the tests do, compiles nothing twice.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run run-google test test-google check lint types openapi drawings bundle bench faults simulate fuzz test-browser infra-check clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/run.done: requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "envctl needs Python 3.11 or later")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/google.done: $(VENV)/run.done requirements-google.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-google.txt
	@touch $@

$(VENV)/dev.done: $(VENV)/google.done requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(VENV)-checkov/done: requirements-infra.txt
	$(PYTHON) -m venv $(VENV)-checkov
	$(VENV)-checkov/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-infra.txt
	@touch $@

$(VENV)-fuzz/done: requirements.txt requirements-fuzz.txt
	$(PYTHON) -m venv $(VENV)-fuzz
	$(VENV)-fuzz/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-fuzz.txt
	@touch $@

$(VENV)/browser.done: $(VENV)/dev.done requirements-browser.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-browser.txt
	@touch $@

run: $(VENV)/run.done  ## Install what is missing and serve the whole platform on http://127.0.0.1:8000
	@exec $(BIN)/python -m local

run-google: $(VENV)/google.done  ## Serve it as it is deployed: a process per function, over Google's Firestore emulator
	@exec $(BIN)/python -m local.google

test: $(VENV)/dev.done  ## Install what is missing and run the tests
	$(BIN)/python -m pytest $(PARALLEL)

test-google: $(VENV)/dev.done  ## Run the tests that need Google's emulators, which must be there
	$(BIN)/python -m pytest $(PARALLEL) --google -m google

test-browser: $(VENV)/browser.done  ## Look at Swagger UI and ReDoc with Chromium, which must be there
	$(BIN)/python -m pytest tests/browser

check: lint types test  ## What CI runs: lint, types, tests

lint: $(VENV)/dev.done  ## Look for mistakes and for another format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev.done  ## Check the types
	$(BIN)/mypy

openapi: $(VENV)/dev.done  ## Generate anew what follows from the code: the OpenAPI document, and what infra/ reads
	$(BIN)/python -m shared.http.openapi > openapi.tmp && mv openapi.tmp functions/docs/openapi.json
	$(BIN)/python -m infra.gateway > openapi.tmp && mv openapi.tmp infra/gateway.json.tftpl
	$(BIN)/python -m infra.settings > openapi.tmp && mv openapi.tmp infra/settings.json

drawings: $(VENV)/run.done  ## Draw the lifecycles anew, from the tables
	$(BIN)/python -m shared.domain.drawings > drawings.tmp && mv drawings.tmp docs/lifecycles.md

bundle:  ## Make build/envctl.zip, what Cloud Functions gets, and print its SHA-256
	@$(PYTHON) -m infra.bundle

infra-check: $(VENV)/dev.done $(VENV)-checkov/done  ## Check infra/: checkov's rules, format, validity, tests, plans, and that each breakage is noticed
	$(VENV)-checkov/bin/checkov --directory infra --framework terraform --compact --quiet --skip-download
	$(BIN)/python -m pytest -n auto --maxprocesses 4 tests/infra/terraform

faults: $(VENV)/dev.done  ## Write docs/faults.md anew: what every operation does under every kind of fault
	$(BIN)/python -m tests.simulation.faults > faults.tmp && mv faults.tmp docs/faults.md

simulate: $(VENV)/dev.done  ## Simulate SEEDS=n lifecycles (and HTTP=n) in which everything fails; say what came of it
	$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),1000) --http $(or $(HTTP),0) --histories $(or $(HISTORIES),0) --first $(or $(FIRST),0)

fuzz: $(VENV)-fuzz/done  ## Send REQUESTS=n requests made by the OpenAPI document, good and bad, from SEED=n on; GOOGLE=1 to what run-google starts
	$(VENV)-fuzz/bin/python -m tests.fuzz --requests $(or $(REQUESTS),20000) $(addprefix --seed ,$(SEED)) $(addprefix --examples ,$(EXAMPLES)) $(if $(GOOGLE),--google)

bench: $(VENV)/run.done  ## Measure, and write benchmarks/results.md; QUICK=1 is a smoke run under build/
	$(BIN)/python -m benchmarks $(if $(QUICK),--quick)

clean:  ## Remove what the other commands made
	rm -rf .venv .venv-* build .mypy_cache .ruff_cache .pytest_cache
