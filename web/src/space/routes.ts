// Which view an address shows. A view is loaded when it is first shown, and all others once there is time for them.

import type { Component } from "svelte";

/** A view; the parts of its address that vary are its properties. */
type View = Component<Record<string, string>>;
type Load = () => Promise<{ default: unknown }>;

const ROUTES: readonly (readonly [RegExp, Load])[] = [
  [/^\/espace$/, () => import("./pages/Home.svelte")],
  [/^\/espace\/demande$/, () => import("./own/AskForAccess.svelte")],
  [/^\/espace\/profil$/, () => import("./own/Profile.svelte")],
  [/^\/espace\/securite$/, () => import("./own/Security.svelte")],
  [/^\/espace\/donnees$/, () => import("./own/Data.svelte")],
  [/^\/comptes$/, () => import("./pages/Accounts.svelte")],
  [/^\/compte\/(?<number>[^/]+)$/, () => import("./account/Overview.svelte")],
  [/^\/compte\/(?<number>[^/]+)\/actions$/, () => import("./account/Actions.svelte")],
  [/^\/compte\/(?<number>[^/]+)\/actions\/(?<action>[^/]+)$/, () => import("./account/Action.svelte")],
  [/^\/compte\/(?<number>[^/]+)\/cotisations$/, () => import("./account/Contributions.svelte")],
  [/^\/compte\/(?<number>[^/]+)\/virements$/, () => import("./account/Transfers.svelte")],
  [/^\/compte\/(?<number>[^/]+)\/virements\/(?<transfer>[^/]+)$/, () => import("./account/Transfer.svelte")],
  [/^\/compte\/(?<number>[^/]+)\/ecritures$/, () => import("./account/Entries.svelte")],
  [/^\/compte\/(?<number>[^/]+)\/fichiers$/, () => import("./account/Files.svelte")],
  [/^\/compte\/(?<number>[^/]+)\/utilisateurs$/, () => import("./account/Users.svelte")],
];
const NOT_FOUND: Load = () => import("./pages/NotFound.svelte");

const loaded = new Map<Load, View>();

/** The view of a path, and what varies in it; none before it is loaded. */
export interface Shown {
  readonly View: View | undefined;
  readonly parts: Record<string, string>;
}

export function viewOf(path: string): Shown {
  const { load, parts } = routeOf(path);
  return { View: loaded.get(load), parts };
}

/** Loads the view of a path; null where it is there already. */
export function loadView(path: string): Promise<void> | null {
  const { load } = routeOf(path);
  return loaded.has(load) ? null : take(load);
}

/** Loads the other views, so that a change of view waits for its data alone. */
export async function loadOthers(): Promise<void> {
  for (const [, load] of ROUTES) await take(load);
}

async function take(load: Load): Promise<void> {
  loaded.set(load, (await load()).default as View);
}

function routeOf(path: string): { load: Load; parts: Record<string, string> } {
  for (const [pattern, load] of ROUTES) {
    const match = pattern.exec(path.replace(/(?<=.)\/$/, ""));
    if (!match) continue;
    const parts = Object.entries(match.groups ?? {}).map(([name, text]) => [name, decoded(text)] as const);
    if (parts.some(([, text]) => text === null)) break;
    return { load, parts: Object.fromEntries(parts) as Record<string, string> };
  }
  return { load: NOT_FOUND, parts: {} };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
