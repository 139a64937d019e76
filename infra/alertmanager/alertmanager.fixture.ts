import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Receivers } from '../local/observe/configs.ts';
import { localAlertmanagerConfig } from '../local/observe/configs.ts';
import { alertmanager } from '../local/observe/programs.ts';
import { waitForOk } from '../local/processes/waiting.ts';
import { freePort } from '../local/servers/free-port.ts';
import { findProgram } from '../local/servers/install.ts';

export type Labels = Record<string, string>;

const program = await findProgram(alertmanager);
/** Why this machine cannot run one, in words; `undefined` when it can. */
export const problem = program === undefined ? 'no Alertmanager on this machine' : undefined;

/** An Alertmanager with our configuration, told of alerts by a test. */
export class RunningAlertmanager {
  private constructor(
    private readonly child: ChildProcess,
    private readonly directory: string,
    private readonly url: string,
  ) {}

  static async start(receivers: Receivers = {}): Promise<RunningAlertmanager> {
    const port = await freePort();
    const directory = mkdtempSync(join(tmpdir(), 'alertmanager-'));
    const config = join(directory, 'alertmanager.yml');
    writeFileSync(config, localAlertmanagerConfig(receivers));
    const child = spawn(program!, [
      `--config.file=${config}`,
      `--storage.path=${directory}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ]);
    const running = new RunningAlertmanager(child, directory, `http://127.0.0.1:${port}`);
    await waitForOk(`${running.url}/-/ready`, 'Alertmanager does not answer', {
      abort: new AbortController().signal,
      details: () => '',
    });
    return running;
  }

  /** What fires for so long from now on; less than nothing: it is over. */
  async tell(alerts: Labels[], forMs: number, annotations: Labels = {}): Promise<void> {
    const now = Date.now();
    const body = alerts.map((labels) => ({
      labels,
      annotations,
      // One that began long ago would be sent at once, without waiting for others of its group.
      startsAt: new Date(now + Math.min(0, 2 * forMs)).toISOString(),
      endsAt: new Date(now + forMs).toISOString(),
    }));
    const answer = await fetch(`${this.url}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) {
      throw new Error(await answer.text());
    }
  }

  async listed(which: 'active' | 'inhibited'): Promise<Labels[]> {
    const query = `active=${which === 'active'}&inhibited=${which === 'inhibited'}&silenced=false`;
    const answer = await fetch(`${this.url}/api/v2/alerts?${query}`);
    return ((await answer.json()) as { labels: Labels }[]).map(({ labels }) => labels);
  }

  async stop(): Promise<void> {
    this.child.kill();
    await once(this.child, 'exit');
    rmSync(this.directory, { recursive: true });
  }
}
