#!/usr/bin/env bash
# Each function's release binary: size, time from start to ready and to the first answer, memory, beside those of a
# function that does nothing and beside what is to be reached. The release builds take half an hour and more the first time.
#   FUNCTIONS   which ones; all where it is not given
set -euo pipefail
cd "$(dirname "$0")/../.."

read -ra functions <<<"${FUNCTIONS:-$(ls functions | tr '\n' ' ')}"

# As `sam build` has it done, by cargo-lambda, in a function's folder: for a target that is named, and its processors.
# That is the host's own here, without the linker that cargo-lambda brings for another one.
target="$(rustc -vV | sed -n 's/^host: //p')"
case "$target" in
x86_64-*) processor=haswell ;;
aarch64-*) processor=neoverse-n1 ;;
*)
    echo "Lambda has no $target: run this on x86_64 or aarch64." >&2
    exit 1
    ;;
esac
build() {
    cargo build --release --locked --target "$target" --config "build.rustflags=[\"-C\", \"target-cpu=$processor\"]" "$@"
}
# Each alone would take hours; together only those that come out the same.
python3 tests/bench/groups.py "$target" "${functions[@]}" | while read -ra group; do
    build "${group[@]/#/--package=}"
done
build --package portal-bench

release="${CARGO_TARGET_DIR:-target}/$target/release"
tests/glibc.sh "${functions[@]/#/$release/}"
"$release/starts" "$release/bare" "${functions[@]/#/$release/}"
