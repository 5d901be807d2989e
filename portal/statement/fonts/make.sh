#!/bin/sh
# Makes the two fonts again: Noto Sans 2.015 as npm's @expo-google-fonts/noto-sans 0.4.2 has it, cut down to Latin
# (docs/decisions/0056-statement-in-pdf.md). Needs npm and Python.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

(cd "$work" && npm pack --silent @expo-google-fonts/noto-sans@0.4.2 >/dev/null && tar xzf ./*.tgz)
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check fonttools==4.68.0
for weight in 400Regular 700Bold; do
    "$work/venv/bin/pyftsubset" "$work/package/$weight/NotoSans_$weight.ttf" \
        --unicodes=U+0020-007E,U+00A0-017F,U+0192,U+0218-021B,U+02C6,U+02DA,U+02DC,U+1E9E,U+2009-2015,U+2018-201E,U+2020-2022,U+2026,U+202F-2030,U+2032,U+2033,U+2039,U+203A,U+2044,U+20AC,U+2116,U+2122,U+2212,U+FFFD \
        --layout-features= --no-hinting --notdef-outline --drop-tables+=GDEF,STAT,DSIG,gasp,prep \
        --output-file="NotoSans-${weight#?00}.ttf"
done
cp "$work/package/LICENSE_FONT" OFL.txt
sha256sum ./*.ttf
