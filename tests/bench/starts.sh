#!/usr/bin/env bash
# Sizes of the release binaries of two functions, and their times from start to ready, beside those of a
# function that does nothing. Release builds take minutes; nothing else needs them.
set -euo pipefail
cd "$(dirname "$0")/../.."

functions=(query-ledger sessions)

# Each build on its own, as for Lambda: together, a package would get the features that another asked for.
cargo build --release --locked --package portal-bench
for function in "${functions[@]}"; do
    cargo build --release --locked --package "$function"
done

release="${CARGO_TARGET_DIR:-target}/release"
"$release/starts" "$release/bare" "${functions[@]/#/$release/}"
