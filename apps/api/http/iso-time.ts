/** A time in milliseconds since 1970 as clients see it: ISO 8601 in UTC. */
export function toIsoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
