import { createHmac, createPublicKey, KeyObject, sign } from 'node:crypto';
import type { JWTPayload } from 'jose';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { CurrentKeys } from './current-keys.ts';
import type { Signer } from './signer.fixture.ts';
import { aForgedToken, aSigner, aToken, inSeconds } from './signer.fixture.ts';
import type { TokenRules } from './tokens.ts';
import { tokenLengthMax, Tokens } from './tokens.ts';

const shipped: TokenRules = {
  algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
  issuer: 'https://issuer.example',
  audience: 'firstcome',
  leewayS: 5,
};
const good = { sub: 'ann', iss: 'https://issuer.example', aud: ['other', 'firstcome'] };

let signer: Signer;
let stranger: Signer;
let rsa: Signer;
let set: Signer[];
let keys: CurrentKeys;
let tokens: Tokens;

beforeAll(async () => {
  [signer, stranger, rsa] = await Promise.all([
    aSigner('one'),
    aSigner('one'),
    aSigner('rsa', 'RS256'),
  ]);
});
beforeEach(async () => {
  // Stands still: no machine is too slow for a test about seconds.
  vi.useFakeTimers({ toFake: ['Date'] });
  set = [signer, rsa];
  const source = async () => ({ keys: set.map(({ publicKey }) => publicKey) });
  keys = new CurrentKeys(source, { refreshMs: 0, coolDownMs: 0 });
  await keys.refreshIfDue();
  tokens = new Tokens(keys, shipped);
});
afterEach(() => vi.useRealTimers());

async function faultOf(token: string): Promise<unknown> {
  return tokens.userOf(token).catch((error: { fault?: string }) => error.fault ?? error);
}

describe('a token that is good', () => {
  test.each(['ES256', 'RS256', 'PS256', 'EdDSA'])('is of its sub, signed by %s', async (name) => {
    const other = await aSigner('other', name);
    set = [other];
    await keys.refreshIfDue();
    expect(await tokens.userOf(await aToken(other, good))).toBe('ann');
  });

  test('may have its audience alone', async () => {
    expect(await tokens.userOf(await aToken(signer, { ...good, aud: 'firstcome' }))).toBe('ann');
  });

  test('may lack the name of its key: all that may be it are tried', async () => {
    set = [stranger, signer].map((each, i) => ({
      ...each,
      publicKey: { ...each.publicKey, kid: `key-${i}` },
    }));
    await keys.refreshIfDue();
    expect(await tokens.userOf(await aToken(signer, good, {}))).toBe('ann');
    const third = await aSigner('third');
    expect(await faultOf(await aToken(third, good, {}))).toBe('signature');
  });

  test('is taken within the leeway, and not beyond it', async () => {
    const exp = inSeconds(-3);
    expect(await tokens.userOf(await aToken(signer, { ...good, exp }))).toBe('ann');
    expect(await faultOf(await aToken(signer, { ...good, exp: inSeconds(-7) }))).toBe('expired');
    const soon = await aToken(signer, { ...good, nbf: inSeconds(3) });
    expect(await tokens.userOf(soon)).toBe('ann');
    const later = await aToken(signer, { ...good, nbf: inSeconds(20) });
    expect(await faultOf(later)).toBe('not_yet_valid');
  });
});

describe('a token that is not taken', () => {
  test.each([
    ['issuer', { ...good, iss: 'https://other.example' }],
    ['issuer', { sub: 'ann', aud: 'firstcome' }],
    ['audience', { ...good, aud: 'other' }],
    ['audience', { sub: 'ann', iss: good.iss }],
    ['claims', { ...good, exp: undefined }],
    ['claims', { ...good, exp: 'never' }],
    ['claims', { iss: good.iss, aud: good.aud }],
    ['subject', { ...good, sub: '' }],
    ['subject', { ...good, sub: ' ' }],
    ['subject', { ...good, sub: 'a'.repeat(65) }],
    ['subject', { ...good, sub: 'a\u0000b' }],
    ['subject', { ...good, sub: '\ud800' }],
    ['subject', { ...good, sub: 7 }],
    ['subject', { ...good, sub: ['ann'] }],
  ])('%s: %j', async (fault, claims) => {
    expect(await faultOf(await aToken(signer, claims as JWTPayload))).toBe(fault);
  });

  test('has a sub whose bytes are not UTF-8: two such would become one user', async () => {
    const payload = Buffer.concat([
      Buffer.from('{"sub":"'),
      Buffer.from([0xb0, 0xa1]),
      Buffer.from(`","iss":"${good.iss}","aud":"firstcome","exp":${inSeconds(60)}}`),
    ]);
    const unsigned = aForgedToken({ alg: 'ES256', kid: 'one' }, payload).replace(/\.[^.]*$/, '');
    const key = KeyObject.from(signer.privateKey);
    const signature = sign('sha256', Buffer.from(unsigned), { key, dsaEncoding: 'ieee-p1363' });
    const token = `${unsigned}.${signature.toString('base64url')}`;
    expect(await faultOf(token)).toBe('malformed');
  });

  test('is signed by somebody else under the name of our key', async () => {
    expect(await faultOf(await aToken(stranger, good))).toBe('signature');
  });

  test('has another payload than was signed', async () => {
    const [header, , signature] = (await aToken(signer, good)).split('.');
    const payload = Buffer.from(JSON.stringify({ ...good, sub: 'bob', exp: inSeconds(60) }));
    const forged = `${header}.${payload.toString('base64url')}.${signature}`;
    expect(await faultOf(forged)).toBe('signature');
  });

  const claims = { ...good, exp: inSeconds(3_600) };

  test.each(['none', 'None', 'NONE', ''])('has the algorithm %j', async (alg) => {
    const fault = await faultOf(aForgedToken({ alg }, claims, ''));
    expect(['algorithm', 'malformed']).toContain(fault);
  });

  test('is signed by HS256 with our public key for its secret', async () => {
    const header = { alg: 'HS256', kid: 'rsa' };
    const unsigned = aForgedToken(header, claims).replace(/\.[^.]*$/, '');
    const publicKey = createPublicKey({ key: rsa.publicKey, format: 'jwk' });
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    for (const secret of [pem, JSON.stringify(rsa.publicKey), String(rsa.publicKey['n'])]) {
      const signature = createHmac('sha256', secret).update(unsigned).digest('base64url');
      expect(await faultOf(`${unsigned}.${signature}`)).toBe('algorithm');
    }
  });

  test('is signed by an algorithm that the settings leave out', async () => {
    tokens = new Tokens(keys, { ...shipped, algorithms: ['RS256'] });
    expect(await faultOf(await aToken(signer, good))).toBe('algorithm');
    expect(await tokens.userOf(await aToken(rsa, good))).toBe('ann');
  });

  test('has a critical header that nobody here understands', async () => {
    const header = { alg: 'ES256', kid: 'one', crit: ['x'], x: 1 };
    expect(await faultOf(aForgedToken(header, claims))).toBe('malformed');
  });

  test('brings its own key along', async () => {
    const header = { alg: 'ES256', jwk: stranger.publicKey, kid: 'new' };
    expect(await faultOf(aForgedToken(header, claims))).toBe('unknown_key');
  });

  test.each(['x', 'a.b', 'a.b.c', 'a.b.c.d.e', '..', `${'a'.repeat(20)}.e30.`])(
    'is %j',
    async (token) => {
      expect(await faultOf(token)).toBe('malformed');
    },
  );

  test('is too long, whatever it is', async () => {
    const token = await aToken(signer, { ...good, more: 'x'.repeat(tokenLengthMax) });
    expect(await faultOf(token)).toBe('too_long');
  });
});

describe('what is remembered', () => {
  test('a token is checked once, and never again while its key is there', async () => {
    const token = await aToken(signer, good);
    expect(await tokens.userOf(token)).toBe('ann');
    expect(tokens.rememberedCount).toBe(1);
    expect(await tokens.userOf(token)).toBe('ann');
    expect(tokens.rememberedCount).toBe(1);
    // The payload is that of ann, and so is the signature.
    expect(await faultOf(`${token.slice(0, -4)}AAAA`)).toBe('signature');
  });

  test('a token that has expired is forgotten', async () => {
    tokens = new Tokens(keys, { ...shipped, leewayS: 0 });
    const token = await aToken(signer, { ...good, exp: inSeconds(2) });
    expect(await tokens.userOf(token)).toBe('ann');
    vi.setSystemTime(Date.now() + 2_000);
    expect(await faultOf(token)).toBe('expired');
    expect(tokens.rememberedCount).toBe(0);
  });

  test('a token is not taken any more once the set has dropped its key', async () => {
    const token = await aToken(signer, good);
    expect(await tokens.userOf(token)).toBe('ann');
    set = [rsa];
    await keys.refreshIfDue();
    expect(await faultOf(token)).toBe('unknown_key');
  });

  test('is bounded: the one that came first makes room', async () => {
    tokens = new Tokens(keys, shipped, 2);
    for (const sub of ['ann', 'bob', 'carl']) {
      expect(await tokens.userOf(await aToken(signer, { ...good, sub }))).toBe(sub);
    }
    expect(tokens.rememberedCount).toBe(2);
  });
});
