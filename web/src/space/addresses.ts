// Addresses of the space, and what was shown at them.

/** An address, at one entry of the tab's history. */
export interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
  /** Unlike that of any other entry. */
  readonly key: string;
}

const OURS = /^\/(?:espace|comptes|compte)(?:\/|$)/;

/** Whether an address is of this document; all others are loaded. */
export function isOurs(href: string): boolean {
  const target = new URL(href, location.href);
  return target.origin === location.origin && OURS.test(target.pathname);
}

export function placeAt({ pathname, search }: Pick<Location, "pathname" | "search">, key: string): Place {
  return { path: pathname, query: new URLSearchParams(search), key };
}

/** The address of a place with other parameters; an empty one is taken off. */
export function changedQuery({ path, query }: Pick<Place, "path" | "query">, changes: Record<string, string | undefined>): string {
  const changed = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value) changed.set(name, value);
    else changed.delete(name);
  }
  const text = changed.toString();
  return text ? `${path}?${text}` : path;
}

/** An address with these parameters, of which an empty one is left out. */
export function addressWith(path: string, query: Record<string, string | undefined>): string {
  return changedQuery({ path, query: new URLSearchParams() }, query);
}

/** What was shown at entries of the history, by their key. */
const shown = new Map<string, Map<string, unknown>>();
const MOST_SHOWN = 20;

/** What `make` made of this name when the entry was shown before, so that the way back finds its rows; else what it makes now. */
export function rememberedAt<T>({ key }: Place, name: string, make: () => T): T {
  let things = shown.get(key);
  if (!things) {
    things = new Map();
    shown.set(key, things);
    const [oldest] = shown.keys();
    if (shown.size > MOST_SHOWN && oldest !== undefined) shown.delete(oldest);
  }
  if (!things.has(name)) things.set(name, make());
  return things.get(name) as T;
}

/** Forgets everything that was shown: it was another person's, or is not as it was. */
export function forget(): void {
  shown.clear();
}
