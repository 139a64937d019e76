import type { IncomingMessage } from 'node:http';
import { fastify } from 'fastify';
import { expect, test } from 'vitest';
import { CrossOrigin } from './cross-origin.ts';

const shop = 'https://shop.example';

/** What the framework and what we say to the same request. */
async function bothFor(origins: string[], credentials: boolean, origin?: string) {
  const config = { CORS_ALLOWED_ORIGINS: origins, CORS_CREDENTIALS: credentials };
  const crossOrigin = new CrossOrigin(config);
  const server = fastify();
  await crossOrigin.allow(server);
  server.get('/', () => 'ok');
  const headers = origin === undefined ? {} : { origin };
  const answer = await server.inject({ url: '/', headers });
  await server.close();
  const said = Object.entries(answer.headers).filter(([name]) => /^(access|vary)/.test(name));
  return {
    framework: Object.fromEntries(said),
    ours: crossOrigin.headersFor({ headers } as IncomingMessage),
  };
}

test.each([
  [[shop], false, shop],
  [[shop, 'https://b.example'], true, 'https://b.example'],
  [[shop], true, 'https://shop.example.evil'],
  [['*'], false, shop],
  [[], false, shop],
])(
  'an answer past the framework says of %j (credentials: %j) to %s what the framework says',
  async (origins, credentials, origin) => {
    const { framework, ours } = await bothFor(origins, credentials, origin);
    expect(ours).toEqual(framework);
  },
);

test('only an origin that is allowed, exactly, may read an answer', async () => {
  const allowed = async (origin: string) =>
    (await bothFor([shop], false, origin)).framework['access-control-allow-origin'];
  expect(await allowed(shop)).toBe(shop);
  for (const other of ['http://shop.example', `${shop}:444`, `${shop}.evil`, 'null']) {
    expect(await allowed(other)).toBeUndefined();
  }
});
