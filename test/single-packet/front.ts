import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../infra/local/servers/free-port.ts';
import { waitUntil } from '../../infra/local/processes/waiting.ts';

/** A proxy that speaks HTTP/2 (in clear text) to clients, and HTTP/1.1 to an api. */
export interface Front extends AsyncDisposable {
  name: string;
  url: string;
}

/** nginx where it is installed, else a proxy of Node's own. */
export async function openFront(apiUrl: string): Promise<Front> {
  const { error } = spawnSync('nginx', ['-v']);
  return error === undefined ? openNginx(apiUrl) : openNodeProxy(apiUrl);
}

async function openNginx(apiUrl: string): Promise<Front> {
  const directory = mkdtempSync(join(tmpdir(), 'firstcome-nginx-'));
  const port = await freePort();
  const file = join(directory, 'nginx.conf');
  writeFileSync(file, nginxConfig(directory, port, new URL(apiUrl).host));
  const nginx = spawn('nginx', ['-p', directory, '-c', file, '-e', join(directory, 'error.log')], {
    stdio: 'ignore',
  });
  await waitUntil(async () => (await isListening(port)) || undefined, {
    deadlineMs: 10_000,
    failure: () => 'nginx did not come up',
  });
  return {
    name: 'nginx',
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      await end(nginx);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function nginxConfig(directory: string, port: number, api: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${directory}/${name};`,
  );
  return `
daemon off;
worker_processes 1;
pid ${directory}/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  # By itself it ends a connection after a thousand requests, and refuses those under way.
  keepalive_requests 1000000;
  ${temporary.join('\n  ')}
  upstream api { server ${api}; keepalive 64; }
  server {
    listen 127.0.0.1:${port} http2;
    location / {
      proxy_pass http://api;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`;
}

async function openNodeProxy(apiUrl: string): Promise<Front> {
  const { hostname, port } = new URL(apiUrl);
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const server = createServer((asked, answer) => {
    const bodyLength = asked.headers['content-length'];
    const headers = {
      'content-type': asked.headers['content-type'],
      ...(bodyLength === undefined ? {} : { 'content-length': bodyLength }),
    };
    const to = { hostname, port, agent, method: asked.method, path: asked.url, headers };
    const forwarded = request(to, (told) => {
      answer.writeHead(told.statusCode ?? 502, { 'content-type': told.headers['content-type'] });
      told.pipe(answer.stream);
    });
    forwarded.on('error', () => answer.writeHead(502).end());
    asked.pipe(forwarded);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    name: "a proxy of Node's http2",
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      agent.destroy();
      server.close();
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
