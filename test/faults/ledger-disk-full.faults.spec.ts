import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findProgram } from '../../infra/local/servers/install.ts';
import { mysql as kind } from '../../infra/local/servers/mysql.ts';
import { eventually } from '../../infra/local/processes/waiting.ts';
import { FaultScenario } from '../harness/stack/fault-scenario.ts';
import { TinyMysql } from '../harness/servers/tiny-mysql.ts';

const obstacle =
  (await findProgram(kind.programs()[0]!)) === undefined
    ? 'there is no mysqld on this machine'
    : TinyMysql.obstacle();

let tiny: TinyMysql | undefined;
let scenario: FaultScenario | undefined;

beforeAll(async () => {
  if (obstacle === undefined) {
    tiny = await TinyMysql.start();
    scenario = await FaultScenario.start({ env: { MYSQL_URL: tiny.url } });
  }
});
afterAll(async () => {
  await scenario?.stop();
  await tiny?.stop();
});

describe('a MySQL whose disk is full', () => {
  test('the issuer waits and says why, assigns go on, and all is issued once there is room', async ({
    skip,
  }) => {
    skip(obstacle !== undefined, obstacle);
    const { stack } = scenario!;
    const issuer = stack.app('issuer');
    await scenario!.untilIssued();
    await tiny!.fillDisk();
    await eventually(async () => / is full/.test(issuer.output));
    await scenario!.untilServed();
    expect(issuer.isRunning).toBe(true);
    expect((await stack.app('api').readiness())?.status).toBe(200);

    tiny!.makeRoom();
    await scenario!.untilServed();
    await scenario!.untilIssued();
    await issuer.ready(60_000);
    await scenario!.expectNothingLost();
  }, 240_000);
});
