// The signed-in space: /espace, /comptes and /compte/…

import { mount } from "svelte";
import App from "./App.svelte";
import { find } from "../lib/dom.ts";

export function begin(): void {
  // What the browser kept to go back to may be of a session that has ended meanwhile.
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) location.reload();
  });
  mount(App, { target: find("#space") });
}
