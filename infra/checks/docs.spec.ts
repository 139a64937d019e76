import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { reservedAtOf } from '#coupon/issuance.ts';
import { isFinal, issuanceStatuses, issuanceTransitions } from '#coupon/issuance-states.ts';
import { topicNames } from '#event-log/topics.ts';
import { environmentSchema } from '#platform/config/config.ts';
import { failureCodes } from '#platform/failures/failure.ts';
import { decidedWatermarkKey, gateKeys, idempotencyKeys, statusHintsKey } from '#gate/keys.ts';
import { couponSchema } from '../../apps/api/coupon/coupon.http.ts';
import { problemKinds } from '../../apps/api/http/problem/problem.ts';
import { assignAnswerSchema } from '../../apps/api/issuance/issuance.http.ts';
import { issuanceStatusSchema } from '../../apps/api/status/status.http.ts';

/** What the documents say, and what is so: each fact that a program can compare. */

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const inRepository = (pattern: string): string[] => globSync(pattern, { cwd: root });

const documents = [...inRepository('*.md'), ...inRepository('docs/**/*.md')];
const readme = read('README.md');
const api = read('docs/api.md');
const architecture = read('docs/architecture.md');
const metrics = read('docs/metrics.md');
const allText = documents.map(read).join('\n');

interface PackageJson {
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  overrides: Record<string, string>;
}
const packageJson = JSON.parse(read('package.json')) as PackageJson;

const sources = inRepository('{apps,libs}/**/*.ts').filter((path) => !path.endsWith('.spec.ts'));
const sourceText = sources.map(read).join('\n');

/** The first group of every match, each once, sorted. */
function findAll(text: string, pattern: RegExp): string[] {
  return sorted(new Set([...text.matchAll(pattern)].map((match) => match[1]!)));
}

function sorted(texts: Iterable<string>): string[] {
  return [...texts].sort((a, b) => (a < b ? -1 : 1));
}

/** The cells of each row of the table under a heading, without its header. */
function tableUnder(text: string, heading: string): string[][] {
  const section = text.split(`${heading}\n`)[1]?.split(/^#/m)[0] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
}

/** The text in backticks, outside of code blocks. */
function quotedIn(text: string): string[] {
  return findAll(text.replaceAll(/^```[\s\S]*?^```/gm, ''), /`([^`\n]+)`/g);
}

/** What stands in code blocks. */
function blocksIn(text: string): string[] {
  return findAll(text, /^```\w*\n([\s\S]*?)^```/gm);
}

describe('the contract', () => {
  it('lists every error code with its status, and no other', () => {
    const listed = tableUnder(api, '## Errors').map(([status, code]) => `${code} ${status}`);
    const known = Object.entries(problemKinds).map(([code, { status }]) => `${code} ${status}`);
    expect(sorted(listed)).toEqual(sorted(known));
  });

  it('says of every error what it means and what to do', () => {
    for (const row of tableUnder(api, '## Errors')) {
      expect(row).toHaveLength(4);
      expect(row).not.toContain('');
    }
  });

  it('shows an answer that keeps to its schema', () => {
    const bodies = blocksIn(api).filter((block) => block.startsWith('{'));
    const answer: unknown = JSON.parse(bodies.find((block) => block.includes('"status"'))!);
    const { issuance_id: id, ...rest } = assignAnswerSchema.strict().parse(answer);
    expect(rest.accepted_at).toBe(new Date(reservedAtOf(id)!).toISOString());
    expect(rest.status_url).toBe(`/api/v1/issuances/${id}`);
  });

  it('shows events that keep to the schema of a status', () => {
    const events = findAll(api, /^data: (\{.*\})$/gm).map((data) =>
      issuanceStatusSchema.strict().parse(JSON.parse(data)),
    );
    expect(sorted(events.map(({ status }) => status))).toEqual(['ACCEPTED', 'ISSUED']);
  });

  it('gives the limits that the api has', () => {
    const limits = read('apps/api/http/limits.ts');
    expect(limits).toContain('bodyBytesMax = 16 * 1024');
    expect(limits).toContain('uriLengthMax = 8_000');
    expect(environmentSchema.parse({}).API_REQUEST_TIMEOUT_MS).toBe(10_000);
    expect(limits).toContain('pathParameterLengthMax = 1_024');
    expect(api).toMatch(/a body of 16 KiB, 10 s for .*, 1 024 characters/i);
  });
});

describe('the README', () => {
  it('is for a newcomer: at most 900 words', () => {
    expect(readme.split(/\s+/).filter(Boolean).length).toBeLessThanOrEqual(900);
  });

  it('names the commands of a coupon as the command line does', () => {
    const source = read('apps/cli/coupon/coupon.command.ts');
    const known = findAll(source, /(?:\.command\(|addCommandOfOne\(coupon, )'([\w-]+)'/g);
    const named = findAll(readme, /firstcome -- coupon ([\w-]+)/g);
    expect(named).toEqual(known.filter((name) => name !== 'coupon'));
  });
});

describe('commands', () => {
  const code = documents.map(read).flatMap((text) => [...quotedIn(text), ...blocksIn(text)]);
  const named = findAll(code.join('\n'), /\bnpm (?:run (?:-s )?)?([a-z]+(?::[a-z]+)?)\b/g);
  const ofNpm = ['ci', 'install', 'run'];

  it.each(named.filter((name) => !ofNpm.includes(name)))('npm %s is a script', (name) => {
    expect(Object.keys(packageJson.scripts)).toContain(name);
  });

  it('that a newcomer needs are named', () => {
    const wanted = ['start', 'test', 'demo', 'verify', 'stop', 'reset', 'check', 'firstcome'];
    expect(named).toEqual(expect.arrayContaining(wanted));
  });
});

describe('docs/dependencies.md', () => {
  const text = read('docs/dependencies.md');
  const names = (heading: string) => sorted(tableUnder(text, heading).map(([name]) => name!));

  it('has a line for each package, and for no other', () => {
    expect(names('## Run time')).toEqual(sorted(Object.keys(packageJson.dependencies)));
    expect(names('## Development')).toEqual(sorted(Object.keys(packageJson.devDependencies)));
  });

  it('gives a reason for each version that is held', () => {
    const { dependencies, devDependencies, overrides } = packageJson;
    const all = Object.entries({ ...dependencies, ...devDependencies, ...overrides });
    const held = all.filter(([, version]) => !version.startsWith('^'));
    const listed = tableUnder(text, '## Held versions').map(([name, version]) => [name, version]);
    expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(held));
  });
});

describe('paths', () => {
  const topLevel = /^(?:apps|libs|infra|k6|bench|test|docs)(?:\/|$)/;
  const fileName = /^[\w.-]+\.(?:ts|lua|mjs|js|json|ya?ml|md)$/;
  const quoted = documents.flatMap((document) =>
    quotedIn(read(document)).map((token) => [document, token] as const),
  );
  const paths = quoted.filter(([, token]) => topLevel.test(token) && !token.includes(' '));
  const files = quoted.filter(([, token]) => fileName.test(token));

  it.each(paths)('%s: %s exists', (_, path) => {
    expect(existsSync(join(root, path))).toBe(true);
  });

  it.each(files)('%s: a file named %s exists', (_, name) => {
    const places = [name, `{apps,libs,infra,k6,bench,test,docs}/**/${name}`];
    expect(places.flatMap(inRepository)).not.toEqual([]);
  });

  it('are looked for in every document that has some', () => {
    expect(new Set(paths.map(([document]) => document)).size).toBeGreaterThan(7);
  });

  it.each(documents)('%s: every link leads somewhere', (document) => {
    for (const link of findAll(read(document), /\]\(([^)]+)\)/g)) {
      if (/^https?:/.test(link)) {
        continue;
      }
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? document : join(dirname(document), path);
      expect(existsSync(join(root, target)), link).toBe(true);
      if (anchor !== undefined) {
        expect(anchorsOf(read(target)), link).toContain(anchor);
      }
    }
  });

  function anchorsOf(text: string): string[] {
    return findAll(text, /^#+ (.+)$/gm).map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} -]/gu, '')
        .replaceAll(' ', '-'),
    );
  }
});

describe('metrics', () => {
  const family =
    /\b((?:firstcome|kafka_consumergroup|kafka_topic|http_server|process|nodejs|db_client|messaging)_[a-z_]+)\b/g;
  const created = findAll(
    sourceText,
    /(?:create(?:Counter|Histogram)|gauge|counter|histogram)\(\s*'([a-z_]+)'/g,
  );
  const rows = [...metrics.matchAll(/^## (.*)$/gm)].flatMap(([, title]) =>
    tableUnder(metrics, `## ${title}`),
  );
  const documented = rows.map(([name]) => name!);
  const labels = rows.flatMap((row) => row[4]!.split(', '));

  it('are in a table of docs/metrics.md, each once: test/e2e/metrics.e2e.spec.ts has the rest', () => {
    expect(sorted(documented)).toEqual(sorted(new Set(documented)));
    expect(documented).toEqual(expect.arrayContaining(created));
  });

  it('that any document names are in a table', () => {
    const suffixed = /_(?:bucket|count|sum)$/;
    const known = new Set([...documented, ...labels]);
    const unknown = findAll(allText, family).filter(
      (name) => !known.has(name.replace(suffixed, '')) && !known.has(name),
    );
    expect(unknown).toEqual([]);
  });
});

describe('names in capitals', () => {
  const states = [
    ...couponSchema.shape.state.options,
    ...issuanceStatusSchema.shape.status.options,
    ...issuanceStatusSchema.shape.reason.unwrap().options,
  ];
  const ofScripts = findAll(
    inRepository('infra/local/**/*.ts').map(read).join('\n') + read('docker-compose.yml'),
    /\b(FIRSTCOME_[A-Z_]+)\b/g,
  );
  const placeholders = ['ISSUANCE_ID', 'API_KEY'];
  const ofNode = ['NODE_EXTRA_CA_CERTS'];
  const known = new Set<string>([
    ...Object.keys(environmentSchema.shape),
    ...Object.keys(problemKinds),
    ...failureCodes,
    ...states,
    ...ofScripts,
    ...placeholders,
    ...ofNode,
  ]);

  it.each(documents)('%s: each is a setting, a code or a state', (document) => {
    const named = findAll(read(document), /\b([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b/g);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });
});

describe('docs/architecture.md', () => {
  it('draws what may follow what of an issuance, and nothing else', () => {
    const drawing = architecture.split('<!-- states of an issuance')[1]!.split('```')[1]!;
    const drawn = findAll(drawing, /^ {4}(\S+ --> \S+?)(?::|$)/gm);
    const known = issuanceStatuses.flatMap((from) => [
      ...issuanceTransitions[from].map((to) => `${from} --> ${to}`),
      ...(isFinal(from) ? [`${from} --> [*]`] : []),
    ]);
    expect(drawn).toEqual(sorted(['[*] --> ACCEPTED', ...known]));
  });

  it('has every key of the gate Redis', () => {
    const prefix = environmentSchema.parse({}).GATE_KEY_PREFIX;
    const keys = [
      ...Object.values(gateKeys(prefix, 123)),
      statusHintsKey(prefix, 'TIME'),
      ...Object.values(idempotencyKeys(prefix, 'SHARD')),
      decidedWatermarkKey(prefix),
    ];
    const listed = tableUnder(architecture, '### Redis, the gate').map(([key]) => key!);
    expect(sorted(listed)).toEqual(sorted(keys));
  });

  it('has every topic', () => {
    const listed = tableUnder(architecture, '### Kafka').map(([topic]) => topic!);
    expect(sorted(listed)).toEqual(sorted(Object.values(topicNames(''))));
  });

  it('has every table of MySQL', () => {
    const migrations = inRepository('libs/ledger/migrations/*.ts').map(read).join('\n');
    const listed = tableUnder(architecture, '### MySQL').map(([table]) => table!);
    expect(sorted(listed)).toEqual(findAll(migrations, /CREATE TABLE (\w+)/g));
  });

  it('names every reason for a refusal', () => {
    for (const reason of issuanceStatusSchema.shape.reason.unwrap().options) {
      expect(architecture).toContain(reason);
    }
  });
});

describe('docs/adr', () => {
  const records = inRepository('docs/adr/*.md');

  it.each(records)('%s: context, decision, consequences, in at most 40 lines', (record) => {
    const headings = read(record).match(/^## .+$/gm);
    expect(headings).toEqual(['## Context', '## Decision', '## Consequences']);
    expect(read(record).trimEnd().split('\n').length).toBeLessThanOrEqual(40);
  });

  it('is numbered without a gap', () => {
    const numbers = records.map((record) => Number(/(\d{4})-/.exec(record)?.[1]));
    expect(numbers.sort((a, b) => a - b)).toEqual(records.map((_, i) => i + 1));
  });
});

describe('the guarantees', () => {
  const named = [...read('docs/guarantees.md').matchAll(/^- `([^`]+)` › (.+)$/gm)];

  it('name a test for each promise', () => {
    const promises = read('docs/guarantees.md')
      .split(/^## /m)
      .slice(1)
      .filter((section) => !/^(Settings|What is not)/.test(section));
    expect(promises.length).toBeGreaterThan(5);
    for (const promise of promises) {
      expect(promise).toMatch(/^- `[^`]+` › /m);
    }
  });

  it.each(named.map(([, file, name]) => [file!, name!]))('%s has a test › %s', (file, name) => {
    expect(read(file)).toContain(name.split(' › ').at(-1));
  });
});
