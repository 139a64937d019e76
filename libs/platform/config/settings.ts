import { z } from 'zod';
import { identitySettings } from './identity-settings.ts';
import { faultPoints, faultSignals } from '../process/fault-point.ts';
import { readAllowedOrigins } from './allowed-origins.ts';
import {
  certificate,
  days,
  decimal,
  flag,
  httpUrl,
  milliseconds,
  optional,
  port,
  redisUrl,
  refine,
  wholeNumber,
} from './setting-kinds.ts';
import { readTrustedProxies } from './trusted-proxies.ts';
import { readBrokers } from '../urls/kafka-brokers.ts';
import { readMysqlUrl } from '../urls/mysql-url.ts';

/**
 * Every setting of every process, by environment variable. The description of a setting is its
 * documentation: `.env.example` is generated from here (`npm run env:generate`).
 */
export const settings = z.object({
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('Least severe level that is logged.'),
  LOG_FORMAT: z
    .enum(['auto', 'json', 'text'])
    .default('auto')
    .describe('json: ECS, a document a line. text: for people. auto: text on a terminal.'),
  LOG_USER_IDS: z
    .enum(['plain', 'hashed'])
    .default('plain')
    .describe('How user ids stand in the log; hashed by HMAC with LOG_USER_ID_KEY.'),
  LOG_USER_ID_KEY: optional.describe(
    'Secret, at least 16 characters, the same for all processes; who has it can tell whose a hash is.',
  ),
  METRICS: z
    .enum(['on', 'off'])
    .default('on')
    .describe('off records no metrics: to measure what they cost.'),
  METRICS_COUPONS_MAX: wholeNumber(1, 1_000)
    .default(100)
    .describe(
      'Running coupons with metrics of their own: those that opened last; the others are summed.',
    ),

  TRACES: z
    .enum(['on', 'off'])
    .default('off')
    .describe('on: send spans of requests to OTEL_EXPORTER_OTLP_ENDPOINT. off costs nothing.'),
  TRACES_SAMPLE_RATIO: decimal(0, 1)
    .default(0.01)
    .describe(
      'Share of requests that have spans; a traceparent that comes with one decides itself.',
    ),
  TRACES_KEEP_ERRORS: flag
    .default(false)
    .describe(
      'Also spans of the api for each other request that is answered with 5xx; 20 a second at most.',
    ),
  TRACES_KEEP_SLOW_MS: wholeNumber(0, 3_600_000)
    .default(0)
    .describe('The same for each other request that takes as long; 0: for none.'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .string()
    .refine(isHttpUrl, 'must be an http:// or https:// URL')
    .default('http://127.0.0.1:4318')
    .describe('Where spans go, over OTLP/HTTP in JSON; /v1/traces is added.'),
  OTEL_EXPORTER_OTLP_HEADERS: optional.describe(
    'Headers for that receiver, name=value, separated by commas.',
  ),

  API_HOST: z.string().default('127.0.0.1').describe('Address the public API listens on.'),
  API_PORT: port.default(8080).describe('Port of the public API.'),
  API_REUSE_PORT: flag
    .default(false)
    .describe('Let several api processes share API_PORT (Linux: the kernel spreads connections).'),
  ...identitySettings,
  ASSIGN_IN_FLIGHT_MAX: wholeNumber(1, 100_000)
    .default(2_000)
    .describe('Most assigns one api works on at once; it answers 503 OVERLOADED to more.'),
  READ_IN_FLIGHT_MAX: wholeNumber(1, 100_000)
    .default(500)
    .describe('The same for status, wallet and coupon, and, counted apart, for redemptions.'),
  API_CONNECTIONS_MAX: wholeNumber(1, 1_000_000)
    .default(15_000)
    .describe('Most connections of clients to one api; beyond, those that ask nothing are closed.'),
  WAITERS_MAX: wholeNumber(0, 1_000_000)
    .default(10_000)
    .describe(
      'Most who wait for a decision at one api, two thirds of API_CONNECTIONS_MAX at most; others are told at once when to ask again.',
    ),
  API_REQUEST_TIMEOUT_MS: milliseconds(1_000)
    .default(10_000)
    .describe('How long a request may take to arrive, headers and body; 408 to who takes longer.'),
  API_HEADERS_TIMEOUT_MS: milliseconds(1_000)
    .default(10_000)
    .describe('The same for its headers alone; not longer than API_REQUEST_TIMEOUT_MS.'),
  API_IDLE_TIMEOUT_MS: milliseconds(1_000)
    .default(72_000)
    .describe(
      'How long a connection may be idle between two requests; longer than a balancer keeps it idle.',
    ),
  API_ANSWER_TIMEOUT_MS: milliseconds(1_000)
    .default(30_000)
    .describe('How long an answer may lie unread before its connection is closed.'),
  TRUST_PROXY: z
    .string()
    .default('')
    .transform((text, context) => refine(context, () => readTrustedProxies(text)) ?? z.NEVER)
    .describe(
      'Whose X-Forwarded-For is believed: addresses and networks of proxies, or how many hops; empty: nobody.',
    ),
  LIMIT_PER_USER: wholeNumber(0, 1_000_000)
    .default(0)
    .describe(
      'Most requests for one user in LIMIT_WINDOW_S, at all apis together; 429 to more. 0: no limit.',
    ),
  LIMIT_PER_ADDRESS: wholeNumber(0, 1_000_000)
    .default(0)
    .describe('The same from one address; of IPv6 a /64 is one.'),
  LIMIT_WINDOW_S: wholeNumber(1, 3_600)
    .default(10)
    .describe('How long requests are counted, from the first one on.'),
  CORS_ALLOWED_ORIGINS: z
    .string()
    .default('')
    .transform((text, context) => refine(context, () => readAllowedOrigins(text)) ?? z.NEVER)
    .describe(
      'Origins whose pages may call the api, such as https://shop.example, separated by commas; * for all.',
    ),
  CORS_CREDENTIALS: flag
    .default(false)
    .describe('Let those pages send cookies and the like; tokens in Authorization need it not.'),
  WAIT_MAX_S: wholeNumber(1, 30)
    .default(30)
    .describe('Longest wait for a decision in one request; shorter than a balancer waits for us.'),
  EVENTS_HEARTBEAT_MS: milliseconds(1_000)
    .default(15_000)
    .describe('How often a silent stream of events shows that it lives.'),
  EVENTS_MAX_S: wholeNumber(0, 86_400)
    .default(0)
    .describe(
      'Longest life of a stream of events, which its client then opens anew; 0: until it is decided.',
    ),
  SHUTDOWN_DRAIN_MS: wholeNumber(0, 600_000)
    .default(15_000)
    .describe(
      'How long an api that is to stop serves on, not ready, until balancers have turned away. `npm start`: 500.',
    ),
  ASSIGN_WAIT_MAX_MS: milliseconds()
    .default(500)
    .describe('Longest an assign waits for its turn at Redis, and then at Kafka.'),
  INTERNAL_HOST: z
    .string()
    .default('127.0.0.1')
    .describe('Address of the internal port (/metrics, /health). Never expose it to the public.'),
  INTERNAL_PORT: wholeNumber(0, 65_535)
    .default(9464)
    .describe('Internal port; each process needs its own. 0 takes any free port.'),

  GATE_REDIS_URL: redisUrl
    .default('redis://127.0.0.1:6379')
    .describe('Redis that holds the gate (maxmemory-policy noeviction). rediss:// for TLS.'),
  GATE_REDIS_CA_FILE: certificate.describe('CA certificate (PEM file) for a rediss:// gate.'),
  GATE_KEY_PREFIX: z
    .string()
    .regex(/^[\w:-]{0,64}$/, 'at most 64 letters, digits, _ : or -')
    .default('firstcome:')
    .describe('Prefix of every key in the gate Redis.'),
  GATE_TIMEOUT_MS: milliseconds()
    .default(1_000)
    .describe('How long one gate command may take before it counts as failed.'),
  JOBS_REDIS_URL: redisUrl
    .default('redis://127.0.0.1:6380')
    .describe('Redis of the job queues; another server than the gate (noeviction too).'),
  JOBS_REDIS_CA_FILE: certificate.describe('CA certificate (PEM file) for a rediss:// job store.'),

  KAFKA_BROKERS: z
    .string()
    .default('127.0.0.1:9092')
    .transform((list, context) => refine(context, () => readBrokers(list)) ?? z.NEVER)
    .describe('Kafka bootstrap brokers, host:port, separated by commas.'),
  KAFKA_SSL: flag.default(false).describe('Talk TLS to Kafka.'),
  KAFKA_CA_FILE: certificate.describe('CA certificate (PEM file) for Kafka over TLS.'),
  KAFKA_SASL_MECHANISM: z
    .enum(['plain', 'scram-sha-256', 'scram-sha-512', ''])
    .default('')
    .describe('SASL mechanism; empty for none.'),
  KAFKA_SASL_USERNAME: optional.describe('SASL user.'),
  KAFKA_SASL_PASSWORD: optional.describe('SASL password.'),
  KAFKA_TOPIC_PREFIX: z
    .string()
    .regex(/^[\w.-]{0,64}$/, 'at most 64 letters, digits, _ . or -')
    .default('')
    .describe('Prefix of topic names and consumer groups.'),
  KAFKA_PARTITIONS: wholeNumber(1, 1_000)
    .default(8)
    .describe('Partitions of a topic when it is created.'),
  KAFKA_REPLICATION_FACTOR: wholeNumber(1, 10)
    .default(3)
    .describe('Copies of each record; 1 only where there is one broker.'),
  KAFKA_MIN_INSYNC_REPLICAS: wholeNumber(1, 10)
    .default(2)
    .describe('Copies that must have a record before it counts as written.'),
  KAFKA_RETENTION_HOURS: wholeNumber(1, 8_760)
    .default(168)
    .describe('How long Kafka keeps records; longer than the longest time the issuer may be away.'),
  PUBLISH_TIMEOUT_MS: milliseconds()
    .default(3_000)
    .describe('How long an assign waits for Kafka before it answers 503 UNCONFIRMED.'),

  MYSQL_URL: z
    .string()
    .superRefine((url, context) => void refine(context, () => readMysqlUrl(url, false)))
    .default('mysql://root@127.0.0.1:3306/firstcome')
    .describe('MySQL 8.4+ or MariaDB 10.11+. Add ?ssl-mode=VERIFY_IDENTITY for TLS.'),
  MYSQL_CA_FILE: certificate.describe('CA certificate (PEM file); set it to talk TLS to MySQL.'),
  MYSQL_POOL_SIZE: wholeNumber(1, 500)
    .default(10)
    .describe(
      'Most connections of one process to MySQL; a keeper that recovers gates has one more.',
    ),
  MYSQL_QUERY_TIMEOUT_MS: milliseconds(2_000)
    .default(5_000)
    .describe(
      'How long one query of api or issuer, or the wait for a connection, may take before it counts as failed.',
    ),

  MYSQL_SLOW_QUERY_MS: milliseconds()
    .default(500)
    .describe('A query that takes longer is logged without its values, and counted.'),

  RELAY_AFTER_MS: milliseconds()
    .default(3_000)
    .describe('A reservation unconfirmed for this long is published again by the keeper.'),
  CATALOGUE_REFRESH_MS: milliseconds()
    .default(1_000)
    .describe('How often the api reads the list of coupons from MySQL.'),
  STATUS_HINT_TTL_S: wholeNumber(1, 86_400)
    .default(120)
    .describe('How long Redis remembers the status of a decided issuance, in seconds.'),
  IDEMPOTENCY_KEY_TTL_S: wholeNumber(1, 2_592_000)
    .default(86_400)
    .describe(
      'How long Redis remembers an Idempotency-Key at least, in seconds; the same for all.',
    ),
  ARCHIVE_AFTER_H: decimal(0, 87_600)
    .default(168)
    .describe(
      'Hours after its end, and its last change, at which a coupon is archived; 0 archives none.',
    ),
  REFUSAL_KEEP_DAYS: days
    .default(90)
    .describe(
      'How long MySQL keeps refusals, and never less than Kafka keeps their records; 0: for ever.',
    ),
  DEAD_LETTER_KEEP_DAYS: days
    .default(90)
    .describe('The same for dead letters, from when they were settled; an open one is kept.'),
  COUPON_CHANGE_KEEP_DAYS: days
    .default(730)
    .describe('How long MySQL keeps the history of changes of coupons; 0: for ever.'),
  ALERTMANAGER_URL: httpUrl.describe(
    'Where `firstcome status` asks which alerts fire; else PROMETHEUS_URL, else nobody.',
  ),
  PROMETHEUS_URL: httpUrl.describe('The same, where there is no Alertmanager.'),
  STATEMENTS_DIR: optional.describe(
    'For tests only: each process notes in this directory which statements it sends to MySQL.',
  ),
  FAULT_POINT: z
    .enum(faultPoints)
    .optional()
    .describe('For tests only: the process kills itself when it gets there.'),
  FAULT_SIGNAL: z
    .enum(faultSignals)
    .default('SIGKILL')
    .describe('For tests only: with SIGSTOP the process stands still there instead.'),
});

function isHttpUrl(url: string): boolean {
  return /^https?:\/\//i.test(url) && URL.canParse(url);
}
