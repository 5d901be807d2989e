// What was done in a view that one has left by it, said in the next.

import { currentKey, router } from "./router.svelte.ts";

let said = $state.raw({ text: "", key: "" });

/** Says it in the view that has just been gone to. */
export function tell(text: string): void {
  said = { text, key: currentKey() };
}

export const notice = {
  /** What there is to be said in this view. */
  get text(): string {
    return said.key === router.place.key ? said.text : "";
  },
};
