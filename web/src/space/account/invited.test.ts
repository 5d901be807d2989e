import assert from "node:assert/strict";
import { test } from "node:test";
import { addressesIn, resultOf, wrongAddresses } from "./invited.ts";

test("addresses are one a line, or as they are copied from a mail", () => {
  assert.deepEqual(addressesIn(" a@example.com \r\n\nb@example.com; c@example.com,d@example.com\n"), [
    "a@example.com",
    "b@example.com",
    "c@example.com",
    "d@example.com",
  ]);
  assert.deepEqual(addressesIn(" \n "), []);
});

test("what is wrong with an address names it", () => {
  const errors = [
    { field: "emails.1", message: "Cette adresse n’en est pas une." },
    { field: "emails", message: "Trop d’adresses." },
  ];
  assert.deepEqual(
    wrongAddresses(["a@example.com", "b"], errors).map(({ field, message }) => [field, message]),
    [
      ["emails", "«\u00a0b\u00a0»\u00a0: Cette adresse n’en est pas une."],
      ["emails", "Trop d’adresses."],
    ],
  );
});

test("each address is told what became of it", () => {
  const user = { id: "1", role: "reader", since: "2012-10-15T08:21:40Z" } as const;
  const invited = { ...user, email: "new@example.com", status: "invited", expires_at: "2012-11-15T13:02:11Z" } as const;
  const before = [
    { ...user, email: "has@example.com", status: "active" },
    { ...user, email: "asks@example.com", status: "requested" },
    { ...invited, email: "late@example.com", status: "expired" },
  ] as const;
  const after = [before[0], { ...before[1], status: "active" }, { ...invited, email: "late@example.com" }, invited] as const;
  assert.match(resultOf("Has@example.com", before, after), /^avait déjà accès/);
  assert.match(resultOf("asks@example.com", before, after), /^avait demandé l’accès/);
  assert.equal(resultOf("late@example.com", before, after), "invitation renouvelée, à ouvrir avant le 15/11/2012.");
  assert.equal(resultOf("new@example.com", before, after), "invitation envoyée, à ouvrir avant le 15/11/2012.");
  assert.equal(resultOf("contact@xn--socit-esab.example", before, after), "invitation envoyée.");
});
