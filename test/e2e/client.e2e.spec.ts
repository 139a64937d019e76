import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AssignAnswer, IssuanceStatus } from '#client/firstcome.ts';
import { Firstcome } from '#client/firstcome.ts';
import { messageOf } from '#platform/text/error-message.ts';
import type { Stack } from '../../infra/harness/stack.ts';
import { rootDir } from '../../infra/local/processes/paths.ts';
import { runOrThrow } from '../../infra/local/processes/process.ts';
import { ensurePrograms, findProgram } from '../../infra/local/servers/install.ts';
import { createProgress } from '../../infra/local/terminal/progress.ts';
import { userIds } from '../harness/fixtures.ts';
import { startStack } from '../harness/stack/test-stack.ts';

/** Where a stranger has installed the package, and nothing else. */
const elsewhere = mkdtempSync(join(tmpdir(), 'firstcome-elsewhere-'));
const browser = { binaries: ['chromium', 'chromium-browser'], apt: ['chromium'], brew: 'chromium' };
const browserOptions = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];

let stack: Stack;
let baseUrl: string;
let couponId: number;

const run = (command: string, args: string[], cwd = elsewhere): Promise<string> =>
  runOrThrow(`${command} ${args[0]}`, command, args, { cwd });

beforeAll(async () => {
  [stack] = await Promise.all([startStack(), installElsewhere()]);
  baseUrl = stack.app('api').publicUrl;
  couponId = await stack.createCoupon(10_000);
});
afterAll(async () => {
  await stack.stop();
  rmSync(elsewhere, { recursive: true });
});

async function installElsewhere(): Promise<void> {
  const packed = await run(
    'npm',
    ['pack', '--silent', '--pack-destination', elsewhere],
    join(rootDir, 'libs/client'),
  );
  const archive = packed.trim().split('\n').at(-1)!;
  writeFileSync(join(elsewhere, 'package.json'), '{ "type": "module", "private": true }');
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', `./${archive}`]);
}

const usage = `
  import { Firstcome } from 'firstcome-client';
  const firstcome = new Firstcome({ baseUrl: process.argv[2] });
  const wish = { user_id: process.argv[4], coupon_id: Number(process.argv[3]) };
  const decided = await firstcome.assign(wish).waitUntilDecided();
  console.log(JSON.stringify(decided));
`;

describe('the package, packed and installed in an empty folder', () => {
  it('is imported by Node, and tells what became of an assign', async () => {
    writeFileSync(join(elsewhere, 'usage.js'), usage);
    const args = ['usage.js', baseUrl, String(couponId), 'packed'];
    const decided = JSON.parse(await run(process.execPath, args)) as IssuanceStatus;
    expect(decided).toMatchObject({ status: 'ISSUED', user_id: 'packed', coupon_id: couponId });
  });

  it.each([
    ['bundler', 'esnext'],
    ['nodenext', 'nodenext'],
  ])(
    'has its types under moduleResolution %s',
    async (moduleResolution, module) => {
      const folder = join(elsewhere, moduleResolution);
      mkdirSync(folder);
      const right = `
      import type { IssuanceStatus } from 'firstcome-client';
      import { Firstcome } from 'firstcome-client';
      const firstcome = new Firstcome();
      export const told: Promise<IssuanceStatus> = firstcome
        .assign({ user_id: 'me', coupon_id: 123 })
        .waitUntilDecided({ signal: AbortSignal.timeout(1_000), withinMs: 1_000 });
    `;
      const compilerOptions = {
        module,
        moduleResolution,
        target: 'es2022',
        lib: ['es2022', 'dom', 'dom.iterable'],
        types: [],
        strict: true,
        noEmit: true,
      };
      const wrong = `
      // @ts-expect-error A user is a text.
      void firstcome.assign({ user_id: 1, coupon_id: 123 });
    `;
      writeFileSync(join(folder, 'usage.ts'), right + wrong);
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
      await run(process.execPath, [join(rootDir, 'node_modules/typescript/bin/tsc'), '-p', folder]);
    },
    240_000,
  );
});

describe('docs/examples.md', () => {
  const page = readFileSync(join(rootDir, 'docs/examples.md'), 'utf8');
  const blocks = [...page.matchAll(/^```(\w+)\n([^]*?)^```/gm)].map(([, kind, text]) => ({
    kind: kind!,
    text: text!,
  }));
  const examples = blocks.flatMap((block, i) =>
    block.kind === 'json' ? [] : [{ ...block, shown: blocks[i + 1]!.text }],
  );
  /** What is another each time, by its shape. */
  const alike = (text: string): unknown =>
    JSON.parse(
      text
        .replaceAll(/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g, 'ID')
        .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME'),
    );

  it.each(examples)('prints what it shows: $kind $text', async ({ kind, text, shown }) => {
    const here = (code: string): string =>
      code.replaceAll('123', String(couponId)).replaceAll('http://127.0.0.1:8080', baseUrl);
    const file = join(elsewhere, 'example.mjs');
    writeFileSync(file, here(text));
    const printed = kind === 'sh' ? run('sh', [file]) : run(process.execPath, [file]);
    expect(alike(await printed)).toEqual(alike(here(shown)));
  });

  it('has one for curl, one for fetch and one for the client', () => {
    expect(examples.map(({ kind }) => kind)).toEqual(['sh', 'js', 'js']);
  });
});

/** The client, and what it has asked. */
function counted() {
  const asked: string[] = [];
  const counting: typeof fetch = (url, init) => {
    asked.push(`${init?.method} ${(url as string).replace(baseUrl, '')}`);
    return fetch(url, init);
  };
  return { asked, firstcome: new Firstcome({ baseUrl, fetch: counting }) };
}

describe('against the real api', () => {
  it('asks for the status once or twice, however many come at once', async () => {
    const { asked, firstcome } = counted();
    const users = userIds(200, 'many');
    const decided = await Promise.all(
      users.map((user_id) => firstcome.assign({ user_id, coupon_id: couponId }).waitUntilDecided()),
    );
    expect(decided.map(({ status }) => status)).toEqual(users.map(() => 'ISSUED'));
    expect(asked.filter((each) => each.startsWith('GET')).length).toBeLessThanOrEqual(400);
    // More where one was told to ask again.
    expect(asked.filter((each) => each.startsWith('POST')).length).toBeGreaterThanOrEqual(200);
    expect(new Set(decided.map(({ issuance_id }) => issuance_id)).size).toBe(200);
  });

  it('asks once when nothing is left', async () => {
    const soldOut = await stack.createCoupon(1);
    const { asked, firstcome } = counted();
    await firstcome.assign({ user_id: 'first', coupon_id: soldOut });
    const late = firstcome.assign({ user_id: 'late', coupon_id: soldOut });
    await expect(late).rejects.toMatchObject({ code: 'SOLD_OUT', status: 409 });
    await expect(late.waitUntilDecided()).rejects.toMatchObject({ code: 'SOLD_OUT' });
    expect(asked).toHaveLength(2);
  });

  it('reads coupon, wallet and status', async () => {
    const { firstcome } = counted();
    const user_id = 'reader / 독자';
    const assigned: AssignAnswer = await firstcome.assign({ user_id, coupon_id: couponId });
    const decided = await firstcome.waitUntilDecided(assigned.issuance_id);
    expect(await firstcome.status(assigned.issuance_id)).toEqual(decided);
    expect(await firstcome.coupon(couponId)).toMatchObject({ state: 'OPEN', total: 10_000 });
    const { coupons } = await firstcome.wallet(user_id, { limit: 1 });
    expect(coupons).toMatchObject([{ issuance_id: assigned.issuance_id, coupon_id: couponId }]);
  });
});

describe('in a browser', () => {
  /** Why there is none, in words. */
  let lack: string | undefined;

  // It may have to be downloaded.
  beforeAll(async () => {
    await ensurePrograms([browser], createProgress(), 'Install it: HOW.').catch(
      (error: unknown) => (lack = messageOf(error)),
    );
  }, 300_000);
  beforeEach(({ skip }) => skip(lack !== undefined, lack));

  it('assigns, waits until it is decided, and is told what is sold out', async () => {
    const { outputFiles } = await build({
      entryPoints: [join(elsewhere, 'node_modules/firstcome-client/dist/firstcome.js')],
      bundle: true,
      minify: true,
      format: 'iife',
      globalName: 'client',
      write: false,
    });
    expect(outputFiles[0]!.contents.byteLength).toBeLessThanOrEqual(8_000);
    const executablePath = (await findProgram(browser))!;
    const running = await chromium.launch({ executablePath, args: browserOptions });
    try {
      const page = await running.newPage({ bypassCSP: true });
      await page.goto(`${baseUrl}/health/live`);
      await page.addScriptTag({ content: outputFiles[0]!.text });
      const soldOut = await stack.createCoupon(1);
      const told = await page.evaluate(`(async () => {
          const firstcome = new client.Firstcome();
          const assign = (user_id, coupon_id) => firstcome.assign({ user_id, coupon_id });
          const decided = await assign('browser', ${couponId}).waitUntilDecided();
          await assign('first', ${soldOut});
          const refused = await assign('late', ${soldOut}).catch((error) => error);
          return { status: decided.status, refused: refused.code, name: refused.name };
        })()`);
      expect(told).toEqual({ status: 'ISSUED', refused: 'SOLD_OUT', name: 'FirstcomeProblem' });
    } finally {
      await running.close();
    }
  });

  it('/docs is a page that a person can read, of this origin alone', async () => {
    const executablePath = (await findProgram(browser))!;
    const running = await chromium.launch({ executablePath, args: browserOptions });
    try {
      const page = await running.newPage();
      const asked = new Set<string>();
      page.on('request', (request) => asked.add(new URL(request.url()).origin));
      await page.goto(`${baseUrl}/docs`);
      await page.getByText('Assign a coupon to a user').first().waitFor();
      expect([...asked].filter((origin) => origin !== 'null')).toEqual([baseUrl]);
    } finally {
      await running.close();
    }
  });
});
