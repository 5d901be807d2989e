// A question before something is taken away.

/** What is asked once more before it is done. */
export interface Asked {
  readonly question: string;
  /** What follows, a sentence each. */
  readonly consequences: readonly string[];
  /** The words on the button. */
  readonly action: string;
  readonly send: () => Promise<void>;
}
