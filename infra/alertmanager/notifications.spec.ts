import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, it } from 'vitest';
import { problem, RunningAlertmanager } from './alertmanager.fixture.ts';

/** What a real Alertmanager sends to Slack and to the webhook. */

interface Sent {
  path: string;
  authorization: string | undefined;
  body: {
    status?: string;
    alerts?: { labels: Record<string, string> }[];
    channel?: string;
    attachments?: { title: string; text: string }[];
  };
}

const directory = mkdtempSync(join(tmpdir(), 'receivers-'));
const sent: Sent[] = [];
let server: Server;
let alertmanager: RunningAlertmanager | undefined;

beforeAll(async () => {
  server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => (text += part));
    request.on('end', () => {
      const { authorization } = request.headers;
      sent.push({ path: request.url!, authorization, body: JSON.parse(text) as Sent['body'] });
      response.end('ok');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const slackUrlFile = join(directory, 'slack_url');
  const webhookTokenFile = join(directory, 'token');
  writeFileSync(slackUrlFile, `${url}/slack`);
  writeFileSync(webhookTokenFile, 'open sesame');
  const receivers = { webhookUrl: `${url}/webhook`, webhookTokenFile, slackUrlFile };
  alertmanager = problem === undefined ? await RunningAlertmanager.start(receivers) : undefined;
});
beforeEach(({ skip }) => skip(problem !== undefined, problem));
afterAll(async () => {
  await alertmanager?.stop();
  server.closeAllConnections();
  server.close();
  rmSync(directory, { recursive: true });
});

/** What was sent there about an alert. */
function to(path: string, alertname: string): Sent['body'][] {
  return sent
    .filter((each) => each.path === path && JSON.stringify(each.body).includes(alertname))
    .map(({ body }) => body);
}

it.concurrent.for([
  ['critical', '#firstcome-page'],
  ['warning', '#firstcome-tickets'],
])(
  'what is %s goes to the webhook and to %s, all instances in one message, and so does its end',
  { timeout: 60_000 },
  async ([severity, channel], { expect }) => {
    const alertname = `Tried-${severity}`;
    const alerts = ['a', 'b'].map((instance) => ({ alertname, severity: severity!, instance }));
    const annotations = { summary: 'In short', description: 'In full', runbook_url: 'docs/x.md' };

    await alertmanager!.tell(alerts, 60_000, annotations);
    await expect.poll(() => to('/webhook', alertname), { timeout: 20_000 }).toHaveLength(1);
    await expect.poll(() => to('/slack', alertname), { timeout: 20_000 }).toHaveLength(1);
    expect(to('/webhook', alertname)[0]).toMatchObject({ status: 'firing' });
    expect(to('/webhook', alertname)[0]!.alerts!.map(({ labels }) => labels)).toEqual(alerts);
    expect(sent.find(({ path }) => path === '/webhook')!.authorization).toBe('Bearer open sesame');
    const { attachments, ...message } = to('/slack', alertname)[0]!;
    expect(message.channel).toBe(channel);
    expect(attachments![0]!.title).toBe(`FIRING ${alertname} (${severity})`);
    expect(attachments![0]!.text).toContain('In short: In full (docs/x.md)');

    await alertmanager!.tell(alerts, -1, annotations);
    await expect.poll(() => to('/webhook', alertname), { timeout: 20_000 }).toHaveLength(2);
    await expect.poll(() => to('/slack', alertname), { timeout: 20_000 }).toHaveLength(2);
    expect(to('/webhook', alertname)[1]).toMatchObject({ status: 'resolved' });
    expect(to('/slack', alertname)[1]!.attachments![0]!.title).toBe(
      `RESOLVED ${alertname} (${severity})`,
    );
  },
);
