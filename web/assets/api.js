// The portal's API as the pages use it: JSON out; JSON, nothing or a problem document back.

/** API Gateway gives up after 30 s, so an answer that takes longer will never come. */
const PATIENCE_MS = 30_000;

/** The portal answered, and the answer is no. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {{title?: string, detail?: string, request_id?: string,
   *   errors?: {field: string, code: string, message: string}[]}} problem
   * @param {number | null} retryAfter seconds to wait, where the answer says so
   */
  constructor(status, problem, retryAfter) {
    super(`refused with ${status}`);
    this.status = status;
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

/** No answer came, or one that is not the portal's (a captive Wi-Fi page, for instance). */
export class Unreachable extends Error {}

/**
 * @param {string} method
 * @param {string} path
 * @param {{body?: object, bearer?: string, idempotencyKey?: string, signal?: AbortSignal}} [options]
 * @returns {Promise<object | null>} the answer's body, null where it has none
 * @throws {Refusal | Unreachable}
 */
export async function call(method, path, { body, bearer, idempotencyKey, signal } = {}) {
  // Messages come in the page's language, whatever the browser's preference is.
  const headers = { Accept: "application/json", "Accept-Language": document.documentElement.lang };
  if (body) headers["Content-Type"] = "application/json";
  if (bearer) headers.Authorization = `Bearer ${bearer}`;
  if (idempotencyKey) headers["Idempotency-Key"] = idempotencyKey;

  try {
    const response = await fetch(path, {
      method,
      headers,
      body: body && JSON.stringify(body),
      cache: "no-store",
      redirect: "error",
      signal: signal ?? AbortSignal.timeout(PATIENCE_MS),
    });
    if (!response.ok) {
      throw new Refusal(response.status, await problemOf(response), retryAfterOf(response));
    }
    return response.status === 204 ? null : await response.json();
  } catch (failure) {
    if (failure instanceof Refusal) throw failure;
    throw new Unreachable("no answer of the portal", { cause: failure });
  }
}

/** What is in front of the portal refuses in other formats: those have only a status to say. */
async function problemOf(response) {
  try {
    const problem = await response.json();
    return typeof problem?.title === "string" ? problem : {};
  } catch {
    return {};
  }
}

/** `Retry-After` is a number of seconds or a date. */
function retryAfterOf(response) {
  const value = response.headers.get("Retry-After");
  if (!value) return null;
  const seconds = /^\d+$/.test(value) ? Number(value) : Math.ceil((Date.parse(value) - Date.now()) / 1000);
  return Number.isFinite(seconds) ? Math.max(seconds, 1) : null;
}
