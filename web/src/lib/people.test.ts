import assert from "node:assert/strict";
import { test } from "node:test";
import { formalName, userName } from "./people.ts";

test("a user has a name once they opened the account, and an address until then", () => {
  const user = { id: "1", email: "a@example.com", role: "reader", status: "invited", since: "2012-10-15T08:21:40Z" } as const;
  assert.equal(userName(user), "a@example.com");
  assert.equal(userName({ ...user, status: "active", civility: "mme", last_name: "PETIT", first_name: "Anne" }), "Mme\u00a0Anne PETIT");
  assert.equal(formalName({ civility: "m", last_name: "DURAND" }), "M.\u00a0DURAND");
});
