import { waitMostS } from './status.http.ts';

/** Values of a header that is a list; a comma inside quotes divides nothing. */
const listed = /(?:[^,"]|"(?:[^"\\]|\\.)*(?:"|$))+/g;
const named = /^\s*wait\s*(?:[=;]|$)/i;
const valued = /^\s*wait\s*=\s*(?:"(\d+)"|(\d+))\s*(?:;|$)/i;

/**
 * The seconds of `Prefer: wait=n` (RFC 7240), 30 at most. Of several the first counts. A preference that
 * cannot be read is as good as none: that is how the standard wants it.
 */
export function preferredWait(prefer: string | undefined): number | undefined {
  const first = prefer?.match(listed)?.find((one) => named.test(one));
  const [, quoted, plain] = first?.match(valued) ?? [];
  const seconds = quoted ?? plain;
  return seconds === undefined ? undefined : Math.min(Number(seconds), waitMostS);
}
