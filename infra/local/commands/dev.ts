import { distDir } from '../processes/build.ts';
import { showLogs } from '../processes/log-follower.ts';
import { rootDir } from '../processes/paths.ts';
import { processStartTime } from '../processes/process.ts';
import { RestartOnChange } from '../processes/restart-on-change.ts';
import { removeRunFile, writeRunFile } from '../processes/run-files.ts';
import { watchSources } from '../processes/source-watch.ts';
import type { SupervisedApp } from '../processes/supervised-app.ts';
import { runCommand } from '../terminal/command.ts';
import type { Report } from '../terminal/progress.ts';
import { instance, parseCounts, runFirstcome } from './run-firstcome.ts';

const compilerName = 'compiler';

const usage = `npm run dev -- [options]

Does what npm start does, with the same options, servers, ports and data, and watches apps and libs.
What is saved there (TypeScript, Lua) is built at once, and each process that loads it restarts:
SIGTERM, a clean end, a new start. While there is a type error nothing restarts. What the processes
log is shown as text, and kept as JSON in the files.

  --api N       api processes     (1)
  --issuers N   issuer processes  (1)
  --keepers N   keeper processes  (1)

Every process listens for a debugger on a port of its own, from 9229 on, which it keeps.
A new migration is applied by npm run firstcome -- migrate. Ctrl-C stops everything.
`;

await runCommand(usage, async (args) => {
  await runFirstcome(parseCounts(args, usage), { debuggers: true, whileUp: restartOnChanges });
  return 0;
});

async function restartOnChanges(
  apps: SupervisedApp[],
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const logFiles = apps.map((app) => app.process.logFile);
  void showLogs(logFiles, (text) => report.line(text), signal);
  const restarts = apps.map((app) => new RestartOnChange(app, distDir, report, signal));
  const watched = {
    root: rootDir,
    onCompiler,
    onBuilt: () => restarts.forEach((restart) => restart.built()),
    say: (text: string) => report.line(text),
  };
  await watchSources(watched, signal);
  removeRunFile(instance, compilerName);
}

/** So that npm run stop ends it when this process was killed. */
function onCompiler(pid: number): void {
  const startedAt = processStartTime(pid) ?? '';
  const source = process.execPath;
  const run = { name: compilerName, pid, startedAt, port: 0, command: ['tsc', '--watch'], source };
  writeRunFile(instance, { ...run, kind: 'app' });
}
