import Fastify from 'fastify';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { readJsonBodies } from './json-body.ts';

const fastify = Fastify();
readJsonBodies(fastify);
fastify.post('/', (request) => ({ body: request.body }));

const anyText = fc.string({ unit: 'binary' });

function post(payload: string | Buffer) {
  const headers = { 'content-type': 'application/json' };
  return fastify.inject({ method: 'POST', url: '/', headers, payload });
}

it('reads any JSON as it was written', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.jsonValue(), fc.dictionary(anyText, anyText)), async (value) => {
      const json = JSON.stringify(value);
      // Refused, as before: names that would reach into the prototype of what is read.
      fc.pre(!/__proto__|constructor/.test(json));
      const answer = await post(json);
      expect([answer.statusCode, answer.json()]).toEqual([200, { body: JSON.parse(json) }]);
    }),
    { numRuns: 40 },
  );
});

it('refuses a name that is given twice in one object, at any depth, however it is written', async () => {
  const names = fc.string({ minLength: 1 }).filter((name) => !/proto|constructor/.test(name));
  await fc.assert(
    fc.asyncProperty(names, fc.jsonValue(), fc.nat(5), async (name, value, depth) => {
      fc.pre(!/__proto__|constructor/.test(JSON.stringify(value)));
      const units = Array.from({ length: name.length }, (_, i) => name.charCodeAt(i));
      const escaped = units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`);
      const [first, second] = [JSON.stringify(name), `"${escaped.join('')}"`];
      const json = JSON.stringify(value);
      const twice = `{${first}:${json},"other ${name.length}":{},${second}:${json}}`;
      const nested = `${'[{"a":'.repeat(depth)}${twice}${'}]'.repeat(depth)}`;
      expect((await post(nested)).statusCode).toBe(400);
    }),
    { numRuns: 40 },
  );
});

it('refuses bytes that are not UTF-8', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 8 }), async (bytes) => {
      const text = Buffer.from(bytes);
      const isUtf8 = Buffer.from(text.toString()).equals(text);
      const body = Buffer.concat([Buffer.from('{"a":"'), text, Buffer.from('"}')]);
      const { statusCode } = await post(body);
      expect(isUtf8 || statusCode === 400).toBe(true);
    }),
    { numRuns: 40 },
  );
});
