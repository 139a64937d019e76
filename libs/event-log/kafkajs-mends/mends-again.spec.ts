import { expect, test, vi } from 'vitest';

test('may be evaluated again in the same process, as a setup of several projects is: what is replaced stays so', async () => {
  await import('./mends.ts');
  const { innerModule } = await import('./replace-module.ts');
  const replaced = innerModule('producer/groupMessagesPerPartition').exports;
  vi.resetModules();
  await import('./mends.ts');
  const again = await import('./replace-module.ts');
  expect(again.innerModule).not.toBe(innerModule);
  expect(again.innerModule('producer/groupMessagesPerPartition').exports).toBe(replaced);
});
