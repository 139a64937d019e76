import 'reflect-metadata';
import type { INestMicroservice } from '@nestjs/common';
import { Controller, Module, UseFilters } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { KafkaBatchTransport } from './batch-transport.ts';
import { TestTopics, testKafka } from '../../../test/harness/stores/test-topics.ts';
import { BatchContext, PartitionStoppedError, PassErrorsOn } from './batch-context.ts';
import type { RecordBatch } from '../consumed-record.ts';

const topics = new TestTopics();
const soon = { timeout: 30_000, interval: 50 };
let seen: string[] = [];
let app: INestMicroservice | undefined;

class Failing {
  protected async handleBatch({ records }: RecordBatch, context: BatchContext): Promise<void> {
    for (const { offset, value } of records) {
      await Promise.resolve();
      if (String(value) === 'stop') {
        throw new PartitionStoppedError('a record of version 7');
      }
      if (String(value) === 'trouble' && !seen.includes('trouble')) {
        seen.push('trouble');
        throw new RangeError('the database is away');
      }
      seen.push(String(value));
      await context.resolve(offset);
    }
  }
}

@Controller()
class Plain extends Failing {
  @EventPattern<string>('orders')
  handle(@Payload() batch: RecordBatch, @Ctx() context: BatchContext): Promise<void> {
    return this.handleBatch(batch, context);
  }
}

@Controller()
@UseFilters(PassErrorsOn)
class Filtered extends Plain {
  @EventPattern<string>('orders')
  override handle(@Payload() batch: RecordBatch, @Ctx() context: BatchContext): Promise<void> {
    return this.handleBatch(batch, context);
  }
}

@Module({ controllers: [Plain] })
class PlainModule {}

@Module({ controllers: [Filtered] })
class FilteredModule {}

beforeAll(() => topics.open());
afterEach(async () => {
  seen = [];
  await app?.close();
});
afterAll(() => topics.close());

async function startApp(module: object, name: string): Promise<KafkaBatchTransport> {
  const topicPrefix = `${topics.prefix}${name}.`;
  await topics.create(1, {}, `${topicPrefix}orders`);
  const strategy = new KafkaBatchTransport({
    kafka: testKafka(),
    groupId: `${topicPrefix}group`,
    topicPrefix,
    onCrash: () => {},
  });
  app = await NestFactory.createMicroservice(module, { strategy, logger: false });
  await app.listen();
  return strategy;
}

it('an ordinary error of a @EventPattern handler pauses and retries, filter or not', async () => {
  const transport = await startApp(PlainModule, 'plain');
  await topics.append(`${topics.prefix}plain.orders`, 0, ['a', 'trouble', 'b']);
  await vi.waitFor(() => expect(transport.state().description).toContain('retried'), soon);
  // What Nest makes of the cause: the reason for PassErrorsOn, and for PartitionStoppedError's base.
  expect(transport.state().description).toContain('Internal server error');
  await vi.waitFor(() => expect(seen).toEqual(['a', 'trouble', 'trouble', 'b']), soon);
});

it('PartitionStoppedError survives Nest without any filter', async () => {
  const transport = await startApp(PlainModule, 'stopping');
  await topics.append(`${topics.prefix}stopping.orders`, 0, ['a', 'stop', 'b']);
  await vi.waitFor(() => expect(transport.stoppedPartitions()).toHaveLength(1), soon);
  expect(transport.stoppedPartitions()[0]).toMatchObject({
    offset: '1',
    reason: 'a record of version 7',
  });
  expect(seen).toEqual(['a']);
});

it('with PassErrorsOn the state names the cause of an ordinary error', async () => {
  const transport = await startApp(FilteredModule, 'filtered');
  await topics.append(`${topics.prefix}filtered.orders`, 0, ['trouble', 'stop']);
  await vi.waitFor(
    () => expect(transport.state().description).toContain('the database is away'),
    soon,
  );
  await vi.waitFor(() => expect(transport.stoppedPartitions()).toHaveLength(1), soon);
  expect(transport.stoppedPartitions()[0]).toMatchObject({ reason: 'a record of version 7' });
});
