import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { instanceDir } from '../processes/paths.ts';
import type { Instance, ServerName } from '../processes/paths.ts';
import { ReadableError } from '../terminal/readable-error.ts';
import { claimPort, giveUpPort } from './port-claims.ts';

/** Kafka needs a second port, for its controller. */
export type PortName = ServerName | 'kafka-controller';
export type Ports = Record<PortName, number>;

const preferredPorts: Record<Instance, Ports> = {
  dev: {
    'gate-redis': 16379,
    'jobs-redis': 16380,
    kafka: 19092,
    'kafka-controller': 19093,
    mysql: 13306,
  },
  test: {
    'gate-redis': 26379,
    'jobs-redis': 26380,
    kafka: 29092,
    'kafka-controller': 29093,
    mysql: 23306,
  },
  'test-outage': {
    'gate-redis': 36379,
    'jobs-redis': 36380,
    kafka: 39092,
    'kafka-controller': 39093,
    mysql: 33306,
  },
};

/** How far from the preferred port a free one is looked for. */
const portsTriedMax = 100;

/** Whether a server on 127.0.0.1 could listen on this port now. */
export async function isPortFree(port: number): Promise<boolean> {
  // Both, because on macOS one may bind 127.0.0.1:p although another listens on *:p.
  return !(await somebodyAnswers(port)) && (await canListen(port));
}

function somebodyAnswers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 1_000 });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true));
    socket.once('timeout', () => settle(true));
    socket.once('error', () => settle(false));
  });
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}

/**
 * The preferred port, or the next free one after it that is not in `taken`; the choice is added to
 * `taken`, and claimed against our other processes. Throws when a hundred in a row are in use.
 */
export async function choosePort(preferred: number, taken: Set<number>): Promise<number> {
  for (let port = preferred; port < preferred + portsTriedMax && port <= 65_535; port += 1) {
    if (!taken.has(port) && (await claimPort(port))) {
      if (await isPortFree(port)) {
        taken.add(port);
        return port;
      }
      giveUpPort(port);
    }
  }
  throw new ReadableError(`No free port found from ${preferred} on.`);
}

/**
 * A free port for each of `names`: the one the instance had last time, else the preferred one,
 * else the next free one, which `say` is told about. The choice is remembered.
 */
export async function allocatePorts(
  instance: Instance,
  names: PortName[],
  say: (text: string) => void,
): Promise<Ports> {
  const ports = rememberedPorts(instance) ?? { ...preferredPorts[instance] };
  const others = Object.entries(ports).filter(([name]) => !names.includes(name as PortName));
  const taken = new Set(others.map(([, port]) => port));
  for (const name of names) {
    const wanted = ports[name];
    ports[name] = await choosePort(wanted, taken);
    if (ports[name] !== wanted) {
      say(`Port ${wanted} is in use by another program: ${name} takes ${ports[name]}.`);
    }
  }
  mkdirSync(instanceDir(instance), { recursive: true });
  writeFileSync(portsFile(instance), `${JSON.stringify(ports, null, 2)}\n`);
  return ports;
}

/** The ports of the last start, or nothing when this instance never ran. */
export function rememberedPorts(instance: Instance): Ports | undefined {
  try {
    const remembered = JSON.parse(readFileSync(portsFile(instance), 'utf8')) as Partial<Ports>;
    return { ...preferredPorts[instance], ...remembered };
  } catch {
    return undefined;
  }
}

function portsFile(instance: Instance): string {
  return join(instanceDir(instance), 'ports.json');
}
