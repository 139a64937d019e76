import 'reflect-metadata';
import { outliveReaders } from '#platform/command/closed-pipe.ts';
import { exitCodes } from '#platform/command/exit-codes.ts';
import { describeFailure } from '#platform/command/describe-failure.ts';
import { endingOf } from './ending.ts';
import { createProgram } from './program.ts';

/** As a shell reports a process that was ended by such a signal. */
const signalCodes = { SIGINT: 130, SIGTERM: 143 } as const;

const asJson = process.argv.includes('--json');

outliveReaders((error) => {
  process.stderr.write(describeFailure(exitCodes.failed, `no output: ${error.message}`, asJson));
  process.exit(exitCodes.failed);
});
for (const [signal, code] of Object.entries(signalCodes)) {
  process.once(signal, () => {
    process.stderr.write(describeFailure(exitCodes.failed, `interrupted by ${signal}`, asJson));
    process.exit(code);
  });
}
try {
  await createProgram().parseAsync();
} catch (error) {
  const { exitCode, message } = endingOf(error);
  process.exitCode = exitCode;
  if (message !== undefined) {
    process.stderr.write(describeFailure(exitCode, message, asJson));
  }
}
