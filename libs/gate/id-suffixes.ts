import { randomBytes } from 'node:crypto';

/** The random 74 bits of UUIDv7s, as text after the version digit; the gate adds the time. */
export function newIdSuffixes(count: number): string[] {
  const bytesEach = 10;
  const digits = randomBytes(count * bytesEach).toString('hex');
  return Array.from({ length: count }, (_, i) => {
    const own = digits.slice(2 * bytesEach * i, 2 * bytesEach * (i + 1));
    const variant = '89ab'[Number.parseInt(own[0]!, 16) % 4]!;
    return `${own.slice(1, 4)}-${variant}${own.slice(4, 7)}-${own.slice(7, 19)}`;
  });
}
