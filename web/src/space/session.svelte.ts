// Whether somebody is signed in, for all views, and when that ends, in all tabs.

import { onSessionEnd, renew, type SessionEnd } from "../lib/session.ts";
import { forget } from "./addresses.ts";

/** How long before its end a session's end is announced. */
const NOTICE_MS = 120_000;
/** Timers of a hidden tab may sleep: what the clock says is looked at this often, and when the tab is seen again. */
const LOOK_MS = 5_000;

class Standing {
  /** Unknown until the first answer. */
  isSignedIn = $state<boolean | null>(null);
  end = $state.raw<SessionEnd | null>(null);
  /** Set once one's own space was erased: for sure, or as far as a lost answer lets tell. */
  farewell = $state<"sure" | "likely" | null>(null);
  now = $state(Date.now());
  /** Whose session it was last. */
  #whose: string | null = null;
  #ticks: ReturnType<typeof setInterval> | undefined;

  constructor() {
    onSessionEnd((end) => {
      if (end === null) this.#leave();
      else this.#enter(end);
    });
    document.addEventListener("visibilitychange", () => {
      this.look();
    });
  }

  #enter(end: SessionEnd): void {
    // Somebody else has logged in, here or in another tab: what the views show and keep is not theirs.
    if (this.#whose !== null && this.#whose !== end.whose) location.reload();
    this.#whose = end.whose;
    this.end = end;
    this.now = Date.now();
    this.isSignedIn = true;
    clearInterval(this.#ticks);
    this.#ticks = setInterval(() => {
      this.look();
    }, LOOK_MS);
  }

  #leave(): void {
    clearInterval(this.#ticks);
    this.end = null;
    this.isSignedIn = false;
    forget();
  }

  /** Looks at the clock. */
  look(): void {
    this.now = Date.now();
    if (this.secondsLeft === 0) this.#leave();
  }

  /** The seconds until the session ends as things are; null where nobody is signed in. */
  get secondsLeft(): number | null {
    if (!this.end) return null;
    return Math.max(0, Math.ceil((Math.min(this.end.unused, this.end.last) - this.now) / 1000));
  }

  /** Whether its end is near enough to be told. */
  get isEnding(): boolean {
    return this.secondsLeft !== null && this.secondsLeft * 1000 <= NOTICE_MS;
  }

  /** Whether staying is possible: a session ends twelve hours after its log-in, whatever one does. */
  get canStay(): boolean {
    return this.end !== null && this.end.last - this.now > NOTICE_MS;
  }

  /** Stays signed in, in all tabs. */
  stay(): Promise<void> {
    return renew();
  }
}

export const session = new Standing();
