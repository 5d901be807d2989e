// A request that may be sent again because its answer was lost, and then has one effect all the same.

/** Keeps the key (`Idempotency-Key`) of what is being asked for. */
export class Attempt {
  #text = "";
  #key = "";

  /** The key for this body: the same until it is answered, or until something else is asked for. */
  keyFor(body: unknown): string {
    const text = JSON.stringify(body);
    if (text !== this.#text) {
      this.#text = text;
      this.#key = crypto.randomUUID();
    }
    return this.#key;
  }

  /** It is done: the same body, sent after this, is meant anew. */
  settle(): void {
    this.#text = "";
  }
}
