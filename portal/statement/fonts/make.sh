#!/bin/sh
# Makes the two fonts again: Noto Sans 2.015, cut down to what a French statement may meet, with the arrows and signs of
# Noto Sans Math 3.000 (which has one weight), as npm's @expo-google-fonts packages 0.4.2 have them
# (docs/decisions/0056-statement-in-pdf.md). Needs npm and Python.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The time that the merged fonts say they were made at: the same bytes each time.
export SOURCE_DATE_EPOCH=0

fetch() {
    mkdir "$work/$1"
    (cd "$work/$1" && npm pack --silent "@expo-google-fonts/$1@0.4.2" >/dev/null && tar xzf ./*.tgz)
}

subset() {
    "$work/venv/bin/pyftsubset" "$1" --output-file="$2" --unicodes="$3" --layout-features= --no-hinting \
        --notdef-outline --drop-tables+=GDEF,GPOS,GSUB,MATH,STAT,DSIG,gasp,prep,cvt,fpgm
}

# Latin with all its accents (that of Vietnamese too), Greek, Cyrillic; then dashes, quotes, raised figures, fractions,
# currencies and letter-like signs.
letters=U+0020-007E,U+00A0-024F,U+02B0-02FF,U+0370-03FF,U+0400-045F,U+0490-0491,U+1E00-1EFF
signs=U+2009-2015,U+2018-2022,U+2026,U+202F-2030,U+2032-2033,U+2039-203A,U+2044,U+2070-208E,U+20AC,U+2116,U+2122,U+2150-215F,U+FFFD
# Arrows; what is larger, smaller, equal or not; the diameter; boxes and bullets.
math=U+2190-2199,U+21D0-21D5,U+2202,U+2205-2206,U+220F,U+2211-2212,U+221A,U+221E,U+2248,U+2260-2261,U+2264-2265,U+2300,U+25A0-25A1,U+25AA-25AB,U+25B2,U+25B6,U+25BA,U+25BC,U+25C6,U+25CB,U+25CF

fetch noto-sans
fetch noto-sans-math
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check fonttools==4.68.0
subset "$work/noto-sans-math/package/400Regular/NotoSansMath_400Regular.ttf" "$work/math.ttf" "$math"
for weight in 400Regular 700Bold; do
    subset "$work/noto-sans/package/$weight/NotoSans_$weight.ttf" "$work/letters.ttf" "$letters,$signs"
    "$work/venv/bin/pyftmerge" "$work/letters.ttf" "$work/math.ttf" --output-file="NotoSans-${weight#?00}.ttf"
done
cp "$work/noto-sans/package/LICENSE_FONT" OFL.txt
cp "$work/noto-sans-math/package/LICENSE_FONT" OFL-Math.txt
sha256sum ./*.ttf
