// The site that led here: regional sites link to the portal with `?origine=bretagne`.

/** The site that an address names; null where it names none, or nothing that the portal takes for one. */
export function originOf(search: string): string | null {
  const origin = new URLSearchParams(search).get("origine");
  return origin && /^[a-z0-9-]{1,32}$/.test(origin) ? origin : null;
}
