import assert from "node:assert/strict";
import { test } from "node:test";
import { subjectOf } from "./access-token.ts";

test("an access token says whose it is, and what is none says nobody's", () => {
  const claims = Buffer.from(JSON.stringify({ sub: "4d1a9b3c", name: "ÿ?>" })).toString("base64url");
  assert.equal(subjectOf(`header.${claims}.signature`), "4d1a9b3c");
  for (const token of ["", "a-token", "a.b.c", `a.${Buffer.from("{}").toString("base64url")}.c`]) assert.equal(subjectOf(token), "");
});
