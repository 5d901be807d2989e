// Whether somebody is signed in, for all views, and when that ends, in all tabs.

import { onSession, renew, type SignedIn, type Standing } from "../lib/session.ts";
import { forget } from "./addresses.ts";

/** How long before its end a session's end is announced. */
const NOTICE_MS = 120_000;
/** Timers of a hidden tab may sleep: what the clock says is looked at this often, and when the tab is seen again. */
const LOOK_MS = 5_000;

class Session {
  /** Unknown until the first answer. */
  isSignedIn = $state<boolean | null>(null);
  /** Counted up where what is shown is nobody's any more: its user logged out, or another one logged in. */
  owners = $state(0);
  /** Set once one's own space was erased: for sure, or as far as a lost answer lets tell. */
  farewell = $state<"sure" | "likely" | null>(null);
  now = $state(Date.now());
  #end = $state.raw<SignedIn | null>(null);
  /** Who was signed in last. */
  #user: string | null = null;
  #ticks: ReturnType<typeof setInterval> | undefined;

  constructor() {
    onSession((standing) => {
      this.#hear(standing);
    });
    document.addEventListener("visibilitychange", () => {
      this.look();
    });
  }

  #hear(standing: Standing): void {
    clearInterval(this.#ticks);
    if (standing === "left") this.#disown();
    if (typeof standing === "string") {
      this.#leave();
      return;
    }
    if (this.#user !== null && this.#user !== standing.user) this.#disown();
    this.#user = standing.user;
    this.#end = standing;
    this.now = Date.now();
    this.isSignedIn = true;
    this.#ticks = setInterval(() => {
      this.look();
    }, LOOK_MS);
  }

  #leave(): void {
    this.#end = null;
    this.isSignedIn = false;
  }

  #disown(): void {
    this.#user = null;
    this.owners += 1;
    forget();
  }

  /** Says that nobody is signed in, where no answer said that somebody is. */
  settle(): void {
    this.isSignedIn ??= false;
  }

  /** Looks at the clock. */
  look(): void {
    this.now = Date.now();
    if (this.secondsLeft !== 0) return;
    clearInterval(this.#ticks);
    this.#leave();
  }

  /** The seconds until the session ends as things are; null where nobody is signed in. */
  get secondsLeft(): number | null {
    if (!this.#end) return null;
    return Math.max(0, Math.ceil((Math.min(this.#end.unused, this.#end.last) - this.now) / 1000));
  }

  /** Whether its end is near enough to be told. */
  get isEnding(): boolean {
    return this.secondsLeft !== null && this.secondsLeft * 1000 <= NOTICE_MS;
  }

  /** When it ends whatever one does. */
  get last(): number | null {
    return this.#end?.last ?? null;
  }

  /** Whether staying is possible: a session ends twelve hours after its log-in. */
  get canStay(): boolean {
    return this.#end !== null && this.#end.last - this.now > NOTICE_MS;
  }

  /** Stays signed in, in all tabs. */
  stay(): Promise<void> {
    return renew();
  }
}

export const session = new Session();
