// What a form and its fields know of each other.

import { getContext, setContext } from "svelte";

export interface OfForm {
  /** Whether it is on its way. */
  readonly isSending: boolean;
  join(name: string, id: string, label: string): void;
  messagesOf(name: string): string[];
  changed(name: string): void;
}

export function provideForm(form: OfForm): void {
  setContext("form", form);
}

/** The form that a field stands in. */
export function formOf(): OfForm | undefined {
  return getContext<OfForm | undefined>("form");
}
