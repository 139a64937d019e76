import { commandOf, instanceOwner } from '../processes/instance-owner.ts';
import { runCommand, unknownArgument } from '../terminal/command.ts';
import { createProgress } from '../terminal/progress.ts';
import { stopInstance } from './stop-instance.ts';

const usage = `npm run stop

Stops what npm start or npm run dev runs, also when that itself was killed. The data stays.
`;

await runCommand(usage, async ([argument]) => {
  if (argument !== undefined) {
    throw unknownArgument(argument, usage);
  }
  const owner = instanceOwner('dev');
  const stopped = await stopInstance('dev', createProgress());
  const by = owner === undefined ? '' : ` (${commandOf(owner)}, pid ${owner.pid})`;
  process.stdout.write(
    stopped.length === 0 ? 'Nothing is running.\n' : `Stopped ${stopped.join(', ')}${by}.\n`,
  );
  return 0;
});
