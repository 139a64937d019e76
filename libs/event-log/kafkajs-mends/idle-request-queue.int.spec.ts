import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { testConfig } from '../../../test/harness/test-config.ts';
import { createKafka } from '../kafka-client.ts';

const admin = createKafka(testConfig(), 'idle').admin();

beforeAll(() => admin.connect());
afterAll(() => admin.disconnect());

test('a connection that nobody uses costs no timers, and still answers when asked', async () => {
  await admin.listTopics();
  const setting = vi.spyOn(globalThis, 'setTimeout');
  await delay(300);
  expect(setting.mock.calls.length).toBeLessThan(30);
  setting.mockRestore();
  expect(await admin.listTopics()).toBeInstanceOf(Array);
});
