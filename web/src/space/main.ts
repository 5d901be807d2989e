// The signed-in space: /espace, /comptes and /compte/…

import { mount } from "svelte";
import App from "./App.svelte";
import { find } from "../lib/dom.ts";

export function begin(): void {
  mount(App, { target: find("#space") });
}
