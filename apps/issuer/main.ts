import assert from 'node:assert/strict';
import { NestFactory } from '@nestjs/core';
import { KafkaBatchTransport } from '#event-log/consume/batch-transport.ts';
import type { StandingPartition } from '#event-log/consume/partition/standstill.ts';
import { transportDefaults } from '#event-log/consume/batch-transport-options.ts';
import { issuerGroup } from '#event-log/topics.ts';
import { HealthProbes } from '#platform/health/health-probes.ts';
import { toLogFunction, toNestLogger } from '#platform/logging/logging.ts';
import { runProcess, shutdownTimeoutMs } from '#platform/process/run-process.ts';
import { openStores } from '#stores/stores.ts';
import { IssuerModule } from './issuer.module.ts';
import { observeStandstill } from './standstill-metrics.ts';

/** Longer than stores are away when they restart, or than a lock of MySQL is waited for. */
const stuckAfterS = 30;

assert(transportDefaults.drainTimeoutMs < shutdownTimeoutMs, 'a drain must end before its process');

await runProcess('firstcome-issuer', async (context) => {
  const { config, logger, fail } = context;
  const { stores, probes, ...opened } = openStores(context, ['gate', 'ledger', 'publisher'], {
    queryTimeoutMs: config.MYSQL_QUERY_TIMEOUT_MS,
    ledgerUse: 'write',
  });
  const transport = new KafkaBatchTransport({
    kafka: stores.kafka,
    groupId: issuerGroup(config.KAFKA_TOPIC_PREFIX),
    topicPrefix: config.KAFKA_TOPIC_PREFIX,
    wasRead: ({ partition }) => stores.coupons.anyDecidedFrom(partition),
    onCrash: (error) => fail('the Kafka consumer is dead; a restart joins the group anew', error),
    logger: toLogFunction(logger),
  });
  const app = await NestFactory.createMicroservice(IssuerModule.register(context, stores), {
    strategy: transport,
    logger: toNestLogger(logger),
    abortOnError: false,
  });
  await app.listen();
  observeStandstill(context.telemetry, transport);

  return {
    // An issuer that publishes and does not consume is of no use.
    probes: new HealthProbes({ ...probes, kafka: () => problemOf(transport) }, opened.reports),
    close: async () => {
      // The transport first: the chunk in hand still needs all three stores.
      await app.close();
      await opened.close();
    },
  };
});

function problemOf(transport: KafkaBatchTransport): string | undefined {
  const { status, description } = transport.state();
  if (status !== 'consuming' || transport.stoppedPartitions().length > 0) {
    return description;
  }
  const stuck = transport.standing().filter(({ seconds }) => seconds > stuckAfterS);
  return stuck.length === 0 ? undefined : stuck.map(inWords).join('; ');
}

function inWords({ topic, partition, seconds, reason }: StandingPartition): string {
  return `partition ${partition} of ${topic} has not come further for ${Math.round(seconds)} s: ${reason}`;
}
