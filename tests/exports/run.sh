#!/bin/sh
# Opens what the built local portal (`cargo build -p local`) exports in other software.
#   $1       the Python that has the packages of ../api/requirements.txt; absolute, or relative to the project
#   SOFFICE  another LibreOffice than Debian's
set -eu
cd "$(dirname "$0")/../.."

. tests/debian.sh

SOFFICE=${SOFFICE:-/usr/bin/soffice}
export SOFFICE
if [ ! -x "$SOFFICE" ]; then
    message="The test of exports needs LibreOffice at $SOFFICE: install Debian's package \`libreoffice-calc-nogui\`, or name another with SOFFICE=/path."
    [ "$SOFFICE" = /usr/bin/soffice ] || missing "$message"
    debian libreoffice-calc-nogui "$message"
fi

if ! command -v pdfinfo >/dev/null || ! command -v pdftotext >/dev/null; then
    debian poppler-utils "The test of the statement needs Poppler's \`pdfinfo\` and \`pdftotext\`: install Debian's package \`poppler-utils\`."
fi

export PYTHONPATH=tests/api
"$1" tests/exports/run.py
exec "$1" tests/exports/statement.py
