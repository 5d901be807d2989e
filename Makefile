# The parts of the tests, each of which runs alone. `make test` runs them all.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
CARGO_DENY := .tools/bin/cargo-deny
CARGO_DENY_VERSION := 0.20.2
CARGO_FUZZ := .tools/bin/cargo-fuzz
CARGO_FUZZ_VERSION := 0.13.2
PYTHON := .tools/venv/bin/python
PACKAGES := .tools/venv/installed
# Node's, for clients in TypeScript.
CLIENTS := .tools/clients
CLIENT_PACKAGES := .tools/clients/installed
# An environment of their own: their tools pin what the others' tools pin otherwise.
DEPLOY_PYTHON := .tools/deploy/bin/python
DEPLOY_PACKAGES := .tools/deploy/installed
# And so does SAM's command line.
SAM := .tools/sam/bin/sam
SAM_PACKAGES := .tools/sam/installed
# How many requests `api` makes up for an operation, and from which seed: a new one each time, which it prints, so that a
# run can be had again; and how long `fuzz` looks at each thing, from a seed of its own.
EXAMPLES ?= 15
SEED ?=
SECONDS ?= 60
# The pages' tools and the pages, each rebuilt when what it is made of has changed.
WEB_PACKAGES := web/node_modules/.package-lock.json
PAGES := web/dist/index.html
WEB_SOURCES := $(shell find web \( -name node_modules -o -name dist -o -name generated \) -prune -o -type f -print)
# Options of the portal that `run` starts: ARGS="--port 0".
ARGS ?=
# Where cargo puts what it builds. `cargo run` takes no `--workspace`, and of one package it would build all of it anew with
# that package's features.
TARGET := $(or $(CARGO_TARGET_DIR),target)
# Which tests `unit` runs; all where it is empty.
FILTER ?=

.PHONY: help run pages web test format lint unit docs deny templates test-deploy api exports browser bench pages-bench cost fuzz

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(PAGES) ## The whole portal at its address, its pages built if they have changed; ARGS="--help" tells the options
	cargo run --locked -- $(ARGS)

pages: $(PAGES) ## Build the pages into web/dist, if they have changed

web: $(WEB_PACKAGES) ## Types, lint and unit tests of the pages, and their build
	npm test --prefix web

test: format lint web unit docs deny templates test-deploy api exports browser ## Everything below but the benches, cost and fuzz: what CI runs

format: ## The code is formatted
	cargo fmt --all --check

lint: ## Clippy finds nothing, in tests neither
	cargo clippy --workspace --all-targets --locked -- -D warnings

unit: $(PAGES) ## All Rust tests: units, journeys, races, budgets, roles, kills; FILTER=journeys:: for some
	cargo test --workspace --locked -- $(FILTER)

docs: ## The documentation builds without a warning
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

deny: $(CARGO_DENY) ## Licences, banned crates and sources of the dependency tree
	$(CARGO_DENY) --locked check licenses bans sources

templates: $(DEPLOY_PACKAGES) $(SAM_PACKAGES) ## SAM, cfn-lint and checkov find nothing in the templates, and find what is seeded
	printf '%s\n' template.yaml infra/*.yaml | AWS_DEFAULT_REGION=eu-west-3 SAM_CLI_TELEMETRY=0 \
		xargs -P "$$(nproc)" -I TEMPLATE $(SAM) validate --lint --template TEMPLATE
	$(DEPLOY_PYTHON) tests/deploy/lint.py
	$(DEPLOY_PYTHON) tests/deploy/lint.py --gate

test-deploy: $(DEPLOY_PACKAGES) ## The templates deployed into a local AWS: the journey, an update, the restore drill, IAM enforced
	cargo build --workspace --bins --locked
	$(DEPLOY_PYTHON) tests/deploy/deploy.py

api: $(PACKAGES) $(CLIENT_PACKAGES) ## Generated clients reach the ledger, and Schemathesis holds the running portal against openapi.yaml: SEED=2012 for a run again
	cargo build --workspace --bin local --locked
	$(PYTHON) tests/api/clients.py $(CLIENTS)
	$(PYTHON) tests/api/run.py $(addprefix --seed ,$(SEED)) --examples $(EXAMPLES)

exports: $(PACKAGES) ## Python, openpyxl and LibreOffice open the exported ledger, Poppler the statement; both add up to the cent
	cargo build --workspace --bin local --locked
	tests/exports/run.sh $(PYTHON)

browser: $(PAGES) ## A mailed link is followed in Chromium, and every page is checked for accessibility
	cargo build --workspace --bin local --locked
	tests/browser/run.sh

bench: ## Sizes, starts and memory of every function beside the targets, the ledger's figures, what hashing costs, whether times tell known from unknown
	tests/bench/starts.sh
	tests/bench/passwords/run.sh
	cargo run --quiet --package portal-tests --example pairs --locked
	cargo build --quiet --release --workspace --example ledger --locked
	$(TARGET)/release/examples/ledger
	tests/bench/memory.sh

pages-bench: $(PAGES) ## What the pages weigh and how long one waits for them, beside the goals: ROUNDS=9 for more
	cargo build --workspace --bin local --locked
	tests/browser/run.sh node ../bench/pages/run.js

cost: ## What a million mixed requests cost, by kind, from measured units, times, bytes and mails
	cargo build --quiet --workspace --example cost --locked
	$(TARGET)/debug/examples/cost

fuzz: $(PACKAGES) $(CARGO_FUZZ) ## What unit and api try, at random and for longer: SECONDS=600 each; findings go to fuzz/artifacts
	cargo build --workspace --bin local --locked
	$(PYTHON) tests/api/run.py --seconds $(SECONDS)
	for target in request cursor feed; do \
		mkdir -p fuzz/corpus/$$target; \
		PATH="$(CURDIR)/.tools/bin:$$PATH" cargo fuzz run --sanitizer none $$target \
			fuzz/corpus/$$target fuzz/seeds/$$target -- -max_total_time=$(SECONDS) -timeout=10; \
	done

# npm writes this file last, and keeps its own time of it; `--ignore-scripts` is in web/.npmrc. A Node.js for the tools
# comes along, in the project's own folder.
$(WEB_PACKAGES): web/package-lock.json web/package.json
	npm ci --prefix web --no-audit --no-fund --loglevel=error
	touch $@

$(PAGES): $(WEB_PACKAGES) $(WEB_SOURCES)
	npm run --prefix web build -- --logLevel warn

# Built once into the project's own folder, without optimisations: it runs for three seconds.
$(CARGO_DENY):
	CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=256 \
		cargo install cargo-deny --version $(CARGO_DENY_VERSION) --locked --root .tools

$(CARGO_FUZZ):
	CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
		cargo install cargo-fuzz --version $(CARGO_FUZZ_VERSION) --locked --root .tools

# Python 3.11 or newer; the packages are pinned with their hashes.
$(PACKAGES): tests/api/requirements.txt
	python3 -m venv --clear .tools/venv
	.tools/venv/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	touch $@

$(CLIENT_PACKAGES): tests/api/clients/package-lock.json
	rm -rf $(CLIENTS)
	mkdir -p $(CLIENTS)
	cp tests/api/clients/package.json tests/api/clients/package-lock.json $(CLIENTS)
	npm ci --prefix $(CLIENTS) --no-audit --no-fund --ignore-scripts --loglevel=error
	touch $@

# All that they need is in the list; without `--no-deps` pip wants hashes of what they call by an extra's name.
$(SAM_PACKAGES): tests/deploy/sam/requirements.txt
	python3 -m venv --clear .tools/sam
	.tools/sam/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement $<
	touch $@

$(DEPLOY_PACKAGES): tests/deploy/requirements.txt
	python3 -m venv --clear .tools/deploy
	.tools/deploy/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	touch $@
