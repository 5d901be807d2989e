// What was done, said where the focus goes: the button that did it may be gone.

import { tick } from "svelte";

/** What a part of a view says of what it did last. */
export class Said {
  text = $state("");
  /** Where it stands, once it is there. */
  place: HTMLElement | null = null;

  async say(text: string): Promise<void> {
    this.text = text;
    await tick();
    this.place?.focus();
    this.place?.scrollIntoView({ block: "nearest" });
  }

  clear(): void {
    this.text = "";
  }
}
