// First, as somebody would who does not know of kafkajs.ts.
import 'kafkajs';
import { expect, test } from 'vitest';

test('who loads kafkajs before what is replaced in it is told so, and runs no other code instead', async () => {
  await expect(import('./mends.ts')).rejects.toThrow(/was loaded before .* kafkajs\.ts/);
});
