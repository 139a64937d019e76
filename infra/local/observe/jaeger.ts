import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { localDir } from '../processes/paths.ts';
import type { Household } from '../processes/paths.ts';
import { runOrThrow, runToEnd } from '../processes/process.ts';
import { dockerRuns } from '../servers/docker.ts';
import { findProgram } from '../servers/install.ts';
import type { Program } from '../servers/install.ts';
import { choosePort } from '../servers/ports.ts';
import type { Report } from '../terminal/progress.ts';
import { messageOf } from '#platform/text/error-message.ts';
import { Monitor } from './monitor.ts';

/** The last of version 1; built with Go it has no pages of its own, only its HTTP API. */
const version = '1.76.0';
const module = `github.com/jaegertracing/jaeger@v${version}`;
const image = `jaegertracing/all-in-one:${version}`;
/** Of itself it traces nothing: there is nobody to take that, and it would wait for him when it ends. */
const untraced = { OTEL_TRACES_SAMPLER: 'always_off' };
const go: Program = { binaries: ['go'], apt: ['golang-go'], brew: 'go' };

export interface Jaeger {
  /** Where it is, for people. */
  says: string;
  stop(): Promise<void>;
}

export const tracesElsewhere =
  '  Jaeger        is not here: it needs a Docker engine, or Go. Any receiver of OTLP over HTTP will do:\n' +
  '                start firstcome with TRACES=on OTEL_EXPORTER_OTLP_ENDPOINT=http://HOST:4318\n';

/** Brings Jaeger up: its image where there is a Docker engine, else built with Go. Nothing where neither is. */
export async function startJaeger(
  household: Household,
  report: Report,
  abort: AbortSignal,
): Promise<Jaeger | undefined> {
  const taken = new Set<number>();
  const ui = await choosePort(16686, taken);
  const otlp = await choosePort(4318, taken);
  const admin = await choosePort(14269, taken);
  const inDocker = await dockerRuns();
  const binary = inDocker ? undefined : await buildIfPossible(report, abort);
  if (!inDocker && binary === undefined) {
    return undefined;
  }
  const plan =
    binary === undefined
      ? { command: 'docker', args: dockerArguments(ui, otlp, admin) }
      : { command: binary, args: await goArguments(ui, otlp, admin, taken), env: untraced };
  const monitor = new Monitor({ name: 'jaeger', port: admin, readyPath: '/', ...plan }, household);
  await report.step('jaeger', () => monitor.start(abort));
  const pages = binary === undefined ? '' : '/api/traces?service=firstcome-api (built: no pages)';
  return {
    says:
      `  Jaeger        http://127.0.0.1:${ui}${pages}\n` +
      `                send traces there: TRACES=on TRACES_SAMPLE_RATIO=1 OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:${otlp} npm start\n`,
    stop: () => monitor.stop(),
  };
}

async function buildIfPossible(report: Report, abort: AbortSignal): Promise<string | undefined> {
  const binary = join(localDir, 'tools', `jaeger-${version}`);
  if (existsSync(binary)) {
    return binary;
  }
  const compiler = await findProgram(go);
  if (compiler === undefined) {
    return undefined;
  }
  try {
    await report.step(`building Jaeger ${version} with Go (once, some minutes)`, () =>
      build(compiler, binary, abort),
    );
    return binary;
  } catch (error) {
    abort.throwIfAborted();
    report.line(messageOf(error));
    return undefined;
  }
}

/** Its go.mod replaces modules, so that `go install` refuses it: it is built where it was unpacked. */
async function build(compiler: string, binary: string, signal: AbortSignal): Promise<void> {
  const downloaded = await runToEnd(compiler, ['mod', 'download', '-json', module], { signal });
  const { Dir, Error: problem } = JSON.parse(downloaded.stdout || '{}') as {
    Dir?: string;
    Error?: string;
  };
  if (Dir === undefined) {
    throw new Error(`Jaeger could not be downloaded: ${problem ?? downloaded.stderr.trim()}`);
  }
  mkdirSync(join(localDir, 'tools'), { recursive: true });
  await runOrThrow('go build', compiler, ['build', '-o', `${binary}.new`, './cmd/all-in-one'], {
    cwd: Dir,
    signal,
  });
  renameSync(`${binary}.new`, binary);
}

function dockerArguments(ui: number, otlp: number, admin: number): string[] {
  const ports = [
    [ui, 16686],
    [otlp, 4318],
    [admin, 14269],
  ];
  return [
    'run',
    '--rm',
    '--init',
    ...Object.entries(untraced).flatMap(([name, value]) => ['-e', `${name}=${value}`]),
    ...ports.flatMap(([outside, inside]) => ['-p', `127.0.0.1:${outside}:${inside}`]),
    image,
  ];
}

async function goArguments(
  ui: number,
  otlp: number,
  admin: number,
  taken: Set<number>,
): Promise<string[]> {
  const others = [
    'collector.otlp.grpc',
    'collector.grpc-server',
    'collector.http-server',
    'query.grpc-server',
  ];
  const args = [
    `--query.http-server.host-port=127.0.0.1:${ui}`,
    `--collector.otlp.http.host-port=127.0.0.1:${otlp}`,
    `--admin.http.host-port=127.0.0.1:${admin}`,
    '--log-level=warn',
  ];
  for (const name of others) {
    args.push(`--${name}.host-port=127.0.0.1:${await choosePort(14250, taken)}`);
  }
  return args;
}
