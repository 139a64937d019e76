import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { localAlertmanagerConfig } from '../local/observe/configs.ts';
import { alertmanager } from '../local/observe/programs.ts';
import { waitForOk } from '../local/processes/waiting.ts';
import { freePort } from '../local/servers/free-port.ts';
import { findProgram } from '../local/servers/install.ts';

/** Which alerts hold others back. amtool cannot say it: a real Alertmanager is asked. */

type Labels = Record<string, string>;

const program = await findProgram(alertmanager);
const directory = mkdtempSync(join(tmpdir(), 'alertmanager-'));
let child: ChildProcess | undefined;
let url: string;

beforeAll(async () => {
  if (program === undefined) {
    return;
  }
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const config = join(directory, 'alertmanager.yml');
  writeFileSync(config, localAlertmanagerConfig({}));
  child = spawn(program, [
    `--config.file=${config}`,
    `--storage.path=${directory}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--cluster.listen-address=',
  ]);
  await waitForOk(`${url}/-/ready`, 'Alertmanager does not answer', {
    abort: new AbortController().signal,
    details: () => '',
  });
});
beforeEach(({ skip }) => skip(program === undefined, 'no Alertmanager on this machine'));
afterAll(async () => {
  if (child !== undefined) {
    child.kill();
    await once(child, 'exit');
  }
  rmSync(directory, { recursive: true });
});

async function tell(alerts: Labels[], forMs: number): Promise<void> {
  const now = Date.now();
  const body = alerts.map((labels) => ({
    labels,
    startsAt: new Date(now - 60_000).toISOString(),
    endsAt: new Date(now + forMs).toISOString(),
  }));
  const answer = await fetch(`${url}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(200);
}

async function listed(which: 'active' | 'inhibited'): Promise<Labels[]> {
  const query = `active=${which === 'active'}&inhibited=${which === 'inhibited'}&silenced=false`;
  const answer = await fetch(`${url}/api/v2/alerts?${query}`);
  return ((await answer.json()) as { labels: Labels }[]).map(({ labels }) => labels);
}

/** Of `others`, which are held back while `cause` fires. */
async function heldBack(cause: Labels, others: Labels[]): Promise<Labels[]> {
  await tell([cause, ...others], 60_000);
  try {
    await expect
      .poll(async () => [...(await listed('active')), ...(await listed('inhibited'))].length)
      .toBe(others.length + 1);
    const held = await listed('inhibited');
    return others.filter((other) => held.some((labels) => isDeepStrictEqual(labels, other)));
  } finally {
    await tell([cause, ...others], -1);
    await expect.poll(() => listed('active')).toEqual([]);
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
