import assert from "node:assert/strict";
import { test } from "node:test";
import { Attempt } from "./attempt.ts";

test("a key stays for as long as the same is asked for and not answered", () => {
  const attempt = new Attempt();
  const key = attempt.keyFor({ email: "a@example.com" });
  assert.equal(attempt.keyFor({ email: "a@example.com" }), key);
  const other = attempt.keyFor({ email: "b@example.com" });
  assert.notEqual(other, key);
  attempt.settle();
  assert.notEqual(attempt.keyFor({ email: "b@example.com" }), other);
});
