import { kafka } from '../../../infra/local/servers/kafka.ts';
import { freePort } from '../../../infra/local/servers/free-port.ts';
import { SpareServer } from './spare-server.ts';
import { TcpProxy } from './tcp-proxy.ts';

/** Why this machine cannot run a broker for one test file, in words; `undefined` when it can. */
export const spareBrokerProblem = await SpareServer.problem(kafka);

/**
 * A broker that one test file has to itself, with a second way to it: a Kafka client follows the
 * addresses that brokers give, and whoever begins with the proxy is led back to the proxy.
 */
export class SpareBroker {
  private constructor(
    readonly server: SpareServer,
    readonly proxy: TcpProxy,
  ) {}

  /** `settings` are added to those of every local broker. Not started yet. */
  static async create(settings: Record<string, string> = {}): Promise<SpareBroker> {
    const behindProxy = await freePort();
    const proxy = await TcpProxy.start({ host: '127.0.0.1', port: behindProxy });
    const server = await SpareServer.create(kafka, ({ ports }) => {
      const direct = `PLAINTEXT://127.0.0.1:${ports.kafka}`;
      const controller = `CONTROLLER://127.0.0.1:${ports['kafka-controller']}`;
      return overrides({
        listeners: `${direct},PROXIED://127.0.0.1:${behindProxy},${controller}`,
        'advertised.listeners': `${direct},PROXIED://127.0.0.1:${proxy.port}`,
        'listener.security.protocol.map':
          'PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT',
        'inter.broker.listener.name': 'PLAINTEXT',
        ...settings,
      });
    });
    return new SpareBroker(server, proxy);
  }

  /** For KAFKA_BROKERS. */
  get direct(): string {
    return `127.0.0.1:${this.server.port}`;
  }

  /** For KAFKA_BROKERS of a process whose way to the broker is to break. */
  get proxied(): string {
    return `127.0.0.1:${this.proxy.port}`;
  }

  async remove(): Promise<void> {
    await this.proxy.close();
    await this.server.remove();
  }
}

function overrides(settings: Record<string, string>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['--override', `${name}=${value}`]);
}
