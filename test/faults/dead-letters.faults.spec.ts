import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serverPid, startServer, stopServer } from '../../infra/local/servers/servers.ts';
import type { Letter } from '../harness/stack/dead-letter-stack.ts';
import { DeadLetterStack } from '../harness/stack/dead-letter-stack.ts';
import { eventually } from '../../infra/local/processes/waiting.ts';
import { aRequestRecord } from '../harness/fixtures.ts';
import { logLines } from '../harness/log-lines.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
const serversAreOurs = serverPid('test', 'mysql') !== undefined;

let here: DeadLetterStack;

beforeAll(async () => {
  here = await DeadLetterStack.start();
});
afterAll(() => here.stop());

describe('bytes that are no request', () => {
  it('are kept with reason, place, headers and trace, and their neighbours are issued', async () => {
    await here.expectNextToBeIssued('before');
    const headers = { source: 'an old tool', odd: Buffer.from([0xff]), traceparent };
    const { id } = await here.letterOf(Buffer.from([0x00, 0xff]), headers);
    await here.expectNextToBeIssued('after');

    const { output } = here.stack.app('issuer');
    expect(logLines(output).filter(({ message }) => message.includes('dead letter'))).toEqual([
      expect.objectContaining({
        message: 'a record became a dead letter: unreadable',
        'trace.id': traceId,
        firstcome: {
          cause: 'unreadable',
          reason: 'not a JSON object with a version',
          topic: `${here.stack.name}.coupon.issuance.requested`,
          partition: 0,
          offset: expect.stringMatching(/^\d+$/) as string,
          more: 0,
        },
      }),
    ]);
    expect(await here.json('show', String(id))).toMatchObject({
      state: 'OPEN',
      topic: `${here.stack.name}.coupon.issuance.requested`,
      partition: 0,
      offset: expect.stringMatching(/^\d+$/),
      trace_id: traceId,
      reason: 'not a JSON object with a version',
      headers: [
        { name: 'source', text: 'an old tool' },
        { name: 'odd', hex: 'ff' },
        { name: 'traceparent', text: traceparent },
      ],
      key: { bytes: 1, text: 'k' },
      value: { bytes: 2, hex: '00ff' },
    });
    const { stdout } = await here.command('show', String(id));
    expect(stdout).toContain('header: source: an old tool\nheader: odd: ff\n');
    expect(stdout).toContain('value: 2 bytes, hexadecimal\n  00ff\n');
    await here.expectAllInvariants();
  });

  it('are kept whatever they are: nothing at all, or as large as Kafka takes', async () => {
    expect(await here.letterOf(null)).toMatchObject({ state: 'OPEN', trace_id: null });
    const large = await here.letterOf(`{"v":1,"type":"${'x'.repeat(1_000_000)}"}`);
    const kept = await here.json<{ value: { bytes: number } }>('show', String(large.id));
    expect(kept.value.bytes).toBe(1_000_017);
    expect((await here.command('show', String(large.id))).stdout.length).toBeLessThan(6_000);
    await here.expectNextToBeIssued('behind the large one');
  });

  it('never reach the terminal as control characters', async () => {
    const { id } = await here.letterOf('\u001b[2J', { name: '\u001b[2J' });
    const { stdout } = await here.command('show', String(id));
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toContain('1b5b324a');
  });

  it('are kept once although an issuer that had them in hand was killed', async () => {
    const before = await here.allLetters();
    const issuer = here.stack.app('issuer');
    const garbage = Array.from({ length: 30 }, (_, i) => here.produce(`garbage ${i}`));
    await eventually(async () => {
      const letters = await here.allLetters();
      return letters.length > before.length;
    });
    await issuer.kill();
    await Promise.all(garbage);
    await here.stack.startApp('issuer');
    await here.expectNextToBeIssued('after the issuer was killed');
    const after = await here.allLetters();
    expect(after).toHaveLength(before.length + 30);
    expect(new Set(after.map(({ offset }) => offset)).size).toBe(after.length);
  });

  it('are told to the topic of dead letters, with reason, trace and headers', async () => {
    const letter = await here.letterOf('told', { source: 'somebody', traceparent });
    const consumer = here.stack.space.kafka().consumer({ groupId: `${here.stack.name}.reader` });
    await consumer.connect();
    await consumer.subscribe({
      topics: [`${here.stack.name}.coupon.issuance.dead-letter`],
      fromBeginning: true,
    });
    const { promise, resolve } = Promise.withResolvers<{
      value: unknown;
      headers: Record<string, string>;
    }>();
    await consumer.run({
      eachMessage: async ({ message }) => {
        if (message.key?.toString() === `0/${letter.offset}`) {
          const headers = Object.entries(message.headers ?? {});
          resolve({
            value: JSON.parse(message.value!.toString()),
            headers: Object.fromEntries(headers.map(([name, value]) => [name, String(value)])),
          });
        }
      },
    });
    const told = await promise;
    await consumer.disconnect();
    expect(told.value).toMatchObject({
      reason: letter.reason,
      trace_id: traceId,
      value_base64: Buffer.from('told').toString('base64'),
      headers: expect.arrayContaining([{ name: 'source', text: 'somebody' }]),
    });
    expect(told.headers).toEqual({
      source: 'somebody',
      traceparent,
      'dead-letter-reason': letter.reason,
      'dead-letter-trace-id': traceId,
    });
  });

  it('are counted: what was found by the issuer, what is open by the keeper', async () => {
    const counted = /^firstcome_dead_letters_total\{reason="malformed"\} (\d+)$/m;
    const before = (await here.metric('issuer', counted)) || 0;
    await here.letterOf({ v: 1, type: 'nonsense' });
    await expect.poll(() => here.metric('issuer', counted), { timeout: 20_000 }).toBe(before + 1);
    await expect
      .poll(() => here.metric('keeper', /^firstcome_dead_letters_open (\d+)$/m), {
        timeout: 20_000,
      })
      .toBe((await here.openLetters()).length);
  });

  it.skipIf(!serversAreOurs)('are kept when MySQL comes back, and nothing is lost', async () => {
    const before = await here.allLetters();
    await stopServer('test', 'mysql');
    try {
      await here.produce('while MySQL is away');
      const { status, body } = await here.stack.assign(here.couponId, 'while MySQL is away');
      expect(status).toBe(200);
      await startServer('test', 'mysql');
      await here.issuedUnder(body.issuance_id);
    } finally {
      if (serverPid('test', 'mysql') === undefined) {
        await startServer('test', 'mysql');
      }
    }
    const after = await here.allLetters();
    expect(after).toHaveLength(before.length + 1);
    await here.expectAllInvariants();
  });
});

describe('an issuance id under two users', () => {
  const requestOf = (issuanceId: string, userId: string) =>
    aRequestRecord({ issuanceId, couponId: here.couponId, userId });

  async function redrive({ id }: Letter): Promise<string> {
    const [view] = await here.json<{ issuance_id: string }[]>('redrive', String(id));
    return view!.issuance_id;
  }

  it('stops nothing: the first keeps it, the other is a dead letter that can be redriven', async () => {
    const { body } = await here.stack.assign(here.couponId, 'ann');
    await here.issuedUnder(body.issuance_id);
    const letter = await here.letterOf(requestOf(body.issuance_id, 'eve'));
    expect(letter.reason).toBe('issuance id belongs to another request');
    await here.expectNextToBeIssued('next to eve');
    expect(await here.issuedUnder(body.issuance_id)).toMatchObject({ user_id: 'ann' });
    expect((await here.stack.assign(here.couponId, 'ann')).body.issuance_id).toBe(body.issuance_id);
    await here.expectAllInvariants();

    const issuanceId = await redrive(letter);
    expect(issuanceId).not.toBe(body.issuance_id);
    expect(await here.issuedUnder(issuanceId)).toMatchObject({ user_id: 'eve' });
    await here.expectAllInvariants();
  });

  it('of whom the holder comes second: his unit is given back, and a redrive gets him another', async () => {
    const stolen = await here.reserve('victim');
    await here.produce(requestOf(stolen, 'thief'));
    expect(await here.issuedUnder(stolen)).toMatchObject({ user_id: 'thief' });
    // Nobody published the reservation: the relay does.
    const letter = await eventually(async () =>
      (await here.openLetters()).find(({ reason }) => reason.includes('another request')),
    );
    await eventually(async () => (await here.holds('victim')) === null);
    const issuanceId = await redrive(letter);
    expect(issuanceId).not.toBe(stolen);
    expect(await here.issuedUnder(issuanceId)).toMatchObject({ user_id: 'victim' });
  });
});
