import { waitMostS } from './status.http.ts';

/**
 * Preferences of clients (`Prefer`, RFC 7240). Of several with one name the first counts. One that
 * cannot be read is as good as none: that is how the standard wants it.
 */

/**
 * Values of a header that is a list; a comma inside quotes divides nothing. Quotes that do not end match
 * up to the end all the same: to try anew from each of them would take the square of their number.
 */
const listed = /(?:[^,"]|"(?:[^"\\]|\\.)*(?:"|\\?$))+/g;

const wait = {
  named: /^\s*wait\s*(?:[=;]|$)/i,
  valued: /^\s*wait\s*=\s*(?:"(\d+)"|(\d+))\s*(?:;|$)/i,
};
const respondAsync = {
  named: /^\s*respond-async\s*(?:[=;]|$)/i,
  /** An empty value is as good as none. */
  valued: /^\s*respond-async\s*(?:=\s*(?:""\s*)?)?(?:;|$)/i,
};

/** The seconds of `wait=n`, 30 at most. */
export function preferredWait(prefer: string | undefined): number | undefined {
  const [, quoted, plain] = match(prefer, wait) ?? [];
  const seconds = quoted ?? plain;
  return seconds === undefined ? undefined : Math.min(Number(seconds), waitMostS);
}

/** Whether it has `respond-async`. */
export function prefersAsync(prefer: string | undefined): boolean {
  return match(prefer, respondAsync) !== null;
}

function match(
  prefer: string | undefined,
  { named, valued }: { named: RegExp; valued: RegExp },
): RegExpMatchArray | null {
  const first = prefer?.match(listed)?.find((one) => named.test(one));
  return first?.match(valued) ?? null;
}
