import assert from "node:assert/strict";
import { test } from "node:test";
import { originOf } from "./origin.ts";

test("the site that led here is kept as the portal takes it, or not at all", () => {
  assert.equal(originOf("?utm_source=lettre&origine=pays-de-la-loire"), "pays-de-la-loire");
  for (const search of ["", "?origine=", "?origine=Bretagne", "?origine=a%20b", `?origine=${"a".repeat(33)}`]) {
    assert.equal(originOf(search), null, search);
  }
});
