import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Labels } from './alertmanager.fixture.ts';
import { problem, RunningAlertmanager } from './alertmanager.fixture.ts';

/** Which alerts hold others back. amtool cannot say it: a real Alertmanager is asked. */

let alertmanager: RunningAlertmanager | undefined;

beforeAll(async () => {
  alertmanager = problem === undefined ? await RunningAlertmanager.start() : undefined;
});
beforeEach(({ skip }) => skip(problem !== undefined, problem));
afterAll(() => alertmanager?.stop());

/** Of `others`, which are held back while `cause` fires. */
async function heldBack(cause: Labels, others: Labels[]): Promise<Labels[]> {
  await alertmanager!.tell([cause, ...others], 60_000);
  try {
    await expect
      .poll(
        async () =>
          [...(await alertmanager!.listed('active')), ...(await alertmanager!.listed('inhibited'))]
            .length,
      )
      .toBe(others.length + 1);
    const held = await alertmanager!.listed('inhibited');
    return others.filter((other) => held.some((labels) => isDeepStrictEqual(labels, other)));
  } finally {
    await alertmanager!.tell([cause, ...others], -1);
    await expect.poll(() => alertmanager!.listed('active')).toEqual([]);
  }
}

const of = (alertname: string, labels: Labels = {}): Labels => ({
  alertname,
  severity: 'critical',
  ...labels,
});

describe('a page holds back', () => {
  it('the ticket about the same thing, and about no other', async () => {
    const disk = { instance: 'a', job: 'node', mountpoint: '/data' };
    const same = of('HostDiskFull', { ...disk, severity: 'warning' });
    const other = of('HostDiskFull', { ...disk, mountpoint: '/log', severity: 'warning' });
    expect(await heldBack(of('HostDiskFull', disk), [same, other])).toEqual([same]);
  });
});

describe.each([
  {
    cause: of('StoreAway', { store: 'mysql' }),
    heldBackToo: [of('LagHigh'), of('NoProgress'), of('FigureMissing'), of('DbPoolHigh')],
    told: [of('ApiErrors'), of('CouponBurn'), of('OldestPendingHigh'), of('DbConnectionsHigh')],
  },
  {
    cause: of('StoreRefusesWrites', { store: 'mysql' }),
    heldBackToo: [of('LagHigh'), of('NoProgress'), of('FigureMissing')],
    told: [of('ApiErrors'), of('CouponBurn'), of('DbPoolHigh'), of('DbConnectionsHigh')],
  },
  {
    cause: of('DbConnectionsHigh', { store: 'mysql' }),
    heldBackToo: [
      of('StoreAway', { store: 'mysql' }),
      of('StoreRefusesWrites', { store: 'mysql' }),
    ],
    told: [of('StoreAway', { store: 'kafka' }), of('ApiErrors')],
  },
  {
    cause: of('StoreAway', { store: 'kafka' }),
    heldBackToo: [of('LagHigh'), of('NoProgress'), of('OldestPendingHigh'), of('GateShut')],
    told: [of('ApiErrors'), of('CouponBurn'), of('RedisMemoryHigh', { store: 'gate' })],
  },
  {
    cause: of('StoreAway', { store: 'gate' }),
    heldBackToo: [of('GateShut'), of('NoProgress'), of('RedisMemoryHigh', { store: 'gate' })],
    told: [of('ApiErrors'), of('CouponBurn'), of('RedisMemoryHigh', { store: 'jobs' })],
  },
  {
    cause: of('ProcessDown', { job: 'issuer' }),
    heldBackToo: [of('LagHigh'), of('NoProgress'), of('GateShut')],
    told: [of('OldestPendingHigh'), of('DeadLetters')],
  },
  {
    cause: of('ProcessDown', { job: 'keeper' }),
    heldBackToo: [of('FigureMissing'), of('GateShut')],
    told: [of('LagHigh'), of('ApiErrors')],
  },
])('$cause.alertname of $cause.store$cause.job', ({ cause, heldBackToo, told }) => {
  it('holds back what comes of it, and nothing that clients feel or that is a cause itself', async () => {
    expect(await heldBack(cause, [...heldBackToo, ...told])).toEqual(heldBackToo);
  });
});
