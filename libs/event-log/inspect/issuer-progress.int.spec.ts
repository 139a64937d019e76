import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestTopics, testKafka } from '../../../test/harness/stores/test-topics.ts';
import { IssuerProgress } from './issuer-progress.ts';
import { LogAdmin } from './log-admin.ts';

const topics = new TestTopics();
const admin = new LogAdmin(testKafka());
const issuers = new IssuerProgress(admin, topics.prefix);

beforeAll(async () => {
  await topics.open();
  await topics.create(2, {}, issuers.topic);
  await topics.append(issuers.topic, 0, ['a', 'b']);
});
afterAll(() => Promise.all([topics.close(), admin.close()]));

const soon = (): AbortSignal => AbortSignal.timeout(500);
const never = new AbortController().signal;

it('waits until the issuers have committed up to the ends, and not for what comes after', async () => {
  const ends = await issuers.ends();
  const inOne = await issuers.endOf(1);
  expect(await issuers.untilDecided(inOne, soon())).toBe(true);
  expect(await issuers.untilDecided(ends, soon())).toBe(false);
  const waiting = issuers.untilDecided(ends, never);
  await topics.append(issuers.topic, 0, ['c']);
  await topics.commit(issuers.topic, issuers.groupId, '2');
  expect(await waiting).toBe(true);
  expect((await issuers.lags()).map(({ lag }) => lag)).toEqual([1, 0]);
});

it('nobody comes to the end of a partition that is not there', async () => {
  expect(await issuers.untilDecided(await issuers.endOf(7), soon())).toBe(false);
});
