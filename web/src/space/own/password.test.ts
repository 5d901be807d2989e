import assert from "node:assert/strict";
import { test } from "node:test";
import { Refusal, Unreachable } from "../../lib/api.ts";
import { PasswordChange, withCurrent } from "./password.ts";

const wrong = new Refusal(403, { type: "/problems/bad-current-password", title: "Mot de passe actuel incorrect", detail: "Ressaisissez-le." }, null);
const unchanged = new Refusal(422, { title: "Saisie à corriger", errors: [{ field: "password", code: "password-unchanged", message: "C’est déjà le vôtre." }] }, null);
const lost = new Unreachable("no answer");

/** A change of password that these answers are given to, one after the other; null is one that succeeds. */
function changing(...answers: (Error | null)[]): { change: PasswordChange; sent: string[] } {
  const sent: string[] = [];
  const change = new PasswordChange((current, wanted) => {
    sent.push(`${current} > ${wanted}`);
    const answer = answers[sent.length - 1];
    return answer ? Promise.reject(answer) : Promise.resolve();
  });
  return { change, sent };
}

test("a wrong current password is said at its field", async () => {
  await assert.rejects(withCurrent(() => Promise.reject(wrong)), (failure: Refusal) => {
    assert.deepEqual(failure.problem.errors?.map(({ field }) => field), ["current_password"]);
    return true;
  });
});

test("a change whose answer was lost is done where the new password is the current one", async () => {
  const { change, sent } = changing(lost, wrong, unchanged);
  await assert.rejects(change.send("old", "new", "new"), lost);
  await change.send("old", "new", "new");
  assert.deepEqual(sent, ["old > new", "old > new", "new > new"]);
});

test("a wrong password is one where no answer was lost, or the new one is not the current one", async () => {
  const first = changing(wrong);
  await assert.rejects(first.change.send("old", "new", "new"), Refusal);
  assert.equal(first.sent.length, 1, "nothing is guessed");
  const { change } = changing(lost, wrong, wrong);
  await assert.rejects(change.send("old", "new", "new"), lost);
  await assert.rejects(change.send("old", "new", "new"), Refusal);
});
