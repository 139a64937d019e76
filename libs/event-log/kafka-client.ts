import { readCertificateAuthority } from '#platform/config/certificate-authority.ts';
import type { Config } from '#platform/config/config.ts';
import type { LogFunction } from '#platform/logging/logging.ts';
import type { KafkaConfig, LogEntry, SASLOptions } from 'kafkajs';
import { registerCodecs } from './compression/codecs.ts';
import { Kafka, logLevel } from './kafkajs.ts';

export type { Kafka } from './kafkajs.ts';

type ConnectionConfig = Pick<
  Config,
  | 'KAFKA_BROKERS'
  | 'KAFKA_SSL'
  | 'KAFKA_CA_FILE'
  | 'KAFKA_SASL_MECHANISM'
  | 'KAFKA_SASL_USERNAME'
  | 'KAFKA_SASL_PASSWORD'
>;

registerCodecs();

const connectionTimeoutMs = 2_000;
/** Longer than a publish waits by default, so that a slow answer is not mistaken for a lost one. */
export const requestTimeoutMs = 8_000;

/**
 * A client of the configured brokers; it connects to nothing by itself. Give every consumer a
 * client of its own: kafkajs keeps the committed offsets of a group in the client, and two members
 * of one group that share it overwrite each other's.
 *
 * Throws when the CA file cannot be read.
 */
export function createKafka(
  config: ConnectionConfig,
  clientId: string,
  logger?: LogFunction,
): Kafka {
  const sasl = saslOptions(config);
  return new Kafka({
    clientId,
    brokers: () => rotated(config.KAFKA_BROKERS),
    ssl: sslOptions(config),
    ...(sasl === undefined ? {} : { sasl }),
    connectionTimeout: connectionTimeoutMs,
    requestTimeout: requestTimeoutMs,
    // Every value is given: kafkajs has other defaults when NODE_ENV is "test". Those who call keep
    // trying for ever; this only says how soon they hear of it.
    retry: { initialRetryTime: 100, multiplier: 2, factor: 0.2, maxRetryTime: 1_000, retries: 4 },
    logLevel: logger === undefined ? logLevel.NOTHING : logLevel.INFO,
    logCreator: () => (entry) => {
      const { message, timestamp: _timestamp, ...fields } = entry.log;
      logger?.(severity(entry), message, { ...fields, namespace: entry.namespace });
    },
  });
}

/** kafkajs starts with the first broker it is given, every time, even if that one is mute. */
function rotated(brokers: string[]): string[] {
  const start = Math.floor(Math.random() * brokers.length);
  return [...brokers.slice(start), ...brokers.slice(0, start)];
}

/** Several lines a second while the brokers are away; we tell of the same troubles once, in our words. */
const chatty = new Set(['Connection', 'BrokerPool', 'Consumer', 'Producer', 'RequestQueue']);

/** kafkajs logs as an error what it then retries; what it gives up on reaches the caller anyway. */
function severity({ level, namespace }: LogEntry): 'warn' | 'debug' {
  const isTrouble = level === logLevel.ERROR || level === logLevel.WARN;
  return isTrouble && !chatty.has(namespace) ? 'warn' : 'debug';
}

function sslOptions(config: ConnectionConfig): NonNullable<KafkaConfig['ssl']> {
  const ca = readCertificateAuthority(config.KAFKA_CA_FILE);
  return config.KAFKA_SSL && ca !== undefined ? { ca: [ca] } : config.KAFKA_SSL;
}

function saslOptions(config: ConnectionConfig): SASLOptions | undefined {
  if (config.KAFKA_SASL_MECHANISM === '') {
    return undefined;
  }
  // The configuration is refused when there is a mechanism without a user and a password.
  return {
    mechanism: config.KAFKA_SASL_MECHANISM,
    username: config.KAFKA_SASL_USERNAME!,
    password: config.KAFKA_SASL_PASSWORD!,
  };
}
