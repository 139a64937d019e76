import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { issuerGroup, topicNames } from '#event-log/topics.ts';
import type { ReceivedSpan } from './otlp-receiver.ts';

/** Somebody who begins a trace, and then asks. */
export interface Caller {
  traceId: string;
  spanId: string;
  traceparent: string;
}

/** `flags` 01: he wants its spans kept; 00: he does not. */
export function newCaller(flags: '00' | '01' = '01'): Caller {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-${flags}` };
}

/** Each span as a path of names from the root of what we made, with who made it. */
export function pathsOf(spans: ReceivedSpan[]): string[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const pathOf = (span: ReceivedSpan): string => {
    const parent = byId.get(span.parentSpanId ?? '');
    const name = `${String(span.service).replace('firstcome-', '')}:${span.name}`;
    return parent === undefined ? name : `${pathOf(parent)} > ${name}`;
  };
  return spans.map(pathOf).toSorted();
}

/** What the spans of one request alone say besides names and times, by their names. */
export function expectedAttributes(
  env: Record<string, string>,
  couponId: number,
  issuanceId: string,
): Record<string, { kind: string; attributes: Record<string, unknown> }> {
  const { requested, decided } = topicNames(env['KAFKA_TOPIC_PREFIX']!);
  const kafkaPartition = {
    'messaging.destination.partition.id': expect.stringMatching(/^\d$/) as string,
  };
  const coupon = { 'firstcome.coupon_id': couponId };
  const ours = { ...coupon, 'firstcome.issuance_id': issuanceId };
  const ofRecord = (operation: 'send' | 'process', topic: string) => ({
    ...addressOf(`kafka://${env['KAFKA_BROKERS']}`),
    'messaging.system': 'kafka',
    'messaging.operation.name': operation,
    'messaging.operation.type': operation,
    'messaging.destination.name': topic,
    'messaging.kafka.message.key': String(couponId),
    ...ours,
  });
  const ofRedis = (operation: string, script?: string) => ({
    ...addressOf(env['GATE_REDIS_URL']!),
    'db.system.name': 'redis',
    'db.namespace': '0',
    'db.operation.name': operation,
    ...(script !== undefined && { 'db.stored_procedure.name': script }),
  });
  const group = { 'messaging.consumer.group.name': issuerGroup(env['KAFKA_TOPIC_PREFIX']!) };
  const ofMysql = {
    ...addressOf(env['MYSQL_URL']!),
    'db.system.name': 'mysql',
    'db.namespace': new URL(env['MYSQL_URL']!).pathname.slice(1),
    'db.operation.name': 'decide',
  };
  const client = (attributes: object) => ({ kind: 'CLIENT', attributes: { ...attributes } });
  return {
    // Nobody has an id before this one has ended.
    reserve: client({ ...ofRedis('EVALSHA', 'reserve'), ...coupon }),
    confirm: client({ ...ofRedis('EVALSHA', 'confirm'), ...ours }),
    write_hints: client({ ...ofRedis('MULTI'), ...ours }),
    transaction: client({ ...ofMysql, ...ours }),
    [`send ${requested}`]: {
      kind: 'PRODUCER',
      attributes: { ...ofRecord('send', requested), ...kafkaPartition },
    },
    [`process ${requested}`]: {
      kind: 'CONSUMER',
      attributes: { ...ofRecord('process', requested), ...kafkaPartition, ...group },
    },
    // Its topic may have fewer partitions; only the client of Kafka knows which it was.
    [`send ${decided}`]: { kind: 'PRODUCER', attributes: ofRecord('send', decided) },
  };
}

function addressOf(url: string): Record<string, unknown> {
  const { hostname, port } = new URL(url);
  return { 'server.address': hostname, 'server.port': Number(port) };
}
