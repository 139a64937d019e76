import { z } from 'zod';
import {
  epochMarkerSchema,
  issuanceRequestedSchema,
  issuancesDecidedSchema,
  toEpochMarked,
  toIssuanceRequested,
  toIssuancesDecided,
} from '#coupon/events.ts';
import {
  deadLetterRecordSchema,
  toDeadLetterRecord,
} from '#event-log/publish/dead-letter-record.ts';
import { topicNames } from '#event-log/topics.ts';
import { environmentSchema } from '#platform/config/config.ts';
import { topicDemands } from '#event-log/topic-demands.ts';

const topics = topicNames('');
const defaults = environmentSchema.parse({});

const request = {
  issuanceId: '01a2027b-d680-7c3a-9d1e-0d5c2b9f4a11',
  couponId: 123,
  userId: 'me',
  epoch: 1,
  reservedAt: Date.UTC(2026, 10, 22, 9),
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
};

interface Message {
  title: string;
  summary: string;
  /** What the key of the record is. */
  key: string;
  payload: z.ZodType;
  example: object;
  headers?: Record<string, string>;
}

const messages = {
  issuanceRequested: {
    title: 'A request to be decided',
    summary: 'One unit is held for this user: it is to be issued, or refused, under this id.',
    key: 'The coupon id in decimal.',
    payload: issuanceRequestedSchema,
    example: toIssuanceRequested(request),
    headers: { traceparent: 'W3C trace context; absent where the request has none.' },
  },
  epochMarked: {
    title: 'New epochs begin',
    summary: 'Requests of these coupons that follow and are of a lower epoch are void.',
    key: '`epoch.marker`',
    payload: epochMarkerSchema,
    example: toEpochMarked({ epochs: [{ couponId: 123, epoch: 2 }] }),
  },
  issuancesDecided: {
    title: 'What became of requests of one coupon',
    summary:
      'Decided together, in the order of the requests; written after MySQL has it, and at least once: ' +
      'go by issuance_id.',
    key: 'The coupon id in decimal.',
    payload: issuancesDecidedSchema,
    example: toIssuancesDecided(123, [
      { request, status: 'ISSUED', decidedAt: request.reservedAt + 61, isNew: true },
    ]),
  },
  deadLetter: {
    title: 'A record that is no request that can be decided',
    summary: 'A copy, with why; MySQL keeps the letter itself.',
    key: 'Partition and offset where it was found, as in `3/42`.',
    payload: deadLetterRecordSchema,
    example: toDeadLetterRecord({
      topic: topics.requested,
      partition: 3,
      offset: '42',
      recordedAt: request.reservedAt,
      key: null,
      value: Buffer.from('what is this?'),
      headers: [],
      traceId: null,
      reason: 'not a JSON object with a version',
    }).value as object,
    headers: {
      'dead-letter-reason': 'The reason.',
      'dead-letter-trace-id': 'The trace id of the record, where it has one.',
    },
  },
} satisfies Record<string, Message>;

type MessageName = keyof typeof messages;

interface Channel {
  address: string;
  description: string;
  messages: MessageName[];
  /** What firstcome does with it, and which of its processes. */
  uses: Record<string, { action: 'send' | 'receive'; summary: string; messages: MessageName[] }>;
}

const channels: Record<string, Channel> = {
  requested: {
    address: topics.requested,
    description:
      'What the gate has admitted, in the order in which it is decided. All requests of a coupon are in ' +
      'one partition, chosen when the coupon was created. Nobody but firstcome may write here.',
    messages: ['issuanceRequested', 'epochMarked'],
    uses: {
      requestIssuance: {
        action: 'send',
        summary: 'The api, before it answers an assign; the keeper, for requests left half-way.',
        messages: ['issuanceRequested'],
      },
      markEpochs: {
        action: 'send',
        summary: 'The keeper, in a recovery.',
        messages: ['epochMarked'],
      },
      decideIssuances: {
        action: 'receive',
        summary: 'The issuer, in the consumer group `firstcome-issuer`.',
        messages: ['issuanceRequested', 'epochMarked'],
      },
    },
  },
  decided: {
    address: topics.decided,
    description: 'What was decided. For anybody to read, in a consumer group of his own.',
    messages: ['issuancesDecided'],
    uses: {
      tellDecisions: {
        action: 'send',
        summary: 'The issuer, after the commit and before its offset.',
        messages: ['issuancesDecided'],
      },
    },
  },
  deadLetter: {
    address: topics.deadLetter,
    description: 'Copies of what could not be decided.',
    messages: ['deadLetter'],
    uses: {
      copyDeadLetter: {
        action: 'send',
        summary: 'The issuer, once MySQL keeps the letter.',
        messages: ['deadLetter'],
      },
    },
  },
};

/** The topics in AsyncAPI 3: what stands in them is checked by the same schemas in the code. */
export function asyncApiDocument(): object {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'firstcome: the log',
      version: '1',
      description:
        'Values are JSON with a version `v`; a field that is not known is to be left alone. ' +
        'KAFKA_TOPIC_PREFIX goes before the name of each topic.',
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    channels: mapped(channels, (channel) => ({
      address: channel.address,
      description: channel.description,
      messages: Object.fromEntries(
        channel.messages.map((name) => [name, { $ref: `#/components/messages/${name}` }]),
      ),
      bindings: { kafka: kafkaBinding() },
    })),
    operations: Object.fromEntries(
      Object.entries(channels).flatMap(([channel, { uses }]) =>
        Object.entries(uses).map(([name, use]) => [
          name,
          {
            action: use.action,
            channel: { $ref: `#/channels/${channel}` },
            summary: use.summary,
            messages: use.messages.map((message) => ({
              $ref: `#/channels/${channel}/messages/${message}`,
            })),
          },
        ]),
      ),
    ),
    components: { messages: mapped<Message, object>(messages, messageObject) },
  };
}

/** As `firstcome migrate` creates a topic with the default settings. */
function kafkaBinding(): object {
  const settings = ['cleanup.policy', 'retention.ms', 'max.message.bytes'];
  const configured = topicDemands
    .filter(({ setting }) => settings.includes(setting))
    .map(({ setting, value }) => [setting, value(defaults)] as const);
  return {
    partitions: defaults.KAFKA_PARTITIONS,
    replicas: defaults.KAFKA_REPLICATION_FACTOR,
    topicConfiguration: Object.fromEntries(
      configured.map(([setting, value]) => [
        setting,
        setting === 'cleanup.policy' ? [value] : Number(value),
      ]),
    ),
    bindingVersion: '0.5.0',
  };
}

function messageObject(message: Message, name: string): object {
  const { title, summary, key, payload, example, headers = {} } = message;
  const hasHeaders = Object.keys(headers).length > 0;
  return {
    name,
    title,
    summary,
    contentType: 'application/json',
    ...(hasHeaders && {
      headers: {
        type: 'object',
        properties: mapped(headers, (description) => ({ type: 'string', description })),
      },
    }),
    payload: inDocument(payload),
    bindings: { kafka: { key: { type: 'string', description: key }, bindingVersion: '0.5.0' } },
    examples: [{ name: 'one', payload: JSON.parse(JSON.stringify(example)) as object }],
  };
}

/** As a reader meets it: a newer writer may say more. */
function inDocument(schema: z.ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input' });
  return rest;
}

function mapped<In, Out>(
  values: Record<string, In>,
  map: (value: In, name: string) => Out,
): Record<string, Out> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, map(value, name)]),
  );
}
