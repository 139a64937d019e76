// The first thing that runs on a fresh machine: plain JavaScript with Node's own modules only, so
// that any Node from 18 on can install the packages (Node 24 is one of them) and hand over to it.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const stampFile = join(root, 'node_modules', '.firstcome-lock');

const commands = {
  start: 'bring up the servers and firstcome, seed coupon 123, supervise',
  dev: 'what npm start does, and restart a process when its sources change',
  stop: 'stop what npm start left running',
  reset: 'stop everything and delete the data of this checkout',
  test: 'run every check and every test on real servers',
  'test:model': 'run random schedules of the model of the protocol',
  'test:history': 'hold the check of what clients were told against an independent one',
  'test:mutations': 'break the code in known ways, and see the tests of each promise fail',
  mutants: 'let Stryker change the sources, and see what no test notices',
  'test:alerts': 'break one thing after another, and wait for its alert and for its end',
  'test:burst': 'one user asks thirty times at one moment, a thousand times over',
  'test:chaos': 'break one thing after another under load, and count what became of it',
  firstcome: 'the command line client, against the running instance',
  observe: 'Prometheus and Alertmanager beside what npm start runs',
  demo: 'a rush for few coupons, in front of your eyes',
  bench: 'assign beside bare Fastify, in requests a second',
  'bench:rest': 'what coupons cost that have ended, live and archived',
  'bench:traces': 'what an assign costs with traces off and on, in CPU seconds',
  'bench:waiters': 'ten thousand who wait for a decision at one api, and people who poll as told',
  soak: 'minutes of steady load, and what memory the processes take',
};

/** What is not in infra/local/commands. */
const scripts = {
  bench: join(root, 'bench', 'bench.ts'),
  'bench:rest': join(root, 'bench', 'rest.ts'),
  'bench:traces': join(root, 'bench', 'traces.ts'),
  'bench:waiters': join(root, 'bench', 'waiters', 'waiters.ts'),
  mutants: join(root, 'test', 'mutations', 'mutants.ts'),
  soak: join(root, 'bench', 'soak.ts'),
  'test:alerts': join(root, 'test', 'alerts', 'test-alerts.ts'),
  'test:chaos': join(root, 'test', 'chaos', 'chaos.ts'),
  'test:history': join(root, 'test', 'history', 'test-history.ts'),
  'test:mutations': join(root, 'test', 'mutations', 'test-mutations.ts'),
  'test:burst': join(root, 'test', 'single-packet', 'test-single-packet.ts'),
  'test:model': join(root, 'test', 'model', 'test-model.ts'),
};

function readPackages(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}

/** Packages that are already what package-lock.json says, for instance after `npm install`. */
function packagesMatchLock() {
  try {
    const installed = readPackages(join(root, 'node_modules', '.package-lock.json'));
    return Object.entries(readPackages(join(root, 'package-lock.json'))).every(
      ([path, wanted]) =>
        path === '' ||
        (installed[path] === undefined
          ? wanted.optional === true || wanted.devOptional === true
          : installed[path].integrity === wanted.integrity),
    );
  } catch {
    return false;
  }
}

async function installPackages() {
  const lock = readFileSync(join(root, 'package-lock.json'));
  const hash = createHash('sha256').update(lock).digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === hash) {
    return;
  }
  if (!packagesMatchLock()) {
    await withStepLine('packages (npm ci)', installFromLock);
  }
  writeFileSync(stampFile, hash);
}

/**
 * Installs what package-lock.json says. `--loglevel` because `npm run -s` would otherwise silence the
 * reason of a failure.
 */
async function installFromLock() {
  const child = spawn('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  }).catch((error) =>
    fail(
      error.code === 'ENOENT'
        ? 'npm is not on the PATH. Install Node.js 24 with npm, then run this again.'
        : `npm could not be run: ${error.message}`,
    ),
  );
  if (code !== 0) {
    // npm says why at the beginning, and how it is used at the end.
    const lines = output
      .trimEnd()
      .split('\n')
      .filter((line) => line.trim() !== 'npm error');
    fail(
      `npm ci failed (exit ${code}):\n  ${lines.slice(0, 15).join('\n  ')}\n` +
        'Most often the package registry cannot be reached: check the network, and the proxy and ' +
        'registry in ~/.npmrc, then run the same command again.',
    );
  }
}

/** Shows a long step on stderr: a live line on a terminal, else a line at its start and its end. */
async function withStepLine(label, work) {
  const startedAt = Date.now();
  const elapsed = () => `${((Date.now() - startedAt) / 1000).toFixed(1)} s`;
  const live = process.stderr.isTTY === true;
  const draw = () => process.stderr.write(`\r\u001b[K… ${label} ${elapsed()}`);
  if (!live) process.stderr.write(`… ${label}\n`);
  const timer = live ? setInterval(draw, 200) : undefined;
  await work();
  clearInterval(timer);
  process.stderr.write(`${live ? '\r\u001b[K' : ''}✓ ${label} ${elapsed()}\n`);
}

function nodeBinary() {
  if (Number(process.version.slice(1).split('.')[0]) >= 24) {
    return process.execPath;
  }
  const binary = join(root, 'node_modules', '.bin', 'node');
  if (!existsSync(binary)) {
    fail(
      `This is Node ${process.version}, firstcome runs on Node 24, and npm installed none ` +
        '(install scripts switched off with ignore-scripts?).\n' +
        'Install Node.js 24, or allow install scripts, delete node_modules and try again.',
    );
  }
  return binary;
}

function runCommand(command, args) {
  const options = [
    // Tools run from the sources, ours and those of the libs they import.
    `--import=${pathToFileURL(createRequire(import.meta.url).resolve('tsx'))}`,
  ];
  const settings = join(root, '.env');
  if (existsSync(settings)) options.push(`--env-file=${settings}`);
  const script = scripts[command] ?? join(root, 'infra', 'local', 'commands', `${command}.ts`);
  // Every process that comes of this one starts in two thirds of the time.
  const env = { NODE_COMPILE_CACHE: join(root, '.local', 'compile-cache'), ...process.env };
  const child = spawn(nodeBinary(), [...options, script, ...args], { stdio: 'inherit', env });
  // A terminal sends Ctrl-C to the child as well: the commands take two in quick succession as one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => child.kill(signal));
  }
  child.on('error', (error) => fail(`Node could not be run: ${error.message}`));
  // As a shell tells of a process that was ended by a signal.
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

function fail(message, exitCode = 1) {
  process.stderr.write(`${process.stderr.isTTY === true ? '\n' : ''}${message}\n`);
  process.exit(exitCode);
}

function usage() {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const lines = Object.entries(commands).map(
    ([name, what]) =>
      `  npm ${name === 'start' || name === 'test' ? '' : 'run '}${name}`.padEnd(width + 11) + what,
  );
  return `Commands:\n${lines.join('\n')}\nArguments go after --, for example: npm start -- --help\n`;
}

async function main([command, ...args]) {
  if (command === '--help' || command === '-h') {
    process.stdout.write(usage());
    return;
  }
  if (command === undefined || !Object.hasOwn(commands, command)) {
    fail(
      `${command === undefined ? 'No command given' : `Unknown command: ${command}`}.\n${usage()}`,
      64,
    );
  }
  if (Number(process.version.slice(1).split('.')[0]) < 18) {
    fail(`This is Node ${process.version}; firstcome needs Node.js 18 or newer (24 is best).`);
  }
  if (process.platform === 'win32') {
    fail('firstcome runs on Linux and macOS. On Windows, run it inside WSL.');
  }
  await installPackages();
  runCommand(command, args);
}

// Whoever reads may have enough, as in `… --help | head`: what is under way goes on.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
await main(process.argv.slice(2));
