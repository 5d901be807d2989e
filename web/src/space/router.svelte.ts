// Where one is in the space: one document, whose addresses say what it shows. Links are links; this takes over those that
// stay in the document, so that nothing is loaded twice.

import { tick } from "svelte";
import { changedQuery, isOurs, type Place, placeAt, rememberedAt } from "./addresses.ts";
import { loadView } from "./routes.ts";

/** An entry of the tab's history. */
interface Entry {
  /** Unlike that of any other entry, so that what was shown there can be found again. */
  key: string;
  /** Where the page was scrolled to when it was left. */
  scroll?: number;
  /** The address of the link that led away, which gets the focus again. */
  left?: string;
}

let place = $state.raw<Place>(read());
/** Counted up by each change of view, so that a view gets the focus once. */
let views = $state(0);
let restored: Entry | null = null;

function read(): Place {
  return placeAt(location, entry().key);
}

function entry(): Entry {
  const state = history.state as Entry | null;
  if (state?.key) return state;
  const made: Entry = { key: crypto.randomUUID() };
  history.replaceState(made, "");
  return made;
}

export const router = {
  get place(): Place {
    return place;
  },
  get views(): number {
    return views;
  },
};

/** Goes to an address of this document; `replace` leaves no step back, `quiet` keeps focus and scroll: of a filter. */
export function go(href: string, { replace = false, quiet = false, from }: { replace?: boolean; quiet?: boolean; from?: string } = {}): void {
  if (!isOurs(href)) {
    location.assign(href);
    return;
  }
  if (replace) {
    history.replaceState(entry(), "", href);
  } else {
    history.replaceState({ ...entry(), scroll: scrollY, ...(from ? { left: from } : {}) }, "");
    history.pushState({ key: crypto.randomUUID() }, "", href);
  }
  restored = null;
  void arrive(quiet);
}

/** The key of the history's entry that one is at, or is on the way to. */
export function currentKey(): string {
  return entry().key;
}

/** Shows what the address says, once its view is there. */
async function arrive(quiet: boolean): Promise<void> {
  const { href } = location;
  try {
    const loading = loadView(location.pathname);
    if (loading) await loading;
  } catch {
    // The line is down, or a release has replaced the script: the browser says the one and gets the other.
    location.reload();
    return;
  }
  // One may have gone on meanwhile.
  if (location.href !== href) return;
  place = read();
  if (!quiet) views += 1;
}

/** The address of this view with other parameters; an empty one is taken off. */
export function withQuery(changes: Record<string, string | undefined>): string {
  return changedQuery(place, changes);
}

/** Shows this view with other parameters; focus and scroll stay. */
export function filterBy(changes: Record<string, string | undefined>): void {
  go(withQuery(changes), { quiet: true });
}

/** Takes over the links of the document, and the way back. */
export function start(): void {
  // The browser would scroll before the rows are there.
  history.scrollRestoration = "manual";
  // Loaded anew, it is where it was left.
  const here = entry();
  if (here.scroll !== undefined) restored = here;
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (!isOurs(link.href) || (link.hash && link.pathname === location.pathname)) return;
    event.preventDefault();
    go(link.href, { from: link.getAttribute("href") ?? link.href });
  });
  addEventListener("popstate", () => {
    // To another place of the same view, as from a reversal to what it reverses: the browser does that itself.
    if (place.path === location.pathname && place.query.toString() === placeAt(location, "").query.toString()) return;
    restored = history.state as Entry | null;
    void arrive(false);
  });
  addEventListener("pagehide", () => {
    history.replaceState({ ...entry(), scroll: scrollY }, "");
  });
}

/** Shows a view that has come: its beginning and its heading, or, of a way back, the row that one left from. */
export async function show(): Promise<void> {
  const back = restored;
  restored = null;
  await tick();
  const heading = document.querySelector<HTMLElement>("main h1");
  if (!back) {
    scrollTo(0, 0);
    heading?.focus({ preventScroll: true });
    return;
  }
  const { left } = back;
  const link = left ? document.querySelector<HTMLElement>(`main a[href="${CSS.escape(left)}"]`) : null;
  (link ?? heading)?.focus({ preventScroll: true });
  scrollTo(0, back.scroll ?? 0);
}

/** What was made under this name when this entry of the history was shown before; else what `make` makes. */
export function remembered<T>(name: string, make: () => T): T {
  return rememberedAt(place, name, make);
}
