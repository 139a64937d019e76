import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeJournal } from '../../../infra/harness/answer-journal.ts';
import type { Told } from '../../../infra/harness/assign.ts';
import type { Stack } from '../../../infra/harness/stack.ts';
import type { CommandResult } from '../../../infra/local/processes/cli.ts';

/** What `verify` says of the stores of a stack, and of what clients were told. */
export async function verify(
  stack: Stack,
  answers: Told[],
  ...options: string[]
): Promise<CommandResult> {
  const directory = mkdtempSync(join(tmpdir(), 'firstcome-journal-'));
  try {
    const journal = join(directory, 'answers.ndjson');
    writeJournal(journal, answers);
    return await stack.firstcome('verify', '--journal', journal, ...options);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
