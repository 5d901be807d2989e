# The parts of the tests, each of which runs alone. `make test` runs them all.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
CARGO_DENY := .tools/bin/cargo-deny
CARGO_DENY_VERSION := 0.20.2

.PHONY: help test format lint unit docs deny browser bench

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

test: format lint unit docs deny browser ## Everything below but bench: what CI runs

format: ## The code is formatted
	cargo fmt --all --check

lint: ## Clippy finds nothing, in tests neither
	cargo clippy --workspace --all-targets --locked -- -D warnings

unit: ## All Rust tests: units, journeys, races, budgets, roles, kills
	cargo test --workspace --locked

docs: ## The documentation builds without a warning
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

deny: $(CARGO_DENY) ## Licences, banned crates and sources of the dependency tree
	$(CARGO_DENY) --locked check licenses bans sources

browser: ## A mailed link is followed in Chromium, and both pages are checked for accessibility
	cargo build --workspace --bin local --locked
	tests/browser/run.sh

bench: ## Sizes and start times of functions, as ratios to a bare one
	tests/bench/starts.sh

# Built once into the project's own folder, with few optimisations: it runs for a second.
$(CARGO_DENY):
	CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
		cargo install cargo-deny --version $(CARGO_DENY_VERSION) --locked --root .tools
