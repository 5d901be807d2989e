// Everything that the portal keeps about oneself, as one file.

import type { Schema } from "../../lib/api.ts";

type Export = Schema<"Export">;

/**
 * Fetches the whole of it: an answer has the newest events, and says from where older ones go on.
 * @param fetch the answer with the events before an instant, or with the newest
 * @param told how many events are there by now
 */
export async function wholeExport(fetch: (before: string | undefined) => Promise<Export>, told: (events: number) => void): Promise<Export> {
  const { events_before: before, ...whole } = await fetch(undefined);
  let next = before;
  while (next !== undefined) {
    told(whole.events.length);
    const part = await fetch(next);
    whole.events = [...whole.events, ...part.events];
    next = part.events_before;
  }
  return whole;
}

/** The name of its file. */
export function fileName({ exported_at: at }: Pick<Export, "exported_at">): string {
  return `mes-donnees-constructys-${at.slice(0, 10)}.json`;
}
