import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Telemetry } from '#platform/telemetry/telemetry.ts';

/** What a process shows at `/metrics`; there is one for each test file, as for each process. */
export class TestMetrics {
  readonly telemetry = new Telemetry('test');
  private readonly server = createServer((request, response) =>
    this.telemetry.writeMetrics(request, response),
  );

  async start(): Promise<void> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
  }

  /** The samples of all metrics whose names begin so: `name{label="value"}` and the rest of it. */
  async read(prefix: string): Promise<Record<string, number>> {
    const { port } = this.server.address() as AddressInfo;
    const text = await (await fetch(`http://127.0.0.1:${port}/`)).text();
    const samples = text.split('\n').filter((line) => line.startsWith(prefix));
    return Object.fromEntries(
      samples.map((line) => {
        const [, name, value] = /^(.*\}|\S+) (\S+)/.exec(line)!;
        return [name!.slice(prefix.length), Number(value)];
      }),
    );
  }

  async close(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await this.telemetry.close();
  }
}
