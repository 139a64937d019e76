import { strict as assert } from 'node:assert';
import { NestFactory } from '@nestjs/core';
import { Auditor } from '#audit/auditor.ts';
import { HealthProbes } from '#platform/health/health-probes.ts';
import { toNestLogger } from '#platform/logging/logging.ts';
import { runProcess, shutdownTimeoutMs } from '#platform/process/run-process.ts';
import { openJobStoreProbe } from '#stores/job-store.ts';
import { pauseFor } from '#platform/work/waiting.ts';
import { openStores } from '#stores/stores.ts';
import { createDuties } from './duties.ts';
import { KeeperModule } from './keeper.module.ts';

/** Longer than counting tens of millions of rows takes; sooner than TCP tells that a server is gone. */
const queryTimeoutMs = 60_000;

/** At the end: for what is in hand, and then for the stores, whatever state they are in. */
const handInMs = 5_000;
const closeMs = 3_000;
assert(handInMs + closeMs < shutdownTimeoutMs, 'a keeper must end by itself, with exit code 0');

await runProcess('firstcome-keeper', async (context) => {
  const { stores, probes, ...opened } = openStores(context, ['gate', 'ledger', 'publisher'], {
    queryTimeoutMs,
    ledgerUse: 'write',
  });
  const { jobs, connection: jobStore, close: closeJobProbe } = openJobStoreProbe(context.config);
  const { ledger, gate, kafka, issuers } = stores;
  const auditor = new Auditor(ledger, gate, kafka, issuers);
  const duties = createDuties(context, stores, jobStore);
  duties.forEach((duty) => duty.start());

  const app = await NestFactory.createApplicationContext(KeeperModule.register(context, auditor), {
    logger: toNestLogger(context.logger),
    abortOnError: false,
  });

  return {
    // Without the job store only audits wait.
    probes: new HealthProbes(probes, { jobs, ...opened.reports }),
    close: async () => {
      // What is in hand first: it still needs the stores. But it may wait for a query that MySQL does
      // not answer. Left alone it is as after a crash: whoever comes next does it anew.
      const inHand = Promise.all([app.close(), ...duties.map((duty) => duty.stop())]);
      await Promise.race([inHand, pauseFor(handInMs)]);
      closeJobProbe();
      await Promise.race([opened.close(), pauseFor(closeMs)]);
    },
  };
});
