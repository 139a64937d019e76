import { execFile } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FaultScenario } from '../harness/stack/fault-scenario.ts';
import { userIds } from '../harness/fixtures.ts';
import { timeoutsBesideKafka } from '../harness/stack/test-stack.ts';
import { SpareBroker, spareBrokerProblem } from '../harness/servers/spare-broker.ts';

const run = promisify(execFile);
const diskSize = '96m';

let broker: SpareBroker | undefined;
let scenario: FaultScenario | undefined;
let problem = spareBrokerProblem;
let isMounted = false;

beforeAll(async () => {
  if (problem !== undefined) {
    return;
  }
  // Segments of a megabyte: a full disk is met soon after it is full.
  broker = await SpareBroker.create({ 'log.segment.bytes': String(2 ** 20) });
  problem = await mountDisk(broker.server.dataDir);
  if (problem === undefined) {
    await broker.server.start();
    scenario = await FaultScenario.start({
      env: { ...timeoutsBesideKafka, KAFKA_BROKERS: broker.direct },
    });
  }
});
beforeEach(({ skip }) => skip(problem !== undefined, problem));
afterEach(async () => {
  if (scenario !== undefined) {
    await makeRoom();
  }
});
afterAll(async () => {
  try {
    await scenario?.stop();
  } finally {
    await broker?.server.stop('SIGKILL');
    if (isMounted) {
      await run('umount', [broker!.server.dataDir]);
    }
    await broker?.remove();
  }
});

/** Why there is no small disk to fill, in words; `undefined` when there is one. */
async function mountDisk(directory: string): Promise<string | undefined> {
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${diskSize}`, 'tmpfs', directory]);
    isMounted = true;
    return undefined;
  } catch (error) {
    return `no small disk can be mounted: ${(error as Error).message.trim()}`;
  }
}

function wasteFile(): string {
  return join(broker!.server.dataDir, 'waste');
}

/** Takes all the room that is left. */
function fillDisk(): void {
  const handle = openSync(wasteFile(), 'w');
  const piece = Buffer.alloc(64 * 1_024);
  try {
    for (;;) {
      writeSync(handle, piece);
    }
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
  } finally {
    closeSync(handle);
  }
}

/** As whoever is on call would: there is room again, and the broker is started again. */
async function makeRoom(): Promise<void> {
  rmSync(wasteFile(), { force: true });
  await broker!.server.start();
}

describe('a full disk of Kafka, under load', () => {
  const users = userIds(50, 'full');

  test('503 UNCONFIRMED while it is full; in service again by itself when there is room and the broker was started again', async () => {
    fillDisk();
    let probes = 0;
    await expect
      .poll(
        async () => {
          probes += 1;
          const { status, body } = await scenario!.ask(`probe-${probes}`);
          return [status, body.code];
        },
        { timeout: 60_000 },
      )
      .toEqual([503, 'UNCONFIRMED']);
    const told = await Promise.all(users.map((user) => scenario!.ask(user)));
    expect(told.map(({ status, body }) => [status, body.code])).toEqual(
      users.map(() => [503, 'UNCONFIRMED']),
    );

    await broker!.server.stop('SIGKILL');
    await makeRoom();
    await scenario!.untilServed();
    const again = await Promise.all(users.map((user) => scenario!.askUntilFinal(user)));
    expect(again.map(({ status, body }) => [status, body.issuance_id])).toEqual(
      told.map(({ body }) => [200, body.issuance_id]),
    );
  });

  test('nothing is lost, and nobody has two', async () => {
    await scenario!.expectNothingLost();
    scenario!.expectOneIdEach();
  });
});
