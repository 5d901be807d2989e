#!/usr/bin/env bash
# Fails where a binary needs a newer glibc than that of Lambda's provided.al2023, which is 2.34.
set -euo pipefail

lambda=2.34
# A function of glibc that got a new version in 2.35 beside the old one. This machine's linker takes the new one; zig,
# with which cargo-lambda links for Lambda's glibc, takes the old one.
both='hypotf'
newest=0
for binary in "$@"; do
    needs="$(objdump --dynamic-syms "$binary" | grep -vE " ($both)\$" | sed -nE 's/.*GLIBC_([0-9.]+).*/\1/p' | sort --version-sort | tail -1)"
    if [ -z "$needs" ]; then
        echo "$binary names no version of glibc" >&2
        exit 1
    fi
    if [ "$(printf '%s\n' "$needs" "$lambda" | sort --version-sort | tail -1)" != "$lambda" ]; then
        echo "$binary needs glibc $needs; Lambda has $lambda" >&2
        exit 1
    fi
    newest="$(printf '%s\n' "$needs" "$newest" | sort --version-sort | tail -1)"
done
echo "$# binaries need glibc $newest at most; Lambda has $lambda"
