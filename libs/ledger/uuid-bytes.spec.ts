import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesToUuid, uuidToBytes } from './uuid-bytes.ts';

test('any UUID comes back from its 16 bytes as it was, in lower case', () => {
  fc.assert(
    fc.property(fc.uuid(), (uuid) => {
      expect(uuidToBytes(uuid)).toHaveLength(16);
      expect(bytesToUuid(uuidToBytes(uuid))).toBe(uuid);
      expect(bytesToUuid(uuidToBytes(uuid.toUpperCase()))).toBe(uuid);
    }),
  );
});

test('bytes sort as their UUIDs do, so that ids by time are rows by time', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.uuid(), (a, b) => {
      expect(Math.sign(Buffer.compare(uuidToBytes(a), uuidToBytes(b)))).toBe(
        a === b ? 0 : a < b ? -1 : 1,
      );
    }),
  );
});
