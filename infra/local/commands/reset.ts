import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { runCommand, unknownArgument } from '../terminal/command.ts';
import { dockerDown, dockerWasUsed } from '../servers/docker.ts';
import { instanceDir } from '../processes/paths.ts';
import type { Instance } from '../processes/paths.ts';
import { createProgress } from '../terminal/progress.ts';
import { ReadableError } from '../terminal/readable-error.ts';
import { stopInstance } from './stop-instance.ts';

const usage = `npm run reset -- [--yes]

Stops everything and deletes the data of npm start and of npm test: databases, logs, topics.
Asks first; --yes answers. What was downloaded stays.
`;

const instances: Instance[] = ['dev', 'test'];

await runCommand(usage, async (args) => {
  const unknown = args.find((argument) => argument !== '--yes');
  if (unknown !== undefined) {
    throw unknownArgument(unknown, usage);
  }
  if (!args.includes('--yes') && !(await userAgrees())) {
    process.stdout.write('Nothing was deleted.\n');
    return 1;
  }
  const report = createProgress();
  for (const instance of instances) {
    await stopInstance(instance, report);
    if (dockerWasUsed(instance)) {
      await dockerDown(instance);
    }
    rmSync(instanceDir(instance), { recursive: true, force: true });
  }
  process.stdout.write('Deleted .local/dev and .local/test.\n');
  return 0;
});

async function userAgrees(): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new ReadableError('This deletes all local data. Say so: npm run reset -- --yes');
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(
    'Delete all local data, of npm start and npm test? [y/N] ',
  );
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}
