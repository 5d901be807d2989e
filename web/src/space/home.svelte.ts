// What the answer of /api/home says, for the home and for the menu of all views.

import type { Answer } from "../lib/api.ts";
import { callSignedIn } from "../lib/session.ts";

class HomeState {
  value = $state.raw<Answer<"/api/home", "GET"> | null>(null);
  failure = $state.raw<unknown>(null);

  /** Fetches it anew: somebody signed in, or did something that changes it. */
  async refresh(): Promise<void> {
    this.failure = null;
    try {
      this.value = await callSignedIn("GET", "/api/home");
    } catch (failure) {
      this.failure = failure;
    }
  }

  /** Forgets it: it was another person's. */
  forget(): void {
    this.value = null;
  }
}

export const home = new HomeState();
