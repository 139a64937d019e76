import { vi } from 'vitest';

/** What `look` finds, as soon as it finds something; fails when it does not within a minute. */
export function eventually<Found>(look: () => Promise<Found | undefined | false>): Promise<Found> {
  return vi.waitFor(
    async () => {
      const found = await look();
      if (found === undefined || found === false) {
        throw new Error('not found yet');
      }
      return found;
    },
    { timeout: 60_000, interval: 100 },
  );
}
