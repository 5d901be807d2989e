// Which view an address shows.

import type { Component } from "svelte";
import Home from "./pages/Home.svelte";
import Accounts from "./pages/Accounts.svelte";
import NotFound from "./pages/NotFound.svelte";
import Overview from "./account/Overview.svelte";
import Actions from "./account/Actions.svelte";
import ActionView from "./account/Action.svelte";
import Contributions from "./account/Contributions.svelte";
import Transfers from "./account/Transfers.svelte";
import Transfer from "./account/Transfer.svelte";
import Entries from "./account/Entries.svelte";
import Files from "./account/Files.svelte";

/** A view; the parts of its address that vary are its properties. */
type View = Component<Record<string, string>>;

const ROUTES: readonly (readonly [RegExp, unknown])[] = [
  [/^\/espace$/, Home],
  [/^\/comptes$/, Accounts],
  [/^\/compte\/(?<number>[^/]+)$/, Overview],
  [/^\/compte\/(?<number>[^/]+)\/actions$/, Actions],
  [/^\/compte\/(?<number>[^/]+)\/actions\/(?<action>[^/]+)$/, ActionView],
  [/^\/compte\/(?<number>[^/]+)\/cotisations$/, Contributions],
  [/^\/compte\/(?<number>[^/]+)\/virements$/, Transfers],
  [/^\/compte\/(?<number>[^/]+)\/virements\/(?<transfer>[^/]+)$/, Transfer],
  [/^\/compte\/(?<number>[^/]+)\/ecritures$/, Entries],
  [/^\/compte\/(?<number>[^/]+)\/fichiers$/, Files],
];

export interface Shown {
  readonly View: View;
  readonly parts: Record<string, string>;
}

/** The view of a path, and what varies in it. */
export function viewOf(path: string): Shown {
  for (const [pattern, view] of ROUTES) {
    const match = pattern.exec(path.replace(/(?<=.)\/$/, ""));
    if (!match) continue;
    const parts = Object.entries(match.groups ?? {}).map(([name, text]) => [name, decoded(text)] as const);
    if (parts.some(([, text]) => text === null)) break;
    return { View: view as View, parts: Object.fromEntries(parts) as Record<string, string> };
  }
  return { View: NotFound as View, parts: {} };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
