import assert from "node:assert/strict";
import { test } from "node:test";
import { address, Refusal, retryAfterOf } from "./api.ts";

test("an address has its parameters escaped, and of the query what is given", () => {
  const path = { number: "012345", action_id: "2011/000077" };
  assert.equal(
    address("/api/accounts/{number}/actions/{action_id}", path, { limit: 50, status: "", cursor: undefined, q: "é&" }),
    "/api/accounts/012345/actions/2011%2F000077?limit=50&q=%C3%A9%26",
  );
  assert.equal(address("/api/home", undefined, {}), "/api/home");
});

test("the time to wait is read as seconds and as a date, and never is none", () => {
  const wait = (value: string) => retryAfterOf(new Headers({ "Retry-After": value }));
  assert.equal(wait("150"), 150);
  assert.equal(wait("0"), 1);
  assert.equal(wait(new Date(Date.now() + 60_000).toUTCString()), 60);
  assert.equal(wait("soon"), null);
  assert.equal(retryAfterOf(new Headers()), null);
});

test("a refusal knows its problem by name", () => {
  const refusal = new Refusal(410, { type: "/problems/link-invalid" }, null);
  assert.ok(refusal.is("link-invalid"));
  assert.ok(!refusal.is("not-found"));
});
