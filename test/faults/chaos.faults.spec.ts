import { join } from 'node:path';
import { expect, test } from 'vitest';
import { localDir } from '../../infra/local/processes/paths.ts';
import { silent } from '../../infra/local/terminal/progress.ts';
import { formatResult } from '../chaos/chaos-result.ts';
import { ChaosRun } from '../chaos/chaos-run.ts';

const urlVariables = [
  'GATE_REDIS_URL',
  'JOBS_REDIS_URL',
  'KAFKA_BROKERS',
  'KAFKA_REPLICATION_FACTOR',
  'KAFKA_MIN_INSYNC_REPLICAS',
  'MYSQL_URL',
];

/** `npm run test:chaos` is the long one. */
test('a minute of chaos: it serves again after each fault, and nothing is lost, given twice or oversold', async () => {
  const env = Object.fromEntries(
    urlVariables.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  );
  const run = new ChaosRun(
    {
      instance: 'test',
      env,
      seed: 4,
      seconds: 60,
      requestsPerSecond: 150,
      journalFile: join(localDir, 'chaos', 'spec.answers.ndjson'),
    },
    silent,
    AbortSignal.timeout(500_000),
  );
  const result = await run.run();
  expect(result.failures, formatResult(result)).toEqual([]);
  expect(result.faults.length).toBeGreaterThanOrEqual(2);
  expect(result.ledger).toMatchObject({ lost: 0, duplicated: 0, oversold: 0 });
  expect(result.ledger!.issued).toBeGreaterThan(0);
}, 600_000);
