#!/bin/sh
# Opens what the built local portal (`cargo build -p local`) exports in other software.
#   $1       the Python that has the packages of ../api/requirements.txt; absolute, or relative to the project
#   SOFFICE  another LibreOffice than Debian's
set -eu
cd "$(dirname "$0")/../.."

SOFFICE=${SOFFICE:-/usr/bin/soffice}
export SOFFICE
if [ ! -x "$SOFFICE" ]; then
    if [ "$SOFFICE" = /usr/bin/soffice ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libreoffice-calc-nogui >/dev/null
    else
        echo "The test of exports needs LibreOffice at $SOFFICE: install Debian's package \`libreoffice-calc-nogui\`, or name another with SOFFICE=/path." >&2
        exit 1
    fi
fi

if ! command -v pdfinfo >/dev/null || ! command -v pdftotext >/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends poppler-utils >/dev/null
    else
        echo "The test of the statement needs Poppler's \`pdfinfo\` and \`pdftotext\`: install Debian's package \`poppler-utils\`." >&2
        exit 1
    fi
fi

export PYTHONPATH=tests/api
"$1" tests/exports/run.py
exec "$1" tests/exports/statement.py
