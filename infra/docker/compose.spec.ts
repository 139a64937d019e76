import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DCLinter } from 'dclint';
import { describe, expect, it } from 'vitest';
import { composeProblems, parseCompose } from './compose-problems.ts';
import { dockerfileProblems } from './dockerfile-problems.ts';

const root = join(import.meta.dirname, '../..');
const composeFile = join(root, 'docker-compose.yml');
const composeText = readFileSync(composeFile, 'utf8');
const dockerfileText = readFileSync(join(import.meta.dirname, 'Dockerfile'), 'utf8');
const dockerignoreText = readFileSync(join(root, '.dockerignore'), 'utf8');
const inRepository = (path: string) => existsSync(join(root, path));
const hasDockerCompose = spawnSync('docker', ['compose', 'version']).status === 0;

/** The schema of the compose specification, and the linter's rules that are not about order. */
function lint(file: string): string[] {
  const order = [
    'service-dependencies-alphabetical-order',
    'service-keys-order',
    'service-ports-alphabetical-order',
    'services-alphabetical-order',
    'top-level-properties-order',
  ];
  const linter = new DCLinter({
    rules: Object.fromEntries(order.map((rule) => [rule, 0 as const])),
    quiet: true,
    debug: false,
    exclude: [],
  });
  // Typed here: the declarations that dclint ships do not resolve under `nodenext`.
  const results: { messages: { line: number; message: string }[] }[] = linter.lintFiles(
    [file],
    false,
  );
  return results.flatMap(({ messages }) =>
    messages.map(({ line, message }) => `line ${line}: ${message}`),
  );
}

describe('docker-compose.yml', () => {
  it('keeps to the compose specification', () => {
    expect(lint(composeFile)).toEqual([]);
  });

  it('would be told about a key that does not exist', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'compose-')), 'compose.yml');
    writeFileSync(file, composeText.replace('stop_grace_period: 60s', 'stop_grace_time: 60s'));
    expect(lint(file)).toEqual([
      expect.stringMatching(/services\/mysql.*must NOT have additional properties/),
    ]);
  });

  it.skipIf(!hasDockerCompose)('is loaded by docker compose itself (needs no engine)', () => {
    execFileSync('docker', ['compose', '--file', composeFile, 'config', '--quiet']);
  });

  it('fits together, and fits our settings', () => {
    expect(composeProblems(parseCompose(composeText, {}))).toEqual([]);
  });

  it('still does with other ports and a password', () => {
    const environment = {
      FIRSTCOME_MYSQL_PASSWORD: 'a-b_c1',
      FIRSTCOME_KAFKA_PORT: '29092',
      FIRSTCOME_API_PORT: '18080',
      FIRSTCOME_TRACES: 'on',
      FIRSTCOME_TRACES_SAMPLE_RATIO: '1',
    };
    expect(composeProblems(parseCompose(composeText, environment))).toEqual([]);
  });

  it.each([
    ['condition: service_healthy', 'condition: service_completed_successfully', /never ends/],
    ['condition: service_healthy', 'condition: service_started', /does not wait/],
    ['      keeper: { condition', '      kepper: { condition', /kepper/],
    ['KAFKA_REPLICATION_FACTOR', 'KAFKA_REPLICATION_FAKTOR', /KAFKA_REPLICATION_FAKTOR/],
    ["INTERNAL_PORT: '9464'", 'INTERNAL_PORT: none', /INTERNAL_PORT/],
    ['redis://jobs-redis:6379', 'redis://jobs-redis:6380', /jobs-redis:6380/],
    ['redis://jobs-redis:6379', 'redis://gate-redis:6379', /same Redis/],
    ['KAFKA_BROKERS: kafka:19092', 'KAFKA_BROKERS: kafka:9092', /kafka:9092/],
    ['@mysql:3306/firstcome', '@mysql:3306/other', /other/],
    ['root:${FIRSTCOME_MYSQL_PASSWORD:-}', 'root:other', /password/],
    ['host_ip: 127.0.0.1, published', 'host_ip: 0.0.0.0, published', /loopback/],
    ['target: 8080', 'target: 9464', /internal port/],
    ['mysql-data:/var', 'mysql_data:/var', /mysql_data/],
    ['mysql/firstcome.cnf:/', 'mysql/firstcome.cfg:/', /firstcome.cfg is not there/],
    ['--maxmemory-policy noeviction', '--maxmemory-policy allkeys-lru', /noeviction/],
    ['stop_grace_period: 60s', 'stop_signal: SIGTERM', /mysql.*stop_grace_period/],
    ['  gate-redis-exporter:', '  gate-exporter:', /Prometheus asks gate-redis-exporter/],
    ['http://jaeger:4318', 'http://jaeger:4317', /spans go to jaeger:4317/],
    ['  jaeger:\n', '  tracing:\n', /spans go to jaeger:4318/],
    ['./infra/alertmanager:/etc', './infra/alerts:/etc', /alerts is not there/],
    ["  restart: 'no'", '  restart: always', /one-shot/],
    ['    volumes: [kafka-data:/var/lib/kafka/data]', '', /kafka-data/],
  ])('would be told about %j → %j', (from, to, problem) => {
    expect(composeText).toContain(from);
    const broken = parseCompose(composeText.replace(from, to), {});
    expect(composeProblems(broken).join('\n')).toMatch(problem);
  });
});

describe('Dockerfile', () => {
  it('has a non-root user, and copies what there is', () => {
    expect(dockerfileProblems(dockerfileText, dockerignoreText, inRepository)).toEqual([]);
  });

  it.each([
    ['USER node', 'USER root', /root/],
    ['USER node\n', '', /root/],
    ['COPY libs libs', 'COPY lib lib', /lib, which is not in the repository/],
    ['COPY infra/build infra/build', 'COPY infra/local infra/local', /hides/],
    ['COPY --from=build', 'COPY --from=builder', /no such stage/],
    ['--omit=dev ', '', /development packages/],
    ['RUN npm run build', '', /no dist/],
    ['node:24-bookworm-slim AS runtime', 'node:latest AS runtime', /names no version/],
  ])('would be told about %j → %j', (from, to, problem) => {
    expect(dockerfileText).toContain(from);
    const problems = dockerfileProblems(
      dockerfileText.replace(from, to),
      dockerignoreText,
      inRepository,
    );
    expect(problems.join('\n')).toMatch(problem);
  });

  it('and the compose file run what the build makes', () => {
    const { projects } = JSON.parse(readFileSync(join(root, 'nest-cli.json'), 'utf8')) as {
      projects: Record<string, { entryFile: string }>;
    };
    const entryFiles = Object.values(projects).map(({ entryFile }) => entryFile);
    const built = entryFiles.map((entryFile) => `dist/${entryFile}.js`);
    const { services } = parseCompose(composeText, {});
    const run = [...Object.values(services).map(({ command }) => command), dockerfileText]
      .flatMap((text) => text?.match(/\bdist\/[\w/.-]+\.js\b/g) ?? [])
      .sort();
    expect([...new Set(run)]).toEqual(built.sort());
    expect(entryFiles.filter((entryFile) => !inRepository(`${entryFile}.ts`))).toEqual([]);
  });

  it('builds with the file that compose names', () => {
    const { services } = parseCompose(composeText, {});
    expect(services['migrate']?.build).toEqual({
      context: '.',
      dockerfile: 'infra/docker/Dockerfile',
    });
    expect(inRepository('infra/docker/Dockerfile')).toBe(true);
  });
});
