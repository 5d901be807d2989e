#!/bin/sh
# Follows a mailed link in Chromium, against the built local portal (`cargo build -p local`).
#   PORTAL_BINARY  another binary than target/debug/local; an absolute path, or relative to this folder
#   CHROMIUM       another Chromium than Debian's
#   With arguments it runs these in this folder instead: `tests/browser/run.sh node --test space.test.js`.
set -eu
cd "$(dirname "$0")"

. ../debian.sh

CHROMIUM=${CHROMIUM:-/usr/bin/chromium}
export CHROMIUM
if [ ! -x "$CHROMIUM" ]; then
    message="The browser test needs Chromium at $CHROMIUM: install Debian's package \`chromium\`, or name another with CHROMIUM=/path."
    [ "$CHROMIUM" = /usr/bin/chromium ] || missing "$message"
    debian chromium "$message"
fi

if ! node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' 2>/dev/null; then
    missing "The browser test needs Node.js 20 or newer, with npm."
fi

npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
if [ $# -gt 0 ]; then
    exec "$@"
fi
# One file after the other: each has its portal and its browser, and two of both are slow on a small machine.
exec node --test --test-concurrency=1
