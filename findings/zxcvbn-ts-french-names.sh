#!/usr/bin/env bash
# @zxcvbn-ts/language-fr 4.1.2 (npm), with @zxcvbn-ts/core 4.2.0: French first and last names.
#
# Expected: a first name is found in the list of first names, a last name in that of last names, and a name's rank, which is the number
# of guesses that the estimate gives it, says how frequent it is: « Martin », the most frequent last name of France, comes before
# « Abadie ».
# Seen: `firstnames.json` holds the last names and `lastnames.json` the first names, and both are sorted by the alphabet, so that
# « Abadie » takes one guess and « Zimmermann » 10,511. Who takes ranks from these files, as the library's own matcher does, calls
# names strong that end the alphabet.
#
# Runs without the project, in a folder of its own, and fails if any of this changes.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund --save-exact \
    @zxcvbn-ts/core@4.2.0 @zxcvbn-ts/language-fr@4.1.2
cat >look.mjs <<'JS'
import assert from "node:assert/strict";
import { ZxcvbnFactory } from "@zxcvbn-ts/core";
import { dictionary } from "@zxcvbn-ts/language-fr";

const names = (list) => dictionary[list];
const meter = new ZxcvbnFactory({
  dictionary: { "firstnames-fr": names("firstnames-fr"), "lastnames-fr": names("lastnames-fr") },
});
const found = {};
for (const name of ["abadie", "dupont", "zimmermann", "abel", "camille", "yves"]) {
  const [match] = meter.check(name).sequence;
  found[name] = [match.dictionaryName, match.rank];
  console.log(`${name}: ${match.dictionaryName}, rank ${match.rank}`);
}
assert.deepEqual(found, {
  abadie: ["firstnames-fr", 1],
  dupont: ["firstnames-fr", 3750],
  zimmermann: ["firstnames-fr", 10511],
  abel: ["lastnames-fr", 5],
  camille: ["lastnames-fr", 155],
  yves: ["lastnames-fr", 1092],
});
console.log("as seen: last names are found as first names, first names as last names, both ranked by the alphabet");
JS
node look.mjs
