import { rmSync } from 'node:fs';
import { confirmed } from '#platform/command/confirmation.ts';
import { exitCodes } from '#platform/command/exit-codes.ts';
import { runCommand, unknownArgument } from '../terminal/command.ts';
import { dockerDown, dockerWasUsed } from '../servers/docker.ts';
import { instanceDir, instances } from '../processes/paths.ts';
import { createProgress } from '../terminal/progress.ts';
import { ReadableError } from '../terminal/readable-error.ts';
import { stopInstance } from './stop-instance.ts';

const usage = `npm run reset -- [--yes]

Stops everything and deletes the data of npm start and of npm test: databases, logs, topics.
Asks first; --yes answers. What was downloaded stays.
`;

await runCommand(usage, async (args) => {
  const unknown = args.find((argument) => argument !== '--yes');
  if (unknown !== undefined) {
    throw unknownArgument(unknown, usage);
  }
  if (!args.includes('--yes') && !(await agreed())) {
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
  process.stdout.write(
    `Deleted ${instances.map((instance) => `.local/${instance}`).join(', ')}.\n`,
  );
  return 0;
});

async function agreed(): Promise<boolean> {
  const answer = await confirmed('Delete all local data, of npm start and npm test?');
  if (answer === undefined) {
    const how = 'Say so: npm run reset -- --yes';
    throw new ReadableError(`This deletes all local data. ${how}`, exitCodes.wrongUse);
  }
  return answer;
}
