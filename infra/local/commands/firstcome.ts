import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { ensureBuilt, nodeArguments } from '../processes/build.ts';
import { instanceOwner } from '../processes/instance-owner.ts';
import { isRunning, readRunFile } from '../processes/run-files.ts';
import { createProgress } from '../terminal/progress.ts';
import { messageOf } from '#platform/text/error-message.ts';
import { exitCodes } from '#platform/command/exit-codes.ts';
import { describeFailure } from '#platform/command/describe-failure.ts';

const urlVariables = ['GATE_REDIS_URL', 'JOBS_REDIS_URL', 'KAFKA_BROKERS', 'MYSQL_URL'];
/** What needs no server. */
const offline = ['help', 'env-example', '--help', '-h', '--version'];

const args = process.argv.slice(2);
const running = instanceOwner('dev')?.env ?? {};
/** Where `npm run observe` has what knows of alerts, while it runs. */
const observers = { ALERTMANAGER_URL: 'alertmanager', PROMETHEUS_URL: 'prometheus' };
const observing = Object.fromEntries(
  Object.entries(observers).flatMap(([setting, name]) => {
    const run = readRunFile('observe', name);
    return run !== undefined && isRunning(run) ? [[setting, `http://127.0.0.1:${run.port}`]] : [];
  }),
);
const knowsServers =
  Object.keys(running).length > 0 || urlVariables.some((name) => process.env[name]);

if (!knowsServers && args.length > 0 && !args.some((argument) => offline.includes(argument))) {
  const message = 'it does not run here: start it first with npm start';
  process.stderr.write(describeFailure(exitCodes.storeAway, message, args.includes('--json')));
  process.exit(exitCodes.storeAway);
}
try {
  await ensureBuilt(createProgress());
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(1);
}
const child = spawn(process.execPath, [...nodeArguments('cli'), ...args], {
  stdio: 'inherit',
  env: { ...running, ...observing, ...process.env },
});
// Ctrl-C reaches the child by itself; what it does about it decides how this ends.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal!]));
