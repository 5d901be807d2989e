// The portal's API as the pages use it: JSON out; JSON, nothing or a problem document back. Paths, bodies and answers
// have the types of the contract.

import type { components, paths } from "../generated/api.d.ts";

/** A schema of the contract, by its name there. */
export type Schema<Name extends keyof components["schemas"]> = components["schemas"][Name];

type Lower = "get" | "put" | "post" | "patch" | "delete";

/** The methods that a path has. */
export type MethodOf<Path extends keyof paths> = {
  [Method in Lower]: paths[Path][Method] extends { responses: unknown } ? Uppercase<Method> : never;
}[Lower];

type Operation<Path extends keyof paths, Method extends string> = Lowercase<Method> extends keyof paths[Path]
  ? paths[Path][Lowercase<Method>]
  : never;

type Body<O> = O extends { requestBody: { content: { "application/json": infer Content } } }
  ? { body: OrAbsent<Content> }
  : { body?: undefined };

type PathParameters<O> = O extends { parameters: { path: infer Parameters } } ? { path: Parameters } : { path?: undefined };

type Query<O> = O extends { parameters: { query?: infer Parameters } }
  ? [Parameters] extends [undefined]
    ? { query?: undefined }
    : { query?: OrAbsent<Parameters> | undefined }
  : { query?: undefined };

/** Parameters or a body, of which each optional field may be given as undefined: it is left out. */
export type OrAbsent<T> = { [Name in keyof T]: T[Name] | (object extends Pick<T, Name> ? undefined : never) };

interface Common {
  bearer?: string;
  idempotencyKey?: string;
  signal?: AbortSignal;
}

type OptionsOf<O> = Body<O> & PathParameters<O> & Query<O> & Common;

/** What a call needs besides its method and path; nothing at all where the operation takes nothing. */
export type Options<Path extends keyof paths, Method extends string> =
  Common extends OptionsOf<Operation<Path, Method>>
    ? [options?: OptionsOf<Operation<Path, Method>>]
    : [options: OptionsOf<Operation<Path, Method>>];

type Success = 200 | 201 | 202 | 204;

type AnswerOf<O> = O extends { responses: infer Responses }
  ? {
      [Status in keyof Responses & Success]: Responses[Status] extends { content: { "application/json": infer Content } }
        ? Content
        : null;
    }[keyof Responses & Success]
  : never;

/** The body of an operation's answer, null where it has none. */
export type Answer<Path extends keyof paths, Method extends string> = AnswerOf<Operation<Path, Method>>;

export type Path = keyof paths;

/** API Gateway gives up after 30 s, so an answer that takes longer will never come. */
const PATIENCE_MS = 30_000;

/** What a refusal says of itself; nothing at all where it is not the portal's own. */
export type Problem = Partial<Pick<Schema<"Problem">, "type" | "title" | "detail" | "request_id" | "errors" | "manager">>;

/** The portal answered, and the answer is no. */
export class Refusal extends Error {
  readonly status: number;
  readonly problem: Problem;
  /** Seconds to wait, where the answer says so. */
  readonly retryAfter: number | null;

  constructor(status: number, problem: Problem, retryAfter: number | null) {
    super(`refused with ${status}`);
    this.status = status;
    this.problem = problem;
    this.retryAfter = retryAfter;
  }

  /** Whether it is the problem of this name. */
  is(slug: string): boolean {
    return this.problem.type === `/problems/${slug}`;
  }
}

/** No answer came, or one that is not the portal's (a captive Wi-Fi page, for instance). */
export class Unreachable extends Error {}

/**
 * Calls an operation of the contract and returns its answer's body.
 * @throws {Refusal | Unreachable}
 */
export async function call<P extends Path, M extends MethodOf<P>>(
  method: M,
  path: P,
  ...options: Options<P, M>
): Promise<Answer<P, M>> {
  const [given]: unknown[] = options;
  const { body, path: parameters, query, bearer, idempotencyKey, signal } = (given ?? {}) as Loose;
  // Messages come in the page's language, whatever the browser's preference is.
  const headers: Record<string, string> = {
    Accept: "application/json",
    "Accept-Language": document.documentElement.lang,
  };
  if (body) headers["Content-Type"] = "application/json";
  if (bearer) headers["Authorization"] = `Bearer ${bearer}`;
  if (idempotencyKey) headers["Idempotency-Key"] = idempotencyKey;

  try {
    const response = await fetch(address(path, parameters, query), {
      method,
      headers,
      body: body ? JSON.stringify(body) : null,
      cache: "no-store",
      redirect: "error",
      signal: signal ?? AbortSignal.timeout(PATIENCE_MS),
    });
    if (!response.ok) {
      throw new Refusal(response.status, await problemOf(response), retryAfterOf(response.headers));
    }
    // The contract says what this is; tests hold the portal against the contract.
    return (response.status === 204 ? null : await response.json()) as Answer<P, M>;
  } catch (failure) {
    if (failure instanceof Refusal) throw failure;
    throw new Unreachable("no answer of the portal", { cause: failure });
  }
}

/** The options of any operation. */
interface Loose extends Common {
  body?: unknown;
  path?: Record<string, string> | undefined;
  query?: Record<string, string | number | boolean | null | undefined> | undefined;
}

/** The path of a template, its parameters filled in, and what of the query is given. */
export function address(template: string, parameters: Loose["path"], query: Loose["query"]): string {
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(parameters?.[name] ?? ""));
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null && value !== "");
  if (given.length === 0) return path;
  return `${path}?${new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()}`;
}

/** What is in front of the portal refuses in other formats: those have only a status to say. */
async function problemOf(response: Response): Promise<Problem> {
  try {
    const problem = (await response.json()) as Problem | null;
    return typeof problem?.title === "string" ? problem : {};
  } catch {
    return {};
  }
}

/** `Retry-After` is a number of seconds or a date. */
export function retryAfterOf(headers: Headers): number | null {
  const value = headers.get("Retry-After");
  if (!value) return null;
  const seconds = /^\d+$/.test(value) ? Number(value) : Math.ceil((Date.parse(value) - Date.now()) / 1000);
  return Number.isFinite(seconds) ? Math.max(seconds, 1) : null;
}
