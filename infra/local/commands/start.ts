import { runCommand } from '../terminal/command.ts';
import { parseCounts, runFirstcome } from './run-firstcome.ts';

const usage = `npm start -- [options]

Brings up Redis, Kafka and MySQL, migrates, seeds coupon 123, and runs firstcome until Ctrl-C.

  --api N       api processes     (1)
  --issuers N   issuer processes  (1)
  --keepers N   keeper processes  (1)

A server whose URL is in the environment (GATE_REDIS_URL, JOBS_REDIS_URL, KAFKA_BROKERS,
MYSQL_URL) is used, not started. FIRSTCOME_SERVERS=local leaves Docker out of it.
`;

await runCommand(usage, async (args) => {
  await runFirstcome(parseCounts(args, usage));
  return 0;
});
