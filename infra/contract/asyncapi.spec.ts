import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { fullFormats } from 'ajv-formats/dist/formats.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseRequestRecord } from '#coupon/events.ts';
import { topicNames } from '#event-log/topics.ts';
import { asyncApiDocument } from './asyncapi.ts';

interface Document {
  channels: Record<string, { address: string }>;
  components: {
    messages: Record<string, { payload: object; examples: { payload: object }[] }>;
  };
}

const committed = parse(readFileSync('docs/asyncapi.yaml', 'utf8')) as Document;
const official = JSON.parse(
  readFileSync('node_modules/@asyncapi/specs/schemas/3.0.0-without-$id.json', 'utf8'),
) as object;
const ajv = new Ajv({ strict: false, formats: fullFormats });

describe('docs/asyncapi.yaml', () => {
  it('is what the code writes and reads; if not: npm run asyncapi:generate', () => {
    expect(committed).toEqual(asyncApiDocument());
  });

  it('is valid AsyncAPI 3, by its official schema', () => {
    const isValid = ajv.compile(official);
    expect(isValid(committed), ajv.errorsText(isValid.errors)).toBe(true);
    expect(isValid({ ...committed, channels: { broken: { address: 1 } } })).toBe(false);
  });

  it('has every topic', () => {
    const addresses = Object.values(committed.channels).map(({ address }) => address);
    expect(new Set(addresses)).toEqual(new Set(Object.values(topicNames(''))));
  });

  it('refers to nothing that is missing', () => {
    const references = [...JSON.stringify(committed).matchAll(/"\$ref":"#\/([^"]+)"/g)];
    expect(references.length).toBeGreaterThan(8);
    for (const [, path] of references) {
      const found = path!
        .split('/')
        .reduce<unknown>(
          (at, key) => (at as Record<string, unknown> | undefined)?.[key],
          committed,
        );
      expect(found, path).toBeDefined();
    }
  });

  it.each(Object.entries(committed.components.messages))(
    '%s has an example that keeps to its schema',
    (_, { payload, examples }) => {
      for (const example of examples) {
        const isValid = ajv.compile(payload);
        expect(isValid(example.payload), ajv.errorsText(isValid.errors)).toBe(true);
        expect(isValid({ ...example.payload, v: 2 })).toBe(false);
      }
    },
  );

  it('shows records that the issuer reads as what they are', () => {
    const kindOf = (name: string): string => {
      const { payload } = committed.components.messages[name]!.examples[0]!;
      return parseRequestRecord(Buffer.from(JSON.stringify(payload))).kind;
    };
    expect(kindOf('issuanceRequested')).toBe('request');
    expect(kindOf('epochMarked')).toBe('marker');
  });
});
