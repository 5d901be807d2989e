import assert from "node:assert/strict";
import { test } from "node:test";
import type { Schema } from "../../lib/api.ts";
import { fileName, wholeExport } from "./own-data.ts";

/** An answer with these events, as far as this is concerned with it. */
function answer(ids: string[], before?: string): Schema<"Export"> {
  const events = ids.map((id) => ({ id }));
  return { exported_at: "2012-11-29T22:04:00Z", events, ...(before ? { events_before: before } : {}) } as unknown as Schema<"Export">;
}

test("the file has the events of all answers, in their order, and no word of how they came", async () => {
  const asked: (string | undefined)[] = [];
  const told: number[] = [];
  const answers = [answer(["5", "4"], "2012-10-03T00:00:00Z"), answer(["3"], "2012-10-02T00:00:00Z"), answer(["2", "1"])];
  const whole = await wholeExport(
    (before) => {
      asked.push(before);
      return Promise.resolve(answers[asked.length - 1] ?? answer([]));
    },
    (events) => told.push(events),
  );
  assert.deepEqual(whole.events.map(({ id }) => id), ["5", "4", "3", "2", "1"]);
  assert.deepEqual(asked, [undefined, "2012-10-03T00:00:00Z", "2012-10-02T00:00:00Z"]);
  assert.deepEqual(told, [2, 3]);
  assert.equal("events_before" in whole, false);
  assert.equal(fileName(whole), "mes-donnees-constructys-2012-11-29.json");
});
