import assert from "node:assert/strict";
import { test } from "node:test";
import { describe } from "./mailed-page.ts";

const owner = { civility: "mme" as const, first_name: "Jeanne", last_name: "MARTIN", siret: "53384615000019" };

test("an owner is a person and an establishment, the SIRET in groups", () => {
  assert.deepEqual(describe(owner), ["Mme Jeanne MARTIN", "SIRET\u00a0533\u00a0846\u00a0150\u00a000019"]);
  assert.equal(describe({ ...owner, establishment: "MARTIN BTP" })[1].split(",")[0], "MARTIN BTP");
});
