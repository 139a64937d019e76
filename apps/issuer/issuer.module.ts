import type { DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { topicNames } from '#event-log/topics.ts';
import { providersOf } from '#platform/process/providers-of.ts';
import type { ProcessContext } from '#platform/process/run-process.ts';
import type { Stores } from '#stores/stores.ts';
import { DeadLetterLines } from './dead-letter-lines.ts';
import { DeadLetters } from './dead-letters.ts';
import { DecideIssuances } from './decide-issuances.ts';
import { IssuanceConsumer } from './issuance-consumer.ts';
import { IssuerMetrics } from './issuer-metrics.ts';

@Module({})
export class IssuerModule {
  static register(
    { config, logger, telemetry, failures, traces }: ProcessContext,
    stores: Stores<'gate' | 'ledger' | 'publisher'>,
  ): DynamicModule {
    return {
      module: IssuerModule,
      controllers: [IssuanceConsumer],
      providers: [
        ...providersOf(
          ...Object.values(stores),
          failures,
          traces,
          new DeadLetterLines(logger),
          new IssuerMetrics(telemetry, topicNames(config.KAFKA_TOPIC_PREFIX).requested),
        ),
        DecideIssuances,
        DeadLetters,
      ],
    };
  }
}
