import type { TestContext } from 'vitest';
import { freeze } from '../../../infra/local/processes/freeze.ts';
import { testInstance } from '../../../infra/local/processes/paths.ts';
import type { ServerName } from '../../../infra/local/processes/paths.ts';
import { isRunning, readRunFile } from '../../../infra/local/processes/run-files.ts';
import { serverPid, startServer, stopServer } from '../../../infra/local/servers/servers.ts';
import { testConfig } from '../test-config.ts';

/** Stops and starts a server that the tests use, where it is theirs to stop. */
export class OwnServer {
  constructor(private readonly name: ServerName) {}

  /** Skips a test, and says why, when the server came from the environment or runs in Docker. */
  require({ skip }: TestContext): void {
    skip(!this.isOurs(), `${this.name} is not a process that these tests started`);
  }

  /** `SIGKILL` as a crash would. */
  stop(signal?: NodeJS.Signals): Promise<void> {
    return stopServer(testInstance, this.name, signal);
  }

  /** On its old port, with its data. Does nothing while it runs, or when it is not ours. */
  async start(): Promise<void> {
    if (this.wasOurs) {
      await startServer(testInstance, this.name);
    }
  }

  /** Until `thaw`; only after `require`. */
  async freeze(): Promise<void> {
    this.frozenPid = serverPid(testInstance, this.name);
    if (this.frozenPid === undefined) {
      throw new Error(`There is no ${this.name} to freeze.`);
    }
    await freeze(this.frozenPid);
  }

  /** Does nothing when it is not frozen. */
  thaw(): void {
    if (this.frozenPid !== undefined) {
      process.kill(this.frozenPid, 'SIGCONT');
      this.frozenPid = undefined;
    }
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  private wasOurs = false;
  private frozenPid: number | undefined;

  /** By its port as well: another set of servers may run beside those of the environment. */
  private isOurs(): boolean {
    const run = readRunFile(testInstance, this.name);
    this.wasOurs ||= run !== undefined && isRunning(run) && run.port === this.configuredPort();
    return this.wasOurs;
  }

  private configuredPort(): number {
    const config = testConfig();
    const address = {
      'gate-redis': config.GATE_REDIS_URL,
      'jobs-redis': config.JOBS_REDIS_URL,
      kafka: `kafka://${config.KAFKA_BROKERS[0]}`,
      mysql: config.MYSQL_URL,
    }[this.name];
    return Number(new URL(address).port);
  }
}
