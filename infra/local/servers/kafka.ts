import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel } from '#event-log/kafkajs.ts';
import type { KafkaConfig, SASLOptions } from 'kafkajs';
import { findProgram } from './install.ts';
import type { Program } from './install.ts';
import { ensureKafkaJars, kafkaHome, kafkaVersion, programsForKafkaJars } from './kafka-jars.ts';
import { runOrThrow, runToEnd } from '../processes/process.ts';
import type { Report } from '../terminal/progress.ts';
import { latencyOf } from './server-kind.ts';
import type { Launch, Place, Pong, ServerKind } from './server-kind.ts';

const javaVersionMin = 17;
const java: Program = {
  binaries: ['java'],
  apt: ['openjdk-17-jre-headless', 'default-jre-headless'],
  brew: 'openjdk',
  suits: async (path) => (await javaVersion(path)).major >= javaVersionMin,
};

/** What a node is given that is one of several. */
export interface KafkaNode {
  /** All nodes of a cluster have the same. */
  clusterId: string;
  /** Added to the settings of a node that is alone; asked for at each start. */
  settings: () => Record<string, string | number>;
  heap: string[];
}

/** One Kafka node that is broker and controller, without ZooKeeper. */
export const kafka = kafkaKind();

/** The same, alone or one of several. */
export function kafkaKind(node?: KafkaNode): ServerKind {
  return {
    urlVariable: 'KAFKA_BROKERS',
    defaults: { KAFKA_REPLICATION_FACTOR: '1', KAFKA_MIN_INSYNC_REPLICAS: '1' },
    programs: () => [java, ...programsForKafkaJars()],
    prepare: (place, report) => prepareKafka(place, report, node),
    launch: (place) => launchKafka(place, node),
    url: (port) => `127.0.0.1:${port}`,
    ping: pingKafka,
    identity: ({ dataDir }) => clusterId(dataDir) ?? '',
  };
}

/** As Kafka draws one; it must not begin with a minus. */
export function newClusterId(): string {
  return randomBytes(16).toString('base64url').replace(/^-/, 'A');
}

async function javaVersion(path: string): Promise<{ major: number; text: string }> {
  const { code, output } = await runToEnd(path, ['-version']);
  const text = /version "([^"]+)"/.exec(output)?.[1] ?? '';
  return { major: code === 0 ? Number(text.split('.')[0]) : 0, text };
}

async function prepareKafka(place: Place, report: Report, node?: KafkaNode): Promise<void> {
  await ensureKafkaJars(report);
  mkdirSync(place.dataDir, { recursive: true });
  const properties = writeProperties(place, node);
  if (clusterId(place.dataDir) === undefined) {
    const id = node?.clusterId ?? newClusterId();
    const format = ['kafka.tools.StorageTool', 'format', '-t', id, '-c', properties];
    await runOrThrow('The format of the Kafka storage', await javaPath(), [
      ...javaOptions(),
      ...format,
      '--ignore-formatted',
    ]);
  }
}

async function launchKafka(place: Place, node?: KafkaNode): Promise<Launch> {
  const command = await javaPath();
  // Written at each start: the ports may have changed, and clients are told what it says here.
  const heap = node?.heap ?? ['-Xms256m', '-Xmx512m'];
  const args = [...heap, ...javaOptions(), 'kafka.Kafka', writeProperties(place, node)];
  const version = (await javaVersion(command)).text;
  return { command, args, source: `Kafka ${kafkaVersion} on ${command} ${version}` };
}

async function javaPath(): Promise<string> {
  return (await findProgram(java)) ?? 'java';
}

function javaOptions(): string[] {
  const logger = {
    defaultLogLevel: 'warn',
    showDateTime: 'true',
    dateTimeFormat: 'yyyy-MM-dd HH:mm:ss.SSS',
    logFile: 'System.out',
  };
  return [
    // A broker that lives for minutes, on a machine it shares with everything else: neither the
    // optimising compiler nor a parallel collector pays for itself.
    '-XX:TieredStopAtLevel=1',
    '-XX:+UseSerialGC',
    '-cp',
    join(kafkaHome(), 'libs', '*'),
    ...Object.entries(logger).map(([key, value]) => `-Dorg.slf4j.simpleLogger.${key}=${value}`),
  ];
}

function writeProperties({ dataDir, ports }: Place, node?: KafkaNode): string {
  const controllerPort = ports['kafka-controller'];
  const properties: Record<string, string | number> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    listeners: `PLAINTEXT://127.0.0.1:${ports.kafka},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${ports.kafka}`,
    'log.dirs': dataDir,
    'auto.create.topics.enable': 'false',
    'group.initial.rebalance.delay.ms': 0,
    // After a kill -9 the broker waits for its old session to end: 13.5 s with the default of 9 s
    // until it answers again, 6.8 s with 3 s.
    'broker.session.timeout.ms': 3_000,
    'broker.heartbeat.interval.ms': 1_000,
    'offsets.topic.replication.factor': 1,
    // 50 by default, each a directory with index files to open at a start.
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    ...node?.settings(),
  };
  const lines = Object.entries(properties).map(([key, value]) => `${key}=${value}`);
  const file = `${dataDir}.properties`;
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

/** Drawn at random when the storage was formatted. */
function clusterId(dataDir: string): string | undefined {
  const file = join(dataDir, 'meta.properties');
  return existsSync(file) ? /^cluster\.id=(.*)$/m.exec(readFileSync(file, 'utf8'))?.[1] : undefined;
}

async function pingKafka(brokers: string): Promise<Pong> {
  const client = new Kafka({
    clientId: 'firstcome-ping',
    brokers: brokers.split(',').map((broker) => broker.trim()),
    connectionTimeout: 2_000,
    requestTimeout: 3_000,
    retry: { retries: 0 },
    logLevel: logLevel.NOTHING,
    ...securityFromEnvironment(process.env),
  });
  const admin = client.admin();
  try {
    await admin.connect();
    let cluster = await admin.describeCluster();
    const latencyMs = await latencyOf(async () => {
      cluster = await admin.describeCluster();
    });
    if (cluster.brokers.length === 0) {
      throw new Error('no broker is up in this cluster');
    }
    return { latencyMs, identity: cluster.clusterId };
  } finally {
    await admin.disconnect();
  }
}

function securityFromEnvironment(env: NodeJS.ProcessEnv): Partial<KafkaConfig> {
  const caFile = env['KAFKA_CA_FILE'];
  const ssl = caFile ? { ca: [readFileSync(caFile, 'utf8')] } : true;
  const sasl = {
    mechanism: env['KAFKA_SASL_MECHANISM'],
    username: env['KAFKA_SASL_USERNAME'] ?? '',
    password: env['KAFKA_SASL_PASSWORD'] ?? '',
  };
  return {
    ...(env['KAFKA_SSL'] === 'true' ? { ssl } : {}),
    ...(sasl.mechanism ? { sasl: sasl as SASLOptions } : {}),
  };
}
