// What a view waits for: once what it shows, once a list that goes on.

import { isSignedOut } from "../lib/session.ts";

/** What was refused because nobody was signed in. */
const refused: { load(): Promise<unknown> }[] = [];

/** Fetches what was refused so far: somebody has logged in. */
export function loadRefused(): void {
  for (const one of refused.splice(0)) void one.load();
}

/** Something that is fetched for a view. */
export class Loaded<T> {
  value = $state.raw<T | null>(null);
  failure = $state.raw<unknown>(null);
  #fetch: () => Promise<T>;

  constructor(fetch: () => Promise<T>) {
    this.#fetch = fetch;
    void this.load();
  }

  /** Fetches it, or fetches it again. */
  async load(): Promise<void> {
    this.failure = null;
    try {
      this.value = await this.#fetch();
    } catch (failure) {
      this.failure = failure;
      if (isSignedOut(failure)) refused.push(this);
    }
  }
}

/** A part of a list, as the API answers it. */
interface Part {
  items: readonly unknown[];
  next_cursor?: string;
}

/** A list of any things, to be gone on with. */
export interface GrowingList {
  readonly items: readonly unknown[];
  readonly hasMore: boolean;
  readonly isLoading: boolean;
  readonly failure: unknown;
  more(): Promise<number>;
  load(): Promise<unknown>;
}

/** A list of which a part is fetched at a time; `first` is the answer with the first part, and with what it says of all. */
export class List<First extends Part> implements GrowingList {
  first = $state.raw<First | null>(null);
  items = $state.raw<First["items"][number][]>([]);
  failure = $state.raw<unknown>(null);
  isLoading = $state(false);
  #next: string | undefined;
  #fetch: (cursor: string | undefined) => Promise<First>;

  /** Settles when the first part has come, or has failed to. */
  readonly settled: Promise<unknown>;

  constructor(fetch: (cursor: string | undefined) => Promise<First>) {
    this.#fetch = fetch;
    this.settled = this.more();
  }

  get hasMore(): boolean {
    return this.first !== null && this.#next !== undefined;
  }

  /** Fetches the next part; returns the place of its first item. */
  async more(): Promise<number> {
    const at = this.items.length;
    if (this.isLoading) return at;
    this.isLoading = true;
    this.failure = null;
    try {
      const part = await this.#fetch(this.#next);
      this.first ??= part;
      this.#next = part.next_cursor;
      this.items = [...this.items, ...part.items];
    } catch (failure) {
      this.failure = failure;
      if (isSignedOut(failure)) refused.push(this);
    } finally {
      this.isLoading = false;
    }
    return at;
  }

  /** Tries again what failed. */
  load(): Promise<unknown> {
    return this.more();
  }
}
