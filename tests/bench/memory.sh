#!/usr/bin/env bash
# Peak memory of what reads or writes whole ledgers, at few and at many entries: the generator, the initial
# load, the import and the files of an export. Each figure is of a process of its own.
#   FEW, MANY   establishments of the two feeds; 90 and 18,000 are some 10,000 and 1,000,000 entries
#   POSTED      establishments of the larger feed that is imported; posting a million entries takes long
set -euo pipefail
cd "$(dirname "$0")/../.."

few="${FEW:-90}"
many="${MANY:-18000}"
posted="${POSTED:-$many}"
target="${CARGO_TARGET_DIR:-target}"
if [ ! -x /usr/bin/time ]; then
    echo "Peak memory is measured with GNU time at /usr/bin/time: install Debian's package \`time\`." >&2
    exit 1
fi
folder="$(mktemp -d -p "$target")"
trap 'rm -rf "$folder"' EXIT

# The third-party crates are optimised in this profile too, and the project's own for size, as in production.
export CARGO_PROFILE_DEV_OPT_LEVEL=z
# All of the workspace is named, so that the dependencies are those that the tests have built.
cargo build --quiet --locked --workspace --bin generate-feed --bin initial-load --example peak --example export_memory

# The most memory that a command had, in KiB.
peak() {
    /usr/bin/time --format %M --output "$folder/peak" "$@" >/dev/null
    cat "$folder/peak"
}
# Both feeds have an account that is large enough to fill any window of the import.
generate() {
    rm -rf "$folder/feed-$1"
    peak "$target/debug/generate-feed" --establishments "$1" --years 2009-2016 \
        --seed 1 --large-account 5000 --out "$folder/feed-$1"
}
load() {
    peak "$target/debug/initial-load" --feed "$folder/feed-$1" --sources demo --out "$folder/load"
    rm -rf "$folder/load"
}
import() {
    "$target/debug/examples/peak" "$folder/feed-$1" 1 | python3 -c 'import json, sys; print(json.load(sys.stdin)["peak_kib"])'
}
files() {
    "$target/debug/examples/export_memory" "$1" "$2" | grep -oE '[0-9]+ kB' | tail -1 | cut -d' ' -f1
}
# What a command prints most in the middle, of so many times: single runs of the same differ by a twentieth.
median() {
    for _ in $(seq "$1"); do "${@:2}"; done | sort -n | sed -n "$((($1 + 1) / 2))p"
}
row() {
    awk -v what="$1" -v few="$2" -v many="$3" 'BEGIN {
        ratio = many / few
        printf "%-40s %9.1f MB %9.1f MB   %5.2f x  at most 1.10, 256 MB  %s\n", what, few / 1024, many / 1024, ratio,
            (ratio <= 1.1 && many < 256 * 1024) ? "reached" : "SHORT"
    }'
}

printf '%-40s %12s %12s\n' "peak memory" "few entries" "many entries"
row "generator" "$(median 5 generate "$few")" "$(generate "$many")"
row "export, CSV" "$(median 5 files csv 10000)" "$(median 3 files csv 1000000)"
row "export, XLSX" "$(median 5 files xlsx 10000)" "$(median 3 files xlsx 1000000)"
row "initial load" "$(median 5 load "$few")" "$(median 3 load "$many")"
if [ "$posted" != "$many" ]; then
    generate "$posted" >/dev/null
fi
row "import, in shards, a worker as Lambda" "$(import "$few")" "$(import "$posted")"
