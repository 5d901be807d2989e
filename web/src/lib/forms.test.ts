import assert from "node:assert/strict";
import { test } from "node:test";
import { type Problem, Refusal, Unreachable } from "./api.ts";
import { explain, wrongFields } from "./forms.ts";

const refused = (status: number, problem: Problem = {}, wait: number | null = null) =>
  explain(new Refusal(status, problem, wait));

test("a time to wait is rounded up, in words", () => {
  assert.equal(refused(429, {}, 1), "Trop de tentatives. Réessayez dans 1\u00a0seconde.");
  assert.equal(refused(429, {}, 119), "Trop de tentatives. Réessayez dans 119\u00a0secondes.");
  assert.equal(refused(429, {}, 121), "Trop de tentatives. Réessayez dans 3\u00a0minutes.");
  assert.equal(refused(503, {}, 7201), "Le portail est momentanément indisponible. Réessayez dans 3\u00a0heures.");
  assert.equal(refused(429), "Trop de tentatives. Réessayez dans quelques instants.");
});

test("a refusal says its detail, or its title as a sentence", () => {
  assert.equal(refused(409, { title: "Conflit", detail: "Ce texte a changé." }), "Ce texte a changé.");
  assert.equal(refused(409, { title: "Conflit." }), "Conflit.");
});

test("a failure of the portal's own gives the reference to name", () => {
  assert.match(refused(500, { title: "Erreur", request_id: "r-1" }), /Référence à donner à l’assistance\u00a0: r-1\.$/);
  assert.match(refused(403), /^Un problème est survenu de notre côté/);
});

test("wrong fields are pointed to, and silence is no refusal", () => {
  assert.equal(explain(wrongFields({ siret: "Il manque un chiffre." })), "Corrigez les champs signalés, puis renvoyez le formulaire.");
  assert.match(explain(new Unreachable("none")), /^Le portail ne répond pas/);
});
