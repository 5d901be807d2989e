#!/usr/bin/env bash
# What hashing a password costs, in time beside other implementations and in memory over a thousand log-ins.
set -euo pipefail
cd "$(dirname "$0")"

npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
cd ../../..
cargo build --release --locked --package password-bench
release="${CARGO_TARGET_DIR:-target}/release"

others=("node tests/bench/passwords/node-rs.cjs")
# The C implementation, where somebody has installed it.
if python3 -c "import argon2" 2>/dev/null; then
    others+=("python3 tests/bench/passwords/argon2-cffi.py")
fi
"$release/speed" "${others[@]}"
"$release/memory"
cargo build --workspace --bin local --locked
tests/bench/passwords/log-ins.sh
