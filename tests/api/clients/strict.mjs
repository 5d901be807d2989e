// Reads YAML as YAML 1.2 says, every file that is named: nothing that only lenient parsers take, no key twice.

import { readFileSync } from "node:fs";
import { parseDocument } from "yaml";

let wrong = 0;
const refused = (name, text) => {
  // CloudFormation's tags are unknown, and no fault.
  const { errors } = parseDocument(text, { strict: true, uniqueKeys: true, version: "1.2" });
  for (const error of errors) console.error(`${name}: ${error.message}`);
  return errors.length > 0;
};
for (const name of process.argv.slice(2)) wrong += refused(name, readFileSync(name, "utf8")) ? 1 : 0;
process.exit(wrong > 0 ? 1 : 0);
