import { createServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { rmSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { freePort } from '../servers/free-port.ts';
import type { ReadableError } from '../terminal/readable-error.ts';
import type { AppProcess } from './apps.ts';
import { SupervisedApp } from './supervised-app.ts';
import { eventually } from './waiting.ts';

const answering = (header: string): string => `
  require('node:http').createServer((_, reply) => {
    reply.setHeader('firstcome-process', ${header});
    reply.end();
  }).listen(Number(process.env.INTERNAL_PORT), '127.0.0.1');`;

const running: SupervisedApp[] = [];
const servers: Server[] = [];

afterEach(async () => {
  await Promise.all(running.map((app) => app.stop()));
  running.splice(0).forEach(({ process: { logFile } }) => rmSync(logFile, { force: true }));
  servers.splice(0).forEach((server) => server.close());
});

interface Watched {
  app: SupervisedApp;
  said: string[];
  givenUp: ReadableError[];
}

async function start(script: string, internalPort: number): Promise<Watched> {
  const said: string[] = [];
  const givenUp: ReadableError[] = [];
  const plan: AppProcess = {
    kind: 'api',
    name: `spec-${process.pid}-${internalPort}`,
    args: ['-e', script],
    env: { INTERNAL_PORT: String(internalPort) },
    internalPort,
  };
  const app = new SupervisedApp(plan, {
    instance: 'test',
    say: (text) => void said.push(text),
    onGivenUp: (error) => void givenUp.push(error),
  });
  running.push(app);
  await app.start();
  return { app, said, givenUp };
}

/** Somebody else, who was there before; answers 200 to everything. */
async function strangerOnPort(): Promise<number> {
  const server = createServer((_request, reply) => reply.end());
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

test('what died is started again, and its return is told', async () => {
  const { app, said } = await start(answering('process.pid'), await freePort());
  await app.ready(AbortSignal.timeout(20_000));
  app.process.signal('SIGKILL');
  await eventually(async () => said.some((text) => text.endsWith(' is back.')));
  expect(said[0]).toContain('died (SIGKILL), starts again in');
}, 40_000);

test('what was told to end has ended, and did not die', async () => {
  const script = `process.on('SIGTERM', () => process.exit(0)); ${answering('process.pid')}`;
  const { app, said } = await start(script, await freePort());
  await app.ready(AbortSignal.timeout(20_000));
  app.process.signal('SIGTERM');
  await eventually(async () => said.length > 0);
  expect(said[0]).toContain('has ended (exit code 0, as when SIGTERM tells it to)');
}, 40_000);

test('whoever answers in its place is not taken for it', async () => {
  const { app } = await start('setInterval(() => {}, 1_000)', await strangerOnPort());
  expect(await app.process.readiness()).toBeUndefined();
  const ready = app.process.ready(500);
  await expect(ready).rejects.toThrow('another program answers there');
}, 40_000);

test('a port that somebody else took meanwhile ends the start, and is named', async () => {
  const port = await strangerOnPort();
  const { givenUp, said } = await start(answering('process.pid'), port);
  await eventually(async () => givenUp.length > 0);
  expect(givenUp[0]?.message).toContain(`another program took port ${port} meanwhile`);
  expect(said).toEqual([]);
}, 40_000);
